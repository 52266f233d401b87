/**
 * A clock that stands still until somebody moves it. Callbacks run in the order of their times, of
 * equal times in the order in which they were set; and between two of them all promises settle that
 * can. So whatever runs on it runs the same way each time.
 */
import { onAbort } from '../kube/abort.ts';
import type { Clock } from '../kube/clock.ts';

export interface VirtualClock extends Clock {
  /** Moves time forward, stopping at each timer on the way. */
  advance(ms: number): Promise<void>;
  /** Moves time forward until the condition holds, or by so much; answers whether it holds. */
  advanceUntil(holds: () => boolean, msMax: number): Promise<boolean>;
  /** Lets promises settle without moving time. */
  settle(): Promise<void>;
  /** Timers that are set, as milliseconds from now, soonest first. */
  timers(): readonly number[];
}

interface Timer {
  readonly atMs: number;
  readonly serial: number;
  callback: (() => void) | undefined;
}

export interface VirtualClockOptions {
  /** Milliseconds since the epoch. */
  readonly startMs?: number;
  /**
   * Rounds of the event loop in which what was set off comes to rest. One is enough for promises;
   * loopback I/O takes some more.
   */
  readonly settlingRounds?: number;
}

export function createVirtualClock(options: VirtualClockOptions = {}): VirtualClock {
  const { startMs = Date.UTC(2026, 0, 1), settlingRounds = 1 } = options;
  const timers = createTimers();
  let elapsedMs = 0;

  const settle = async (): Promise<void> => {
    for (let round = 0; round < settlingRounds; round += 1) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  };
  const after = (ms: number, callback: () => void): (() => void) =>
    timers.add(elapsedMs + Math.max(0, ms), callback);
  const advanceUntil = async (holds: () => boolean, msMax: number): Promise<boolean> => {
    const untilMs = elapsedMs + msMax;
    await settle();
    while (!holds()) {
      const next = timers.takeBefore(untilMs);
      if (next === undefined) {
        elapsedMs = untilMs;
        return false;
      }
      elapsedMs = Math.max(elapsedMs, next.atMs);
      next.callback?.();
      await settle();
    }
    return true;
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
    timers: () => timers.times().map((atMs) => atMs - elapsedMs),
    advanceUntil,
    advance: async (ms) => void (await advanceUntil(() => false, ms)),
  };
}

/** A binary heap by time, then by age. A timer that was cancelled stays until its turn comes. */
function createTimers() {
  const heap: Timer[] = [];
  let serial = 0;
  const isSooner = (one: Timer, other: Timer): boolean =>
    one.atMs < other.atMs || (one.atMs === other.atMs && one.serial < other.serial);
  const swapIfSooner = (lower: number, upper: number): boolean => {
    const [below, above] = [heap[lower], heap[upper]];
    if (below === undefined || above === undefined || !isSooner(below, above)) return false;
    heap[lower] = above;
    heap[upper] = below;
    return true;
  };
  const sink = (): void => {
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const [one, other] = [heap[left], heap[right]];
      const child = one !== undefined && other !== undefined && isSooner(other, one) ? right : left;
      if (!swapIfSooner(child, at)) return;
      at = child;
    }
  };
  const takeFirst = (): Timer | undefined => {
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (heap.length > 0) {
      heap[0] = last;
      sink();
    }
    return first;
  };
  return {
    add: (atMs: number, callback: () => void): (() => void) => {
      const timer: Timer = { atMs, serial: (serial += 1), callback };
      heap.push(timer);
      for (let at = heap.length - 1; at > 0;) {
        const parent = (at - 1) >> 1;
        if (!swapIfSooner(at, parent)) break;
        at = parent;
      }
      return () => (timer.callback = undefined);
    },
    /** The soonest timer that is due by then and was not cancelled. */
    takeBefore: (untilMs: number): Timer | undefined => {
      for (;;) {
        const [first] = heap;
        if (first === undefined || (first.callback !== undefined && first.atMs > untilMs)) {
          return undefined;
        }
        takeFirst();
        if (first.callback !== undefined) return first;
      }
    },
    times: (): readonly number[] =>
      heap
        .filter(({ callback }) => callback !== undefined)
        .map(({ atMs }) => atMs)
        .sort((a, b) => a - b),
  };
}
