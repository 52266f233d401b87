/**
 * Strategic merge patch: a merge patch in which lists may be merged too, item by item, as the schema
 * of the kind says, and in which directives say what a merge cannot.
 *
 *   $patch: delete | replace         of a map, or of an item of a list
 *   $retainKeys: […]                 all other keys of the map go
 *   $setElementOrder/list: […]       the order of the items of that list
 *   $deleteFromPrimitiveList/list    values that go from that list
 *
 * Rules: k8s.io/apimachinery, `util/strategicpatch/patch.go`; the errors are the API server's.
 */
import type { Json } from '../../api/kubernetes.ts';
import type { Schema } from '../schema/schema.ts';
import { badRequest, StatusError } from '../status-error.ts';
import { goText } from './go-text.ts';
import type { JsonList, JsonObject } from './shape.ts';
import { fieldSchema, isList, isObject, itemSchema } from './shape.ts';
import {
  inOrder,
  joined,
  keyOf,
  mergeKeyOf,
  mergesByStrategy,
  replacesByStrategy,
} from './strategy.ts';

const directive = '$patch';
const retainKeys = '$retainKeys';
const orderPrefix = '$setElementOrder/';
const deletePrefix = '$deleteFromPrimitiveList/';

/**
 * What the patch makes of the live object; neither is changed, and parts that the patch does not
 * reach are shared. Throws a `StatusError`: 400, 422, or 500 where the API server has no better.
 */
export function strategicMerge(live: Json, patch: Json, schema: Schema): Json {
  if (!isObject(patch)) {
    const found = isList(patch) ? 'array' : patch === null ? 'null' : typeof patch;
    throw badRequest(
      `json: cannot unmarshal ${found} into Go value of type map[string]interface {}`,
    );
  }
  return mergeMaps(isObject(live) ? live : {}, patch, schema);
}

const internal = (message: string): StatusError =>
  new StatusError(message, { code: 500, reason: '' });

function mergeMaps(live: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  const marker = patch[directive];
  if (marker !== undefined) return directed(marker, patch);
  const merged = new Fields(retained(live, patch));
  for (const key in patch) {
    if (key.startsWith(orderPrefix)) setOrder(merged, patch, key, schema);
  }
  for (const [key, value] of Object.entries(patch)) {
    if (key === retainKeys || key.startsWith(orderPrefix)) continue;
    if (key.startsWith(deletePrefix)) {
      deleteValues(merged, key.slice(deletePrefix.length), value);
    } else if (!Object.hasOwn(patch, `${orderPrefix}${key}`)) {
      const found = merged.get(key);
      merged.set(key, value === null ? undefined : mergedValue(found, value, schema, key));
    }
  }
  return merged.object;
}

/** A copy that is made with the first change. */
class Fields {
  #object: JsonObject;
  #copy: Record<string, Json> | undefined;

  constructor(object: JsonObject) {
    this.#object = object;
  }

  get object(): JsonObject {
    return this.#copy ?? this.#object;
  }

  get(key: string): Json | undefined {
    return Object.hasOwn(this.object, key) ? this.object[key] : undefined;
  }

  set(key: string, value: Json | undefined): void {
    if (value === this.get(key)) return;
    this.#copy ??= { ...this.#object };
    if (value === undefined) delete this.#copy[key];
    else this.#copy[key] = value;
  }
}

function directed(marker: Json, patch: JsonObject): JsonObject {
  if (marker === 'delete') return {};
  if (marker !== 'replace') throw unknownDirective(marker, patch);
  const { [directive]: _, ...others } = patch;
  return others;
}

const unknownDirective = (marker: Json, patch: JsonObject): StatusError =>
  internal(`unknown patch type: ${goText(marker)} in map: ${goText(patch)}`);

/** The live map without the keys that the patch does not retain. */
function retained(live: JsonObject, patch: JsonObject): JsonObject {
  const keys = patch[retainKeys];
  if (keys === undefined) return live;
  if (!isList(keys)) throw badRequest('invalid patch format of retainKeys');
  for (const [key, value] of Object.entries(patch)) {
    const isOther =
      key === retainKeys || key.startsWith(deletePrefix) || key.startsWith(orderPrefix);
    if (value !== null && !isOther && !keys.includes(key)) {
      throw badRequest('invalid patch format of retainKeys');
    }
  }
  return Object.fromEntries(Object.entries(live).filter(([key]) => keys.includes(key)));
}

function deleteValues(merged: Fields, key: string, values: Json): void {
  const found = merged.get(key);
  if (!isList(found) || !isList(values)) return;
  merged.set(
    key,
    found.filter((it) => !values.includes(it)),
  );
}

function mergedValue(
  found: Json | undefined,
  value: Json,
  schema: Schema,
  key: string,
): Json | undefined {
  const field = fieldSchema(schema, key);
  if (isObject(found) && isObject(value)) {
    return replacesByStrategy(field) ? value : mergeMaps(found, value, field);
  }
  if (isList(found) && isList(value)) {
    return mergesByStrategy(field) ? mergeLists(found, value, field) : value;
  }
  return found === undefined || isObject(value) || isList(value) ? cleaned(value) : value;
}

