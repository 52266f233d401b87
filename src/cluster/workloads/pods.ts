/**
 * Pods without a kubelet: each does what its plan says (`pod-plan.ts`), and goes when it is asked to.
 *
 * Writes are few: a pod that becomes ready is written once, when it is, and nobody sees it wait.
 */
import type { Clock } from '../../kube/clock.ts';
import type { ControllerApi } from '../controller-api.ts';
import type { Pod } from './kinds.ts';
import { isGoing, isOver, isReady, pods } from './kinds.ts';
import { hostIP } from './nodes.ts';
import type { PodPlan, PodState } from './pod-plan.ts';
import { stateAt } from './pod-plan.ts';
import { podStatus, unscheduledStatus } from './pod-status.ts';
import type { EventRecorder } from './recorder.ts';
import type { Scheduler } from './scheduler.ts';
import type { Controller } from './work-queue.ts';
import { keyOf, namesOf } from './work-queue.ts';

export type { PodPlan } from './pod-plan.ts';

/** Asked once for each pod, when it comes. */
export type PlanPod = (pod: Pod) => PodPlan;

export interface PodsOptions {
  readonly api: ControllerApi;
  readonly clock: Clock;
  readonly plan: PlanPod;
  readonly scheduler: Scheduler;
  readonly addresses: Addresses;
  readonly record: EventRecorder;
}

/** Of pods. */
export interface Addresses {
  take(): string;
  giveBack(address: string): void;
}

/** What a pod does before it is ready is not written if that takes no longer. */
const soonMs = 2_000;
/** How often one sees whether a pod finds a node by now. */
const unscheduledMs = 5_000;

interface Life {
  readonly uid: string;
  readonly plan: PodPlan;
  /** By the clock that never goes back, and by the one that people read. */
  readonly bornAtMs: number;
  readonly bornMs: number;
  podIP: string | undefined;
  /** When it has ended, once it was asked to. */
  goneAtMs: number | undefined;
}

export function podController(options: PodsOptions): Controller {
  const { api, clock } = options;
  const lives = createLives(options);
  return {
    name: 'kubelet',
    keysOf: ({ groupResource, before, after }) => {
      const metadata = groupResource === 'pods' ? (after ?? before)?.metadata : undefined;
      return metadata === undefined ? [] : [keyOf(metadata.namespace, metadata.name)];
    },
    reconcile: async (key) => {
      const found = api.get(pods, namesOf(key));
      const life = lives.of(key, found);
      if (found === undefined || life === undefined) return undefined;
      if (isGoing(found)) return end(options, found, life);
      if (isOver(found)) return undefined;
      const pod = await bind(options, found);
      if (pod === undefined) return unscheduledMs;
      const ageMs = clock.monotonic() - life.bornAtMs;
      const state = stateAt(life.plan, ageMs);
      if (!isShown(pod, state, ageMs)) {
        life.podIP ??= options.addresses.take();
        const { podIP, bornMs } = life;
        const moment = { plan: life.plan, state, bornMs, nowMs: clock.now(), podIP, hostIP };
        await api.update(pods, { ...pod, status: podStatus(pod, moment) }, 'status');
        tell(options.record, pod, state);
      }
      return state.untilMs === undefined ? undefined : Math.max(1, state.untilMs - ageMs);
    },
  };
}

function createLives({ clock, plan, addresses }: PodsOptions) {
  const lives = new Map<string, Life>();
  return {
    /** The life of the pod of that name, from its first look on; forgets those that have gone. */
    of: (key: string, pod: Pod | undefined): Life | undefined => {
      const known = lives.get(key);
      const uid = pod?.metadata.uid ?? '';
      if (known !== undefined && known.uid === uid) return known;
      if (known?.podIP !== undefined) addresses.giveBack(known.podIP);
      lives.delete(key);
      if (pod === undefined) return undefined;
      const life: Life = {
        uid,
        plan: plan(pod),
        bornAtMs: clock.monotonic(),
        bornMs: clock.now(),
        podIP: pod.status?.podIP,
        goneAtMs: undefined,
      };
      lives.set(key, life);
      return life;
    },
  };
}

