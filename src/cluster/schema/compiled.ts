/**
 * A schema as validation reads it: patterns, formats and names looked up once, and every part of the
 * same shape, which is what makes reading fast.
 */
import type { Json } from '../../api/kubernetes.ts';
import { formatCheck } from './formats.ts';
import { compilePattern } from './patterns.ts';
import type { Schema } from './schema.ts';

export interface CompiledSchema {
  readonly source: Schema;
  readonly type: Schema['type'];
  readonly isIntOrString: boolean;
  /** As messages name it: `integer,string`. Undefined where anything will do. */
  readonly types: string | undefined;
  readonly isNullable: boolean;
  /** Where the API server knows it for values of that type. */
  readonly format: string | undefined;
  readonly isOfFormat: ((text: string) => boolean) | undefined;
  readonly enum: readonly Json[] | undefined;
  readonly pattern: RegExp | undefined;
  readonly minLength: number;
  readonly maxLength: number;
  readonly hasBounds: boolean;
  readonly minItems: number;
  readonly maxItems: number;
  readonly hasUniqueItems: boolean;
  readonly minProperties: number;
  readonly maxProperties: number;
  readonly required: readonly string[];
  readonly properties: ReadonlyMap<string, CompiledSchema>;
  readonly additionalProperties: CompiledSchema | boolean | undefined;
  readonly items: CompiledSchema | undefined;
  readonly hasCombinations: boolean;
  readonly anyOf: readonly CompiledSchema[];
  readonly oneOf: readonly CompiledSchema[];
  readonly allOf: readonly CompiledSchema[];
  readonly not: CompiledSchema | undefined;
}

type Known = Map<Schema, CompiledSchema>;

/** Schemas may be cycles, and then so is what is made of them. */
export function compileSchema(schema: Schema, known: Known = new Map()): CompiledSchema {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const compiled = { ...keywordsOf(schema), ...withoutParts };
  known.set(schema, compiled);
  return Object.assign(compiled, partsOf(schema, known));
}

const withoutParts = {
  properties: new Map<string, CompiledSchema>(),
  additionalProperties: undefined,
  items: undefined,
  anyOf: [],
  oneOf: [],
  allOf: [],
  not: undefined,
};

function partsOf(schema: Schema, known: Known): Pick<CompiledSchema, keyof typeof withoutParts> {
  const { properties, additionalProperties, items, not } = schema;
  const compiled = (part: Schema): CompiledSchema => compileSchema(part, known);
  const fields = Object.entries(properties ?? {}).map(
    ([name, it]) => [name, compiled(it)] as const,
  );
  return {
    properties: new Map(fields),
    additionalProperties:
      typeof additionalProperties === 'object'
        ? compiled(additionalProperties)
        : additionalProperties,
    items: items && compiled(items),
    anyOf: (schema.anyOf ?? []).map(compiled),
    oneOf: (schema.oneOf ?? []).map(compiled),
    allOf: (schema.allOf ?? []).map(compiled),
    not: not && compiled(not),
  };
}

function keywordsOf(schema: Schema): Omit<CompiledSchema, keyof typeof withoutParts> {
  const { type, pattern = '', minimum, maximum, multipleOf } = schema;
  const isIntOrString = schema['x-kubernetes-int-or-string'] === true;
  const format = isIntOrString ? undefined : checkedFormat(schema);
  const isText = type === undefined || type === 'string';
  return {
    source: schema,
    type,
    isIntOrString,
    types: isIntOrString ? 'integer,string' : type,
    isNullable: schema.nullable === true,
    format,
    isOfFormat: isText && format !== undefined ? formatCheck(format) : undefined,
    enum: schema.enum,
    pattern: pattern === '' ? undefined : compilePattern(pattern),
    minLength: schema.minLength ?? 0,
    maxLength: schema.maxLength ?? Infinity,
    hasBounds: (minimum ?? maximum ?? multipleOf) !== undefined,
    minItems: schema.minItems ?? 0,
    maxItems: schema.maxItems ?? Infinity,
    hasUniqueItems: schema.uniqueItems === true,
    minProperties: schema.minProperties ?? 0,
    maxProperties: schema.maxProperties ?? Infinity,
    required: schema.required ?? [],
    hasCombinations: (schema.anyOf ?? schema.oneOf ?? schema.allOf ?? schema.not) !== undefined,
  };
}

const numberFormats: Readonly<Record<string, readonly string[]>> = {
  integer: ['int32', 'int64'],
  number: ['float', 'double'],
};

function checkedFormat({ type, format = '' }: Schema): string | undefined {
  if (format === '') return undefined;
  if (type === undefined || type === 'string') {
    return formatCheck(format) === undefined ? undefined : format;
  }
  return numberFormats[type]?.includes(format) === true ? format : undefined;
}
