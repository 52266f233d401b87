/** What each rollout has cost the users of the app, whoever set it off. */
import type { Standing } from './story.ts';
import { isAtRest } from './story.ts';
import type { Traffic } from './traffic.ts';

/** To be called after each change; answers a sentence when a rollout has ended. */
export function createTally(
  totals: Traffic['totals'],
): (now: Standing | undefined) => string | undefined {
  let before: Traffic['totals'] | undefined;
  return (now) => {
    if (now === undefined) return undefined;
    if (!isAtRest(now)) {
      before ??= { ...totals };
      return undefined;
    }
    const begun = before;
    before = undefined;
    if (begun === undefined || now.phase === 'Initialized') return undefined;
    const failed = totals.failed - begun.failed;
    const requests = failed + totals.answered - begun.answered;
    const end = now.phase === 'Succeeded' ? 'Promoted' : 'Rolled back';
    return `${end}: ${failed} of ${requests} requests failed on the way`;
  };
}
