/**
 * Phases Initialized, Succeeded and Failed: nothing moves until the target changes. Then the gates
 * are asked, and the target is brought up beside the primary. Waiting is the same with a gate shut.
 *
 * While at rest, what drifted is repaired, and pods that traffic has left are scaled down.
 */
import type { CanaryStatus } from '../api/canary.ts';
import {
  analysisIntervalMs,
  displayName,
  hooksOf,
  skipsAnalysis,
  totalWeight,
} from '../api/defaults.ts';
import { waitingCondition } from './conditions.ts';
import { awaitRoutes, drainedAtMs } from './confirmation.ts';
import type { Decision, Effect, Obstacle } from './decision.ts';
import { nothing } from './decision.ts';
import { waitsForAnother } from './gates.ts';
import * as say from './messages.ts';
import type { Moment, Observation, RevisionView } from './observation.ts';
import { splitAt } from './plan.ts';
import { ask } from './question.ts';
import { fail, rollbackByGate, rollbackByHook } from './roll-back.ts';
import { forgetCookies, withoutCookie } from './session.ts';
import { statusOf, transition, zeroed } from './status.ts';
import { beatOf, hold, lookingAgain, nextBeatAtMs, route, upkeep } from './upkeep.ts';
import type { Wait } from './wait.ts';
import { waitFor } from './wait.ts';
import { begun } from './window.ts';

export function rest(seen: Observation, now: Moment): Decision {
  const { revision } = seen;
  const status = statusOf(seen.canary);
  if (primaryIsBack(seen)) return bringHome(seen, now);
  const effects = [...upkeep, route(seen, splitAt(status.canaryWeight)), claim];
  if (revision === undefined) return { ...nothing, effects };
  if (revision.change === 'Changed') return begin(seen, now, revision, effects);
  if (revision.change === 'Reverted') return settle(seen, now, revision, effects);
  if (status.draining === true) return drain(seen, now, revision, effects);
  // What is refused is somebody's to mend, though nothing waits for it now.
  const refused = seen.confirmation?.state === 'refused' ? awaitRoutes(seen, effects) : undefined;
  // A resize of the target is no change, but a later one must be told from it.
  const resized = revision.tracked.generation !== status.trackedTarget?.generation;
  const resting = refused ?? { ...nothing, effects };
  if (!resized) return resting;
  return { ...resting, status: { ...status, trackedTarget: revision.tracked } };
}

/** Traffic stayed on a failed canary because the primary could not take it. */
const primaryIsBack = ({ canary, primary }: Observation): boolean =>
  statusOf(canary).canaryWeight > 0 && primary?.readiness.kind === 'Ready';

function bringHome(seen: Observation, now: Moment): Decision {
  const change = { canaryWeight: 0, draining: true, ...forgetCookies(seen) } as const;
  return {
    effects: [...upkeep, route(seen, splitAt(0), withoutCookie(seen))],
    status: transition(seen, change, now),
    sayings: [say.routingAllToPrimary],
  };
}

const claim: Effect = { kind: 'ClaimTarget' };

/** Waiting: the gate decides, and taking the change back ends the wait (D16). */
export function waitForApproval(seen: Observation, now: Moment): Decision {
  const { revision } = seen;
  if (primaryIsBack(seen)) return bringHome(seen, now);
  const effects = [...upkeep, route(seen, splitAt(statusOf(seen.canary).canaryWeight)), claim];
  if (revision === undefined) return { ...nothing, effects };
  if (revision.change === 'Reverted') return settle(seen, now, revision, effects);
  if (revision.change === 'Unchanged' && runsOnPrimary(seen, revision)) {
    return settle(seen, now, revision, effects);
  }
  if (statusOf(seen.canary).draining !== true) return begin(seen, now, revision, effects);
  const drained = drainInLine(seen, now, effects);
  if (drained !== undefined) return drained;
  const dueAtMs = drainedAtMs(seen);
  // A gateway that has not confirmed its route is heard by the watch.
  const isDue = dueAtMs <= now.steadyMs;
  const lookAgainAtMs = isDue ? now.steadyMs + analysisIntervalMs(seen.canary) : dueAtMs;
  return lookingAgain(begin(seen, now, revision, effects), lookAgainAtMs);
}

/**
 * What failed by its configuration has the template that was promoted, and is not what serves: only
 * the primary's stamp tells both apart (seed 14380).
 */
function runsOnPrimary({ canary, primary }: Observation, { id }: RevisionView): boolean {
  const { lastAppliedSpec, lastPromotedSpec } = statusOf(canary);
  if (primary?.revision !== undefined) return primary.revision === id;
  return lastAppliedSpec === lastPromotedSpec;
}

