/**
 * Values for the fields that a user left out, and no nulls where a field knows none. An object that
 * is complete comes back as it is. What was completed once is remembered, because most of an object
 * is shared with the one before it.
 * Rules: k8s.io/apiextensions-apiserver, `apiserver/schema/defaulting`.
 */
import type { Json } from '../../api/kubernetes.ts';
import type { Schema } from './schema.ts';

/** Idempotent. Never changes its argument. */
export type Defaulting = <T extends object>(object: T) => T;

type JsonObject = Readonly<Record<string, Json>>;

export function compileDefaults(schema: Schema): Defaulting {
  const completed = new WeakSet<object>();
  return (object) => {
    const whole = ownDefaults(object as unknown as JsonObject, schema);
    let changed: Record<string, Json> | undefined;
    for (const name in whole) {
      const before = whole[name];
      const field = fieldOf(schema, name);
      if (before === undefined || field === undefined || name === 'metadata') continue;
      if (typeof before === 'object' && before !== null && completed.has(before)) continue;
      const after = isNeedlessNull(before, field) ? undefined : complete(before, field);
      if (typeof after === 'object' && after !== null) completed.add(after);
      if (after === before) continue;
      changed ??= { ...whole };
      if (after === undefined) delete changed[name];
      else changed[name] = after;
    }
    return (changed ?? whole) as unknown as typeof object;
  };
}

function isNeedlessNull(value: Json, schema: Schema): boolean {
  return value === null && schema.nullable !== true && schema.default === undefined;
}

/** With the defaults of its fields, not yet of the fields in those. */
function ownDefaults(value: JsonObject, { properties }: Schema): JsonObject {
  let changed: Record<string, Json> | undefined;
  for (const name in properties) {
    const field = properties[name];
    if (field?.default === undefined) continue;
    const before = value[name];
    if (before !== undefined && (before !== null || field.nullable === true)) continue;
    changed ??= { ...value };
    changed[name] = field.default;
  }
  return changed ?? value;
}

function complete(value: Json, schema: Schema): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return schema.items === undefined ? value : completeItems(value, schema.items);
  const { properties, additionalProperties } = schema;
  if (properties === undefined && typeof additionalProperties !== 'object') return value;
  const whole = ownDefaults(value, schema);
  let changed: Record<string, Json> | undefined;
  for (const name in whole) {
    const before = whole[name];
    const field = fieldOf(schema, name);
    if (before === undefined || field === undefined) continue;
    const isGone = isNeedlessNull(before, field);
    const filled = before === null && field.nullable !== true ? (field.default ?? null) : before;
    const after = complete(filled, field);
    if (after === before && !isGone) continue;
    changed ??= { ...whole };
    if (isGone) delete changed[name];
    else changed[name] = after;
  }
  return changed ?? whole;
}

function completeItems(list: readonly Json[], items: Schema): Json {
  let changed: Json[] | undefined;
  for (let at = 0; at < list.length; at += 1) {
    const before = list[at] ?? null;
    const filled = before === null && items.nullable !== true ? (items.default ?? null) : before;
    const after = complete(filled, items);
    if (after === before) continue;
    changed ??= [...list];
    changed[at] = after;
  }
  return changed ?? list;
}

function fieldOf({ properties, additionalProperties }: Schema, name: string): Schema | undefined {
  if (properties !== undefined && Object.hasOwn(properties, name)) return properties[name];
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}

const isList = (value: unknown): value is readonly Json[] => Array.isArray(value);
