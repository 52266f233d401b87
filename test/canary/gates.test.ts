/**
 * Gates of our own over whole rollouts: an approval counts for the wait that it was given for, at
 * once, and for nothing else. `!` is a warning; seconds count from the change.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { decisionsOf } from '../../src/api/approval.ts';
import type { Canary, CanaryStatus, CanaryWebhook, GateStatus } from '../../src/api/canary.ts';
import { decide } from '../../src/canary/decide.ts';
import { analysing, canaryOf, gist, idOf, now, stepping } from './builders.ts';
import type { Driver, Setup, World } from './driver.ts';
import { createDriver } from './driver.ts';

const gate = (type: CanaryWebhook['type'], name: string): CanaryWebhook => ({
  name,
  ...(type === undefined ? {} : { type }),
});
const start = gate('confirm-rollout', 'start');
const more = gate('confirm-traffic-increase', 'more');
const ship = gate('confirm-promotion', 'ship');
const stop = gate('rollback', 'stop');

const gated = (...webhooks: readonly CanaryWebhook[]): Canary =>
  canaryOf({ ...stepping, webhooks });

/** At rest on v1, with v2 applied at second 60. */
function rollingOut(setup: Setup): Driver {
  const driver = createDriver(setup);
  driver.run({ forMs: 60_000 });
  driver.setImage('v2');
  return driver;
}

/** As `kubectl annotate` without admission. */
const annotate =
  (verb: 'approve' | 'reject', value: string) =>
  (world: World): void => {
    const { metadata } = world.canary;
    const annotations = { ...metadata.annotations, [`aviary.dev/${verb}`]: value };
    world.canary = { ...world.canary, metadata: { ...metadata, annotations } };
  };

const saidAfter = (driver: Driver, fromS: number): readonly string[] =>
  driver.trace.filter((line) => Number.parseInt(line, 10) >= fromS && line.includes('s E '));