/**
 * Pods that were left over when the change came run it already, though nobody has let it in: they
 * go when their connections have ended, as they would have without it.
 */
function drainInLine(
  seen: Observation,
  now: Moment,
  effects: readonly Effect[],
): Decision | undefined {
  if (awaitRoutes(seen, effects) !== undefined || now.steadyMs < drainedAtMs(seen)) {
    return undefined;
  }
  const { draining: _, ...status }: CanaryStatus = statusOf(seen.canary);
  const scaledDown: Effect = { kind: 'ScaleTarget', replicas: 0 };
  return { ...nothing, effects: [...effects, scaledDown], status, lookAgainAtMs: now.steadyMs };
}

/** The target is again what the primary runs: nothing is to be analysed. */
function settle(
  seen: Observation,
  now: Moment,
  revision: RevisionView,
  effects: readonly Effect[],
): Decision {
  const { phase, canaryWeight } = statusOf(seen.canary);
  const ended = canaryWeight > 0 ? 'Failed' : 'Succeeded';
  // A failed canary stays failed when its change is taken back; it did fail.
  const change = {
    applies: revision,
    lastPromotedSpec: revision.hash,
    ...(phase === 'Waiting' ? ({ phase: ended } as const) : {}),
  };
  return { ...nothing, effects, status: transition(seen, change, now) };
}

function begin(
  seen: Observation,
  now: Moment,
  revision: RevisionView,
  effects: readonly Effect[],
): Decision {
  const blocked =
    rollbackByGate(seen, now) ??
    primaryBlocks(seen, now, effects) ??
    routesBlock(seen, effects) ??
    dependencyBlocks(seen, now, effects);
  if (blocked !== undefined) return blocked;
  if (hooksOf(seen.canary, 'confirm-rollout').length === 0) {
    return startInTurn(seen, now, revision, effects, []);
  }
  // Who looks at the gate must see the revision that they would let through.
  const isReplaced = waitsForAnother(statusOf(seen.canary), 'confirm-rollout', revision.id);
  const isWaiting = statusOf(seen.canary).phase === 'Waiting' && !isReplaced;
  if (isWaiting && now.steadyMs < nextBeatAtMs(seen)) {
    return { ...nothing, effects, lookAgainAtMs: nextBeatAtMs(seen) };
  }
  // Somebody who waits may give up (D15).
  const waits = statusOf(seen.canary).phase === 'Waiting';
  const rollback = waits ? rollbackByHook(seen, now, effects) : { said: [] };
  if (rollback.decision !== undefined) return rollback.decision;
  const answer = ask(seen, 'ConfirmRollout');
  if (!answer.given) return { ...nothing, effects, question: answer.question };
  if (answer.passed) return startInTurn(seen, now, revision, effects, answer.sayings);
  return refuse(seen, now, effects, waitFor(seen, 'confirm-rollout', answer, now));
}

function refuse(seen: Observation, now: Moment, effects: readonly Effect[], wait: Wait): Decision {
  const waits = statusOf(seen.canary).phase === 'Waiting';
  const { gates } = wait;
  return {
    effects,
    // The refusal is said when the wait begins, and not at every asking.
    sayings: waits && !wait.isNew ? [] : wait.sayings,
    ...(waits ? wait.status : { status: transition(seen, { phase: 'Waiting', gates }, now) }),
    beatAtMs: waits ? beatOf(seen, now) : now.steadyMs,
    lookAgainAtMs: now.steadyMs + analysisIntervalMs(seen.canary),
  };
}

/** A primary that is to take traffic must be ready before anything starts (`spec/01`, 2.4). */
function primaryBlocks(
  seen: Observation,
  now: Moment,
  effects: readonly Effect[],
): Decision | undefined {
  const { primary } = seen;
  // After a failed promotion the canary serves alone, and the fix must not wait for the broken
  // primary (D1).
  if (statusOf(seen.canary).canaryWeight === totalWeight) return undefined;
  const readiness = primary?.readiness ?? {
    kind: 'NotReady',
    message: `primary of ${displayName(seen.canary)} is being created`,
    retriable: true,
  };
  if (readiness.kind === 'Ready') return undefined;
  if (readiness.retriable) return hold(seen, now, effects, readiness);
  return fail(seen, now, say.deadlineExceeded(seen.canary, readiness.message));
}

/**
 * Pods that are brought up might get traffic that the gateway has not taken off them. Where the
 * canary serves, the fix is not kept waiting.
 */
const routesBlock = (seen: Observation, effects: readonly Effect[]): Decision | undefined =>
  statusOf(seen.canary).canaryWeight > 0 ? undefined : awaitRoutes(seen, effects);

