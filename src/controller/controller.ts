/**
 * The controller of one process: keeps caches, answers admission's questions from them, and while it
 * holds the lease looks at every canary that something happened to. It never polls: what wakes a
 * canary is a change of an object that it looked at, a notice of admission, an answer, or a timer.
 */
import type { Lookup, Notice } from '../admission/mutate.ts';
import type { ValidationLookup } from '../admission/validate.ts';
import type { Outbox } from '../alerts/outbox.ts';
import type { Receiver } from '../alerts/provider.ts';
import type { Canary } from '../api/canary.ts';
import type { KubeObject, StringMap } from '../api/kubernetes.ts';
import {
  supportedAutoscalerKinds,
  supportedProviders,
  supportedTargetKinds,
} from '../api/providers.ts';
import { validateCanary } from '../api/validate.ts';
import type { Post } from '../hooks/post.ts';
import { createPost } from '../hooks/post.ts';
import { onAbort } from '../kube/abort.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import type { EventRecorder } from '../kube/events.ts';
import type { Informers } from '../kube/informers.ts';
import type { Log } from '../kube/log.ts';
import type { ReflectorState } from '../kube/reflector.ts';
import { canaries, configMaps, knativeServices, secrets } from '../kube/resources.ts';
import { targetKindOf } from '../targets/registry.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { SendAlert } from './alerting.ts';
import { createAlerting } from './alerting.ts';
import type { CacheListener, Caches } from './caches.ts';
import { createCaches } from './caches.ts';
import { createChecks } from './checks.ts';
import type { Checks } from './checks.ts';
import { describeFailure } from './failures.ts';
import { createInterests } from './interests.ts';
import type { Interests, ObjectPath } from './interests.ts';
import { isKnownGood } from './known-good.ts';
import { createQueue } from './queue.ts';
import type { Queue } from './queue.ts';
import { reconcile } from './reconcile.ts';
import type { Settings } from './settings.ts';
import { createSlots } from './slots.ts';
import type { Slots } from './slots.ts';
import type { TargetIndex } from './target-index.ts';
import { createTargetIndex } from './target-index.ts';
import type { TrackedConfigs } from './tracked-configs.ts';
import { createTrackedConfigs } from './tracked-configs.ts';
import type { Standing } from './world.ts';
import { createWriter, withoutOwners } from './writer.ts';

export interface ControllerOptions {
  readonly settings: Settings;
  readonly kube: KubeClient;
  readonly informers: Informers;
  /** The cluster that holds the routing objects, where it is another one. */
  readonly mesh?: { readonly kube: KubeClient; readonly informers: Informers };
  readonly recorder: EventRecorder;
  /** Asks metric providers; over the network where absent. */
  readonly checks?: Checks;
  /** Calls users' webhooks; over the network where absent. */
  readonly post?: Post;
  /** Sends alerts; none are sent where absent. */
  readonly alerts?: {
    readonly outbox: Pick<Outbox, 'add'>;
    /** Hears of canaries that name no provider. */
    readonly fallback: Receiver | undefined;
  };
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly random: () => number;
  readonly uuid: () => string;
  readonly log: Log;
  /** Canaries that are looked at side by side. */
  readonly workers: number;
  /** Aborts reads when the process ends. */
  readonly signal: AbortSignal;
}

type WatchStanding = Pick<ReflectorState, 'phase' | 'isForbidden'>;

export interface Controller {
  readonly lookup: Lookup;
  readonly validation: ValidationLookup;
  readonly queue: Pick<Queue, 'depth' | 'oldestMs'>;
  readonly synced: () => Promise<void>;
  readonly unsynced: () => readonly string[];
  /** A change that admission saw: looked at now, and again when the watch shows it. */
  noticed(notice: Notice): void;
  /** To be told of each phase of a watch: what waits for an API is looked at when it appears. */
  watchChanged(plural: string, state: WatchStanding): void;
  /** Keeps the caches until the signal aborts. */
  watch(signal: AbortSignal): Promise<void>;
  /**
   * Acts until the signal aborts; `mayWrite` aborts when nothing must be written any more. Resolves
   * when what was in hand is done.
   */
  lead(signal: AbortSignal, mayWrite: AbortSignal): Promise<void>;
}

