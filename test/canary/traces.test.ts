/**
 * Whole rollouts, second by second, beside the reference's golden traces (`spec/01`, 2.24;
 * `spec/03`, 9). `E` is an event (`!` a warning), `H` a hook (`✗` it refuses), `→` the state: phase,
 * weight, iterations, routes, pods of the target. Pods are ready 2 s after a change.
 *
 * Where ours differ from the reference on purpose:
 * - what waits for an event does not wait for a tick: scaling up, readiness, promotion, rollback;
 * - a rollback comes at once when the threshold is reached, not a tick later;
 * - idle pods stay for one interval after traffic left them (`draining`), after initialization too;
 *   Finalising therefore lasts an interval, but only if traffic was moved;
 * - pre-rollout hooks are asked once, not again while a traffic gate is shut (M-13);
 * - gates are asked at every verdict, and refuse aloud only once;
 * - WaitingPromotion keeps weight and iterations (D13), and blue/green asks its gate once (D14);
 * - provider kubernetes has no tick in which nothing happens.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allHooks, canaryOf, hooks, stepping } from './builders.ts';
import type { Setup } from './driver.ts';
import { createDriver, refusing } from './driver.ts';

/** What happens to podinfo, at rest on v1, once v2 is applied; seconds count from there. */
function traceOf(setup: Setup): readonly string[] {
  const driver = createDriver(setup);
  driver.run({ forMs: 60_000 });
  const before = driver.trace.length;
  driver.setImage('v2');
  driver.run();
  return driver.trace.slice(before).map((line) => {
    const space = line.indexOf('s ');
    return `${Number(line.slice(0, space)) - 60}${line.slice(space)}`;
  });
}

const analysed = ['pre-rollout', 'rollout', 'confirm-promotion', 'post-rollout'] as const;

test('initialization: the target serves until the primary is ready, and drains', () => {
  const driver = createDriver({ readyInMs: () => 15_000 });
  driver.run();
  assert.deepEqual(driver.trace, [
    '0s → Initializing 0 0 - pods=2',
    '10s E ! podinfo-primary.default not ready: rolling out',
    '15s E Initialization done! podinfo.default',
    '15s → Initialized 0 0 100:0 pods=2 draining',
    '25s → Initialized 0 0 100:0 pods=0',
  ]);
});

test('weights, a hook of every type, every gate shut twice and then open', () => {
  const refusals = { ConfirmRollout: 2, ConfirmTrafficIncrease: 2, ConfirmPromotion: 2 };
  const canary = canaryOf({ ...stepping, webhooks: allHooks });
  assert.deepEqual(traceOf({ canary, answer: refusing(refusals) }), [
    '0s H confirm-rollout Initialized ✗',
    '0s E ! Halt podinfo.default advancement waiting for approval start',
    '0s → Waiting 0 0 100:0 pods=0',
    // D15: rollback hooks are asked in Waiting, too, once an interval.
    '10s H rollback Waiting ✗',
    '10s H confirm-rollout Waiting ✗',
    '20s H rollback Waiting ✗',
    '20s H confirm-rollout Waiting',
    '20s E Confirm-rollout check start passed',
    '20s E New revision detected! Scaling up podinfo.default',
    '20s → Progressing 0 0 100:0 pods=0',
    '20s → Progressing 0 0 100:0 pods=2',
    '22s H rollback Progressing ✗',
    '22s H pre-rollout Progressing',
    '22s H confirm-traffic-increase Progressing ✗',
    '22s E Rollback hook kill not signaling a rollback',
    '22s E Starting canary analysis for podinfo.default',
    '22s E Pre-rollout check smoke passed',
    '22s E ! Halt podinfo.default advancement waiting for traffic increase approval more',
    '32s H rollback Progressing ✗',
    '32s H confirm-traffic-increase Progressing ✗',
    '32s E Rollback hook kill not signaling a rollback',
    '42s H rollback Progressing ✗',
    '42s H confirm-traffic-increase Progressing',
    '42s E Rollback hook kill not signaling a rollback',
    '42s E Confirm-traffic-increase check more passed',
    '42s E Advance podinfo.default canary weight 50',
    '42s → Progressing 50 0 50:50 pods=2',
    '52s H rollback Progressing ✗',
    '52s H rollout Progressing',
    '52s H confirm-traffic-increase Progressing',
    '52s H confirm-promotion Progressing ✗',
    '52s E Rollback hook kill not signaling a rollback',
    '52s E Confirm-traffic-increase check more passed',
    '52s E ! Halt podinfo.default advancement waiting for promotion approval ship',
    '52s → WaitingPromotion 50 0 50:50 pods=2',
    '62s H rollback WaitingPromotion ✗',
    '62s H rollout Progressing',
    '62s H confirm-promotion Progressing ✗',
    '62s E Rollback hook kill not signaling a rollback',
    '72s H rollback WaitingPromotion ✗',
    '72s H rollout Progressing',
    '72s H confirm-promotion Progressing',
    '72s E Rollback hook kill not signaling a rollback',
    '72s E Confirm-promotion check ship passed',
    '72s E Copying podinfo.default template spec to podinfo-primary.default',
    '72s → Promoting 50 0 50:50 pods=2',
    '74s E Routing all traffic to primary',
    '74s → Finalising 0 0 100:0 pods=2 draining',
    '84s H post-rollout Succeeded',
    '84s E Post-rollout check tell passed',
    '84s E Promotion completed! Scaling down podinfo.default',
    '84s → Succeeded 0 0 100:0 pods=0',
  ]);
});

