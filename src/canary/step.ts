/** The step that a good verdict earns, by strategy. A step is one route and one status. */
import type { CanaryStatus, GateStatus } from '../api/canary.ts';
import { analysisIntervalMs, hooksOf, totalWeight } from '../api/defaults.ts';
import type { Decision, Effect } from './decision.ts';
import { nothing } from './decision.ts';
import * as say from './messages.ts';
import type { Moment, Observation, Saying, Split } from './observation.ts';
import type { Plan } from './plan.ts';
import { maxWeight, nextWeight, planOf, splitAt } from './plan.ts';
import { ask } from './question.ts';
import { runCookies, withCookie } from './session.ts';
import { statusOf, transition } from './status.ts';
import { beatOf, route, upkeep } from './upkeep.ts';
import { waitFor } from './wait.ts';

/** What a verdict has come to so far. */
export interface Verdict {
  /** Keeps things as they are if no step is taken. */
  readonly effects: readonly Effect[];
  readonly said: readonly Saying[];
  readonly beatAtMs: number;
}

export function step(seen: Observation, now: Moment, verdict: Verdict): Decision {
  const plan = planOf(seen.canary, seen.abilities);
  switch (plan.kind) {
    case 'Weights':
      return stepWeight(seen, now, verdict, plan.mirrors);
    case 'Iterations':
      return stepIteration(seen, now, verdict, plan);
    case 'Unrouted':
      return stepUnrouted(seen, now, verdict, plan.count);
  }
}

/**
 * A step whose route is written and whose status is not: the process ended in between. It was
 * earned by a verdict, so it is recorded, and not judged again.
 */
export function stepTaken(seen: Observation, now: Moment): Decision | undefined {
  const { canary, split, abilities, isRaisedByOthers = false } = seen;
  const { canaryWeight, iterations } = statusOf(canary);
  if (split === undefined || split.canary <= canaryWeight || isRaisedByOthers) return undefined;
  const plan = planOf(canary, abilities);
  const verdict = { effects: [], said: [], beatAtMs: beatOf(seen, now) };
  if (plan.kind === 'Weights') {
    const next = nextWeight(canary, canaryWeight);
    const isNext = canaryWeight < maxWeight(canary) && next === split.canary;
    return isNext ? advanceTo(seen, now, verdict, next) : undefined;
  }
  if (plan.kind !== 'Iterations') return undefined;
  if (plan.abTesting && iterations === 0) return iterate(seen, now, verdict, plan);
  const switched = !plan.abTesting && iterations === plan.count;
  return switched ? switchToCanary(seen, now, verdict) : undefined;
}

function stepWeight(seen: Observation, now: Moment, verdict: Verdict, mirrors: boolean): Decision {
  const { canary, split } = seen;
  const { canaryWeight } = statusOf(canary);
  const next = nextWeight(canary, canaryWeight);
  const atMax = canaryWeight >= maxWeight(canary);
  if (!atMax && next === undefined) return held(seen, verdict, [say.noStep(canary)]);

  const increase =
    split?.mirrored === true ? undefined : gate(seen, now, verdict, 'ConfirmTrafficIncrease');
  if (increase?.closed !== undefined) return increase.closed;
  const earned = { ...verdict, said: [...verdict.said, ...(increase?.sayings ?? [])] };
  if (atMax || next === undefined) return promoteIfConfirmed(seen, now, earned);
  const wantsMirror = canary.spec.analysis?.mirror === true && canaryWeight === 0;
  if (wantsMirror && mirrors && split?.mirrored !== true) return mirrorTraffic(seen, now, earned);
  if (!wantsMirror || mirrors) return advanceTo(seen, now, earned, next);
  const provider = canary.spec.provider ?? 'configured';
  return advanceTo(
    seen,
    now,
    { ...earned, said: [...earned.said, say.noMirroring(provider)] },
    next,
  );
}

function advanceTo(seen: Observation, now: Moment, verdict: Verdict, weight: number): Decision {
  const change = { phase: 'Progressing', canaryWeight: weight, ...runCookies(seen) } as const;
  return taken(seen, now, verdict, {
    split: splitAt(weight),
    change,
    saying: say.advancedWeight(seen.canary, weight),
  });
}

/** The first stage of a mirroring canary: users' requests are copied to it for one interval. */
function mirrorTraffic(seen: Observation, now: Moment, verdict: Verdict): Decision {
  return taken(seen, now, verdict, {
    split: splitAt(0, true),
    change: { canaryWeight: 0 },
    saying: say.advancedWeight(seen.canary, 0),
  });
}

function stepIteration(
  seen: Observation,
  now: Moment,
  verdict: Verdict,
  plan: Extract<Plan, { kind: 'Iterations' }>,
): Decision {
  const { iterations } = statusOf(seen.canary);
  if (iterations < plan.count) return iterate(seen, now, verdict, plan);
  if (plan.abTesting) return promoteIfConfirmed(seen, now, verdict);
  // The gate stands before the switch, once: behind it the whole traffic would wait on the canary.
  const switched = statusOf(seen.canary).iterations > plan.count;
  if (switched && seen.split?.canary === totalWeight) return copyToPrimary(seen, now, verdict.said);
  const promotion = gate(seen, now, verdict, 'ConfirmPromotion');
  if (promotion?.closed !== undefined) return refusePromotion(seen, now, promotion);
  const said = [...verdict.said, ...(promotion?.sayings ?? [])];
  return switchToCanary(seen, now, { ...verdict, said });
}

