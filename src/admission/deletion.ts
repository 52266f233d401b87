/** What becomes of the application when a Canary goes: said to who deletes it, dry runs included. */
import type { Canary } from '../api/canary.ts';
import { displayName } from '../api/defaults.ts';
import { isKnativeReference } from '../api/knative.ts';
import { isTakenOver } from './mutate.ts';

export function warnOfDeletion(canary: Canary): readonly string[] {
  const { metadata, spec } = canary;
  // Nobody is told twice of a deletion that waits for its end.
  if (!isTakenOver(canary) || metadata.deletionTimestamp !== undefined) return [];
  const said = spec.revertOnDeletion === true ? undone(canary) : left(canary);
  return [`canary ${displayName(canary)}: ${said}`];
}

/** Kinds whose targets have no pods while the primary serves. */
const emptied = new Set(['Deployment', 'DaemonSet']);

const made = 'the primary, Services and routes that were made for it';

function undone(canary: Canary): string {
  const { kind, name } = canary.spec.targetRef;
  if (isKnativeReference(canary.spec.targetRef))
    return `traffic of ${kind} ${name} will follow its latest revision`;
  return `${kind} ${name} takes its traffic back, and then ${made} go`;
}

function left(canary: Canary): string {
  const { kind, name } = canary.spec.targetRef;
  if (isKnativeReference(canary.spec.targetRef)) {
    return `traffic of ${kind} ${name} stays where it is; with spec.revertOnDeletion it would follow the latest revision`;
  }
  const advice = 'with spec.revertOnDeletion it would take its traffic back first';
  const emptiness = emptied.has(kind)
    ? `${kind} ${name} stays without pods`
    : `${kind} ${name} stays`;
  return `${made} go, and ${emptiness}; ${advice}`;
}
