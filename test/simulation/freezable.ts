/**
 * A process that stands still, as a machine does that swaps or is suspended: its timers and what it
 * is answered wait, time does not, and it never learns of it.
 */
import type { Clock } from '../../src/kube/clock.ts';
import { onAbort } from '../../src/kube/abort.ts';
import type { Transport } from '../../src/kube/transport.ts';

export interface Freezer {
  readonly clock: Clock;
  readonly wire: (transport: Transport) => Transport;
  freeze(ms: number): void;
  /** What its wall clock is off. */
  jump(ms: number): void;
}

export function createFreezer(clock: Clock): Freezer {
  let thawAtMs = 0;
  let offMs = 0;
  const later = (callback: () => void): void => {
    const leftMs = thawAtMs - clock.monotonic();
    if (leftMs <= 0) callback();
    else clock.after(leftMs, () => later(callback));
  };
  const thawed = (): Promise<void> =>
    new Promise((resolve) => {
      later(resolve);
    });
  const after: Clock['after'] = (ms, callback) => {
    let isCancelled = false;
    const cancel = clock.after(ms, () =>
      later(() => {
        if (!isCancelled) callback();
      }),
    );
    return () => {
      isCancelled = true;
      cancel();
    };
  };
  return {
    clock: {
      now: () => clock.now() + offMs,
      monotonic: () => clock.monotonic(),
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
    },
    wire: (transport) => ({
      call: async (request) => {
        try {
          return await transport.call(request);
        } finally {
          await thawed();
        }
      },
      stream: async (request) => slowed(await transport.stream(request), thawed),
      close: () => transport.close(),
    }),
    freeze: (ms) => {
      thawAtMs = Math.max(thawAtMs, clock.monotonic() + ms);
    },
    jump: (ms) => {
      offMs += ms;
    },
  };
}

async function* slowed(
  chunks: AsyncIterable<Uint8Array>,
  thawed: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    await thawed();
    yield chunk;
  }
}