export function createController(options: ControllerOptions): Controller {
  const { settings, kube, telemetry, clock, log, signal } = options;
  const interests = createInterests();
  const targets = createTargetIndex();
  const queue = createQueue({
    clock,
    random: options.random,
    workers: options.workers,
    failed: (name, error, retryMs) => describeFailure(name, error, retryMs, world),
    late: (ms) => telemetry.tickLateness(ms / 1000),
  });
  const slots = createSlots(
    { cluster: settings.maxProgressing, namespace: settings.maxProgressingPerNamespace },
    (name) => queue.add(name),
  );
  const caches = createCaches(
    options.informers,
    options.mesh?.informers ?? options.informers,
    onChange({ interests, targets, queue, slots, telemetry }),
  );
  const configs = configsOf(options, caches, (path) => wake(interests, queue, path));
  const world: Standing = {
    settings,
    clock,
    random: options.random,
    uuid: options.uuid,
    log,
    telemetry,
    caches,
    configs,
    targets,
    interests,
    queue,
    slots,
    memories: new Map(),
    recorder: options.recorder,
    checks: options.checks ?? checksOf(options, caches),
    post: options.post ?? createPost(),
    alert: alertingOf(options, caches),
    eventHooks: { waiting: 0, lines: new Map() },
    signal,
  };
  const wakeAll = (): void => {
    for (const { metadata } of caches.canaries.store.list()) queue.add(nameOf(metadata));
  };
  const isNews = createApiNews();
  return {
    ...lookupsOf(settings, targets, configs, caches, clock),
    queue,
    watchChanged: (plural, state) => {
      if (isNews(plural, state)) wakeAll();
    },
    synced: () => caches.synced(),
    unsynced: () => caches.unsynced(),
    watch: (until) => caches.run(until),
    noticed: ({ namespace, canary }) => queue.add(`${namespace}/${canary}`),
    lead: async (until, mayWrite) => {
      const writer = createWriter(kube, caches, mayWrite);
      const { mesh } = options;
      const meshWriter = mesh && withoutOwners(createWriter(mesh.kube, caches, mayWrite));
      slots.begin();
      const acting = { ...world, writer, routeWriter: meshWriter ?? writer };
      const ended = queue.run((name) => reconcile(name, acting), until);
      wakeAll();
      await ended;
    },
  };
}

const nameOf = ({ namespace = '', name }: KubeObject['metadata']): string => `${namespace}/${name}`;

function wake(interests: Interests, queue: Queue, path: ObjectPath): void {
  for (const canary of interests.of(path)) queue.add(canary);
}

/**
 * Whether an API appeared, or turned out to be missing or not for us. That a watch broke and goes on
 * is no news: what it had missed comes as changes of objects.
 */
function createApiNews(): (plural: string, state: WatchStanding) => boolean {
  const known = new Map<string, string>();
  return (plural, { phase, isForbidden }) => {
    const standing = isForbidden ? 'Forbidden' : phase;
    if (!['Watching', 'Missing', 'Forbidden'].includes(standing)) return false;
    const before = known.get(plural);
    known.set(plural, standing);
    return before !== standing;
  };
}

/** What a change of a cached object wakes. */
function onChange(given: {
  readonly interests: Interests;
  readonly targets: TargetIndex;
  readonly queue: Queue;
  readonly slots: Slots;
  readonly telemetry: Telemetry;
}): CacheListener {
  const { interests, targets, queue, slots, telemetry } = given;
  const totals = new Map<string, Set<string>>();
  const count = (namespace: string, name: string, isDeleted: boolean): void => {
    const names = totals.get(namespace) ?? new Set();
    totals.set(namespace, names);
    if (isDeleted) names.delete(name);
    else names.add(name);
    telemetry.canaryTotal(namespace, names.size);
  };
  return (resource, path, object, isDeleted) => {
    if (resource.plural === canaries.plural && resource.group === canaries.group) {
      const canary = object as Canary;
      const { namespace = '', name } = canary.metadata;
      count(namespace, name, isDeleted);
      const rivals = targets.of(namespace, canary.spec.targetRef);
      if (isDeleted) {
        targets.deleted(canary);
        slots.deleted(canary);
        telemetry.canaryForgotten({ namespace, target: canary.spec.targetRef.name });
        // Who waited for the target to be free has it now.
        for (const { metadata } of rivals) queue.add(nameOf(metadata));
      } else {
        targets.applied(canary);
        slots.applied(canary);
      }
      queue.add(nameOf(canary.metadata));
    }
    wake(interests, queue, path);
  };
}