test('weights, back in two steps of 50', () => {
  const canary = canaryOf({ stepWeight: 100, stepWeightPromotion: 50 });
  assert.deepEqual(traceOf({ canary }), [
    '0s E New revision detected! Scaling up podinfo.default',
    '0s → Progressing 0 0 100:0 pods=0',
    '0s → Progressing 0 0 100:0 pods=2',
    '2s E Starting canary analysis for podinfo.default',
    '2s E Advance podinfo.default canary weight 100',
    '2s → Progressing 100 0 0:100 pods=2',
    '12s E Copying podinfo.default template spec to podinfo-primary.default',
    '12s → Promoting 100 0 0:100 pods=2',
    '22s E Advance podinfo.default primary weight 50',
    '22s → Promoting 50 0 50:50 pods=2',
    '32s E Advance podinfo.default primary weight 100',
    '32s → Finalising 0 0 100:0 pods=2 draining',
    '42s E Promotion completed! Scaling down podinfo.default',
    '42s → Succeeded 0 0 100:0 pods=0',
  ]);
});

test('blue/green, two iterations, the promotion gate shut twice and then open (D14, M-13)', () => {
  const canary = canaryOf({ iterations: 2, webhooks: hooks(...analysed) });
  assert.deepEqual(traceOf({ canary, answer: refusing({ ConfirmPromotion: 2 }) }), [
    '0s E New revision detected! Scaling up podinfo.default',
    '0s → Progressing 0 0 100:0 pods=0',
    '0s → Progressing 0 0 100:0 pods=2',
    '2s H pre-rollout Progressing',
    '2s E Starting canary analysis for podinfo.default',
    '2s E Pre-rollout check smoke passed',
    '2s E Advance podinfo.default canary iteration 1/2',
    '2s → Progressing 0 1 100:0 pods=2',
    '12s H rollout Progressing',
    '12s E Advance podinfo.default canary iteration 2/2',
    '12s → Progressing 0 2 100:0 pods=2',
    '22s H rollout Progressing',
    '22s H confirm-promotion Progressing ✗',
    '22s E ! Halt podinfo.default advancement waiting for promotion approval ship',
    '22s → WaitingPromotion 0 2 100:0 pods=2',
    '32s H rollout Progressing',
    '32s H confirm-promotion Progressing ✗',
    '42s H rollout Progressing',
    '42s H confirm-promotion Progressing',
    '42s E Confirm-promotion check ship passed',
    '42s E Routing all traffic to canary',
    '42s → Progressing 0 3 0:100 pods=2',
    '52s H rollout Progressing',
    '52s E Copying podinfo.default template spec to podinfo-primary.default',
    '52s → Promoting 0 3 0:100 pods=2',
    '54s E Routing all traffic to primary',
    '54s → Finalising 0 0 100:0 pods=2 draining',
    '64s H post-rollout Succeeded',
    '64s E Post-rollout check tell passed',
    '64s E Promotion completed! Scaling down podinfo.default',
    '64s → Succeeded 0 0 100:0 pods=0',
  ]);
});

test('A/B, one iteration: the gate is asked once', () => {
  const match = [{ headers: { insider: { exact: 'yes' } } }];
  const canary = canaryOf({ iterations: 1, match, webhooks: hooks('confirm-promotion') });
  assert.deepEqual(traceOf({ canary }), [
    '0s E New revision detected! Scaling up podinfo.default',
    '0s → Progressing 0 0 100:0 pods=0',
    '0s → Progressing 0 0 100:0 pods=2',
    '2s E Starting canary analysis for podinfo.default',
    '2s E Advance podinfo.default canary iteration 1/1',
    '2s → Progressing 0 1 0:100 pods=2',
    '12s H confirm-promotion Progressing',
    '12s E Confirm-promotion check ship passed',
    '12s E Copying podinfo.default template spec to podinfo-primary.default',
    '12s → Promoting 0 1 0:100 pods=2',
    '14s E Routing all traffic to primary',
    '14s → Finalising 0 0 100:0 pods=2 draining',
    '24s E Promotion completed! Scaling down podinfo.default',
    '24s → Succeeded 0 0 100:0 pods=0',
  ]);
});

