/**
 * Phases Promoting and Finalising: the primary rolls to the analysed revision, takes the traffic
 * back when it is ready, and an interval later the canary's pods go.
 *
 * The canary's own readiness does not matter here: all that happens takes traffic away from it.
 */
import { totalWeight } from '../api/defaults.ts';
import { awaitRoutes, drainedAtMs } from './confirmation.ts';
import type { Decision, Effect } from './decision.ts';
import { nothing } from './decision.ts';
import * as say from './messages.ts';
import type { Moment, Observation } from './observation.ts';
import { keptSplit, planOf, splitAt } from './plan.ts';
import { failPromotion, hasConnections, primaryServes } from './roll-back.ts';
import { forgetCookies, withCookie, withoutCookie } from './session.ts';
import { statusOf, transition } from './status.ts';
import { beatOf, hold, nextBeatAtMs, route, upkeep } from './upkeep.ts';
import { isExempt, withPromoted } from './window.ts';

const updated = [...upkeep, { kind: 'EnsureAutoscaler', mode: 'update' }] as const;

export function promote(seen: Observation, now: Moment): Decision {
  const { canary, revision, abilities, split } = seen;
  const kept = keptSplit(planOf(canary, abilities), statusOf(canary), split);
  // A newer revision is rolling out on the canary's pods: nobody analysed it, so no traffic for it
  // (D17). The primary still has pods, old ones or new ones; both are promoted code.
  const overtaken = revision?.change === 'Changed' || revision?.change === 'Reverted';
  if (overtaken && kept.canary > 0 && primaryServes(seen)) return shiftAll(seen, now);

  const blocked = primaryBlocks(seen, now, [...updated, route(seen, kept)]);
  if (blocked !== undefined) return blocked;
  const stepSize = canary.spec.analysis?.stepWeightPromotion ?? 0;
  if (stepSize <= 0 || kept.canary === 0) return shiftAll(seen, now);
  const unrouted = awaitRoutes(seen, [...updated, route(seen, kept)]);
  if (unrouted !== undefined) return unrouted;
  if (now.steadyMs < nextBeatAtMs(seen)) {
    return {
      ...nothing,
      effects: [...updated, route(seen, kept)],
      lookAgainAtMs: nextBeatAtMs(seen),
    };
  }
  return shiftStep(seen, now, kept.canary - stepSize);
}

/** Nothing goes on before the primary is ready; if it never will be, the promotion has failed. */
function primaryBlocks(
  seen: Observation,
  now: Moment,
  effects: readonly Effect[],
): Decision | undefined {
  const readiness = seen.primary?.readiness;
  if (readiness?.kind === 'Ready') return undefined;
  if (readiness === undefined) return hold(seen, now, effects, { kind: 'Ready' });
  if (readiness.retriable) return hold(seen, now, effects, readiness);
  return abandon(seen, now, readiness.message);
}

/** A primary that cannot run the revision: the canary, which can, serves alone if it has traffic. */
function abandon(seen: Observation, now: Moment, message: string): Decision {
  const canaryServes = (seen.target?.availablePods ?? 0) > 0 && seen.abilities.weights;
  const failure = failPromotion(seen, now, message);
  if (canaryServes) return failure;
  const change = { phase: 'Failed', canaryWeight: 0, iterations: 0, failedChecks: 0 } as const;
  const effects = [...upkeep, route(seen, splitAt(0), withoutCookie(seen))];
  return { ...failure, effects, status: transition(seen, change, now) };
}

function shiftAll(seen: Observation, now: Moment): Decision {
  const { abilities } = seen;
  const change = {
    phase: 'Finalising',
    canaryWeight: 0,
    iterations: 0,
    draining: hasConnections(seen),
    ...forgetCookies(seen),
  } as const;
  const silent = !abilities.weights || isExempt(seen);
  return {
    effects: [...updated, route(seen, splitAt(0), withoutCookie(seen))],
    status: transition(seen, change, now),
    sayings: silent ? [] : [say.routingAllToPrimary],
  };
}

function shiftStep(seen: Observation, now: Moment, canaryWeight: number): Decision {
  const weight = Math.max(0, canaryWeight);
  const saying = say.advancedPrimaryWeight(seen.canary, totalWeight - weight);
  if (weight === 0) return { ...shiftAll(seen, now), sayings: [saying] };
  return {
    effects: [...updated, route(seen, splitAt(weight), withCookie(seen))],
    status: transition(seen, { canaryWeight: weight }, now),
    sayings: [saying],
    beatAtMs: beatOf(seen, now),
  };
}

export function finalise(seen: Observation, now: Moment): Decision {
  const { canary } = seen;
  const promoted = withPromoted(seen, now);
  const effects = [...upkeep, route(seen, splitAt(0))];
  // The canary's pods are what traffic falls back on.
  const blocked = primaryBlocks(seen, now, effects);
  if (blocked !== undefined) return blocked;
  if (statusOf(canary).draining === true) {
    // Pods stay for as long as the gateway may send them traffic.
    const unrouted = awaitRoutes(seen, effects);
    if (unrouted !== undefined) return unrouted;
    const lookAgainAtMs = drainedAtMs(seen);
    if (now.steadyMs < lookAgainAtMs) return { ...nothing, effects, lookAgainAtMs };
  }
  const skipped = isExempt(seen);
  return {
    effects: [...effects, { kind: 'ScaleTarget', replicas: 0 }],
    status: transition(seen, { phase: 'Succeeded', draining: false, ...promoted }, now),
    sayings: [],
    outcome: skipped ? 'skipped' : 'completed',
    closing: [skipped ? say.promotedUnanalysed(canary) : say.promoted(canary)],
  };
}
