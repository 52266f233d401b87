/** What a real API server was recorded to make of each case, these types make of it too. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Json } from '../../../src/api/kubernetes.ts';
import { builtInTypes } from '../../../src/cluster/builtin/types.ts';
import { validateMeta } from '../../../src/cluster/metadata.ts';
import type { ResourceType, StoredObject } from '../../../src/cluster/resource-type.ts';
import { apiVersionOf } from '../../../src/cluster/resource-type.ts';
import type { FieldError } from '../../../src/cluster/status-error.ts';
import { invalid, StatusError } from '../../../src/cluster/status-error.ts';
import { toTable } from '../../../src/cluster/table.ts';
import { applyMergePatch } from '../../../src/kube/merge-patch.ts';
import type { Case, JsonObject } from './cases.ts';
import { cases, goldenNamespace, nameOf } from './cases.ts';
import type { Answer } from './golden.ts';
import { masked, maskedCells, readGolden, without } from './golden.ts';

const golden = readGolden();
const types = builtInTypes();
const uid = '11111111-2222-4333-8444-555555555555';
const nowMs = Date.parse('2026-06-01T00:00:00Z');

const typeOf = ({ apiVersion, kind }: JsonObject): ResourceType => {
  const type = types.find((it) => apiVersionOf(it) === apiVersion && it.kind === kind);
  assert.ok(type, `${JSON.stringify({ apiVersion, kind })} is served`);
  return type;
};

const asJson = (object: StoredObject): JsonObject => object as unknown as JsonObject;

/** As the API server goes about a write. */
function written(
  type: ResourceType,
  given: JsonObject,
  before: StoredObject | undefined,
): StoredObject {
  const { status: _, ...others } = given;
  const wanted = type.withDefaults((type.hasStatus ? others : given) as unknown as StoredObject);
  const status = before?.status;
  const placed = {
    ...wanted,
    metadata: {
      ...wanted.metadata,
      uid,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(type.namespaced && { namespace: goldenNamespace }),
      ...(type.hasGeneration && before === undefined && { generation: 1 }),
    },
    ...(status !== undefined && { status }),
  };
  const object = type.prepare?.(placed, before) ?? placed;
  const errors = [...validateMeta(type, object, before), ...type.validate(object, before)];
  if (errors.length > 0) throw invalid(type, object.metadata.name, errors);
  return object;
}

function answerOf(write: () => StoredObject, code: number): Answer {
  try {
    return { code, body: asJson(write()) };
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return { code: error.code, body: error.toStatus() as JsonObject };
  }
}

/** Generations are counted by the server, not by the types. */
function comparable({ code, body }: Answer, asked: JsonObject): Answer {
  const shown = masked(body, asked);
  const { generation: _, ...metadata } = shown['metadata'] as JsonObject;
  return { code, body: { ...shown, metadata } };
}

function check(found: Answer, recorded: Answer, asked: JsonObject): void {
  const one = comparable(found, asked);
  const other = comparable(recorded, asked);
  assert.equal(one.body['message'], other.body['message']);
  assert.deepEqual(one, other);
}

function replay(name: string, { create, update, status }: Case, index: number): void {
  const recorded = golden.cases[name];
  assert.ok(recorded, 'it was recorded');
  const type = typeOf(create);
  const metadata = { name: nameOf(index), ...(create['metadata'] as JsonObject) };
  const created = answerOf(() => written(type, { ...create, metadata }, undefined), 201);
  check(created, recorded.created, create);
  if (created.code !== 201) return;

  let live = created.body as unknown as StoredObject;
  if (update !== undefined) {
    assert.ok(recorded.updated);
    const wanted = applyMergePatch(created.body, update) as JsonObject;
    const updated = answerOf(() => written(type, wanted, live), 200);
    check(updated, recorded.updated, create);
    if (updated.code === 200) live = updated.body as unknown as StoredObject;
  }
  if (status !== undefined) {
    assert.ok(recorded.withStatus);
    const wanted = type.withDefaults({
      ...live,
      status: { ...(live.status as object), ...status },
    });
    const errors = type.validate(wanted, live);
    assert.deepEqual(errors, [] satisfies FieldError[]);
    live = wanted;
    check({ code: 200, body: asJson(live) }, recorded.withStatus, create);
  }
  const table = toTable(type, [live], nowMs, 'None') as unknown as {
    readonly columnDefinitions: readonly { readonly name: string }[];
    readonly rows: readonly { readonly cells: readonly Json[] }[];
  };
  const columns = table.columnDefinitions.map((it) => it.name);
  assert.deepEqual(maskedCells(table.rows[0]?.cells ?? [], columns), recorded.cells);
}

suite('as a real API server', () => {
  for (const [index, [name, it]] of Object.entries(cases).entries()) {
    test(name, () => replay(name, it, index));
  }
});

suite('every kind that is served', () => {
  for (const type of types) {
    const name = `${apiVersionOf(type)}/${type.plural}`;
    if (type.answer !== undefined) continue;
    test(`${name}: has the columns of a real API server`, () => {
      const { columnDefinitions } = toTable(type, [], nowMs, 'None') as unknown as {
        readonly columnDefinitions: readonly JsonObject[];
      };
      const shown = columnDefinitions.map((it) => without(it, 'description'));
      assert.deepEqual(shown, golden.columns[name]);
    });
  }
});
