/**
 * The condition `Waiting`: what keeps a canary from going on, and since when. It is there while
 * something is waited for, and gone when nothing is; time that passes by plan is not waited for.
 *
 * It rides on status writes that happen anyway. A wait that begins or ends between two steps is one
 * write of its own, and one that is over within an interval is none.
 */
import type { Canary, CanaryStatus, GateType, HookType } from '../api/canary.ts';
import {
  analysisIntervalMs,
  displayName,
  failureThreshold,
  hooksOf,
  progressDeadlineMs,
} from '../api/defaults.ts';
import type { Condition } from '../api/kubernetes.ts';
import type { Decision, Obstacle, ObstacleReason, Question } from './decision.ts';
import * as say from './messages.ts';
import type { Moment, Observation, Saying } from './observation.ts';
import { ask } from './question.ts';
import { statusOf } from './status.ts';
import { nextBeatAtMs } from './upkeep.ts';

export const waitingCondition = 'Waiting';

/** The decision with the condition in its status; the decision itself where nothing differs. */
export function explain(seen: Observation, decision: Decision, now: Moment): Decision {
  const { canary } = seen;
  if (canary.metadata.deletionTimestamp !== undefined) return decision;
  const obstacle = obstacleOf(seen, decision, now);
  const status = withObstacle(canary, decision.status, obstacle, { seen, now });
  if (decision.question !== undefined) return watched(seen, decision, status, now);
  return status === decision.status
    ? decision
    : { ...decision, ...writing(seen, decision, status) };
}

/** A write between two verdicts must not start their cadence anew. */
function writing(
  { beatAtMs }: Observation,
  decision: Decision,
  status: CanaryStatus | undefined,
): Pick<Decision, 'status' | 'lastBeatAtMs'> {
  const lastBeatAtMs = decision.lastBeatAtMs ?? beatAtMs;
  return {
    ...(status === undefined ? {} : { status }),
    ...(lastBeatAtMs === undefined ? {} : { lastBeatAtMs }),
  };
}

/** Somebody looks again while an answer is awaited, so that a slow hook shows. */
function watched(
  seen: Observation,
  decision: Decision,
  status: CanaryStatus | undefined,
  { steadyMs }: Moment,
): Decision {
  const lookAgainAtMs = steadyMs + analysisIntervalMs(seen.canary);
  return { ...decision, ...writing(seen, decision, status), lookAgainAtMs };
}

/** Obstacles of every rollout, which are mostly gone at once. */
const passing: ReadonlySet<string> = new Set<ObstacleReason>(['PodsNotReady', 'RouteUnconfirmed']);

/** Obstacles that a verdict found: they stand until the next one, or a step. */
const lasting: ReadonlySet<string> = new Set<ObstacleReason>([
  'GateClosed',
  'HookRefused',
  'CheckFailed',
]);

/**
 * What is waited for after this decision: the first that applies. 'Same' where the decision says
 * nothing about it.
 */
function obstacleOf(
  seen: Observation,
  decision: Decision,
  now: Moment,
): Obstacle | 'Same' | undefined {
  const { canary, problem } = seen;
  if (canary.spec.suspend === true) return suspended;
  // The condition Stalled says it.
  if (problem !== undefined) return undefined;
  if (decision.question !== undefined) return unanswered(seen, decision.question, now);
  const obstacle =
    decision.obstacle ??
    checkFailed(canary, decision) ??
    routeUnconfirmed(seen, decision) ??
    podsNotReady(canary, decision) ??
    gateClosed(seen, decision);
  if (obstacle !== undefined) return obstacle;
  const stands = lasting.has(waitingOf(canary)?.reason ?? '');
  return stands && !isStep(canary, decision.status) ? 'Same' : undefined;
}

const suspended: Obstacle = {
  reason: 'Suspended',
  message: 'Nothing happens until spec.suspend is false',
};

