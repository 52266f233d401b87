/** Decisions about gates as admission sees them: who made them is what the API server says. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { decideGates } from '../../src/admission/gates.ts';
import type { GateDecision } from '../../src/api/approval.ts';
import { decisionsOf } from '../../src/api/approval.ts';
import type { Canary, GateStatus } from '../../src/api/canary.ts';
import type { StringMap } from '../../src/api/kubernetes.ts';
import { podinfoCanary, readRequest } from './podinfo.ts';

const ship: GateStatus = {
  name: 'ship',
  type: 'confirm-promotion',
  revision: 'r2',
  since: '2026-01-01T00:00:00Z',
};
const wallTime = '2026-01-01T00:01:00Z';
const approve = 'aviary.dev/approve';
const decisions = 'aviary.dev/decisions';
const decision = (by: string, verdict: GateDecision['verdict'] = 'Approved'): GateDecision => ({
  gate: 'ship',
  type: 'confirm-promotion',
  revision: 'r2',
  since: ship.since,
  verdict,
  by,
  at: wallTime,
});

const waiting = podinfoCanary({ status: { phase: 'WaitingPromotion', gates: [ship] } });
const annotated = (annotations: StringMap, canary = waiting): Canary => ({
  ...canary,
  metadata: { ...canary.metadata, annotations: { mine: 'x', ...annotations } },
});

/** What alice's request makes of annotations. */
function review(given: StringMap, stored: StringMap = {}, canary = waiting) {
  const request = {
    ...readRequest('canary-update'),
    user: 'alice',
    object: annotated(given, canary),
    oldObject: annotated(stored, canary),
  };
  const { answer, isDecided } = decideGates(request, wallTime);
  const { mine, ...ours } = answer.wanted?.metadata.annotations ?? {};
  assert.equal(mine, 'x', 'what is not ours stays');
  return { ours, warnings: answer.warnings, isDecided };
}

const written = (...list: readonly GateDecision[]): StringMap => ({
  [decisions]: JSON.stringify(list),
});

suite('a decision about a gate', () => {
  test('is stamped with who and when, bound to the wait, and the command is gone', () => {
    assert.deepEqual(review({ [approve]: 'ship' }), {
      ours: written(decision('alice')),
      warnings: [],
      isDecided: true,
    });
  });

  test('cannot be made in the name of another', () => {
    const forged = written(decision('boss'));
    assert.deepEqual(review(forged), { ours: {}, warnings: [], isDecided: false });
    assert.deepEqual(review({ ...forged, [approve]: 'ship' }).ours, written(decision('alice')));
  });

  test('cannot be changed or removed by another', () => {
    const stored = written(decision('bob', 'Rejected'));
    assert.deepEqual(review({}, stored).ours, stored);
    assert.deepEqual(review(written(decision('bob')), stored).ours, stored);
  });

  test('of which nothing knows is warned of, with what does wait', () => {
    assert.deepEqual(review({ [approve]: 'start' }), {
      ours: {},
      warnings: [
        'podinfo: nothing waits for gate start, the decision about it has no effect ' +
          '(gates that may be decided now: ship)',
      ],
      isDecided: false,
    });
  });

  test('is about the status that is stored, not the one that the request claims', () => {
    const request = {
      ...readRequest('canary-update'),
      user: 'alice',
      object: annotated({ [approve]: 'ship' }),
      oldObject: annotated({}, podinfoCanary()),
    };
    const { answer } = decideGates(request, wallTime);
    assert.match(answer.warnings.join(), /nothing waits for gate ship/);
  });

  test('that somebody gave while admission was down is left to the controller', () => {
    const command = { [approve]: 'ship' };
    assert.deepEqual(review(command, command).ours, command);
  });

  test('of somebody without a name has no name', () => {
    const request = {
      ...readRequest('canary-update'),
      user: '',
      object: annotated({ [approve]: 'ship' }),
      oldObject: annotated({}),
    };
    const { wanted = waiting } = decideGates(request, wallTime).answer;
    const { by: _, ...nameless } = decision('');
    assert.deepEqual(decisionsOf(wanted), [nameless]);
  });
});

test('a Canary that comes with a command opens nothing', () => {
  const request = { ...readRequest('canary-create'), object: annotated({ [approve]: 'ship' }) };
  const { answer } = decideGates(request, wallTime);
  assert.deepEqual(answer.wanted?.metadata.annotations, { mine: 'x' });
  assert.match(answer.warnings.join(), /gates that may be decided now: none/);
});

test('what is no Canary is let through as it is', () => {
  const { answer } = decideGates(readRequest('set-image'), wallTime);
  assert.deepEqual(answer, { warnings: [] });
});
