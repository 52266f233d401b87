/** Listening to abort signals without leaving anything behind on those that live long. */
import { setMaxListeners } from 'node:events';

/** Calls back when the signal aborts, at once if it has. Returns what ends the listening. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return () => undefined;
  }
  // The whole house hangs on a few signals: hundreds of calls under way are no leak.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', callback, { once: true });
  return () => signal.removeEventListener('abort', callback);
}

/** A signal of its own that aborts with the outer one, too. Call `unlink` when it has served. */
export function linkedAbort(outer: AbortSignal): {
  readonly signal: AbortSignal;
  readonly abort: (reason: unknown) => void;
  readonly unlink: () => void;
} {
  const inner = new AbortController();
  setMaxListeners(0, inner.signal);
  const unlink = onAbort(outer, () => inner.abort(outer.reason));
  return { signal: inner.signal, abort: (reason) => inner.abort(reason), unlink };
}
