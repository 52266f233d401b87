/** Definitions of custom resources, as a real API server treats them (`schema/record.ts`). */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { CustomResourceDefinition } from '../../src/cluster/crd.ts';
import { acceptedStatus, isEstablished, typesOf } from '../../src/cluster/crd.ts';
import type { StoredObject } from '../../src/cluster/resource-type.ts';
import { validateDefinition } from '../../src/cluster/schema/definition.ts';
import { toTable } from '../../src/cluster/table.ts';
import { badDefinitions, definitions, gadget, objects } from './schema/cases.ts';
import type { Answer } from './schema/golden.ts';
import { readGolden } from './schema/golden.ts';

const golden = readGolden();

/** As the built-in kind fills them in. */
function withDefaults(definition: CustomResourceDefinition): CustomResourceDefinition {
  const { names } = definition.spec;
  const singular = names.singular ?? names.kind.toLowerCase();
  const listKind = names.listKind ?? `${names.kind}List`;
  return { ...definition, spec: { ...definition.spec, names: { ...names, singular, listKind } } };
}

interface Cause {
  readonly field: string;
  readonly message: string;
}

suite('definitions that are refused', () => {
  for (const [title, definition] of Object.entries(badDefinitions)) {
    test(title, () => {
      const { body = {} } = golden.definitions[title] ?? ({} as Partial<Answer>);
      const { causes } = body['details'] as { readonly causes: readonly Cause[] };
      const found = validateDefinition(withDefaults(definition), undefined);
      const texts = found.map(({ field, message }) => `${field}: ${message}`);
      // What is wrong with a pattern, each library says in its own words.
      const expected = causes.map(({ field, message }) =>
        `${field}: ${message}`.replace(/(?<=error parsing regexp).*$/, ''),
      );
      assert.deepEqual(texts.toSorted(), expected.toSorted());
    });
  }
});

suite('definitions that are taken', () => {
  for (const definition of definitions) {
    const { name } = definition.metadata;
    test(`nothing is wrong with ${name}`, () => {
      assert.deepEqual(validateDefinition(withDefaults(definition), undefined), []);
    });
    test(`the status of ${name}`, () => {
      const expected = JSON.parse(
        JSON.stringify(golden.statuses[name]).replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'now'),
      ) as unknown;
      assert.deepEqual(acceptedStatus(withDefaults(definition), [], 'now'), expected);
    });
  }
});

suite('columns', () => {
  for (const [name, title] of Object.entries({
    full: 'a gadget that is full',
    least: 'the least gadget',
  } as const)) {
    test(`of ${title}`, () => {
      const [type] = typesOf(gadget);
      assert.ok(type);
      const { columns, cells } = golden.tables[name as 'full' | 'least'];
      const { body = {} } = objects[title] ?? {};
      const meta = { name: String(cells[0]) };
      const object = type.withDefaults({ ...body, metadata: meta } as StoredObject);
      const table = toTable(
        type,
        [object],
        Date.parse('2026-11-23T12:00:00Z'),
        'None',
      ) as unknown as {
        readonly columnDefinitions: readonly object[];
        readonly rows: readonly { readonly cells: readonly unknown[] }[];
      };
      assert.deepEqual(table.columnDefinitions.slice(1), columns.slice(1));
      assert.deepEqual(table.rows[0]?.cells, cells);
    });
  }
});

const changed = (spec: Partial<CustomResourceDefinition['spec']>): CustomResourceDefinition => {
  const whole = withDefaults(gadget);
  return { ...whole, spec: { ...whole.spec, ...spec } };
};
const established = (of: CustomResourceDefinition): CustomResourceDefinition => ({
  ...of,
  status: acceptedStatus(of, [], 'then'),
});
const textsOf = (
  definition: CustomResourceDefinition,
  before: CustomResourceDefinition,
): readonly string[] =>
  validateDefinition(definition, before).map(({ field, message }) => `${field}: ${message}`);

suite('a definition that changes', () => {
  const before = established(withDefaults(gadget));
  const names = { ...before.spec.names, kind: 'Other', listKind: 'OtherList' };

  test('keeps its scope and kind once objects of it are served', () => {
    assert.deepEqual(textsOf(changed({ scope: 'Cluster', names }), before), [
      'spec.scope: Invalid value: "Cluster": field is immutable',
      'spec.names.kind: Invalid value: "Other": field is immutable',
    ]);
  });
  test('may change them before', () => {
    assert.deepEqual(textsOf(changed({ scope: 'Cluster', names }), withDefaults(gadget)), []);
  });
  test('keeps the versions in which objects are stored', () => {
    const [version] = gadget.spec.versions;
    assert.ok(version);
    const next = changed({ versions: [{ ...version, name: 'v2' }] });
    const status = { ...before.status, storedVersions: ['v1', 'v2'] };
    assert.deepEqual(textsOf({ ...next, status }, before), [
      'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions',
    ]);
  });
});

suite('the status of a definition', () => {
  const first = established(withDefaults(gadget));
  const second: CustomResourceDefinition = {
    ...withDefaults(gadget),
    metadata: { name: 'gizmos.schema.test' },
    spec: { ...first.spec, names: { ...first.spec.names, plural: 'gizmos', singular: 'gizmo' } },
  };

  test('says no more than it said, and is the same object', () => {
    assert.equal(acceptedStatus(first, [first], 'now'), first.status);
  });
  test('tells whose names are taken', () => {
    const status = acceptedStatus(second, [first, second], 'now');
    assert.deepEqual(status.conditions, [
      {
        type: 'NamesAccepted',
        status: 'False',
        lastTransitionTime: 'now',
        reason: 'ListKindConflict',
        message: '"GadgetList" is already in use',
      },
      {
        type: 'Established',
        status: 'False',
        lastTransitionTime: 'now',
        reason: 'NotAccepted',
        message: 'not all names are accepted',
      },
    ]);
    assert.equal(status.acceptedNames?.plural, 'gizmos');
    assert.equal(isEstablished({ ...second, status }), false);
  });
  test('keeps the time of what did not change, and the versions that were stored', () => {
    const [version] = gadget.spec.versions;
    assert.ok(version);
    const versions = [
      { ...version, storage: false },
      { ...version, name: 'v2', storage: true },
    ];
    const status = acceptedStatus({ ...first, spec: { ...first.spec, versions } }, [], 'now');
    assert.deepEqual(status.storedVersions, ['v1', 'v2']);
    assert.ok(status.conditions?.every(({ lastTransitionTime }) => lastTransitionTime === 'then'));
  });
});

test('versions are served, the most stable and newest first', () => {
  const [version] = gadget.spec.versions;
  assert.ok(version);
  // The order of the Kubernetes docs, "Versions in CustomResourceDefinitions".
  const sorted = ['v10', 'v2', 'v1', 'v11beta2', 'v10beta3', 'v3beta1', 'v12alpha1', 'v11alpha2'];
  const others = ['foo1', 'foo10'];
  const versions = [...others, ...sorted.toReversed()].map((name) => ({ ...version, name }));
  const unserved = { ...version, name: 'v99', served: false };
  const types = typesOf(changed({ versions: [unserved, ...versions] }));
  assert.deepEqual(
    types.map((it) => it.version),
    [...sorted, ...others],
  );
});
