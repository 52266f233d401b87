/**
 * What holds whatever the settings, the answers and the moment at which the process dies. The world
 * refuses by itself what invariants 1 and 3 forbid at each write; the rest is asked here.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { CanaryAnalysis, HookType } from '../../src/api/canary.ts';
import { isSettled, World } from './world.ts';

const hooks: readonly HookType[] = [
  'confirm-rollout',
  'pre-rollout',
  'rollout',
  'confirm-traffic-increase',
  'confirm-promotion',
];
const percent = fc.integer({ min: 1, max: 100 });

const steps: fc.Arbitrary<Partial<CanaryAnalysis>> = fc.oneof(
  fc.record({ stepWeight: percent, maxWeight: percent }),
  fc
    .uniqueArray(percent, { minLength: 1, maxLength: 5 })
    .map((weights) => ({ stepWeight: 0, stepWeights: weights.toSorted((a, b) => a - b) })),
  fc.record({ stepWeight: fc.constant(0), iterations: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    stepWeight: fc.constant(0),
    iterations: fc.integer({ min: 1, max: 4 }),
    match: fc.constant([{ headers: { 'x-canary': { exact: 'insider' } } }]),
  }),
);

const analyses: fc.Arbitrary<CanaryAnalysis> = fc
  .tuple(
    steps,
    fc.record({
      threshold: fc.integer({ min: 1, max: 3 }),
      mirror: fc.boolean(),
      stepWeightPromotion: fc.constantFrom(0, 0, 7, 50),
      metrics: fc.constantFrom([], [{ name: 'request-success-rate' }]),
      webhooks: fc
        .subarray([...hooks])
        .map((types) => types.map((type) => ({ name: type, type, url: 'http://hook.local' }))),
    }),
  )
  .map(([strategy, others]) => ({ ...others, ...strategy }));

/** The same revision gets the same answers, whenever and however often it is asked about. */
const worldOf = (analysis: CanaryAnalysis, routed: boolean, badRevisions: readonly string[]) =>
  new World({
    analysis,
    routed,
    answer: (stage, { target }) => {
      if (stage === 'RollbackRequested') return false;
      return stage !== 'Analysis' || !badRevisions.includes(target.revision);
    },
  }).initialize();

const isJudged = ({ metrics = [], webhooks = [] }: CanaryAnalysis): boolean =>
  metrics.length > 0 || webhooks.some(({ type }) => type === 'rollout');

const rolled = (world: World, revision: string): boolean =>
  isSettled(world) && world.status.lastAppliedSpec === revision;

test('every rollout ends, promoted or failed, with all traffic on the primary and no idle pods', () => {
  fc.assert(
    fc.property(analyses, fc.boolean(), fc.boolean(), (analysis, routed, isBad) => {
      const world = worldOf(analysis, routed, isBad ? ['v2'] : []);
      world.apply('v2');
      world.run((it) => rolled(it, 'v2'));
      const fails = isBad && isJudged(analysis);
      assert.equal(world.phase, fails ? 'Failed' : 'Succeeded');
      assert.equal(world.primary?.revision, fails ? 'v1' : 'v2');
      assert.equal(world.target.replicas, 0);
      if (routed) assert.equal(world.split?.canary, 0);
    }),
    { numRuns: 400 },
  );
});

test('the weight never grows twice on one verdict, and a bad revision never grows beyond its first step', () => {
  fc.assert(
    fc.property(analyses, (analysis) => {
      fc.pre(isJudged(analysis) && (analysis.iterations ?? 0) === 0);
      const world = worldOf(analysis, true, ['v2']);
      world.apply('v2');
      world.run((it) => rolled(it, 'v2'));
      const weights = new Set(world.splits.map((split) => Number(split.split(/[: ]/)[1])));
      weights.delete(0);
      assert.ok(weights.size <= 1, world.splits.join(' '));
    }),
    { numRuns: 300 },
  );
});

test('killed after any write and started again, it ends where it would have ended', () => {
  fc.assert(
    fc.property(
      analyses,
      fc.boolean(),
      fc.boolean(),
      fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 4 }),
      (analysis, routed, isBad, deaths) => {
        const bad = isBad ? ['v2'] : [];
        const calm = worldOf(analysis, routed, bad);
        calm.apply('v2');
        calm.run((it) => rolled(it, 'v2'));

        const world = worldOf(analysis, routed, bad);
        world.apply('v2');
        for (const budget of deaths) {
          world.budget = budget;
          world.run((it) => it.budget <= 0 || rolled(it, 'v2'));
          world.restart();
        }
        world.run((it) => rolled(it, 'v2'));
        assert.equal(world.phase, calm.phase);
        assert.equal(world.primary?.revision, calm.primary?.revision);
        assert.deepEqual(world.split, calm.split);
        assert.equal(world.target.replicas, 0);
        assert.equal(world.status.lastPromotedSpec, calm.status.lastPromotedSpec);
      },
    ),
    { numRuns: 600 },
  );
});

test('of revisions that come at any time, the last one ends promoted, and no bad one ever is', () => {
  const changes = fc.array(
    fc.record({
      afterLooks: fc.integer({ min: 0, max: 25 }),
      isBad: fc.boolean(),
      reverts: fc.boolean(),
    }),
    { minLength: 1, maxLength: 5 },
  );
  fc.assert(
    fc.property(analyses, changes, (analysis, sequence) => {
      fc.pre(isJudged(analysis));
      const names = sequence.map(({ isBad, reverts }, index) =>
        reverts ? 'v1' : `${isBad ? 'bad' : 'good'}-${index}`,
      );
      const world = worldOf(
        analysis,
        true,
        names.filter((name) => name.startsWith('bad')),
      );
      for (const [index, { afterLooks }] of sequence.entries()) {
        let looks = 0;
        world.run(() => (looks += 1) > afterLooks);
        world.apply(names[index] ?? '');
      }
      world.apply('last');
      world.run((it) => rolled(it, 'last'));
      assert.equal(world.primary?.revision, 'last');
      assert.ok(!world.promoted.some((name) => name.startsWith('bad')), world.promoted.join(' '));
    }),
    { numRuns: 300 },
  );
});