/** A rollout that is analysed takes a slot, where there are not enough for all. */
function startInTurn(
  seen: Observation,
  now: Moment,
  revision: RevisionView,
  effects: readonly Effect[],
  sayings: Decision['sayings'],
): Decision {
  const { canary, slot, isKnownGood } = seen;
  // What is promoted at once needs none; nor does the fix of a canary that serves alone (D1).
  const needsNone = skipsAnalysis(canary) || isKnownGood || statusOf(canary).canaryWeight > 0;
  if (slot === undefined || slot.kind === 'Granted' || needsNone) {
    return start(seen, now, revision, effects, sayings);
  }
  if (slot.kind === 'Unasked') return { ...nothing, asksForSlot: true };
  const { why, details } = slot;
  return queue(seen, now, effects, { why, details, obstacle: { reason: 'NoSlot', message: why } });
}

/**
 * What is applied together is seen one after the other: who comes after others waits for so long
 * before it believes that none of them has changed.
 */
const settleMs = 5_000;

/** What served lately, and what a canary that serves alone needs, does not wait for others. */
function dependencyBlocks(
  seen: Observation,
  now: Moment,
  effects: readonly Effect[],
): Decision | undefined {
  const { canary, dependency, isKnownGood, transitionAtMs } = seen;
  const { phase, canaryWeight } = statusOf(canary);
  const dependsOn = canary.spec.dependsOn ?? [];
  if (dependsOn.length === 0 || isKnownGood || canaryWeight > 0) return undefined;
  if (dependency !== undefined) {
    const obstacle = { reason: 'DependencyNotReady', message: dependency } as const;
    const queued = queue(seen, now, effects, { why: dependency, obstacle });
    // With a status the condition says at once what is waited for now; none is written for the same.
    return { status: statusOf(canary), ...queued };
  }
  const settledAtMs = phase === 'Waiting' ? transitionAtMs + settleMs : now.steadyMs + settleMs;
  if (settledAtMs <= now.steadyMs) return undefined;
  const why = 'what it depends on may be about to change';
  const obstacle = { reason: 'DependencyNotReady', message: why } as const;
  const queued = queue(seen, now, effects, { why, obstacle });
  return { ...queued, sayings: [], lookAgainAtMs: settledAtMs };
}

interface Queued {
  readonly why: string;
  /** What is so at this moment, for the event that is said first. */
  readonly details?: string;
  readonly obstacle: Obstacle;
}

/** Not its turn. Whoever is in the way wakes it; no clock does. */
function queue(
  seen: Observation,
  now: Moment,
  effects: readonly Effect[],
  { why, details = '', obstacle }: Queued,
): Decision {
  const { canary } = seen;
  const { phase, conditions = [] } = statusOf(canary);
  const waits = phase === 'Waiting';
  // What the condition says was said before, whoever said it.
  const known = conditions.find(({ type }) => type === waitingCondition)?.message;
  const text = details === '' ? why : `${why} (${details})`;
  return {
    effects,
    sayings: waits && known === why ? [] : [say.queued(canary, text)],
    obstacle,
    ...(waits ? {} : { status: transition(seen, { phase: 'Waiting' }, now) }),
  };
}

/**
 * The change is acknowledged by the status first, because somebody waits for that; Progressing then
 * brings the target up. Weight 100 stays where a failed promotion left it (D1).
 */
function start(
  seen: Observation,
  now: Moment,
  revision: RevisionView,
  effects: readonly Effect[],
  sayings: Decision['sayings'],
): Decision {
  const { canary } = seen;
  const { canaryWeight } = statusOf(canary);
  const returning = seen.isKnownGood === true;
  const change = {
    phase: 'Progressing',
    ...zeroed,
    canaryWeight,
    draining: false,
    returning,
    ...begun(seen, now),
  } as const;
  const said = returning ? [say.returning(canary, revision.id)] : [];
  return {
    effects,
    status: transition(seen, { ...change, applies: revision }, now),
    sayings: [...sayings, say.scalingUp(canary), ...said],
  };
}

function drain(
  seen: Observation,
  now: Moment,
  revision: RevisionView,
  effects: readonly Effect[],
): Decision {
  // Pods stay for as long as the gateway may send them traffic.
  const unrouted = awaitRoutes(seen, effects);
  if (unrouted !== undefined) return unrouted;
  const lookAgainAtMs = drainedAtMs(seen);
  if (now.steadyMs < lookAgainAtMs) return { ...nothing, effects, lookAgainAtMs };
  const { draining: _, ...status }: CanaryStatus = statusOf(seen.canary);
  return {
    ...nothing,
    effects: [...effects, { kind: 'ScaleTarget', replicas: 0 }],
    status: { ...status, trackedTarget: revision.tracked },
  };
}
