/** How values that are no objects are read: what Go takes for a number, a time, a quantity. */
import type { Json } from '../../api/kubernetes.ts';
import { isList } from './defaulting.ts';
import { canonicalQuantity } from './quantity.ts';
import type { Definition } from './schemas.ts';

export interface Decoder {
  /** What Go calls the type. */
  readonly type: string;
  /** Throws `Mismatch` or `Unreadable`. Answers the same value where nothing is to be changed. */
  readonly decode: (value: Json) => Json;
  /** What a null in a list of them is. */
  readonly zero: () => Json;
}

/** A value of the wrong type, with the way that leads to it. */
export class Mismatch extends Error {
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

/** Text that does not say what it should. */
export class Unreadable extends Error {}

export function typeName(value: Json): string {
  if (isList(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

export const anything: Decoder = {
  type: 'interface {}',
  decode: (value) => value,
  zero: () => null,
};

const plain = (name: 'string' | 'boolean' | 'number', type: string, zero: Json): Decoder => ({
  type,
  zero: () => zero,
  decode: (value) => {
    if (typeof value !== name) throw new Mismatch(typeName(value), type);
    return value;
  },
});

const string = plain('string', 'string', '');
const boolean = plain('boolean', 'bool', false);
const float = plain('number', 'float64', 0);

const int32Max = 2 ** 31 - 1;

const integer = (type: 'int32' | 'int64'): Decoder => ({
  type,
  zero: () => 0,
  decode: (value) => {
    if (typeof value !== 'number') throw new Mismatch(typeName(value), type);
    const isInRange = type === 'int64' || (value <= int32Max && value >= -int32Max - 1);
    if (!Number.isInteger(value) || !isInRange) throw new Mismatch(`number ${value}`, type);
    return value;
  },
});

const int32 = integer('int32');
const int64 = integer('int64');

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?/;

const bytes: Decoder = {
  type: '[]uint8',
  zero: () => '',
  decode: (value) => {
    if (typeof value !== 'string') throw new Mismatch(typeName(value), '[]uint8');
    const text = value.replaceAll(/[\r\n]/g, '');
    if (base64.exec(text)?.[0] === text) return text;
    const wrong = text.search(/[^A-Za-z0-9+/]/);
    // Of a group of four that is not whole, Go names the beginning.
    const place = wrong === -1 ? text.length - (text.length % 4) : wrong;
    throw new Unreadable(`illegal base64 data at input byte ${place}`);
  },
};

const byType: Readonly<Record<string, Decoder>> = { string, boolean, number: float };

export function scalarOf({ type, format }: Definition): Decoder {
  if (type === 'string' && format === 'byte') return bytes;
  if (type === 'integer') return format === 'int32' ? int32 : int64;
  return byType[type ?? ''] ?? anything;
}

const intOrString: Decoder = {
  type: 'intstr.IntOrString',
  zero: () => 0,
  decode: (value) => {
    return typeof value === 'string' ? value : int32.decode(value);
  },
};

const quantity: Decoder = {
  type: 'resource.Quantity',
  zero: () => '0',
  decode: (value) => {
    const text = typeof value === 'number' ? String(value) : value;
    const canonical = typeof text === 'string' ? canonicalQuantity(text) : undefined;
    if (canonical !== undefined) return canonical;
    throw new Unreadable(
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    );
  },
};

const dateAndTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?<fraction>\.\d+)?(?<zone>Z|[+-]\d\d:\d\d)$/;

/** RFC 3339, kept in UTC: whole seconds, or six decimals, which then have to be there. */
const time = (type: string, hasMicros: boolean): Decoder => ({
  type,
  zero: () => null,
  decode: (value) => {
    if (typeof value !== 'string') throw new Mismatch(typeName(value), 'string');
    const layout = `"2006-01-02T15:04:05${hasMicros ? '.000000' : ''}Z07:00"`;
    const groups = dateAndTime.exec(value)?.groups;
    const ms = Date.parse(value);
    if (groups === undefined || Number.isNaN(ms)) {
      const text = JSON.stringify(value);
      throw new Unreadable(`parsing time ${text} as ${layout}: cannot parse ${text} as "2006"`);
    }
    const seconds = new Date(ms).toISOString().slice(0, 19);
    if (!hasMicros) return `${seconds}Z`;
    const { fraction = '', zone = '' } = groups;
    if (fraction.length === '.000000'.length) return `${seconds}${fraction}Z`;
    throw new Unreadable(
      `parsing time ${JSON.stringify(value)} as ${layout}: cannot parse ${JSON.stringify(fraction + zone)} as ".000000"`,
    );
  },
});

/** Types that JSON has not, by their definitions. */
export const scalars: Readonly<Record<string, Decoder>> = {
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': intOrString,
  'io.k8s.apimachinery.pkg.api.resource.Quantity': quantity,
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': time('v1.Time', false),
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': time('v1.MicroTime', true),
};
