import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isAtRest, outcomeOf, play, scripts } from '../../../src/cli/demo/story.ts';
import type { Act, Change, Standing, Theatre } from '../../../src/cli/demo/story.ts';
import { createTally } from '../../../src/cli/demo/tally.ts';
import { createVirtualClock } from '../../../src/cluster/virtual-clock.ts';

const before: Standing = {
  phase: 'Initialized',
  revision: 'one',
  isPromoted: true,
  canaryWeight: 0,
  isDraining: false,
  primary: { tag: '1.0.0', greeting: 'hello' },
};
const promoted: Standing = {
  ...before,
  phase: 'Succeeded',
  revision: 'two',
  primary: { ...before.primary, tag: '2.0.0' },
};
const failed: Standing = { ...before, phase: 'Failed', revision: 'two', isPromoted: false };
const release = (end: Act['end']): Act => ({
  change: { kind: 'Release', tag: '2.0.0' },
  end,
  told: '',
});
const configure: Act = {
  change: { kind: 'Configure', greeting: 'good day' },
  end: 'Promoted',
  told: '',
};

suite('the end of an act', () => {
  const configured = { ...promoted, primary: { tag: '1.0.0', greeting: 'good day' } };
  const cases: Readonly<Record<string, readonly [Act, Standing, string]>> = {
    'nothing has begun': [release('Promoted'), before, 'Pending'],
    'an end of the revision before is none': [
      release('RolledBack'),
      { ...before, phase: 'Failed' },
      'Pending',
    ],
    'it goes on': [release('Promoted'), { ...promoted, phase: 'Progressing' }, 'Pending'],
    'promoted, and the primary runs it': [release('Promoted'), promoted, 'Reached'],
    'the primary does not run it yet': [
      release('Promoted'),
      { ...promoted, primary: before.primary },
      'Pending',
    ],
    'another one is the promoted revision': [
      release('Promoted'),
      { ...promoted, isPromoted: false },
      'Pending',
    ],
    'traffic is still on the canary': [
      release('Promoted'),
      { ...promoted, canaryWeight: 10 },
      'Pending',
    ],
    'the canary still drains': [release('RolledBack'), { ...failed, isDraining: true }, 'Pending'],
    'rolled back, and the primary is as it was': [release('RolledBack'), failed, 'Reached'],
    'rolled back with another primary': [
      release('RolledBack'),
      { ...failed, primary: promoted.primary },
      'Missed',
    ],
    'rolled back when it was to be promoted': [release('Promoted'), failed, 'Missed'],
    'promoted when it was to be rolled back': [release('RolledBack'), promoted, 'Missed'],
    'the configuration is the primary’s': [configure, configured, 'Reached'],
    'the configuration is not the primary’s': [configure, promoted, 'Pending'],
  };
  for (const [name, [act, now, expected]] of Object.entries(cases)) {
    test(name, () => assert.equal(outcomeOf(act, before, now).kind, expected));
  }
});

/** A theatre on a virtual clock, in which things come to stand as they are told to. */
function theatreOf(becomes: (change: Change) => readonly Standing[]) {
  const clock = createVirtualClock();
  const listeners = new Set<() => void>();
  const made: Change[] = [];
  let now: Standing | undefined = before;
  const theatre: Theatre = {
    standing: () => now,
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    make: async (change) => {
      made.push(change);
      for (const [at, next] of becomes(change).entries()) {
        clock.after((at + 1) * 1_000, () => {
          now = next;
          for (const listener of listeners) listener();
        });
      }
    },
    tell: () => undefined,
    pauseMs: 500,
    clock,
    actMsMax: 60_000,
  };
  return { theatre, clock, made, listeners };
}

async function played(acts: readonly Act[], becomes: (change: Change) => readonly Standing[]) {
  const { theatre, clock, made, listeners } = theatreOf(becomes);
  const signal = new AbortController().signal;
  let end: string | undefined;
  play(acts, theatre, signal).then(
    () => (end = 'reached'),
    (error: unknown) => (end = String(error)),
  );
  await clock.advanceUntil(() => end !== undefined, 600_000);
  assert.equal(listeners.size, 0, 'nobody is left listening');
  assert.deepEqual(clock.timers(), [], 'no timer is left');
  return { end, made, seconds: clock.monotonic() / 1000 };
}

suite('a script', () => {
  test('is over when all of its acts are', async () => {
    const becomes = (change: Change): readonly Standing[] =>
      change.kind === 'Release' && change.tag.includes('bad')
        ? [{ ...failed, revision: 'three', primary: promoted.primary }]
        : [{ ...promoted, phase: 'Progressing' }, promoted];
    const { end, made } = await played(scripts.tour, becomes);
    assert.equal(end, 'reached');
    assert.deepEqual(made, [
      { kind: 'Release', tag: '2.0.0' },
      { kind: 'Release', tag: '3.0.0-bad' },
    ]);
  });

  test('fails at once at an end that it did not want, and goes no further', async () => {
    const { end, made, seconds } = await played([release('Promoted'), configure], () => [failed]);
    assert.equal(end, 'Error: the release 2.0.0 was rolled back, not promoted');
    assert.equal(made.length, 1);
    assert.ok(seconds < 3, `${seconds} s`);
  });

  test('fails when its end does not come, and says how far it came', async () => {
    const progressing: Standing = { ...promoted, phase: 'Progressing', canaryWeight: 20 };
    const { end } = await played([release('Promoted')], () => [progressing]);
    const expected =
      'Error: waited 60 s for the release 2.0.0 to come to its end: it is Progressing';
    assert.equal(end, expected);
  });

  test('ends with its signal', async () => {
    const { theatre, clock, listeners } = theatreOf(() => []);
    const stop = new AbortController();
    const ending = assert.rejects(play(scripts.promote, theatre, stop.signal), /told to end/);
    await clock.advance(5_000);
    stop.abort(new Error('told to end'));
    await ending;
    assert.equal(listeners.size, 0);
  });
});

suite('what a rollout has cost', () => {
  test('is told once, when it has ended, and of that rollout only', () => {
    const totals = { answered: 100, failed: 7 };
    const tally = createTally(totals);
    assert.equal(tally(undefined), undefined);
    assert.equal(tally(before), undefined);
    totals.answered = 200;
    assert.equal(tally({ ...promoted, phase: 'Progressing' }), undefined);
    totals.answered = 290;
    totals.failed = 17;
    assert.equal(tally({ ...promoted, isDraining: true }), undefined);
    assert.equal(tally(promoted), 'Promoted: 10 of 100 requests failed on the way');
    totals.answered = 1_000;
    assert.equal(tally(promoted), undefined);
    assert.equal(tally({ ...failed, phase: 'Progressing' }), undefined);
    assert.equal(tally(failed), 'Rolled back: 0 of 0 requests failed on the way');
  });
  test('is not told of the initialization', () => {
    const tally = createTally({ answered: 0, failed: 0 });
    assert.equal(tally({ ...before, phase: 'Initializing' }), undefined);
    assert.equal(tally(before), undefined);
  });
  test('rest is where nothing goes on', () => {
    assert.ok([before, promoted, failed].every(isAtRest));
    assert.ok(!isAtRest({ ...promoted, phase: 'Finalising' }));
    assert.ok(!isAtRest({ ...failed, isDraining: true }));
  });
});
