/**
 * Phases '' and Initializing: the primary is made beside the running target, and takes over only
 * once it is ready (D31), also where the analysis is skipped (D34): until then nobody's traffic moves.
 */
import { awaitRoutes, unconfirmedSayings } from './confirmation.ts';
import type { Decision, Effect } from './decision.ts';
import { nothing } from './decision.ts';
import * as say from './messages.ts';
import type { Moment, Observation, RevisionView } from './observation.ts';
import { splitAt } from './plan.ts';
import { statusOf, transition, zeroed } from './status.ts';
import { hold, route, upkeep } from './upkeep.ts';
import { withPromoted } from './window.ts';

const beside: readonly Effect[] = [{ kind: 'EnsureSideServices' }, { kind: 'EnsurePrimary' }];

export function initialize(seen: Observation, now: Moment): Decision {
  const { canary, primary, revision } = seen;
  if (statusOf(canary).phase === '' || canary.status?.conditions === undefined) {
    const status = transition(seen, { phase: 'Initializing' }, now);
    return { effects: beside, sayings: [], status, probesMetrics: true };
  }
  if (revision !== undefined && isOutdated(primary?.revision, revision)) {
    return { ...nothing, effects: [...beside, { kind: 'Promote' }] };
  }
  if (primary?.readiness.kind !== 'Ready' || revision === undefined) {
    return hold(seen, now, beside, primary?.readiness ?? { kind: 'Ready' });
  }
  return takeOver(seen, now, revision);
}

/**
 * No revision was analysed yet, so the newest is the first, also where the one before it never gets
 * ready: it may well be the cure. A primary that another program made says nothing of its revision.
 */
const isOutdated = (primary: string | undefined, { id }: RevisionView): boolean =>
  primary !== undefined && primary !== id;

/** The target's pods stay for an interval more: connections that they hold may end in peace. */
function takeOver(seen: Observation, now: Moment, revision: RevisionView): Decision {
  const effects = [...upkeep, route(seen, splitAt(0))];
  // Nobody is told that all is done while the gateway has not taken the routes in.
  const unrouted = awaitRoutes(seen, effects);
  if (unrouted !== undefined) return unrouted;
  const change = {
    phase: 'Initialized',
    ...zeroed,
    draining: true,
    applies: revision,
    lastPromotedSpec: revision.hash,
    ...withPromoted(seen, now),
  } as const;
  return {
    effects: [...effects, { kind: 'ClaimTarget' }],
    status: transition(seen, change, now),
    sayings: [...unconfirmedSayings(seen), say.initialized(seen.canary)],
  };
}
