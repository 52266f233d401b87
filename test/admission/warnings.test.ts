import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { warningsFor } from '../../src/admission/warnings.ts';
import type { Phase } from '../../src/api/canary.ts';
import type { CanaryParts } from './podinfo.ts';
import { changedHash, podinfoCanary, promotedHash } from './podinfo.ts';

const phases: readonly Phase[] = [
  '',
  'Initializing',
  'Initialized',
  'Waiting',
  'Progressing',
  'WaitingPromotion',
  'Promoting',
  'Finalising',
  'Succeeded',
  'Failed',
  'Terminating',
  'Terminated',
];

const said = (parts: CanaryParts, hash = changedHash): readonly string[] =>
  warningsFor({
    canary: podinfoCanary(parts),
    changed: true,
    hash,
    returns: false,
    asked: undefined,
    held: undefined,
  });

suite('a change is answered', () => {
  const starts =
    'this starts a canary analysis (weights 10, 20, 30, 40, 50 every 1m, at least 6m to promotion)';
  const weight = 20;
  const cases: Record<string, [CanaryParts['status'], string]> = {
    'before the take-over': [
      { phase: '' },
      'its Canary is being initialized, this is part of the first revision',
    ],
    'during the take-over': [
      { phase: 'Initializing' },
      'its Canary is being initialized, this is part of the first revision',
    ],
    'at rest, after the take-over': [{ phase: 'Initialized' }, starts],
    'at rest, after a promotion': [{ phase: 'Succeeded' }, starts],
    'at rest, after another revision failed': [{ phase: 'Failed' }, starts],
    'when it failed before': [
      { phase: 'Failed', lastAppliedSpec: changedHash },
      'this revision failed its analysis before, and is not analysed again unless it changes',
    ],
    'while another waits for approval': [
      { phase: 'Waiting' },
      'the change that waits for approval is replaced by this one',
    ],
    'mid-analysis': [
      { phase: 'Progressing', canaryWeight: weight },
      'is mid-analysis at weight 20; this restarts it',
    ],
    'before the approval of a promotion': [
      { phase: 'WaitingPromotion', canaryWeight: 50 },
      'is mid-analysis at weight 50; this restarts it',
    ],
    'while another is promoted': [
      { phase: 'Promoting' },
      'another revision is being promoted; this one is analysed after that',
    ],
    'while traffic goes home': [
      { phase: 'Finalising' },
      'another revision is being promoted; this one is analysed after that',
    ],
    'while the Canary is being deleted': [
      { phase: 'Terminating' },
      'its Canary is being deleted, this is rolled out at once',
    ],
    'when the Canary is all but deleted': [
      { phase: 'Terminated' },
      'its Canary is being deleted, this is rolled out at once',
    ],
  };
  for (const [sentence, [status = {}, expected]] of Object.entries(cases)) {
    test(sentence, () => assert.deepEqual(said({ status }), [`podinfo: ${expected}`]));
  }
});

suite('going back to what served until lately is answered', () => {
  const spec = { analysis: { interval: '30s', threshold: 3, rollbackWindow: '30m' } };
  const straight = 'this revision served within 30m, it is promoted without analysis';
  const cases: Partial<Record<Phase, string>> = {
    Succeeded: straight,
    Failed: straight,
    Progressing: `is mid-analysis at weight 0; ${straight}`,
  };
  for (const [phase, expected] of Object.entries(cases)) {
    test(phase, () => {
      const canary = podinfoCanary({ spec, status: { phase: phase as Phase } });
      const change = { canary, changed: true, hash: changedHash, returns: true };
      assert.deepEqual(warningsFor({ ...change, asked: undefined, held: undefined }), [
        `podinfo: ${expected}`,
      ]);
    });
  }
});

suite('taking a change back is answered', () => {
  const cases: Partial<Record<Phase, string>> = {
    Initialized: 'this is the revision that the primary runs, nothing is analysed',
    Succeeded: 'this is the revision that the primary runs, nothing is analysed',
    Failed: 'this is the revision that the primary runs, nothing is analysed',
    Waiting: 'the change that waits for approval is taken back',
    Progressing: 'is mid-analysis at weight 30; this takes the change back and ends the analysis',
    WaitingPromotion:
      'is mid-analysis at weight 30; this takes the change back and ends the analysis',
  };
  for (const [phase, expected] of Object.entries(cases)) {
    test(phase, () => {
      const status = { phase: phase as Phase, canaryWeight: 30, lastAppliedSpec: changedHash };
      assert.deepEqual(said({ status }, promotedHash), [`podinfo: ${expected}`]);
    });
  }
});