async function end(
  { api, clock }: PodsOptions,
  { metadata }: Pod,
  life: Life,
): Promise<number | undefined> {
  const { name, namespace = '', deletionTimestamp = '' } = metadata;
  const nowMs = clock.monotonic();
  const graceMs = Math.max(0, Date.parse(deletionTimestamp) - clock.now());
  life.goneAtMs ??= nowMs + Math.min(life.plan.stopMs ?? 0, graceMs);
  const leftMs = Math.min(life.goneAtMs - nowMs, graceMs);
  if (leftMs > 0) return leftMs;
  await api.delete(pods, { namespace, name }, { gracePeriodSeconds: 0, uid: life.uid });
  return undefined;
}

/** Those that came without a node. Answers undefined while there is none for it. */
async function bind(options: PodsOptions, pod: Pod): Promise<Pod | undefined> {
  const { api, clock, scheduler } = options;
  if (pod.spec.nodeName !== undefined) return pod;
  const nodeName = scheduler.nodeFor(pod.spec);
  if (nodeName !== undefined) return api.update(pods, { ...pod, spec: { ...pod.spec, nodeName } });
  const isTold = pod.status?.conditions?.some(({ reason }) => reason === 'Unschedulable') === true;
  if (!isTold) {
    await api.update(pods, { ...pod, status: unscheduledStatus(pod, clock.now()) }, 'status');
  }
  return undefined;
}

/** Whether the status says so already, or need not: soon there is more to say. */
function isShown(pod: Pod, { kind, restarts, untilMs }: PodState, ageMs: number): boolean {
  const { phase, containerStatuses: [container] = [] } = pod.status ?? {};
  if (container === undefined) {
    const isShort = untilMs !== undefined && untilMs - ageMs <= soonMs;
    return kind === 'Running' && restarts === 0 && isShort;
  }
  return (
    isReady(pod) === (kind === 'Ready') &&
    container.restartCount === restarts &&
    (phase === 'Pending') === (kind === 'Waiting') &&
    (container.state.waiting !== undefined) === (kind === 'Waiting' || kind === 'BackOff')
  );
}

function tell(record: EventRecorder, pod: Pod, { kind, restarts }: PodState): void {
  const [container] = pod.spec.containers;
  const name = container?.name ?? '';
  if (kind === 'BackOff') {
    const whose = `${pod.metadata.name}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid ?? ''})`;
    const text = `Back-off restarting failed container ${name} in pod ${whose}`;
    record(pod, 'Warning', 'BackOff', text);
  } else if (kind === 'Waiting') {
    record(pod, 'Warning', 'Failed', `Back-off pulling image "${container?.image ?? ''}"`);
  } else if (pod.status?.containerStatuses?.[0]?.restartCount !== restarts) {
    record(pod, 'Normal', 'Started', `Container started`);
  } else if (kind === 'Running') {
    record(pod, 'Warning', 'Unhealthy', 'Readiness probe failed');
  }
}

/** Of 10.244.0.0/16 but its first two and its last, one after the other; those that are free. */
export function createAddresses(): Addresses {
  const taken = new Set<number>();
  const [first, end] = [2, 0xffff];
  let next = first;
  return {
    take: () => {
      if (taken.size >= end - first) throw new Error('10.244.0.0/16 has no address left');
      while (taken.has(next)) next = next + 1 < end ? next + 1 : first;
      const address = next;
      taken.add(address);
      next = next + 1 < end ? next + 1 : first;
      return `10.244.${address >> 8}.${address & 0xff}`;
    },
    giveBack: (address) => {
      const [high, low] = address.split('.').slice(2).map(Number);
      taken.delete(((high ?? 0) << 8) + (low ?? 0));
    },
  };
}
