/**
 * The core: what is to be done about one canary now. Pure: the same observation and the same
 * moment give the same decision, so a process that dies is followed by one that decides the same.
 *
 *   ''/Initializing ──> Initialized ──change──> [Waiting] ──> Progressing <──> (newer revision)
 *                            ^                                  │  │
 *                            │                                  │  └─> [WaitingPromotion]
 *       Succeeded, Failed ───┘ (a change starts them too)       v          │
 *           ^    ^                                          Promoting <────┘
 *           │    └── Failed: Progressing, WaitingPromotion,     v
 *           │        Promoting, Finalising                  Finalising
 *           └───────────────────────────────────────────────────┘
 *   any ──> Terminating, on deletion with revertOnDeletion
 *
 * Decisions are made in the order of this file: deletion, suspension, problems, adoption, what
 * people decided about gates, phase.
 */
import type { Canary } from '../api/canary.ts';
import { finalizer } from '../api/annotations.ts';
import { hear } from './approval.ts';
import type { Decision, Effect } from './decision.ts';
import { nothing } from './decision.ts';
import { initialize } from './initialize.ts';
import * as say from './messages.ts';
import type { Moment, Observation } from './observation.ts';
import { planOf } from './plan.ts';
import { progress } from './progress.ts';
import { finalise, promote } from './promote.ts';
import { judgeReadiness, settledAtMs } from './readiness.ts';
import { rest, waitForApproval } from './rest.ts';
import { isStalled, stalled, statusOf, transition } from './status.ts';
import { terminate } from './terminate.ts';
import { lookingAgain } from './upkeep.ts';
import { renamed } from './window.ts';

export function decide(seen: Observation, now: Moment): Decision {
  const { canary, problem } = seen;
  if (canary.metadata.deletionTimestamp !== undefined) {
    return decideReadiness(seen, now, terminate);
  }

  const finalizerEffects = ensureFinalizer(canary);
  if (finalizerEffects.length > 0) return { ...nothing, effects: finalizerEffects };
  if (canary.spec.suspend === true) return { ...nothing, sayings: [say.suspended] };
  if (problem !== undefined) {
    const sayings = [say.blocked(problem.message)];
    return { ...nothing, status: stalled(seen, problem, now), sayings };
  }
  if (isStalled(statusOf(canary))) {
    return { ...nothing, status: transition(seen, {}, now), lookAgainAtMs: now.steadyMs };
  }
  if (seen.revision?.change === 'Adopt') return adopt(seen, now);
  return hear(seen, now) ?? decideReadiness(seen, now, decidePhase);
}

/** Whoever sees a side that settles looks again when it has. */
function decideReadiness(
  seen: Observation,
  now: Moment,
  decidePart: (judged: Observation, now: Moment) => Decision,
): Decision {
  const judged = judgeReadiness(seen, now);
  const atMs = settledAtMs(judged);
  const decision = decidePart(judged, now);
  return atMs === undefined ? decision : lookingAgain(decision, atMs);
}

function decidePhase(seen: Observation, now: Moment): Decision {
  const { phase } = statusOf(seen.canary);
  switch (phase) {
    case '':
    case 'Initializing':
      return initialize(seen, now);
    case 'Initialized':
    case 'Succeeded':
    case 'Failed':
      return rest(seen, now);
    case 'Waiting':
      return waitForApproval(seen, now);
    case 'Progressing':
    case 'WaitingPromotion':
      return progress(seen, now);
    case 'Promoting':
      return promote(seen, now);
    case 'Finalising':
      return finalise(seen, now);
    case 'Terminating':
    case 'Terminated':
      return nothing;
  }
}

/** The finalizer stands exactly while the canary asks to be undone on deletion. */
function ensureFinalizer(canary: Canary): readonly Effect[] {
  const present = canary.metadata.finalizers?.includes(finalizer) === true;
  const wanted = canary.spec.revertOnDeletion === true;
  return present === wanted ? [] : [{ kind: 'EnsureFinalizer', present: wanted }];
}

/**
 * Hashes that changed though nobody changed the target are taken over, and nothing starts. So is
 * what the reference's status lacks: it notes what was promoted only at the end, and it forgets the
 * weight while promotion waits (`spec/01`, 1.8), where the routes are the truth.
 */
function adopt(seen: Observation, now: Moment): Decision {
  const { revision, canary, split } = seen;
  const { phase, canaryWeight, lastPromotedSpec, lastAppliedSpec } = statusOf(canary);
  if (revision === undefined) return nothing;
  const isOnPrimary = phase === 'Promoting' || phase === 'Finalising';
  const wasPromoted = isOnPrimary || lastPromotedSpec === lastAppliedSpec;
  const isWeighted = planOf(canary, seen.abilities).kind === 'Weights';
  const forgot = phase === 'WaitingPromotion' && isWeighted && canaryWeight === 0;
  const change = {
    applies: revision,
    ...(wasPromoted ? { lastPromotedSpec: revision.hash, ...renamed(seen) } : {}),
    ...(forgot && split !== undefined ? { canaryWeight: split.canary } : {}),
  };
  return { ...nothing, status: transition(seen, change, now), lookAgainAtMs: now.steadyMs };
}
