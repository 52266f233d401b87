/**
 * What the API server keeps of a document. It reads JSON into Go types and writes them out again:
 * fields that hold nothing vanish or appear, quantities are written in one way, and what is of the
 * wrong type is refused. By kind and field that is in `openapi.json` and `zero-values.json`.
 */
import type { Json } from '../../api/kubernetes.ts';
import { badRequest } from '../status-error.ts';
import type { Rule } from './defaulting.ts';
import { isJsonObject, isList } from './defaulting.ts';
import type { Decoder } from './decode-scalars.ts';
import { anything, Mismatch, scalarOf, scalars, typeName, Unreadable } from './decode-scalars.ts';
import type { Definition } from './schemas.ts';
import { definitionOf, referenceOf } from './schemas.ts';
import zeroValues from './zero-values.json' with { type: 'json' };

/** `drop` what is empty; `keep` an empty value, or `null`, where there is nothing. */
type ZeroRule = 'drop' | 'keep' | 'null';

interface Field {
  readonly decoder: Decoder;
  readonly zero: ZeroRule | undefined;
  /** What is written where there is nothing; undefined where nothing is written. */
  readonly absent: Json | undefined;
}

const zeroRules = zeroValues as unknown as Readonly<
  Record<string, Readonly<Record<string, ZeroRule>>>
>;

/** What the document is, for the words in which it is refused. */
export interface Subject {
  readonly kind: string;
  readonly version: string;
  /** Where in the document the definition stands. */
  readonly path: readonly string[];
}

export interface Decoders {
  /** Of a field of a definition. It throws a `StatusError` (400) where something is wrong in it. */
  ruleOf(definition: string, field: string, subject: Subject): Rule;
}

export function createDecoders(): Decoders {
  const structs = new Map<string, Decoder>();

  const decoderOf = (definition: Definition): Decoder => {
    const name = referenceOf(definition);
    if (name !== undefined) return scalars[name] ?? structOf(name);
    const { type, items, additionalProperties } = definition;
    if (type === 'array') return listOf(items === undefined ? anything : decoderOf(items));
    if (type !== 'object') return scalarOf(definition);
    return additionalProperties === undefined ? anything : mapOf(decoderOf(additionalProperties));
  };

  /** Its fields are looked up when they are needed, since some kinds contain themselves. */
  const structOf = (name: string): Decoder => {
    const known = structs.get(name);
    if (known !== undefined) return known;
    const definition = definitionOf(name);
    const { properties } = definition;
    if (properties === undefined) return decoderOf(definition);
    let fields: ReadonlyMap<string, Field> | undefined;
    const decoder = struct(name, () => {
      fields ??= new Map(
        Object.entries(properties).map(([field, it]) => [field, fieldOf(name, field, it)]),
      );
      return fields;
    });
    structs.set(name, decoder);
    return decoder;
  };

  const fieldOf = (struct: string, name: string, definition: Definition): Field => {
    const zero = zeroRules[struct]?.[name];
    const decoder = decoderOf(definition);
    return { decoder, zero, absent: absentOf(zero, decoder) };
  };

  return {
    ruleOf: (name, field, subject) => {
      const property = definitionOf(name).properties?.[field];
      if (property === undefined) throw new Error(`${name} has no field ${field}`);
      const struct = shortName(name);
      const found = fieldOf(name, field, property);
      return (value) => {
        if (value === undefined || value === null) return found.absent;
        try {
          return within(struct, field, found, value);
        } catch (error) {
          throw refusal(subject, error);
        }
      };
    },
  };
}

const shortName = (definition: string): string => definition.split('.').at(-1) ?? '';

/** In the words of Go: the field by its struct, and by the way that leads to it. */
function refusal({ kind, version, path }: Subject, error: unknown): unknown {
  const prefix = `${kind} in version "${version}" cannot be handled as a ${kind}`;
  if (error instanceof Unreadable) return badRequest(`${prefix}: ${error.message}`);
  if (!(error instanceof Mismatch)) return error;
  const { struct, found, wanted } = error;
  const place = [struct, ...path, ...error.path].join('.');
  return badRequest(
    `${prefix}: json: cannot unmarshal ${found} into Go struct field ${place} of type ${wanted}`,
  );
}

function struct(definition: string, fieldsOf: () => ReadonlyMap<string, Field>): Decoder {
  const type = definition.split('.').slice(-2).join('.');
  const name = shortName(definition);
  let appearing: readonly (readonly [string, Json])[] | undefined;
  const decode = (value: Json): Json => {
    if (!isJsonObject(value)) throw new Mismatch(typeName(value), type);
    const fields = fieldsOf();
    appearing ??= [...fields].flatMap(([field, { absent }]) =>
      absent === undefined ? [] : [[field, absent] as const],
    );
    let changed: Record<string, Json> | undefined;
    for (const key in value) {
      const before = value[key];
      const field = fields.get(key);
      if (field === undefined || before === undefined) continue;
      const after = before === null ? undefined : within(name, key, field, before);
      if (after === before) continue;
      changed ??= { ...value };
      if (after === undefined) delete changed[key];
      else changed[key] = after;
    }
    for (const [field, absent] of appearing) {
      if ((changed ?? value)[field] !== undefined) continue;
      changed ??= { ...value };
      changed[field] = absent;
    }
    return changed ?? value;
  };
  return { type, decode, zero: () => decode({}) };
}

function within(struct: string, key: string, field: Field, value: Json): Json | undefined {
  try {
    const kept = field.decoder.decode(value);
    if (field.zero === undefined || field.zero === 'keep' || !isEmpty(kept)) return kept;
    if (field.zero === 'drop') return undefined;
    // Lists and maps: what is stored of an empty one is nothing. A pointer points at something.
    return /^(?:\[\]|map\[)/.test(field.decoder.type) ? null : kept;
  } catch (error) {
    if (error instanceof Mismatch) {
      error.path.unshift(key);
      if (error.struct === '') error.struct = struct;
    }
    throw error;
  }
}

function absentOf(zero: ZeroRule | undefined, decoder: Decoder): Json | undefined {
  if (zero === undefined || zero === 'drop') return undefined;
  return zero === 'null' ? null : decoder.zero();
}

/** Nothing, in the eyes of `omitempty` (and of `omitzero`, for a struct). */
function isEmpty(value: Json): boolean {
  if (typeof value !== 'object') return value === '' || value === 0 || value === false;
  if (value === null) return true;
  if (isList(value)) return value.length === 0;
  for (const _ in value) return false;
  return true;
}

function listOf({ type, decode, zero }: Decoder): Decoder {
  const list = `[]${type}`;
  return {
    type: list,
    zero: () => null,
    decode: (value) => {
      if (!isList(value)) throw new Mismatch(typeName(value), list);
      const items = value.map((item) => (item === null ? zero() : decode(item)));
      return items.every((item, index) => item === value[index]) ? value : items;
    },
  };
}

function mapOf({ type, decode, zero }: Decoder): Decoder {
  const map = `map[string]${type}`;
  return {
    type: map,
    zero: () => null,
    decode: (value) => {
      if (!isJsonObject(value)) throw new Mismatch(typeName(value), map);
      let changed: Record<string, Json> | undefined;
      for (const key in value) {
        const before = value[key] ?? null;
        const after = before === null ? zero() : decode(before);
        if (after === before) continue;
        changed ??= { ...value };
        changed[key] = after;
      }
      return changed ?? value;
    },
  };
}
