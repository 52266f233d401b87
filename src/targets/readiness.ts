/**
 * Whether a workload has finished rolling out (`spec/01`, 3.3). Two deadlines count: the
 * workload's own, and the canary's, measured from the last change of its availability.
 */
import type { Deployment } from '../api/kubernetes.ts';

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
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** For how long it could have been waited for, by a clock that never jumps. */
  readonly waitedMs: number;
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
  const retriable = isBeforeDeadline(deployment, options);
  const { updatedReplicas: updated = 0, replicas = 0, availableReplicas: available = 0 } = status;
  const wanted = spec.replicas ?? 1;
  if (updated < wanted) {
    return notReady(`${wait}${updated} out of ${wanted} new replicas have been updated`, retriable);
  }
  if (replicas > updated) {
    return notReady(`${wait}${replicas - updated} old replicas are pending termination`, retriable);
  }
  const { thresholdPercent } = options;
  const needed = Math.trunc(Math.fround(updated * Math.fround(thresholdPercent / 100)));
  if (available >= needed) return ready;
  const text = `${available} of ${needed} (readyThreshold ${thresholdPercent}%) updated replicas are available`;
  return notReady(`${wait}${text}`, retriable);
}

/** The same readiness, its message naming the workload as events do. */
export function named(readiness: Readiness, prefix: string): Readiness {
  if (readiness.kind === 'Ready') return readiness;
  return { ...readiness, message: `${prefix}${readiness.message}` };
}

function isBeforeDeadline(
  deployment: Deployment,
  { deadlineMs, nowMs, waitedMs }: ReadinessOptions,
): boolean {
  const available = conditionOf(deployment, 'Available');
  const stuck =
    conditionOf(deployment, 'Progressing') !== undefined &&
    available?.status === 'False' &&
    available.reason === 'MinimumReplicasUnavailable';
  const sinceMs = Date.parse(available?.lastUpdateTime ?? '');
  // A condition without a time cannot be late.
  if (!stuck || Number.isNaN(sinceMs)) return true;
  // The time of the condition is another machine's: where the clocks differ by hours, ours must not
  // end what has just begun.
  return waitedMs <= deadlineMs || nowMs <= sinceMs + deadlineMs;
}

function conditionOf({ status }: Deployment, type: string) {
  return status?.conditions?.find((condition) => condition.type === type);
}
