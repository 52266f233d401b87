/** Which revisions go straight to promotion: those that served until no longer ago than the window. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { PromotedRevision } from '../../src/api/canary.ts';
import { isKnownGood } from '../../src/controller/known-good.ts';
import { canaryOf, settled, stepping } from '../canary/builders.ts';

const hour = (at: number): string => `2026-01-01T${String(at).padStart(2, '0')}:00:00Z`;
/** v3 serves since 10:00, v2 did from 8:00, v1 from 1:00. */
const promoted: readonly PromotedRevision[] = [
  { revision: 'v3', at: hour(10) },
  { revision: 'v2', at: hour(8), until: hour(10) },
  { revision: 'v1', at: hour(1), until: hour(8) },
];

suite('within a rollback window of one hour', () => {
  const cases: Record<string, [string, string, boolean]> = {
    'what was replaced half an hour ago is': ['v2', '2026-01-01T10:30:00Z', true],
    'what served until an hour ago to the second is': ['v2', hour(11), true],
    'what was replaced longer ago is not': ['v2', '2026-01-01T11:00:01Z', false],
    'what was replaced earlier still is not': ['v1', '2026-01-01T10:30:00Z', false],
    'what serves now is, however long it has': ['v3', hour(23), true],
    'what never served is not': ['v4', hour(10), false],
    'what was replaced in the future of our clock is': ['v2', hour(9), true],
  };
  for (const [name, [revision, now, expected]] of Object.entries(cases)) {
    test(name, () => {
      const canary = canaryOf({ ...stepping, rollbackWindow: '1h' });
      const status = { ...settled, promoted };
      assert.equal(isKnownGood({ ...canary, status }, revision, Date.parse(now)), expected);
    });
  }
});

for (const rollbackWindow of [undefined, '', '0s', 'soon']) {
  test(`a window of ${JSON.stringify(rollbackWindow)} lets nothing through`, () => {
    const analysis = rollbackWindow === undefined ? stepping : { ...stepping, rollbackWindow };
    const canary = { ...canaryOf(analysis), status: { ...settled, promoted } };
    assert.equal(isKnownGood(canary, 'v3', Date.parse(hour(10))), false);
  });
}
