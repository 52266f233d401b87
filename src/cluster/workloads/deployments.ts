/**
 * Deployments: one ReplicaSet for each template, replaced by turns.
 * Rules: Kubernetes docs, "Deployments"; k8s.io/kubernetes, `pkg/controller/deployment`.
 */
import type { Condition, Deployment } from '../../api/kubernetes.ts';
import type { Clock } from '../../kube/clock.ts';
import { deployments } from '../../kube/resources.ts';
import type { ControllerApi } from '../controller-api.ts';
import { isEqual } from '../json.ts';
import { timestamp } from '../metadata.ts';
import type { ReplicaSet } from './kinds.ts';
import {
  controlledBy,
  controllerOf,
  isGoing,
  replicaSets,
  shareOf,
  templateHash,
} from './kinds.ts';
import type { Controller } from './reconciler.ts';
import { keyOf, namesOf } from './reconciler.ts';

export interface DeploymentsOptions {
  readonly api: ControllerApi;
  readonly clock: Clock;
}

const hashLabel = 'pod-template-hash';
const revisionAnnotation = 'deployment.kubernetes.io/revision';
const progressDeadlineSecondsDefault = 600;
const historyDefault = 10;

export function deploymentController({ api, clock }: DeploymentsOptions): Controller {
  return {
    name: 'deployment',
    keysOf: ({ groupResource, before, after }) => {
      const object = after ?? before;
      if (object === undefined) return [];
      const { namespace, name } = object.metadata;
      if (groupResource === 'deployments.apps') return [keyOf(namespace, name)];
      const owner = groupResource === 'replicasets.apps' ? controllerOf(object) : undefined;
      return owner?.kind === 'Deployment' ? [keyOf(namespace, owner.name)] : [];
    },
    reconcile: async (key) => {
      const deployment = api.get(deployments, namesOf(key));
      if (deployment === undefined || isGoing(deployment)) return undefined;
      const hash = templateHash(deployment.spec.template);
      const before = setsOf(api, deployment);
      const isPaused = deployment.spec.paused === true;
      const made = isPaused ? false : await ensureSet(api, deployment, hash, before);
      const sets = made ? setsOf(api, deployment) : before;
      const current = sets.find(({ metadata }) => metadata.labels?.[hashLabel] === hash);
      const others = sets.filter((it) => it !== current);
      await stampRevision(api, deployment, current);
      if (isPaused) await keepSize(api, deployment, sets);
      else if (current !== undefined) await roll(api, deployment, current, others);
      await forgetHistory(api, deployment, others);
      return writeStatus(api, clock, { key, hash, made });
    },
  };
}

function setsOf(api: ControllerApi, { metadata }: Deployment): readonly ReplicaSet[] {
  return api
    .list(replicaSets, metadata.namespace)
    .filter((it) => controllerOf(it)?.uid === metadata.uid);
}

const revisionOf = ({ metadata }: { readonly metadata: ReplicaSet['metadata'] }): number =>
  Number(metadata.annotations?.[revisionAnnotation] ?? 0);

