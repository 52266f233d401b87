/**
 * Fields that a schema does not have: dropped, and named. An object without any comes back as it
 * is, at no cost but the looking.
 * Rules: k8s.io/apiextensions-apiserver, `apiserver/schema/pruning` and `objectmeta/coerce.go`.
 */
import type { Json } from '../../api/kubernetes.ts';
import type { Step } from './field-errors.ts';
import { pathText } from './field-errors.ts';
import { objectMeta } from './object-meta.ts';
import type { Schema } from './schema.ts';

export interface Pruned<T> {
  /** The very same where nothing was dropped. */
  readonly object: T;
  /** `spec.foo`, `spec.items[0].bar`; in alphabetical order. */
  readonly unknown: readonly string[];
}

export interface PruneOptions {
  /**
   * Whether an object of which nothing is said has no fields (custom resources) or any (built-in
   * kinds, whose schemas do not describe `RawExtension`).
   */
  readonly isStructural: boolean;
}

const nothing: readonly string[] = [];

export function prune<T extends object>(
  schema: Schema,
  object: T,
  { isStructural }: PruneOptions,
): Pruned<T> {
  const walk = isStructural ? structural : lenient;
  const json = object as unknown as Json;
  const kept = keep(json, schema, walk);
  if (kept === json) return { object, unknown: nothing };
  const unknown: string[] = [];
  list(json, schema, walk, { steps: [], unknown });
  return { object: kept as unknown as T, unknown: unknown.sort() };
}

interface Walk {
  /** Of an object about whose fields its schema says nothing. */
  readonly undescribed: Schema | undefined;
}

const anything: Schema = { 'x-kubernetes-preserve-unknown-fields': true };
const structural: Walk = { undescribed: undefined };
const lenient: Walk = { undescribed: anything };

/** The schema of a field: undefined where there is no such field. */
function fieldSchema(schema: Schema, name: string, { undescribed }: Walk): Schema | undefined {
  const { properties, additionalProperties } = schema;
  if (schema['x-kubernetes-embedded-resource'] === true) {
    if (name === 'metadata') return objectMeta;
    if (name === 'apiVersion' || name === 'kind') return anything;
  }
  if (properties !== undefined && Object.hasOwn(properties, name)) return properties[name];
  if (additionalProperties === true) return anything;
  if (typeof additionalProperties === 'object') return additionalProperties;
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return anything;
  return properties === undefined ? undescribed : undefined;
}

function keep(value: Json, schema: Schema, walk: Walk): Json {
  if (typeof value !== 'object' || value === null || schema === anything) return value;
  if (isList(value)) return keepItems(value, schema, walk);
  let changed: Record<string, Json> | undefined;
  for (const name in value) {
    const before = value[name];
    if (before === undefined) continue;
    const field = fieldSchema(schema, name, walk);
    const after = field === undefined ? undefined : keep(before, field, walk);
    if (after === before) continue;
    changed ??= { ...value };
    if (after === undefined) delete changed[name];
    else changed[name] = after;
  }
  return changed ?? value;
}

function itemsOf(schema: Schema, { undescribed }: Walk): Schema {
  if (schema.items !== undefined) return schema.items;
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] === true;
  return isOpen ? anything : (undescribed ?? {});
}

function keepItems(list: readonly Json[], schema: Schema, walk: Walk): Json {
  const items = itemsOf(schema, walk);
  let changed: Json[] | undefined;
  for (let at = 0; at < list.length; at += 1) {
    const before = list[at] ?? null;
    const after = keep(before, items, walk);
    if (after === before) continue;
    changed ??= [...list];
    changed[at] = after;
  }
  return changed ?? list;
}

interface Listing {
  readonly steps: Step[];
  readonly unknown: string[];
}

/** Only of objects that have unknown fields. */
function list(value: Json, schema: Schema, walk: Walk, listing: Listing): void {
  if (typeof value !== 'object' || value === null) return;
  const { steps, unknown } = listing;
  const entries: readonly (readonly [Step, Json | undefined, Schema | undefined])[] = isList(value)
    ? value.map((item, at) => [at, item, itemsOf(schema, walk)] as const)
    : Object.keys(value).map((key) => [key, value[key], fieldSchema(schema, key, walk)] as const);
  for (const [step, child, known] of entries) {
    steps.push(step);
    if (known === undefined) unknown.push(pathText(steps));
    else if (child !== undefined) list(child, known, walk, listing);
    steps.pop();
  }
}

const isList = (value: unknown): value is readonly Json[] => Array.isArray(value);
