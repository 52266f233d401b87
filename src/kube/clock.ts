/**
 * Time as an argument: nothing else in the house reads a clock or sets a timer, so that a test can
 * bring a virtual one.
 */
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
        signal.removeEventListener('abort', abort);
        resolve();
      });
      const abort = (): void => {
        cancel();
        reject(signal.reason);
      };
      signal.addEventListener('abort', abort, { once: true });
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
