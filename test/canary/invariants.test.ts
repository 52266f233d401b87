/**
 * The invariants of the design, checked at every write of random rollouts: any settings and answers,
 * revisions and reverts at any time, pods that come late, go away or never come, and a process that
 * dies after any write.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Canary, CanaryAnalysis, HookType } from '../../src/api/canary.ts';
import {
  analysisIntervalMs,
  failureThreshold,
  hooksOf,
  skipsAnalysis,
} from '../../src/api/defaults.ts';
import { maxWeight, nextWeight } from '../../src/canary/plan.ts';
import { statusOf } from '../../src/canary/status.ts';
import { allHooks, canaryOf, hashOf, intervalMs } from './builders.ts';
import type { Driver, Setup, SideName, World, Written } from './driver.ts';
import { createDriver } from './driver.ts';

const percent = fc.integer({ min: 1, max: 100 });
const strategies: fc.Arbitrary<CanaryAnalysis> = fc.oneof(
  fc.record({ stepWeight: fc.integer({ min: 15, max: 100 }), maxWeight: percent }),
  fc
    .uniqueArray(percent, { minLength: 1, maxLength: 4 })
    .map((weights) => ({ stepWeights: weights.toSorted((a, b) => a - b) })),
  fc.record({ iterations: fc.integer({ min: 1, max: 3 }) }),
  fc.record({
    iterations: fc.integer({ min: 1, max: 3 }),
    match: fc.constant([{ headers: { insider: { exact: 'yes' } } }]),
  }),
);
const hookTypes: readonly HookType[] = [
  'confirm-rollout',
  'rollback',
  'pre-rollout',
  'confirm-traffic-increase',
  'confirm-promotion',
];
const canaries: fc.Arbitrary<Canary> = fc
  .record({
    strategy: strategies,
    threshold: fc.integer({ min: 1, max: 2 }),
    mirror: fc.boolean(),
    stepWeightPromotion: fc.constantFrom(0, 0, 20, 60),
    types: fc.subarray([...hookTypes]),
    skipAnalysis: fc.constantFrom(false, false, false, true),
  })
  .map(({ strategy, types, skipAnalysis, ...others }) => {
    const webhooks = allHooks.filter(
      ({ type = '' }) => type === 'rollout' || types.some((it) => it === type),
    );
    return canaryOf({ ...others, ...strategy, webhooks }, { skipAnalysis });
  });
const abilities = fc.constantFrom(
  { weights: true, mirroring: true },
  { weights: true, mirroring: true },
  { weights: true, mirroring: false },
  { weights: false, mirroring: false },
);

const isAtRest = ({ canary }: World): boolean =>
  ['Initialized', 'Succeeded', 'Failed'].includes(statusOf(canary).phase);

const hasPods = (world: World, side: SideName): boolean => (world[side]?.availablePods ?? 0) > 0;

interface Laws {
  readonly onWrite: NonNullable<Setup['onWrite']>;
  /** Revisions that the primary was given after the first. */
  readonly promoted: readonly string[];
}