test('provider kubernetes: iterations, and no traffic that must drain', () => {
  const canary = canaryOf({ iterations: 2 }, { provider: 'kubernetes' });
  const abilities = { weights: false, mirroring: false };
  assert.deepEqual(traceOf({ canary, abilities }), [
    '0s E New revision detected! Scaling up podinfo.default',
    '0s → Progressing 0 0 100:0 pods=0',
    '0s → Progressing 0 0 100:0 pods=2',
    '2s E Starting canary analysis for podinfo.default',
    '2s E Advance podinfo.default canary iteration 1/2',
    '2s → Progressing 0 1 100:0 pods=2',
    '12s E Advance podinfo.default canary iteration 2/2',
    '12s → Progressing 0 2 100:0 pods=2',
    '22s E Copying podinfo.default template spec to podinfo-primary.default',
    '22s → Promoting 0 2 100:0 pods=2',
    '24s → Finalising 0 0 100:0 pods=2',
    '24s E Promotion completed! Scaling down podinfo.default',
    '24s → Succeeded 0 0 100:0 pods=0',
  ]);
});

const begun = [
  '0s E New revision detected! Scaling up podinfo.default',
  '0s → Progressing 0 0 100:0 pods=0',
  '0s → Progressing 0 0 100:0 pods=2',
];

test('rollback: a rollout hook that fails twice, threshold 2', () => {
  const canary = canaryOf({
    stepWeight: 10,
    threshold: 2,
    webhooks: hooks('rollout', 'post-rollout'),
  });
  assert.deepEqual(traceOf({ canary, answer: ({ stage }) => stage !== 'Analysis' }), [
    ...begun,
    '2s E Starting canary analysis for podinfo.default',
    '2s E Advance podinfo.default canary weight 10',
    '2s → Progressing 10 0 90:10 pods=2',
    '12s H rollout Progressing ✗',
    '12s E ! Halt podinfo.default advancement external check load failed nope',
    '12s → Progressing 10 0 90:10 pods=2 failed=1',
    '22s H rollout Progressing ✗',
    '22s E ! Halt podinfo.default advancement external check load failed nope',
    '22s → Progressing 10 0 90:10 pods=2 failed=2',
    '22s E ! Rolling back podinfo.default failed checks threshold reached 2',
    '22s E ! Canary failed! Scaling down podinfo.default',
    '22s H post-rollout Failed',
    '22s E Post-rollout check tell passed',
    '22s → Failed 0 0 100:0 pods=2 draining',
    '32s → Failed 0 0 100:0 pods=0',
  ]);
});

test('rollback: a pre-rollout hook that fails twice; no traffic, nothing to drain', () => {
  const canary = canaryOf({ stepWeight: 10, threshold: 2, webhooks: hooks('pre-rollout') });
  assert.deepEqual(traceOf({ canary, answer: () => false }), [
    ...begun,
    '2s H pre-rollout Progressing ✗',
    '2s E Starting canary analysis for podinfo.default',
    '2s E ! Halt podinfo.default advancement pre-rollout check smoke failed nope',
    '2s → Progressing 0 0 100:0 pods=2 failed=1',
    '12s H pre-rollout Progressing ✗',
    '12s E ! Halt podinfo.default advancement pre-rollout check smoke failed nope',
    '12s → Progressing 0 0 100:0 pods=2 failed=2',
    '12s E ! Rolling back podinfo.default failed checks threshold reached 2',
    '12s E ! Canary failed! Scaling down podinfo.default',
    '12s → Failed 0 0 100:0 pods=0',
  ]);
});

test('rollback: the deadline of the canary’s pods passes', () => {
  const readyInMs: Setup['readyInMs'] = (_, revision) => (revision === 'v2' ? Infinity : 2000);
  const message = 'canary deployment podinfo.default not ready: past its deadline';
  assert.deepEqual(traceOf({ readyInMs }), [
    ...begun,
    '10s E ! canary deployment podinfo.default not ready: rolling out',
    `60s E ! ${message}`,
    `60s E ! Rolling back podinfo.default progress deadline exceeded ${message}`,
    '60s E ! Canary failed! Scaling down podinfo.default',
    '60s → Failed 0 0 100:0 pods=0',
  ]);
});

