/** The ways a rollout fails: traffic goes where healthy code is, and the phase becomes Failed. */
import { isBuiltInGate } from '../api/approval.ts';
import { hooksOf, totalWeight } from '../api/defaults.ts';
import type { Decision, Effect } from './decision.ts';
import { nothing } from './decision.ts';
import { openedRollback } from './gates.ts';
import * as say from './messages.ts';
import type { Moment, Observation, Saying } from './observation.ts';
import { planOf, splitAt } from './plan.ts';
import { ask } from './question.ts';
import { forgetCookies, withoutCookie } from './session.ts';
import type { StatusChange } from './status.ts';
import { statusOf, transition, zeroed } from './status.ts';
import { route, upkeep } from './upkeep.ts';
import { withoutFailed } from './window.ts';

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
 * Whether connections to the canary's pods may be open: it has traffic, or the status says that it
 * had when a process took it away and ended.
 */
export function hasConnections({ canary, abilities, split }: Observation): boolean {
  const { canaryWeight, iterations, draining } = statusOf(canary);
  if ((split?.canary ?? 0) > 0 || draining === true) return true;
  const plan = planOf(canary, abilities);
  if (plan.kind === 'Unrouted') return false;
  if (plan.kind === 'Weights') return canaryWeight > 0;
  return canaryWeight > 0 || iterations > (plan.abTesting ? 0 : plan.count);
}

/**
 * All traffic to the primary. The canary's pods stay for an interval if they had traffic, so that
 * open connections drain. Where the primary would serve nobody, the canary keeps what it has, and
 * gets no more: it failed, but it is all there is (D1).
 */
export function fail(seen: Observation, now: Moment, because: readonly Saying[]): Decision {
  const { canary, revision } = seen;
  const applies = revision === undefined ? {} : { applies: revision };
  if (canaryServesOn(seen)) {
    const weight = seen.split?.canary ?? 0;
    return keepOnCanary(seen, now, { weight, sayings: because, change: applies });
  }
  const draining = hasConnections(seen);
  const idle: readonly Effect[] = draining ? [] : [{ kind: 'ScaleTarget', replicas: 0 }];
  const change = {
    phase: 'Failed',
    ...zeroed,
    ...forgetCookies(seen),
    draining,
    ...applies,
    ...withoutFailed(seen),
  } as const;
  return {
    effects: [...upkeep, route(seen, splitAt(0), withoutCookie(seen)), ...idle],
    status: transition(seen, change, now),
    sayings: [...because, say.rolledBack(canary)],
    outcome: 'failed',
  };
}

interface ByHook {
  /** What to decide instead of going on: ask, or roll back. */
  readonly decision?: Decision;
  readonly said: readonly Saying[];
}

/** A rollback gate ends the rollout as soon as somebody opens it, whatever the pods do. */
export function rollbackByGate(seen: Observation, now: Moment): Decision | undefined {
  const { canary, revision } = seen;
  const opened = openedRollback(statusOf(canary), revision?.id);
  if (opened === undefined) return undefined;
  return fail(seen, now, [say.rollbackChecked(opened), say.rolledBackByHook(canary)]);
}

/** Rollback hooks are asked at every verdict; one that consents ends the rollout. */
export function rollbackByHook(seen: Observation, now: Moment, effects: readonly Effect[]): ByHook {
  if (hooksOf(seen.canary, 'rollback').every(isBuiltInGate)) return { said: [] };
  const answer = ask(seen, 'RollbackRequested');
  if (!answer.given) {
    return { decision: { ...nothing, effects, question: answer.question }, said: [] };
  }
  if (!answer.passed) return { said: answer.sayings };
  const sayings = [...answer.sayings, say.rolledBackByHook(seen.canary)];
  return { decision: fail(seen, now, sayings), said: [] };
}

/** A revision that nobody analysed keeps traffic only if there is nothing else at all. */
function canaryServesOn(seen: Observation): boolean {
  const { target, revision, split } = seen;
  const weight = split?.canary ?? 0;
  const isKnown = revision?.change === 'Unchanged' || weight === totalWeight;
  const serves = weight > 0 && isKnown && (target?.availablePods ?? 0) > 0;
  return serves && !primaryServes(seen);
}

/**
 * The primary broke while it was being updated: the canary, which is healthy, serves alone. Not so
 * if a newer revision has come, which nobody analysed: it gets no more than it has.
 */
export function failPromotion(seen: Observation, now: Moment, message: string): Decision {
  const isAnalysed = seen.revision?.change === 'Unchanged';
  const weight = isAnalysed ? totalWeight : (seen.split?.canary ?? 0);
  const sayings = [say.promotionFailed(seen.canary, message)];
  return keepOnCanary(seen, now, { weight, sayings, change: {} });
}

interface Kept {
  readonly weight: number;
  readonly sayings: readonly Saying[];
  readonly change: StatusChange;
}

function keepOnCanary(seen: Observation, now: Moment, kept: Kept): Decision {
  const { weight, sayings } = kept;
  const change = {
    phase: 'Failed',
    ...zeroed,
    canaryWeight: weight,
    draining: false,
    ...withoutFailed(seen),
  } as const;
  return {
    effects: [...upkeep, route(seen, splitAt(weight))],
    status: transition(seen, { ...change, ...kept.change }, now),
    sayings,
    outcome: 'failed',
  };
}