/** Watches every write; throws where a law is broken. */
function createLaws(abilitiesOf: { readonly weights: boolean }): Laws {
  const promoted: string[] = [];
  let lastRaiseAtMs: number | undefined;
  let left: { readonly atMs: number; readonly generation: number } | undefined;

  /** Whether the primary could take traffic: one that broke in a promotion does not count. */
  const primaryServes = (world: World): boolean => {
    const { rollout } = world.primary ?? {};
    const isBroken = rollout !== undefined && world.nowMs >= rollout.sinceMs + 60_000;
    return hasPods(world, 'primary') && !(isBroken && world.split?.canary === 100);
  };

  /** Invariants 1 and 2. */
  const route = ({ before, decision, answered }: Written, world: World): void => {
    const after = world.split;
    assert.ok(after);
    assert.equal(after.primary + after.canary, 100, 'weights sum to 100');
    assert.ok(after.canary >= 0 && after.primary >= 0, 'no weight is negative');
    const from = before.split ?? { primary: 100, canary: 0 };
    const next = decision.status;
    const isKnown = statusOf(before.canary).lastAppliedSpec === hashOf(before.target.revision);
    if (after.primary > from.primary && !hasPods(world, 'primary')) {
      // Where nobody could serve, and where the canary's pods turn into something else.
      assert.ok(!hasPods(world, 'target') || !isKnown, 'the primary has pods for its traffic');
    }
    if (after.canary < from.canary) {
      // Where a newer revision takes the traffic away, its own pods replace those that served.
      left = isKnown ? { atMs: world.nowMs, generation: world.targetGeneration } : undefined;
    }
    if (!isKnown && after.canary > 0) {
      assert.ok(!primaryServes(before), 'what nobody analysed has no traffic');
    }
    if (after.canary <= from.canary) return;

    assert.ok(hasPods(world, 'target'), 'the canary has pods for its traffic');
    if (next?.phase === 'Failed') {
      assert.ok(isKnown, 'only an analysed revision serves alone');
      assert.equal(before.primary?.revision, before.target.revision, 'it had been promoted');
      return;
    }
    assert.equal(next?.phase, 'Progressing', 'only a step raises the weight');
    assert.ok(decision.beatAtMs !== undefined, 'a step uses a verdict up');
    assert.notEqual(answered.get('RollbackRequested'), true);
    const stands = from.canary === 0 && before.split?.mirrored !== true;
    const wasFirst = stands && statusOf(before.canary).iterations === 0;
    const isChecked = !wasFirst || hooksOf(before.canary, 'pre-rollout').length > 0;
    const answer = answered.get(wasFirst ? 'PreRollout' : 'Analysis');
    assert.ok(!isChecked || answer === true, 'a step needs a good verdict');
    const { iterations = 0 } = before.canary.spec.analysis ?? {};
    if (iterations === 0) {
      const isStep = after.canary === nextWeight(before.canary, from.canary);
      assert.ok(isStep && from.canary < maxWeight(before.canary), 'one step at a time');
      const gated = hooksOf(before.canary, 'confirm-traffic-increase').length > 0;
      const open = answered.get('ConfirmTrafficIncrease') === true;
      const skips = before.split?.mirrored === true;
      const waits = statusOf(before.canary).phase === 'WaitingPromotion';
      assert.ok(!gated || open || skips || waits, 'the gate is open');
    }
    const sinceMs = world.nowMs - (lastRaiseAtMs ?? -Infinity);
    assert.ok(wasFirst || sinceMs >= intervalMs / 2, 'one step an interval');
    lastRaiseAtMs = world.nowMs;
  };

  /** Invariant 3: what a phase says of traffic is so when it is written. */
  const note = ({ before, decision }: Written, world: World): void => {
    // A process that dies between the two writes of a mirror step may cut the stage short.
    const mirrors = world.split?.mirrored === true && decision.beatAtMs !== undefined;
    if (mirrors) lastRaiseAtMs = world.nowMs;
    const { phase, canaryWeight, lastAppliedSpec } = statusOf(world.canary);
    const weight = world.split?.canary ?? 0;
    const isNewer = lastAppliedSpec !== statusOf(before.canary).lastAppliedSpec;
    if (isAtRest(world)) assert.equal(weight, canaryWeight, `${phase} says where traffic is`);
    if (phase === 'Progressing' && isNewer && weight > 0) {
      assert.ok(!primaryServes(world), 'a newer revision starts without traffic');
    }
  };

  /** Invariant 3. */
  const scale = ({ before }: Written, world: World): void => {
    if (world.target.replicas > 0 || before.target.replicas === 0) return;
    if (!abilitiesOf.weights) return;
    assert.equal(world.split?.canary ?? 0, 0, 'pods that have traffic stay');
    if (statusOf(before.canary).phase === 'Finalising') {
      assert.equal(
        world.primary?.rollout,
        undefined,
        'the primary is ready before the canary goes',
      );
    }
    if (left === undefined || left.generation !== before.targetGeneration) return;
    // After a restart, times are known to the second.
    const drainedMs = world.nowMs - left.atMs + 1000;
    assert.ok(drainedMs >= analysisIntervalMs(world.canary), 'connections drain for an interval');
  };

  /** Invariant 4. */
  const promote = ({ before, decision, answered }: Written, world: World): void => {
    if (before.primary === undefined || before.primary.revision === world.primary?.revision) return;
    const { phase, failedChecks, canaryWeight, iterations } = statusOf(before.canary);
    promoted.push(world.target.revision);
    if (phase === 'Initializing' || skipsAnalysis(before.canary)) return;
    assert.equal(decision.status?.phase, 'Promoting');
    assert.equal(
      statusOf(before.canary).lastAppliedSpec,
      hashOf(world.target.revision),
      'what was analysed is promoted',
    );
    assert.equal(answered.get('Analysis'), true, 'only a good verdict promotes');
    assert.ok(failedChecks < failureThreshold(before.canary));
    const gated = hooksOf(before.canary, 'confirm-promotion').length > 0;
    const { iterations: count = 0 } = before.canary.spec.analysis ?? {};
    if (!abilitiesOf.weights) assert.ok(iterations >= (count || 10));
    else if (count > 0) assert.ok(iterations >= count);
    else assert.ok(canaryWeight >= maxWeight(before.canary), 'all steps were taken');
    const switched = abilitiesOf.weights && count > 0 && iterations > count;
    assert.ok(!gated || switched || answered.get('ConfirmPromotion') === true, 'the gate is open');
  };

  const onWrite: Laws['onWrite'] = (written, world) => {
    const { kind } = written.write;
    if (kind === 'Route' && abilitiesOf.weights) route(written, world);
    if (kind === 'ScaleTarget') scale(written, world);
    if (kind === 'Promote') promote(written, world);
    if (kind === 'Status' && abilitiesOf.weights) note(written, world);
    if (isAtRest(world) && world.target.replicas === 0 && abilitiesOf.weights) {
      assert.equal(world.split?.canary ?? 0, 0, 'a side without pods has no traffic');
    }
  };
  return { onWrite, promoted };
}

