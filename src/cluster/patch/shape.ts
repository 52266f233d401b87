/**
 * What a schema says about who may own what of a value: whether its parts have owners of their own,
 * or it is owned as a whole.
 * Rules: Kubernetes docs, "Server-Side Apply", merge strategy; k8s.io/kube-openapi, `schemaconv`.
 */
import type { Json } from '../../api/kubernetes.ts';
import type { Schema } from '../schema/schema.ts';
import { keyElement, valueElement } from './field-set.ts';

export type JsonObject = { readonly [key: string]: Json };
export type JsonList = readonly Json[];

/** Of values that no schema describes: objects have parts, lists do not. */
export const anything: Schema = Object.freeze({});

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isList = (value: Json | undefined): value is JsonList => Array.isArray(value);

/** `leaf`: owned as a whole. */
export type Shape = 'leaf' | 'map' | 'list';

export function shapeOf(value: Json, schema: Schema): Shape {
  if (isObject(value)) {
    const mayBe = schema.type === undefined || schema.type === 'object';
    return mayBe && schema['x-kubernetes-map-type'] !== 'atomic' ? 'map' : 'leaf';
  }
  return isList(value) && listKeysOf(schema) !== undefined ? 'list' : 'leaf';
}

const noKeys: readonly string[] = [];

/** The keys by which items are told apart; none, of a set; undefined of a list without parts. */
export function listKeysOf(schema: Schema): readonly string[] | undefined {
  const listType = schema['x-kubernetes-list-type'];
  if (listType === 'map') return schema['x-kubernetes-list-map-keys'] ?? noKeys;
  if (listType === 'set') return noKeys;
  if (listType === 'atomic') return undefined;
  const strategy = schema['x-kubernetes-patch-strategy'];
  if (strategy !== 'merge' && strategy !== 'merge,retainKeys') return undefined;
  const key = schema['x-kubernetes-patch-merge-key'];
  return key === undefined ? noKeys : [key];
}

export const isDeclared = ({ properties }: Schema, name: string): boolean =>
  properties !== undefined && Object.hasOwn(properties, name);

export function fieldSchema(schema: Schema, name: string): Schema {
  const { properties, additionalProperties } = schema;
  if (properties !== undefined && Object.hasOwn(properties, name)) {
    return properties[name] ?? anything;
  }
  return typeof additionalProperties === 'object' ? additionalProperties : anything;
}

export const itemSchema = ({ items }: Schema): Schema => items ?? anything;

/**
 * Defaults that the API server knows and does not publish: its /openapi/v2 has none. Keys that must
 * be there have the zero value of their type; among the others of built-in kinds one has a default.
 */
const unpublishedDefaults: Readonly<Record<string, Json>> = { protocol: 'TCP' };
const zeroValues: Readonly<Record<string, Json>> = { string: '', integer: 0 };

export function keyDefault(items: Schema, key: string): Json | undefined {
  const { default: published, type = '' } = fieldSchema(items, key);
  if (published !== undefined) return published;
  return items.required?.includes(key) === true ? zeroValues[type] : unpublishedDefaults[key];
}

/** The path element of an item; undefined where the item has none, for it lacks all keys. */
export function itemElement(
  item: Json,
  keys: readonly string[],
  items: Schema,
): string | undefined {
  if (keys.length === 0) {
    return typeof item === 'object' ? undefined : valueElement(item);
  }
  if (!isObject(item)) return undefined;
  const pairs: (readonly [string, Json])[] = [];
  for (const key of keys) {
    const value = item[key] ?? keyDefault(items, key);
    if (value !== undefined) pairs.push([key, value]);
  }
  return pairs.length === 0 ? undefined : keyElement(pairs);
}

export interface Indexed {
  /** In the order of the list, each element once. */
  readonly items: ReadonlyMap<string, Json>;
  /** Of elements that several items share: all of them. */
  readonly duplicates: ReadonlyMap<string, JsonList> | undefined;
}

/** A list by the elements of its items. Items that have none are left out. */
export function indexed(list: JsonList, schema: Schema): Indexed {
  const keys = listKeysOf(schema) ?? noKeys;
  const itemsSchema = itemSchema(schema);
  const items = new Map<string, Json>();
  let duplicates: Map<string, JsonList> | undefined;
  for (const item of list) {
    const element = itemElement(item, keys, itemsSchema);
    if (element === undefined) continue;
    const first = items.get(element);
    if (first === undefined) {
      items.set(element, item);
      continue;
    }
    duplicates ??= new Map();
    duplicates.set(element, [...(duplicates.get(element) ?? [first]), item]);
  }
  return { items, duplicates };
}
