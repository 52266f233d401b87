/** Which side can take traffic, beyond what its workload says of itself. */
import * as say from './messages.ts';
import type { Moment, Observation, Readiness, WorkloadView } from './observation.ts';

/**
 * For how long pods are ready before traffic is sent to them. What carries traffic learns of them a
 * little later than we do, and of new weights perhaps sooner: Envoy hands over a change of health
 * alone only every second (`update_merge_window`; Istio since 1.31 depends on it), and answers 503
 * until then. Nothing that can be watched tells when it is over.
 */
const settleMs = 1500;

/** Workloads of an observation as the phases are to see them. */
export function judgeReadiness(seen: Observation, now: Moment): Observation {
  const { target, primary } = seen;
  return {
    ...seen,
    ...(target && { target: { ...target, readiness: settled(target, now) } }),
    ...(primary && { primary: { ...primary, readiness: primaryReadiness(seen, primary, now) } }),
  };
}

/** When the next side has settled; undefined where none is about to. */
export function settledAtMs({ target, primary }: Observation): number | undefined {
  const times = [target, primary].flatMap((it) =>
    it?.readiness.kind === 'Settling' ? [it.readiness.untilMs] : [],
  );
  return times.length === 0 ? undefined : Math.min(...times);
}

/**
 * A workload of no pods is ready to Kubernetes, and serves nobody: nothing begins and nothing goes on
 * until the primary has pods again (D25). One with an autoscaler has none for as long as nobody calls.
 */
function primaryReadiness({ canary }: Observation, primary: WorkloadView, now: Moment): Readiness {
  const isEmpty = primary.replicas === 0 && canary.spec.autoscalerRef === undefined;
  if (!isEmpty || primary.readiness.kind === 'NotReady') return settled(primary, now);
  return { kind: 'NotReady', message: say.primaryScaledToZero(canary), retriable: true };
}

function settled({ readiness, readySinceMs }: WorkloadView, now: Moment): Readiness {
  if (readiness.kind !== 'Ready' || readySinceMs === undefined) return readiness;
  const untilMs = readySinceMs + settleMs;
  return now.steadyMs < untilMs ? { kind: 'Settling', retriable: true, untilMs } : readiness;
}