/** Looks that any script of this file needs at most; a rollout takes about fifty. */
const looksMax = 3_000;

function assertEnded(driver: Driver, { weights }: { readonly weights: boolean }): void {
  const { world } = driver;
  const status = statusOf(world.canary);
  assert.ok(driver.looks() <= looksMax, `${driver.looks()} looks`);
  assert.ok(isAtRest(world), `ended in ${status.phase}`);
  assert.equal(status.lastAppliedSpec, hashOf(world.target.revision), 'no revision is lost');
  assert.equal(status.draining, undefined);
  if (status.phase !== 'Failed') {
    assert.equal(world.primary?.revision, world.target.revision, 'the last one is promoted');
    assert.equal(status.lastPromotedSpec, hashOf(world.target.revision));
  }
  const failedPromotion =
    status.phase === 'Failed' && status.lastPromotedSpec === status.lastAppliedSpec;
  if (!weights) return;
  if (status.canaryWeight > 0) {
    assert.ok(world.primary?.rollout, 'traffic comes home once the primary is ready');
    return;
  }
  assert.equal(world.split?.canary, 0);
  if (failedPromotion) return;
  assert.equal(world.target.replicas, 0);
}

const withTrace = (driver: Driver, claim: () => void): void => {
  try {
    claim();
  } catch (error) {
    throw new Error(`${String(error)}\n${driver.trace.join('\n')}`, { cause: error });
  }
};

/** What becomes of a revision, by its name. */
const fates = {
  good: { passes: true, target: true, primary: true },
  bad: { passes: false, target: true, primary: true },
  stuck: { passes: true, target: false, primary: false },
  /** Runs as a canary, and not as the primary: a quota, a node that is full. */
  unlucky: { passes: true, target: true, primary: false },
  /** The same, and the old pods are gone by then. */
  fatal: { passes: true, target: true, primary: false },
} as const;
type Fate = keyof typeof fates;

const fateOf = (revision: string) =>
  fates[(revision.split('-')[0] ?? 'good') as Fate] ?? fates.good;

const readyIn =
  (ms: number): NonNullable<Setup['readyInMs']> =>
  (side, revision) =>
    fateOf(revision)[side] ? ms : Infinity;

const keepsPods: NonNullable<Setup['keepsPods']> = (side, revision) =>
  !(side === 'primary' && revision.startsWith('fatal'));

const byFate: NonNullable<Setup['answer']> = ({ stage, revision }) => {
  if (stage === 'RollbackRequested') return false;
  return stage !== 'Analysis' || fateOf(revision).passes;
};

const fateNames = fc.constantFrom<Fate>('good', 'good', 'bad', 'stuck', 'unlucky', 'fatal');

