/**
 * The work queue: names of canaries, each at most once, worked on by a bounded number of workers,
 * and never by two at a time. A name that is added while it is worked on is worked on again.
 * A failure is tried again later, with a back-off of its own for each name.
 *
 * While nobody works on it nothing is kept: no name, no timer. Who begins adds all that there is.
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
  /** Works until the signal aborts; then waits for what is in hand, and whatever becomes of it. */
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

export const createQueue = (options: QueueOptions): Queue => new WorkQueue(options);

type Work = (name: string) => Promise<void>;

class WorkQueue implements Queue {
  readonly #options: QueueOptions;
  readonly #waiting = new Map<string, Waiting>();
  readonly #inHand = new Set<string>();
  /** Added while in hand: worked on once more. */
  readonly #again = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #timers = new Map<string, () => void>();
  #isOpen = false;
  #wake = (): void => undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  add(name: string): void {
    this.#enqueue(name, undefined);
  }

  addAt(name: string, atMs: number | undefined): void {
    this.#cancelTimer(name);
    if (atMs === undefined || !this.#isOpen) return;
    const { clock } = this.#options;
    const waitMs = atMs - clock.monotonic();
    if (waitMs <= 0) {
      this.#enqueue(name, atMs);
      return;
    }
    const cancel = clock.after(waitMs, () => {
      this.#timers.delete(name);
      this.#enqueue(name, atMs);
    });
    this.#timers.set(name, cancel);
  }

  forget(name: string): void {
    this.#cancelTimer(name);
    this.#failures.delete(name);
    this.#waiting.delete(name);
  }

  get depth(): number {
    return this.#waiting.size;
  }

  oldestMs(): number {
    const [oldest] = this.#waiting.values();
    return oldest === undefined ? 0 : this.#options.clock.monotonic() - oldest.sinceMs;
  }

  async run(work: Work, signal: AbortSignal): Promise<void> {
    const running = new Set<Promise<void>>();
    this.#isOpen = !signal.aborted;
    signal.addEventListener('abort', () => this.#close(), { once: true });
    while (!signal.aborted) {
      for (const [name, entry] of this.#waiting) {
        if (running.size >= this.#options.workers) break;
        const task: Promise<void> = this.#take(name, entry, work).finally(() => {
          running.delete(task);
          this.#wake();
        });
        running.add(task);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    await Promise.all(running);
  }

  #close(): void {
    this.#isOpen = false;
    for (const name of this.#timers.keys()) this.#cancelTimer(name);
    this.#waiting.clear();
    this.#again.clear();
    this.#failures.clear();
    this.#wake();
  }

  #enqueue(name: string, dueAtMs: number | undefined): void {
    if (!this.#isOpen) return;
    if (this.#inHand.has(name)) {
      this.#again.add(name);
      return;
    }
    if (this.#waiting.has(name)) return;
    const sinceMs = this.#options.clock.monotonic();
    this.#waiting.set(name, { sinceMs, ...(dueAtMs === undefined ? {} : { dueAtMs }) });
    this.#wake();
  }

  #cancelTimer(name: string): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
  }

  async #take(name: string, { dueAtMs }: Waiting, work: Work): Promise<void> {
    const { clock, late } = this.#options;
    this.#waiting.delete(name);
    this.#inHand.add(name);
    if (dueAtMs !== undefined) late(clock.monotonic() - dueAtMs);
    try {
      await work(name);
      this.#failures.delete(name);
    } catch (error) {
      this.#retryLater(name, error);
    } finally {
      this.#inHand.delete(name);
      if (this.#again.delete(name)) this.#enqueue(name, undefined);
    }
  }

  #retryLater(name: string, error: unknown): void {
    // Cut off by the end, most likely; who works next sees what has become of it.
    if (!this.#isOpen) return;
    const { clock, random, failed } = this.#options;
    const count = (this.#failures.get(name) ?? 0) + 1;
    this.#failures.set(name, count);
    const ceilingMs = Math.min(backOffMsMax, backOffMsFirst * 2 ** Math.min(count - 1, 20));
    const retryMs = Math.round(ceilingMs * (0.5 + random() / 2));
    failed(name, error, retryMs);
    this.addAt(name, clock.monotonic() + retryMs);
  }
}
