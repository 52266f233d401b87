/**
 * What goes with a new configuration: fields that its manager applied before, applies no more, and
 * that nobody else owns.
 * Rules: sigs.k8s.io/structured-merge-diff, `merge/update.go` and `typed/remove.go`.
 */
import type { Json } from '../../api/kubernetes.ts';
import type { Schema } from '../schema/schema.ts';
import { fieldsOf } from './compare.ts';
import type { FieldSet } from './field-set.ts';
import {
  difference,
  element,
  fieldElement,
  has,
  intersection,
  isEmpty,
  nothing,
  union,
} from './field-set.ts';
import type { JsonList, JsonObject } from './shape.ts';
import {
  anything,
  fieldSchema,
  isDeclared,
  isList,
  isObject,
  itemElement,
  itemSchema,
  listKeysOf,
  shapeOf,
} from './shape.ts';

export interface Pruning {
  readonly merged: JsonObject;
  /** What the manager applied before. */
  readonly last: FieldSet;
  /** What anybody owns now, the new configuration included. */
  readonly owned: FieldSet;
  readonly schema: Schema;
}

export function prune({ merged, last, owned, schema }: Pruning): JsonObject {
  // Where all that was applied is still owned, nothing can go.
  if (isEmpty(difference(last, owned))) return merged;
  const closed = (set: FieldSet): FieldSet => withContainers(set, schema);
  const before = closed(last);
  const all = closed(fieldsOf(merged, schema));
  const bare = fieldsOf(withoutFields(merged, before, schema), schema);
  const kept = union(closed(bare), closed(owned));
  const rest = fieldsOf(withoutFields(merged, difference(all, kept), schema), schema);
  // What was never this manager's stays, whoever set it.
  const gone = intersection(difference(all, closed(rest)), before);
  return withoutFields(merged, gone, schema);
}

/** With each declared field that has members in it as a member, so that it can be told apart. */
function withContainers(set: FieldSet, schema: Schema): FieldSet {
  if (isEmpty(set)) return set;
  const closed: Record<string, FieldSet> = {};
  for (const key in set) {
    const child = set[key] ?? nothing;
    if (key === '.' || isEmpty(child)) {
      closed[key] = child;
      continue;
    }
    const isField = key.startsWith('f:');
    const name = key.slice(2);
    const inner = isField ? fieldSchema(schema, name) : itemSchema(schema);
    const isKnown = isField && isDeclared(schema, name);
    const { '.': own, ...children } = withContainers(child, inner);
    closed[key] = element(isKnown || own !== undefined, children) ?? nothing;
  }
  return closed;
}

function withoutFields(object: JsonObject, gone: FieldSet, schema: Schema): JsonObject {
  if (isEmpty(gone)) return object;
  let rest: Record<string, Json> | undefined;
  for (const name in object) {
    const key = fieldElement(name);
    const branch = gone[key];
    const value = object[name];
    if (branch === undefined || value === undefined) continue;
    if (has(gone, [key])) {
      rest ??= { ...object };
      delete rest[name];
      continue;
    }
    const left = without(value, branch, fieldSchema(schema, name));
    if (left === value) continue;
    rest ??= { ...object };
    rest[name] = left;
  }
  return rest ?? object;
}

/** Null where nothing is left, as the API server has it; reading the object again drops it. */
function without(value: Json, gone: FieldSet, schema: Schema): Json {
  const shape = shapeOf(value, schema);
  if (shape === 'map' && isObject(value)) {
    const rest = withoutFields(value, gone, schema);
    return Object.keys(rest).length === 0 ? null : rest;
  }
  if (shape !== 'list' || !isList(value)) return value;
  const rest = withoutItems(value, gone, schema);
  return rest.length === 0 ? null : rest;
}

function withoutItems(list: JsonList, gone: FieldSet, schema: Schema): JsonList {
  const keys = listKeysOf(schema) ?? [];
  const items = schema.items ?? anything;
  const rest: Json[] = [];
  for (const item of list) {
    const key = itemElement(item, keys, items);
    const branch = key === undefined ? undefined : gone[key];
    if (key !== undefined && has(gone, [key])) continue;
    rest.push(branch === undefined ? item : without(item, branch, items));
  }
  return rest;
}
