/** Asking for checks: the decision waits for the answer to exactly this question. */
import type { Question } from './decision.ts';
import type { Answer, Observation, Saying, Stage } from './observation.ts';
import { statusOf } from './status.ts';

export type Asked =
  | { readonly given: false; readonly question: Question }
  | {
      readonly given: true;
      readonly passed: boolean;
      readonly waitsForGate: boolean;
      readonly sayings: readonly Saying[];
    };

/**
 * The answer to `stage` for where the rollout stands now. An answer that was given for another
 * revision, run, step or verdict counts as none.
 */
export function ask(seen: Observation, stage: Stage): Asked {
  const id = identify(seen, stage);
  const answer: Answer | undefined = seen.answers[stage];
  if (answer?.id !== id) return { given: false, question: { stage, id } };
  const { passed, waitsForGate = false, sayings } = answer;
  return { given: true, passed, waitsForGate, sayings };
}

function identify(seen: Observation, stage: Stage): string {
  const { phase, canaryWeight, iterations, failedChecks } = statusOf(seen.canary);
  // The time tells one run from another: what was allowed for a revision in an earlier run of it
  // is asked again.
  const revision = [seen.revision?.id, failedChecks, seen.transitionAtMs];
  // Once a revision is let in, it is not asked for again while a gate holds it at weight 0 (M-13).
  if (stage === 'PreRollout') return revision.join('/');
  const beat = seen.beatAtMs ?? 'first';
  const mirrored = seen.split?.mirrored === true;
  return [...revision, phase, canaryWeight, iterations, mirrored, beat].join('/');
}
