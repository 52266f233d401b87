/**
 * A clock that stands still until a test moves it. Callbacks run in the order of their times, and
 * between two of them all promises settle that can.
 */
import { onAbort } from '../../src/kube/abort.ts';
import type { Clock } from '../../src/kube/clock.ts';

export interface VirtualClock extends Clock {
  /** Moves time forward, stopping at each timer on the way. */
  advance(ms: number): Promise<void>;
  /** Lets promises settle without moving time. */
  settle(): Promise<void>;
  /** Timers that are set, as milliseconds from now, soonest first. */
  timers(): readonly number[];
}

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** Rounds of the event loop in which a chain of promises and loopback I/O comes to rest. */
const settlingRounds = 5;

export function createVirtualClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  let elapsedMs = 0;
  const timers = new Set<Timer>();

  const settle = async (): Promise<void> => {
    for (let round = 0; round < settlingRounds; round += 1) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  };
  const soonest = (): Timer | undefined => {
    let found: Timer | undefined;
    for (const timer of timers) {
      if (found === undefined || timer.atMs < found.atMs) found = timer;
    }
    return found;
  };
  const after = (ms: number, callback: () => void): (() => void) => {
    const timer = { atMs: elapsedMs + Math.max(0, ms), callback };
    timers.add(timer);
    return () => void timers.delete(timer);
  };

  return {
    now: () => startMs + elapsedMs,
    monotonic: () => elapsedMs,
    after,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        const cancel = after(ms, () => {
          unlisten();
          resolve();
        });
        const unlisten = onAbort(signal, () => {
          cancel();
          reject(signal.reason);
        });
      }),
    settle,
    timers: () => [...timers].map(({ atMs }) => atMs - elapsedMs).sort((a, b) => a - b),
    advance: async (ms) => {
      const untilMs = elapsedMs + ms;
      await settle();
      for (let next = soonest(); next !== undefined && next.atMs <= untilMs; next = soonest()) {
        timers.delete(next);
        elapsedMs = Math.max(elapsedMs, next.atMs);
        next.callback();
        await settle();
      }
      elapsedMs = untilMs;
    },
  };
}
