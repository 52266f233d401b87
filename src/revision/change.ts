/**
 * Whether a target differs from what its Canary's status remembers (`spec/01`, 3.11 and 3.12).
 *
 * A difference that nobody made is adopted, because a rollout must never start by itself: hashes of
 * another program, and hashes that moved while the target's generation stood still. A difference
 * that somebody made is never adopted, or a revision would be lost.
 */
import type { CanaryStatus, TrackedTarget } from '../api/canary.ts';
import type { StringMap } from '../api/kubernetes.ts';
import { isForeignHash, revisionOf } from './hash.ts';

export type Change = 'Unchanged' | 'Changed' | 'Reverted' | 'Adopt';

export interface Compared {
  readonly status: CanaryStatus;
  readonly hash: string;
  readonly tracked: TrackedTarget;
  /** Checksums of what the template refers to; undefined where tracking is off. */
  readonly configs: StringMap | undefined;
  /** The same as the reference computes them (`referenceChecksums`). */
  readonly referenceConfigs: () => StringMap | undefined;
  /** The reference's hash of the same template. */
  readonly referenceHash: () => string;
  /** Whether the primary runs this template; undefined where there is no primary. */
  readonly primaryAgrees: () => boolean | undefined;
  /** `aviary.dev/revision` of the primary; undefined where the reference made it, or nobody. */
  readonly primaryRevision: string | undefined;
}

export function compareRevision(seen: Compared): Change {
  const { status, hash, configs } = seen;
  const { lastAppliedSpec = '' } = status;
  if (lastAppliedSpec === '') return 'Changed';
  if (isForeignHash(lastAppliedSpec)) return compareForeign(seen);

  const configsMoved = configsDiffer(status.trackedConfigs, configs);
  // Configuration that is set back is a change like any other: only the template is remembered
  // from before.
  if (hash === lastAppliedSpec) return configsMoved ? 'Changed' : 'Unchanged';
  if (isPromotedTemplate(seen)) return runsOnPrimary(seen, configsMoved) ? 'Reverted' : 'Changed';
  return isUntouched(seen) && !configsMoved ? 'Adopt' : 'Changed';
}

/** The status was written by the reference, or by a version of ours with another form of hash. */
function compareForeign(seen: Compared): Change {
  const { status, referenceConfigs, referenceHash } = seen;
  if (configsDiffer(status.trackedConfigs, referenceConfigs())) return 'Changed';
  if (isUntouched(seen)) return 'Adopt';
  const reference = referenceHash();
  if (reference === status.lastAppliedSpec) return 'Adopt';
  if (reference === status.lastPromotedSpec) return 'Reverted';
  // It hashed with another version of the Kubernetes library. A failed revision cannot be told from
  // a new one then; that it was not noticed is the smaller harm than that a rollout starts by itself.
  if (status.phase === 'Failed') return 'Adopt';
  return seen.primaryAgrees() === true ? 'Adopt' : 'Changed';
}

/** After a takeover amid a rollout, what was promoted is remembered by the reference's hash. */
function isPromotedTemplate({ status, hash, referenceHash, primaryAgrees }: Compared): boolean {
  const { lastPromotedSpec = '' } = status;
  if (lastPromotedSpec === '') return false;
  if (!isForeignHash(lastPromotedSpec)) return hash === lastPromotedSpec;
  return referenceHash() === lastPromotedSpec || primaryAgrees() === true;
}

/**
 * The template is the promoted one; the configuration may not be. Changed together with the
 * template and not taken back with it, it would be lost if the rollout were only cancelled.
 */
function runsOnPrimary({ hash, configs, primaryRevision }: Compared, moved: boolean): boolean {
  return primaryRevision === undefined ? !moved : primaryRevision === revisionOf(hash, configs);
}

/** Nobody wrote the target since: the API server began to store the same template differently. */
function isUntouched({ status: { trackedTarget }, tracked }: Compared): boolean {
  return trackedTarget?.uid === tracked.uid && trackedTarget.generation === tracked.generation;
}

function configsDiffer(stored: StringMap | undefined, live: StringMap | undefined): boolean {
  // Where tracking is switched off, configuration never changes anything.
  if (live === undefined) return false;
  // It was off when the status was written: what is referred to has not been compared yet.
  if (stored === undefined) return Object.keys(live).length > 0;
  const names = new Set([...Object.keys(stored), ...Object.keys(live)]);
  return [...names].some((name) => stored[name] !== live[name]);
}
