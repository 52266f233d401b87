/**
 * Whether a Canary may be stored. Refused is only what can never work; what may come true later, and
 * what was stored before, is a warning: the order in which objects are applied must not matter, and
 * nobody is locked out of their own object by an upgrade of ours.
 */
import { canaryApiVersion } from '../api/canary.ts';
import type { Canary } from '../api/canary.ts';
import { displayName } from '../api/defaults.ts';
import type { FindCanary } from '../api/dependencies.ts';
import { cycleThrough, dependenciesOf, describeCycle } from '../api/dependencies.ts';
import { describeProblems } from '../api/validate.ts';
import type { Validation } from '../api/validate.ts';
import { warnOfDeletion } from './deletion.ts';
import type { AdmissionAnswer, AdmissionRequest } from './review.ts';

export interface ValidationLookup {
  readonly validate: (canary: Canary) => Validation;
  /** Canaries of a target, the one that has the say first. */
  readonly canariesOf: (
    namespace: string,
    target: Canary['spec']['targetRef'],
  ) => readonly Canary[];
  /** Another canary, as it is stored. */
  readonly canary: FindCanary;
  /** Whether the target is in the cache; undefined where that kind is not watched. */
  readonly hasTarget: (
    namespace: string,
    target: Canary['spec']['targetRef'],
  ) => boolean | undefined;
}

export function validate(request: AdmissionRequest, lookup: ValidationLookup): AdmissionAnswer {
  const canary = request.object as Canary;
  if (canary.apiVersion !== canaryApiVersion || canary.kind !== 'Canary') return { warnings: [] };
  if (request.operation === 'DELETE') return { warnings: warnOfDeletion(canary) };
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
  const rival = rivalOf(request, canary, before, lookup);
  const isLeaving = rival?.metadata.deletionTimestamp !== undefined;
  const cycle = cycleThrough(canary, lookup.canary);
  const waits = cycle && `spec.dependsOn: each would wait for the next: ${describeCycle(cycle)}`;
  const isNewCycle =
    JSON.stringify(before?.spec.dependsOn) !== JSON.stringify(canary.spec.dependsOn);
  const denied = [
    ...(fresh.length > 0 ? [describeProblems(fresh)] : []),
    ...(waits !== undefined && isNewCycle ? [waits] : []),
    ...(rival === undefined || isLeaving ? [] : [`${taken(rival)} already, delete that one first`]),
  ].join('; ');
  return {
    warnings: [
      ...stale.map(({ path, message }) => `${path}: ${message}`),
      ...warnings,
      ...missingTarget(request, canary, lookup),
      ...missingDependencies(canary, lookup),
      ...(waits !== undefined && !isNewCycle ? [waits] : []),
      ...(rival !== undefined && isLeaving ? [`${taken(rival)} until that one is gone`] : []),
    ],
    ...(denied === '' ? {} : { denied: `Canary ${displayName(canary)} cannot work: ${denied}` }),
  };
}

/** Another Canary of a target that this one newly asks for. */
function rivalOf(
  { namespace, name }: AdmissionRequest,
  { spec }: Canary,
  before: Canary | undefined,
  lookup: ValidationLookup,
): Canary | undefined {
  const isNew = JSON.stringify(before?.spec.targetRef) !== JSON.stringify(spec.targetRef);
  if (!isNew) return undefined;
  const others = lookup
    .canariesOf(namespace, spec.targetRef)
    .filter(({ metadata }) => metadata.name !== name);
  return others.find(({ metadata }) => metadata.deletionTimestamp === undefined) ?? others[0];
}

const taken = (rival: Canary): string => {
  const { kind, name } = rival.spec.targetRef;
  return `spec.targetRef: ${kind} ${name} is the target of canary ${displayName(rival)}`;
};

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

function missingDependencies(canary: Canary, lookup: ValidationLookup): readonly string[] {
  return dependenciesOf(canary).flatMap(({ namespace, name }, index) =>
    lookup.canary({ namespace, name }) === undefined && name !== canary.metadata.name
      ? [
          `spec.dependsOn[${index}]: there is no canary ${name} in namespace ${namespace} yet; ` +
            'no rollout starts until there is',
        ]
      : [],
  );
}
