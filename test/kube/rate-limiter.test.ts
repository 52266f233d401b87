import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isThrottled } from '../../src/kube/api-error.ts';
import { createRateLimiter } from '../../src/kube/rate-limiter.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const { signal } = new AbortController();

test('lets a burst pass at once, and the rest at its rate, first come first served', async () => {
  const clock = createVirtualClock();
  const limiter = createRateLimiter({ qps: 10, burst: 3, clock });
  const served: string[] = [];
  for (let call = 0; call < 6; call += 1) {
    void limiter.take(signal).then(() => served.push(`${call}@${clock.monotonic()}`));
  }
  await clock.advance(1000);
  assert.deepEqual(served, ['0@0', '1@0', '2@0', '3@100', '4@200', '5@300']);
});

test('gathers no more than a burst while nobody calls', async () => {
  const clock = createVirtualClock();
  const limiter = createRateLimiter({ qps: 10, burst: 2, clock });
  await clock.advance(60_000);
  let served = 0;
  for (let call = 0; call < 5; call += 1) void limiter.take(signal).then(() => (served += 1));
  await clock.settle();
  assert.equal(served, 2);
});

test('who gives up takes no token, and does not hold up the others', async () => {
  const clock = createVirtualClock();
  const limiter = createRateLimiter({ qps: 1, burst: 1, clock });
  await limiter.take(signal);
  const impatient = new AbortController();
  const reason = new Error('enough');
  const given = assert.rejects(limiter.take(impatient.signal), (error) => error === reason);
  let isServed = false;
  void limiter.take(signal).then(() => (isServed = true));
  impatient.abort(reason);
  await given;
  await clock.advance(1000);
  assert.ok(isServed);
  await assert.rejects(limiter.take(impatient.signal), (error) => error === reason);
});

test('refuses whom it would keep waiting for minutes', async () => {
  const clock = createVirtualClock();
  const limiter = createRateLimiter({ qps: 1, burst: 1, clock });
  for (let call = 0; call < 10_001; call += 1) void limiter.take(signal);
  await assert.rejects(limiter.take(signal), isThrottled);
});

test('has no limit where none is asked for', async () => {
  const limiter = createRateLimiter({ qps: 0, burst: 0, clock: createVirtualClock() });
  for (let call = 0; call < 1000; call += 1) await limiter.take(signal);
});

test('in no span of time do more pass than a burst and the rate', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 10 }),
      fc.array(fc.nat(400), { minLength: 1, maxLength: 30 }),
      async (qps, burst, gaps) => {
        const clock = createVirtualClock();
        const limiter = createRateLimiter({ qps, burst, clock });
        const times: number[] = [];
        for (const gap of gaps) {
          await clock.advance(gap);
          void limiter.take(signal).then(() => times.push(clock.monotonic()));
        }
        await clock.advance((gaps.length * 1000) / qps + gaps.length);
        assert.equal(times.length, gaps.length, 'everybody is served in the end');
        for (const [from, fromMs] of times.entries()) {
          for (const [to, toMs] of times.entries()) {
            if (to >= from)
              assert.ok(to - from + 1 <= burst + ((toMs - fromMs) * qps) / 1000 + 1e-6);
          }
        }
      },
    ),
    { numRuns: 30 },
  );
});
