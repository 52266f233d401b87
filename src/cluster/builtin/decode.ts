/**
 * What the API server keeps of a document. It reads JSON into Go types and writes them out again:
 * fields that hold nothing vanish or appear, quantities are written in one way, and what is of the
 * wrong type is refused. By kind and field that is in `openapi.json` and `zero-values.json`.
 */
import type { Json } from '../../api/kubernetes.ts';
import type { Rule } from './defaulting.ts';
import { isJsonObject, isList } from './defaulting.ts';
import { canonicalQuantity } from './quantity.ts';
import type { Definition } from './schemas.ts';
import { definitionOf, referenceOf } from './schemas.ts';
import { badRequest } from '../status-error.ts';
import zeroValues from './zero-values.json' with { type: 'json' };

/** Throws a `Mismatch` where the value is of the wrong type. */
type Decode = (value: Json) => Json;

type ZeroRule = 'drop' | 'keep' | 'null';

interface Field {
  readonly decode: Decode;
  readonly zero: ZeroRule | undefined;
  /** What is written where there is nothing; undefined where nothing is written. */
  readonly absent: Json | undefined;
}

const zeroRules = zeroValues as unknown as Readonly<
  Record<string, Readonly<Record<string, ZeroRule>>>
>;

/** A value of the wrong type, with the way that leads to it. */
class Mismatch extends Error {
  readonly path: string[] = [];
  /** The Go type that has the field. */
  struct = '';
  readonly found: string;
  readonly wanted: string;

  constructor(found: string, wanted: string) {
    super();
    this.found = found;
    this.wanted = wanted;
  }
}

export interface Decoders {
  /**
   * Of a field of a kind (`spec`), as a rule; objects are not looked at twice. It throws a
   * `StatusError` (400) where something is of the wrong type.
   */
  ruleOf(definition: string, field: string): Rule;
}

export function createDecoders(): Decoders {
  const structs = new Map<string, Decode>();

  const decodeOf = (definition: Definition): Decode => {
    const name = referenceOf(definition);
    if (name !== undefined) return scalars[name] ?? structOf(name);
    const { type } = definition;
    if (type === undefined) return asIs;
    switch (type) {
      case 'array': {
        const { items } = definition;
        return listOf(items === undefined ? asIs : decodeOf(items));
      }
      case 'object': {
        const { additionalProperties } = definition;
        return additionalProperties === undefined ? asIs : mapOf(decodeOf(additionalProperties));
      }
      case 'string':
        return definition.format === 'byte' ? bytes : string;
      case 'integer':
        return integer(definition.format ?? 'int64');
      case 'number':
        return number;
      case 'boolean':
        return boolean;
    }
  };

  /** Looked up when it is needed, since some kinds contain themselves. */
  const structOf = (name: string): Decode => {
    let decode = structs.get(name);
    return (value) => {
      decode ??= structs.get(name) ?? build(name);
      return decode(value);
    };
  };

  const fieldOf = (struct: string, name: string, definition: Definition): Field => {
    const zero = zeroRules[struct]?.[name];
    const decode = decodeOf(definition);
    return { decode, zero, absent: absentOf(zero, definition, decode) };
  };

  const build = (name: string): Decode => {
    const definition = definitionOf(name);
    const { properties } = definition;
    if (properties === undefined) return decodeOf(definition);
    let fields: ReadonlyMap<string, Field> | undefined;
    const decode = struct(name.split('.').at(-1) ?? '', () => {
      fields ??= new Map(
        Object.entries(properties).map(([field, it]) => [field, fieldOf(name, field, it)]),
      );
      return fields;
    });
    structs.set(name, decode);
    return decode;
  };

  return {
    ruleOf: (definition, field) => {
      const property = definitionOf(definition).properties?.[field];
      if (property === undefined) throw new Error(`${definition} has no field ${field}`);
      const kind = definition.split('.').at(-1) ?? '';
      const { decode, zero, absent } = fieldOf(definition, field, property);
      return (value) => {
        if (value === undefined || value === null) return absent;
        const kept = refusing(kind, field, decode, value);
        return zero === 'drop' && isEmpty(kept) ? undefined : kept;
      };
    },
  };
}

/** As in Go, where the kind is known by then and its name stands for the struct. */
function refusing(kind: string, field: string, decode: Decode, value: Json): Json {
  try {
    return decode(value);
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    const { path, struct, found, wanted } = error;
    const place = [struct === '' ? kind : struct, field, ...path].join('.');
    throw badRequest(
      `${kind} in version "v1" cannot be handled as a ${kind}: json: cannot unmarshal ${found} into Go struct field ${place} of type ${wanted}`,
    );
  }
}

