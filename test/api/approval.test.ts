/** What becomes of commands about gates: bound to the wait that there is, and to no other. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import type { GateDecision } from '../../src/api/approval.ts';
import { decisionsOf, isAbout, settleCommands } from '../../src/api/approval.ts';
import type { GateStatus } from '../../src/api/canary.ts';
import type { StringMap } from '../../src/api/kubernetes.ts';

const ship: GateStatus = {
  name: 'ship',
  type: 'confirm-promotion',
  revision: 'r2',
  since: '2026-01-01T00:00:00Z',
};
const stop: GateStatus = { ...ship, name: 'stop', type: 'rollback' };
const stamp = { by: 'alice', at: '2026-01-01T00:01:00Z' };

const decided = (gate: GateStatus, verdict: GateDecision['verdict']): GateDecision => ({
  gate: gate.name,
  type: gate.type,
  revision: gate.revision,
  since: gate.since,
  verdict,
  ...stamp,
});

const canaryWith = (annotations: StringMap) => ({ metadata: { name: 'podinfo', annotations } });

suite('a command about a gate', () => {
  const cases: Record<string, [StringMap, readonly GateDecision[], readonly string[]]> = {
    'opens the gate that waits': [{ approve: 'ship' }, [decided(ship, 'Approved')], []],
    'refuses the gate that waits': [{ reject: 'ship' }, [decided(ship, 'Rejected')], []],
    'may name several': [
      { approve: ' ship , stop ' },
      [decided(ship, 'Approved'), decided(stop, 'Approved')],
      [],
    ],
    'may name the revision': [{ approve: 'ship@r2' }, [decided(ship, 'Approved')], []],
    'that names another revision is about nothing': [{ approve: 'ship@r1' }, [], ['ship@r1']],
    'that names no gate which waits is about nothing': [{ approve: 'start' }, [], ['start']],
    'that contradicts another gives way to the refusal': [
      { approve: 'ship', reject: 'ship' },
      [decided(ship, 'Rejected')],
      [],
    ],
    'that is empty is about nothing': [{ approve: ' , ' }, [], []],
  };
  for (const [name, [commands, decisions, unmatched]] of Object.entries(cases)) {
    test(name, () => {
      const annotations = Object.fromEntries(
        Object.entries({ ...commands }).map(([verb, value]) => [`aviary.dev/${verb}`, value]),
      );
      const settled = settleCommands({ ...annotations, mine: 'x' }, [ship, stop], [], stamp);
      const { mine, ...others } = settled.annotations;
      assert.equal(mine, 'x', 'what is not ours stays');
      assert.deepEqual(decisionsOf(canaryWith(others)), decisions);
      assert.deepEqual(Object.keys(others), decisions.length > 0 ? ['aviary.dev/decisions'] : []);
      assert.deepEqual(settled.unmatched, unmatched);
    });
  }

  test('replaces an earlier decision about the same wait, and leaves the others', () => {
    const known = [decided(ship, 'Rejected'), decided(stop, 'Rejected')];
    const settled = settleCommands({ 'aviary.dev/approve': 'ship' }, [ship, stop], known, stamp);
    assert.deepEqual(decisionsOf(canaryWith(settled.annotations)), [
      decided(stop, 'Rejected'),
      decided(ship, 'Approved'),
    ]);
  });

  test('outlives nothing that it was not given for: decisions about waits that are over go', () => {
    const earlier = decided({ ...ship, since: '2025-12-31T00:00:00Z' }, 'Approved');
    const settled = settleCommands({}, [ship], [earlier], stamp);
    assert.deepEqual(settled.annotations, {});
  });

  test('does not let anybody speak for others: what the object says about decisions is dropped', () => {
    const forged = JSON.stringify([{ ...decided(ship, 'Approved'), by: 'boss' }]);
    assert.deepEqual(settleCommands({ 'aviary.dev/decisions': forged }, [ship], [], stamp), {
      annotations: {},
      unmatched: [],
    });
  });
});

test('whatever is written there, reading decisions never throws, and gives only whole ones', () => {
  const junk = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .array(fc.record({ gate: fc.string(), verdict: fc.string() }))
      .map((it) => JSON.stringify(it)),
  );
  fc.assert(
    fc.property(junk, (text) => {
      for (const decision of decisionsOf(canaryWith({ 'aviary.dev/decisions': text }))) {
        assert.equal(isAbout(decision, ship), false);
      }
    }),
  );
});

test('whatever is asked for, decisions are about gates that wait, one each', () => {
  const name = fc.constantFrom('ship', 'stop', 'ship@r2', 'ship@r1', 'other', '');
  const command = fc.array(name).map((names) => names.join(','));
  fc.assert(
    fc.property(command, command, (approve, reject) => {
      const annotations = { 'aviary.dev/approve': approve, 'aviary.dev/reject': reject };
      const gates = [ship, stop];
      const settled = settleCommands(annotations, gates, [decided(stop, 'Approved')], stamp);
      const decisions = decisionsOf(canaryWith(settled.annotations));
      for (const gate of gates) {
        assert.ok(decisions.filter((decision) => isAbout(decision, gate)).length <= 1);
      }
      assert.ok(decisions.every((decision) => gates.some((gate) => isAbout(decision, gate))));
    }),
  );
});
