/** What holds for any Canary in any scenario, tried with some of each. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { parseDocument } from 'yaml';
import { readInputs } from '../../src/rehearsal/input.ts';
import { readScenario } from '../../src/rehearsal/read-scenario.ts';
import { rehearse } from '../../src/rehearsal/rehearse.ts';
import type { Rehearsal } from '../../src/rehearsal/timeline.ts';
import { parseSource } from '../../src/rehearsal/yaml-source.ts';

const [canaryText = ''] = readFileSync(new URL('podinfo.yaml', import.meta.url), 'utf8').split(
  '---',
);

/** Of an analysis by weights, blue/green or A/B, with a window that always has two scrapes. */
const analyses = fc.record({
  interval: fc.constantFrom('20s', '1m', '3m'),
  threshold: fc.integer({ min: 1, max: 4 }),
  progress: fc.oneof(
    fc.record({
      stepWeight: fc.integer({ min: 1, max: 60 }),
      maxWeight: fc.integer({ min: 1, max: 100 }),
    }),
    fc.record({ iterations: fc.integer({ min: 1, max: 4 }) }),
  ),
  stepWeightPromotion: fc.constantFrom(0, 30),
});

type Analysis = typeof analyses extends fc.Arbitrary<infer T> ? T : never;

async function run(given: Analysis, scenario: string, seed: number): Promise<Rehearsal> {
  const document = parseDocument(canaryText);
  const { progress, ...rest } = given;
  const metrics = [
    { name: 'request-success-rate', thresholdRange: { min: 95 }, interval: '1m' },
    { name: 'request-duration', thresholdRange: { max: 500 }, interval: '1m' },
  ];
  const webhooks = [{ name: 'load-test', url: 'http://loadtester.test/' }];
  document.setIn(['spec', 'analysis'], { ...rest, ...progress, metrics, webhooks });
  const source = parseSource('canary.yaml', document.toString());
  assert.ok(source.ok);
  const inputs = readInputs(source.documents, { namespace: 'test', meshProvider: 'istio' });
  const read = readScenario('scenario.yaml', scenario, 'scenario');
  assert.ok(inputs.ok && read.ok, JSON.stringify({ inputs, read }));
  const [input] = inputs.inputs;
  assert.ok(input);
  const timeoutMs = undefined;
  return rehearse({ input, scenario: read.scenario, seed, timeoutMs, meshProvider: 'istio' });
}

const scenarioOf = (errorRate: number, readyAfter: number): string => `
requestsPerSecond: 200
testRequestsPerSecond: 20
revisions: { v2: { errorRate: ${errorRate}, pods: { readyAfter: ${readyAfter}s } } }
actions: [{ at: 0s, deploy: v2 }]
`;

const runs = { numRuns: 12 };

/** Each wants a second at most. */
suite('whatever the analysis', () => {
  const readyAfter = fc.integer({ min: 0, max: 60 });
  const seed = fc.integer({ min: 0, max: 1e6 });

  test('a revision without errors is promoted, and fails nobody', async () => {
    await fc.assert(
      fc.asyncProperty(analyses, readyAfter, seed, async (analysis, ready, chance) => {
        const rehearsal = await run(analysis, scenarioOf(0, ready), chance);
        assert.equal(rehearsal.verdict, 'promoted', JSON.stringify(rehearsal.timeline));
        assert.equal(rehearsal.requests.failed, 0);
      }),
      runs,
    );
  });

  test('a revision that fails half of its requests is not, and is met by no more than its weight', async () => {
    await fc.assert(
      fc.asyncProperty(analyses, readyAfter, seed, async (analysis, ready, chance) => {
        const { verdict, requests, rollouts, timeline } = await run(
          analysis,
          scenarioOf(50, ready),
          chance,
        );
        assert.equal(verdict, 'rolled-back', JSON.stringify(timeline));
        const weightMax = rollouts[0]?.weightMax ?? 0;
        assert.ok(requests.byNew <= (requests.all * weightMax) / 100 + 1);
        assert.ok(Math.abs(requests.failedByNew - requests.byNew / 2) < 1);
        assert.ok(requests.failed <= requests.failedAllAtOnce + 1);
      }),
      runs,
    );
  });
});
