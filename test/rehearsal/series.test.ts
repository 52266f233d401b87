import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import type { Series } from '../../src/rehearsal/series.ts';
import { constant, integrate, turnsOf, valueAt } from '../../src/rehearsal/series.ts';

const point = (atMs: number, value: number, gradually = false) => ({ atMs, value, gradually });

suite('a series has a value at any time', () => {
  const steps: Series<number> = [point(1000, 5), point(3000, 9), point(5000, 1, true)];
  const cases: Record<string, readonly [number, number]> = {
    'before its first point that of the first': [-50_000, 5],
    'at a point that of the point': [3000, 9],
    'between two points that of the earlier one': [2999, 5],
    'on the way to a gradual point what lies between': [4000, 5],
    'after its last point that of the last': [1e9, 1],
  };
  for (const [name, [atMs, expected]] of Object.entries(cases)) {
    test(name, () => assert.equal(valueAt(steps, atMs), expected));
  }
  test('words are never interpolated', () => {
    const words: Series<number | 'none'> = [
      { atMs: 0, value: 'none', gradually: false },
      { atMs: 1000, value: 4, gradually: true },
    ];
    assert.equal(valueAt(words, 500), 'none');
  });
});

suite('an integral', () => {
  test('of a constant is its area', () => {
    assert.equal(
      integrate(() => 7, [], 0, 2000),
      14,
    );
  });

  test('of a triangle is half its square', () => {
    const climb: Series<number> = [point(0, 0), point(10_000, 4, true)];
    const area = integrate((ms) => valueAt(climb, ms), turnsOf(climb), 0, 10_000);
    assert.ok(Math.abs(area - 20) < 1e-6, String(area));
  });

  test('counts a jump from where it is', () => {
    const jump: Series<number> = [point(0, 1), point(4000, 100)];
    const area = integrate((ms) => valueAt(jump, ms), turnsOf(jump), 0, 5000);
    assert.ok(Math.abs(area - 104) < 1e-6, String(area));
  });

  test('of a whole is the sum of its parts, however it is cut', () => {
    const time = fc.integer({ min: 0, max: 100_000 });
    const series = fc
      .array(fc.tuple(time, fc.integer({ min: 0, max: 100 }), fc.boolean()), { minLength: 1 })
      .map((points) => {
        const sorted = points.toSorted(([one], [other]) => one - other);
        const [first = point(0, 1), ...rest] = sorted.map(([at, value, gradually]) =>
          point(at, value, gradually),
        );
        const all: Series<number> = [first, ...rest];
        return all;
      });
    fc.assert(
      fc.property(series, time, time, time, (given, ...times) => {
        const [from = 0, cut = 0, to = 0] = times.toSorted((a, b) => a - b);
        const area = (start: number, end: number): number =>
          integrate((ms) => valueAt(given, ms), turnsOf(given), start, end);
        const whole = area(from, to);
        assert.ok(Math.abs(whole - area(from, cut) - area(cut, to)) < 1e-3);
      }),
    );
  });
});

test('what is constant has one value', () => {
  assert.equal(valueAt(constant('x'), 12_345), 'x');
});
