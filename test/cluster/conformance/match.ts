/** Looking into answers whose shape is what is being tested. */
import assert from 'node:assert/strict';

/** What is at a dotted path (`items.0.metadata.name`), or undefined. */
export function at(value: unknown, path: string): unknown {
  let found: unknown = value;
  for (const step of path.split('.')) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[step];
  }
  return found;
}

/** Text or a number, as text; empty for anything else. */
export function textAt(value: unknown, path: string): string {
  const found = at(value, path);
  return typeof found === 'string' || typeof found === 'number' ? String(found) : '';
}

/** The items of a list, or an empty one. */
export const itemsOf = (value: unknown): readonly unknown[] =>
  (at(value, 'items') as readonly unknown[] | undefined) ?? [];

export const namesOf = (list: unknown): readonly string[] =>
  itemsOf(list).map((item) => textAt(item, 'metadata.name'));

/** Fails unless `found` has all that is expected. Arrays must be of the same length. */
export function assertLike(found: unknown, expected: unknown, message?: string): void {
  assert.deepEqual(cut(found, expected), expected, message);
}

/** The part of `found` about which `expected` says something. */
function cut(found: unknown, expected: unknown): unknown {
  if (Array.isArray(found) && Array.isArray(expected)) {
    return found.map((item, index) => cut(item, expected[index]));
  }
  if (!isRecord(found) || !isRecord(expected)) return found;
  return Object.fromEntries(
    Object.keys(expected)
      .filter((key) => key in found || expected[key] === undefined)
      .map((key) => [key, cut(found[key], expected[key])]),
  );
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