function struct(name: string, fieldsOf: () => ReadonlyMap<string, Field>): Decode {
  let appearing: readonly (readonly [string, Json])[] | undefined;
  return (value) => {
    if (!isJsonObject(value)) throw new Mismatch(typeName(value), `v1.${name}`);
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
}

function within(struct: string, key: string, field: Field, value: Json): Json | undefined {
  try {
    const kept = field.decode(value);
    return field.zero === 'drop' && isEmpty(kept) ? undefined : kept;
  } catch (error) {
    if (error instanceof Mismatch) {
      error.path.unshift(key);
      if (error.struct === '') error.struct = struct;
    }
    throw error;
  }
}

function absentOf(
  zero: ZeroRule | undefined,
  definition: Definition,
  decode: Decode,
): Json | undefined {
  if (zero === undefined || zero === 'drop') return undefined;
  if (zero === 'null') return null;
  const name = referenceOf(definition);
  if (name !== undefined) return zeroScalars[name] ?? decode({});
  const { type } = definition;
  if (type === undefined) return undefined;
  switch (type) {
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    case 'string':
      return '';
    case 'array':
    case 'object':
      return undefined;
  }
}

/** Nothing, in the eyes of `omitempty` (and of `omitzero`, for a struct). */
function isEmpty(value: Json): boolean {
  if (typeof value !== 'object') return value === '' || value === 0 || value === false;
  if (value === null) return true;
  if (isList(value)) return value.length === 0;
  for (const _ in value) return false;
  return true;
}

function typeName(value: Json): string {
  if (isList(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

const asIs: Decode = (value) => value;

const string: Decode = (value) => {
  if (typeof value !== 'string') throw new Mismatch(typeName(value), 'string');
  return value;
};

const boolean: Decode = (value) => {
  if (typeof value !== 'boolean') throw new Mismatch(typeName(value), 'bool');
  return value;
};

const number: Decode = (value) => {
  if (typeof value !== 'number') throw new Mismatch(typeName(value), 'float64');
  return value;
};

const int32Max = 2 ** 31 - 1;

const integer = (format: string): Decode => {
  const isInRange = (value: number): boolean =>
    format !== 'int32' || (value <= int32Max && value >= -int32Max - 1);
  return (value) => {
    if (typeof value !== 'number') throw new Mismatch(typeName(value), format);
    if (!Number.isInteger(value) || !isInRange(value)) {
      throw new Mismatch(`number ${value}`, format);
    }
    return value;
  };
};

const bytes: Decode = (value) => {
  if (typeof value !== 'string') throw new Mismatch(typeName(value), '[]uint8');
  const text = value.replaceAll(/[\r\n]/g, '');
  const wrong = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?/.exec(text);
  const length = wrong?.[0].length ?? 0;
  if (length !== text.length) throw badRequest(`illegal base64 data at input byte ${length}`);
  return text;
};

const listOf =
  (decode: Decode): Decode =>
  (value) => {
    if (!isList(value)) throw new Mismatch(typeName(value), '[]');
    const items = value.map((item) => (item === null ? item : decode(item)));
    return items.every((item, index) => item === value[index]) ? value : items;
  };

const mapOf =
  (decode: Decode): Decode =>
  (value) => {
    if (!isJsonObject(value)) throw new Mismatch(typeName(value), 'map[string]');
    let changed: Record<string, Json> | undefined;
    for (const key in value) {
      const before = value[key] ?? null;
      const after = before === null ? '' : decode(before);
      if (after === before) continue;
      changed ??= { ...value };
      changed[key] = after;
    }
    return changed ?? value;
  };

const intOrString: Decode = (value) => {
  if (typeof value === 'string' || Number.isInteger(value)) return value;
  throw new Mismatch(typeName(value), 'int32');
};

const quantity: Decode = (value) => {
  const text = typeof value === 'number' ? String(value) : value;
  const canonical = typeof text === 'string' ? canonicalQuantity(text) : undefined;
  if (canonical !== undefined) return canonical;
  throw badRequest(
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  );
};

const time =
  (decimals: number): Decode =>
  (value) => {
    if (typeof value !== 'string') throw new Mismatch(typeName(value), 'string');
    const ms = Date.parse(value);
    if (!/^\d{4}-\d\d-\d\dT/.test(value) || Number.isNaN(ms)) {
      throw badRequest(
        `parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05Z07:00": cannot parse`,
      );
    }
    const seconds = new Date(ms).toISOString().slice(0, 19);
    if (decimals === 0) return `${seconds}Z`;
    const fraction = /\.(\d+)/.exec(value)?.[1] ?? '';
    return `${seconds}.${fraction.padEnd(decimals, '0').slice(0, decimals)}Z`;
  };

const scalars: Readonly<Record<string, Decode>> = {
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': intOrString,
  'io.k8s.apimachinery.pkg.api.resource.Quantity': quantity,
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': time(0),
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': time(6),
};

const zeroScalars: Readonly<Record<string, Json>> = {
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 0,
  'io.k8s.apimachinery.pkg.api.resource.Quantity': '0',
};