test('rollback: a rollback hook consents', () => {
  const canary = canaryOf({ stepWeight: 10, webhooks: hooks('rollback') });
  assert.deepEqual(traceOf({ canary, answer: refusing({ RollbackRequested: 1 }) }), [
    ...begun,
    '2s H rollback Progressing ✗',
    '2s E Rollback hook kill not signaling a rollback',
    '2s E Starting canary analysis for podinfo.default',
    '2s E Advance podinfo.default canary weight 10',
    '2s → Progressing 10 0 90:10 pods=2',
    '12s H rollback Progressing',
    '12s E ! Rollback check kill passed',
    '12s E ! Rolling back podinfo.default manual webhook invoked',
    '12s E ! Canary failed! Scaling down podinfo.default',
    '12s → Failed 0 0 100:0 pods=2 draining',
    '22s → Failed 0 0 100:0 pods=0',
  ]);
});

test('skipAnalysis: only the start and the end have hooks (D34: the primary is waited for)', () => {
  const canary = canaryOf({ ...stepping, webhooks: allHooks }, { skipAnalysis: true });
  assert.deepEqual(traceOf({ canary }), [
    '0s H confirm-rollout Initialized',
    '0s E Confirm-rollout check start passed',
    ...begun,
    '2s E Copying podinfo.default template spec to podinfo-primary.default',
    '2s → Promoting 0 0 100:0 pods=2',
    '4s → Finalising 0 0 100:0 pods=2',
    '4s H post-rollout Succeeded',
    '4s E Post-rollout check tell passed',
    '4s E Promotion completed! Canary analysis was skipped for podinfo.default',
    '4s → Succeeded 0 0 100:0 pods=0',
  ]);
});

test('14: the primary never gets ready: the canary serves alone, and the fix gets through (D1)', () => {
  const readyInMs: Setup['readyInMs'] = (side, revision) =>
    side === 'primary' && revision === 'v2' ? Infinity : 2000;
  const driver = createDriver({ canary: canaryOf({ stepWeight: 50 }), readyInMs });
  driver.run({ forMs: 60_000 });
  driver.setImage('v2');
  driver.run({ forMs: 200_000 });
  const before = driver.trace.length;
  driver.setImage('v3');
  driver.run();
  assert.deepEqual(driver.phases.slice(2, 6), [
    'Progressing',
    'Promoting',
    'Failed',
    'Progressing',
  ]);
  assert.deepEqual(driver.trace.slice(before), [
    '260s E New revision detected! Scaling up podinfo.default',
    '260s → Progressing 100 0 0:100 pods=2',
    '270s E Copying podinfo.default template spec to podinfo-primary.default',
    '270s → Promoting 100 0 0:100 pods=2',
    '272s E Routing all traffic to primary',
    '272s → Finalising 0 0 100:0 pods=2 draining',
    '282s E Promotion completed! Scaling down podinfo.default',
    '282s → Succeeded 0 0 100:0 pods=0',
  ]);
});

for (const [name, analysis, weights] of [
  ['step 10, max 50', { stepWeight: 10, maxWeight: 50 }, [10, 20, 30, 40, 50]],
  ['step 20, max 50', { stepWeight: 20, maxWeight: 50 }, [20, 40, 60]],
  ['step 50, max 100', { stepWeight: 50, maxWeight: 100 }, [50, 100]],
  ['step 30, max unset', { stepWeight: 30 }, [30, 60, 90, 100]],
  ['steps 1, 2, 10, 80', { stepWeights: [1, 2, 10, 80] }, [1, 2, 10, 80]],
  ['steps 1, 2, 10, 200', { stepWeights: [1, 2, 10, 200] }, [1, 2, 10, 100]],
  ['D12: steps 1, 2, 10, 10, 80', { stepWeights: [1, 2, 10, 10, 80] }, [1, 2, 10, 80]],
  ['D12: steps that go down', { stepWeights: [5, 50, 20] }, [5, 50]],
] as const) {
  test(`${name}: weights ${weights.join(' ')}, an interval apart, then promoted`, () => {
    const steps = traceOf({ canary: canaryOf(analysis) }).flatMap((line) => {
      const [, second, weight] =
        /^(\d+)s E Advance podinfo.default canary weight (\d+)$/.exec(line) ?? [];
      return weight === undefined ? [] : [[Number(second), Number(weight)]];
    });
    assert.deepEqual(
      steps,
      weights.map((weight, index) => [2 + 10 * index, weight]),
    );
  });
}