/** Answers whether it was made now. */
async function ensureSet(
  api: ControllerApi,
  deployment: Deployment,
  hash: string,
  sets: readonly ReplicaSet[],
): Promise<boolean> {
  const revision = Math.max(0, ...sets.map(revisionOf)) + 1;
  const found = sets.find(({ metadata }) => metadata.labels?.[hashLabel] === hash);
  if (found !== undefined) {
    // A template that was there before is the newest revision again.
    if (revisionOf(found) < revision - 1) {
      await api.update(replicaSets, withRevision(found, String(revision)));
      return true;
    }
    return false;
  }
  const { name, namespace = '' } = deployment.metadata;
  const { template, selector, minReadySeconds } = deployment.spec;
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  await api.create(replicaSets, {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels,
      annotations: { [revisionAnnotation]: String(revision) },
      ownerReferences: [controlledBy(deployment)],
    },
    spec: {
      replicas: 0,
      ...(minReadySeconds !== undefined && { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  });
  return true;
}

function withRevision<T extends Deployment | ReplicaSet>(object: T, revision: string): T {
  const annotations = { ...object.metadata.annotations, [revisionAnnotation]: revision };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

async function stampRevision(
  api: ControllerApi,
  deployment: Deployment,
  current: ReplicaSet | undefined,
): Promise<void> {
  const revision = current?.metadata.annotations?.[revisionAnnotation];
  if (revision === undefined) return;
  if (deployment.metadata.annotations?.[revisionAnnotation] === revision) return;
  await api.update(deployments, withRevision(deployment, revision));
}

const sizeOf = ({ spec }: ReplicaSet): number => spec.replicas ?? 1;
const availableOf = ({ status }: ReplicaSet): number => status?.availableReplicas ?? 0;
const sum = (sets: readonly ReplicaSet[], of: (set: ReplicaSet) => number): number =>
  sets.reduce((total, set) => total + of(set), 0);

async function scale(api: ControllerApi, set: ReplicaSet, replicas: number): Promise<void> {
  if (sizeOf(set) === replicas) return;
  await api.update(replicaSets, { ...set, spec: { ...set.spec, replicas } });
}

/** While nothing is rolled out, the set that serves follows the size. */
async function keepSize(
  api: ControllerApi,
  { spec: { replicas = 1 } }: Deployment,
  sets: readonly ReplicaSet[],
): Promise<void> {
  const newest = sets.toSorted((one, other) => revisionOf(other) - revisionOf(one));
  const active = newest.find((it) => sizeOf(it) > 0) ?? newest[0];
  if (active === undefined) return;
  const others = sum(sets, sizeOf) - sizeOf(active);
  await scale(api, active, Math.max(0, replicas - others));
}

async function roll(
  api: ControllerApi,
  deployment: Deployment,
  current: ReplicaSet,
  others: readonly ReplicaSet[],
): Promise<void> {
  const { replicas = 1 } = deployment.spec;
  const strategy = (deployment.spec.strategy ?? {}) as Strategy;
  if (strategy.type === 'Recreate') {
    for (const set of others) await scale(api, set, 0);
    // The old pods have gone before the first new one comes.
    if (sum(others, ({ status }) => status?.replicas ?? 0) === 0)
      await scale(api, current, replicas);
    return;
  }
  const { surge, unavailable } = boundsOf(strategy, replicas);
  const size = sizeOf(current);
  const room = replicas + surge - size - sum(others, sizeOf);
  const wanted = size > replicas ? replicas : Math.min(replicas, size + Math.max(0, room));
  await scale(api, current, wanted);
  await shrink(api, others, {
    // What may be missing, less what the new set still lacks.
    spare:
      sum(others, sizeOf) +
      wanted -
      (replicas - unavailable) -
      Math.max(0, wanted - availableOf(current)),
    available: availableOf(current) + sum(others, availableOf) - (replicas - unavailable),
  });
}

interface Strategy {
  readonly type?: string;
  readonly rollingUpdate?: {
    readonly maxSurge?: number | string;
    readonly maxUnavailable?: number | string;
  };
}

/** Both cannot be none: nothing would ever move. */
function boundsOf({ rollingUpdate = {} }: Strategy, replicas: number) {
  const surge = shareOf(rollingUpdate.maxSurge ?? '25%', replicas, Math.ceil);
  const unavailable = shareOf(rollingUpdate.maxUnavailable ?? '25%', replicas, Math.floor);
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/** Oldest first; pods that serve nobody before those that do. */
async function shrink(
  api: ControllerApi,
  others: readonly ReplicaSet[],
  { spare, available }: { readonly spare: number; readonly available: number },
): Promise<void> {
  let leftToTake = Math.max(0, spare);
  let availableToTake = Math.max(0, available);
  const oldest = others.toSorted((one, other) => revisionOf(one) - revisionOf(other));
  for (const set of oldest) {
    const size = sizeOf(set);
    const idle = Math.max(0, size - availableOf(set));
    const taken = Math.min(size, leftToTake, idle + Math.min(availableToTake, size - idle));
    leftToTake -= taken;
    availableToTake -= Math.max(0, taken - idle);
    await scale(api, set, size - taken);
  }
}

/** ReplicaSets of long ago have served as what to go back to. */
async function forgetHistory(
  api: ControllerApi,
  { spec: { revisionHistoryLimit = historyDefault } }: Deployment,
  others: readonly ReplicaSet[],
): Promise<void> {
  const idle = others
    .filter((set) => sizeOf(set) === 0 && (set.status?.replicas ?? 0) === 0 && !isGoing(set))
    .toSorted((one, other) => revisionOf(one) - revisionOf(other));
  for (const { metadata } of idle.slice(0, Math.max(0, idle.length - revisionHistoryLimit))) {
    await api.delete(replicaSets, { namespace: metadata.namespace ?? '', name: metadata.name });
  }
}

interface Written {
  readonly key: string;
  readonly hash: string;
  readonly made: boolean;
}

/** Answers when the deadline is to be looked at. */
async function writeStatus(
  api: ControllerApi,
  clock: Clock,
  { key, hash, made }: Written,
): Promise<number | undefined> {
  const live = api.get(deployments, namesOf(key));
  if (live === undefined) return undefined;
  const sets = setsOf(api, live);
  const current = sets.find(({ metadata }) => metadata.labels?.[hashLabel] === hash);
  const counts = countsOf(live, sets, current);
  const { conditions, againMs } = conditionsOf(live, { counts, current, made, nowMs: clock.now() });
  const { collisionCount } = (live.status ?? {}) as { readonly collisionCount?: number };
  const status = {
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0)),
    observedGeneration: live.metadata.generation ?? 1,
    conditions,
    ...(collisionCount !== undefined && { collisionCount }),
  };
  if (!isEqual(live.status, status)) {
    await api.update(deployments, { ...live, status }, 'status');
  }
  return againMs;
}

interface Counts {
  readonly replicas: number;
  readonly updatedReplicas: number;
  readonly readyReplicas: number;
  readonly availableReplicas: number;
  readonly unavailableReplicas: number;
}

function countsOf(
  { spec: { replicas = 1 } }: Deployment,
  sets: readonly ReplicaSet[],
  current: ReplicaSet | undefined,
): Counts {
  const total = sum(sets, ({ status }) => status?.replicas ?? 0);
  const available = sum(sets, availableOf);
  return {
    replicas: total,
    updatedReplicas: current?.status?.replicas ?? 0,
    readyReplicas: sum(sets, ({ status }) => status?.readyReplicas ?? 0),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, Math.max(total, replicas) - available),
  };
}

interface Standing {
  readonly counts: Counts;
  readonly current: ReplicaSet | undefined;
  readonly made: boolean;
  readonly nowMs: number;
}

function conditionsOf(deployment: Deployment, standing: Standing) {
  const { counts, nowMs } = standing;
  const { replicas = 1, strategy } = deployment.spec;
  const time = timestamp(nowMs);
  const known = deployment.status?.conditions ?? [];
  const unavailable =
    (strategy as Strategy | undefined)?.type === 'Recreate'
      ? 0
      : boundsOf((strategy ?? {}) as Strategy, replicas).unavailable;
  const isAvailable = counts.availableReplicas >= replicas - unavailable;
  const available = updated(known, time, {
    type: 'Available',
    status: isAvailable ? 'True' : 'False',
    reason: isAvailable ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    message: `Deployment ${isAvailable ? 'has' : 'does not have'} minimum availability.`,
  });
  const { wanted, againMs } = progressOf(deployment, standing);
  const progressing = wanted && updated(known, time, wanted);
  return { conditions: [available, ...(progressing ? [progressing] : [])], againMs };
}

type Wanted = Required<Pick<Condition, 'type' | 'status' | 'reason' | 'message'>> & {
  /** Something has moved: the deadline begins anew. */
  readonly isNews?: boolean;
};

function progressOf(
  deployment: Deployment,
  { counts, current, made, nowMs }: Standing,
): { readonly wanted: Wanted | undefined; readonly againMs: number | undefined } {
  const known = deployment.status?.conditions?.find(({ type }) => type === 'Progressing');
  const { replicas = 1, paused, progressDeadlineSeconds } = deployment.spec;
  const keep = known as Wanted | undefined;
  if (current === undefined || paused === true) return { wanted: keep, againMs: undefined };
  const { name } = current.metadata;
  const about = { type: 'Progressing', isNews: true } as const;
  const isComplete =
    counts.updatedReplicas === replicas &&
    counts.replicas === replicas &&
    counts.availableReplicas === replicas;
  if (isComplete) {
    const reason = 'NewReplicaSetAvailable';
    const message = `ReplicaSet "${name}" has successfully progressed.`;
    const isNews = known?.reason !== reason || known.message !== message;
    return { wanted: { ...about, status: 'True', reason, message, isNews }, againMs: undefined };
  }
  const seconds = progressDeadlineSeconds ?? progressDeadlineSecondsDefault;
  const leftMs = Date.parse(known?.lastUpdateTime ?? '') + seconds * 1000 - nowMs;
  if (made) {
    const reason = 'NewReplicaSetCreated';
    const message = `Created new replica set "${name}"`;
    return { wanted: { ...about, status: 'True', reason, message }, againMs: seconds * 1000 };
  }
  const before = deployment.status ?? {};
  const moved =
    counts.updatedReplicas > (before.updatedReplicas ?? 0) ||
    counts.readyReplicas > (before.readyReplicas ?? 0) ||
    counts.availableReplicas > (before.availableReplicas ?? 0) ||
    counts.replicas - counts.updatedReplicas <
      (before.replicas ?? 0) - (before.updatedReplicas ?? 0);
  if (moved || known === undefined) {
    const reason = 'ReplicaSetUpdated';
    const message = `ReplicaSet "${name}" is progressing.`;
    return { wanted: { ...about, status: 'True', reason, message }, againMs: seconds * 1000 };
  }
  // A size that changed after the rollout was done is no rollout.
  if (known.reason === 'NewReplicaSetAvailable') return { wanted: keep, againMs: undefined };
  if (leftMs > 0) return { wanted: keep, againMs: leftMs };
  const reason = 'ProgressDeadlineExceeded';
  const message = `ReplicaSet "${name}" has timed out progressing.`;
  const isNews = known.reason !== reason;
  return { wanted: { ...about, status: 'False', reason, message, isNews }, againMs: undefined };
}

function updated(known: readonly Condition[], time: string, wanted: Wanted): Condition {
  const { isNews = false, type, status, reason, message } = wanted;
  const before = known.find((it) => it.type === type);
  if (before?.status === status && before.reason === reason && !isNews) return before;
  const isTransition = before?.status !== status;
  return {
    type,
    status,
    lastUpdateTime: time,
    lastTransitionTime: isTransition ? time : (before.lastTransitionTime ?? time),
    reason,
    message,
  };
}