suite('a gate without a URL', () => {
  test('holds a rollout until somebody approves, and it goes on in the same second', () => {
    const driver = rollingOut({ canary: gated(start) });
    driver.after(3_000, annotate('approve', 'start'));
    driver.run({ forMs: 30_000 });
    const approved = driver.trace.findIndex((line) => line.includes('Gate start approved'));
    assert.deepEqual(driver.trace.slice(approved, approved + 4), [
      '63s E Gate start approved',
      '63s H confirm-rollout Waiting',
      '63s E Confirm-rollout check start passed',
      '63s E New revision detected! Scaling up podinfo.default',
    ]);
    assert.deepEqual(driver.world.canary.metadata.annotations?.['aviary.dev/approve'], undefined);
  });

  test('says once that it waits, and what opens it', () => {
    const driver = rollingOut({ canary: gated(start) });
    driver.run({ forMs: 60_000 });
    assert.deepEqual(saidAfter(driver, 60), [
      '60s E ! Halt podinfo.default advancement waiting for approval start',
      '60s E To approve: kubectl -n default annotate canary podinfo aviary.dev/approve=start',
    ]);
    const [waiting] = driver.world.canary.status?.gates ?? [];
    assert.deepEqual(waiting, {
      name: 'start',
      type: 'confirm-rollout',
      revision: idOf('v2'),
      since: '2026-01-01T00:01:00Z',
    });
  });

  test('before each step needs an approval of its own', () => {
    const canary = canaryOf({ ...stepping, stepWeight: 20, maxWeight: 40, webhooks: [more] });
    const driver = rollingOut({ canary });
    driver.after(10_000, annotate('approve', 'more'));
    driver.run({ forMs: 60_000 });
    assert.equal(driver.world.split?.canary, 20);
    driver.after(1, annotate('approve', 'more'));
    driver.run({ forMs: 60_000 });
    assert.equal(driver.world.split?.canary, 40);
    // The reference asks it on the tick that promotes, too (`spec/03`, 3.4).
    driver.after(1, annotate('approve', 'more'));
    driver.run({ forMs: 60_000 });
    assert.equal(driver.world.canary.status?.phase, 'Succeeded');
  });

  test('before promotion is asked with fresh checks when somebody approves', () => {
    const canary = canaryOf({
      ...stepping,
      metrics: [{ name: 'request-success-rate', thresholdRange: { min: 99 } }],
      webhooks: [ship],
    });
    const driver = rollingOut({ canary });
    driver.run({ forMs: 24_000 });
    assert.equal(driver.world.canary.status?.phase, 'WaitingPromotion');
    const before = driver.asked('Analysis');
    driver.after(1_000, annotate('approve', 'ship'));
    driver.run({ forMs: 2_000 });
    assert.equal(driver.asked('Analysis'), before + 1);
    assert.equal(driver.world.canary.status?.phase, 'Promoting');
  });

  test('stays shut when somebody rejects, says so, and can still be approved', () => {
    const driver = rollingOut({ canary: gated(start) });
    driver.after(3_000, annotate('reject', 'start'));
    driver.run({ forMs: 60_000 });
    assert.equal(driver.world.canary.status?.phase, 'Waiting');
    assert.deepEqual(saidAfter(driver, 61), ['63s E ! Gate start rejected']);
    driver.after(1, annotate('approve', 'start'));
    driver.run();
    assert.equal(driver.world.canary.status?.phase, 'Succeeded');
  });

  test('that nobody waits at takes no approval in advance', () => {
    const driver = rollingOut({ canary: gated(start, ship) });
    driver.after(3_000, annotate('approve', 'start,ship'));
    driver.run({ forMs: 120_000 });
    assert.equal(driver.world.canary.status?.phase, 'WaitingPromotion');
    assert.ok(
      driver.trace.includes(
        '63s E ! Nothing waits for gate ship, the decision about it has no effect',
      ),
    );
  });

  test('that was opened for one revision is shut for the next', () => {
    const driver = rollingOut({ canary: gated(start) });
    driver.after(1_000, annotate('approve', 'start'));
    driver.run();
    assert.equal(driver.world.canary.status?.phase, 'Succeeded');
    driver.setImage('v3');
    driver.run({ forMs: 60_000 });
    assert.equal(driver.world.canary.status?.phase, 'Waiting');
  });

  test('waits anew for the revision that replaces the one which waited', () => {
    const driver = rollingOut({ canary: gated(start, stop) });
    driver.run({ forMs: 5_000 });
    const [old] = driver.world.canary.status?.gates ?? [];
    driver.setImage('v3');
    driver.run({ forMs: 20_000 });
    const gates = driver.world.canary.status?.gates ?? [];
    assert.deepEqual(
      gates.map(({ revision }) => revision),
      [idOf('v3'), idOf('v3')],
    );
    // A decision that was on its way for the old one opens nothing.
    const decision = {
      gate: 'start',
      type: 'confirm-rollout',
      revision: old?.revision,
      since: old?.since,
      verdict: 'Approved',
      at: '2026-01-01T00:01:10Z',
    };
    driver.after(1, (world) => {
      const annotations = { 'aviary.dev/decisions': JSON.stringify([decision]) };
      world.canary = {
        ...world.canary,
        metadata: { ...world.canary.metadata, annotations },
      };
    });
    driver.run({ forMs: 60_000 });
    assert.equal(driver.world.canary.status?.phase, 'Waiting');
  });

  test('that is opened as the revision changes stays shut: nobody approved what is there now', () => {
    for (const afterMs of [0, 1, 500, 5_000]) {
      const driver = rollingOut({ canary: gated(start) });
      driver.run({ forMs: 5_000 });
      const [old] = driver.world.canary.status?.gates ?? [];
      const decision = { ...old, gate: 'start', verdict: 'Approved', by: 'alice', at: 'then' };
      driver.setImage('v3');
      driver.after(afterMs, (world) => {
        const annotations = { 'aviary.dev/decisions': JSON.stringify([decision]) };
        world.canary = { ...world.canary, metadata: { ...world.canary.metadata, annotations } };
      });
      driver.run({ forMs: 60_000 });
      assert.equal(driver.world.canary.status?.phase, 'Waiting', driver.trace.join('\n'));
      assert.equal(driver.world.primary?.revision, 'v1');
    }
  });

  test('waits for the new revision at once, not after an interval', () => {
    const driver = rollingOut({ canary: gated(start) });
    driver.run({ forMs: 2_000 });
    driver.setImage('v3');
    driver.run({ forMs: 1_000 });
    assert.deepEqual(
      driver.world.canary.status?.gates?.map(({ revision }) => revision),
      [idOf('v3')],
    );
  });

  test('is gone with the rollout, whatever was decided about it', () => {
    const driver = rollingOut({ canary: gated(start, more, ship, stop) });
    for (const [afterMs, name] of [
      [1_000, 'start'],
      [5_000, 'more'],
      [16_000, 'more'],
      [17_000, 'ship'],
    ] as const) {
      driver.after(afterMs, annotate('approve', name));
    }
    driver.run();
    assert.equal(driver.world.canary.status?.phase, 'Succeeded', driver.trace.join('\n'));
    assert.equal(driver.world.canary.status?.gates, undefined);
  });
});

