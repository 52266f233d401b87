/**
 * Alerts of states that nothing but somebody's act ends: each is told once, when the state has stood
 * for an interval. What is put right sooner (objects that were applied in another order) is no news.
 */
import type { Condition } from '../api/kubernetes.ts';
import type { AlertText, Saying } from '../canary/observation.ts';
import type { Times } from './memory.ts';

interface Standing {
  /** By the steady clock. */
  readonly sinceMs: number;
  readonly isTold: boolean;
}

/** By state. */
export type StandingStates = Map<string, Standing>;

export interface Lasting {
  readonly due: readonly AlertText[];
  /** When the next one is due; absent where none will be. */
  readonly atMs?: number;
}

/** To be asked at every look: a state that is not said any more is over. */
export function lastingAlerts(
  states: StandingStates,
  sayings: readonly Saying[],
  conditions: readonly Condition[],
  { intervalMs, now }: { readonly intervalMs: number; readonly now: Times },
): Lasting {
  const said = new Map(
    sayings.flatMap(({ message, alert }) =>
      alert?.state === undefined ? [] : [[alert.state, { message, alert }]],
    ),
  );
  for (const state of states.keys()) if (!said.has(state)) states.delete(state);
  const due: AlertText[] = [];
  let atMs = Infinity;
  for (const [state, { message, alert }] of said) {
    const known = states.get(state) ?? foundIn(conditions, message, intervalMs, now);
    const isDue = !known.isTold && now.steadyMs - known.sinceMs >= intervalMs;
    if (isDue) due.push(alert);
    else if (!known.isTold) atMs = Math.min(atMs, known.sinceMs + intervalMs);
    states.set(state, { ...known, isTold: known.isTold || isDue });
  }
  return { due, ...(atMs < Infinity && { atMs }) };
}

/** A process that starts goes by the status: of what is older than an interval another has told. */
function foundIn(
  conditions: readonly Condition[],
  message: string,
  intervalMs: number,
  { wallMs, steadyMs }: Times,
): Standing {
  const condition = conditions.find((it) => it.message === message);
  const ageMs = wallMs - Date.parse(condition?.lastTransitionTime ?? '');
  if (!(ageMs >= 0)) return { sinceMs: steadyMs, isTold: false };
  return { sinceMs: steadyMs - Math.min(ageMs, intervalMs), isTold: ageMs >= intervalMs };
}