function routeUnconfirmed(
  { confirmation }: Observation,
  { sayings }: Decision,
): Obstacle | undefined {
  if (confirmation?.state !== 'pending' && confirmation?.state !== 'refused') return undefined;
  const awaited = 'why' in confirmation ? confirmation.why : undefined;
  const words = confirmation.state === 'refused' ? confirmation.message : awaited;
  const said = sayings.find(({ message }) => message === words);
  return said && { reason: 'RouteUnconfirmed', message: said.message };
}

/** What is said while a state lasts is what is waited for. */
function podsNotReady(canary: Canary, { sayings }: Decision): Obstacle | undefined {
  const waiting = sayings.find(({ kind }) => kind === 'Waiting');
  if (waiting === undefined) return undefined;
  const deadlineS = progressDeadlineMs(canary) / 1000;
  return { reason: 'PodsNotReady', message: `${waiting.message}; the deadline is ${deadlineS}s` };
}

function checkFailed(canary: Canary, { status, sayings }: Decision): Obstacle | undefined {
  const { failedChecks } = statusOf(canary);
  if (status === undefined || status.failedChecks <= failedChecks) return undefined;
  const why = warningsOf(sayings) || `Halt ${displayName(canary)} advancement`;
  const count = `${status.failedChecks} of ${failureThreshold(canary)} failed checks`;
  return { reason: 'CheckFailed', message: `${why} (${count})` };
}

const gateStages = [
  ['ConfirmRollout', 'confirm-rollout'],
  ['ConfirmTrafficIncrease', 'confirm-traffic-increase'],
  ['ConfirmPromotion', 'confirm-promotion'],
] as const satisfies readonly (readonly [Question['stage'], GateType])[];

/** A hook refused. Where a gate of our own did, the message says how to open it. */
function gateClosed(seen: Observation, { status, outcome }: Decision): Obstacle | undefined {
  const { canary } = seen;
  if (outcome !== undefined) return undefined;
  const { gates = [] } = status ?? statusOf(canary);
  for (const [stage, type] of gateStages) {
    const answer = ask(seen, stage);
    if (!answer.given || answer.passed) continue;
    const refused = `${warningsOf(answer.sayings)}${attributed(seen)}`;
    const own = gates.filter((gate) => gate.type === type);
    if (!answer.waitsForGate) return { reason: 'HookRefused', message: refused };
    const how = say.howToDecide(canary, own).message;
    return { reason: 'GateClosed', message: `${refused}. ${how}` };
  }
  return undefined;
}

/** Whoever is to approve wants to know what, and whose it is. */
function attributed({ revision }: Observation): string {
  const { changedBy, cause } = revision ?? {};
  const what = [changedBy === undefined ? [] : `by ${changedBy}`, cause ?? []].flat().join(': ');
  return what === '' ? '' : ` (${what})`;
}

const warningsOf = (said: readonly Saying[]): string =>
  said
    .filter(({ type }) => type === 'Warning')
    .map(({ message }) => message)
    .join('; ');

/** An answer that has been awaited for an interval is worth a word. */
function unanswered(
  seen: Observation,
  question: Question,
  { steadyMs }: Moment,
): Obstacle | 'Same' {
  const { canary } = seen;
  const isSlow = steadyMs - nextBeatAtMs(seen) >= analysisIntervalMs(canary);
  return isSlow ? checksRunning(canary, question) : 'Same';
}

const typeOfStage: Readonly<Record<Question['stage'], Exclude<HookType, 'event'>>> = {
  ConfirmRollout: 'confirm-rollout',
  RollbackRequested: 'rollback',
  PreRollout: 'pre-rollout',
  Analysis: 'rollout',
  ConfirmTrafficIncrease: 'confirm-traffic-increase',
  ConfirmPromotion: 'confirm-promotion',
};

