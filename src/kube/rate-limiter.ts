/**
 * A bucket of tokens, first come first served. Who gives up waiting takes no token.
 */
import { onAbort } from './abort.ts';
import { ApiError } from './api-error.ts';
import type { Clock } from './clock.ts';

/** Beyond this, waiting in line is worse than the caller's own back-off: 100 s at 100 a second. */
const waitingMax = 10_000;

export interface RateLimiter {
  /** Resolves when the caller may go. Rejects with the signal's reason once it aborts. */
  take(signal: AbortSignal): Promise<void>;
}

export interface RateLimiterOptions {
  /** Tokens a second; 0 or less is without limit. */
  readonly qps: number;
  /** Tokens that gather while nobody takes any; at least one. */
  readonly burst: number;
  readonly clock: Clock;
}

interface Waiter {
  readonly go: () => void;
}

export function createRateLimiter({ qps, burst, clock }: RateLimiterOptions): RateLimiter {
  if (qps <= 0) return { take: async (signal) => signal.throwIfAborted() };

  const tokensMax = Math.max(1, burst);
  const waiting = new Set<Waiter>();
  let tokens = tokensMax;
  let countedAtMs = clock.monotonic();
  let isTimed = false;

  const refill = (): void => {
    const nowMs = clock.monotonic();
    tokens = Math.min(tokensMax, tokens + ((nowMs - countedAtMs) * qps) / 1000);
    countedAtMs = nowMs;
  };
  const serve = (): void => {
    refill();
    for (const waiter of waiting) {
      if (tokens < 1) break;
      tokens -= 1;
      waiting.delete(waiter);
      waiter.go();
    }
    if (waiting.size === 0 || isTimed) return;
    isTimed = true;
    // Rounded up: a timer that fires a hair too early would find no token and fire again.
    clock.after(Math.ceil(((1 - tokens) * 1000) / qps), () => {
      isTimed = false;
      serve();
    });
  };

  return {
    take: (signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        if (waiting.size >= waitingMax) {
          const message = `more than ${waitingMax} calls wait for their turn`;
          reject(new ApiError(message, { code: 0, reason: 'Throttled' }));
          return;
        }
        const waiter: Waiter = {
          go: () => {
            unlisten();
            resolve();
          },
        };
        const unlisten = onAbort(signal, () => {
          waiting.delete(waiter);
          reject(signal.reason);
        });
        waiting.add(waiter);
        serve();
      }),
  };
}
