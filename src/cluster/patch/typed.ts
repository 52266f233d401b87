/**
 * Whether a configuration fits its schema, so far as ownership needs it: an unknown field, or an
 * item without keys, cannot be owned.
 * Rules: sigs.k8s.io/structured-merge-diff, `typed/validate.go`; the answers are the API server's.
 */
import type { Json } from '../../api/kubernetes.ts';
import type { Schema } from '../schema/schema.ts';
import { StatusError } from '../status-error.ts';
import { elementText } from './field-set.ts';
import { goText } from './go-text.ts';
import type { JsonList, JsonObject } from './shape.ts';
import {
  fieldSchema,
  isDeclared,
  isList,
  isObject,
  itemElement,
  itemSchema,
  listKeysOf,
} from './shape.ts';

interface Problem {
  readonly path: string;
  readonly text: string;
}

/** Throws a `StatusError` (500, as the API server does) that says where it does not fit. */
export function checkTyped(config: JsonObject, schema: Schema): void {
  const problems = problemsOf(config, schema, false);
  if (problems.length === 0) return;
  const lines = problems.map(({ path, text }) => `${path}: ${text}`);
  const list = lines.length === 1 ? (lines[0] ?? '') : `errors:\n  ${lines.join('\n  ')}`;
  const message = `failed to create typed patch object (${nameOf(config)}): ${list}`;
  throw new StatusError(message, { code: 500, reason: '' });
}

function nameOf({ apiVersion, kind, metadata }: JsonObject): string {
  const { namespace = '', name = '' } = isObject(metadata) ? metadata : {};
  const version = goText(apiVersion);
  // Go shows the core group as an empty name before the slash.
  const groupVersion = version.includes('/') ? version : `/${version}`;
  return `${goText(namespace)}/${goText(name)}; ${groupVersion}, Kind=${goText(kind)}`;
}

const none: readonly Problem[] = [];

const problem = (text: string): readonly Problem[] => [{ path: '', text }];

const under = (prefix: string, problems: readonly Problem[]): readonly Problem[] =>
  problems.length === 0
    ? none
    : problems.map(({ path, text }) => ({ path: `${prefix}${path}`, text }));

/** `keepsUnknown`: whether some schema around this one keeps fields that it does not name. */
function problemsOf(value: Json, schema: Schema, keepsUnknown: boolean): readonly Problem[] {
  if (value === null) return none;
  const keeps = keepsUnknown || schema['x-kubernetes-preserve-unknown-fields'] === true;
  switch (schema.type) {
    case 'object':
      return isObject(value)
        ? problemsOfFields(value, schema, keeps)
        : problem(`expected map, got &{${goText(value)}}`);
    case 'array':
      return isList(value)
        ? problemsOfItems(value, schema, keeps)
        : problem(`expected list, got &{${goText(value)}}`);
    case 'string':
      // What has a format may be written as something else: a port, a time.
      return typeof value === 'string' || hasOpenFormat(schema)
        ? none
        : problem(`expected string, got &value.valueUnstructured{Value:${goText(value)}}`);
    case 'integer':
    case 'number':
      return typeof value === 'number'
        ? none
        : problem(`expected numeric (int or float), got ${goType(value)}`);
    case 'boolean':
      return typeof value === 'boolean'
        ? none
        : problem(`expected boolean, got &{${goText(value)}}`);
    case undefined:
    default:
      return isObject(value) ? problemsOfFields(value, schema, keeps) : none;
  }
}

const hasOpenFormat = ({ format }: Schema): boolean => format !== undefined && format !== 'byte';

function problemsOfFields(value: JsonObject, schema: Schema, keeps: boolean): readonly Problem[] {
  const { properties, additionalProperties } = schema;
  const isOpen = keeps || properties === undefined || (additionalProperties ?? false) !== false;
  let problems = none;
  for (const [name, child] of Object.entries(value)) {
    if (!isOpen && !isDeclared(schema, name)) {
      return [...problems, { path: `.${name}`, text: 'field not declared in schema' }];
    }
    const found = problemsOf(child, fieldSchema(schema, name), keeps);
    if (found.length > 0) problems = [...problems, ...under(`.${name}`, found)];
  }
  return problems;
}

function problemsOfItems(list: JsonList, schema: Schema, keeps: boolean): readonly Problem[] {
  const keys = listKeysOf(schema);
  const items = itemSchema(schema);
  const seen = new Set<string>();
  let problems = none;
  for (const [at, item] of list.entries()) {
    const element = keys === undefined ? `i:${at}` : itemElement(item, keys, items);
    if (element === undefined) {
      return [...problems, ...problem(`element ${at}: ${faultOf(item, keys ?? [])}`)];
    }
    const path = elementText(element);
    if (seen.has(element)) {
      problems = [...problems, ...problem(`duplicate entries for key ${path}`)];
    }
    seen.add(element);
    const found = problemsOf(item, items, keeps);
    if (found.length > 0) problems = [...problems, ...under(path, found)];
  }
  return problems;
}

function faultOf(item: Json, keys: readonly string[]): string {
  if (keys.length > 0) {
    if (item === null) return 'associative list with keys may not have a null element';
    if (!isObject(item)) return 'associative list with keys may not have non-map elements';
    const names = keys.map((key) => JSON.stringify(key)).join(' ');
    return `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`;
  }
  if (item === null) return "associative list without keys has an element that's an explicit null";
  return isList(item)
    ? 'not supported: associative list with lists as elements'
    : "associative list without keys has an element that's a map type";
}

function goType(value: Json): string {
  if (isObject(value)) return 'map[string]interface {}';
  if (isList(value)) return '[]interface {}';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
