/** Conditions of requests, as `service.match` and `analysis.match` write them, put together. */
import type { Canary, HttpMatch, StringMatch } from '../api/canary.ts';

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

/**
 * One value as it is, or as an expression that matches whole values (RE2): for whoever knows no
 * beginnings and no ends.
 */
export function exactOrWhole({
  exact,
  prefix,
  suffix,
  regex = '',
}: StringMatch & { readonly suffix?: string }):
  { readonly exact: string } | { readonly regex: string } {
  if (exact !== undefined) return { exact };
  if (prefix !== undefined) return { regex: `${escaped(prefix)}.*` };
  if (suffix !== undefined) return { regex: `.*${escaped(suffix)}` };
  return { regex };
}

const escaped = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);

/** By name, so that equal input gives equal output. */
export const sorted = (
  map: Readonly<Record<string, StringMatch>> = {},
): readonly (readonly [string, StringMatch])[] =>
  Object.entries(map).toSorted(([one], [other]) => (one < other ? -1 : 1));

/** Where requests come from is known to a mesh only. */
export function sourceProblem({ spec }: Canary, kind: string): string | undefined {
  const { match = [] } = spec.analysis ?? {};
  const at = match.findIndex(({ sourceLabels }) => sourceLabels !== undefined);
  if (at < 0) return undefined;
  return `spec.analysis.match[${at}].sourceLabels: ${kind} does not know where requests come from, use headers`;
}

function merged(left: object | undefined, right: object | undefined, key: string): object {
  return left === undefined && right === undefined ? {} : { [key]: { ...left, ...right } };
}
