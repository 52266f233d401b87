/**
 * The status of a Deployment: counts, and what its conditions say of availability and progress.
 *
 *   Progressing  NewReplicaSetCreated ──> ReplicaSetUpdated ──> NewReplicaSetAvailable
 *                          └── nothing moves for the deadline ──> ProgressDeadlineExceeded
 *                DeploymentPaused ──> DeploymentResumed, from where the deadline counts anew
 *
 * Rules and texts: k8s.io/kubernetes, `pkg/controller/deployment`, `progress.go` and `sync.go`.
 */
import type { Condition, Deployment } from '../../api/kubernetes.ts';
import { timestamp } from '../metadata.ts';
import type { ReplicaSet } from './kinds.ts';
import type { Rollout } from './rollout.ts';
import { allOf, availableOf, boundsOf, replicasOf, sizeOf, sum } from './rollout.ts';

export interface DeploymentStatus {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly unavailableReplicas?: number;
  readonly terminatingReplicas?: number;
  readonly collisionCount?: number;
  readonly conditions?: readonly Condition[];
}

/** What to say of a condition; its times are found out. */
export type Claim = Required<Pick<Condition, 'type' | 'status' | 'reason' | 'message'>>;

const deadlineSecondsDefault = 600;
/** What Kubernetes writes for no deadline at all. */
const noDeadlineSeconds = 2 ** 31 - 1;
/** A second more than the deadline, for times are kept in whole seconds. */
const skewMs = 1_000;

export const statusOf = ({ status }: Deployment): DeploymentStatus => status ?? {};

export const conditionOf = (
  { conditions }: DeploymentStatus,
  type: string,
): Condition | undefined => conditions?.find((it) => it.type === type);

const deadlineSecondsOf = ({ spec }: Deployment): number | undefined => {
  const { progressDeadlineSeconds = deadlineSecondsDefault } = spec;
  return progressDeadlineSeconds === noDeadlineSeconds ? undefined : progressDeadlineSeconds;
};

/** Counts and availability; progress stays as it was told. */
export function observed(rollout: Rollout, nowMs: number): DeploymentStatus {
  const { deployment, current } = rollout;
  const sets = allOf(rollout);
  const before = statusOf(deployment);
  const available = sum(sets, availableOf);
  const counts = {
    replicas: sum(sets, actualOf),
    updatedReplicas: current === undefined ? 0 : actualOf(current),
    readyReplicas: sum(sets, ({ status }) => status?.readyReplicas ?? 0),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sum(sets, sizeOf) - available),
  };
  const { collisionCount, conditions } = before;
  const status: DeploymentStatus = {
    ...withoutZeros(counts),
    observedGeneration: deployment.metadata.generation ?? 1,
    terminatingReplicas: sum(sets, ({ status }) => status?.terminatingReplicas ?? 0),
    ...(collisionCount !== undefined && { collisionCount }),
    ...(conditions !== undefined && { conditions }),
  };
  const least = replicasOf(deployment) - boundsOf(deployment).maxUnavailable;
  return claimed(status, availability(available >= least), nowMs);
}

const actualOf = ({ status }: ReplicaSet): number => status?.replicas ?? 0;

/** As Go leaves them out. */
const withoutZeros = (counts: Readonly<Record<string, number>>): object =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));

const availability = (isAvailable: boolean): Claim => ({
  type: 'Available',
  status: isAvailable ? 'True' : 'False',
  reason: isAvailable ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
  message: `Deployment ${isAvailable ? 'has' : 'does not have'} minimum availability.`,
});

/** The same, with what the rollout has come to. */
export function progressed(rollout: Rollout, nowMs: number): DeploymentStatus {
  const status = observed(rollout, nowMs);
  const claim = deadlineSecondsOf(rollout.deployment) && progressOf(rollout, status, nowMs);
  const told = claim === undefined || claim === 0 ? status : moved(status, claim, nowMs);
  const failure = failureOf(rollout);
  if (failure === undefined) return without(told, 'ReplicaFailure');
  const { lastTransitionTime: time = timestamp(nowMs) } = failure;
  return claimed(told, failure, Date.parse(time));
}

function progressOf(rollout: Rollout, after: DeploymentStatus, nowMs: number): Claim | undefined {
  const { deployment, current } = rollout;
  const before = statusOf(deployment);
  const known = conditionOf(before, 'Progressing');
  const { replicas = 0, updatedReplicas = 0 } = after;
  // What was rolled out is not rolled out again because a pod is missing.
  if (replicas === updatedReplicas && known?.reason === 'NewReplicaSetAvailable') return undefined;
  const { name } = (current ?? deployment).metadata;
  const subject = `${current === undefined ? 'Deployment' : 'ReplicaSet'} "${name}"`;
  const say = (status: 'True' | 'False', reason: string, message: string): Claim => ({
    type: 'Progressing',
    status,
    reason,
    message: `${subject} ${message}`,
  });
  if (isComplete(deployment, after)) {
    return say('True', 'NewReplicaSetAvailable', 'has successfully progressed.');
  }
  if (hasMoved(before, after)) return say('True', 'ReplicaSetUpdated', 'is progressing.');
  if (!isLate(deployment, nowMs)) return undefined;
  return say('False', 'ProgressDeadlineExceeded', 'has timed out progressing.');
}

