/** Objects of a resource, made at random from its schema: mostly right, wrong as often as asked. */
import * as fc from 'fast-check';
import type { Json } from '../../../src/api/kubernetes.ts';
import type { ResourceType, StoredObject } from '../../../src/cluster/resource-type.ts';
import { apiVersionOf } from '../../../src/cluster/resource-type.ts';
import { compilePattern } from '../../../src/cluster/schema/patterns.ts';
import type { Schema } from '../../../src/cluster/schema/schema.ts';

export interface Randomness {
  /** How many of a thousand values are anything, or nothing, whatever their schema says. */
  readonly faultsPerMille: number;
}

export function randomObjects(
  type: ResourceType,
  randomness: Randomness,
): fc.Arbitrary<StoredObject> {
  const { metadata: _, apiVersion: __, kind: ___, ...properties } = type.schema.properties ?? {};
  return fieldsOf({ ...type.schema, properties }, randomness).map((fields) => ({
    ...(fields as object),
    apiVersion: apiVersionOf(type),
    kind: type.kind,
    metadata: { name: 'x' },
  }));
}

const anything = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>;

function valueOf(schema: Schema, randomness: Randomness): fc.Arbitrary<Json> {
  const { faultsPerMille } = randomness;
  return fc.oneof(
    { weight: 1000 - faultsPerMille, arbitrary: wantedBy(schema, randomness) },
    { weight: faultsPerMille, arbitrary: fc.oneof(anything, fc.constant(null)) },
  );
}

function wantedBy(schema: Schema, randomness: Randomness): fc.Arbitrary<Json> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema['x-kubernetes-int-or-string'] === true) return fc.oneof(fc.nat(), fc.string());
  switch (schema.type) {
    case 'string':
      return textOf(schema);
    case 'integer': {
      const { minimum = -1, maximum = minimum + 60 } = schema;
      return fc.integer({ min: Math.ceil(minimum), max: Math.max(Math.ceil(minimum), maximum) });
    }
    case 'number':
      return fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.constantFrom(0, 0.5, 1, 1.0000000001, 5_000_000.5, 0.00001),
      );
    case 'boolean':
      return fc.boolean();
    case 'array': {
      const { items = {}, minItems = 0 } = schema;
      const minLength = Math.min(minItems, 3);
      return fc.array(valueOf(items, randomness), { minLength, maxLength: 3 });
    }
    case 'object':
      return fieldsOf(schema, randomness);
    case undefined:
    default:
      return anything;
  }
}

/** What patterns and rules of custom resources ask for, more often than not. */
const texts = (
  'a main x-a 1 1s 10s 1ms 5m 50% * / /a /a/b 2024-02-29 2024-02-29T12:00:00Z 10.0.0.1 GET Exact ' +
  'PathPrefix Service http https a.example.com *.a.com http://a.b'
).split(' ');

function textOf({ pattern, minLength = 0, maxLength = Infinity }: Schema): fc.Arbitrary<string> {
  const wanted = pattern === undefined ? undefined : compilePattern(pattern);
  const good = texts.filter(
    (text) => text.length >= minLength && text.length <= maxLength && (wanted?.test(text) ?? true),
  );
  const some = fc.constantFrom(...(good.length > 0 ? good : texts));
  return fc.oneof({ weight: 9, arbitrary: some }, { weight: 1, arbitrary: fc.string() });
}

/** Now and then with a field that nobody knows, or that JavaScript knows otherwise. */
function fieldsOf(
  { properties = {}, additionalProperties, required = [] }: Schema,
  randomness: Randomness,
): fc.Arbitrary<Json> {
  const value =
    typeof additionalProperties === 'object' ? valueOf(additionalProperties, randomness) : anything;
  const others = fc.dictionary(fc.constantFrom('x', 'a.b/c', 'kind', 'toString'), value, {
    maxKeys: 1,
    noNullPrototype: true,
  });
  const known = Object.fromEntries(
    Object.entries(properties).map(([name, it]) => [name, valueOf(it, randomness)] as const),
  );
  const record = (requiredKeys: readonly string[]): fc.Arbitrary<object> =>
    fc.record(known, { requiredKeys: [...requiredKeys], noNullPrototype: true });
  const fields = fc.oneof(
    {
      weight: 1000 - randomness.faultsPerMille,
      arbitrary: record(required.filter((it) => it in known)),
    },
    { weight: randomness.faultsPerMille, arbitrary: record([]) },
  );
  return fc.tuple(fields, others).map(([some, more]) => ({ ...more, ...some }));
}
