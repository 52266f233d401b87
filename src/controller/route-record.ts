/**
 * What the controller remembers of a canary's routes between two looks. All of it may be lost at any
 * time: a process that starts afresh waits for a gateway that never reports once more, and no longer.
 */
import type { Confirmation, Split } from '../canary/observation.ts';
import type { Confirmation as Reported } from '../routing/provider.ts';

export interface RouteRecord {
  /**
   * What was reported at the last look, and since when it is so, by the steady clock; no time where
   * it was so when this process came.
   */
  standing: { readonly state: Reported['state']; readonly sinceMs: number | undefined } | undefined;
  /** What the routes were last made to say, and for which spec. */
  intent: string | undefined;
  /** The split of it. */
  split: Split | undefined;
  /** Resource versions at which they said so, by kind and name; '' right after a write. */
  versions: ReadonlyMap<string, string>;
  /** The last repair: how long the next one has to wait, and when all is forgotten. */
  contest:
    { readonly waitMs: number; readonly nextAtMs: number; readonly calmAtMs: number } | undefined;
  /** Said of routes that are left as somebody else wrote them until the next repair. */
  blockedBy: string | undefined;
}

/**
 * How long a gateway has to report on a route for the first time. Controllers of gateways do so in
 * less than a second; a route that nobody reports on belongs to none that runs.
 */
export const unreportedMs = 10_000;

export const createRouteRecord = (): RouteRecord => ({
  standing: undefined,
  intent: undefined,
  split: undefined,
  versions: new Map(),
  contest: undefined,
  blockedBy: undefined,
});

/** What was reported, in the core's words and times; the record goes on from here. */
export function confirmationOf(
  reported: Reported,
  record: RouteRecord,
  nowMs: number,
): Confirmation {
  const { state } = reported;
  const before = record.standing;
  const isOld = before === undefined ? state === 'confirmed' : before.state === state;
  const sinceMs = isOld ? before?.sinceMs : nowMs;
  record.standing = { state, sinceMs };
  switch (reported.state) {
    case 'confirmed':
      return { state: 'confirmed', ...(sinceMs !== undefined && { sinceMs }) };
    case 'pending':
      return { ...reported, sinceMs: sinceMs ?? nowMs };
    case 'refused':
      return reported;
    case 'unreported':
      return unreported(reported.route, sinceMs ?? nowMs, nowMs);
  }
}

function unreported(route: string, sinceMs: number, nowMs: number): Confirmation {
  const untilMs = sinceMs + unreportedMs;
  if (nowMs >= untilMs) return { state: 'confirmed', sinceMs: untilMs, unreported: route };
  return { state: 'pending', why: `${route} waits for a gateway that reports`, sinceMs, untilMs };
}
