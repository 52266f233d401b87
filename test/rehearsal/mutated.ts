/** A document in which one value is another one than it should be. */
import * as fc from 'fast-check';

type Path = readonly (string | number)[];

function* pathsIn(value: unknown, path: Path = []): Iterable<Path> {
  if (path.length > 0) yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, each] of Object.entries(value)) yield* pathsIn(each, [...path, key]);
}

function changed(value: unknown, [key, ...rest]: Path, to: unknown): unknown {
  if (key === undefined) return to;
  if (Array.isArray(value)) return value.with(Number(key), changed(value[Number(key)], rest, to));
  const fields = value as Readonly<Record<string, unknown>>;
  return { ...fields, [key]: changed(fields[key], rest, to) };
}

export function mutated(document: unknown): fc.Arbitrary<unknown> {
  const odd = fc.constantFrom(null, -1, 0, 1e20, 'x', '', '1h', true, [], {}, [null], { a: 1 });
  return fc
    .tuple(fc.constantFrom(...pathsIn(document)), fc.oneof(odd, fc.jsonValue()))
    .map(([path, value]) => changed(document, path, value));
}
