/**
 * Whether a Deployment has finished rolling out (`spec/01`, 3.3). Two deadlines count: the
 * workload's own, and the canary's, measured from the last change of its availability.
 */
import type { Deployment } from '../api/kubernetes.ts';
import type { Shortage } from './target-kind.ts';

export type Readiness =
  | { readonly kind: 'Ready' }
  | {
      readonly kind: 'NotReady';
      readonly message: string;
      /** False once a deadline has passed. */
      readonly retriable: boolean;
    };

export interface ReadinessOptions {
  readonly deadlineMs: number;
  /** Percent of the updated pods that must be available. */
  readonly thresholdPercent: number;
  /** For how long it has had fewer pods than it must, by a clock that never jumps. */
  readonly unavailableMs: number;
}

const ready: Readiness = { kind: 'Ready' };

export function readinessOf(deployment: Deployment, options: ReadinessOptions): Readiness {
  const { metadata, spec, status = {} } = deployment;
  const wait = 'waiting for rollout to finish: ';
  const notReady = (message: string, retriable = true): Readiness => ({
    kind: 'NotReady',
    message,
    retriable,
  });
  if ((metadata.generation ?? 0) > (status.observedGeneration ?? 0)) {
    return notReady(`${wait}observed deployment generation less than desired generation`);
  }
  if (conditionOf(deployment, 'Progressing')?.reason === 'ProgressDeadlineExceeded') {
    return notReady(`deployment "${metadata.name}" exceeded its progress deadline`, false);
  }
  const retriable = options.unavailableMs <= options.deadlineMs;
  const { updatedReplicas: updated = 0, replicas = 0, availableReplicas: available = 0 } = status;
  const wanted = spec.replicas ?? 1;
  if (updated < wanted) {
    return notReady(`${wait}${updated} out of ${wanted} new replicas have been updated`, retriable);
  }
  if (replicas > updated) {
    return notReady(`${wait}${replicas - updated} old replicas are pending termination`, retriable);
  }
  const { thresholdPercent } = options;
  const needed = neededOf(updated, thresholdPercent);
  if (available >= needed) return ready;
  const text = `${available} of ${needed} (readyThreshold ${thresholdPercent}%) updated replicas are available`;
  return notReady(`${wait}${text}`, retriable);
}

/** How many of so many pods are enough, in single precision as the reference counts. */
export const neededOf = (pods: number, thresholdPercent: number): number =>
  Math.trunc(Math.fround(pods * Math.fround(thresholdPercent / 100)));

/** When it began to have fewer pods than it must, as another machine's clock says. */
export function unavailableSince(deployment: Deployment): Shortage | undefined {
  const available = conditionOf(deployment, 'Available');
  const isStuck =
    conditionOf(deployment, 'Progressing') !== undefined &&
    available?.status === 'False' &&
    available.reason === 'MinimumReplicasUnavailable';
  return isStuck ? { since: available.lastUpdateTime ?? '' } : undefined;
}

function conditionOf({ status }: Deployment, type: string) {
  return status?.conditions?.find((condition) => condition.type === type);
}
