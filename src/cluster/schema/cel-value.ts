/**
 * A value of JSON as CEL sees it, by its schema: integers are not doubles, times are times, and
 * fields with names that CEL does not allow go by others.
 * Rules: k8s.io/apiserver, `cel/common/values.go` and `cel/escaping.go`.
 */
import type { Json } from '../../api/kubernetes.ts';
import { goDurationOf } from './formats.ts';
import type { Schema } from './schema.ts';

/** A text as CEL's duration; undefined where it is none. */
export type ToDuration = (text: string) => unknown;

export function celValue(value: Json, schema: Schema, toDuration: ToDuration): unknown {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return schema.type === 'number' ? value : asInteger(value);
  if (typeof value === 'string') return textValue(value, schema, toDuration);
  if (isList(value)) {
    const { items = {} } = schema;
    return value.map((item) => celValue(item, items, toDuration));
  }
  return fieldsValue(value, schema, toDuration);
}

/** Where nothing is known of it, a whole number is an integer. */
const asInteger = (value: number): unknown => (Number.isInteger(value) ? BigInt(value) : value);

function textValue(text: string, { type, format }: Schema, toDuration: ToDuration): unknown {
  if (type !== 'string' || format === undefined) return text;
  switch (format) {
    case 'byte':
      return new Uint8Array(Buffer.from(text, 'base64'));
    case 'duration':
      return toDuration(goDurationOf(text) ?? text) ?? text;
    case 'date':
    case 'date-time':
      return dateOf(text) ?? text;
    default:
      return text;
  }
}

function dateOf(text: string): Date | undefined {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function fieldsValue(
  value: Readonly<Record<string, Json>>,
  schema: Schema,
  toDuration: ToDuration,
): unknown {
  const { properties, additionalProperties } = schema;
  const fields: Record<string, unknown> = {};
  for (const name in value) {
    const child = value[name];
    if (child === undefined) continue;
    const field =
      properties !== undefined && Object.hasOwn(properties, name)
        ? properties[name]
        : additionalProperties;
    // Rules do not see fields of which the schema says nothing.
    if (field === undefined || field === false) continue;
    const key = properties === undefined ? name : escaped(name);
    fields[key] = celValue(child, field === true ? {} : field, toDuration);
  }
  return fields;
}

const keywords: ReadonlySet<string> = new Set([
  'true',
  'false',
  'null',
  'in',
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'let',
  'loop',
  'package',
  'namespace',
  'return',
  'var',
  'void',
  'while',
]);

const replacements: Readonly<Record<string, string>> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
};

/** `a-b` is written `a__dash__b` in a rule. */
function escaped(name: string): string {
  if (keywords.has(name)) return `__${name}__`;
  if (/^[A-Za-z0-9_]+$/.test(name) && !name.includes('__')) return name;
  return name.replaceAll(/__|[.\-/]/g, (it) => replacements[it] ?? it);
}

const isList = (value: unknown): value is readonly Json[] => Array.isArray(value);
