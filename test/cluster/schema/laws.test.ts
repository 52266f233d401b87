/** What holds for every object, whatever its schema says of it. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import type { Json } from '../../../src/api/kubernetes.ts';
import { typesOf } from '../../../src/cluster/crd.ts';
import type { ResourceType, StoredObject } from '../../../src/cluster/resource-type.ts';
import { prune } from '../../../src/cluster/schema/prune.ts';
import type { Schema } from '../../../src/cluster/schema/schema.ts';
import { definitions } from './cases.ts';

const anything = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>;

/** Mostly what the schema wants; now and then something else, so that every rule is broken. */
function valueOf(schema: Schema): fc.Arbitrary<Json> {
  return fc.oneof(
    { weight: 12, arbitrary: wantedBy(schema) },
    { weight: 1, arbitrary: anything },
    { weight: 1, arbitrary: fc.constant(null) },
  );
}

function wantedBy(schema: Schema): fc.Arbitrary<Json> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema['x-kubernetes-int-or-string'] === true) return fc.oneof(fc.nat(), fc.string());
  switch (schema.type) {
    case 'string':
      return fc.oneof(fc.constantFrom('a', 'main', '1s', '/a', '2024-02-29'), fc.string());
    case 'integer':
      return fc.integer({ min: -1, max: 60 });
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'boolean':
      return fc.boolean();
    case 'array':
      return fc.array(valueOf(schema.items ?? {}), { maxLength: 3 });
    case 'object':
      return fieldsOf(schema);
    case undefined:
    default:
      return anything;
  }
}

function fieldsOf({ properties, additionalProperties }: Schema): fc.Arbitrary<Json> {
  const value = typeof additionalProperties === 'object' ? valueOf(additionalProperties) : anything;
  const others = fc.dictionary(fc.constantFrom('x', 'a.b/c', 'kind', 'toString'), value, {
    maxKeys: 1,
    noNullPrototype: true,
  });
  const known = Object.entries(properties ?? {}).map(([name, it]) => [name, valueOf(it)] as const);
  const fields = fc.record(Object.fromEntries(known), { requiredKeys: [], noNullPrototype: true });
  return fc.tuple(fields, others).map(([some, more]) => ({ ...more, ...some }) as Json);
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}

const objectOf = (type: ResourceType): fc.Arbitrary<StoredObject> =>
  wantedBy(type.schema).map((fields) => {
    const meta = { apiVersion: 'x/v1', kind: type.kind, metadata: { name: 'x' } };
    return frozen<StoredObject>({ ...(fields as object), ...meta });
  });

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
