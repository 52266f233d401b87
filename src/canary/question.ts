/** Asking for checks: the decision waits for the answer to exactly this question. */
import type { Question } from './decision.ts';
import type { Answer, Observation, Saying, Stage } from './observation.ts';
import { statusOf } from './status.ts';

export type Asked =
  | { readonly given: false; readonly question: Question }
  | { readonly given: true; readonly passed: boolean; readonly sayings: readonly Saying[] };

/**
 * The answer to `stage` for where the rollout stands now. An answer that was given for another
 * revision, step or verdict counts as none.
 */
export function ask(seen: Observation, stage: Stage): Asked {
  const status = statusOf(seen.canary);
  const id = [
    seen.revision?.id,
    status.phase,
    status.canaryWeight,
    status.iterations,
    status.failedChecks,
    seen.split?.mirrored === true,
    seen.beatAtMs ?? 'first',
  ].join('/');
  const answer: Answer | undefined = seen.answers[stage];
  if (answer?.id !== id) return { given: false, question: { stage, id } };
  return { given: true, passed: answer.passed, sayings: answer.sayings };
}
