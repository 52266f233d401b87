/** One revision after the other: when its rollout began, how far it came, and how it ended. */
import type { Rollout, RolloutOutcome } from './timeline.ts';

export interface Rollouts {
  /** A revision was deployed; what was under way is replaced. */
  open(revision: string, atMs: number): void;
  /** So much traffic, in percent. */
  reached(weight: number): void;
  close(outcome: 'Promoted' | 'RolledBack', atMs: number): void;
  /** All of them; one that is under way has not finished. */
  list(nowMs: number): readonly Rollout[];
}

export function createRollouts(): Rollouts {
  const ended: Rollout[] = [];
  let current: Omit<Rollout, 'endedAtMs' | 'outcome'> | undefined;
  const end = (outcome: RolloutOutcome, endedAtMs: number): void => {
    if (current === undefined) return;
    ended.push({ ...current, endedAtMs, outcome });
    current = undefined;
  };
  return {
    open: (revision, startedAtMs) => {
      end('Replaced', startedAtMs);
      current = { revision, startedAtMs, weightMax: 0 };
    },
    reached: (weight) => {
      if (current === undefined) return;
      current = { ...current, weightMax: Math.max(current.weightMax, weight) };
    },
    close: end,
    list: (nowMs) => {
      if (current === undefined) return ended;
      return [...ended, { ...current, endedAtMs: nowMs, outcome: 'Unfinished' }];
    },
  };
}
