/**
 * ReplicaSets: as many pods of one template as they ask for.
 * Rules: k8s.io/kubernetes, `pkg/controller/replicaset`; which pods go first: `controller_utils.go`.
 */
import type { Clock } from '../../kube/clock.ts';
import type { ControllerApi } from '../controller-api.ts';
import { isEqual } from '../json.ts';
import { timestamp } from '../metadata.ts';
import { StatusError } from '../status-error.ts';
import { isTerminating } from './namespaces.ts';
import type { Pod, ReplicaSet } from './kinds.ts';
import {
  availableInMs,
  controlledBy,
  controllerOf,
  isGoing,
  isOver,
  isReady,
  podCondition,
  pods,
  replicaSets,
  selects,
} from './kinds.ts';
import type { OwnedIndex } from './owned-index.ts';
import type { EventRecorder } from './recorder.ts';
import type { Scheduler } from './scheduler.ts';
import type { Controller } from './work-queue.ts';
import { keyOf, namesOf } from './work-queue.ts';

export interface ReplicaSetsOptions {
  readonly api: ControllerApi;
  readonly clock: Clock;
  readonly podsOf: OwnedIndex<Pod>;
  readonly scheduler: Scheduler;
  readonly record: EventRecorder;
}

export function replicaSetController(options: ReplicaSetsOptions): Controller {
  const { api, podsOf, clock } = options;
  return {
    name: 'replicaset',
    keysOf: ({ groupResource, before, after }) => {
      const object = after ?? before;
      if (object === undefined) return [];
      const { namespace, name } = object.metadata;
      if (groupResource === 'replicasets.apps') return [keyOf(namespace, name)];
      const owner = groupResource === 'pods' ? controllerOf(object) : undefined;
      return owner?.kind === 'ReplicaSet' ? [keyOf(namespace, owner.name)] : [];
    },
    reconcile: async (key) => {
      const set = api.get(replicaSets, namesOf(key));
      if (set === undefined) return undefined;
      const failure = isGoing(set) ? undefined : await resize(options, set);
      const seen = { all: podsOf(set.metadata.uid), failure, nowMs: clock.now() };
      await showStatus(api, set, statusOf(set, seen));
      if (failure !== undefined) throw failure.error;
      return nextAvailableMs(set, seen);
    },
  };
}

interface Failure {
  readonly reason: 'FailedCreate' | 'FailedDelete';
  readonly error: StatusError;
}

const isActive = (pod: Pod): boolean => !isGoing(pod) && !isOver(pod);

/** Answers what the API server refused. */
async function resize(options: ReplicaSetsOptions, set: ReplicaSet): Promise<Failure | undefined> {
  const { replicas = 1 } = set.spec;
  const active = options.podsOf(set.metadata.uid).filter(isActive);
  const missing = replicas - active.length;
  try {
    for (let count = 0; count < missing; count += 1) await createPod(options, set);
    if (missing < 0) {
      for (const pod of leastWanted(active).slice(0, -missing)) await deletePod(options, set, pod);
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    // In a namespace that goes nothing more is made, and this set goes, too.
    if (isTerminating(error)) return undefined;
    return { reason: missing > 0 ? 'FailedCreate' : 'FailedDelete', error };
  }
}

/** It comes with a node: that saves the write of a scheduler. */
async function createPod(
  { api, scheduler, record }: ReplicaSetsOptions,
  set: ReplicaSet,
): Promise<void> {
  const { template } = set.spec;
  const { namespace = '', name } = set.metadata;
  const spec = template.spec as Pod['spec'];
  const nodeName = spec.nodeName ?? scheduler.nodeFor(spec);
  const pod = await api.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...template.metadata,
      name: '',
      generateName: `${name}-`,
      namespace,
      ownerReferences: [controlledBy(set)],
    },
    spec: nodeName === undefined ? spec : { ...spec, nodeName },
  });
  record(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
}

