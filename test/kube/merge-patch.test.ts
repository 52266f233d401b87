import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Json } from '../../src/api/kubernetes.ts';
import { applyMergePatch, mergePatchBetween } from '../../src/kube/merge-patch.ts';

// The examples of RFC 7386, appendix A: original, patch, result.
const examples: readonly [Json, Json, Json][] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];
for (const [original, patch, result] of examples) {
  test(`RFC 7386: ${JSON.stringify(patch)} on ${JSON.stringify(original)}`, () => {
    assert.deepEqual(applyMergePatch(original, patch), result);
  });
}

const differences: Record<string, [Json, Json, Json | undefined]> = {
  'is undefined where nothing differs': [{ a: [{ b: 1 }] }, { a: [{ b: 1 }] }, undefined],
  'ignores the order of keys': [
    { a: 1, b: [{ c: 1, d: 2 }] },
    { b: [{ d: 2, c: 1 }], a: 1 },
    undefined,
  ],
  'removes with null': [{ a: 1, b: 2 }, { b: 2 }, { a: null }],
  'goes as deep as it must and no deeper': [
    { a: { b: 1, c: 2 } },
    { a: { b: 1, c: 3 } },
    { a: { c: 3 } },
  ],
  'replaces a list whole': [{ a: [1, 2, 3] }, { a: [1, 2] }, { a: [1, 2] }],
  'adds an empty object': [{}, { a: {} }, { a: {} }],
  'leaves an empty object that is there alone': [{ a: {} }, { a: {} }, undefined],
};
for (const [name, [before, after, expected]] of Object.entries(differences)) {
  test(`the difference ${name}`, () => {
    assert.deepEqual(mergePatchBetween(before, after), expected);
  });
}

/** JSON without null, which a merge patch cannot write. */
const { value: json } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<Json>('', 'x', 0, 1, true, false),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor'), tie('value'), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
  ),
}));

test('applying the difference makes the one of the other', () => {
  fc.assert(
    fc.property(json, json, (before, after) => {
      const patch = mergePatchBetween(before, after);
      const text = (value: Json | undefined): string => canonical(value);
      assert.equal(
        text(patch === undefined ? before : applyMergePatch(before, patch)),
        text(after),
      );
    }),
    { numRuns: 2000 },
  );
});

test('a value does not differ from its copy', () => {
  fc.assert(
    fc.property(json, (value) => {
      assert.equal(mergePatchBetween(value, JSON.parse(JSON.stringify(value)) as Json), undefined);
    }),
  );
});

/** Text with sorted keys: unlike deepEqual it sees an own `__proto__`. */
function canonical(value: Json | undefined): string {
  if (value === undefined) return 'undefined';
  if (Array.isArray(value)) return `[${value.map((it: Json) => canonical(it)).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, it]) => `${JSON.stringify(key)}:${canonical(it)}`).join()}}`;
}
