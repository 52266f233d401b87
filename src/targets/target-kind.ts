/**
 * What the controller and admission know of a target, whatever its kind. A new kind is one file with
 * one `targetKind(...)`, and a row in `registry.ts`.
 */
import type { Canary, TrackedTarget } from '../api/canary.ts';
import { primaryName } from '../api/defaults.ts';
import type { KubeObject, PodTemplateSpec, Service } from '../api/kubernetes.ts';
import { revisionAnnotation } from '../api/annotations.ts';
import type { Resource } from '../kube/resources.ts';
import type { PrimaryOptions, PrimarySettings } from './primary.ts';
import type { Readiness, ReadinessOptions } from './readiness.ts';
import type { SelectorFound } from './selector.ts';

/** What is to be written on top of `live`; an object that is to be made has none. */
export interface TargetWrite {
  readonly resource: Resource<KubeObject>;
  readonly live?: KubeObject;
  readonly wanted: KubeObject;
}

export interface Size {
  /** Pods that it asks for; 0 while it is scaled to zero. A kind that is not scaled has 1. */
  readonly replicas: number;
  readonly availablePods: number;
}

/** Between them an autoscaler keeps the target. */
export interface ReplicaBounds {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** Since when there are fewer pods than there must be: by a clock (RFC 3339), or in this generation. */
export type Shortage = { readonly since: string } | { readonly generation: number };

/** One workload, seen through its kind. */
export interface WorkloadSeen extends Size {
  readonly object: KubeObject;
  /** What it says that it runs. */
  readonly revision: string | undefined;
  readonly shortage: Shortage | undefined;
  /** The message names the workload, as events do. */
  readonly readiness: (options: ReadinessOptions) => Readiness;
}

export interface TargetSeen extends WorkloadSeen {
  /** Of what a rollout is about: another hash is another revision. */
  readonly hash: () => string;
  /** The same as the reference has it. */
  readonly referenceHash: () => string;
  /** Stays the same for as long as nobody writes the target. */
  readonly tracked: () => TrackedTarget;
  /** What admission calls the same revision, where it cannot know its identity. */
  readonly stamp: string | undefined;
  /** Why it cannot be released as it is, and what to do about it. */
  readonly problem: string | undefined;
  /** Of its pods; undefined where it has none of its own. */
  readonly template: PodTemplateSpec | undefined;
  readonly selector: (labels: readonly string[]) => SelectorFound;
  readonly scaleUpReplicas: (bounds: ReplicaBounds) => number;
  /** The merge patch that gives it so many pods; undefined where nothing is to be done. */
  readonly scaling: (replicas: number) => object | undefined;
  /** Undefined where there is no primary. */
  readonly primaryAgrees: (settings: PrimarySettings) => boolean | undefined;
  /** Undefined where there is nothing yet to make it of. */
  readonly renderPrimary: (settings: PrimarySettings) => TargetWrite | undefined;
  /** Undefined where there is no primary to promote. */
  readonly renderPromotion: (settings: PrimarySettings) => TargetWrite | undefined;
  /** The canary's Service, where the kind's are copies of the target. */
  readonly renderCanaryService: ((live: Service | undefined) => Service) | undefined;
}

/** A target as somebody sends it: what admission looks at. */
export interface Manifest {
  readonly hash: string;
  readonly template: PodTemplateSpec | undefined;
  /** What a rollout is about, for a line that says what changed. */
  readonly released: object;
}

/** A manifest as it is to be stored beside a canary that has taken the target over. */
export interface Held {
  readonly object: KubeObject;
  /** Replicas that the manifest asks for, where these are others than there are. */
  readonly asked?: number;
  /** What the canary keeps, whatever the manifest says. */
  readonly part?: HeldPart;
}

export type HeldPart =
  | { readonly kind: 'Replicas'; readonly replicas: number }
  | { readonly kind: 'Idle' }
  | { readonly kind: 'Traffic' };

export interface Workloads {
  readonly target: TargetSeen | undefined;
  readonly primary: WorkloadSeen | undefined;
}

/** Looks an object of the canary's namespace up. */
export type Lookup = <T extends KubeObject>(resource: Resource<T>, name: string) => T | undefined;

export interface TargetKind {
  readonly resource: Resource<KubeObject>;
  /** What `see` looks up. */
  readonly reads: readonly Resource<KubeObject>[];
  /** Who makes the Services that routes refer to: the controller, or nobody, where the target does. */
  readonly hasServices: boolean;
  readonly see: (canary: Canary, lookup: Lookup) => Workloads;
  /** Undefined for what is no whole object of this kind. */
  readonly read: (object: KubeObject) => Manifest | undefined;
  /** A primary that somebody deleted, as it was; undefined where it is no object of its own. */
  readonly restore: (canary: Canary, lost: KubeObject) => TargetWrite | undefined;
  /**
   * A manifest that is applied again from Git must not bring idle pods up, take pods away that serve,
   * overrule an autoscaler, or lead users elsewhere.
   */
  readonly hold: (canary: Canary, before: KubeObject, after: KubeObject) => Held;
}

export interface Definition<T extends KubeObject> {
  readonly resource: Resource<T>;
  readonly hasServices: boolean;
  readonly is: (object: KubeObject) => object is T;
  readonly released: (target: T) => object;
  readonly hash: (target: T) => string;
  readonly referenceHash: (target: T) => string;
  readonly problem?: (target: T) => string | undefined;
  /** Where the API server counts none (`metadata.generation`). */
  readonly generation?: (target: T) => number;
  readonly template: (target: T) => PodTemplateSpec | undefined;
  readonly selector: (target: T, labels: readonly string[]) => SelectorFound;
  readonly size: (workload: T) => Size;
  readonly readiness: (workload: T, options: ReadinessOptions) => Readiness;
  /** How events name a workload (`NAME.NAMESPACE`) that is not ready. */
  readonly notReady: Readonly<Record<'target' | 'primary', NotReadyText>>;
  readonly shortage: (workload: T) => Shortage | undefined;
  readonly scaleUpReplicas: (
    canary: Canary,
    target: T,
    primary: T | undefined,
    bounds: ReplicaBounds,
  ) => number;
  readonly scaling: (target: T, replicas: number) => object | undefined;
  /** Nothing is held where absent. */
  readonly hold?: (canary: Canary, before: T, after: T) => Held;
  readonly primaryAgrees: (options: PrimaryOptions<T>, primary: T) => boolean;
  readonly renderPrimary: (options: PrimaryOptions<T>) => T;
  readonly renderPromotion: (options: PrimaryOptions<T>, primary: T) => T;
  readonly renderCanaryService?: (canary: Canary, target: T, live: Service | undefined) => Service;
  /** Without what only the deleted object could have; the same where absent. */
  readonly restored?: (lost: T) => T;
}

type NotReadyText = (name: string, text: string, retriable: boolean) => string;

export function targetKind<T extends KubeObject>(definition: Definition<T>): TargetKind {
  const { resource, hasServices } = definition;
  return {
    resource,
    reads: [resource],
    hasServices,
    see: (canary, lookup) => {
      const target = lookup(resource, canary.spec.targetRef.name);
      const primary = lookup(resource, primaryName(canary));
      return {
        target: target && seeTarget(definition, canary, target, primary),
        primary: primary && seeWorkload(definition, primary, 'primary'),
      };
    },
    restore: (canary, lost) => {
      // It may be of a target that the canary had before.
      if (!definition.is(lost) || lost.metadata.name !== primaryName(canary)) return undefined;
      return { resource, wanted: anew(definition.restored?.(lost) ?? lost) };
    },
    read: (object) => (definition.is(object) ? readManifest(definition, object) : undefined),
    hold: (canary, before, after) => {
      const areWhole = definition.is(before) && definition.is(after);
      return (areWhole ? definition.hold?.(canary, before, after) : undefined) ?? { object: after };
    },
  };
}

/** What was written of an object, without what the API server and controllers have said of it. */
function anew(object: KubeObject & { readonly status?: unknown }): KubeObject {
  const { name, namespace = '', labels, annotations, ownerReferences } = object.metadata;
  const { status: _, ...written } = object;
  return {
    ...written,
    metadata: {
      name,
      namespace,
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      ...(ownerReferences && { ownerReferences }),
    },
  };
}

function readManifest<T extends KubeObject>(definition: Definition<T>, object: T): Manifest {
  return {
    hash: definition.hash(object),
    template: definition.template(object),
    released: definition.released(object),
  };
}

function seeWorkload<T extends KubeObject>(
  definition: Definition<T>,
  object: T,
  role: 'target' | 'primary',
): WorkloadSeen {
  const { name, namespace = '', annotations } = object.metadata;
  return {
    object,
    ...definition.size(object),
    revision: annotations?.[revisionAnnotation],
    shortage: definition.shortage(object),
    readiness: (options) => {
      const found = definition.readiness(object, options);
      if (found.kind === 'Ready') return found;
      const { message, retriable } = found;
      const named = definition.notReady[role](`${name}.${namespace}`, message, retriable);
      return { ...found, message: named };
    },
  };
}

function seeTarget<T extends KubeObject>(
  definition: Definition<T>,
  canary: Canary,
  target: T,
  primary: T | undefined,
): TargetSeen {
  const { resource, renderCanaryService: renderService } = definition;
  return {
    ...seeWorkload(definition, target, 'target'),
    hash: () => definition.hash(target),
    referenceHash: () => definition.referenceHash(target),
    tracked: () => {
      const { uid = '', generation = 0 } = target.metadata;
      return { uid, generation: definition.generation?.(target) ?? generation };
    },
    stamp: undefined,
    problem: definition.problem?.(target),
    template: definition.template(target),
    selector: (labels) => definition.selector(target, labels),
    scaleUpReplicas: (bounds) => definition.scaleUpReplicas(canary, target, primary, bounds),
    scaling: (replicas) => definition.scaling(target, replicas),
    primaryAgrees: (settings) =>
      primary && definition.primaryAgrees({ ...settings, target }, primary),
    renderPrimary: (settings) => ({
      resource,
      wanted: definition.renderPrimary({ ...settings, target }),
    }),
    renderPromotion: (settings) =>
      primary && {
        resource,
        live: primary,
        wanted: definition.renderPromotion({ ...settings, target }, primary),
      },
    renderCanaryService: renderService && ((live) => renderService(canary, target, live)),
  };
}