test('killed after any one write, it ends where it would have ended', () => {
  fc.assert(
    fc.property(
      fc.record({ canary: canaries, abilities, fate: fateNames, setBack: fc.boolean() }),
      ({ canary, abilities, fate, setBack }) => {
        const play = (crashes: ReadonlySet<number>): Driver => {
          const laws = createLaws(abilities);
          const driver = createDriver({
            canary,
            abilities,
            crashes,
            clockSetBack: setBack,
            downMs: 700,
            answer: byFate,
            readyInMs: readyIn(1500),
            keepsPods,
            onWrite: laws.onWrite,
          });
          withTrace(driver, () => {
            driver.run({ forMs: 60_000 });
            driver.setImage(`${fate}-2`);
            driver.run();
          });
          return driver;
        };
        const end = ({ world }: Driver) => {
          const { split, target, primary } = world;
          const sides = [target.replicas, primary?.revision];
          const { phase, canaryWeight, lastAppliedSpec, lastPromotedSpec } = statusOf(world.canary);
          return { sides, split, phase, canaryWeight, lastAppliedSpec, lastPromotedSpec };
        };
        const calm = play(new Set());
        withTrace(calm, () => assertEnded(calm, abilities));
        for (let death = 1; death <= calm.writes(); death += 1) {
          const killed = play(new Set([death]));
          withTrace(killed, () => assert.deepEqual(end(killed), end(calm)));
        }
      },
    ),
    { numRuns: 25 },
  );
});

type Event =
  | { readonly kind: 'Image'; readonly fate: Fate }
  | { readonly kind: 'Revert'; readonly back: number }
  | {
      readonly kind: 'Flap';
      readonly side: SideName;
      readonly forMs: number;
      readonly pods: number;
    };

const events: fc.Arbitrary<readonly { readonly afterMs: number; readonly event: Event }[]> =
  fc.array(
    fc.record({
      afterMs: fc.integer({ min: 0, max: 45_000 }),
      event: fc.oneof(
        fc.record({ kind: fc.constant('Image' as const), fate: fateNames }),
        fc.record({ kind: fc.constant('Revert' as const), back: fc.integer({ min: 1, max: 2 }) }),
        fc.record({
          kind: fc.constant('Flap' as const),
          side: fc.constantFrom<SideName>('target', 'primary'),
          forMs: fc.integer({ min: 500, max: 90_000 }),
          pods: fc.integer({ min: 0, max: 1 }),
        }),
      ),
    }),
    { minLength: 1, maxLength: 6 },
  );

const chaos = fc.record({
  canary: canaries,
  abilities,
  events,
  crashes: fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 4 }),
  downMs: fc.integer({ min: 0, max: 20_000 }),
  clockSetBack: fc.boolean(),
  readyMs: fc.integer({ min: 0, max: 25_000 }),
  /** Answers in turn, until the world is calm: a refusal at any gate, a failed check. */
  refusals: fc.array(fc.boolean(), { maxLength: 12 }),
});

test('whatever happens, no law is broken, and the run ends once the world is calm', () => {
  fc.assert(
    fc.property(
      chaos,
      ({ canary, abilities, events: script, crashes, refusals, readyMs, ...more }) => {
        const laws = createLaws(abilities);
        let asked = 0;
        const driver = createDriver({
          canary,
          abilities,
          crashes: new Set(crashes),
          ...more,
          readyInMs: readyIn(readyMs),
          keepsPods,
          onWrite: laws.onWrite,
          answer: (question) => {
            asked += 1;
            const refuses = refusals[asked % Math.max(refusals.length, 1)] === true && asked < 40;
            if (question.stage === 'RollbackRequested') return asked % 17 === 0;
            return !refuses && byFate(question);
          },
        });
        withTrace(driver, () => {
          driver.run({ forMs: 30_000 });
          const names = ['v1'];
          for (const [index, { afterMs, event }] of script.entries()) {
            driver.run({ forMs: afterMs });
            if (event.kind === 'Flap') driver.flap(event.side, event.forMs, event.pods);
            if (event.kind === 'Image') names.push(`${event.fate}-${index}`);
            if (event.kind === 'Revert') names.push(names.at(-1 - event.back) ?? 'v1');
            driver.setImage(names.at(-1) ?? 'v1');
          }
          driver.run();
          assertEnded(driver, abilities);
          const wrong = laws.promoted.filter((name) => !fateOf(name).passes);
          assert.ok(skipsAnalysis(canary) || wrong.length === 0, 'no bad revision is promoted');
        });
      },
    ),
    { numRuns: 400 },
  );
});