suite('what starts', () => {
  const analysis = { interval: '30s', threshold: 3 };
  const match = [{ headers: { 'x-canary': { exact: 'insider' } } }];
  const cases: Record<string, [CanaryParts['spec'], string]> = {
    'is nothing while suspended': [
      { suspend: true },
      'its Canary is suspended, nothing happens until it is resumed',
    ],
    'is a promotion where analysis is skipped': [
      { skipAnalysis: true },
      'this is promoted without analysis',
    ],
    'comes after others, and after an approval': [
      {
        skipAnalysis: true,
        dependsOn: [{ name: 'backend' }, { name: 'db', namespace: 'data' }],
        analysis: { ...analysis, webhooks: [{ name: 'start', type: 'confirm-rollout' }] },
      },
      'once canary backend.test, db.data is done and gate start is approved, this is promoted without analysis',
    ],
    'names the weights of a list': [
      { analysis: { ...analysis, stepWeights: [1, 2, 10, 80] } },
      'this starts a canary analysis (weights 1, 2, 10, 80 every 30s, at least 2m30s to promotion)',
    ],
    'steps as far as the first weight that reaches maxWeight, as the reference does': [
      { analysis: { ...analysis, stepWeight: 40, maxWeight: 50 } },
      'this starts a canary analysis (weights 40, 80 every 30s, at least 1m30s to promotion)',
    ],
    'never names a weight above 100': [
      { analysis: { ...analysis, stepWeight: 60, maxWeight: 100 } },
      'this starts a canary analysis (weights 60, 100 every 30s, at least 1m30s to promotion)',
    ],
    'shortens many weights': [
      { analysis: { ...analysis, stepWeight: 5, maxWeight: 50 } },
      'this starts a canary analysis (weights 5, 10, 15, 20, 25, 30, 35 ... 50 every 30s, at least 5m30s to promotion)',
    ],
    'is a blue/green analysis': [
      { analysis: { ...analysis, iterations: 4 } },
      'this starts a blue/green analysis of 4 iterations every 30s, at least 2m30s to promotion',
    ],
    'is an A/B test': [
      { analysis: { ...analysis, iterations: 9, match } },
      'this starts an A/B test of 9 iterations every 30s, at least 5m to promotion',
    ],
  };
  for (const [sentence, [spec = {}, expected]] of Object.entries(cases)) {
    test(sentence, () => assert.deepEqual(said({ spec }), [`podinfo: ${expected}`]));
  }
});

suite('replicas that are held are answered', () => {
  const cases: Record<string, [number | undefined, number | undefined, readonly string[]]> = {
    'with when they come': [
      3,
      0,
      [
        'podinfo: replicas stay at 0, the canary holds them; 3 are used when its next revision is brought up',
      ],
    ],
    'with when they go': [
      1,
      3,
      ['podinfo: replicas stay at 3, the canary holds them; 1 are used with the next change'],
    ],
    'without a promise where none are asked for': [
      0,
      3,
      ['podinfo: replicas stay at 3, the canary holds them'],
    ],
    'not at all where they are not': [4, undefined, []],
  };
  for (const [sentence, [asked, replicas, expected]] of Object.entries(cases)) {
    test(sentence, () => {
      const change = {
        canary: podinfoCanary(),
        changed: false,
        returns: false,
        hash: changedHash,
      };
      const part = replicas === undefined ? undefined : ({ kind: 'Replicas', replicas } as const);
      assert.deepEqual(warningsFor({ ...change, asked, held: part }), expected);
    });
  }
});

test('whatever the Canary, there is one plain line, which clients do not cut', () => {
  const percent = fc.integer({ min: 0, max: 100 });
  const analysis = fc.record(
    {
      interval: fc.constantFrom('10s', '1m', '90s', 'nonsense', ''),
      stepWeight: percent,
      maxWeight: percent,
      stepWeights: fc.array(percent, { maxLength: 40 }),
      iterations: percent,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.option(analysis, { nil: undefined }),
      fc.constantFrom(...phases),
      fc.boolean(),
      fc.constantFrom(promotedHash, changedHash),
      (given, phase, suspend, hash) => {
        const spec = { suspend, ...(given === undefined ? {} : { analysis: given }) };
        const lines = said({ spec, status: { phase } }, hash);
        assert.equal(lines.length, 1);
        for (const line of lines) assert.match(line, /^podinfo: [^\n]{10,240}$/);
      },
    ),
  );
});
