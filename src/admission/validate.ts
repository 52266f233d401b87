/**
 * Whether a Canary may be stored. Refused is only what can never work; what may come true later, and
 * what was stored before, is a warning: the order in which objects are applied must not matter, and
 * nobody is locked out of their own object by an upgrade of ours.
 */
import { canaryApiVersion } from '../api/canary.ts';
import type { Canary } from '../api/canary.ts';
import { displayName } from '../api/defaults.ts';
import { describeProblems } from '../api/validate.ts';
import type { Validation } from '../api/validate.ts';
import type { AdmissionAnswer, AdmissionRequest } from './review.ts';

export interface ValidationLookup {
  readonly validate: (canary: Canary) => Validation;
  /** Canaries of a target, the one that has the say first. */
  readonly canariesOf: (
    namespace: string,
    target: Canary['spec']['targetRef'],
  ) => readonly Canary[];
  /** Whether the target is in the cache; undefined where that kind is not watched. */
  readonly hasTarget: (
    namespace: string,
    target: Canary['spec']['targetRef'],
  ) => boolean | undefined;
}

export function validate(request: AdmissionRequest, lookup: ValidationLookup): AdmissionAnswer {
  const canary = request.object as Canary;
  if (canary.apiVersion !== canaryApiVersion || canary.kind !== 'Canary') return { warnings: [] };
  // Finalizers must go whatever the spec says.
  if (canary.metadata.deletionTimestamp !== undefined) return { warnings: [] };
  const before = request.oldObject as Canary | undefined;
  if (before !== undefined && JSON.stringify(before.spec) === JSON.stringify(canary.spec)) {
    return { warnings: [] };
  }
  const { errors, warnings } = lookup.validate(canary);
  const known = new Set(
    (before === undefined ? [] : lookup.validate(before).errors).map(
      ({ path, message }) => path + message,
    ),
  );
  const fresh = errors.filter(({ path, message }) => !known.has(path + message));
  const stale = errors.filter(({ path, message }) => known.has(path + message));
  const duplicate = duplicateOf(request, canary, before, lookup);
  const denied = [...(fresh.length > 0 ? [describeProblems(fresh)] : []), ...duplicate].join('; ');
  return {
    warnings: [
      ...stale.map(({ path, message }) => `${path}: ${message}`),
      ...warnings,
      ...missingTarget(request, canary, lookup),
    ],
    ...(denied === '' ? {} : { denied: `Canary ${displayName(canary)} cannot work: ${denied}` }),
  };
}

function duplicateOf(
  { namespace, name }: AdmissionRequest,
  canary: Canary,
  before: Canary | undefined,
  lookup: ValidationLookup,
): readonly string[] {
  const { targetRef } = canary.spec;
  if (before !== undefined && JSON.stringify(before.spec.targetRef) === JSON.stringify(targetRef)) {
    return [];
  }
  const other = lookup
    .canariesOf(namespace, targetRef)
    .find(({ metadata }) => metadata.name !== name);
  if (other === undefined) return [];
  return [
    `spec.targetRef: ${targetRef.kind} ${targetRef.name} is the target of canary ` +
      `${displayName(other)} already, delete that one first`,
  ];
}

function missingTarget(
  { namespace }: AdmissionRequest,
  { spec }: Canary,
  lookup: ValidationLookup,
): readonly string[] {
  if (lookup.hasTarget(namespace, spec.targetRef) !== false) return [];
  const { kind, name } = spec.targetRef;
  return [
    `spec.targetRef: there is no ${kind} ${name} in namespace ${namespace} yet; nothing happens until there is`,
  ];
}
