/** The journal over whole rollouts, and that it stays within its bounds whatever happens. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import type { Canary, CanaryStatus, CheckRecord, RolloutRecord } from '../../src/api/canary.ts';
import type { Decision } from '../../src/canary/decision.ts';
import { nothing } from '../../src/canary/decision.ts';
import { bytesMax, journalize, rolloutsMax, stepsMax } from '../../src/canary/journal.ts';
import { account } from '../../src/canary/account.ts';
import {
  analysing,
  canaryOf,
  hashOf,
  hooks,
  idOf,
  now,
  observationOf,
  revisionView,
  stepping,
} from './builders.ts';
import type { Driver, Setup } from './driver.ts';
import { createDriver } from './driver.ts';

const journalOf = ({ world }: Driver): readonly RolloutRecord[] =>
  world.canary.status?.journal ?? [];

/** `1:10 Advanced 50`: minutes and seconds since the canary was made. */
const linesOf = ({ steps = [] }: RolloutRecord): readonly string[] =>
  steps.map(({ at, event, weight, iteration, why }) =>
    [at.slice(14, 19), event, weight, iteration ?? [], why ?? []].flat().join(' '),
  );

function rolledOut(setup: Setup, more: (driver: Driver) => void = () => {}): Driver {
  const driver = createDriver(setup);
  driver.run({ forMs: 60_000 });
  driver.setImage('v2');
  more(driver);
  driver.run();
  return driver;
}

suite('a rollout in the journal', () => {
  test('initialization is none', () => {
    const driver = createDriver();
    driver.run({ forMs: 60_000 });
    assert.deepEqual(journalOf(driver), []);
  });

  test('that was promoted: every step with its time and weight', () => {
    const canary = canaryOf({ stepWeight: 20, maxWeight: 40 });
    const [rollout, ...others] = journalOf(rolledOut({ canary }));
    assert.ok(rollout);
    assert.deepEqual(others, []);
    const { steps: _, ...summary } = rollout;
    assert.deepEqual(summary, {
      revision: idOf('v2'),
      startedAt: '2026-01-01T00:01:00Z',
      endedAt: summary.endedAt,
      outcome: 'Promoted',
    });
    assert.deepEqual(linesOf(rollout), [
      '01:00 Started 0',
      '01:02 Advanced 20',
      '01:12 Advanced 40',
      '01:22 Promoting 40',
      '01:24 Finalising 0',
    ]);
  });

  test('that failed: each halt, and why it ended', () => {
    const canary = canaryOf({ stepWeight: 20, threshold: 2, webhooks: hooks('rollout') });
    const answer: Setup['answer'] = ({ stage, before }) => stage !== 'Analysis' || before === 0;
    const [rollout] = journalOf(rolledOut({ canary, answer }));
    assert.ok(rollout);
    const halt = 'Halt podinfo.default advancement external check load failed nope';
    assert.deepEqual(linesOf(rollout), [
      '01:00 Started 0',
      '01:02 Advanced 20',
      '01:12 Advanced 40',
      `01:22 Halted 40 ${halt}`,
      `01:32 Halted 40 ${halt}`,
    ]);
    assert.equal(rollout.outcome, 'Failed');
    assert.equal(
      rollout.why,
      'Rolling back podinfo.default failed checks threshold reached 2; ' +
        'Canary failed! Scaling down podinfo.default',
    );
  });

  test('that a newer revision replaced', () => {
    const driver = rolledOut({ canary: canaryOf({ stepWeight: 20, maxWeight: 40 }) }, (it) => {
      it.run({ forMs: 5_000 });
      it.setImage('v3');
    });
    const [first, second] = journalOf(driver);
    assert.equal(first?.outcome, 'Replaced');
    assert.equal(first.endedAt, '2026-01-01T00:01:05Z');
    assert.equal(second?.revision, idOf('v3'));
    assert.equal(second.outcome, 'Promoted');
  });

  test('that was taken back', () => {
    const driver = rolledOut({ canary: canaryOf({ stepWeight: 20 }) }, (it) => {
      it.run({ forMs: 5_000 });
      it.setImage('v1');
    });
    const [rollout] = journalOf(driver);
    assert.equal(rollout?.outcome, 'Canceled');
  });

  test('that waited for approval', () => {
    const canary = canaryOf({ ...stepping, webhooks: hooks('confirm-rollout') });
    const answer: Setup['answer'] = ({ stage, before }) => stage !== 'ConfirmRollout' || before > 1;
    const [rollout] = journalOf(rolledOut({ canary, answer }));
    assert.ok(rollout);
    assert.deepEqual(linesOf(rollout).slice(0, 2), [
      '01:00 Waiting 0 Halt podinfo.default advancement waiting for approval start',
      '01:20 Started 0',
    ]);
  });
});

test('many rollouts: the last ones are there, the older ones have lost their steps first', () => {
  const driver = createDriver({ canary: canaryOf({ stepWeight: 5, maxWeight: 50 }) });
  driver.run({ forMs: 60_000 });
  for (let serial = 2; serial < 25; serial += 1) {
    driver.setImage(`v${serial}`);
    driver.run();
  }
  const journal = journalOf(driver);
  assert.equal(journal.length, rolloutsMax);
  assert.equal(journal.at(-1)?.revision, idOf('v24'));
  assert.ok(Buffer.byteLength(JSON.stringify(journal)) <= bytesMax);
  const counts = journal.map(({ steps = [] }) => steps.length);
  assert.ok((counts[0] ?? 0) < (counts.at(-1) ?? 0), counts.join());
  assert.ok(journal.every(({ outcome }) => outcome === 'Promoted'));
});

