/**
 * The work queue: names of canaries, each at most once, worked on by a bounded number of workers,
 * and never by two at a time. A name that is added while it is worked on is worked on again.
 * A failure is tried again later, with a back-off of its own for each name.
 */
import type { Clock } from '../kube/clock.ts';

/** First and longest wait after a failure, in milliseconds. Conflicts heal within the first. */
const backOffMsFirst = 50;
const backOffMsMax = 30_000;

export interface Queue {
  add(name: string): void;
  /**
   * Adds the name at a time of the steady clock. It has one timer: a later call replaces an earlier
   * one, and undefined removes it.
   */
  addAt(name: string, atMs: number | undefined): void;
  /** Forgets the name's timer and failures. */
  forget(name: string): void;
  /** Works until the signal aborts; then waits for what is in hand. */
  run(work: (name: string) => Promise<void>, signal: AbortSignal): Promise<void>;
  readonly depth: number;
  /** Age of the name that waits longest, in milliseconds. */
  oldestMs(): number;
}

export interface QueueOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly workers: number;
  /** Told of every failure; the queue itself only waits and tries again. */
  readonly failed: (name: string, error: unknown, retryMs: number) => void;
  /** Told how late a timed name was taken up, in milliseconds. */
  readonly late: (ms: number) => void;
}

interface Waiting {
  readonly sinceMs: number;
  /** When it was to be taken up, for names that a timer added. */
  readonly dueAtMs?: number;
}

export function createQueue(options: QueueOptions): Queue {
  const { clock, workers } = options;
  const waiting = new Map<string, Waiting>();
  const inHand = new Set<string>();
  const again = new Set<string>();
  const failures = new Map<string, number>();
  const timers = new Map<string, { readonly atMs: number; readonly cancel: () => void }>();
  let wake = (): void => undefined;

  const enqueue = (name: string, dueAtMs?: number): void => {
    if (inHand.has(name)) {
      again.add(name);
      return;
    }
    if (waiting.has(name)) return;
    waiting.set(name, {
      sinceMs: clock.monotonic(),
      ...(dueAtMs === undefined ? {} : { dueAtMs }),
    });
    wake();
  };

  const cancelTimer = (name: string): void => {
    timers.get(name)?.cancel();
    timers.delete(name);
  };

  const addAt = (name: string, atMs: number | undefined): void => {
    cancelTimer(name);
    if (atMs === undefined) return;
    const waitMs = atMs - clock.monotonic();
    if (waitMs <= 0) {
      enqueue(name, atMs);
      return;
    }
    const cancel = clock.after(waitMs, () => {
      timers.delete(name);
      enqueue(name, atMs);
    });
    timers.set(name, { atMs, cancel });
  };

  const failed = (name: string, error: unknown): void => {
    const count = (failures.get(name) ?? 0) + 1;
    failures.set(name, count);
    const ceilingMs = Math.min(backOffMsMax, backOffMsFirst * 2 ** Math.min(count - 1, 20));
    const retryMs = Math.round(ceilingMs * (0.5 + options.random() / 2));
    options.failed(name, error, retryMs);
    addAt(name, clock.monotonic() + retryMs);
  };

  const take = async (name: string, entry: Waiting, work: (name: string) => Promise<void>) => {
    waiting.delete(name);
    inHand.add(name);
    if (entry.dueAtMs !== undefined) options.late(clock.monotonic() - entry.dueAtMs);
    try {
      await work(name);
      failures.delete(name);
    } catch (error) {
      failed(name, error);
    } finally {
      inHand.delete(name);
      if (again.delete(name)) enqueue(name);
    }
  };

  const run = async (work: (name: string) => Promise<void>, signal: AbortSignal): Promise<void> => {
    const running = new Set<Promise<void>>();
    signal.addEventListener('abort', () => wake(), { once: true });
    while (!signal.aborted) {
      for (const [name, entry] of waiting) {
        if (running.size >= workers) break;
        const task: Promise<void> = take(name, entry, work).finally(() => {
          running.delete(task);
          wake();
        });
        running.add(task);
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    for (const name of [...timers.keys()]) cancelTimer(name);
    waiting.clear();
    await Promise.all(running);
  };

  return {
    add: enqueue,
    addAt,
    run,
    forget: (name) => {
      cancelTimer(name);
      failures.delete(name);
      waiting.delete(name);
    },
    get depth() {
      return waiting.size;
    },
    oldestMs: () => {
      const [oldest] = waiting.values();
      return oldest === undefined ? 0 : clock.monotonic() - oldest.sinceMs;
    },
  };
}
