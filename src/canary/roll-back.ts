/** The ways a rollout fails: traffic goes where healthy code is, and the phase becomes Failed. */
import { totalWeight } from '../api/defaults.ts';
import type { Decision, Effect } from './decision.ts';
import * as say from './messages.ts';
import type { Moment, Observation, Saying } from './observation.ts';
import { splitAt } from './plan.ts';
import { forgetCookies, withoutCookie } from './session.ts';
import { statusOf, transition, zeroed } from './status.ts';
import { route, upkeep } from './upkeep.ts';

/**
 * Whether traffic may be sent to the primary. One that broke in a promotion does not count, even
 * if some of its old pods are left; it does while it has traffic already.
 */
export function primaryServes({ canary, primary }: Observation): boolean {
  if (primary === undefined) return false;
  const { readiness, availablePods } = primary;
  if (readiness.kind === 'Ready') return true;
  if (availablePods === 0) return false;
  return readiness.retriable || statusOf(canary).canaryWeight < totalWeight;
}

/**
 * All traffic to the primary. The canary's pods stay for an interval if they had traffic, so that
 * open connections drain. Where the canary serves alone because the primary is broken, traffic
 * stays on it: the primary would serve nobody (D1).
 */
export function fail(seen: Observation, now: Moment, because: readonly Saying[]): Decision {
  const { canary, target, revision } = seen;
  const canaryServes = (target?.availablePods ?? 0) > 0 && seen.abilities.weights;
  if (!primaryServes(seen) && canaryServes) return keepOnCanary(seen, now, because);
  const hadTraffic = (seen.split?.canary ?? 0) > 0;
  const idle: readonly Effect[] = hadTraffic ? [] : [{ kind: 'ScaleTarget', replicas: 0 }];
  const change = {
    phase: 'Failed',
    ...zeroed,
    ...forgetCookies(seen),
    draining: hadTraffic,
    ...(revision === undefined ? {} : { applies: revision }),
  } as const;
  return {
    effects: [...upkeep, route(seen, splitAt(0), withoutCookie(seen)), ...idle],
    status: transition(seen, change, now),
    sayings: [...because, say.rolledBack(canary)],
    outcome: 'failed',
  };
}

/** The primary broke while it was being updated: the canary, which is healthy, serves alone. */
export function failPromotion(seen: Observation, now: Moment, message: string): Decision {
  return keepOnCanary(seen, now, [say.promotionFailed(seen.canary, message)]);
}

function keepOnCanary(seen: Observation, now: Moment, sayings: readonly Saying[]): Decision {
  const change = { phase: 'Failed', ...zeroed, canaryWeight: totalWeight } as const;
  return {
    effects: [...upkeep, route(seen, splitAt(totalWeight))],
    status: transition(seen, change, now),
    sayings,
    outcome: 'failed',
  };
}
