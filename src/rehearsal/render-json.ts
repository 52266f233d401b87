/** Rehearsals for machines: one JSON document, whose fields keep their names and meanings. */
import type { Rehearsal } from './timeline.ts';

/** Counts up when a field changes its meaning or goes. */
const formatVersion = 1;

export function renderJson(rehearsals: readonly Rehearsal[]): string {
  const document = { formatVersion, rehearsals: rehearsals.map(documented) };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** Requests are counted as fractions; nobody wants to see them. */
function documented({ requests, ...rest }: Rehearsal) {
  const counts = Object.entries(requests).map(([name, count]) => [name, Math.round(count)]);
  return { ...rest, requests: Object.fromEntries(counts) as Rehearsal['requests'] };
}
