/** Numbers in messages: Go's own prints are the expectations (`test/metrics/go-vectors/main.go`). */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { formatFixed, formatFloat } from '../../src/analysis/numbers.ts';
import vectors from '../metrics/go-vectors.json' with { type: 'json' };

const floatOf = (bits: string): number => Buffer.from(bits, 'hex').readDoubleBE();

suite('numbers are printed as Go prints them', () => {
  test('%v', () => {
    for (const { bits, general } of vectors.numbers) {
      assert.equal(formatFloat(floatOf(bits)), general, bits);
    }
  });

  test('%.2f', () => {
    for (const { bits, fixed } of vectors.numbers) {
      assert.equal(formatFixed(floatOf(bits)), fixed, bits);
    }
  });

  const cases: Record<string, [printed: string, expected: string]> = {
    'an exact tie goes to the even hundredth': [formatFixed(0.125), '0.12'],
    'what only looks like a tie is none': [formatFixed(98.695), '98.69'],
    'a large number has all its digits': [formatFixed(1e21), '1000000000000000000000.00'],
    'infinity has a sign': [formatFixed(Infinity), '+Inf'],
    'a million is an exponent': [formatFloat(1e6), '1e+06'],
    'one less is not': [formatFloat(999_999), '999999'],
  };
  for (const [name, [printed, expected]] of Object.entries(cases)) {
    test(name, () => assert.equal(printed, expected));
  }
});

suite('whatever the number', () => {
  test('%v reads back the same', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        assert.equal(Number(formatFloat(value)), value);
      }),
    );
  });

  test('%.2f is within half a hundredth, and JavaScript agrees but for ties', () => {
    const isTie = (value: number): boolean => Number.isInteger(value * 8) && (value * 8) % 2 !== 0;
    fc.assert(
      fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), (value) => {
        fc.pre(!isTie(value) && !Object.is(value, -0));
        assert.equal(formatFixed(value), value.toFixed(2));
      }),
    );
  });

  test('a tie ends in an even digit', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), (odd) => {
        assert.match(formatFixed((2 * odd + 1) / 8), /[02468]$/);
      }),
    );
  });
});
