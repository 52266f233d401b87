import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { createTraffic } from '../../../src/cli/demo/traffic.ts';
import type { Destination } from '../../../src/cli/demo/traffic.ts';

/** Numbers that look random and are the same each time (xorshift). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const to = (workload: string, weight: number, more: Partial<Destination> = {}): Destination => ({
  workload,
  weight,
  hasReadyPod: true,
  behaviour: { failureRatio: 0, latencyMs: 25 },
  ...more,
});

function trafficAt(requestsPerSecond = 200) {
  const time = { ms: 1_000 };
  const traffic = createTraffic({
    steadyMs: () => time.ms,
    random: seeded(4711),
    requestsPerSecond,
  });
  const flowFor = (seconds: number, destinations: readonly Destination[]): void => {
    for (let tick = 0; tick < seconds * 10; tick += 1) {
      time.ms += 100;
      traffic.flow(destinations);
    }
  };
  return { traffic, flowFor, time };
}

suite('synthetic traffic', () => {
  test('goes where the route says', () => {
    const { traffic, flowFor } = trafficAt();
    flowFor(20, [to('primary', 70), to('canary', 30)]);
    assert.equal(traffic.totals.answered, 4_000);
    assert.ok(Math.abs(traffic.measured('canary', 20_000).perSecond - 60) < 5);
    assert.ok(Math.abs(traffic.measured('primary', 20_000).perSecond - 140) < 5);
  });

  test('fails as often as the code does', () => {
    const { traffic, flowFor } = trafficAt();
    flowFor(20, [to('canary', 100, { behaviour: { failureRatio: 0.3, latencyMs: 25 } })]);
    const { successRate = 0 } = traffic.measured('canary', 20_000);
    assert.ok(Math.abs(successRate - 70) < 3, `${successRate}`);
    assert.ok(Math.abs(traffic.totals.failed - 1_200) < 100);
  });

  test('fails where no pod is ready, however good the code is', () => {
    const { traffic, flowFor } = trafficAt();
    flowFor(1, [to('canary', 100, { hasReadyPod: false })]);
    assert.deepEqual({ ...traffic.totals }, { answered: 0, failed: 200 });
    assert.equal(traffic.measured('canary', 1_000).successRate, 0);
  });

  test('is measured over the window that is asked for, and no longer', () => {
    const { traffic, flowFor } = trafficAt();
    flowFor(5, [to('canary', 100, { behaviour: { failureRatio: 1, latencyMs: 25 } })]);
    flowFor(5, [to('canary', 100)]);
    assert.equal(traffic.measured('canary', 5_000).successRate, 100);
    assert.equal(traffic.measured('canary', 10_000).successRate, 50);
  });

  test('that never came has no rate and no duration', () => {
    const { traffic, flowFor } = trafficAt();
    flowFor(1, [to('primary', 100)]);
    const nothing = { requests: 0, perSecond: 0, successRate: undefined, latencyMs: undefined };
    assert.deepEqual(traffic.measured('canary', 1_000), nothing);
  });

  test('is slow where the code is', () => {
    const { traffic, flowFor } = trafficAt();
    flowFor(10, [
      to('good', 50),
      to('slow', 50, { behaviour: { failureRatio: 0, latencyMs: 400 } }),
    ]);
    assert.ok((traffic.measured('good', 10_000).latencyMs ?? 0) < 200);
    assert.ok((traffic.measured('slow', 10_000).latencyMs ?? 0) > 1_000);
  });

  test('does not come all at once after the process has slept', () => {
    const { traffic, time } = trafficAt();
    time.ms += 3_600_000;
    traffic.flow([to('primary', 100)]);
    assert.equal(traffic.totals.answered, 400);
  });

  test('goes nowhere while there is nowhere to go', () => {
    const { traffic, flowFor } = trafficAt();
    flowFor(1, []);
    flowFor(1, [to('primary', 0)]);
    assert.deepEqual({ ...traffic.totals }, { answered: 0, failed: 0 });
  });

  test('whatever the split, no request is lost and none is made up', () => {
    const weights = fc.tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 1, max: 100 }));
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 1_000 }), ([one, other], rate) => {
        const { traffic, flowFor } = trafficAt(rate);
        flowFor(2, [to('one', one), to('other', other)]);
        const { answered, failed } = traffic.totals;
        assert.ok(Math.abs(answered + failed - 2 * rate) <= 1);
        const measured = ['one', 'other'].map((it) => traffic.measured(it, 60_000).requests);
        assert.equal((measured[0] ?? 0) + (measured[1] ?? 0), answered + failed);
        if (one === 0) assert.equal(measured[0], 0);
      }),
      { numRuns: 30 },
    );
  });
});