async function deletePod(
  { api, record }: ReplicaSetsOptions,
  set: ReplicaSet,
  { metadata: { name, namespace = '' } }: Pod,
): Promise<void> {
  await api.delete(pods, { namespace, name });
  record(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
}

/** First those whose loss is felt least: without a node, not running, not ready, young. */
function leastWanted(active: readonly Pod[]): readonly Pod[] {
  const running = ({ status }: Pod): number => Number(status?.phase === 'Running');
  const placed = ({ spec }: Pod): number => Number(spec.nodeName !== undefined);
  const cost = ({ metadata }: Pod): number =>
    Number(metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0);
  const readySince = (pod: Pod): string => podCondition(pod, 'Ready')?.lastTransitionTime ?? '';
  const restarts = ({ status }: Pod): number =>
    Math.max(0, ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount));
  const bornAt = ({ metadata }: Pod): string => metadata.creationTimestamp ?? '';
  const later = (one: string, other: string): number => (one === other ? 0 : one > other ? -1 : 1);
  return active.toSorted(
    (one, other) =>
      placed(one) - placed(other) ||
      running(one) - running(other) ||
      Number(isReady(one)) - Number(isReady(other)) ||
      cost(one) - cost(other) ||
      later(readySince(one), readySince(other)) ||
      restarts(other) - restarts(one) ||
      later(bornAt(one), bornAt(other)),
  );
}

interface Seen {
  readonly all: readonly Pod[];
  readonly failure: Failure | undefined;
  readonly nowMs: number;
}

type Status = NonNullable<ReplicaSet['status']>;

function statusOf(set: ReplicaSet, { all, failure, nowMs }: Seen): Status {
  const active = all.filter(isActive);
  const { minReadySeconds = 0, template } = set.spec;
  const labels = template.metadata?.labels ?? {};
  const available = active.filter((pod) => availableInMs(pod, minReadySeconds, nowMs) === 0);
  const counts = {
    fullyLabeledReplicas: active.filter((pod) => isLabeled(pod, labels)).length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: available.length,
  };
  const conditions = conditionsOf(set, failure, nowMs);
  return {
    replicas: active.length,
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0)),
    terminatingReplicas: all.filter((pod) => isGoing(pod) && !isOver(pod)).length,
    observedGeneration: set.metadata.generation ?? 1,
    ...(conditions.length > 0 && { conditions }),
  };
}

const isLabeled = ({ metadata }: Pod, labels: Readonly<Record<string, string>>): boolean =>
  metadata.labels === labels || selects({ matchLabels: labels }, metadata.labels);

/** A failure is told once, until it is over. */
function conditionsOf(
  { status }: ReplicaSet,
  failure: Failure | undefined,
  nowMs: number,
): NonNullable<Status['conditions']> {
  const known = status?.conditions ?? [];
  const others = known.filter(({ type }) => type !== 'ReplicaFailure');
  if (failure === undefined) return others.length === known.length ? known : others;
  if (others.length < known.length) return known;
  const { reason, error } = failure;
  const lastTransitionTime = timestamp(nowMs);
  const { message } = error;
  return [
    ...known,
    { type: 'ReplicaFailure', status: 'True', lastTransitionTime, reason, message },
  ];
}

/** On whatever the set is by now: its status is this controller's alone. */
async function showStatus(api: ControllerApi, seen: ReplicaSet, status: Status): Promise<void> {
  const { name, namespace = '', uid } = seen.metadata;
  const live = api.get(replicaSets, { namespace, name });
  if (live === undefined || live.metadata.uid !== uid || isEqual(live.status, status)) return;
  await api.update(replicaSets, { ...live, status }, 'status');
}

function nextAvailableMs({ spec }: ReplicaSet, { all, nowMs }: Seen): number | undefined {
  const { minReadySeconds = 0 } = spec;
  if (minReadySeconds === 0) return undefined;
  const waits = all.flatMap((pod) => availableInMs(pod, minReadySeconds, nowMs) ?? []);
  const late = waits.filter((ms) => ms > 0);
  return late.length === 0 ? undefined : Math.min(...late);
}
