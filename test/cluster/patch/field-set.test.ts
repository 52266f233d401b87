/** Sets of fields are sets: what is computed on trees is what would be computed on lists of paths. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import type { FieldSet } from '../../../src/cluster/patch/field-set.ts';
import {
  difference,
  has,
  intersection,
  keyElement,
  parseFieldSet,
  pathsOf,
  pathText,
  union,
  withoutBranches,
} from '../../../src/cluster/patch/field-set.ts';

type Path = readonly string[];

const elements = ['f:a', 'f:b', 'k:{"name":"x"}', 'v:1'];
const path = fc.array(fc.constantFrom(...elements), { minLength: 1, maxLength: 4 });
const paths = fc.array(path, { maxLength: 12 });

const textOf = (it: Path): string => it.join(' ');
const texts = (set: FieldSet): readonly string[] => pathsOf(set).map(textOf).toSorted();

/** Built without any of the operations that are tested. */
function setOf(members: readonly Path[]): FieldSet {
  const root: Record<string, unknown> = {};
  for (const member of members) {
    let at: Record<string, unknown> = root;
    for (const key of member) at = (at[key] ??= {}) as Record<string, unknown>;
    at['.'] = {};
  }
  const normal = (node: unknown): FieldSet => {
    const entries = Object.entries(node as Record<string, unknown>);
    if (entries.length === 1 && entries[0]?.[0] === '.') return {};
    return Object.fromEntries(entries.map(([key, it]) => [key, key === '.' ? {} : normal(it)]));
  };
  return Object.fromEntries(Object.entries(root).map(([key, it]) => [key, normal(it)]));
}

const unique = (members: readonly Path[]): readonly string[] =>
  [...new Set(members.map(textOf))].toSorted();

const isUnder = (one: Path, other: Path): boolean => other.every((key, at) => one[at] === key);

suite('sets of fields', () => {
  const law = (
    operation: (one: FieldSet, other: FieldSet) => FieldSet,
    model: (one: readonly Path[], other: readonly Path[]) => readonly Path[],
  ): void => {
    fc.assert(
      fc.property(paths, paths, (one, other) => {
        const [left, right] = [setOf(one), setOf(other)];
        const found = operation(left, right);
        const expected = model(one, other);
        assert.deepEqual(texts(found), unique(expected));
        // And each set has one form only.
        assert.deepEqual(found, setOf(expected));
        assert.deepEqual([left, right], [setOf(one), setOf(other)]);
      }),
      { numRuns: 500 },
    );
  };
  const among = (it: Path, others: readonly Path[]): boolean =>
    others.some((other) => textOf(other) === textOf(it));

  test('the union has the members of both', () => {
    law(union, (one, other) => [...one, ...other]);
  });
  test('the difference has the members of one that are not in the other', () => {
    law(difference, (one, other) => one.filter((it) => !among(it, other)));
  });
  test('the intersection has the members that are in both', () => {
    law(intersection, (one, other) => one.filter((it) => among(it, other)));
  });
  test('a branch goes with all that is under it', () => {
    law(withoutBranches, (one, other) =>
      one.filter((it) => !other.some((branch) => isUnder(it, branch))),
    );
  });
  test('what changes nothing answers the set itself', () => {
    fc.assert(
      fc.property(paths, paths, (one, other) => {
        const set = setOf(one);
        const part = setOf(one.filter((_, at) => at % 2 === 0));
        assert.equal(union(set, part), set);
        const apart = setOf(other.filter((it) => !among(it, one)));
        assert.equal(difference(set, apart), set);
      }),
    );
  });
  test('members are found, and only they', () => {
    fc.assert(
      fc.property(paths, path, (members, other) => {
        assert.equal(has(setOf(members), other), among(other, members));
      }),
    );
  });
});

suite('FieldsV1', () => {
  const cases: Readonly<Record<string, readonly [unknown, FieldSet | undefined]>> = {
    'is read as it is': [
      { 'f:spec': { '.': {}, 'f:replicas': {} }, 'f:x': {} },
      { 'f:spec': { '.': {}, 'f:replicas': {} }, 'f:x': {} },
    ],
    'has one form for a member without children': [{ 'f:a': { '.': {} } }, { 'f:a': {} }],
    'has its keys in order': [
      { 'k:{"protocol": "TCP", "port": 80}': {} },
      { 'k:{"port":80,"protocol":"TCP"}': {} },
    ],
    'may hold what is not known': [{ 'f:a': {}, 'z:b': {} }, { 'f:a': {} }],
    'is no list': [[], undefined],
    'has objects only': [{ 'f:a': 1 }, undefined],
    'has elements with a kind': [{ a: {} }, undefined],
    'has keys that are JSON': [{ 'k:name': {} }, undefined],
    'has keys that are objects': [{ 'k:1': {} }, undefined],
  };
  for (const [name, [given, expected]] of Object.entries(cases)) {
    test(name, () => {
      assert.deepEqual(parseFieldSet(given), expected);
    });
  }
});

test('paths are listed members first, fields before items, numbers as numbers', () => {
  const set = setOf([
    ['f:b', 'f:z'],
    ['f:b'],
    ['f:a', 'f:y'],
    ['f:l', keyElement([['port', 80]])],
    ['f:l', keyElement([['port', 9]])],
    ['f:l', 'v:"x"'],
    ['f:l', 'f:m'],
  ]);
  assert.deepEqual(pathsOf(set).map(pathText), [
    '.b',
    '.a.y',
    '.b.z',
    '.l.m',
    '.l[port=9]',
    '.l[port=80]',
    '.l[="x"]',
  ]);
});

test('keys of an item are in the order of their names', () => {
  const keys = [
    ['protocol', 'TCP'],
    ['containerPort', 80],
  ] as const;
  assert.equal(keyElement(keys), 'k:{"containerPort":80,"protocol":"TCP"}');
  assert.equal(pathText(['f:ports', keyElement(keys)]), '.ports[containerPort=80,protocol="TCP"]');
});
