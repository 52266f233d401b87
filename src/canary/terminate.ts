/**
 * Deletion of a Canary that asks to be undone (`revertOnDeletion`): the target serves again before
 * anything is taken from it. Without the finalizer nothing is to be done: owned objects are
 * collected by Kubernetes. Taking `revertOnDeletion` back while it waits ends it so, too: a target
 * that never gets ready must not keep a Canary for ever.
 *
 *   scale the target up ─> wait until it is ready ─> Service ─> routes ─> release, drop finalizer
 */
import { finalizer } from '../api/annotations.ts';
import type { Decision } from './decision.ts';
import { nothing } from './decision.ts';
import * as say from './messages.ts';
import type { Moment, Observation } from './observation.ts';
import { statusOf, transition } from './status.ts';
import { hold } from './upkeep.ts';

export function terminate(seen: Observation, now: Moment): Decision {
  const { canary, target, primary, scaleUpReplicas } = seen;
  if (canary.metadata.finalizers?.includes(finalizer) !== true) return nothing;
  const sayings = [say.terminated(canary)];
  const dropFinalizer = { kind: 'EnsureFinalizer', present: false } as const;
  if (canary.spec.revertOnDeletion !== true) {
    return { ...nothing, effects: [dropFinalizer], sayings };
  }
  if (statusOf(canary).phase !== 'Terminating') {
    const status = transition(seen, { phase: 'Terminating' }, now);
    return { ...nothing, status, sayings: [say.terminating(canary)] };
  }
  // A target that is gone has nothing to be restored to.
  if (target === undefined) return { ...nothing, effects: [dropFinalizer], sayings };

  const replicas =
    primary !== undefined && primary.replicas > 0 ? primary.replicas : scaleUpReplicas;
  const scaleUp = { kind: 'ScaleTarget', replicas } as const;
  if (target.replicas !== replicas) return { ...nothing, effects: [scaleUp] };
  if (target.readiness.kind !== 'Ready') {
    const held = hold(seen, now, [], target.readiness);
    const advice = target.readiness.kind === 'NotReady' ? [say.howToGiveUp(canary)] : [];
    return { ...held, sayings: [...held.sayings, ...advice] };
  }
  return {
    ...nothing,
    effects: [
      { kind: 'RevertService' },
      { kind: 'RevertRoute' },
      { kind: 'ReleaseTarget' },
      dropFinalizer,
    ],
    sayings,
  };
}
