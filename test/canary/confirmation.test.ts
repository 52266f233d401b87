/**
 * Routes that the gateway has not taken in, or that it refuses: what waits for them in each phase,
 * for how long, and what is said.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { decide } from '../../src/canary/decide.ts';
import type { Confirmation, Observation, Stage } from '../../src/canary/observation.ts';
import {
  analysing,
  answering,
  canaryOf,
  gist,
  hooks,
  idOf,
  now,
  observationOf,
  revisionView,
  running,
  split,
  stepping,
  stuck,
} from './builders.ts';

const confirmed: Confirmation = { state: 'confirmed' };
const why = 'HTTPRoute podinfo waits for Gateway public';
const message = 'HTTPRoute podinfo refused by Gateway public: Accepted NotAllowedByListeners';
const pendingSince = (agoMs: number) =>
  ({ state: 'pending', why, sinceMs: now.steadyMs - agoMs }) as const;
const pending: Confirmation = pendingSince(1000);
const unreported: Confirmation = { ...pendingSince(1000), untilMs: now.steadyMs + 9000 };
const refused: Confirmation = { state: 'refused', message };

const passing = (): boolean => true;

/** What was asked, and the decision in a few lines, without a status that says the same as before. */
function decided(seen: Observation, passes: (stage: Stage) => boolean = passing) {
  const { decision, asked } = answering(decide, seen, passes);
  const { status } = seen.canary;
  const before = status === undefined ? [] : gist({ effects: [], sayings: [], status });
  const news = gist(decision).filter((line) => !before.includes(line));
  return [...asked.map((stage) => `asked ${stage}`), ...news];
}

const at = (confirmation: Confirmation, more: Partial<Observation> = {}): Observation =>
  analysing({ status: { canaryWeight: 50 }, more: { confirmation, ...more } });

const measured = canaryOf({ ...stepping, maxWeight: 100, metrics: [{ name: 'errors' }] });
const at50 = (confirmation: Confirmation, more: Partial<Observation> = {}): Observation =>
  analysing({
    canary: measured,
    status: { canaryWeight: 50 },
    more: { confirmation, beatAtMs: now.steadyMs - 10_000, ...more },
  });

suite('a verdict is due', () => {
  const cases: Record<string, readonly [Observation, readonly string[]]> = {
    'the provider has nothing to say': [
      analysing({ canary: measured, status: { canaryWeight: 50 } }),
      [
        'asked Analysis',
        'Route 0:100',
        '→ Progressing 100 0',
        'Advance podinfo.default canary weight 100',
      ],
    ],
    'the routes are in effect': [
      at50(confirmed),
      [
        'asked Analysis',
        'Route 0:100',
        '→ Progressing 100 0',
        'Advance podinfo.default canary weight 100',
      ],
    ],
    'the gateway has not taken them in: nothing is judged until the deadline': [
      at50(pending),
      ['Route 50:50', `! ${why}`, 'again +599s'],
    ],
    'nobody has ever reported: until then': [
      at50(unreported),
      ['Route 50:50', `! ${why}`, 'again +9s'],
    ],
    'nobody has ever reported, and it was waited for': [
      at50({ state: 'confirmed', unreported: 'HTTPRoute podinfo' }),
      [
        'asked Analysis',
        'Route 0:100',
        '→ Progressing 100 0',
        '! No gateway reports on HTTPRoute podinfo, going on without its confirmation',
        'Advance podinfo.default canary weight 100',
      ],
    ],
    'the gateway refuses them: a failed check, nothing is asked': [
      at50(refused),
      [
        'Route 50:50',
        '→ Progressing 50 0 failed=1',
        `! Halt podinfo.default advancement ${message}`,
        'again +0s',
      ],
    ],
    'the progress deadline has passed': [
      at50(pendingSince(600_000)),
      [
        'Route 100:0',
        '→ Failed 0 0 draining',
        `! ${why}`,
        `! Rolling back podinfo.default progress deadline exceeded ${why}`,
        '! Canary failed! Scaling down podinfo.default',
      ],
    ],
    'the last step, before promotion': [at(pending), ['Route 50:50', `! ${why}`, 'again +599s']],
  };
  for (const [name, [seen, expected]] of Object.entries(cases)) {
    test(name, () => assert.deepEqual(decided(seen), expected));
  }

  test('refused once too often, the canary is rolled back', () => {
    const seen = analysing({
      status: { canaryWeight: 50, failedChecks: 2 },
      more: { confirmation: refused },
    });
    assert.deepEqual(decided(seen), [
      'Route 100:0',
      '→ Failed 0 0 draining',
      '! Rolling back podinfo.default failed checks threshold reached 2',
      '! Canary failed! Scaling down podinfo.default',
    ]);
  });

  test('rollback hooks are asked while nothing moves, once an interval', () => {
    const canary = canaryOf({ ...stepping, webhooks: hooks('rollback') });
    const seen = analysing({
      canary,
      status: { canaryWeight: 50 },
      more: { confirmation: pending },
    });
    const kept = answering(decide, seen, () => false);
    assert.deepEqual(kept.asked, ['RollbackRequested']);
    assert.equal(kept.decision.lastBeatAtMs, now.steadyMs);
    assert.equal(kept.decision.lookAgainAtMs, now.steadyMs + 10_000);
    assert.equal(decided(seen)[1], 'Route 100:0');
  });

  test('a step that was written before a crash is recorded, and waits then', () => {
    const seen = at50(pending, { split: split(100) });
    const [routed, status] = decided(seen);
    assert.deepEqual([routed, status], ['Route 0:100', '→ Progressing 100 0']);
  });
});

