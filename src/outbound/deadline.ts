/** A bound on the time that a call may take, whatever it waits for. */
import { setMaxListeners } from 'node:events';

export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

export interface Deadline {
  readonly ms: number;
  /** Ends the call before its time. */
  readonly signal: AbortSignal;
  /** Rejects once its signal aborts. */
  readonly sleep: Sleep;
}

/** The call took too long. */
export class DeadlineExceeded extends Error {}

/**
 * Runs with a signal that aborts when the time is up, or when the outer one does. Rejects with a
 * `DeadlineExceeded`, or with the outer signal's reason.
 */
export async function within<T>(
  { ms, signal, sleep }: Deadline,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const inner = new AbortController();
  const { signal: ended } = inner;
  const stop = (): void => inner.abort(signal.reason);
  // The whole house hangs on a few signals: hundreds of calls under way are no leak.
  setMaxListeners(0, signal, ended);
  signal.addEventListener('abort', stop, { once: true });
  sleep(ms, ended).then(
    () => inner.abort(new DeadlineExceeded(`no answer within ${ms / 1000}s`)),
    () => undefined,
  );
  try {
    return await run(ended);
  } catch (error) {
    // Node wraps the reason into an AbortError.
    throw ended.aborted ? ended.reason : error;
  } finally {
    signal.removeEventListener('abort', stop);
    inner.abort();
  }
}
