/** Quantities in their one form: the examples of `quantity_test.go`'s rules, and the laws. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { canonicalQuantity, nanosOf } from '../../../src/cluster/builtin/quantity.ts';

/** From the comment on "Serialization Format" in `api/resource/quantity.go`, and from kube-apiserver. */
const forms: Record<string, string | undefined> = {
  '0': '0',
  '0.5': '500m',
  '1.5': '1500m',
  '1000m': '1',
  '1000': '1k',
  '1500': '1500',
  '1024Mi': '1Gi',
  '1.5Gi': '1536Mi',
  '0.5Gi': '512Mi',
  '512': '512',
  '1Ki': '1Ki',
  '0.5Ki': '512',
  '1e3': '1e3',
  '1E3': '1e3',
  '1500e0': '1500',
  '0.1n': '1n',
  '-1': '-1',
  '+2k': '2k',
  '.5': '500m',
  '1.': '1',
  one: undefined,
  '': undefined,
  '1 Gi': undefined,
  '1GB': undefined,
  '.': undefined,
};

const suffix = fc.constantFrom('', 'm', 'k', 'M', 'Ki', 'Mi', 'Gi', 'e3', 'u', 'n');

suite('quantities', () => {
  for (const [text, form] of Object.entries(forms)) {
    test(`${JSON.stringify(text)} is written ${form}`, () => {
      assert.equal(canonicalQuantity(text), form);
    });
  }

  test('the form of a form is itself, and means the same', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1_000_000 }), fc.nat({ max: 999 }), suffix, (whole, part, unit) => {
        const text = `${whole}.${part}${unit}`;
        const form = canonicalQuantity(text) ?? '';
        // Bytes that have lost their suffix are read as decimal, which may have one.
        const isAmbiguous = unit.endsWith('i') && !form.endsWith('i');
        if (!isAmbiguous) assert.equal(canonicalQuantity(form), form);
        assert.equal(nanosOf(canonicalQuantity(form) ?? ''), nanosOf(form));
        // Bytes are whole: a part of one is rounded up.
        const unitNanos = unit.endsWith('i') ? 1_000_000_000n : 1n;
        const difference = (nanosOf(form) ?? 0n) - (nanosOf(text) ?? 0n);
        assert.ok(difference >= 0n && difference < unitNanos, `${text} ${form}`);
      }),
    );
  });
});
