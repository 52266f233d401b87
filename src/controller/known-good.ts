/** Whether a revision may go straight to promotion (`analysis.rollbackWindow`). */
import type { Canary } from '../api/canary.ts';
import { parseDuration } from '../api/duration.ts';

/**
 * The window reaches back from `nowMs` to the moment at which the revision was replaced: until then
 * it served everybody. One that nothing has replaced since is known to be good, too. Times of a
 * clock that is ahead of ours count as now.
 */
export function isKnownGood({ spec, status }: Canary, revision: string, nowMs: number): boolean {
  const window = parseDuration(spec.analysis?.rollbackWindow ?? '');
  if (!window.ok || window.ms <= 0) return false;
  const known = status?.promoted?.find((it) => it.revision === revision);
  if (known === undefined) return false;
  return known.until === undefined || nowMs - Date.parse(known.until) <= window.ms;
}
