/**
 * The functions that every query template may call: those of Go's text/template, but for `call` and
 * `js`, which a query has no use for.
 */
import { formatAll } from './template-printf.ts';
import { append, compareBytes, isTrue, refuse, show, typeOf } from './template-values.ts';
import type { Value } from './template-values.ts';

export interface TemplateFunction {
  readonly argumentsMin: number;
  /** Absent: any number. */
  readonly argumentsMax?: number;
  /** Whether the first argument must be a string. */
  readonly takesFormat?: boolean;
  readonly call: (args: readonly Value[]) => Value;
}

/** Spaces between operands when neither is a string. */
function print(args: readonly Value[]): string {
  return args.reduce<string>((text, value, index) => {
    const spaced = index > 0 && typeof value !== 'string' && typeof args[index - 1] !== 'string';
    return append(text, `${spaced ? ' ' : ''}${show(value)}`);
  }, '');
}

function println(args: readonly Value[]): string {
  const words = args.reduce<string>(
    (text, value, position) => append(text, `${position > 0 ? ' ' : ''}${show(value)}`),
    '',
  );
  return append(words, '\n');
}

function index([item, ...keys]: readonly Value[]): Value {
  return keys.reduce<Value>((value, key) => {
    if (value === undefined) return refuse('index of untyped nil');
    if (typeof value === 'object') {
      if (typeof key !== 'string') return refuse(`value has type ${typeOf(key)}; should be string`);
      return Object.hasOwn(value, key) ? value[key] : '';
    }
    if (typeof value !== 'string') return refuse(`can't index item of type ${typeOf(value)}`);
    const bytes = Buffer.from(value);
    return BigInt(bytes[positionOf(key, bytes.length - 1)] ?? 0);
  }, item);
}

function positionOf(position: Value, max: number): number {
  if (typeof position !== 'bigint') {
    return refuse(`cannot index slice/array with type ${typeOf(position)}`);
  }
  if (position < 0n || position > BigInt(max)) return refuse(`index out of range: ${position}`);
  return Number(position);
}

function slice([item, ...positions]: readonly Value[]): Value {
  if (typeof item !== 'string') return refuse(`can't slice item of type ${typeOf(item)}`);
  if (positions.length > 2) return refuse('cannot 3-index slice a string');
  const bytes = Buffer.from(item);
  const [from = 0, to = bytes.length] = positions.map((at) => positionOf(at, bytes.length));
  if (from > to) return refuse(`invalid slice index: ${from} > ${to}`);
  return bytes.subarray(from, to).toString('utf8');
}

function length([value]: readonly Value[]): Value {
  if (value === undefined) return refuse('len of nil pointer');
  if (typeof value === 'string') return BigInt(Buffer.byteLength(value));
  if (typeof value === 'object') return BigInt(Object.keys(value).length);
  return refuse(`len of type ${typeOf(value)}`);
}

function isEqual(left: Value, right: Value): boolean {
  if (left === undefined || right === undefined) return left === right;
  if (typeof left !== typeof right) {
    const types = `${typeOf(left)} and ${typeOf(right)}`;
    return refuse(`incompatible types for comparison: ${types}`);
  }
  if (typeof left === 'object') {
    return refuse(`non-comparable type ${show(right)}: ${typeOf(right)}`);
  }
  return left === right;
}

function isAnyEqual([first, ...others]: readonly Value[]): boolean {
  if (others.length === 0) refuse('missing argument for comparison');
  return others.some((other) => isEqual(first, other));
}

/** Below 0 where the left one is less. */
function compare([left, right]: readonly Value[]): number {
  const isOrdered = (value: Value): boolean =>
    typeof value === 'string' || typeof value === 'bigint' || typeof value === 'number';
  if (!isOrdered(left) || !isOrdered(right)) return refuse('invalid type for comparison');
  if (typeof left === 'string' && typeof right === 'string') return compareBytes(left, right);
  if (typeof left === 'bigint' && typeof right === 'bigint') {
    return left < right ? -1 : left > right ? 1 : 0;
  }
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  return refuse(`incompatible types for comparison: ${typeOf(left)} and ${typeOf(right)}`);
}

const entities: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
};

const escapeHtml = (text: string): string =>
  text.replaceAll(/["'&<>]/g, (character) => entities[character] ?? character);

/** Go's QueryEscape: all but letters, digits and `-_.~`; a space is a plus. */
const escapeQuery = (text: string): string =>
  encodeURIComponent(text.toWellFormed())
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');

const bounded = (text: string): string => append('', text);

/** `and` and `or` are not among them: they leave the arguments after the decisive one alone. */
export const templateFunctions: ReadonlyMap<string, TemplateFunction> = new Map<
  string,
  TemplateFunction
>([
  [
    'printf',
    {
      argumentsMin: 1,
      takesFormat: true,
      call: ([format, ...args]) => formatAll(show(format), args),
    },
  ],
  ['print', { argumentsMin: 0, call: print }],
  ['println', { argumentsMin: 0, call: println }],
  ['index', { argumentsMin: 1, call: index }],
  ['slice', { argumentsMin: 1, call: slice }],
  ['len', { argumentsMin: 1, argumentsMax: 1, call: length }],
  ['not', { argumentsMin: 1, argumentsMax: 1, call: ([value]) => !isTrue(value) }],
  ['eq', { argumentsMin: 1, call: isAnyEqual }],
  ['ne', { argumentsMin: 2, argumentsMax: 2, call: ([left, right]) => !isEqual(left, right) }],
  ['lt', { argumentsMin: 2, argumentsMax: 2, call: (args) => compare(args) < 0 }],
  ['le', { argumentsMin: 2, argumentsMax: 2, call: (args) => compare(args) <= 0 }],
  ['gt', { argumentsMin: 2, argumentsMax: 2, call: (args) => compare(args) > 0 }],
  ['ge', { argumentsMin: 2, argumentsMax: 2, call: (args) => compare(args) >= 0 }],
  ['html', { argumentsMin: 0, call: (args) => bounded(escapeHtml(print(args))) }],
  ['urlquery', { argumentsMin: 0, call: (args) => bounded(escapeQuery(print(args))) }],
]);
