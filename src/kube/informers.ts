/**
 * One shared store and reflector for each resource that somebody wants to see, started on first
 * demand. Who asks twice for the same resource gets the same one.
 */
import type { KubeObject } from '../api/kubernetes.ts';
import { onAbort } from './abort.ts';
import type { KubeClient } from './client.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import { withManagers } from './managers.ts';
import { createReflector } from './reflector.ts';
import type { ReflectorState } from './reflector.ts';
import type { Resource } from './resources.ts';
import { apiVersionOf } from './resources.ts';
import { createStore } from './store.ts';
import type { Store } from './store.ts';

export interface Informer<T extends KubeObject> {
  readonly store: Store<T>;
  /**
   * Lists and watches until the signal aborts. The promise is that of the run, and the same for
   * all who call while it lasts; it rejects only for a defect of ours, which must end the process.
   */
  start(signal: AbortSignal): Promise<void>;
  /** Resolves once a whole list is in, or the API is known to be missing: `state()` tells. */
  synced(signal?: AbortSignal): Promise<void>;
  state(): ReflectorState;
}

export interface InformerOptions {
  /**
   * Objects as apiVersion, kind and metadata only: for what must be noticed and not read, such as
   * Secrets. It is another informer than that of whole objects.
   */
  readonly metadataOnly?: boolean;
  readonly labelSelector?: string;
  /** Whether `managersOf` knows who set which part of an object. */
  readonly withManagers?: boolean;
}

export interface Informers {
  informer<T extends KubeObject>(resource: Resource<T>, options?: InformerOptions): Informer<T>;
  /** Every informer that was asked for, by resource: for readiness and `/debug/state`. */
  states(): Readonly<Record<string, ReflectorState>>;
}

export interface InformersOptions {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly log: Log;
  /** The one namespace to watch; all where absent or empty. */
  readonly namespace?: string;
  /** Told of every change of an informer's phase, with the plural of its resource. */
  readonly onState?: (resource: string, state: ReflectorState) => void;
}

export function createInformers(options: InformersOptions): Informers {
  const informers = new Map<string, Informer<KubeObject>>();
  return {
    informer: <T extends KubeObject>(resource: Resource<T>, shape: InformerOptions = {}) => {
      const key = keyOf(resource, shape);
      const known = informers.get(key);
      // The key holds all that the type depends on.
      if (known !== undefined) return known as Informer<T>;
      const informer = createInformer(resource, { ...options, ...shape });
      informers.set(key, informer);
      return informer;
    },
    states: () =>
      Object.fromEntries([...informers].map(([key, informer]) => [key, informer.state()])),
  };
}

function keyOf(resource: Resource<KubeObject>, shape: InformerOptions): string {
  const metadata = shape.metadataOnly === true ? ' (metadata)' : '';
  const selector = shape.labelSelector === undefined ? '' : ` (${shape.labelSelector})`;
  const managers = shape.withManagers === true ? ' (managers)' : '';
  return `${apiVersionOf(resource)}/${resource.plural}${metadata}${selector}${managers}`;
}

function createInformer<T extends KubeObject>(
  resource: Resource<T>,
  options: InformersOptions & InformerOptions,
): Informer<T> {
  const whole = options.withManagers === true ? withManagers<T> : withoutManagedFields<T>;
  const transform = options.metadataOnly === true ? metadataOf<T> : whole;
  const store = createStore<T>(transform);
  const waiting = new Set<() => void>();
  let running: Promise<void> | undefined;

  const reflector = createReflector({
    ...options,
    resource,
    store,
    transform,
    namespace: resource.namespaced ? options.namespace : undefined,
    onState: (state) => {
      if (isKnown()) {
        for (const resolve of waiting) resolve();
        waiting.clear();
      }
      options.onState?.(resource.plural, state);
    },
  });
  const isKnown = (): boolean => store.hasSynced || reflector.state().phase === 'Missing';

  return {
    store,
    state: () => reflector.state(),
    start: (signal) => {
      running ??= reflector.run(signal).finally(() => {
        running = undefined;
      });
      return running;
    },
    synced: (signal) =>
      new Promise((resolve, reject) => {
        if (isKnown()) {
          resolve();
          return;
        }
        let unlisten = (): void => undefined;
        const known = (): void => {
          unlisten();
          resolve();
        };
        waiting.add(known);
        if (signal === undefined) return;
        unlisten = onAbort(signal, () => {
          waiting.delete(known);
          reject(signal.reason);
        });
      }),
  };
}

/** Who set which field is half of many an object, and hardly anybody here asks. */
export function withoutManagedFields<T extends KubeObject>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata as KubeObject['metadata'] & {
    readonly managedFields?: unknown;
  };
  return { ...object, metadata };
}

function metadataOf<T extends KubeObject>(object: T): T {
  const { apiVersion, kind, metadata } = withoutManagedFields(object);
  // Who asks for metadata only has said that T is read no further.
  return { apiVersion, kind, metadata } as T;
}
