/**
 * Pods without a kubelet: each does what its plan says. It is bound to a node, becomes ready after a
 * while or never, crashes, flaps, and goes when it is asked to.
 */
import type { Condition } from '../../api/kubernetes.ts';
import type { Clock } from '../../kube/clock.ts';
import type { ControllerApi } from '../controller-api.ts';
import { timestamp } from '../metadata.ts';
import type { ContainerStatus, Node, Pod } from './kinds.ts';
import { isGoing, isReady, nodes, pods, selects } from './kinds.ts';
import type { Controller } from './reconciler.ts';
import { keyOf, namesOf } from './reconciler.ts';

/** How a pod fares. */
export interface PodPlan {
  /** After which it is ready; never where absent. */
  readonly readyMs?: number;
  /** Why its containers wait while it is not ready: ImagePullBackOff. They run where absent. */
  readonly waitingReason?: string;
  /** For how long it stays ready before it crashes, each time. */
  readonly crashMs?: number;
  /** It does not crash then: for so long its readiness probe fails, each time. */
  readonly unreadyMs?: number;
  /** How long it takes to go. */
  readonly stopMs?: number;
}

export type PlanPod = (pod: Pod) => PodPlan;

export interface PodsOptions {
  readonly api: ControllerApi;
  readonly clock: Clock;
  readonly plan: PlanPod;
  /** The next address of a pod. */
  readonly nextAddress: () => string;
}

/** Of a pod that crashed: from 10 s to 5 min, twice as long each time. */
const crashBackOffMsFirst = 10_000;
const crashBackOffMsMax = 300_000;

/** Of the one machine that there is. */
const hostIP = '10.0.0.1';

/** What a pod is about to do next, by its uid. */
interface Life {
  readonly bornAtMs: number;
  readonly plan: PodPlan;
  restarts: number;
  /** When it is ready next; undefined for never. */
  readyAtMs: number | undefined;
  crashAtMs: number | undefined;
  /** When it has ended, once it was asked to. */
  goneAtMs?: number;
}

export function podController({ api, clock, plan, nextAddress }: PodsOptions): Controller {
  const lives = new Map<string, Life>();

  const lifeOf = (pod: Pod): Life => {
    const uid = pod.metadata.uid ?? '';
    const known = lives.get(uid);
    if (known !== undefined) return known;
    const planned = plan(pod);
    const bornAtMs = clock.monotonic();
    const { readyMs } = planned;
    const readyAtMs = readyMs === undefined ? undefined : bornAtMs + readyMs;
    const life: Life = { bornAtMs, plan: planned, restarts: 0, readyAtMs, crashAtMs: undefined };
    lives.set(uid, life);
    return life;
  };
  const end = async (pod: Pod, life: Life): Promise<number | undefined> => {
    const { name, namespace = '', deletionTimestamp = '' } = pod.metadata;
    const leftMs = Math.max(0, Date.parse(deletionTimestamp) - clock.now());
    const nowMs = clock.monotonic();
    life.goneAtMs ??= nowMs + Math.min(life.plan.stopMs ?? 0, leftMs);
    if (life.goneAtMs > nowMs) return life.goneAtMs - nowMs;
    lives.delete(pod.metadata.uid ?? '');
    await api.delete(pods, { namespace, name }, { gracePeriodSeconds: 0 });
    return undefined;
  };
  const bind = async (pod: Pod): Promise<Pod> => {
    if (pod.spec.nodeName !== undefined) return pod;
    const node = nodeFor(pod, api.list(nodes));
    if (node === undefined) return pod;
    return api.update(pods, { ...pod, spec: { ...pod.spec, nodeName: node.metadata.name } });
  };

  return {
    name: 'kubelet',
    keysOf: ({ groupResource, after }) =>
      groupResource === 'pods' && after !== undefined
        ? [keyOf(after.metadata.namespace, after.metadata.name)]
        : [],
    reconcile: async (key) => {
      const found = api.get(pods, namesOf(key));
      if (found === undefined) return undefined;
      const life = lifeOf(found);
      if (isGoing(found)) return end(found, life);
      const pod = await bind(found);
      const nowMs = clock.monotonic();
      if (life.crashAtMs !== undefined && life.crashAtMs <= nowMs) {
        const backOffMs = Math.min(crashBackOffMsFirst * 2 ** life.restarts, crashBackOffMsMax);
        const { unreadyMs } = life.plan;
        if (unreadyMs === undefined) life.restarts += 1;
        life.crashAtMs = undefined;
        life.readyAtMs = nowMs + (unreadyMs ?? backOffMs);
      }
      const ready = life.readyAtMs !== undefined && life.readyAtMs <= nowMs;
      if (ready && life.crashAtMs === undefined && life.plan.crashMs !== undefined) {
        life.crashAtMs = nowMs + life.plan.crashMs;
      }
      await show(api, pod, { ready, life, time: timestamp(clock.now()), nextAddress });
      const next = ready ? life.crashAtMs : life.readyAtMs;
      return next === undefined ? undefined : Math.max(1, next - nowMs);
    },
  };
}