suite('no verdict is due', () => {
  const early = { beatAtMs: now.steadyMs - 2000 };
  const cases: Record<string, readonly [Observation, readonly string[]]> = {
    'the gateway has not taken the routes in': [
      at50(pending, early),
      ['Route 50:50', `! ${why}`, 'again +8s'],
    ],
    'the gateway refuses them: it is said at once': [
      at50(refused, early),
      ['Route 50:50', `! ${message}`, 'again +8s'],
    ],
    'the gateway was a little late: the cadence stays': [
      at50({ state: 'confirmed', sinceMs: now.steadyMs - 1000 }, early),
      ['Route 50:50', 'again +8s'],
    ],
    'the gateway was late: no verdict judges less than half an interval': [
      at50(
        { state: 'confirmed', sinceMs: now.steadyMs - 1000 },
        { beatAtMs: now.steadyMs - 10_000 },
      ),
      ['Route 50:50', 'again +9s'],
    ],
  };
  for (const [name, [seen, expected]] of Object.entries(cases)) {
    test(name, () => assert.deepEqual(decided(seen), expected));
  }
});

suite('other phases', () => {
  const initializing = (confirmation: Confirmation): Observation =>
    observationOf({
      status: { phase: 'Initializing' },
      target: running,
      more: { confirmation, revision: revisionView('v1', 'Changed') },
    });
  const finalising = (confirmation: Confirmation): Observation =>
    observationOf({
      status: { phase: 'Finalising', draining: true },
      target: running,
      primary: { revision: idOf('v1') },
      more: { confirmation },
    });
  const failed = (confirmation: Confirmation): Observation =>
    observationOf({
      status: { phase: 'Failed', draining: true },
      target: running,
      more: { confirmation },
    });
  const promoting = (confirmation: Confirmation): Observation =>
    observationOf({
      canary: canaryOf({ ...stepping, stepWeightPromotion: 20 }),
      status: { phase: 'Promoting', canaryWeight: 50 },
      target: running,
      more: { confirmation, split: split(50) },
    });
  const cases: Record<string, readonly [Observation, readonly string[]]> = {
    'Initializing: done once the routes are in effect': [
      initializing(confirmed),
      ['Route 100:0', '→ Initialized 0 0 draining', 'Initialization done! podinfo.default'],
    ],
    'Initializing: not done while they are not': [
      initializing(pending),
      ['Route 100:0', `! ${why}`],
    ],
    'Initializing: not done over refused routes': [
      initializing(refused),
      ['Route 100:0', `! ${message}`],
    ],
    'Promoting: the next step back waits': [promoting(pending), ['Route 50:50', `! ${why}`]],
    'Promoting: the next step back waits for whoever must act': [
      promoting(refused),
      ['Route 50:50', `! ${message}`],
    ],
    'Finalising: pods stay while the gateway may send them traffic': [
      finalising(pending),
      ['Route 100:0', `! ${why}`],
    ],
    'Finalising: and while it refuses to stop': [
      finalising(refused),
      ['Route 100:0', `! ${message}`],
    ],
    'Finalising: the interval to drain begins when the routes are in effect': [
      finalising({ state: 'confirmed', sinceMs: now.steadyMs - 4000 }),
      ['Route 100:0', 'again +6s'],
    ],
    'Failed: pods stay while the gateway may send them traffic': [
      failed(pending),
      ['Route 100:0', `! ${why}`],
    ],
    'Failed: pods go an interval after the routes are in effect': [
      failed({ state: 'confirmed', sinceMs: now.steadyMs - 10_000 }),
      ['Route 100:0', 'ScaleTarget 0', '→ Failed 0 0'],
    ],
    'a new revision is not brought up while the gateway may send its pods traffic': [
      observationOf({
        more: { confirmation: refused, revision: revisionView('v2', 'Changed') },
      }),
      ['Route 100:0', `! ${message}`],
    ],
    'a fix is brought up where the canary serves alone': [
      observationOf({
        status: { phase: 'Failed', canaryWeight: 100 },
        primary: { readiness: stuck },
        more: {
          confirmation: refused,
          split: split(100),
          revision: revisionView('v2', 'Changed'),
        },
      }),
      ['Route 0:100', '→ Progressing 100 0', 'New revision detected! Scaling up podinfo.default'],
    ],
    'at rest: nothing waits, but what is refused is said': [
      observationOf({ more: { confirmation: refused } }),
      ['Route 100:0', `! ${message}`],
    ],
    'at rest: nothing waits': [observationOf({ more: { confirmation: pending } }), ['Route 100:0']],
  };
  for (const [name, [seen, expected]] of Object.entries(cases)) {
    test(name, () => assert.deepEqual(decided(seen), expected));
  }
});