function iterate(
  seen: Observation,
  now: Moment,
  verdict: Verdict,
  plan: Extract<Plan, { kind: 'Iterations' }>,
): Decision {
  const { canary, abilities } = seen;
  const { canaryWeight, ...status } = statusOf(canary);
  const iterations = status.iterations + 1;
  // A canary that serves alone since a failed promotion goes on doing so (D1).
  const weight = plan.abTesting ? totalWeight : canaryWeight;
  const mirrors = canary.spec.analysis?.mirror === true && abilities.mirroring;
  return taken(seen, now, verdict, {
    split: splitAt(weight, mirrors && weight === 0),
    change: { iterations, ...(plan.abTesting ? runCookies(seen) : {}) },
    saying: say.advancedIteration(canary, iterations, plan.count),
  });
}

function switchToCanary(seen: Observation, now: Moment, verdict: Verdict): Decision {
  const { canary } = seen;
  const change = {
    phase: 'Progressing',
    iterations: statusOf(canary).iterations + 1,
    ...runCookies(seen),
  } as const;
  return taken(seen, now, verdict, {
    split: splitAt(totalWeight),
    change,
    saying: say.routingAllToCanary(canary.spec.analysis?.mirror === true),
  });
}

function stepUnrouted(seen: Observation, now: Moment, verdict: Verdict, count: number): Decision {
  const { canary } = seen;
  const { iterations: given = 0, match = [] } = canary.spec.analysis ?? {};
  const { iterations } = statusOf(canary);
  if (iterations >= count) return promoteIfConfirmed(seen, now, verdict);
  const said = [
    ...verdict.said,
    ...(match.length > 0 ? [say.withoutRouting.abTesting] : []),
    ...(given < 1 ? say.withoutRouting.weights : []),
  ];
  return {
    effects: verdict.effects,
    status: transition(seen, { iterations: iterations + 1 }, now),
    sayings: [...said, say.advancedIteration(canary, iterations + 1, count)],
    beatAtMs: verdict.beatAtMs,
  };
}

interface Step {
  readonly split: Split;
  readonly change: Parameters<typeof transition>[1];
  readonly saying: Saying;
}

function taken(
  seen: Observation,
  now: Moment,
  verdict: Verdict,
  { split, change, saying }: Step,
): Decision {
  const cookies = split.canary > 0 ? withCookie(seen) : undefined;
  return {
    effects: [...upkeep, route(seen, split, cookies)],
    status: transition(seen, change, now),
    sayings: [...verdict.said, saying],
    beatAtMs: verdict.beatAtMs,
  };
}

/** No step: the next verdict may bring one, though nothing happens until then. */
const held = (
  { canary }: Observation,
  { effects, said, beatAtMs }: Verdict,
  sayings: readonly Saying[],
): Decision => ({
  effects,
  sayings: [...said, ...sayings],
  beatAtMs,
  lookAgainAtMs: beatAtMs + analysisIntervalMs(canary),
});

interface Gate {
  /** What to decide instead of going on: ask, or wait. */
  readonly closed?: Decision;
  readonly sayings: readonly Saying[];
  /** Gates of our own that wait now. */
  readonly gates?: readonly GateStatus[];
}

const hookOfGate = {
  ConfirmTrafficIncrease: 'confirm-traffic-increase',
  ConfirmPromotion: 'confirm-promotion',
} as const;

/** Undefined where there is no such gate. */
function gate(
  seen: Observation,
  now: Moment,
  verdict: Verdict,
  stage: keyof typeof hookOfGate,
): Gate | undefined {
  const { phase }: CanaryStatus = statusOf(seen.canary);
  if (hooksOf(seen.canary, hookOfGate[stage]).length === 0) return undefined;
  if (stage === 'ConfirmTrafficIncrease' && phase === 'WaitingPromotion') return undefined;
  const answer = ask(seen, stage);
  if (!answer.given) {
    return {
      closed: { ...nothing, effects: verdict.effects, question: answer.question },
      sayings: [],
    };
  }
  if (answer.passed) return { sayings: answer.sayings };
  const wait = waitFor(seen, hookOfGate[stage], answer, now);
  const closed = { ...held(seen, verdict, say.onlyOnce(wait.sayings)), ...wait.status };
  return { closed, sayings: [], gates: wait.gates };
}

function promoteIfConfirmed(seen: Observation, now: Moment, verdict: Verdict): Decision {
  const promotion = gate(seen, now, verdict, 'ConfirmPromotion');
  if (promotion?.closed !== undefined) return refusePromotion(seen, now, promotion);
  return copyToPrimary(seen, now, [...verdict.said, ...(promotion?.sayings ?? [])]);
}

/** Counters and weights stay as they are while promotion waits (D13, D14). */
function refusePromotion(
  seen: Observation,
  now: Moment,
  { closed = nothing, gates = [] }: Gate,
): Decision {
  const { phase } = statusOf(seen.canary);
  if (closed.question !== undefined || phase === 'WaitingPromotion') return closed;
  return { ...closed, status: transition(seen, { phase: 'WaitingPromotion', gates }, now) };
}

/** The primary gets the analysed revision, and is from then on what it runs (D17). */
export function copyToPrimary(seen: Observation, now: Moment, said: readonly Saying[]): Decision {
  const { canary, revision } = seen;
  const change = {
    phase: 'Promoting',
    ...(revision === undefined ? {} : { lastPromotedSpec: revision.hash }),
  } as const;
  return {
    effects: [...upkeep, { kind: 'Promote' }],
    status: transition(seen, change, now),
    sayings: [...said, say.copying(canary)],
  };
}
