/** A change that is not its turn: it is acknowledged, waits in phase Waiting, and says for what. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { CanarySpec, CanaryStatus } from '../../src/api/canary.ts';
import { account } from '../../src/canary/account.ts';
import { decide } from '../../src/canary/decide.ts';
import type { Observation } from '../../src/canary/observation.ts';
import { createDriver } from './driver.ts';
import { canaryOf, gist, hooks, now, observationOf, revisionView, stepping } from './builders.ts';

const refused = {
  kind: 'Refused',
  why: 'no more than 2 rollouts may be in progress at once in the cluster',
  details: 'a.x, b.x are',
} as const;
const unasked = { kind: 'Unasked' } as const;

interface Row {
  readonly spec?: Partial<CanarySpec>;
  readonly status?: Partial<CanaryStatus>;
  readonly more?: Partial<Observation>;
}

/** At rest on v1, with v2 applied. */
const changed = ({ spec, status = {}, more }: Row): Observation =>
  observationOf({
    canary: canaryOf(stepping, spec),
    status,
    more: { revision: revisionView('v2', 'Changed'), ...more },
  });

const starts = ['Route 100:0', '→ Progressing 0 0'];
const starting = 'New revision detected! Scaling up podinfo.default';
const queued = `New revision of podinfo.default waits: ${refused.why} (a.x, b.x are)`;

suite('a change, where not all may be in progress', () => {
  const cases: Record<string, [Row, readonly string[]]> = {
    'is acknowledged, and waits': [
      { more: { slot: refused } },
      ['Route 100:0', '→ Waiting 0 0', queued],
    ],
    'waits on, until it is woken': [
      { status: { phase: 'Waiting' }, more: { slot: refused } },
      ['Route 100:0', queued],
    ],
    'starts with a slot': [{ more: { slot: { kind: 'Granted' } } }, [...starts, starting]],
    'starts from the line with a slot': [
      { status: { phase: 'Waiting' }, more: { slot: { kind: 'Granted' } } },
      [...starts, starting],
    ],
    'needs none without an analysis': [
      { spec: { skipAnalysis: true }, more: { slot: refused } },
      [...starts, starting],
    ],
    'asks its gate before it asks for a slot': [
      {
        spec: { analysis: { ...stepping, webhooks: hooks('confirm-rollout') } },
        more: { slot: unasked },
      },
      ['Route 100:0', '? ConfirmRollout'],
    ],
    'is taken back in the line': [
      {
        status: { phase: 'Waiting' },
        more: { slot: refused, revision: revisionView('v1', 'Reverted') },
      },
      ['Route 100:0', '→ Succeeded 0 0'],
    ],
  };
  for (const [name, [row, expected]] of Object.entries(cases)) {
    test(name, () => assert.deepEqual(gist(decide(changed(row), now)), expected));
  }

  test('of a canary that serves alone since a failed promotion does not wait (D1)', () => {
    const more = { slot: refused, split: { primary: 0, canary: 100, mirrored: false } };
    const status = { phase: 'Failed', canaryWeight: 100 } as const;
    const seen = changed({ status, more });
    const broken = { kind: 'NotReady', message: 'broken', retriable: false } as const;
    const primary = { replicas: 2, availablePods: 0, readiness: broken };
    assert.equal(decide({ ...seen, primary }, now).status?.phase, 'Progressing');
  });

  test('of what served lately does not wait', () => {
    const { status } = decide(changed({ more: { slot: refused, isKnownGood: true } }), now);
    assert.equal(status?.phase, 'Progressing');
  });

  test('asks once everything else is in order, and for nothing else', () => {
    assert.equal(decide(changed({ more: { slot: unasked } }), now).asksForSlot, true);
    const rolling = { kind: 'NotReady', message: 'rolling out', retriable: true } as const;
    const primary = { replicas: 2, availablePods: 1, readiness: rolling };
    const blocked = decide({ ...changed({ more: { slot: unasked } }), primary }, now);
    assert.equal(blocked.asksForSlot, undefined);
  });

  test('names the limit in the condition, and says it only once', () => {
    const seen = changed({ more: { slot: refused } });
    const first = account(seen, now);
    const condition = first.status?.conditions?.find(({ type }) => type === 'Waiting');
    assert.equal(condition?.reason, 'NoSlot');
    assert.equal(condition?.message, refused.why);
    const again = changed({ status: first.status ?? {}, more: { slot: refused } });
    const second = account(again, now);
    assert.deepEqual([second.sayings, second.status], [[], undefined]);
  });

  test('keeps its place from when it was first seen, whatever it waits for next', () => {
    const { status } = decide(changed({ more: { slot: refused } }), now);
    assert.equal(status?.waitingSince, now.wallTime);
    const later = { steadyMs: now.steadyMs + 60_000, wallTime: '2026-01-01T00:02:40Z' };
    const waiting = changed({
      status: { phase: 'Waiting', waitingSince: now.wallTime },
      more: { slot: { kind: 'Granted' } },
    });
    assert.equal(decide(waiting, later).status?.waitingSince, undefined);
  });
});

suite('pods that are left over when a change has to wait', () => {
  const gate = { name: 'start', type: 'confirm-rollout' } as const;
  const canary = canaryOf({ ...stepping, webhooks: [gate] });

  test('go an interval after traffic has left them, and come back for the rollout', () => {
    const driver = createDriver({ canary });
    // Initialized a moment ago: the target's own pods still drain.
    driver.run({ forMs: 4_000 });
    driver.setImage('v2');
    driver.run({ forMs: 60_000 });
    const { status } = driver.world.canary;
    assert.deepEqual([status?.phase, driver.world.target.replicas], ['Waiting', 0]);
    driver.after(1, (world) => {
      const { metadata } = world.canary;
      const annotations = { 'aviary.dev/approve': 'start' };
      world.canary = { ...world.canary, metadata: { ...metadata, annotations } };
    });
    driver.run();
    assert.equal(driver.world.canary.status?.phase, 'Succeeded', driver.trace.join('\n'));
    assert.equal(driver.world.primary?.revision, 'v2');
  });

  test('stay while the gateway has not taken its route in, and nobody looks all the time', () => {
    const waiting = changed({
      spec: canary.spec,
      status: { phase: 'Waiting', draining: true },
      more: { confirmation: { state: 'pending', sinceMs: 0, why: 'the route is not accepted' } },
    });
    const { effects, lookAgainAtMs = 0 } = decide(waiting, now);
    assert.ok(effects.every(({ kind }) => kind !== 'ScaleTarget'));
    assert.ok(lookAgainAtMs > now.steadyMs);
  });

  test('are not taken while their connections may be open', () => {
    const waiting = changed({
      spec: canary.spec,
      status: { phase: 'Waiting', draining: true },
      more: { transitionAtMs: now.steadyMs - 3_000 },
    });
    const { effects, lookAgainAtMs } = decide(waiting, now);
    assert.ok(effects.every(({ kind }) => kind !== 'ScaleTarget'));
    assert.equal(lookAgainAtMs, now.steadyMs + 7_000);
  });
});
