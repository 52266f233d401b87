/** `aviary journal`: the table, the steps of one canary, and the command line. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Canary, RolloutRecord } from '../../../src/api/canary.ts';
import { runJournal } from '../../../src/cli/journal/journal-command.ts';
import { entriesOf, renderSteps, renderTable } from '../../../src/cli/journal/journal-text.ts';
import { systemClock } from '../../../src/kube/clock.ts';

const failed: RolloutRecord = {
  revision: '3f9a1c20de',
  by: 'alice',
  cause: 'image podinfod: 6.0.0 -> 6.0.1',
  startedAt: '2026-11-23T02:10:05Z',
  endedAt: '2026-11-23T02:12:45Z',
  outcome: 'Failed',
  why: 'Rolling back podinfo.prod failed checks threshold reached 1',
  steps: [
    { at: '2026-11-23T02:10:05Z', event: 'Started', weight: 0 },
    {
      at: '2026-11-23T02:10:40Z',
      event: 'Advanced',
      weight: 20,
      checks: [{ name: 'success-rate', value: '99.81%', verdict: 'Passed' }],
    },
    {
      at: '2026-11-23T02:11:40Z',
      event: 'Halted',
      weight: 20,
      checks: [
        { name: 'success-rate', value: '69.17%', threshold: '>= 99%', verdict: 'Failed' },
        { name: 'smoke', verdict: 'Refused' },
      ],
      why: 'Halt podinfo.prod advancement success rate 69.17% < 99%',
    },
  ],
  folded: 3,
};
const current: RolloutRecord = {
  revision: 'aa00000000',
  startedAt: '2026-11-23T01:00:00Z',
  steps: [{ at: '2026-11-23T01:00:00Z', event: 'Started', weight: 0, iteration: 2 }],
};

const canary = (name: string, ...journal: readonly RolloutRecord[]): Canary => ({
  apiVersion: 'flagger.app/v1beta1',
  kind: 'Canary',
  metadata: { namespace: 'prod', name },
  spec: { targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name } },
  status: { phase: 'Failed', failedChecks: 0, canaryWeight: 0, iterations: 0, journal },
});

const nowMs = Date.parse('2026-11-23T03:30:00Z');
const all = [canary('podinfo', failed), canary('web', current)];

suite('what it shows', () => {
  test('all canaries: one line for each rollout, the latest last', () => {
    assert.equal(
      renderTable(entriesOf(all, -Infinity), nowMs),
      [
        'STARTED               TOOK   CANARY        OUTCOME    BY     WHAT',
        '2026-11-23T01:00:00Z  2h30m  prod/web      under way  -      aa00000000',
        '2026-11-23T02:10:05Z  2m40s  prod/podinfo  Failed     alice  image podinfod: 6.0.0 -> 6.0.1',
        '',
      ].join('\n'),
    );
  });

  test('one canary: each step with its checks, and how it ended', () => {
    assert.equal(
      renderSteps(entriesOf([canary('podinfo', failed)], -Infinity), nowMs),
      [
        '2026-11-23T02:10:05Z  revision 3f9a1c20de, by alice: image podinfod: 6.0.0 -> 6.0.1',
        '  02:10:05  Started    weight 0',
        '  02:10:40  Advanced   weight 20',
        '            success-rate 99.81% Passed',
        '  02:11:40  Halted     weight 20: Halt podinfo.prod advancement success rate 69.17% < 99%',
        '            success-rate 69.17% Failed (wanted >= 99%)',
        '            smoke Refused',
        '  3 steps were left out',
        '  Failed after 2m40s: Rolling back podinfo.prod failed checks threshold reached 1',
        '',
      ].join('\n'),
    );
  });

  test('one that is under way', () => {
    assert.equal(
      renderSteps(entriesOf([canary('web', current)], -Infinity), nowMs),
      [
        '2026-11-23T01:00:00Z  revision aa00000000',
        '  01:00:00  Started    iteration 2',
        '  under way after 2h30m',
        '',
      ].join('\n'),
    );
  });

  test('since a moment, and nothing where nothing was', () => {
    const since = Date.parse('2026-11-23T02:00:00Z');
    assert.deepEqual(
      entriesOf(all, since).map(({ name }) => name),
      ['podinfo'],
    );
    assert.equal(renderTable([], nowMs), 'no rollout in any journal\n');
    assert.equal(renderSteps([], nowMs), 'no rollout in its journal\n');
  });
});

suite('the command line', () => {
  const cases: Readonly<Record<string, readonly [readonly string[], number, RegExp]>> = {
    'help is printed': [['-h'], 0, /What happened last night/],
    'one canary at most': [['a', 'b'], 2, /one canary at most/],
    'an unknown format is refused': [['-o', 'yaml'], 2, /use text or json/],
    'a time that is none is refused': [['--since', 'yesterday'], 2, /--since yesterday/],
    'no configuration: could not look': [[], 2, /could not look/],
  };
  for (const [name, [argv, code, says]] of Object.entries(cases)) {
    test(name, async () => {
      let told = '';
      const write = (text: string): void => void (told += text);
      const environment = {};
      const given = { argv, environment, version: 'test', clock: systemClock };
      assert.equal(await runJournal({ ...given, write, complain: write }), code);
      assert.match(told, says);
    });
  }
});
