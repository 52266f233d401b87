/** The workloads, Services and autoscalers of a canary, as the caches have them. */
import type { Canary } from '../api/canary.ts';
import { primaryName, serviceNames } from '../api/defaults.ts';
import type {
  Deployment,
  HorizontalPodAutoscaler,
  NamespacedName,
  ScaledObject,
  Service,
} from '../api/kubernetes.ts';
import { deployments, horizontalPodAutoscalers, services } from '../kube/resources.ts';
import { autoscalerCopyName } from '../targets/autoscaler.ts';
import { scaledObjects } from '../targets/scaled-object.ts';
import type { SelectorFound } from '../targets/selector.ts';
import { selectorOf } from '../targets/selector.ts';
import type { ServiceRole } from '../targets/services.ts';
import type { Reader } from './caches.ts';
import type { World } from './world.ts';

export interface ObjectsSeen {
  readonly target: Deployment | undefined;
  readonly primary: Deployment | undefined;
  /** Absent where there is no target. */
  readonly selector: SelectorFound | undefined;
  readonly services: Readonly<Record<ServiceRole, Service | undefined>>;
  /** The target's autoscaler. */
  readonly autoscaler: HorizontalPodAutoscaler | undefined;
  /** The primary's. */
  readonly autoscalerCopy: HorizontalPodAutoscaler | undefined;
  /** KEDA's in their place, where the canary names one. */
  readonly scaler: ScalerSeen | undefined;
}

export interface ScalerSeen {
  /** The target's. */
  readonly source: ScaledObject | undefined;
  /** The primary's. */
  readonly copy: ScaledObject | undefined;
  /** Nothing is known of either yet. */
  readonly isReading: boolean;
}

export function observeObjects(canary: Canary, reader: Reader, world: World): ObjectsSeen {
  const { caches, settings } = world;
  const { namespace = '' } = canary.metadata;
  const { targetRef, autoscalerRef } = canary.spec;
  const workload = (name: string) =>
    reader.get(caches.deployments, deployments, { namespace, name });
  const service = (name: string) => reader.get(caches.services, services, { namespace, name });
  const autoscaler = (name: string) =>
    reader.get(caches.autoscalers, horizontalPodAutoscalers, { namespace, name });
  const isKeda = autoscalerRef?.kind === scaledObjects.kind;
  const target = workload(targetRef.name);
  const names = serviceNames(canary);
  return {
    target,
    primary: workload(primaryName(canary)),
    selector: target && selectorOf(target, settings.selectorLabels),
    services: {
      apex: service(names.apex),
      primary: service(names.primary),
      canary: service(names.canary),
    },
    autoscaler: isKeda ? undefined : autoscalerRef && autoscaler(autoscalerRef.name),
    autoscalerCopy: isKeda
      ? undefined
      : autoscalerRef && autoscaler(autoscalerCopyName(autoscalerRef.name)),
    scaler: isKeda
      ? observeScaler({ namespace, name: autoscalerRef.name }, reader, world)
      : undefined,
  };
}

function observeScaler(key: NamespacedName, reader: Reader, world: World): ScalerSeen {
  const informer = world.caches.extensions(scaledObjects);
  const get = (name: string) => reader.get(informer, scaledObjects, { ...key, name });
  const { phase, isForbidden } = informer.state();
  const isReading = !informer.store.hasSynced && phase !== 'Missing' && !isForbidden;
  return { source: get(key.name), copy: get(autoscalerCopyName(key.name)), isReading };
}
