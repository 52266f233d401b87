/**
 * Which canaries target which workload: kept beside the cache, so that neither a look nor an
 * admission review has to search all canaries.
 */
import type { Canary, ObjectReference } from '../api/canary.ts';
import { isKnativeReference } from '../api/knative.ts';

export interface TargetIndex {
  applied(canary: Canary): void;
  deleted(canary: Canary): void;
  /** Canaries of this target, the one that has the say first. */
  of(namespace: string, target: ObjectReference): readonly Canary[];
}

export function createTargetIndex(): TargetIndex {
  const byTarget = new Map<string, Map<string, Canary>>();
  const pathByCanary = new Map<string, string>();

  const deleted = (canary: Canary): void => {
    const name = nameOf(canary);
    const path = pathByCanary.get(name);
    if (path === undefined) return;
    pathByCanary.delete(name);
    const canaries = byTarget.get(path);
    canaries?.delete(name);
    if (canaries?.size === 0) byTarget.delete(path);
  };

  return {
    deleted,
    applied: (canary) => {
      const path = pathOf(canary.metadata.namespace ?? '', canary.spec.targetRef);
      if (pathByCanary.get(nameOf(canary)) !== path) deleted(canary);
      pathByCanary.set(nameOf(canary), path);
      const canaries = byTarget.get(path) ?? new Map<string, Canary>();
      byTarget.set(path, canaries.set(nameOf(canary), canary));
    },
    of: (namespace, target) =>
      [...(byTarget.get(pathOf(namespace, target))?.values() ?? [])].toSorted(bySeniority),
  };
}

const nameOf = ({ metadata }: Canary): string => `${metadata.namespace ?? ''}/${metadata.name}`;

/** Of Services there are two kinds, and one of each may have the same name. */
function pathOf(namespace: string, target: ObjectReference): string {
  const group = isKnativeReference(target) ? 'knative.' : '';
  return `${namespace}/${group}${target.kind}/${target.name}`;
}

/** Of two canaries on one target, the older goes on; those of one second go by name. */
function bySeniority(left: Canary, right: Canary): number {
  const [created, other] = [left, right].map(({ metadata }) => metadata.creationTimestamp ?? '');
  if (created !== other) return (created ?? '') < (other ?? '') ? -1 : 1;
  return left.metadata.name < right.metadata.name ? -1 : 1;
}
