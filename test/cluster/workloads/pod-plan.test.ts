/** What every plan of a pod comes to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { backOffMs, backOffMsMax, stateAt } from '../../../src/cluster/workloads/pod-plan.ts';

const ms = fc.integer({ min: 0, max: 60_000 });
const plan = fc.record(
  {
    readyMs: ms,
    waitingReason: fc.constant('ImagePullBackOff'),
    crashMs: ms,
    unreadyMs: ms,
  },
  { requiredKeys: [] },
);

test('a state lasts exactly as long as it says', () => {
  fc.assert(
    fc.property(plan, fc.nat(3_600_000), (given, ageMs) => {
      const { untilMs, ...state } = stateAt(given, ageMs);
      if (untilMs === undefined) {
        const { untilMs: later, ...same } = stateAt(given, ageMs + 86_400_000);
        assert.deepEqual([same, later], [state, undefined]);
        return;
      }
      assert.ok(untilMs > ageMs);
      const { untilMs: last, ...same } = stateAt(given, untilMs - 1);
      assert.deepEqual([same, last], [state, untilMs]);
      const { untilMs: _, ...next } = stateAt(given, untilMs);
      assert.notDeepEqual(next, state);
    }),
  );
});

test('restarts never become fewer', () => {
  fc.assert(
    fc.property(plan, fc.nat(3_600_000), fc.nat(3_600_000), (given, ageMs, laterMs) => {
      assert.ok(stateAt(given, ageMs + laterMs).restarts >= stateAt(given, ageMs).restarts);
    }),
  );
});

test('back-off doubles from 10 s after the second crash to 5 min', () => {
  const seconds = [1, 2, 3, 4, 5, 6, 7, 8].map((crashes) => backOffMs(crashes) / 1_000);
  assert.deepEqual(seconds, [0, 10, 20, 40, 80, 160, 300, 300]);
  assert.equal(backOffMs(1_000), backOffMsMax);
});
