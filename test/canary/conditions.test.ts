/**
 * The condition `Waiting`: why nothing happens. Tables of single decisions, and whole rollouts in
 * which every write is counted.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Canary, CanaryWebhook } from '../../src/api/canary.ts';
import type { Condition } from '../../src/api/kubernetes.ts';
import { account } from '../../src/canary/account.ts';
import { decide } from '../../src/canary/decide.ts';
import type { Moment, Observation, Saying, Stage } from '../../src/canary/observation.ts';
import type { Given } from './builders.ts';
import { analysing, canaryOf, now, observationOf, stepping } from './builders.ts';
import type { Driver, Written } from './driver.ts';
import { createDriver } from './driver.ts';

const warning = (message: string): Saying => ({ type: 'Warning', message, kind: 'Decision' });

/** The look that follows the answers; all pass but the one that is named. */
function answered(
  seen: Observation,
  refused: { readonly stage: Stage; readonly message: string; readonly waitsForGate?: boolean },
  moment: Moment = now,
) {
  let answers = seen.answers;
  for (;;) {
    const decision = account({ ...seen, answers }, moment);
    if (decision.question === undefined) return decision;
    const { stage, id } = decision.question;
    const passed = stage !== refused.stage;
    const sayings = passed ? [] : [warning(refused.message)];
    const { waitsForGate = false } = passed ? {} : refused;
    answers = { ...answers, [stage]: { id, passed, sayings, waitsForGate } };
  }
}

const waitingOf = (conditions: readonly Condition[] | undefined) =>
  conditions?.find(({ type }) => type === 'Waiting');

const told = (condition: Condition | undefined): string =>
  condition === undefined ? 'nothing' : `${condition.reason}: ${condition.message}`;

const hook = (type: CanaryWebhook['type'], name: string, url?: string): CanaryWebhook => ({
  name,
  ...(type === undefined ? {} : { type }),
  ...(url === undefined ? {} : { url }),
});

const gated = (...webhooks: readonly CanaryWebhook[]): Canary =>
  canaryOf({ ...stepping, webhooks });

const notReady = {
  kind: 'NotReady',
  message: 'canary deployment podinfo.default not ready: 1 of 2 updated pods are available',
  retriable: true,
} as const;