function configsOf(
  { kube, signal }: ControllerOptions,
  caches: Caches,
  changed: (path: string) => void,
): TrackedConfigs {
  return createTrackedConfigs({
    metadata: (kind, key) =>
      (kind === 'ConfigMap' ? caches.configMaps : caches.secrets).store.get(key),
    read: async (kind, key) => {
      if (kind === 'ConfigMap')
        return { kind, object: await kube.get(configMaps, key, { signal }) };
      return { kind, object: await kube.get(secrets, key, { signal }) };
    },
    changed,
  });
}

function checksOf(options: ControllerOptions, caches: Caches) {
  const { settings, kube, telemetry, clock, log, signal } = options;
  return createChecks({
    meshProvider: settings.meshProvider,
    metricsServer: settings.metricsServer,
    clock,
    log,
    telemetry,
    template: (namespace, name) => caches.metricTemplates.store.get({ namespace, name }),
    secret: secretReader(kube, signal),
    knativeRevision: async (namespace, name) => {
      const service = caches.extensions(knativeServices).store.get({ namespace, name });
      const revision = service?.status?.latestCreatedRevisionName;
      if (revision === undefined) throw new Error('has no revision yet');
      return revision;
    },
  });
}

function alertingOf({ alerts, ...options }: ControllerOptions, caches: Caches): SendAlert {
  if (alerts === undefined) return () => undefined;
  const { settings, kube, clock, uuid, signal } = options;
  return createAlerting({
    ...alerts,
    clusterName: settings.clusterName,
    noCrossNamespaceRefs: settings.noCrossNamespaceRefs,
    provider: (key) => caches.alertProviders.store.get(key),
    secret: secretReader(kube, signal),
    uuid,
    now: () => clock.now(),
  });
}

/** Credentials are read when they are needed, and not kept. */
function secretReader(
  kube: KubeClient,
  signal: AbortSignal,
): (namespace: string, name: string) => Promise<StringMap> {
  return async (namespace, name) => {
    const { data = {} } = await kube.get(secrets, { namespace, name }, { signal });
    const decoded = Object.entries(data).map(([key, text]) => [
      key,
      Buffer.from(text, 'base64').toString('utf8'),
    ]);
    return Object.fromEntries(decoded);
  };
}

/** What admission may ask: answered from memory. */
function lookupsOf(
  settings: Settings,
  targets: TargetIndex,
  configs: TrackedConfigs,
  caches: Caches,
  clock: Clock,
): Pick<Controller, 'lookup' | 'validation'> {
  const read = (kind: 'ConfigMap' | 'Secret', namespace: string, name: string) => {
    // What is not in memory is read for the next time; this answer does not wait for it.
    const found = configs.lookup(kind, { namespace, name });
    return found.kind === 'Known' ? found.config.object : undefined;
  };
  return {
    lookup: {
      configTracking: settings.configTracking,
      isKnownGood: (canary, revision) => isKnownGood(canary, revision, clock.now()),
      canaryOf: (namespace, target) => targets.of(namespace, target)[0],
      config: read,
    },
    validation: {
      validate: (canary) =>
        validateCanary(canary, {
          providers: supportedProviders,
          targetKinds: supportedTargetKinds,
          autoscalerKinds: supportedAutoscalerKinds,
          noCrossNamespaceRefs: settings.noCrossNamespaceRefs,
          meshProvider: settings.meshProvider,
        }),
      canariesOf: (namespace, target) => targets.of(namespace, target),
      canary: (key) => caches.canaries.store.get(key),
      hasTarget: (namespace, target) => {
        const kind = targetKindOf(target);
        if (kind === undefined) return undefined;
        const { store } = caches.extensions(kind.resource);
        const { name } = target;
        return store.hasSynced ? store.get({ namespace, name }) !== undefined : undefined;
      },
    },
  };
}

/** Resolves when the signal aborts. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    onAbort(signal, resolve);
  });
