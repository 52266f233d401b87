/** What must hold whatever the phase, and how long to wait until the next look. */
import { analysisIntervalMs } from '../api/defaults.ts';
import { inEffectSinceMs } from './confirmation.ts';
import type { Cookies, Decision, Effect } from './decision.ts';
import { nothing } from './decision.ts';
import { hasApproval } from './gates.ts';
import { overdue, waiting } from './messages.ts';
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
  if (!hasBegun(seen)) return transitionAtMs;
  // Let through while no process lived: it has waited long enough.
  if (beatAtMs === undefined && hasApproval(statusOf(canary))) return transitionAtMs;
  return inEffectSinceMs(seen, beatAtMs ?? transitionAtMs) + analysisIntervalMs(canary);
}

/** Whether a verdict was given in this run, by this process or by one before it. */
function hasBegun({ beatAtMs, canary, split }: Observation): boolean {
  const { canaryWeight, iterations, failedChecks } = statusOf(canary);
  const stepped = canaryWeight > 0 || iterations > 0 || split?.mirrored === true;
  return beatAtMs !== undefined || stepped || failedChecks > 0;
}

/**
 * The beat that a verdict given now uses up. One that comes a little late (slow hooks, a busy
 * process) keeps the cadence; after a longer wait, as for pods, the cadence starts anew, so that
 * no verdict judges less than half an interval. The first verdict of a run starts it.
 */
export function beatOf(seen: Observation, now: Moment): number {
  const dueAtMs = nextBeatAtMs(seen);
  const lateMs = now.steadyMs - dueAtMs;
  const keeps = hasBegun(seen) && lateMs >= 0 && lateMs < analysisIntervalMs(seen.canary) / 2;
  return keeps ? dueAtMs : now.steadyMs;
}

/** Looks again at this time, if not sooner. */
export function lookingAgain(decision: Decision, atMs: number): Decision {
  return { ...decision, lookAgainAtMs: Math.min(decision.lookAgainAtMs ?? atMs, atMs) };
}

/** Nothing to do but wait, saying for what. Looks again in an interval if nothing happens. */
export function hold(
  seen: Observation,
  now: Moment,
  effects: readonly Effect[],
  readiness: Readiness,
): Decision {
  const lookAgainAtMs = now.steadyMs + analysisIntervalMs(seen.canary);
  const sayings = readiness.kind === 'NotReady' ? [waitingFor(readiness)] : [];
  return { ...nothing, effects, sayings, lookAgainAtMs };
}

const waitingFor = ({ message, retriable }: Extract<Readiness, { kind: 'NotReady' }>) =>
  retriable ? waiting(message) : overdue(message);