suite('a promotion gate of our own', () => {
  const iterations = { interval: '10s', threshold: 2, iterations: 2 };
  const match = [{ headers: { user: { exact: 'x' } } }];
  const strategies: Record<string, Setup> = {
    'blue/green': { canary: canaryOf({ ...iterations, webhooks: [ship] }) },
    'A/B testing': { canary: canaryOf({ ...iterations, match, webhooks: [ship] }) },
    'blue/green without routes': {
      canary: canaryOf({ ...iterations, webhooks: [ship] }, { provider: 'kubernetes' }),
      abilities: { weights: false, mirroring: false },
    },
    mirroring: { canary: canaryOf({ ...stepping, mirror: true, webhooks: [ship] }) },
  };
  for (const [name, setup] of Object.entries(strategies)) {
    test(`of ${name} is opened once, and the rollout ends`, () => {
      const driver = rollingOut(setup);
      driver.run({ forMs: 90_000 });
      assert.equal(driver.world.canary.status?.phase, 'WaitingPromotion', driver.trace.join('\n'));
      driver.after(1, annotate('approve', 'ship'));
      driver.run({ forMs: 90_000 });
      assert.equal(driver.world.canary.status?.phase, 'Succeeded', driver.trace.join('\n'));
      assert.equal(driver.world.primary?.revision, 'v2');
    });
  }
});

suite('a rollback gate', () => {
  for (const atS of [1, 15, 22]) {
    test(`ends a rollout ${atS} s after the change, at once`, () => {
      const driver = rollingOut({ canary: gated(ship, stop), readyInMs: () => 4_000 });
      driver.after(atS * 1_000, annotate('approve', 'stop'));
      driver.run({ forMs: 120_000 });
      assert.equal(driver.world.canary.status?.phase, 'Failed', driver.trace.join('\n'));
      assert.equal(driver.world.split?.canary, 0);
      assert.deepEqual(saidAfter(driver, 60 + atS).slice(0, 4), [
        `${60 + atS}s E Gate stop approved`,
        `${60 + atS}s E ! Rollback check stop passed`,
        `${60 + atS}s E ! Rolling back podinfo.default manual webhook invoked`,
        `${60 + atS}s E ! Canary failed! Scaling down podinfo.default`,
      ]);
    });
  }

  test('ends a wait for approval, too', () => {
    const driver = rollingOut({ canary: gated(start, stop) });
    driver.after(4_000, annotate('approve', 'stop'));
    driver.run({ forMs: 60_000 });
    assert.equal(driver.world.canary.status?.phase, 'Failed');
  });

  test('holds up nothing while it is shut, and nobody is asked', () => {
    const driver = rollingOut({ canary: gated(stop) });
    driver.run();
    assert.equal(driver.world.canary.status?.phase, 'Succeeded');
    assert.equal(driver.asked('RollbackRequested'), 0);
  });

  test('that somebody rejects changes nothing', () => {
    const driver = rollingOut({ canary: gated(stop) });
    driver.after(5_000, annotate('reject', 'stop'));
    driver.run();
    assert.equal(driver.world.canary.status?.phase, 'Succeeded');
  });
});

suite('killed after any write, with an approval on its way', () => {
  for (const [name, webhooks, approvals] of [
    ['confirm-rollout', [start], [[3, 'start']]],
    ['confirm-promotion', [ship], [[30, 'ship']]],
    [
      'confirm-traffic-increase',
      [more],
      [
        [10, 'more'],
        [40, 'more'],
      ],
    ],
  ] as const) {
    test(`${name} ends as it would have`, () => {
      const play = (crashes: ReadonlySet<number>): Driver => {
        const driver = rollingOut({ canary: gated(...webhooks), crashes });
        for (const [atS, hook] of approvals) driver.after(atS * 1_000, annotate('approve', hook));
        driver.run();
        return driver;
      };
      const whole = play(new Set());
      assert.equal(whole.world.canary.status?.phase, 'Succeeded', whole.trace.join('\n'));
      for (let write = 1; write <= whole.writes(); write += 1) {
        const { world, trace } = play(new Set([write]));
        assert.equal(world.canary.status?.phase, 'Succeeded', `${write}:\n${trace.join('\n')}`);
        assert.equal(world.primary?.revision, 'v2');
      }
    });
  }
});

