/**
 * Routes that the gateway has not taken in, or that it refuses, carry nothing further: no verdict is
 * given on traffic that may not flow as it is written, and no pod goes that may still have some.
 *
 *   confirmed ──> verdicts and the next step; an interval to drain begins
 *   pending ────> nothing, until the watch shows that it is taken in; while a revision is analysed,
 *                 for as long as its progress deadline
 *   refused ────> each verdict that is due is a failed check, in the gateway's own words
 */
import { analysisIntervalMs, progressDeadlineMs } from '../api/defaults.ts';
import type { Decision, Effect } from './decision.ts';
import { nothing } from './decision.ts';
import * as say from './messages.ts';
import type { Observation, Saying } from './observation.ts';

/** Keeps things as they are for as long as routes are not in effect; undefined where they are. */
export function awaitRoutes(seen: Observation, effects: readonly Effect[]): Decision | undefined {
  const { confirmation } = seen;
  switch (confirmation?.state) {
    case undefined:
    case 'confirmed':
      return undefined;
    case 'refused':
      return { ...nothing, effects, sayings: [say.routeStands(confirmation.message)] };
    case 'pending': {
      const { why, untilMs } = confirmation;
      const sayings = why === undefined ? [] : [say.waiting(why)];
      return { ...nothing, effects, sayings, ...(untilMs && { lookAgainAtMs: untilMs }) };
    }
  }
}

/** When an analysis has waited too long for its routes; undefined where it does not wait. */
export function routeDeadlineMs({ canary, confirmation }: Observation): number | undefined {
  if (confirmation?.state !== 'pending') return undefined;
  return confirmation.sinceMs + progressDeadlineMs(canary);
}

/** What is said where somebody goes on although nobody confirms. */
export const unconfirmedSayings = ({ confirmation }: Observation): readonly Saying[] =>
  confirmation?.state === 'confirmed' && confirmation.unreported !== undefined
    ? [say.unreported(confirmation.unreported)]
    : [];

/**
 * Since when traffic flows as it is written, if it was written at `writtenAtMs`. A gateway that is a
 * little late keeps the cadence; after a longer wait time begins anew, so that no verdict judges
 * less than half an interval.
 */
export function inEffectSinceMs(
  { canary, confirmation }: Observation,
  writtenAtMs: number,
): number {
  const sinceMs = confirmation?.state === 'confirmed' ? confirmation.sinceMs : undefined;
  if (sinceMs === undefined) return writtenAtMs;
  return sinceMs - writtenAtMs < analysisIntervalMs(canary) / 2 ? writtenAtMs : sinceMs;
}

/** When connections to the side that traffic has left may be cut: an interval after it left. */
export function drainedAtMs({ canary, confirmation, transitionAtMs }: Observation): number {
  const sinceMs = confirmation?.state === 'confirmed' ? (confirmation.sinceMs ?? 0) : 0;
  return Math.max(transitionAtMs, sinceMs) + analysisIntervalMs(canary);
}
