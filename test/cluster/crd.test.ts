/** Definitions of custom resources, as a real API server treats them (`schema/record.ts`). */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { CustomResourceDefinition } from '../../src/cluster/crd.ts';
import { acceptedStatus, typesOf } from '../../src/cluster/crd.ts';
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
