/** The workloads, Services and autoscalers of a canary, as the caches have them. */
import type { Canary } from '../api/canary.ts';
import { serviceNames } from '../api/defaults.ts';
import type {
  HorizontalPodAutoscaler,
  KubeObject,
  NamespacedName,
  ScaledObject,
  Service,
} from '../api/kubernetes.ts';
import type { Resource } from '../kube/resources.ts';
import { horizontalPodAutoscalers, services } from '../kube/resources.ts';
import { autoscalerCopyName } from '../targets/autoscaler.ts';
import { targetKindOf } from '../targets/registry.ts';
import { scaledObjects } from '../targets/scaled-object.ts';
import type { SelectorFound } from '../targets/selector.ts';
import type { ServiceRole } from '../targets/services.ts';
import type {
  ReplicaBounds,
  TargetKind,
  TargetSeen,
  WorkloadSeen,
} from '../targets/target-kind.ts';
import type { Reader } from './caches.ts';
import type { World } from './world.ts';

export interface ObjectsSeen {
  /** Undefined where there is no such kind; the spec's problem then. */
  readonly kind: TargetKind | undefined;
  readonly target: TargetSeen | undefined;
  readonly primary: WorkloadSeen | undefined;
  /** Something is being read, and nothing is known of it yet. */
  readonly isReading: boolean;
  /** Absent where there is no target. */
  readonly selector: SelectorFound | undefined;
  readonly services: Readonly<Record<ServiceRole, Service | undefined>>;
  /** The target's autoscaler. */
  readonly autoscaler: HorizontalPodAutoscaler | undefined;
  /** The primary's. */
  readonly autoscalerCopy: HorizontalPodAutoscaler | undefined;
  /** KEDA's in their place, where the canary names one. */
  readonly scaler: ScalerSeen | undefined;
  /** Of whichever scales the target. */
  readonly bounds: ReplicaBounds;
}

export interface ScalerSeen {
  /** The target's. */
  readonly source: ScaledObject | undefined;
  /** The primary's. */
  readonly copy: ScaledObject | undefined;
}

export function observeObjects(canary: Canary, reader: Reader, world: World): ObjectsSeen {
  const { caches, settings } = world;
  const { namespace = '' } = canary.metadata;
  const { targetRef, autoscalerRef } = canary.spec;
  const service = (name: string) => reader.get(caches.services, services, { namespace, name });
  const autoscaler = (name: string) =>
    reader.get(caches.autoscalers, horizontalPodAutoscalers, { namespace, name });
  const isKeda = autoscalerRef?.kind === scaledObjects.kind;
  const source = isKeda ? undefined : autoscalerRef && autoscaler(autoscalerRef.name);
  const scaler = isKeda
    ? observeScaler({ namespace, name: autoscalerRef.name }, reader, world)
    : undefined;
  const kind = targetKindOf(targetRef);
  const { target, primary } = seeWorkloads(canary, reader, world);
  const names = serviceNames(canary);
  return {
    kind,
    target,
    primary,
    isReading:
      kind?.reads.some((resource) => isReading(resource, world)) === true ||
      (isKeda && isReading(scaledObjects, world)),
    selector: target?.selector(settings.selectorLabels),
    services: {
      apex: service(names.apex),
      primary: service(names.primary),
      canary: service(names.canary),
    },
    autoscaler: source,
    autoscalerCopy: isKeda
      ? undefined
      : autoscalerRef && autoscaler(autoscalerCopyName(autoscalerRef.name)),
    scaler,
    bounds: boundsOf(source, scaler?.source),
  };
}

const boundsOf = (
  autoscaler: HorizontalPodAutoscaler | undefined,
  scaledObject: ScaledObject | undefined,
): ReplicaBounds => ({
  min: autoscaler?.spec.minReplicas ?? scaledObject?.spec.minReplicaCount,
  max: autoscaler?.spec.maxReplicas ?? scaledObject?.spec.maxReplicaCount,
});

/** Target and primary as they are in the cache at this moment. */
export function seeWorkloads(
  canary: Canary,
  reader: Reader,
  { caches }: Pick<World, 'caches'>,
): Pick<ObjectsSeen, 'target' | 'primary'> {
  const { namespace = '' } = canary.metadata;
  const kind = targetKindOf(canary.spec.targetRef);
  if (kind === undefined) return { target: undefined, primary: undefined };
  return kind.see(canary, (resource, name) =>
    reader.get(caches.extensions(resource), resource, { namespace, name }),
  );
}

function isReading(resource: Resource<KubeObject>, { caches }: World): boolean {
  const informer = caches.extensions(resource);
  const { phase, isForbidden } = informer.state();
  return !informer.store.hasSynced && phase !== 'Missing' && !isForbidden;
}

function observeScaler(key: NamespacedName, reader: Reader, world: World): ScalerSeen {
  const informer = world.caches.extensions(scaledObjects);
  const get = (name: string) => reader.get(informer, scaledObjects, { ...key, name });
  return { source: get(key.name), copy: get(autoscalerCopyName(key.name)) };
}