suite('what is waited for', () => {
  const metric = canaryOf({ ...stepping, threshold: 5, metrics: [{ name: 'success-rate' }] });
  const cases: Readonly<Record<string, { seen: Observation; says: string }>> = {
    'nothing, at rest': { seen: observationOf(), says: 'nothing' },
    'somebody to end the suspension': {
      seen: observationOf({ canary: canaryOf(stepping, { suspend: true }) }),
      says: 'Suspended: Nothing happens until spec.suspend is false',
    },
    'pods of the canary: which, how many, until when': {
      seen: analysing({ target: { readiness: notReady } }),
      says: `PodsNotReady: ${notReady.message}; the deadline is 600s`,
    },
    'pods of the primary, in a promotion': {
      seen: observationOf({
        status: { phase: 'Promoting', canaryWeight: 50 },
        primary: { readiness: { ...notReady, message: 'podinfo-primary.default not ready' } },
      }),
      says: 'PodsNotReady: podinfo-primary.default not ready; the deadline is 600s',
    },
    'a gateway that has not taken the route in': {
      seen: analysing({
        status: { canaryWeight: 10 },
        more: { confirmation: { state: 'pending', why: 'waiting for gateway', sinceMs: 95_000 } },
      }),
      says: 'RouteUnconfirmed: waiting for gateway',
    },
    'nothing of this kind: a problem has a condition of its own': {
      seen: observationOf({
        more: { problem: { reason: 'TargetNotFound', message: 'no deployment' } },
      }),
      says: 'nothing',
    },
    'metrics that do not answer': {
      seen: analysing({
        canary: metric,
        status: { canaryWeight: 10 },
        more: { transitionAtMs: now.steadyMs - 20_000 },
      }),
      says: 'ChecksRunning: waiting for the answers of metrics success-rate',
    },
    'hooks that do not answer': {
      seen: analysing({ canary: gated(hook('pre-rollout', 'load', 'http://hooks')) }),
      says: 'ChecksRunning: waiting for the answers of pre-rollout hooks load',
    },
  };
  for (const [name, { seen, says }] of Object.entries(cases)) {
    test(name, () => assert.equal(told(waitingOf(account(seen, now).status?.conditions)), says));
  }

  test('nothing yet, where an answer is due since less than an interval', () => {
    const seen = analysing({
      canary: gated(hook('pre-rollout', 'load', 'http://hooks')),
      more: { transitionAtMs: now.steadyMs - 9_000 },
    });
    const decision = account(seen, now);
    assert.equal(decision.status, undefined);
    assert.equal(decision.lookAgainAtMs, now.steadyMs + 10_000);
  });

  test('the check that halted it, with its value and its threshold, and how many may fail', () => {
    const message = 'Halt podinfo.default advancement success rate 69.17% < 99%';
    const seen = analysing({ canary: metric, status: { canaryWeight: 10, failedChecks: 1 } });
    const { status } = answered(seen, { stage: 'Analysis', message });
    assert.equal(
      told(waitingOf(status?.conditions)),
      `CheckFailed: ${message} (2 of 5 failed checks)`,
    );
  });

  const message = 'Halt podinfo.default advancement waiting for approval start';
  const refusals: Readonly<
    Record<string, { given: Given; type: CanaryWebhook['type']; stage: Stage }>
  > = {
    'before the rollout': { given: {}, type: 'confirm-rollout', stage: 'ConfirmRollout' },
    'before a step': {
      given: { status: { canaryWeight: 10 } },
      type: 'confirm-traffic-increase',
      stage: 'ConfirmTrafficIncrease',
    },
    'before promotion': {
      given: { status: { canaryWeight: 50 } },
      type: 'confirm-promotion',
      stage: 'ConfirmPromotion',
    },
  };
  for (const [name, { given, type, stage }] of Object.entries(refusals)) {
    const seenBy = (canary: Canary): Observation => {
      if (stage !== 'ConfirmRollout') return analysing({ ...given, canary });
      const { revision, ...seen } = observationOf({ canary, status: { phase: 'Waiting' } });
      return { ...seen, ...(revision && { revision: { ...revision, change: 'Changed' } }) };
    };
    test(`${name}: somebody else's hook`, () => {
      const seen = seenBy(gated(hook(type, 'start', 'http://hooks')));
      const { status } = answered(seen, { stage, message });
      assert.equal(told(waitingOf(status?.conditions)), `HookRefused: ${message}`);
    });
    test(`${name}: whose change it is, where admission saw it`, () => {
      const { revision, ...seen } = seenBy(gated(hook(type, 'start')));
      const made = { changedBy: 'alice', cause: 'image app: web:1 -> web:2' };
      const known = { ...seen, ...(revision && { revision: { ...revision, ...made } }) };
      const { status } = answered(known, { stage, message, waitsForGate: true });
      const said = waitingOf(status?.conditions)?.message ?? '';
      assert.ok(said.startsWith(`${message} (by alice: image app: web:1 -> web:2). To approve`));
    });
    test(`${name}: a gate of our own, and how it is opened`, () => {
      const seen = seenBy(gated(hook(type, 'start')));
      const { status } = answered(seen, { stage, message, waitsForGate: true });
      const how = 'kubectl -n default annotate canary podinfo aviary.dev/approve=start';
      assert.equal(
        told(waitingOf(status?.conditions)),
        `GateClosed: ${message}. To approve: ${how}`,
      );
    });
  }
});