test('an approval that was recorded before a restart does not wait for another interval', () => {
  const waiting: GateStatus = {
    name: 'ship',
    type: 'confirm-promotion',
    revision: idOf('v2'),
    since: '2026-01-01T00:01:30Z',
    verdict: 'Approved',
    at: '2026-01-01T00:01:39Z',
  };
  const seen = analysing({
    canary: gated(ship),
    status: { phase: 'WaitingPromotion', canaryWeight: 50, gates: [waiting] },
    more: { transitionAtMs: now.steadyMs - 1_000 },
  });
  assert.deepEqual(gist(decide(seen, now)), ['Route 50:50', '? ConfirmPromotion']);
});

test('who decided is in the status, and in the event', () => {
  const waiting: GateStatus = {
    name: 'ship',
    type: 'confirm-promotion',
    revision: idOf('v2'),
    since: '2026-01-01T00:01:30Z',
  };
  const decision = { gate: 'ship', ...waiting, verdict: 'Approved', by: 'alice', at: now.wallTime };
  const base = gated(ship);
  const annotations = { 'aviary.dev/decisions': JSON.stringify([decision]) };
  const canary = { ...base, metadata: { ...base.metadata, annotations } };
  assert.equal(decisionsOf(canary).length, 1);
  const seen = analysing({
    canary,
    status: { phase: 'WaitingPromotion', canaryWeight: 50, gates: [waiting] },
  });
  const { status, sayings } = decide(seen, now);
  assert.deepEqual(status?.gates, [
    { ...waiting, verdict: 'Approved', by: 'alice', at: now.wallTime },
  ]);
  assert.deepEqual(
    sayings.map(({ message }) => message),
    ['Gate ship approved by alice'],
  );
});

/** Somebody does something, so many milliseconds after the change. */
const act = fc.record({
  atMs: fc.integer({ min: 0, max: 90_000 }),
  what: fc.oneof(
    fc.record({
      verb: fc.constantFrom('approve' as const, 'reject' as const),
      gate: fc.constantFrom('start', 'more', 'ship', 'stop', 'start,ship', 'nobody'),
    }),
    fc.record({ image: fc.constantFrom('v2', 'v3', 'v4') }),
  ),
});

test('whatever is approved, changed and killed, nothing passes a gate that was not opened for it', () => {
  const deaths = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 3 });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 12 }), deaths, (acts, crashes) => {
      const passes: string[] = [];
      const driver = rollingOut({
        canary: gated(start, more, ship, stop),
        crashes: new Set(crashes.map((write) => write + 6)),
        onWrite: ({ write, before }, world) => {
          if (write.kind !== 'Status') return;
          const from = before.canary.status;
          const passed = gatePassed(from, write.status);
          if (passed === undefined) return;
          passes.push(passed);
          const opened = from?.gates?.some(
            ({ name, verdict, revision }) =>
              name === passed && verdict === 'Approved' && revision === idOf(world.target.revision),
          );
          assert.ok(opened, `${passed} was passed:\n${driver.trace.slice(-12).join('\n')}`);
        },
      });
      for (const { atMs, what } of acts) {
        driver.after(atMs, (world) => {
          if ('verb' in what) annotate(what.verb, what.gate)(world);
          else {
            world.target.revision = what.image;
            world.targetGeneration += 1;
          }
        });
      }
      driver.run({ forMs: 300_000 });
    }),
    { numRuns: 100 },
  );
});

/** The gate behind a transition, by the phases and weights on both sides of it. */
function gatePassed(from: CanaryStatus | undefined, to: CanaryStatus): string | undefined {
  if (from?.phase === 'Waiting' && to.phase === 'Progressing') return 'start';
  const isRun = from?.phase === 'Progressing' && to.phase === 'Progressing';
  if (isRun && to.canaryWeight > from.canaryWeight) return 'more';
  const isGated = from?.phase === 'WaitingPromotion' || from?.phase === 'Progressing';
  return isGated && to.phase === 'Promoting' ? 'ship' : undefined;
}