function checksRunning(canary: Canary, { stage }: Question): Obstacle {
  const hooks = hooksOf(canary, typeOfStage[stage]).map(({ name }) => name);
  const metrics = stage === 'Analysis' ? (canary.spec.analysis?.metrics ?? []) : [];
  const called = hooks.length === 0 ? [] : [`${typeOfStage[stage]} hooks ${hooks.join(', ')}`];
  const asked = metrics.length === 0 ? [] : [`metrics ${metrics.map((it) => it.name).join(', ')}`];
  const message = `waiting for the answers of ${[...called, ...asked].join(' and ')}`;
  return { reason: 'ChecksRunning', message };
}

function isStep({ status }: Canary, next: CanaryStatus | undefined): boolean {
  if (next === undefined || status === undefined) return next !== undefined;
  const { phase, canaryWeight, iterations, lastAppliedSpec } = next;
  return (
    phase !== status.phase ||
    canaryWeight !== status.canaryWeight ||
    iterations !== status.iterations ||
    lastAppliedSpec !== status.lastAppliedSpec
  );
}

const waitingOf = ({ status }: Canary): Condition | undefined =>
  status?.conditions?.find(({ type }) => type === waitingCondition);

/**
 * The status to write; `decided` itself, which may be none, where the condition stands. What passes
 * mostly gets a write of its own only when the phase has lasted for an interval.
 */
function withObstacle(
  canary: Canary,
  decided: CanaryStatus | undefined,
  obstacle: Obstacle | 'Same' | undefined,
  { seen, now }: { readonly seen: Observation; readonly now: Moment },
): CanaryStatus | undefined {
  const known = waitingOf(canary);
  const rides = decided !== undefined;
  const inPhaseMs = now.steadyMs - seen.transitionAtMs;
  const isBrief = obstacle !== 'Same' && passing.has(obstacle?.reason ?? '') && !rides;
  if (isBrief && known === undefined && inPhaseMs < analysisIntervalMs(canary)) return decided;

  const isSameWait = !isStep(canary, decided);
  const wanted = obstacle === 'Same' ? known : wait(known, obstacle, { isSameWait, rides, now });
  const { conditions = [], ...status } = decided ?? statusOf(canary);
  const found = conditions.find(({ type }) => type === waitingCondition);
  if (found === wanted) return decided;
  const others = conditions.filter(({ type }) => type !== waitingCondition);
  return { ...status, conditions: wanted === undefined ? others : [...others, wanted] };
}

/** The condition; the one that is known where it says the same wait well enough. */
function wait(
  known: Condition | undefined,
  obstacle: Obstacle | undefined,
  given: { readonly isSameWait: boolean; readonly rides: boolean; readonly now: Moment },
): Condition | undefined {
  if (obstacle === undefined) return undefined;
  const { wallTime } = given.now;
  const { reason, message } = obstacle;
  const stands = given.isSameWait && known?.reason === reason;
  if (stands && (known.message === message || !(given.rides || isStale(known, wallTime)))) {
    return known;
  }
  const lastTransitionTime = (stands ? known.lastTransitionTime : undefined) ?? wallTime;
  const times = { lastUpdateTime: wallTime, lastTransitionTime };
  return { type: waitingCondition, status: 'True', reason, message, ...times };
}

/** Numbers in a message that would cost a write are brought up to date once a minute at most. */
const isStale = ({ lastUpdateTime = '' }: Condition, wallTime: string): boolean =>
  minuteOf(lastUpdateTime) !== minuteOf(wallTime);

/** Of RFC 3339. */
const minuteOf = (time: string): string => time.slice(0, 'YYYY-MM-DDThh:mm'.length);

/**
 * The status that says which call failed; undefined where it says so already. Nothing but the
 * condition differs: what was decided has not happened.
 */
export function retrying(
  seen: Observation,
  message: string,
  now: Moment,
): CanaryStatus | undefined {
  const obstacle: Obstacle = { reason: 'CallFailed', message: `${message}; trying again` };
  return withObstacle(seen.canary, undefined, obstacle, { seen, now });
}
