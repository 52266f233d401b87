/** Conditions of requests, as `service.match` and `analysis.match` write them, put together. */
import type { HttpMatch } from '../api/canary.ts';

/**
 * A request matches one of the service's conditions and one of the others at once. Where both name
 * the same header, parameter or label, the other condition counts.
 */
export function product(
  base: readonly HttpMatch[],
  added: readonly HttpMatch[],
): readonly HttpMatch[] {
  if (base.length === 0) return added;
  return base.flatMap((left) =>
    added.map((right) => ({
      ...left,
      ...right,
      ...merged(left.headers, right.headers, 'headers'),
      ...merged(left.queryParams, right.queryParams, 'queryParams'),
      ...merged(left.sourceLabels, right.sourceLabels, 'sourceLabels'),
    })),
  );
}

function merged(left: object | undefined, right: object | undefined, key: string): object {
  return left === undefined && right === undefined ? {} : { [key]: { ...left, ...right } };
}
