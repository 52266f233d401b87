/**
 * How many pods each ReplicaSet of a Deployment is to have: rolling update, Recreate, and scaling in
 * the middle of either. Pure: ReplicaSets as they are in, sizes that are to change out.
 *
 * Never more than replicas + maxSurge are asked for, and none that is available is given up while
 * fewer than replicas - maxUnavailable would be left.
 * Rules: Kubernetes docs, "Deployments"; k8s.io/kubernetes, `pkg/controller/deployment`.
 */
import type { Deployment } from '../../api/kubernetes.ts';
import type { ReplicaSet } from './kinds.ts';
import { isGoing, shareOf } from './kinds.ts';

/** A Deployment and what belongs to it. */
export interface Rollout {
  readonly deployment: Deployment;
  /** Of the template of today, if there is one yet. */
  readonly current: ReplicaSet | undefined;
  /** Of all other templates, the oldest first. */
  readonly old: readonly ReplicaSet[];
  /** Whether pods of other templates are there, going ones included. */
  readonly hasOldPods: boolean;
}

export interface Scaling {
  readonly set: ReplicaSet;
  readonly replicas: number;
}

export interface Bounds {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

interface Strategy {
  readonly type?: string;
  readonly rollingUpdate?: {
    readonly maxSurge?: number | string;
    readonly maxUnavailable?: number | string;
  };
}

export const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas';
export const maxAnnotation = 'deployment.kubernetes.io/max-replicas';
export const revisionAnnotation = 'deployment.kubernetes.io/revision';

const replicasDefault = 1;
const historyLimitDefault = 10;

export const replicasOf = ({ spec }: Deployment): number => spec.replicas ?? replicasDefault;
export const sizeOf = ({ spec }: ReplicaSet): number => spec.replicas ?? replicasDefault;
export const availableOf = ({ status }: ReplicaSet): number => status?.availableReplicas ?? 0;

export const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0);

export const allOf = ({ current, old }: Rollout): readonly ReplicaSet[] =>
  current === undefined ? old : [...old, current];

export const revisionOf = ({ metadata }: ReplicaSet): number =>
  Number(metadata.annotations?.[revisionAnnotation] ?? 0);

const strategyOf = ({ spec }: Deployment): Strategy => (spec.strategy ?? {}) as Strategy;

export const isRecreated = (deployment: Deployment): boolean =>
  strategyOf(deployment).type === 'Recreate';

/** In pods. Percentages are of the size; if both came to none, nothing would ever move. */
export function boundsOf(deployment: Deployment): Bounds {
  if (isRecreated(deployment)) return { maxSurge: 0, maxUnavailable: 0 };
  const replicas = replicasOf(deployment);
  const { rollingUpdate = {} } = strategyOf(deployment);
  const maxSurge = shareOf(rollingUpdate.maxSurge ?? '25%', replicas, Math.ceil);
  const unavailable = shareOf(rollingUpdate.maxUnavailable ?? '25%', replicas, Math.floor);
  const isStuck = maxSurge === 0 && unavailable === 0;
  return { maxSurge, maxUnavailable: Math.min(replicas, isStuck ? 1 : unavailable) };
}

/** What the rollout does next: one direction at a time, so that each sees what the other did. */
export function nextScaling(rollout: Rollout): readonly Scaling[] {
  return isRecreated(rollout.deployment) ? recreate(rollout) : roll(rollout);
}

/** The size that the set of a new template is born with. */
export const firstSize = (rollout: Rollout): number =>
  isRecreated(rollout.deployment) ? replicasOf(rollout.deployment) : grown(rollout, 0);

function recreate({ deployment, current, old, hasOldPods }: Rollout): readonly Scaling[] {
  const active = old.filter((set) => sizeOf(set) > 0);
  if (active.length > 0) return active.map((set) => ({ set, replicas: 0 }));
  return hasOldPods || current === undefined ? [] : resized(current, replicasOf(deployment));
}

function roll(rollout: Rollout): readonly Scaling[] {
  const { deployment, current } = rollout;
  if (current === undefined) return [];
  const wanted = replicasOf(deployment);
  const size = sizeOf(current);
  const grows = resized(current, size > wanted ? wanted : grown(rollout, size));
  return grows.length > 0 ? grows : shrunk(rollout, current);
}

const resized = (set: ReplicaSet, replicas: number): readonly Scaling[] =>
  sizeOf(set) === replicas ? [] : [{ set, replicas }];

function grown(rollout: Rollout, size: number): number {
  const replicas = replicasOf(rollout.deployment);
  const room = replicas + boundsOf(rollout.deployment).maxSurge - sum(allOf(rollout), sizeOf);
  return Math.min(replicas, size + Math.max(0, room));
}

