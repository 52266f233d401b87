/**
 * Whether a canary that another one depends on is done: at rest, on its latest revision, and about
 * to begin nothing. One that failed is not done: what builds on its new revision would meet the old.
 */
import type { Canary, Phase } from '../api/canary.ts';
import type { NamespacedName } from '../api/kubernetes.ts';
import type { Change } from './observation.ts';
import { statusOf } from './status.ts';

export interface DependencyView {
  readonly key: NamespacedName;
  /** Absent where there is none. */
  readonly canary?: Canary;
  /** How its target differs from what it has acted on; undefined where that is not known yet. */
  readonly change?: Change;
}

const resting: readonly Phase[] = ['Initialized', 'Succeeded', 'Failed'];

/** Why it is not done, as people read it; undefined where it is. */
export function pendingReason({ key, canary, change }: DependencyView): string | undefined {
  const shown = `canary ${key.name}.${key.namespace}, which it depends on,`;
  if (canary === undefined) return `${shown} is not there`;
  const { phase, lastAppliedSpec, lastPromotedSpec } = statusOf(canary);
  const isLeaving = canary.metadata.deletionTimestamp !== undefined;
  if (isLeaving || phase === 'Terminating' || phase === 'Terminated') {
    return `${shown} is being deleted`;
  }
  if (phase === '' || phase === 'Initializing') return `${shown} is being initialized`;
  // What is suspended begins nothing.
  const isAboutTo = change === undefined || change === 'Changed';
  const begins = isAboutTo && canary.spec.suspend !== true;
  if (!resting.includes(phase) || begins) return `${shown} is in the middle of a rollout`;
  const isBehind = phase === 'Failed' && lastAppliedSpec !== lastPromotedSpec;
  return isBehind ? `${shown} failed on its latest revision` : undefined;
}
