/** What must hold whatever the phase, and how long to wait until the next look. */
import { analysisIntervalMs } from '../api/defaults.ts';
import type { Cookies, Decision, Effect } from './decision.ts';
import { nothing } from './decision.ts';
import { waiting } from './messages.ts';
import type { Moment, Observation, Readiness, Split } from './observation.ts';
import { statusOf } from './status.ts';

/** Services, primary and autoscaler copy are as they must be; repaired where they drifted. */
export const upkeep: readonly Effect[] = [
  { kind: 'EnsureSideServices' },
  { kind: 'EnsurePrimary' },
  { kind: 'EnsureAutoscaler', mode: 'init' },
  { kind: 'EnsureApexService' },
];

/** Routes say `split`. Cookies are those of the status unless a step changes them. */
export function route(seen: Observation, split: Split, cookies?: Cookies): Effect {
  return { kind: 'Route', split, cookies: cookies ?? cookiesOf(seen) };
}

export function cookiesOf({ canary }: Observation): Cookies {
  const status = statusOf(canary);
  return {
    ...(status.sessionAffinityCookie ? { canary: status.sessionAffinityCookie } : {}),
    ...(status.primarySessionAffinityCookie
      ? { primary: status.primarySessionAffinityCookie }
      : {}),
    ...(status.previousSessionAffinityCookie
      ? { previous: status.previousSessionAffinityCookie }
      : {}),
  };
}

/** Time of the next verdict: one interval after the last, and at once for the first of a run. */
export function nextBeatAtMs(seen: Observation): number {
  const { beatAtMs, transitionAtMs, canary } = seen;
  const { canaryWeight, iterations, failedChecks } = statusOf(canary);
  const begun = canaryWeight > 0 || iterations > 0 || failedChecks > 0;
  if (beatAtMs === undefined && !begun) return transitionAtMs;
  return (beatAtMs ?? transitionAtMs) + analysisIntervalMs(canary);
}

/**
 * The beat that a verdict given now uses up. A verdict that comes late by less than an interval
 * keeps the cadence; after a longer pause the cadence starts anew.
 */
export function beatOf(seen: Observation, now: Moment): number {
  const dueAtMs = nextBeatAtMs(seen);
  return now.steadyMs - dueAtMs < analysisIntervalMs(seen.canary) ? dueAtMs : now.steadyMs;
}

/** Nothing to do but wait, saying for what. Looks again in an interval if nothing happens. */
export function hold(
  seen: Observation,
  now: Moment,
  effects: readonly Effect[],
  readiness: Readiness,
): Decision {
  const lookAgainAtMs = now.steadyMs + analysisIntervalMs(seen.canary);
  const sayings = readiness.kind === 'NotReady' ? [waiting(readiness.message)] : [];
  return { ...nothing, effects, sayings, lookAgainAtMs };
}
