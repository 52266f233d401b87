/** Whether the primary can take traffic, beyond what its workload says of itself. */
import * as say from './messages.ts';
import type { Observation } from './observation.ts';

/**
 * A workload of no pods is ready to Kubernetes, and serves nobody: nothing begins and nothing goes on
 * until the primary has pods again (D25). One with an autoscaler has none for as long as nobody calls.
 */
export function judgePrimary(seen: Observation): Observation {
  const { canary, primary } = seen;
  if (primary === undefined || canary.spec.autoscalerRef !== undefined) return seen;
  if (primary.replicas > 0 || primary.readiness.kind === 'NotReady') return seen;
  const message = say.primaryScaledToZero(canary);
  return {
    ...seen,
    primary: { ...primary, readiness: { kind: 'NotReady', message, retriable: true } },
  };
}
