/** What holds of patches and owners whatever the objects. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { isEqual } from '../../../src/cluster/json.ts';
import { applyConfiguration } from '../../../src/cluster/patch/apply.ts';
import { fieldsOf } from '../../../src/cluster/patch/compare.ts';
import type { FieldSet } from '../../../src/cluster/patch/field-set.ts';
import {
  difference,
  intersection,
  isEmpty,
  nothing,
} from '../../../src/cluster/patch/field-set.ts';
import type { ManagedFields } from '../../../src/cluster/patch/managed-fields.ts';
import { entriesOf, trackUpdate, withEntries } from '../../../src/cluster/patch/managed-fields.ts';
import type { JsonObject } from '../../../src/cluster/patch/shape.ts';
import { strategicMerge } from '../../../src/cluster/patch/strategic-merge.ts';
import { mergePatchBetween } from '../../../src/kube/merge-patch.ts';
import { applyJsonPatch } from '../../../src/cluster/patch/json-patch.ts';
import jsonpatch from 'fast-json-patch';
import type { Json } from '../../../src/api/kubernetes.ts';
import { schemas } from './recorded.ts';

const schema = schemas.Deployment;

const word = fc.constantFrom('a', 'b', 'c', 'd');
const number = fc.integer({ min: 0, max: 3 });
const map = fc.dictionary(word, word, { maxKeys: 3, noNullPrototype: true });
/** Lists with one item for each key. */
const keyed = <T extends object>(item: fc.Arbitrary<T>, key: (it: T) => unknown) =>
  fc.uniqueArray(item, { selector: (it) => JSON.stringify(key(it)), maxLength: 3 });
const optional: { requiredKeys: [] } = { requiredKeys: [] };

const env = fc.record({ name: word, value: word }, { requiredKeys: ['name'] });
const port = fc.record(
  { containerPort: number, protocol: fc.constantFrom('TCP', 'UDP'), name: word },
  { requiredKeys: ['containerPort', 'protocol'] },
);
const container = fc.record(
  {
    name: word,
    image: word,
    args: fc.array(word, { maxLength: 2 }),
    env: keyed(env, ({ name }) => name),
    // Strategic merge knows ports by their number alone.
    ports: keyed(port, ({ containerPort }) => containerPort),
  },
  { requiredKeys: ['name', 'image'] },
);
const spec = fc.record(
  {
    replicas: number,
    selector: fc.record({ matchLabels: map }),
    template: fc.record(
      {
        metadata: fc.record({ labels: map }, optional),
        spec: fc.record(
          { containers: keyed(container, ({ name }) => name), nodeSelector: map },
          optional,
        ),
      },
      optional,
    ),
  },
  optional,
);
const metadata = fc.record(
  { name: fc.constant('x'), labels: map, finalizers: fc.uniqueArray(word, { maxLength: 3 }) },
  { requiredKeys: ['name'] },
);
const named = { apiVersion: 'apps/v1', kind: 'Deployment' };
const deployment = fc
  .record({ metadata, spec }, { requiredKeys: ['metadata'] })
  // As plain JSON: records of fast-check may have no prototype.
  .map((it) => JSON.parse(JSON.stringify({ ...named, ...it })) as JsonObject);

/** Without containers that hold nothing. */
const filled = deployment.map((it) => withoutNothing(it) as JsonObject);

const runs = { numRuns: 300 };