/** What is new, without nulls and directives; undefined of what is nothing but a directive. */
function cleaned(value: Json): Json | undefined {
  if (isList(value)) return value.map(cleaned).filter((it) => it !== undefined);
  if (!isObject(value)) return value;
  if (directive in value) return undefined;
  const entries = Object.entries(value)
    .filter(([, it]) => it !== null)
    .flatMap(([key, it]) => {
      const kept = cleaned(it);
      return kept === undefined ? [] : [[key, kept] as const];
    });
  return Object.fromEntries(entries);
}

function mergeLists(found: JsonList, patch: JsonList, schema: Schema): JsonList {
  if (found.length === 0 && patch.length === 0) return found;
  if (!isOfMaps(found, patch)) {
    return inOrder(joined(found, patch), { first: patch, live: found, mergeKey: undefined });
  }
  const mergeKey = mergeKeyOf(schema);
  const [kept, wanted] = withoutMarked(found, patch, mergeKey);
  const merged = mergedItems(kept, wanted, schema, mergeKey);
  return inOrder(merged, { first: wanted, live: kept, mergeKey });
}

/** All items must be of one type, and none of them a list. */
function isOfMaps(...lists: readonly JsonList[]): boolean {
  const [first, ...others] = lists.flat(1).map(typeOf);
  if (first === 'list') {
    throw new StatusError('lists of lists are not supported', { code: 422, reason: 'Invalid' });
  }
  if (others.some((it) => it !== first)) {
    throw internal(`list element types are not identical: ${goText(lists)}`);
  }
  return first === 'map';
}

const typeOf = (value: Json): string =>
  isList(value) ? 'list' : isObject(value) ? 'map' : typeof value;

/** What the marked items of the patch leave of the list, and the items that are not marked. */
function withoutMarked(
  found: JsonList,
  patch: JsonList,
  mergeKey: string,
): readonly [JsonList, JsonList] {
  let kept = found;
  let replaces = false;
  const wanted: Json[] = [];
  for (const item of patch) {
    const marker = isObject(item) ? item[directive] : undefined;
    if (!isObject(item) || marker === undefined) {
      wanted.push(item);
    } else if (marker === 'delete') {
      const gone = keyOf(item, mergeKey);
      kept = kept.filter((it) => !isObject(it) || it[mergeKey] !== gone);
    } else if (marker === 'replace') {
      replaces = true;
    } else if (marker === 'merge') {
      throw internal('merging lists cannot yet be specified in the patch');
    } else {
      throw unknownDirective(marker, item);
    }
  }
  return [replaces ? [] : kept, wanted];
}

function mergedItems(kept: JsonList, wanted: JsonList, schema: Schema, mergeKey: string): JsonList {
  const merged = [...kept];
  for (const item of wanted) {
    const key = keyOf(item, mergeKey);
    const at = merged.findIndex((it) => isObject(it) && it[mergeKey] === key);
    const found = merged[at];
    if (isObject(found) && isObject(item)) merged[at] = mergeMaps(found, item, itemSchema(schema));
    else merged.push(item);
  }
  return merged;
}

/** Merges a list and puts it in the order that the patch gives for it. */
function setOrder(merged: Fields, patch: JsonObject, key: string, schema: Schema): void {
  const name = key.slice(orderPrefix.length);
  const field = fieldSchema(schema, name);
  const order = listOf(patch[key]) ?? [];
  const found = listOf(merged.get(name));
  const wanted = listOf(patch[name]);
  const items = found ?? wanted;
  if (items === undefined) return;
  const isMaps = [...items, ...(wanted ?? [])].some(isObject);
  const mergeKey = isMaps ? mergeKeyOf(field) : undefined;
  if (wanted !== undefined) checkOrder(wanted, order, mergeKey);
  const list = found === undefined ? listOf(cleaned(items)) : mergedWith(found, wanted, field);
  merged.set(name, inOrder(list ?? [], { first: order, live: found ?? [], mergeKey }));
}

function mergedWith(found: JsonList, wanted: JsonList | undefined, schema: Schema): JsonList {
  if (wanted === undefined) return found;
  return mergesByStrategy(schema) ? mergeLists(found, wanted, schema) : wanted;
}

function listOf(value: Json | undefined): JsonList | undefined {
  if (value === undefined || isList(value)) return value;
  const found = isObject(value)
    ? 'map[string]interface {}'
    : value === null
      ? '%!s(<nil>)'
      : typeof value;
  throw internal(`expected a []interface {}, but received a ${found}`);
}

/** The items of the patch must stand in the order that it gives. */
function checkOrder(wanted: JsonList, order: JsonList, mergeKey: string | undefined): void {
  if (order.length === 0) return;
  const left = wanted.filter((it) => !isObject(it) || it[directive] === undefined);
  const valueOf = (item: Json): Json => (mergeKey === undefined ? item : keyOf(item, mergeKey));
  let at = 0;
  for (const item of order) {
    const next = left[at];
    if (next !== undefined && valueOf(next) === valueOf(item)) at += 1;
  }
  if (at >= left.length) return;
  throw internal(
    `The order in patch list:\n${goText(wanted)}\n doesn't match $setElementOrder list:\n${goText(order)}\n`,
  );
}
