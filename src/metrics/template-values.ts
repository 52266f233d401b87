/** The values that a query template can have, and what Go makes of them. */
import { formatFloat } from '../analysis/numbers.ts';
import type { StringMap } from '../api/kubernetes.ts';

/** Go's int is a bigint here, its float64 a number, and its nil undefined. */
export type Value = string | bigint | number | boolean | StringMap | undefined;

/** A template that cannot be rendered. The text is for its author. */
export class TemplateExecutionError extends Error {}

/** Of the output, and of any text on the way to it. */
export const charactersMax = 100_000;

export function refuse(text: string): never {
  throw new TemplateExecutionError(text);
}

/** Appends, and refuses what grows beyond all use. */
export function append(text: string, more: string): string {
  if (text.length + more.length > charactersMax) refuse(`more than ${charactersMax} characters`);
  return text + more;
}

/** As Go's reflection names the type. */
export function typeOf(value: Value): string {
  if (value === undefined) return '<nil>';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'map[string]string';
}

/** `%v` of a value. */
export function show(value: Value): string {
  if (value === undefined) return '<nil>';
  if (typeof value === 'number') return formatFloat(value);
  if (typeof value !== 'object') return String(value);
  return `map[${entriesOf(value)
    .map(([key, item]) => `${key}:${item}`)
    .join(' ')}]`;
}

/** Sorted by key, as Go prints and ranges over maps. */
export function entriesOf(map: StringMap): readonly (readonly [string, string])[] {
  return Object.entries(map).toSorted(([left], [right]) => compareBytes(left, right));
}

/** The order of Go's strings: that of their bytes. */
export const compareBytes = (left: string, right: string): number =>
  Buffer.compare(Buffer.from(left), Buffer.from(right));

export function isTrue(value: Value): boolean {
  return typeof value === 'object' ? Object.keys(value).length > 0 : Boolean(value);
}
