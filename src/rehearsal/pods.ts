/** How the pods of a rehearsal fare: as the scenario says of the revision that they run. */
import type { PlanPod, PodPlan } from '../cluster/workloads/pods.ts';
import { controllerOf } from '../cluster/workloads/kinds.ts';
import { primaryName } from '../api/defaults.ts';
import type { RehearsalInput } from './input.ts';
import type { Recorder } from './recorder.ts';
import type { PodsOfRevision, Scenario } from './scenario.ts';
import { readyAfterMsDefault } from './scenario.ts';

export function createPodPlan(
  { canary }: RehearsalInput,
  { revisions }: Scenario,
  recorder: Pick<Recorder, 'revisionOf'>,
): PlanPod {
  const primarySets = `${primaryName(canary)}-`;
  return (pod) => {
    const isPrimary = controllerOf(pod)?.name.startsWith(primarySets) === true;
    const revision = recorder.revisionOf(isPrimary ? 'primary' : 'canary');
    return planOf(revisions.get(revision)?.pods ?? { kind: 'Ready', afterMs: readyAfterMsDefault });
  };
}

function planOf(pods: PodsOfRevision): PodPlan {
  switch (pods.kind) {
    case 'Ready':
      return { readyMs: pods.afterMs };
    case 'Never':
      return {};
    case 'Flapping':
      return {
        readyMs: pods.afterMs,
        crashMs: pods.everyMs - pods.forMs,
        unreadyMs: pods.forMs,
      };
    case 'Crashing':
      return pods.crashAfterMs > pods.afterMs
        ? { readyMs: pods.afterMs, crashMs: pods.crashAfterMs - pods.afterMs }
        : {};
  }
}
