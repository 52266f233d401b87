/**
 * Phases Progressing and WaitingPromotion: one verdict an interval, and a step for each that is
 * good. Invariant 2 is kept here: the weight grows only on a verdict whose checks all passed.
 *
 *   newer revision? ─> rollback gate opened? ─> primary ready? ─> too many failed checks? ─> canary
 *   ready? ─> verdict due? ─> rollback asked for? ─> routes in effect? ─> checks passed? ─> step
 */
import type { CanaryStatus } from '../api/canary.ts';
import { analysisIntervalMs, failureThreshold, hooksOf, totalWeight } from '../api/defaults.ts';
import { awaitRoutes, routeDeadlineMs, unconfirmedSayings } from './confirmation.ts';
import type { Decision, Effect } from './decision.ts';
import { nothing } from './decision.ts';
import * as say from './messages.ts';
import type { Moment, Observation, Readiness, RevisionView, Saying } from './observation.ts';
import { keptSplit, planOf, splitAt } from './plan.ts';
import { ask } from './question.ts';
import { fail, primaryServes, rollbackByGate, rollbackByHook } from './roll-back.ts';
import { forgetCookies, withoutCookie } from './session.ts';
import { statusOf, transition, zeroed } from './status.ts';
import { copyToPrimary, step, stepTaken } from './step.ts';
import { beatOf, hold, lookingAgain, nextBeatAtMs, route, upkeep } from './upkeep.ts';
import { isExempt } from './window.ts';

export function progress(seen: Observation, now: Moment): Decision {
  const { revision, canary } = seen;
  if (revision === undefined) return nothing;
  if (revision.change === 'Reverted') return cancel(seen, now, revision);
  if (revision.change === 'Changed') return restart(seen, now, revision);

  // The primary was updated and the process ended before the status was written. That the primary
  // rolls, or that it fails to, is Promoting's business.
  if (seen.primary?.revision === revision.id) return copyToPrimary(seen, now, []);
  const servesAlone = statusOf(canary).canaryWeight === totalWeight;
  const blocked =
    rollbackByGate(seen, now) ??
    (servesAlone ? undefined : awaitPrimary(seen, now)) ??
    failByChecks(seen, now) ??
    awaitReady(seen, now, canaryReadiness(seen.target));
  if (blocked !== undefined) return blocked;
  if (isExempt(seen)) return copyToPrimary(seen, now, []);
  return stepTaken(seen, now) ?? judge(seen, now);
}

/**
 * Asked before the canary's pods are: a process that took them away, and never heard whether its
 * status was written, must not bring them up again (seed 12426).
 */
function failByChecks(seen: Observation, now: Moment): Decision | undefined {
  const { failedChecks } = statusOf(seen.canary);
  const isOver = failedChecks >= failureThreshold(seen.canary) && !isExempt(seen);
  return isOver ? fail(seen, now, [say.thresholdReached(seen.canary, failedChecks)]) : undefined;
}

/** What is kept as it is while no step is taken. */
function upheld(seen: Observation): readonly Effect[] {
  const { canary, abilities, split, target } = seen;
  const kept = keptSplit(planOf(canary, abilities), statusOf(canary), split);
  const lacksPods = target?.replicas === 0;
  return [
    ...upkeep,
    ...(lacksPods ? [{ kind: 'ScaleTarget', replicas: seen.scaleUpReplicas } as const] : []),
    route(seen, kept),
  ];
}

/** One that somebody deleted is made again first: what serves meanwhile stays as it is. */
function awaitPrimary(seen: Observation, now: Moment): Decision | undefined {
  if (seen.primary !== undefined) return awaitReady(seen, now, seen.primary.readiness);
  return hold(seen, now, upheld(seen), { kind: 'Ready' });
}

function awaitReady(seen: Observation, now: Moment, side: Readiness): Decision | undefined {
  if (side.kind === 'Ready') return undefined;
  if (!side.retriable) return fail(seen, now, say.deadlineExceeded(seen.canary, side.message));
  return hold(seen, now, upheld(seen), side);
}

/**
 * A workload of no pods is ready to Kubernetes; it cannot be given traffic. One that was just scaled
 * down still shows its pods, which are on their way out.
 */
function canaryReadiness(target: Observation['target']): Readiness {
  const message = 'waiting for the canary to have pods';
  const none: Readiness = { kind: 'NotReady', message, retriable: true };
  if (target === undefined) return none;
  const hasPods = target.replicas > 0 && target.availablePods > 0;
  return hasPods || target.readiness.kind !== 'Ready' ? target.readiness : none;
}

/**
 * A newer revision outranks every verdict on the one that it replaces. A primary without pods is
 * waited for: it could not take what the canary has to give up.
 */
function restart(seen: Observation, now: Moment, revision: RevisionView): Decision {
  const { canaryWeight: weight } = statusOf(seen.canary);
  const servesAlone = weight === totalWeight && !primaryServes(seen);
  if (weight > 0 && !servesAlone && !primaryServes(seen)) {
    const held = awaitPrimary(seen, now);
    if (held !== undefined) return held;
  }
  const canaryWeight = servesAlone ? totalWeight : 0;
  const returning = seen.isKnownGood === true;
  const change = {
    phase: 'Progressing',
    ...zeroed,
    canaryWeight,
    applies: revision,
    returning,
  } as const;
  const cookies = servesAlone ? {} : forgetCookies(seen);
  return {
    effects: [...upkeep, route(seen, splitAt(canaryWeight), withoutCookie(seen))],
    status: transition(seen, { ...change, ...cookies }, now),
    sayings: [
      say.restarting(seen.canary),
      ...(returning ? [say.returning(seen.canary, revision.id)] : []),
    ],
  };
}

