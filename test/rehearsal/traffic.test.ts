import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { readScenario } from '../../src/rehearsal/read-scenario.ts';
import type { Scenario } from '../../src/rehearsal/scenario.ts';
import type { Flow, Side, Traffic } from '../../src/rehearsal/traffic.ts';
import { createTraffic } from '../../src/rehearsal/traffic.ts';

function scenarioOf(source: string): Scenario {
  const read = readScenario('s', source, 's');
  assert.ok(read.ok);
  return read.scenario;
}

const errors = scenarioOf(`
requestsPerSecond: 100
scrapeInterval: 15s
revisions:
  stable: { errorRate: 1, latency: 100ms }
  bad: { errorRate: 30, latency: 400ms }
  slower:
    errorRate: [{ after: 0s, value: 0 }, { after: 100s, value: 10, gradually: true }]
actions: [{ at: 0s, deploy: bad }]
`);

const side = (revision: string, more: Partial<Side> = {}): Side => ({
  revision,
  deployedAtMs: 0,
  hasPods: true,
  ...more,
});

const flow = (sinceMs: number, canaryShare: number, more: Partial<Flow> = {}): Flow => ({
  sinceMs,
  primaryShare: 1 - canaryShare,
  canaryShare,
  mirroredShare: 0,
  isTested: false,
  primary: side('stable'),
  canary: side('bad'),
  ...more,
});

const trafficOf = (scenario: Scenario, flows: readonly Flow[], seed = 1): Traffic => {
  const traffic = createTraffic({ scenario, seed, first: flow(-1, 0) });
  for (const each of flows) traffic.flows(each);
  return traffic;
};

const rounded = (counts: object) =>
  Object.fromEntries(
    Object.entries(counts).map(([name, count]) => [
      name,
      Math.round((count as number) * 100) / 100,
    ]),
  );

suite('requests are counted', () => {
  test('by side, share and rate of errors', () => {
    // 100 s of 100 requests at weight 10: 1,000 to the canary, of which 30% fail; 9,000 x 1%.
    const counted = trafficOf(errors, [flow(0, 0.1)]).count(0, 100_000);
    assert.deepEqual(rounded(counted), {
      all: 10_000,
      byNew: 1_000,
      failed: 390,
      failedByNew: 300,
      failedAllAtOnce: 3_000,
    });
  });

  test('from one change of the weight to the next', () => {
    const traffic = trafficOf(errors, [flow(0, 0.1), flow(10_000, 0.5), flow(20_000, 0)]);
    assert.equal(Math.round(traffic.count(0, 30_000).failedByNew), 30 + 150);
  });

  test('exactly where errors climb', () => {
    // 10% after 100 s in a straight line is 5% on the whole.
    const climbing = flow(0, 1, { canary: side('slower') });
    const counted = trafficOf(errors, [climbing]).count(0, 100_000);
    assert.ok(Math.abs(counted.failedByNew - 500) < 1e-3, String(counted.failedByNew));
  });

  test('as failed where a side has traffic and no pod', () => {
    const alone = flow(0, 0.2, { canary: side('bad', { hasPods: false }) });
    assert.equal(Math.round(trafficOf(errors, [alone]).count(0, 10_000).failedByNew), 200);
  });

  test('not where they are but copies', () => {
    const mirrored = flow(0, 0, { mirroredShare: 1 });
    const counted = trafficOf(errors, [mirrored]).count(0, 10_000);
    assert.equal(counted.byNew, 0);
    assert.equal(Math.round(counted.failed), 10);
  });

  test('of a primary that runs the new revision as the new revision’s', () => {
    const promoted = flow(0, 0, { primary: side('bad') });
    assert.equal(Math.round(trafficOf(errors, [promoted]).count(0, 10_000).failedByNew), 300);
  });
});

suite('metrics see', () => {
  const minute = 60_000;

  test('about the rate that the revision has', () => {
    const measured = trafficOf(errors, [flow(0, 0.5)]).measureCanary(10 * minute, 10 * minute);
    assert.equal(measured.latencyMs, 400);
    assert.ok(Math.abs((measured.successRate ?? 0) - 70) < 1.5, String(measured.successRate));
    assert.ok(Math.abs(measured.requests - 30_000) <= 40);
  });

  test('the same each time they look, and another sample with another seed', () => {
    const traffic = trafficOf(errors, [flow(0, 0.1)]);
    const first = traffic.measureCanary(minute, 5 * minute);
    traffic.flows(flow(5 * minute, 0.2));
    assert.deepEqual(traffic.measureCanary(minute, 5 * minute), first);
    const others = [2, 3, 4].map(
      (seed) =>
        trafficOf(errors, [flow(0, 0.1)], seed).measureCanary(minute, 5 * minute).successRate,
    );
    assert.ok(others.some((rate) => rate !== first.successRate));
  });

  test('nothing where no request came', () => {
    const measured = trafficOf(errors, [flow(0, 0)]).measureCanary(minute, 5 * minute);
    assert.deepEqual(measured, { requests: 0, successRate: undefined, latencyMs: undefined });
  });

  test('nothing in a window without two scrapes', () => {
    const traffic = trafficOf(errors, [flow(0, 0.5)]);
    assert.equal(traffic.measureCanary(10_000, 100_000).successRate, undefined);
    assert.notEqual(traffic.measureCanary(30_000, 100_000).successRate, undefined);
  });

  test('only what was scraped: not the seconds since the last scrape', () => {
    const traffic = trafficOf(errors, [flow(50_000, 1)]);
    assert.equal(traffic.measureCanary(minute, 59_000).requests, 0);
    assert.equal(traffic.measureCanary(minute, 60_000).requests, 1_000);
  });

  test('the requests of a load test, which no user notices', () => {
    const tested = scenarioOf(`
requestsPerSecond: 0
testRequestsPerSecond: 10
revisions: { bad: { errorRate: 100 } }
actions: [{ at: 0s, deploy: bad }]
`);
    const traffic = trafficOf(tested, [flow(0, 0, { isTested: true })]);
    const measured = traffic.measureCanary(minute, 5 * minute);
    assert.deepEqual([measured.requests, measured.successRate], [600, 0]);
    assert.equal(traffic.count(0, minute).failed, 0);
  });

  test('copies of requests, too', () => {
    const traffic = trafficOf(errors, [flow(0, 0, { mirroredShare: 1 })]);
    assert.ok((traffic.measureCanary(minute, 5 * minute).successRate ?? 100) < 80);
  });
});