export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = replicasOf(deployment);
  return (
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function hasMoved(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const old = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus): number =>
    replicas - updatedReplicas;
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(after) < old(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function isLate(deployment: Deployment, nowMs: number): boolean {
  const known = conditionOf(statusOf(deployment), 'Progressing');
  if (known === undefined || known.reason === 'NewReplicaSetAvailable') return false;
  if (known.reason === 'ProgressDeadlineExceeded') return true;
  const leftMs = deadlineLeftMs(deployment, nowMs);
  return leftMs !== undefined && leftMs < 0;
}

/** Undefined where there is no deadline. */
function deadlineLeftMs(deployment: Deployment, nowMs: number): number | undefined {
  const seconds = deadlineSecondsOf(deployment);
  const sinceMs = Date.parse(
    conditionOf(statusOf(deployment), 'Progressing')?.lastUpdateTime ?? '',
  );
  if (seconds === undefined || Number.isNaN(sinceMs)) return undefined;
  return sinceMs + seconds * 1_000 - nowMs;
}

/** In how many milliseconds to see whether the deadline was exceeded; undefined for never. */
export function deadlineInMs(deployment: Deployment, nowMs: number): number | undefined {
  const status = statusOf(deployment);
  const known = conditionOf(status, 'Progressing');
  const isOver =
    known?.reason === 'ProgressDeadlineExceeded' || known?.reason === 'NewReplicaSetAvailable';
  if (isOver || deployment.spec.paused === true || isComplete(deployment, status)) return undefined;
  const leftMs = deadlineLeftMs(deployment, nowMs);
  return leftMs === undefined ? undefined : Math.max(0, leftMs) + skewMs;
}

/** What is said of pausing: a rollout that rests is not late. Undefined where nothing is new. */
export function pausing(deployment: Deployment, nowMs: number): DeploymentStatus | undefined {
  const status = statusOf(deployment);
  const known = conditionOf(status, 'Progressing');
  if (deadlineSecondsOf(deployment) === undefined) return undefined;
  if (known?.reason === 'ProgressDeadlineExceeded') return undefined;
  const isPaused = deployment.spec.paused === true;
  if (isPaused === (known?.reason === 'DeploymentPaused')) return undefined;
  const word = isPaused ? 'paused' : 'resumed';
  const claim: Claim = {
    type: 'Progressing',
    status: 'Unknown',
    reason: isPaused ? 'DeploymentPaused' : 'DeploymentResumed',
    message: `Deployment is ${word}`,
  };
  return claimed(status, claim, nowMs);
}

/** The status with news of the ReplicaSet of the template; as it was where there is no deadline. */
export function withSetNews(
  deployment: Deployment,
  news: { readonly kind: 'Created' | 'Found' | 'Failed'; readonly name: string; why?: string },
  nowMs: number,
): DeploymentStatus {
  const status = statusOf(deployment);
  if (deadlineSecondsOf(deployment) === undefined) return status;
  const { name, why = '' } = news;
  const type = 'Progressing';
  const claims: Record<typeof news.kind, Claim> = {
    Created: {
      type,
      status: 'True',
      reason: 'NewReplicaSetCreated',
      message: `Created new replica set "${name}"`,
    },
    Found: {
      type,
      status: 'True',
      reason: 'FoundNewReplicaSet',
      message: `Found new replica set "${name}"`,
    },
    Failed: {
      type,
      status: 'False',
      reason: 'ReplicaSetCreateError',
      message: `Failed to create new replica set "${name}": ${why}`,
    },
  };
  return claimed(status, claims[news.kind], nowMs);
}

/** The first failure of a set, that of today's template before all others. */
function failureOf(rollout: Rollout): (Claim & Pick<Condition, 'lastTransitionTime'>) | undefined {
  const { current, old } = rollout;
  const sets = current === undefined ? old : [current, ...old];
  for (const { status } of sets) {
    const found = status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
    if (found !== undefined) {
      const { type, status: word, reason = '', message = '', lastTransitionTime: time } = found;
      const dated = time === undefined ? {} : { lastTransitionTime: time };
      return { type, status: word, reason, message, ...dated };
    }
  }
  return undefined;
}

/** Says it unless it was said: same status and reason are no news. What is new comes last. */
function claimed(status: DeploymentStatus, claim: Claim, nowMs: number): DeploymentStatus {
  const known = conditionOf(status, claim.type);
  if (known?.status === claim.status && known.reason === claim.reason) return status;
  return said(status, claim, nowMs);
}

/** Movement is news each time: the deadline counts from its last. */
const moved = (status: DeploymentStatus, claim: Claim, nowMs: number): DeploymentStatus =>
  claim.reason === 'ReplicaSetUpdated' ? said(status, claim, nowMs) : claimed(status, claim, nowMs);

function said(status: DeploymentStatus, claim: Claim, nowMs: number): DeploymentStatus {
  const { type, status: word, reason, message } = claim;
  const known = conditionOf(status, type);
  const time = timestamp(nowMs);
  const isSame = known?.status === word;
  const condition: Condition = {
    type,
    status: word,
    lastUpdateTime: time,
    lastTransitionTime: isSame ? (known.lastTransitionTime ?? time) : time,
    reason,
    message,
  };
  const others = (status.conditions ?? []).filter((it) => it.type !== type);
  return { ...status, conditions: [...others, condition] };
}

function without(status: DeploymentStatus, type: string): DeploymentStatus {
  if (conditionOf(status, type) === undefined) return status;
  return { ...status, conditions: (status.conditions ?? []).filter((it) => it.type !== type) };
}
