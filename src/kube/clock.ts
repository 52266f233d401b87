/**
 * Time as an argument: nothing else in the house reads a clock or sets a timer, so that a test can
 * bring a virtual one.
 */
import { onAbort } from './abort.ts';

export interface Clock {
  /** Milliseconds since the epoch. For stamps that people and other machines read. */
  now(): number;
  /** Milliseconds of a clock that never goes back. For every measure of duration. */
  monotonic(): number;
  /** Resolves after so many milliseconds; rejects with the signal's reason once it aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Calls back once after so many milliseconds, unless the returned function is called first. */
  after(ms: number, callback: () => void): () => void;
}

/** Longer timers of Node fire at once. */
const timerMsMax = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
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
  after: (ms, callback) => after(ms, callback),
};

function after(ms: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (leftMs: number): void => {
    const partMs = Math.min(Math.max(leftMs, 0), timerMsMax);
    timer = setTimeout(() => (leftMs > partMs ? arm(leftMs - partMs) : callback()), partMs);
  };
  arm(ms);
  return () => clearTimeout(timer);
}