/** Pods that serve nobody go first; of those that serve, as many as may be missing. */
function shrunk({ deployment, old }: Rollout, current: ReplicaSet): readonly Scaling[] {
  const least = replicasOf(deployment) - boundsOf(deployment).maxUnavailable;
  const lacking = sizeOf(current) - availableOf(current);
  let idleLeft = sum(old, sizeOf) + sizeOf(current) - least - lacking;
  if (idleLeft <= 0) return [];

  const active = old.filter((set) => sizeOf(set) > 0);
  const cleaned = active.map((set) => {
    const taken = Math.min(Math.max(0, idleLeft), Math.max(0, sizeOf(set) - availableOf(set)));
    idleLeft -= taken;
    return { set, replicas: sizeOf(set) - taken };
  });
  let spare = sum(active, availableOf) + availableOf(current) - least;
  const scaled = cleaned.map(({ set, replicas }) => {
    const taken = Math.min(Math.max(0, spare), replicas);
    spare -= taken;
    return { set, replicas: replicas - taken };
  });
  return scaled.filter(({ set, replicas }) => replicas !== sizeOf(set));
}

const countIn = (set: ReplicaSet, annotation: string): number | undefined => {
  const count = Number(set.metadata.annotations?.[annotation]);
  return Number.isInteger(count) && count >= 0 ? count : undefined;
};

/** Whether somebody changed the size of the Deployment since its pods were counted out. */
export function isScaled(rollout: Rollout): boolean {
  const replicas = replicasOf(rollout.deployment);
  return allOf(rollout).some((set) => {
    const desired = countIn(set, desiredAnnotation);
    return sizeOf(set) > 0 && desired !== undefined && desired !== replicas;
  });
}

/**
 * The sizes that follow the Deployment's while it is paused or its size changes: in proportion,
 * so that a rollout is as far on as it was before. Sets whose size stays are among them.
 */
export function proportionalScaling(rollout: Rollout): readonly Scaling[] {
  const { deployment, current, old } = rollout;
  const replicas = replicasOf(deployment);
  const active = allOf(rollout).filter((set) => sizeOf(set) > 0);
  const only = active.length > 1 ? undefined : (active[0] ?? current ?? old.at(-1));
  if (only !== undefined) return [{ set: only, replicas }];
  if (isSaturated(rollout)) {
    return active.filter((set) => set !== current).map((set) => ({ set, replicas: 0 }));
  }
  return isRecreated(deployment) ? [] : spread(rollout, active);
}

/** Whether all that is wanted is there in the template of today. */
function isSaturated({ deployment, current }: Rollout): boolean {
  if (current === undefined) return false;
  const replicas = replicasOf(deployment);
  return (
    sizeOf(current) === replicas &&
    countIn(current, desiredAnnotation) === replicas &&
    availableOf(current) === replicas
  );
}

function spread({ deployment }: Rollout, active: readonly ReplicaSet[]): readonly Scaling[] {
  const replicas = replicasOf(deployment);
  const allowed = replicas > 0 ? replicas + boundsOf(deployment).maxSurge : 0;
  const missing = allowed - sum(active, sizeOf);
  let added = 0;
  const shares = bySize(active, missing > 0).map((set) => {
    const share = missing === 0 ? 0 : limited(fractionOf(set, deployment), missing, added);
    added += share;
    return { set, replicas: sizeOf(set) + share };
  });
  // What rounding left over goes to the largest.
  return shares.map(({ set, replicas: size }, at) => ({
    set,
    replicas: at === 0 ? Math.max(0, size + missing - added) : size,
  }));
}

const limited = (fraction: number, missing: number, added: number): number =>
  missing > 0 ? Math.min(fraction, missing - added) : Math.max(fraction, missing - added);

function fractionOf(set: ReplicaSet, deployment: Deployment): number {
  const size = sizeOf(set);
  const replicas = replicasOf(deployment);
  if (replicas === 0) return -size;
  const before = countIn(set, maxAnnotation) ?? 0;
  const base = before === 0 ? (deployment.status?.replicas ?? 0) : before;
  if (base === 0) return 0;
  return Math.round((size * (replicas + boundsOf(deployment).maxSurge)) / base) - size;
}

/** The largest first; of equal ones, new ones grow and old ones shrink first. */
function bySize(sets: readonly ReplicaSet[], isGrowing: boolean): readonly ReplicaSet[] {
  return sets.toSorted(
    (one, other) =>
      sizeOf(other) - sizeOf(one) || (isGrowing ? byAge(other, one) : byAge(one, other)),
  );
}

/** The oldest first; of one second, by name. */
export function byAge(one: ReplicaSet, other: ReplicaSet): number {
  const key = ({ metadata }: ReplicaSet): string =>
    `${metadata.creationTimestamp ?? ''} ${metadata.name}`;
  return key(one) < key(other) ? -1 : 1;
}

/** ReplicaSets beyond those that the Deployment keeps for going back to. */
export function outdated({ deployment, old }: Rollout): readonly ReplicaSet[] {
  const { revisionHistoryLimit = historyLimitDefault } = deployment.spec;
  const alive = old.filter((set) => !isGoing(set));
  const excess = Math.max(0, alive.length - revisionHistoryLimit);
  return alive
    .toSorted((one, other) => revisionOf(one) - revisionOf(other))
    .slice(0, excess)
    .filter(isIdle);
}

const isIdle = (set: ReplicaSet): boolean =>
  sizeOf(set) === 0 &&
  (set.status?.replicas ?? 0) === 0 &&
  (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0);