/** The promoted revision is back: there is nothing to analyse (D3). */
function cancel(seen: Observation, now: Moment, revision: RevisionView): Decision {
  if (!primaryServes(seen)) return restart(seen, now, revision);
  const change = {
    phase: 'Succeeded',
    ...zeroed,
    ...forgetCookies(seen),
    draining: true,
    applies: revision,
    lastPromotedSpec: revision.hash,
  } as const;
  return {
    effects: [...upkeep, route(seen, splitAt(0), withoutCookie(seen))],
    status: transition(seen, change, now),
    sayings: [say.reverted(seen.canary)],
  };
}

/** One verdict: asked for when it is due, then a failed check or a step. */
function judge(seen: Observation, now: Moment): Decision {
  const effects = upheld(seen);
  const dueAtMs = nextBeatAtMs(seen);
  const unrouted = awaitRoutes(seen, effects);
  if (now.steadyMs < dueAtMs) {
    return lookingAgain(unrouted ?? { ...nothing, effects }, dueAtMs);
  }
  const beatAtMs = beatOf(seen, now);

  const lowered = loweredByHand(seen, now);
  if (lowered !== undefined) return { ...lowered, effects, beatAtMs };

  const rollback = rollbackByHook(seen, now, effects);
  if (rollback.decision !== undefined) return rollback.decision;
  if (unrouted !== undefined) {
    return judgeRoutes(seen, now, { effects, said: rollback.said, beatAtMs, unrouted });
  }
  const checks = check(seen);
  if (!checks.given) return { ...nothing, effects, question: checks.question };
  const said = [...rollback.said, ...unconfirmedSayings(seen), ...checks.sayings];
  if (!checks.passed) return countFailure(seen, now, effects, said, beatAtMs);
  return step(seen, now, { effects, said, beatAtMs });
}

interface Unrouted {
  readonly effects: readonly Effect[];
  readonly said: readonly Saying[];
  readonly beatAtMs: number;
  /** What keeps things as they are. */
  readonly unrouted: Decision;
}

/** A verdict is due on routes that are not in effect. Rollback hooks were asked all the same. */
function judgeRoutes(seen: Observation, now: Moment, verdict: Unrouted): Decision {
  const { canary, confirmation } = seen;
  const { effects, said, beatAtMs, unrouted } = verdict;
  if (confirmation?.state === 'refused') {
    const refusal = say.routeRefused(canary, confirmation.message);
    return countFailure(seen, now, effects, [...said, refusal], beatAtMs);
  }
  const deadlineAtMs = routeDeadlineMs(seen) ?? now.steadyMs;
  if (confirmation?.state === 'pending' && now.steadyMs >= deadlineAtMs) {
    return fail(seen, now, [...said, ...say.deadlineExceeded(canary, confirmation.why ?? '')]);
  }
  const sayings = [...said, ...unrouted.sayings];
  const waiting = lookingAgain({ ...unrouted, sayings }, deadlineAtMs);
  if (hooksOf(canary, 'rollback').length === 0) return waiting;
  // They are asked once an interval, also while nothing moves.
  const askAgainAtMs = now.steadyMs + analysisIntervalMs(canary);
  return { ...lookingAgain(waiting, askAgainAtMs), lastBeatAtMs: now.steadyMs };
}

function check(seen: Observation) {
  const { canary, split } = seen;
  const { canaryWeight, iterations } = statusOf(canary);
  const { metrics = [], mirror = false } = canary.spec.analysis ?? {};
  const mirrored = mirror && split?.mirrored === true;
  const passed = (sayings: readonly Saying[]) => ({ given: true, passed: true, sayings }) as const;
  if (canaryWeight === 0 && iterations === 0 && !mirrored) {
    const starting = [say.startingAnalysis(canary)];
    if (hooksOf(canary, 'pre-rollout').length === 0) return passed(starting);
    const answer = ask(seen, 'PreRollout');
    if (!answer.given) return answer;
    const sayings = answer.passed ? say.onlyOnce(answer.sayings) : answer.sayings;
    return { ...answer, sayings: [...starting, ...sayings] };
  }
  if (metrics.length === 0 && hooksOf(canary, 'rollout').length === 0) return passed([]);
  return ask(seen, 'Analysis');
}

function countFailure(
  seen: Observation,
  now: Moment,
  effects: readonly Effect[],
  sayings: readonly Saying[],
  beatAtMs: number,
): Decision {
  const failedChecks = statusOf(seen.canary).failedChecks + 1;
  const status = transition(seen, { failedChecks }, now);
  return { effects, status, sayings, beatAtMs, lookAgainAtMs: now.steadyMs };
}

/** The live weight is the truth when it is lower: traffic that somebody took away stays away. */
function loweredByHand(seen: Observation, now: Moment): Decision | undefined {
  const { canary, abilities, split } = seen;
  const status: CanaryStatus = statusOf(canary);
  const weighted = planOf(canary, abilities).kind === 'Weights';
  if (!weighted || split === undefined || split.canary >= status.canaryWeight) return undefined;
  return {
    ...nothing,
    status: transition(seen, { canaryWeight: split.canary }, now),
    sayings: [say.weightLowered(canary, split.canary)],
  };
}
