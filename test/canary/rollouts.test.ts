/**
 * Whole rollouts, by the events and phases that the reference gives them (`spec/01`, 2.24;
 * `spec/03`, 9). Where ours differ on purpose, the test says so.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CanaryWebhook, HookType } from '../../src/api/canary.ts';
import { intervalMs, isPhase, isSettled, World } from './world.ts';

const hook = (type: HookType): CanaryWebhook => ({ name: type, type, url: 'http://hook.local' });
const metrics = [{ name: 'request-success-rate', thresholdRange: { min: 99 } }];

describe('weights', () => {
  test('10, 20, 30, then promoted: one step an interval, and nothing else waits for a clock', () => {
    const world = new World({ analysis: { metrics } }).initialize();
    const startedMs = world.nowMs;
    world.apply('v2');
    world.run(isPhase('Succeeded'));
    assert.deepEqual(world.trace, [
      'New revision detected! Scaling up podinfo.default -> Progressing 0 0',
      'Starting canary analysis for podinfo.default | Advance podinfo.default canary weight 10 -> Progressing 10 0',
      'Advance podinfo.default canary weight 20 -> Progressing 20 0',
      'Advance podinfo.default canary weight 30 -> Progressing 30 0',
      'Copying podinfo.default template spec to podinfo-primary.default -> Promoting 30 0',
      'Routing all traffic to primary -> Finalising 0 0',
      'Promotion completed! Scaling down podinfo.default -> Succeeded 0 0',
    ]);
    assert.deepEqual(world.splits, ['100:0', '90:10', '80:20', '70:30', '100:0']);
    // Three intervals of verdicts, and one in which connections drain.
    assert.equal(world.nowMs - startedMs, 4 * intervalMs);
    assert.deepEqual(world.outcomes, ['completed']);
    assert.equal(world.target.replicas, 0);
    assert.equal(world.status.lastPromotedSpec, 'v2');
  });

  test('all hooks: asked and said in the order of the reference', () => {
    const webhooks = (
      ['confirm-rollout', 'pre-rollout', 'confirm-traffic-increase', 'confirm-promotion'] as const
    ).map(hook);
    const world = new World({
      analysis: { stepWeight: 100, maxWeight: 100, stepWeightPromotion: 50, webhooks },
    }).initialize();
    world.apply('v2');
    world.run(isPhase('Succeeded'));
    assert.deepEqual(world.trace, [
      'ConfirmRollout true | New revision detected! Scaling up podinfo.default -> Progressing 0 0',
      'Starting canary analysis for podinfo.default | PreRollout true | ConfirmTrafficIncrease true | Advance podinfo.default canary weight 100 -> Progressing 100 0',
      'ConfirmTrafficIncrease true | ConfirmPromotion true | Copying podinfo.default template spec to podinfo-primary.default -> Promoting 100 0',
      'Advance podinfo.default primary weight 50 -> Promoting 50 0',
      'Advance podinfo.default primary weight 100 -> Finalising 0 0',
      'Promotion completed! Scaling down podinfo.default -> Succeeded 0 0',
    ]);
  });

  for (const [name, analysis, weights] of [
    ['step 20, max 50 overshoots by one step', { stepWeight: 20, maxWeight: 50 }, [20, 40, 60]],
    ['step 50, max 100', { stepWeight: 50, maxWeight: 100 }, [50, 100]],
    ['step 30, no max, ends at 100', { stepWeight: 30, maxWeight: 0 }, [30, 60, 90, 100]],
    ['stepWeights 1, 2, 10, 80', { stepWeight: 0, stepWeights: [1, 2, 10, 80] }, [1, 2, 10, 80]],
    ['stepWeights beyond 100', { stepWeight: 0, stepWeights: [1, 200] }, [1, 100]],
    ['D12: equal neighbours', { stepWeight: 0, stepWeights: [1, 10, 10, 80] }, [1, 10, 80]],
  ] as const) {
    test(`${name}: ${weights.join(' ')}`, () => {
      const world = new World({ analysis }).initialize();
      world.apply('v2');
      world.run(isPhase('Promoting'));
      const seen = world.splits.map((split) => Number(split.split(':')[1]));
      assert.deepEqual(seen, [0, ...weights]);
    });
  }

  test('D12: a weight that is no longer in stepWeights goes on with the next larger one', () => {
    const world = new World({ analysis: { stepWeight: 0, stepWeights: [10, 20] } }).initialize();
    world.apply('v2');
    world.run(({ status }) => status.canaryWeight === 10);
    world.edit({ analysis: { ...world.canary.spec.analysis, stepWeights: [5, 15, 60] } });
    world.run(isPhase('Promoting'));
    assert.deepEqual(world.splits, ['100:0', '90:10', '85:15', '40:60']);
  });

  test('a mirror stage of one interval comes before the first weight', () => {
    const world = new World({ analysis: { mirror: true, metrics } }).initialize();
    world.apply('v2');
    world.run(({ status }) => status.canaryWeight === 20);
    assert.deepEqual(world.splits, ['100:0', '100:0 mirrored', '90:10', '80:20']);
    assert.ok(world.events.includes('Advance podinfo.default canary weight 0'));
  });

  test('D35: a provider that shows no mirroring skips the stage, with a warning', () => {
    const world = new World({ mirroring: false, analysis: { mirror: true } }).initialize();
    world.apply('v2');
    world.run(isPhase('Promoting'));
    assert.deepEqual(world.splits, ['100:0', '90:10', '80:20', '70:30']);
    assert.equal(world.events.filter((event) => event.includes('mirroring is not')).length, 1);
  });
});

describe('iterations', () => {
  test('blue/green: two iterations, the switch, the promotion; the gate is asked once (D14)', () => {
    const analysis = {
      stepWeight: 0,
      maxWeight: 0,
      iterations: 2,
      webhooks: [hook('confirm-promotion')],
    };
    const world = new World({ analysis }).initialize();
    world.apply('v2');
    world.run(isPhase('Succeeded'));
    assert.deepEqual(world.trace.slice(1), [
      'Starting canary analysis for podinfo.default | Advance podinfo.default canary iteration 1/2 -> Progressing 0 1',
      'Advance podinfo.default canary iteration 2/2 -> Progressing 0 2',
      'ConfirmPromotion true | Routing all traffic to canary -> Progressing 0 3',
      'Copying podinfo.default template spec to podinfo-primary.default -> Promoting 0 3',
      'Routing all traffic to primary -> Finalising 0 0',
      'Promotion completed! Scaling down podinfo.default -> Succeeded 0 0',
    ]);
    assert.deepEqual(world.splits, ['100:0', '0:100', '100:0']);
  });

  test('A/B: test users see the canary from the first iteration on', () => {
    const match = [{ headers: { 'x-canary': { exact: 'insider' } } }];
    const world = new World({
      analysis: { stepWeight: 0, maxWeight: 0, iterations: 2, match },
    }).initialize();
    world.apply('v2');
    world.run(isPhase('Succeeded'));
    assert.deepEqual(world.splits, ['100:0', '0:100', '100:0']);
    assert.deepEqual(
      world.events.filter((event) => event.includes('iteration')),
      ['1/2', '2/2'].map((count) => `Advance podinfo.default canary iteration ${count}`),
    );
  });

  test('without routes: ten iterations, said as the reference says it, and no idle tick', () => {
    const world = new World({ routed: false }).initialize();
    world.apply('v2');
    world.run(isPhase('Succeeded'));
    assert.equal(world.events.filter((event) => event.includes('canary iteration')).length, 10);
    assert.equal(
      world.events.filter((event) => event.startsWith('! Progressive traffic')).length,
      1,
    );
    assert.deepEqual(world.promoted, ['v2']);
    assert.equal(world.target.replicas, 0);
  });

  test('D36: iterations that are lowered below the count still switch before they promote', () => {
    const world = new World({
      analysis: { stepWeight: 0, maxWeight: 0, iterations: 5 },
    }).initialize();
    world.apply('v2');
    world.run(({ status }) => status.iterations === 3);
    world.edit({ analysis: { ...world.canary.spec.analysis, iterations: 2 } });
    world.run(isPhase('Succeeded'));
    assert.deepEqual(world.splits, ['100:0', '0:100', '100:0']);
  });
});

describe('gates', () => {
  test('confirm-rollout refused: Waiting, said once, no failed check; opened: the run starts', () => {
    let open = false;
    const world = new World({
      analysis: { webhooks: [hook('confirm-rollout')] },
      answer: (stage) => stage !== 'ConfirmRollout' || open,
    }).initialize();
    world.apply('v2');
    world.run(isPhase('Waiting'));
    const untilMs = world.nowMs + 3 * intervalMs;
    world.run(({ nowMs }) => nowMs >= untilMs);
    assert.deepEqual(world.events, ['! ConfirmRollout false']);
    assert.equal(world.target.replicas, 0);
    open = true;
    world.run(isPhase('Succeeded'));
    assert.equal(world.status.lastPromotedSpec, 'v2');
  });

  test('D16: taking the change back ends the wait', () => {
    const world = new World({
      analysis: { webhooks: [hook('confirm-rollout')] },
      answer: (stage) => stage !== 'ConfirmRollout',
    }).initialize();
    world.apply('v2');
    world.run(isPhase('Waiting'));
    world.apply('v1');
    world.run(isPhase('Succeeded'));
    assert.deepEqual(world.promoted, []);
  });

  test('D13: a promotion gate keeps weight and counters, is said once, and verdicts go on', () => {
    let open = false;
    let verdicts = 0;
    const world = new World({
      analysis: { metrics, webhooks: [hook('confirm-promotion')] },
      answer: (stage) => {
        if (stage === 'Analysis') verdicts += 1;
        return stage !== 'ConfirmPromotion' || open;
      },
    }).initialize();
    world.apply('v2');
    world.run(isPhase('WaitingPromotion'));
    const [before, untilMs] = [verdicts, world.nowMs + 3 * intervalMs];
    world.run(({ nowMs }) => nowMs >= untilMs);
    assert.equal(world.status.canaryWeight, 30);
    assert.ok(verdicts >= before + 2, 'analysed while it waits');
    assert.equal(
      world.events.filter((event) => event.includes('ConfirmPromotion false')).length,
      1,
    );
    open = true;
    world.run(isPhase('Succeeded'));
  });

  test('a traffic gate freezes the weight, counts no failed check and repeats nothing (M-13)', () => {
    const world = new World({
      analysis: { webhooks: [hook('pre-rollout'), hook('confirm-traffic-increase')] },
      answer: (stage) => stage !== 'ConfirmTrafficIncrease',
    }).initialize();
    world.apply('v2');
    const untilMs = world.nowMs + 5 * intervalMs;
    world.run(({ nowMs }) => nowMs >= untilMs);
    assert.equal(world.status.canaryWeight, 0);
    assert.equal(world.status.failedChecks, 0);
    assert.equal(world.events.filter((event) => event.startsWith('Starting')).length, 1);
    assert.equal(world.events.filter((event) => event.includes('PreRollout')).length, 1);
  });
});

describe('failures', () => {
  test('failed checks: rolled back as soon as the threshold is reached', () => {
    const world = new World({ analysis: { metrics }, answer: () => false }).initialize();
    world.apply('v2');
    const startedMs = world.nowMs;
    world.run(isPhase('Failed'));
    assert.deepEqual(world.trace.slice(2), [
      '! Analysis false -> Progressing 10 0',
      '! Analysis false -> Progressing 10 0',
      '! Rolling back podinfo.default failed checks threshold reached 2 | ! Canary failed! Scaling down podinfo.default -> Failed 0 0',
    ]);
    assert.equal(world.nowMs - startedMs, 2 * intervalMs);
    assert.equal(world.target.replicas, 2, 'connections drain');
    world.run(isSettled);
    assert.equal(world.target.replicas, 0);
    assert.equal(world.nowMs - startedMs, 3 * intervalMs);
    assert.deepEqual(world.promoted, []);
    assert.deepEqual(world.outcomes, ['failed']);
  });

  test('a deadline that passes is an event of its own (D5); pods without traffic go at once', () => {
    const world = new World().initialize();
    world.apply('v2');
    const message =
      'canary deployment podinfo.default not ready: deployment "podinfo" exceeded its progress deadline';
    world.run(isPhase('Progressing'));
    world.target.readiness = { kind: 'NotReady', message, retriable: false };
    world.target.available = 0;
    world.run(isPhase('Failed'));
    assert.deepEqual(world.events.slice(1), [
      `! ${message}`,
      `! Rolling back podinfo.default progress deadline exceeded ${message}`,
      '! Canary failed! Scaling down podinfo.default',
    ]);
    assert.equal(world.target.replicas, 0);
  });

  test('a rollback hook that consents rolls back', () => {
    const world = new World({
      analysis: { webhooks: [hook('rollback')] },
      answer: (stage, { status }) => stage !== 'RollbackRequested' || status.canaryWeight === 20,
    }).initialize();
    world.apply('v2');
    world.run(isPhase('Failed'));
    assert.ok(world.events.includes('! Rolling back podinfo.default manual webhook invoked'));
    assert.equal(world.splits.at(-1), '100:0');
  });

  test('a failed canary whose change is taken back stays failed; the same change is a new run', () => {
    const world = new World({ analysis: { metrics }, answer: () => false }).initialize();
    world.apply('v2');
    world.run(isPhase('Failed'));
    world.run(isSettled);
    world.apply('v1');
    const untilMs = world.nowMs + 3 * intervalMs;
    world.run(({ nowMs }) => nowMs >= untilMs);
    assert.equal(world.phase, 'Failed');
    world.apply('v2');
    world.run(isPhase('Progressing'));
  });

  test('D1: a failed promotion leaves the traffic on the canary, and the fix gets through', () => {
    const world = new World().initialize();
    world.apply('v2');
    world.run(isPhase('Promoting'));
    assert.ok(world.primary);
    world.primary.readiness = { kind: 'NotReady', message: 'primary is broken', retriable: false };
    world.run(isPhase('Failed'));
    assert.equal(world.splits.at(-1), '0:100');
    assert.equal(world.target.replicas, 2);
    assert.ok(
      world.events.includes(
        '! Promotion of podinfo.default failed, primary not ready: primary is broken',
      ),
    );
    world.apply('v3');
    world.run(isPhase('Promoting'));
    assert.equal(world.splits.at(-1), '0:100', 'all traffic stays where healthy code is');
    world.primary.readiness = { kind: 'Ready' };
    world.run(isPhase('Succeeded'));
    assert.equal(world.splits.at(-1), '100:0');
    assert.equal(world.primary.revision, 'v3');
  });
});

describe('changes on the way', () => {
  test('a newer revision restarts the analysis from weight 0', () => {
    const world = new World({ analysis: { metrics } }).initialize();
    world.apply('v2');
    world.run(({ status }) => status.canaryWeight === 20);
    world.apply('v3');
    world.look();
    assert.equal(
      world.events.at(-1),
      'New revision detected! Restarting analysis for podinfo.default',
    );
    assert.equal(world.splits.at(-1), '100:0');
    world.run(isPhase('Succeeded'));
    assert.deepEqual(world.promoted, ['v3']);
  });

  test('D3: taking the change back mid-analysis cancels it', () => {
    const world = new World().initialize();
    world.apply('v2');
    world.run(({ status }) => status.canaryWeight === 20);
    world.apply('v1');
    world.run(isSettled);
    assert.equal(world.phase, 'Succeeded');
    assert.deepEqual(world.promoted, []);
    assert.deepEqual([world.splits.at(-1), world.target.replicas], ['100:0', 0]);
  });

  test('D17: a revision that comes during promotion gets no traffic, and is analysed after it', () => {
    const world = new World().initialize();
    world.apply('v2');
    world.run(isPhase('Promoting'));
    assert.ok(world.primary);
    world.primary.readiness = { kind: 'NotReady', message: 'rolling', retriable: true };
    world.apply('v3');
    world.look();
    assert.equal(world.splits.at(-1), '100:0');
    world.primary.readiness = { kind: 'Ready' };
    world.run((it) => it.phase === 'Succeeded' && it.promoted.length === 2);
    assert.deepEqual(world.promoted, ['v2', 'v3']);
  });

  test('D4: with promotion steps, a weight that is gone already is the end of the shift', () => {
    const world = new World({ analysis: { stepWeightPromotion: 10 } }).initialize();
    world.apply('v2');
    world.run(isPhase('Promoting'));
    world.split = { primary: 100, canary: 0, mirrored: false };
    world.run(isPhase('Succeeded'));
  });

  test('D34: skipAnalysis promotes without steps, and waits for the primary', () => {
    const world = new World({ spec: { skipAnalysis: true } }).initialize();
    world.apply('v2');
    world.run(isPhase('Promoting'));
    assert.ok(world.primary);
    world.primary.readiness = { kind: 'NotReady', message: 'rolling', retriable: true };
    const untilMs = world.nowMs + 3 * intervalMs;
    world.run(({ nowMs }) => nowMs >= untilMs);
    assert.equal(world.target.replicas, 2);
    world.primary.readiness = { kind: 'Ready' };
    world.run(isPhase('Succeeded'));
    assert.deepEqual(world.outcomes, ['skipped']);
    assert.equal(
      world.events.at(-1),
      'Promotion completed! Canary analysis was skipped for podinfo.default',
    );
  });

  test('a weight that somebody lowered stays lowered; one that somebody raised is taken back', () => {
    const world = new World().initialize();
    world.apply('v2');
    world.run(({ status }) => status.canaryWeight === 20);
    world.split = { primary: 95, canary: 5, mirrored: false };
    world.run(({ status }) => status.canaryWeight === 5);
    world.run(({ status }) => status.canaryWeight === 15);
    world.split = { primary: 10, canary: 90, mirrored: false };
    world.look();
    assert.deepEqual(world.split, { primary: 85, canary: 15, mirrored: false });
  });

  test('suspended: nothing is done, and said once', () => {
    const world = new World().initialize();
    world.edit({ suspend: true });
    world.apply('v2');
    for (let looks = 0; looks < 5; looks += 1) assert.deepEqual(world.look().effects, []);
    assert.deepEqual(world.events, ['skipping canary run as object is suspended']);
    world.edit({ suspend: false });
    world.run(isPhase('Succeeded'));
  });

  test('D31: the target serves until the primary is ready', () => {
    const world = new World();
    world.look();
    assert.ok(world.primary);
    world.primary.readiness = { kind: 'NotReady', message: 'primary starts', retriable: true };
    const untilMs = world.nowMs + 3 * intervalMs;
    world.run(({ nowMs }) => nowMs >= untilMs);
    assert.deepEqual([world.phase, world.target.replicas, world.splits], ['Initializing', 2, []]);
    world.primary.readiness = { kind: 'Ready' };
    world.run(isSettled);
    assert.equal(world.phase, 'Initialized');
  });

  test('session cookies: made at the first weight, kept, and dropped at the end', () => {
    const sessionAffinity = { cookieName: 'flagger-cookie', primaryCookieName: 'primary-cookie' };
    const world = new World({ analysis: { sessionAffinity } }).initialize();
    world.apply('v2');
    world.run(({ status }) => status.canaryWeight === 20);
    assert.equal(world.status.sessionAffinityCookie, 'flagger-cookie=AbCdEfGhIj');
    assert.equal(world.status.primarySessionAffinityCookie, 'primary-cookie=KlMnOpQrSt');
    world.run(isPhase('Succeeded'));
    assert.equal(world.status.sessionAffinityCookie, '');
    assert.equal(world.status.previousSessionAffinityCookie, 'flagger-cookie=AbCdEfGhIj');
  });
});
