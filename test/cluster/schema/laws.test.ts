/** What holds for every object, whatever its schema says of it. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { typesOf } from '../../../src/cluster/crd.ts';
import type { ResourceType, StoredObject } from '../../../src/cluster/resource-type.ts';
import { prune } from '../../../src/cluster/schema/prune.ts';
import { definitions } from './cases.ts';
import { randomObjects } from './random-objects.ts';

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}

const objectOf = (type: ResourceType): fc.Arbitrary<StoredObject> =>
  randomObjects(type, { faultsPerMille: 150 }).map(frozen);

const structural = { isStructural: true };
const runs = { numRuns: 60 };

for (const definition of definitions) {
  const [type] = typesOf(definition);
  assert.ok(type);
  const objects = objectOf(type);

  suite(`objects of ${definition.metadata.name}`, () => {
    test('what was pruned has nothing unknown, and stays the same object', () => {
      fc.assert(
        fc.property(objects, (given) => {
          const { object } = prune(type.schema, given, structural);
          const again = prune(type.schema, object, structural);
          assert.equal(again.object, object);
          assert.deepEqual(again.unknown, []);
        }),
        runs,
      );
    });
    test('pruning names a field if and only if it drops one', () => {
      fc.assert(
        fc.property(objects, (given) => {
          const { object, unknown } = prune(type.schema, given, structural);
          assert.equal(object !== given, unknown.length > 0);
        }),
        runs,
      );
    });
    test('what is complete stays the same object, part by part', () => {
      fc.assert(
        fc.property(objects, (given) => {
          const complete = type.withDefaults(given);
          assert.equal(type.withDefaults(complete), complete);
          const reread = JSON.parse(JSON.stringify(complete)) as StoredObject;
          assert.equal(type.withDefaults(reread), reread);
        }),
        runs,
      );
    });
    test('defaults are nothing unknown', () => {
      fc.assert(
        fc.property(objects, (given) => {
          const complete = type.withDefaults(prune(type.schema, given, structural).object);
          assert.equal(prune(type.schema, complete, structural).object, complete);
        }),
        runs,
      );
    });
    test('what was judged once is judged the same again, shared or not', () => {
      fc.assert(
        fc.property(objects, (given) => {
          const errors = type.validate(given, undefined);
          const reread = JSON.parse(JSON.stringify(given)) as StoredObject;
          assert.deepEqual(type.validate(given, undefined), errors);
          assert.deepEqual(type.validate(reread, undefined), errors);
        }),
        runs,
      );
    });
    test('what was wrong may stay beside what changes', () => {
      fc.assert(
        fc.property(objects, (given) => {
          const reread = JSON.parse(JSON.stringify(given)) as StoredObject;
          const changed = { ...reread, status: { ...(reread.status as object), other: 1 } };
          const errors = type.validate(changed, given);
          const inSpec = errors.filter(({ field }) => field.startsWith('spec'));
          assert.deepEqual(
            inSpec.filter(({ message }) => message.includes(' in body ')),
            [],
          );
        }),
        runs,
      );
    });
  });
}