/** The strategic merge patch between two values, for those lists that have names. */
function strategicPatchBetween(
  before: Json,
  after: Json,
  key: string | undefined,
): Json | undefined {
  if (isList(before) && isList(after)) return listPatch(before, after, key);
  if (!isMap(before) || !isMap(after)) return isEqual(before, after) ? undefined : after;
  const patch: Record<string, Json> = {};
  for (const name of Object.keys(before)) if (!(name in after)) patch[name] = null;
  for (const [name, value] of Object.entries(after)) {
    const found = before[name];
    const change =
      found === undefined ? value : strategicPatchBetween(found, value, mergeKeys[name]);
    if (change === undefined) continue;
    patch[name] = change;
    if (isList(value) && isList(found) && mergeKeys[name] !== undefined) {
      patch[`$setElementOrder/${name}`] = value.map((it) => keyOnly(it, mergeKeys[name] ?? ''));
    }
    if (name === 'finalizers' && isList(value) && isList(found)) {
      patch[`$setElementOrder/${name}`] = value;
      const gone = found.filter((it) => !value.includes(it));
      if (gone.length > 0) patch[`$deleteFromPrimitiveList/${name}`] = gone;
    }
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

const mergeKeys: Readonly<Record<string, string>> = {
  containers: 'name',
  env: 'name',
  ports: 'containerPort',
};

function listPatch(before: readonly Json[], after: readonly Json[], key: string | undefined) {
  if (isEqual(before, after)) return undefined;
  if (key === undefined) return after;
  const find = (list: readonly Json[], item: Json): Json | undefined =>
    list.find((it) => isMap(it) && isMap(item) && it[key] === item[key]);
  const gone = before.filter((it) => find(after, it) === undefined);
  const changed = after.flatMap((it) => {
    const found = find(before, it);
    if (found === undefined) return [it];
    const patch = strategicPatchBetween(found, it, undefined);
    return patch === undefined ? [] : [{ ...(patch as JsonObject), ...keyOnly(it, key) }];
  });
  return [...changed, ...gone.map((it) => ({ ...keyOnly(it, key), $patch: 'delete' }))];
}

const keyOnly = (item: Json, key: string): JsonObject => ({
  [key]: isMap(item) ? (item[key] ?? null) : null,
});
const isMap = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

suite('strategic merge', () => {
  test('a patch between two objects makes the second of the first', () => {
    fc.assert(
      fc.property(deployment, deployment, (before, after) => {
        const copy = structuredClone(before);
        const patch = strategicPatchBetween(before, after, undefined) ?? {};
        assert.deepEqual(strategicMerge(before, patch, schema), after, JSON.stringify(patch));
        assert.deepEqual(before, copy);
      }),
      runs,
    );
  });
  test('an empty patch answers the object itself', () => {
    fc.assert(
      fc.property(deployment, (object) => {
        assert.equal(strategicMerge(object, {}, schema), object);
      }),
      runs,
    );
  });
  test('where there are no lists, it is a merge patch', () => {
    fc.assert(
      fc.property(map, map, (before, after) => {
        const patch = mergePatchBetween(before, after) ?? {};
        assert.deepEqual(strategicMerge(before, patch, {}), after);
      }),
      runs,
    );
  });
});

test('a JSON patch between two objects makes the second of the first', () => {
  fc.assert(
    fc.property(deployment, deployment, (before, after) => {
      const copy = structuredClone(before);
      const patch = JSON.stringify(jsonpatch.compare(before, after));
      assert.deepEqual(applyJsonPatch(before, patch), after);
      assert.deepEqual(before, copy);
    }),
    runs,
  );
});

const author = { apiVersion: 'apps/v1', subresource: '', reset: { 'f:status': nothing }, schema };

function tracked(before: JsonObject | undefined, after: JsonObject, manager: string, time: string) {
  return withEntries(after, trackUpdate({ ...author, before, after, manager, time }));
}

const setOf = (entries: ManagedFields | undefined, manager: string): FieldSet =>
  entries?.find((it) => it.manager === manager)?.fieldsV1 ?? nothing;

/** Members that the object does not have either. */
function unowned(object: JsonObject, entries: ManagedFields | undefined): FieldSet {
  const owned = (entries ?? []).map(({ fieldsV1 }) => fieldsV1);
  return owned.reduce(difference, fieldsOf(withEntries(object, undefined), schema));
}

suite('owners of updates', () => {
  // An object without any owner gets none by an update.
  const owned = filled.map((it) => ({ ...it, immutable: true }));
  const triple = fc.tuple(owned, owned, owned);
  const carried = (before: JsonObject, after: JsonObject): JsonObject =>
    withEntries(after, entriesOf(before));

  test('a write of the same object keeps the owners, whoever writes', () => {
    fc.assert(
      fc.property(filled, (object) => {
        const before = tracked(undefined, object, 'one', '1');
        const after = structuredClone(before);
        const again = trackUpdate({
          ...author,
          before,
          after: withEntries(after, entriesOf(before)),
          manager: 'two',
          time: '2',
        });
        assert.equal(again, entriesOf(before));
      }),
      runs,
    );
  });
  test('each leaf has one owner, and owners have nothing else', () => {
    fc.assert(
      fc.property(triple, ([first, second, third]) => {
        const one = tracked(undefined, first, 'one', '1');
        const two = tracked(one, carried(one, second), 'two', '2');
        const three = tracked(two, carried(two, third), 'three', '3');
        const entries = entriesOf(three);
        const [a, b, c] = ['one', 'two', 'three'].map((it) => setOf(entries, it));
        const shared = [
          intersection(a ?? nothing, b ?? nothing),
          intersection(b ?? nothing, c ?? nothing),
        ];
        assert.ok(shared.every(isEmpty), JSON.stringify(shared));
        const left = unowned(three, entries);
        const server = {
          'f:apiVersion': nothing,
          'f:kind': nothing,
          'f:metadata': { 'f:name': nothing },
        };
        assert.deepEqual(difference(left, server), {}, JSON.stringify(entries));
      }),
      runs,
    );
  });
});

suite('apply', () => {
  const request = { ...author, force: true };
  const apply = (live: JsonObject | undefined, config: JsonObject, manager: string, time: string) =>
    applyConfiguration({ ...request, live, config, manager, time }).object;

  test('twice is once', () => {
    fc.assert(
      fc.property(filled, filled, (live, config) => {
        const before = tracked(undefined, live, 'updater', '1');
        const once = apply(before, config, 'applier', '2');
        const twice = apply(once, config, 'applier', '3');
        assert.deepEqual(twice, once);
      }),
      runs,
    );
  });
  test('what is applied is there, and owned', () => {
    fc.assert(
      fc.property(filled, filled, (live, config) => {
        const before = tracked(undefined, live, 'updater', '1');
        const after = apply(before, config, 'applier', '2');
        const entries = entriesOf(after);
        const claimed = fieldsOf(config, schema);
        const found = fieldsOf(withEntries(after, undefined), schema);
        assert.deepEqual(difference(claimed, found), {});
        const applier = entries?.find(({ operation }) => operation === 'Apply');
        const { 'f:metadata': meta = nothing, 'f:spec': spec } = claimed;
        const { 'f:name': _, ...labels } = meta;
        const own = {
          ...(Object.keys(labels).length > 0 && { 'f:metadata': labels }),
          ...(spec !== undefined && { 'f:spec': spec }),
        };
        assert.deepEqual(applier?.fieldsV1 ?? {}, own);
      }),
      runs,
    );
  });
  test('one who applies alone has what it applied last, and no more', () => {
    fc.assert(
      fc.property(filled, filled, (first, second) => {
        const once = apply(undefined, first, 'applier', '1');
        const twice = apply(once, second, 'applier', '2');
        const fresh = apply(undefined, second, 'applier', '2');
        const fields = (object: JsonObject): FieldSet =>
          fieldsOf(withEntries(object, undefined), schema);
        // Where all went, an empty container stays.
        assert.deepEqual(
          withoutNothing(withEntries(twice, undefined)),
          withoutNothing(withEntries(fresh, undefined)),
        );
        assert.deepEqual(difference(fields(fresh), fields(twice)), {});
      }),
      runs,
    );
  });
  test('a conflict changes nothing, and names each field', () => {
    fc.assert(
      fc.property(number, number, (one, other) => {
        const object = {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'x' },
          spec: { replicas: one },
        };
        const live = tracked(undefined, object, 'updater', '1');
        const config = { ...object, spec: { replicas: other } };
        const attempt = (): unknown =>
          applyConfiguration({
            ...request,
            force: false,
            live,
            config,
            manager: 'applier',
            time: '2',
          });
        if (one === other) assert.doesNotThrow(attempt);
        else {
          const message =
            'Apply failed with 1 conflict: conflict with "updater" using apps/v1: .spec.replicas';
          assert.throws(attempt, { message, code: 409 });
        }
      }),
    );
  });
});

/** Without nulls and what holds nothing else. */
function withoutNothing(value: Json): Json | undefined {
  if (isList(value)) {
    return value.length === 0 ? undefined : value.map((it: Json) => withoutNothing(it) ?? null);
  }
  if (!isMap(value)) return value ?? undefined;
  const entries = Object.entries(value).flatMap(([key, it]) => {
    const kept = withoutNothing(it);
    return kept === undefined || kept === null ? [] : [[key, kept] as const];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
