/** When a canary that others depend on is done. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Canary, CanarySpec, CanaryStatus, Phase } from '../../src/api/canary.ts';
import { account } from '../../src/canary/account.ts';
import { decide } from '../../src/canary/decide.ts';
import { pendingReason } from '../../src/canary/dependency.ts';
import type { Change } from '../../src/canary/observation.ts';
import {
  canaryOf,
  gist,
  hashOf,
  now,
  observationOf,
  revisionView,
  settled,
  stepping,
} from './builders.ts';

const key = { namespace: 'shop', name: 'backend' };

interface Given {
  readonly status?: Partial<CanaryStatus>;
  readonly spec?: Partial<CanarySpec>;
  readonly change?: Change | undefined;
  readonly isLeaving?: boolean;
}

function reasonOf({ status, spec, change, isLeaving }: Given): string | undefined {
  const base = canaryOf(stepping, spec);
  const deletion = isLeaving === true ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {};
  const canary: Canary = {
    ...base,
    metadata: { ...base.metadata, ...deletion },
    status: { ...settled, ...status },
  };
  return pendingReason({ key, canary, ...(change === undefined ? {} : { change }) });
}

const shown = 'canary backend.shop, which it depends on,';
const busy = `${shown} is in the middle of a rollout`;
const failed: Partial<CanaryStatus> = { phase: 'Failed', lastAppliedSpec: hashOf('v2') };

suite('a canary that others depend on', () => {
  const cases: Record<string, [Given, string | undefined]> = {
    'is done at rest': [{ change: 'Unchanged' }, undefined],
    'is done when it is initialized': [
      { status: { phase: 'Initialized' }, change: 'Unchanged' },
      undefined,
    ],
    'is not done before its change has begun': [{ change: 'Changed' }, busy],
    'is not done before its change is known': [{}, busy],
    'is done where it is suspended at rest': [
      { change: 'Changed', spec: { suspend: true } },
      undefined,
    ],
    'is not done where it is suspended on the way': [
      { status: { phase: 'Progressing' }, change: 'Unchanged', spec: { suspend: true } },
      busy,
    ],
    'is not done after it failed': [
      { status: failed, change: 'Unchanged' },
      `${shown} failed on its latest revision`,
    ],
    'is done when the change that failed is taken back': [
      { status: { phase: 'Failed' }, change: 'Unchanged' },
      undefined,
    ],
    'is not done before it is initialized': [
      { status: { phase: 'Initializing' }, change: 'Unchanged' },
      `${shown} is being initialized`,
    ],
    'is not done while it is deleted': [
      { isLeaving: true, change: 'Unchanged' },
      `${shown} is being deleted`,
    ],
  };
  for (const [name, [given, expected]] of Object.entries(cases)) {
    test(name, () => assert.equal(reasonOf(given), expected));
  }
  const phases: readonly Phase[] = [
    'Waiting',
    'Progressing',
    'WaitingPromotion',
    'Promoting',
    'Finalising',
  ];
  for (const phase of phases) {
    test(`is not done in phase ${phase}`, () => {
      assert.equal(reasonOf({ status: { phase }, change: 'Unchanged' }), busy);
    });
  }
  test('is not done where it is not there', () => {
    assert.equal(pendingReason({ key }), `${shown} is not there`);
  });
});

suite('a change of a canary that depends on one which is not done', () => {
  const changed = { revision: revisionView('v2', 'Changed'), dependency: busy };
  const dependsOn = [key];
  const dependent = canaryOf(stepping, { dependsOn });
  const text = `New revision of podinfo.default waits: ${busy}`;

  test('waits in phase Waiting, and says for what', () => {
    const decision = decide(observationOf({ canary: dependent, more: changed }), now);
    assert.deepEqual(gist(decision), ['Route 100:0', '→ Waiting 0 0', text]);
    assert.deepEqual(decision.obstacle, { reason: 'DependencyNotReady', message: busy });
  });

  test('asks neither its gate nor for a slot', () => {
    const hook = { name: 'start', type: 'confirm-rollout', url: 'http://gate' } as const;
    const canary = canaryOf({ ...stepping, webhooks: [hook] }, { dependsOn });
    const more = { ...changed, slot: { kind: 'Unasked' } as const };
    assert.deepEqual(gist(decide(observationOf({ canary, more }), now)).at(-1), text);
  });

  test('goes on where it is of what served lately', () => {
    const more = { ...changed, isKnownGood: true };
    assert.equal(
      decide(observationOf({ canary: dependent, more }), now).status?.phase,
      'Progressing',
    );
  });

  test('waits though its analysis is skipped: the order is what is asked for', () => {
    const canary = canaryOf(stepping, { skipAnalysis: true, dependsOn });
    assert.equal(decide(observationOf({ canary, more: changed }), now).status?.phase, 'Waiting');
  });

  test('says at once what it waits for now', () => {
    const condition = { type: 'Waiting', status: 'True' as const, reason: 'DependencyNotReady' };
    const lastUpdateTime = now.wallTime;
    const status = {
      phase: 'Waiting',
      conditions: [{ ...condition, message: busy, lastUpdateTime }],
    } as const;
    const dependency = `${shown} failed on its latest revision`;
    const seen = observationOf({ canary: dependent, status, more: { ...changed, dependency } });
    const decision = account(seen, now);
    const said = decision.status?.conditions?.find(({ type }) => type === 'Waiting');
    assert.equal(said?.message, dependency);
    assert.equal(decision.sayings.length, 1);
  });

  test('gives what was applied together five seconds to be seen', () => {
    const { revision } = changed;
    const rests = observationOf({ canary: dependent, more: { revision } });
    assert.deepEqual(gist(decide(rests, now)), ['Route 100:0', '→ Waiting 0 0', 'again +5s']);
    const waits = (sinceMs: number) =>
      observationOf({
        canary: dependent,
        status: { phase: 'Waiting' },
        more: { revision, transitionAtMs: now.steadyMs - sinceMs },
      });
    assert.deepEqual(gist(decide(waits(2_000), now)), ['Route 100:0', 'again +3s']);
    assert.equal(decide(waits(5_000), now).status?.phase, 'Progressing');
  });

  test('is not stopped when it has begun', () => {
    const seen = observationOf({
      canary: dependent,
      status: { phase: 'Promoting', lastAppliedSpec: hashOf('v2') },
      more: { revision: revisionView('v2', 'Unchanged'), dependency: busy },
    });
    assert.equal(decide(seen, now).status?.phase, 'Finalising');
  });
});
