/**
 * Which fields a write changed, and which fields a value has. Parts that are the same by reference
 * are not looked into.
 * Rules: sigs.k8s.io/structured-merge-diff, `typed/compare.go` and `typed/tofieldset.go`.
 */
import type { Json } from '../../api/kubernetes.ts';
import { isEqual } from '../json.ts';
import type { Schema } from '../schema/schema.ts';
import type { FieldSet } from './field-set.ts';
import { element, fieldElement, isEmpty, nothing } from './field-set.ts';
import type { JsonList, JsonObject } from './shape.ts';
import {
  fieldSchema,
  indexed,
  isDeclared,
  isList,
  isObject,
  itemSchema,
  shapeOf,
} from './shape.ts';

type Growing = Record<string, FieldSet>;

export interface Comparison {
  /** Added or modified. */
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}

/** Of a part of a value; undefined where there is nothing to tell. */
interface Found {
  readonly changed?: FieldSet | undefined;
  readonly removed?: FieldSet | undefined;
}

const modified: Found = { changed: nothing };

export const noComparison: Comparison = { changed: nothing, removed: nothing };

export function compare(before: JsonObject, after: JsonObject, schema: Schema): Comparison {
  const found = compareMaps(before, after, schema);
  if (found === undefined) return noComparison;
  return { changed: found.changed ?? nothing, removed: found.removed ?? nothing };
}

function compareValues(
  before: Json | undefined,
  after: Json | undefined,
  schema: Schema,
): Found | undefined {
  if (before === after) return undefined;
  if (before === undefined) return { changed: branch(after ?? null, schema) };
  if (after === undefined) return { removed: branch(before, schema) };
  const shape = shapeOf(before ?? after, schema);
  // Null stands for a container with nothing in it; of two empty ones the difference counts.
  if (shape !== 'leaf' && !(isNothing(before) && isNothing(after))) {
    if (shape === 'map') {
      const [one, other] = [before ?? noFields, after ?? noFields];
      if (isObject(one) && isObject(other)) return compareMaps(one, other, schema);
    } else {
      const [one, other] = [before ?? noItems, after ?? noItems];
      if (isList(one) && isList(other)) return compareLists(one, other, schema);
    }
  }
  return isEqual(before, after) ? undefined : modified;
}

const noFields: JsonObject = Object.freeze({});
const noItems: JsonList = Object.freeze([]);

const isNothing = (value: Json): boolean =>
  value === null || (isList(value) ? value.length === 0 : isObject(value) && hasNoKeys(value));

function hasNoKeys(value: JsonObject): boolean {
  for (const _ in value) return false;
  return true;
}

function compareMaps(before: JsonObject, after: JsonObject, schema: Schema): Found | undefined {
  let changed: Growing | undefined;
  let removed: Growing | undefined;
  const visit = (name: string): void => {
    const [one, other] = [before[name], after[name]];
    if (one === other) return;
    const found = compareValues(one, other, fieldSchema(schema, name));
    if (found?.changed !== undefined) (changed ??= {})[fieldElement(name)] = found.changed;
    if (found?.removed !== undefined) (removed ??= {})[fieldElement(name)] = found.removed;
  };
  for (const name in after) visit(name);
  for (const name in before) if (!(name in after)) visit(name);
  return changed === undefined && removed === undefined ? undefined : { changed, removed };
}

function compareLists(before: JsonList, after: JsonList, schema: Schema): Found | undefined {
  const [one, other] = [indexed(before, schema), indexed(after, schema)];
  let changed: Growing | undefined;
  let removed: Growing | undefined;
  const keep = (key: string, found: Found | undefined): void => {
    if (found?.changed !== undefined) (changed ??= {})[key] = found.changed;
    if (found?.removed !== undefined) (removed ??= {})[key] = found.removed;
  };
  const visit = (key: string): void => {
    const [wasMany, isMany] = [one.duplicates?.get(key), other.duplicates?.get(key)];
    const [was, is] = [one.items.get(key), other.items.get(key)];
    if (wasMany === undefined && isMany === undefined) {
      keep(key, compareValues(was, is, itemSchema(schema)));
    } else if (wasMany !== undefined && isMany !== undefined) {
      keep(key, isEqual(wasMany, isMany) ? undefined : modified);
    } else {
      // Items that share their key have one owner, as a whole.
      keep(key, {
        changed: is === undefined ? undefined : isMany ? nothing : branch(is, itemSchema(schema)),
        removed:
          was === undefined ? undefined : wasMany ? nothing : branch(was, itemSchema(schema)),
      });
    }
  };
  for (const key of other.items.keys()) visit(key);
  for (const key of one.items.keys()) if (!other.items.has(key)) visit(key);
  return changed === undefined && removed === undefined ? undefined : { changed, removed };
}

/** What came, or went, with a value: itself and all that is in it. */
function branch(value: Json, schema: Schema): FieldSet {
  switch (shapeOf(value, schema)) {
    case 'leaf':
      return nothing;
    case 'map': {
      const children: Growing = {};
      for (const [name, child] of Object.entries(value as JsonObject)) {
        if (child !== undefined)
          children[fieldElement(name)] = branch(child, fieldSchema(schema, name));
      }
      return element(true, children) ?? nothing;
    }
    case 'list': {
      const children: Growing = {};
      const { items, duplicates } = indexed(value as JsonList, schema);
      for (const [key, item] of items) {
        children[key] = duplicates?.has(key) ? nothing : branch(item, itemSchema(schema));
      }
      return element(true, children) ?? nothing;
    }
  }
}

/** The fields that one who sends this object claims: leaves, items of lists, entries of maps. */
export const fieldsOf = (object: JsonObject, schema: Schema): FieldSet =>
  fieldsOfMap(object, schema) ?? nothing;

function fieldsOfMap(object: JsonObject, schema: Schema): FieldSet | undefined {
  const children: Growing = {};
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined) continue;
    const isBare = value === null || (isObject(value) && hasNoKeys(value));
    const child = claimed(value, fieldSchema(schema, name), isBare || !isDeclared(schema, name));
    if (child !== undefined) children[fieldElement(name)] = child;
  }
  return isEmpty(children) ? undefined : children;
}

function claimed(value: Json, schema: Schema, isMember: boolean): FieldSet | undefined {
  switch (shapeOf(value, schema)) {
    case 'leaf':
      return value === null && !isMember ? undefined : nothing;
    case 'map':
      return element(isMember, fieldsOfMap(value as JsonObject, schema));
    case 'list': {
      const children: Growing = {};
      const { items, duplicates } = indexed(value as JsonList, schema);
      for (const [key, item] of items) {
        const child = duplicates?.has(key) ? nothing : claimed(item, itemSchema(schema), true);
        if (child !== undefined) children[key] = child;
      }
      return element(isMember, children);
    }
  }
}