suite('the condition stands while the wait does', () => {
  const since = '2026-01-01T00:00:40Z';
  const waiting = (message: string, lastUpdateTime = since): Condition => ({
    type: 'Waiting',
    status: 'True',
    reason: 'PodsNotReady',
    message,
    lastUpdateTime,
    lastTransitionTime: since,
  });
  const says = `${notReady.message}; the deadline is 600s`;
  const seenWith = (condition: Condition, ready = false): Observation =>
    analysing({
      status: { conditions: [condition] },
      ...(ready ? {} : { target: { readiness: notReady } }),
    });

  test('no write where it says the same', () => {
    assert.equal(account(seenWith(waiting(says)), now).status, undefined);
  });

  test('numbers are brought up to date once a minute, and the wait stays as old as it is', () => {
    const old = account(seenWith(waiting('0 of 2')), now).status;
    assert.deepEqual(waitingOf(old?.conditions), waiting(says, now.wallTime));
    const fresh = waiting('0 of 2', '2026-01-01T00:01:05Z');
    assert.equal(account(seenWith(fresh), now).status, undefined);
  });

  test('it is gone when the pods are ready', () => {
    const seen = analysing({
      status: { conditions: [waiting(says)], canaryWeight: 10 },
      more: { transitionAtMs: now.steadyMs - 5_000, beatAtMs: now.steadyMs - 5_000 },
    });
    const decision = account(seen, now);
    assert.deepEqual(decision.status?.conditions, []);
    assert.equal(decision.lastBeatAtMs, now.steadyMs - 5_000, 'the cadence stays');
    assert.equal(decision.status?.lastTransitionTime, seen.canary.status?.lastTransitionTime);
  });

  test('a step ends it', () => {
    const { status } = account(seenWith(waiting(says), true), now);
    assert.equal(status?.canaryWeight, 50);
    assert.equal(waitingOf(status.conditions), undefined);
  });

  test('a deletion is nobody’s wait', () => {
    const { canary, ...seen } = seenWith(waiting(says));
    const deletionTimestamp = now.wallTime;
    const metadata = { ...canary.metadata, deletionTimestamp };
    const deleted = { ...seen, canary: { ...canary, metadata } };
    assert.deepEqual(account(deleted, now), decide(deleted, now));
  });
});

/** Statuses as they were written, of which the conditions alone differ. */
function accountsOf(driver: (onWrite: (written: Written) => void) => Driver): readonly string[] {
  const written: string[] = [];
  const onWrite = ({ write, before }: Written): void => {
    if (write.kind !== 'Status') return;
    const { conditions: after, ...status } = write.status;
    const { conditions: _, ...known } = before.canary.status ?? {};
    const seconds = before.nowMs / 1000;
    if (JSON.stringify(status) !== JSON.stringify(known)) return;
    written.push(`${seconds}s ${told(waitingOf(after))}`);
  };
  driver(onWrite).run();
  return written;
}

suite('over a whole rollout', () => {
  test('one that goes well costs no write for it', () => {
    const written = accountsOf((onWrite) => {
      const driver = createDriver({ onWrite });
      driver.run({ forMs: 60_000 });
      driver.setImage('v2');
      return driver;
    });
    assert.deepEqual(written, []);
  });

  test('pods that take long: a write when it is clear, and none for each look', () => {
    const written = accountsOf((onWrite) => {
      const readyInMs = (side: string) => (side === 'target' ? 45_000 : 2_000);
      const driver = createDriver({ onWrite, readyInMs });
      driver.run({ forMs: 60_000 });
      driver.setImage('v2');
      return driver;
    });
    assert.equal(written.length, 1, written.join('\n'));
    assert.match(
      written[0] ?? '',
      /^70s PodsNotReady: canary deployment podinfo.default not ready/,
    );
  });

  test('a hook that refuses for minutes: one write', () => {
    const canary = gated(hook('confirm-traffic-increase', 'more', 'http://hooks'));
    const written = accountsOf((onWrite) => {
      const answer = ({ stage, before }: { stage: Stage; before: number }) =>
        stage !== 'ConfirmTrafficIncrease' || before === 0 || before > 12;
      const driver = createDriver({ canary, onWrite, answer });
      driver.run({ forMs: 60_000 });
      driver.setImage('v2');
      return driver;
    });
    assert.equal(written.length, 1, written.join('\n'));
    assert.match(written[0] ?? '', /HookRefused: .* waiting for traffic increase approval more/);
  });
});
