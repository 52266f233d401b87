/**
 * Whether a target differs from what its Canary's status remembers (`spec/01`, 3.11 and 3.12).
 *
 * A difference that nobody made is adopted, because a rollout must never start by itself: hashes of
 * another program, and hashes that moved while the target's generation stood still.
 */
import type { CanaryStatus, TrackedTarget } from '../api/canary.ts';
import type { StringMap } from '../api/kubernetes.ts';
import { isForeignHash } from './hash.ts';

export type Change = 'Unchanged' | 'Changed' | 'Reverted' | 'Adopt';

export interface Compared {
  readonly status: CanaryStatus;
  readonly hash: string;
  readonly tracked: TrackedTarget;
  /** Checksums of what the template refers to; undefined where tracking is off. */
  readonly configs: StringMap | undefined;
  /** The reference's hash of the same template. */
  readonly referenceHash: () => string;
  /** Whether the primary runs this template; undefined where there is no primary. */
  readonly primaryAgrees: () => boolean | undefined;
}

export function compareRevision(seen: Compared): Change {
  const { status, hash } = seen;
  const { lastAppliedSpec = '', lastPromotedSpec = '' } = status;
  if (lastAppliedSpec === '') return 'Changed';
  const configsMoved = configsDiffer(status.trackedConfigs, seen.configs);
  if (isForeignHash(lastAppliedSpec)) return compareForeign(seen, configsMoved);
  if (hash === lastAppliedSpec) return configsMoved ? 'Changed' : 'Unchanged';
  if (hash === lastPromotedSpec) return configsMoved ? 'Changed' : 'Reverted';
  const untouched =
    status.trackedTarget?.uid === seen.tracked.uid &&
    status.trackedTarget.generation === seen.tracked.generation;
  return untouched && !configsMoved ? 'Adopt' : 'Changed';
}

/** The status was written by the reference, or by a version of ours with another form of hash. */
function compareForeign(seen: Compared, configsMoved: boolean): Change {
  const { status } = seen;
  if (configsMoved) return 'Changed';
  if (seen.referenceHash() === status.lastAppliedSpec) return 'Adopt';
  // It hashed with another version of the Kubernetes library. A failed revision cannot be told from
  // a new one then; that it was not noticed is the smaller harm than that a rollout starts by itself.
  if (status.phase === 'Failed') return 'Adopt';
  return seen.primaryAgrees() === true ? 'Adopt' : 'Changed';
}

function configsDiffer(stored: StringMap | undefined, live: StringMap | undefined): boolean {
  // Tracking that is switched off or on is no change of anything.
  if (live === undefined) return false;
  if (stored === undefined) return Object.keys(live).length > 0;
  const names = new Set([...Object.keys(stored), ...Object.keys(live)]);
  return [...names].some((name) => stored[name] !== live[name]);
}