suite('who and what', () => {
  const starting = (revision: Partial<ReturnType<typeof revisionView>>, status?: object) =>
    account(
      observationOf({
        ...(status && { status }),
        more: { revision: { ...revisionView('v2', 'Changed'), ...revision } },
      }),
      now,
    ).status?.journal?.[0];

  test('are those that admission saw', () => {
    const rollout = starting({ changedBy: 'alice', cause: 'image app: web:1 -> web:2' });
    assert.equal(rollout?.by, 'alice');
    assert.equal(rollout.cause, 'image app: web:1 -> web:2');
  });

  test('a change of configuration is named by what changed', () => {
    const rollout = starting(
      { hash: hashOf('v1'), configs: { 'configmap/a': '2', 'secret/b': '1' } },
      { trackedConfigs: { 'configmap/a': '1', 'secret/b': '1' } },
    );
    assert.equal(rollout?.by, undefined);
    assert.equal(rollout?.cause, 'configuration: configmap/a');
  });

  test('checks are kept with their values and verdicts', () => {
    const canary = canaryOf({ ...stepping, metrics: [{ name: 'success-rate' }] });
    const checks: readonly CheckRecord[] = [
      { name: 'success-rate', value: '69.17%', threshold: '>= 99%', verdict: 'Failed' },
    ];
    const seen = analysing({ canary, status: { canaryWeight: 10 } });
    const { question } = account(seen, now);
    assert.ok(question);
    const answer = { id: question.id, passed: false, sayings: [], checks };
    const decision = account({ ...seen, answers: { Analysis: answer } }, now);
    assert.deepEqual(decision.status?.journal?.[0]?.steps, [
      { at: now.wallTime, event: 'Halted', weight: 10, checks },
    ]);
  });

  test('a rollout that was under way before there was a journal begins when its phase did', () => {
    const lastTransitionTime = '2026-01-01T00:00:30Z';
    const seen = analysing({ status: { canaryWeight: 10, lastTransitionTime } });
    const [rollout] = account(seen, now).status?.journal ?? [];
    assert.equal(rollout?.startedAt, lastTransitionTime);
  });

  test('a status that is written for another reason leaves it alone', () => {
    const seen = analysing({ status: { canaryWeight: 10 } });
    const status = { ...seen.canary.status, draining: true } as CanaryStatus;
    const decision: Decision = { ...nothing, status };
    assert.equal(journalize(seen, decision, now), decision);
  });
});

const text = fc.string({ maxLength: 600, unit: 'grapheme', size: 'max' });
const check: fc.Arbitrary<CheckRecord> = fc.record(
  { name: text, value: text, verdict: fc.constantFrom('Passed', 'Failed') },
  { requiredKeys: ['name', 'verdict'] },
);
const turn = fc.record({
  phase: fc.constantFrom('Progressing', 'Progressing', 'Progressing', 'Failed', 'Succeeded'),
  revision: fc.constantFrom('v2', 'v3'),
  changedBy: text,
  cause: text,
  why: text,
  checks: fc.array(check, { maxLength: 30 }),
});

test('it stays within its bounds whatever is written, and the newest survives', () => {
  fc.assert(
    fc.property(fc.array(turn, { minLength: 1, maxLength: 120, size: 'max' }), (turns) => {
      let canary: Canary = canaryOf({ ...stepping, webhooks: hooks('rollout') });
      for (const [index, given] of turns.entries()) {
        const { phase, revision, checks, why, ...attribution } = given;
        const seen = analysing({ canary, ...(canary.status && { status: canary.status }) });
        const view = { ...revisionView(revision, 'Unchanged'), ...attribution };
        const at = { ...seen, revision: view };
        const { question } = account(at, now);
        const id = question?.id ?? '';
        const status = {
          ...seen.canary.status,
          phase,
          canaryWeight: index + 1,
          failedChecks: 0,
          lastAppliedSpec: hashOf(revision),
        } as CanaryStatus;
        const sayings = [{ type: 'Warning', message: why, kind: 'Decision' }] as const;
        const answers = { Analysis: { id, passed: true, sayings: [], checks } };
        const decision = journalize({ ...at, answers }, { ...nothing, status, sayings }, now);
        canary = { ...canary, status: decision.status ?? status };
        const journal = canary.status?.journal ?? [];
        assert.ok(journal.length <= rolloutsMax);
        assert.ok(journal.every(({ steps = [] }) => steps.length <= stepsMax));
        assert.ok(Buffer.byteLength(JSON.stringify(journal)) <= bytesMax);
        if (phase === 'Progressing') {
          const last = journal.at(-1)?.steps?.at(-1);
          assert.equal(last?.weight, index + 1, 'the newest step is there');
        }
        const open = journal.filter(({ endedAt }) => endedAt === undefined);
        assert.ok(open.length <= 1, 'one rollout is under way at most');
      }
    }),
    { numRuns: 30 },
  );
});

test('a long rollout keeps its beginning and its end, and says how much lies between', () => {
  const canary = canaryOf({ stepWeight: 1, maxWeight: 80 });
  const [rollout] = journalOf(rolledOut({ canary }));
  assert.ok(rollout);
  const lines = linesOf(rollout);
  assert.equal(lines.length, stepsMax);
  assert.equal(lines[0], '01:00 Started 0');
  assert.match(lines.at(-1) ?? '', /Finalising/);
  assert.equal(rollout.folded, 83 - stepsMax);
});