function nodeFor(pod: Pod, all: readonly Node[]): Node | undefined {
  const fit = all.filter(
    ({ spec, metadata }) =>
      spec?.unschedulable !== true &&
      selects({ matchLabels: pod.spec.nodeSelector ?? {} }, metadata.labels),
  );
  // Spread by name, so that the same pods are on the same nodes each time.
  const letters = Array.from(pod.metadata.name, (it) => it.charCodeAt(0));
  const turn = letters.reduce((sum, it) => sum + it, 0);
  return fit[turn % Math.max(1, fit.length)];
}

interface Shown {
  readonly ready: boolean;
  readonly life: Life;
  readonly time: string;
  readonly nextAddress: () => string;
}

/** Writes the status where it differs from what the pod does. */
async function show(api: ControllerApi, pod: Pod, shown: Shown): Promise<void> {
  const { ready, life, time } = shown;
  const { status } = pod;
  const restarts = status?.containerStatuses?.[0]?.restartCount ?? 0;
  const isStarted = status?.phase === 'Running';
  const runs = life.plan.waitingReason === undefined || ready;
  if (pod.spec.nodeName === undefined && status?.phase === 'Pending') return;
  if (isReady(pod) === ready && restarts === life.restarts && status?.podIP !== undefined) return;
  // Between its birth and its readiness nobody looks at a pod that will be ready: one write less.
  if (!ready && !isStarted && life.restarts === 0 && life.readyAtMs !== undefined) return;
  const podIP = status?.podIP ?? shown.nextAddress();
  const word = ready ? 'True' : 'False';
  const conditions: readonly Condition[] = [
    ...(['PodScheduled', 'Initialized'] as const).map((type) =>
      conditionAt(pod, type, 'True', time),
    ),
    conditionAt(pod, 'ContainersReady', word, time),
    conditionAt(pod, 'Ready', word, time),
  ];
  await api.update(
    pods,
    {
      ...pod,
      status: {
        phase: runs ? 'Running' : 'Pending',
        hostIP,
        hostIPs: [{ ip: hostIP }],
        podIP,
        podIPs: [{ ip: podIP }],
        startTime: status?.startTime ?? time,
        conditions,
        containerStatuses: containersOf(pod, shown),
      },
    },
    'status',
  );
}

/** The time is that of the last change. */
function conditionAt(pod: Pod, type: string, status: 'True' | 'False', time: string): Condition {
  const known = pod.status?.conditions?.find((it) => it.type === type);
  const lastTransitionTime = known?.status === status ? (known.lastTransitionTime ?? time) : time;
  return { type, status, lastTransitionTime };
}

function containersOf(pod: Pod, { ready, life, time }: Shown): readonly ContainerStatus[] {
  const reason = life.restarts > 0 && !ready ? 'CrashLoopBackOff' : life.plan.waitingReason;
  return pod.spec.containers.map(({ name, image = '' }) => ({
    name,
    image,
    imageID: '',
    ready,
    started: ready,
    restartCount: life.restarts,
    state:
      ready || reason === undefined ? { running: { startedAt: time } } : { waiting: { reason } },
  }));
}
