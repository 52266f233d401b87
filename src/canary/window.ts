/**
 * A fast way back (`analysis.rollbackWindow`): the status remembers the revisions that were promoted,
 * and one of them that served until lately goes straight to promotion when it is applied again.
 */
import type { CanaryStatus, PromotedRevision } from '../api/canary.ts';
import { skipsAnalysis } from '../api/defaults.ts';
import type { Moment, Observation } from './observation.ts';
import { statusOf } from './status.ts';

/** Revisions that are remembered: more than anybody goes back. */
export const promotedMax = 10;

/** Whether this rollout is promoted without an analysis. */
export const isExempt = ({ canary }: Observation): boolean =>
  skipsAnalysis(canary) || statusOf(canary).returning === true;

/**
 * The list with what the primary runs now: newest first, older ones with their end. The target may
 * say something newer already, which nobody has analysed.
 */
export function withPromoted(seen: Observation, { wallTime }: Moment): ListChange {
  const { revision, canary, primary } = seen;
  const known = revision?.change === 'Changed' ? undefined : revision?.id;
  const promotedNow = primary?.revision ?? known;
  if (promotedNow === undefined) return {};
  const { promoted = [] } = statusOf(canary);
  const [last, ...older] = promoted;
  if (last?.revision === promotedNow && last.until === undefined) return {};
  const ended = last === undefined ? [] : [{ ...last, until: last.until ?? wallTime }];
  const next = { revision: promotedNow, at: wallTime };
  return { promoted: [next, ...ended, ...older].slice(0, promotedMax) };
}

/** What failed since is good no more. */
export function withoutFailed({ revision, canary }: Observation): ListChange {
  const { promoted } = statusOf(canary);
  const kept = promoted?.filter((it) => it.revision !== revision?.id);
  return kept === undefined || kept.length === promoted?.length ? {} : { promoted: kept };
}

/** A list that an older version did not keep begins with what the primary runs. */
export function begun({ canary, primary }: Observation, { wallTime }: Moment): ListChange {
  const { promoted, lastTransitionTime = wallTime } = statusOf(canary);
  if (promoted !== undefined || primary?.revision === undefined) return {};
  return { promoted: [{ revision: primary.revision, at: lastTransitionTime }] };
}

/** The same revision under another hash. */
export function renamed({ canary, revision }: Observation): ListChange {
  const [last, ...older]: readonly PromotedRevision[] = statusOf(canary).promoted ?? [];
  if (last === undefined || revision === undefined) return {};
  return { promoted: [{ ...last, revision: revision.id }, ...older] };
}

type ListChange = Partial<Pick<CanaryStatus, 'promoted'>>;
