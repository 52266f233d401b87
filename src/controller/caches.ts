/**
 * What the controller sees of the cluster: one cache per kind, fed by a watch. Reads never leave
 * the process. Kinds of routing providers are watched once a canary uses the provider.
 */
import type { AlertProvider } from '../api/alert-provider.ts';
import type { MetricTemplate } from '../api/metric-template.ts';
import type { Canary } from '../api/canary.ts';
import type {
  Deployment,
  HorizontalPodAutoscaler,
  KubeObject,
  NamespacedName,
  Service,
} from '../api/kubernetes.ts';
import type { Informer, InformerOptions, Informers } from '../kube/informers.ts';
import type { Resource } from '../kube/resources.ts';
import {
  alertProviders,
  canaries,
  configMaps,
  deployments,
  horizontalPodAutoscalers,
  metricTemplates,
  secrets,
  services,
} from '../kube/resources.ts';
import type { ObjectPath } from './interests.ts';

export interface Caches {
  readonly canaries: Informer<Canary>;
  readonly deployments: Informer<Deployment>;
  readonly services: Informer<Service>;
  readonly autoscalers: Informer<HorizontalPodAutoscaler>;
  readonly metricTemplates: Informer<MetricTemplate>;
  readonly alertProviders: Informer<AlertProvider>;
  /** Metadata only. */
  readonly configMaps: Informer<KubeObject>;
  /** Metadata only. */
  readonly secrets: Informer<KubeObject>;
  /** A routing provider's kind; its watch starts with the first call. */
  routes(resource: Resource<KubeObject>): Informer<KubeObject>;
  /** A kind that not every cluster has; its watch starts with the first call. */
  extensions<T extends KubeObject>(resource: Resource<T>): Informer<T>;
  /** Puts the answer of a write of ours into the cache that it belongs to. */
  wrote<T extends KubeObject>(resource: Resource<T>, object: T): void;
  /**
   * Watches until the signal aborts, routing providers' kinds from when they are first asked for.
   * Rejects for a defect of ours only.
   */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when the kinds that are needed whatever the provider have been listed. */
  synced(): Promise<void>;
  /** Plurals of those kinds of which neither the first list has arrived nor that there are none. */
  unsynced(): readonly string[];
}

/** Told of every change of a cached object. */
export type CacheListener = (
  resource: Resource<KubeObject>,
  path: ObjectPath,
  object: KubeObject,
  isDeleted: boolean,
) => void;

/** `meshInformers` watch the cluster that holds the routing objects. */
export function createCaches(
  informers: Informers,
  meshInformers: Informers,
  changed: CacheListener,
): Caches {
  let start: ((informer: Informer<KubeObject>) => void) | undefined;
  const watched = new Map<Resource<KubeObject>, Informer<KubeObject>>();

  const watch = <T extends KubeObject>(
    resource: Resource<T>,
    shape: InformerOptions = {},
    source = informers,
  ): Informer<T> => {
    const informer = source.informer(resource, shape);
    informer.store.subscribe((change) => {
      const object = change.kind === 'Applied' ? change.after : change.before;
      if (object === undefined) return;
      changed(resource, pathOf(resource, keyOf(object)), object, change.kind === 'Deleted');
    });
    watched.set(resource, informer);
    return informer;
  };

  const base = {
    canaries: watch(canaries),
    deployments: watch(deployments),
    services: watch(services),
    autoscalers: watch(horizontalPodAutoscalers),
    metricTemplates: watch(metricTemplates),
    alertProviders: watch(alertProviders),
    configMaps: watch<KubeObject>(configMaps, { metadataOnly: true }),
    secrets: watch<KubeObject>(secrets, { metadataOnly: true }),
  };
  const needed = [...watched];

  const lazily = <T extends KubeObject>(
    resource: Resource<T>,
    shape: InformerOptions = {},
    source = informers,
  ): Informer<T> => {
    const known = watched.get(resource);
    if (known !== undefined) return known as Informer<T>;
    const informer = watch(resource, shape, source);
    start?.(informer);
    return informer;
  };

  return {
    ...base,
    routes: (resource) => lazily(resource, { withManagers: true }, meshInformers),
    // A Knative Service is a target and a route.
    extensions: (resource) => lazily(resource, { withManagers: true }),
    wrote: (resource, object) => {
      const metadataOnly =
        resource.plural === configMaps.plural || resource.plural === secrets.plural;
      const { apiVersion, kind, metadata } = object;
      const kept: KubeObject = metadataOnly ? { apiVersion, kind, metadata } : object;
      watched.get(resource)?.store.wrote(kept);
    },
    run: (signal) =>
      new Promise((resolve, reject) => {
        start = (informer) => void informer.start(signal).catch(reject);
        for (const informer of watched.values()) start(informer);
        signal.addEventListener('abort', () => resolve(), { once: true });
      }),
    synced: async () => {
      await Promise.all(needed.map(([, informer]) => informer.synced()));
    },
    unsynced: () =>
      needed
        .filter(([, it]) => !it.store.hasSynced && it.state().phase !== 'Missing')
        .map(([resource]) => resource.plural),
  };
}

const keyOf = ({ metadata }: KubeObject): NamespacedName => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name,
});

export const pathOf = (
  resource: Resource<KubeObject>,
  { namespace, name }: NamespacedName,
): ObjectPath => `${resource.plural}.${resource.group}/${namespace}/${name}`;

/** Reads caches and remembers what was read. */
export interface Reader {
  get<T extends KubeObject>(
    informer: Informer<T>,
    resource: Resource<T>,
    key: NamespacedName,
  ): T | undefined;
  readonly paths: Set<ObjectPath>;
}

export function createReader(): Reader {
  const paths = new Set<ObjectPath>();
  return {
    paths,
    get: (informer, resource, key) => {
      paths.add(pathOf(resource, key));
      return informer.store.get(key);
    },
  };
}
