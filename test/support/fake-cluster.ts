/**
 * A cluster in memory and in virtual time, for tests of what talks to one: objects with resource
 * versions, generations, conflicts, merge and JSON patches, finalizers and owners; watches whose
 * events come late on demand, break, and are forgotten; Deployments whose pods come after a while.
 *
 * Each process has a connection of its own, which can be cut after any of its writes: what it has
 * written stands, and it never hears of anything again.
 */
import { isDeepStrictEqual } from 'node:util';
import jsonpatch from 'fast-json-patch';
import type { Deployment, Json, KubeObject } from '../../src/api/kubernetes.ts';
import { ApiError } from '../../src/kube/api-error.ts';
import type { KubeClient, Patch, WatchEvent } from '../../src/kube/client.ts';
import { onAbort } from '../../src/kube/abort.ts';
import { applyMergePatch } from '../../src/kube/merge-patch.ts';
import type { Resource } from '../../src/kube/resources.ts';
import { canaries, deployments } from '../../src/kube/resources.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface Call {
  /** Name of the connection. */
  readonly by: string;
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'patch' | 'delete';
  readonly plural: string;
  readonly name: string;
  readonly subresource?: string;
  readonly atMs: number;
}

/** A write that was carried out. */
export interface Write extends Call {
  readonly before: KubeObject | undefined;
  readonly after: KubeObject;
}

export interface Connection {
  readonly client: KubeClient;
  /** Everything that is under way or called later never ends. */
  cut(): void;
}

export interface Faults {
  /** Called before a call is carried out; what it throws is the answer. */
  readonly before?: (call: Call) => void;
  /** Called when a write has been carried out, and before it is answered. */
  readonly after?: (write: Write) => void;
}

export interface FakeCluster {
  connect(by: string, faults?: Faults): Connection;
  read<T extends KubeObject>(resource: Resource<T>, name: string): T | undefined;
  /** Writes as a user would: makes the object, or replaces it. */
  put<T extends KubeObject>(resource: Resource<T>, object: T): void;
  edit<T extends KubeObject>(resource: Resource<T>, name: string, change: (object: T) => T): void;
  remove(resource: Resource<KubeObject>, name: string): void;
  /** Calls of all connections, in order. */
  readonly calls: readonly Call[];
  readonly writes: readonly Write[];
  /** Told of every write, whoever made it. */
  onWrite: (write: Write) => void;
  /** How long an event of the watch is under way. */
  watchMs: (plural: string) => number;
  /** How long a new pod takes to be available; undefined for ever. */
  podMs: (deployment: Deployment) => number | undefined;
  /** Brings all Deployments up to date now. */
  releasePods(): void;
  /** Kinds that the cluster does not have. */
  readonly missing: Set<string>;
  /** Ends all watches with an error. What was under way on them is lost to them. */
  breakWatches(): void;
  /** Forgets history: a watch from before now is refused as too old. */
  compact(): void;
}

export const namespace = 'test';
/** What an answer of the API server takes. */
const answerMs = 2;

interface Watch {
  readonly plural: string;
  push(event: WatchEvent<KubeObject>): void;
  fail(error: Error): void;
}

interface Stored {
  readonly version: number;
  readonly event: WatchEvent<KubeObject>;
}

/** Kinds whose status is written apart. */
const withStatus: ReadonlySet<string> = new Set([canaries.plural, deployments.plural]);

const conflict = (path: string): ApiError =>
  new ApiError(`${path}: the object has been modified`, { code: 409, reason: 'Conflict' });
const notFound = (path: string): ApiError =>
  new ApiError(`${path} not found`, { code: 404, reason: 'NotFound' });

export function createFakeCluster(clock: VirtualClock): FakeCluster {
  const objects = new Map<string, KubeObject>();
  const history = new Map<string, Stored[]>();
  const watches = new Set<Watch>();
  const calls: Call[] = [];
  const writes: Write[] = [];
  const missing = new Set<string>();
  let version = 100;
  let compactedAt = 0;

  const pathOf = (plural: string, name: string): string => `${plural}/${name}`;

  const publish = (plural: string, event: WatchEvent<KubeObject>): void => {
    const stored = history.get(plural) ?? [];
    history.set(plural, stored);
    stored.push({ version, event });
    for (const watch of watches) if (watch.plural === plural) watch.push(event);
  };

  /** Stores an object that differs from what is there; answers what is stored then. */
  const store = (plural: string, object: KubeObject): KubeObject => {
    const path = pathOf(plural, object.metadata.name);
    const before = objects.get(path);
    if (before !== undefined && isDeepStrictEqual(before, object)) return before;
    version += 1;
    const stored = structuredClone({
      ...object,
      metadata: {
        ...object.metadata,
        uid: before?.metadata.uid ?? `uid-${version}`,
        generation: nextGeneration(before, object),
        creationTimestamp:
          before?.metadata.creationTimestamp ?? new Date(clock.now()).toISOString(),
        resourceVersion: String(version),
      },
    });
    if (isDeletable(stored)) {
      erase(plural, stored);
      return stored;
    }
    objects.set(path, stored);
    publish(plural, { kind: 'Applied', object: stored });
    if (plural === deployments.plural) rollOut(stored as Deployment);
    return stored;
  };

  const erase = (plural: string, object: KubeObject): void => {
    version += 1;
    objects.delete(pathOf(plural, object.metadata.name));
    const metadata = { ...object.metadata, resourceVersion: String(version) };
    publish(plural, { kind: 'Deleted', object: { ...object, metadata } });
    const { uid } = object.metadata;
    for (const [path, owned] of objects) {
      const owners = owned.metadata.ownerReferences ?? [];
      const isOrphan = owners.length > 0 && owners.every((owner) => owner.uid === uid);
      if (isOrphan) erase(path.slice(0, path.indexOf('/')), owned);
    }
  };

  /** The Deployment controller, and the pods. */
  const rollOut = (deployment: Deployment): void => {
    if (isRolledOut(deployment)) return;
    const waitMs = cluster.podMs(deployment);
    const { name, generation } = deployment.metadata;
    if (waitMs === undefined) return;
    clock.after(waitMs, () => {
      const live = objects.get(pathOf(deployments.plural, name)) as Deployment | undefined;
      if (live === undefined || live.metadata.generation !== generation) return;
      store(deployments.plural, rolledOut(live));
    });
  };

  const watchesOf = (
    plural: string,
    { from, signal, timeoutSeconds }: { from: number; signal: AbortSignal; timeoutSeconds: number },
  ) => {
    const buffer: WatchEvent<KubeObject>[] = [];
    let failure: Error | undefined;
    let isOver = false;
    let wake = (): void => undefined;
    let readyAtMs = 0;
    const watch: Watch = {
      plural,
      push: (event) => {
        readyAtMs = Math.max(readyAtMs, clock.monotonic() + cluster.watchMs(plural));
        clock.after(readyAtMs - clock.monotonic(), () => {
          buffer.push(event);
          wake();
        });
      },
      fail: (error) => {
        failure = error;
        watches.delete(watch);
        wake();
      },
    };
    for (const stored of history.get(plural) ?? []) {
      if (stored.version > from) watch.push(stored.event);
    }
    watches.add(watch);
    const unlisten = onAbort(signal, () => watch.fail(signal.reason as Error));
    const forget = clock.after(timeoutSeconds * 1000, () => {
      isOver = true;
      wake();
    });
    return (async function* events(): AsyncGenerator<WatchEvent<KubeObject>> {
      try {
        for (;;) {
          if (failure !== undefined) throw failure;
          const event = buffer.shift();
          if (event !== undefined) yield event;
          else if (isOver) return;
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        forget();
        unlisten();
        watches.delete(watch);
      }
    })();
  };

  const patched = (plural: string, name: string, patch: Patch, subresource?: string) => {
    const path = pathOf(plural, name);
    const before = objects.get(path);
    if (before === undefined) throw notFound(path);
    const wanted = applyPatch(path, before, patch);
    const given = wanted.metadata.resourceVersion;
    if (given !== before.metadata.resourceVersion) throw conflict(path);
    return store(
      plural,
      subresource === 'status' ? statusFrom(before, wanted) : specFrom(plural, before, wanted),
    );
  };

  const connect = (by: string, faults: Faults = {}): Connection => {
    let isCut = false;
    const never = <T>(): Promise<T> => new Promise<T>(() => undefined);
    /** One call: under way, carried out, answered; cut off anywhere between. */
    const call = async <T>(
      shape: Omit<Call, 'by' | 'atMs'>,
      signal: AbortSignal,
      carryOut: () => T,
    ): Promise<T> => {
      if (isCut) return never();
      await clock.sleep(answerMs / 2, signal);
      if (isCut) return never();
      const made: Call = { ...shape, by, atMs: clock.monotonic() };
      calls.push(made);
      if (missing.has(shape.plural)) throw notFound(`the API of ${shape.plural}`);
      faults.before?.(made);
      const before = objects.get(pathOf(shape.plural, shape.name));
      const answer = carryOut();
      if (['create', 'patch', 'delete'].includes(shape.verb)) {
        const write: Write = { ...made, before, after: answer as KubeObject };
        writes.push(write);
        cluster.onWrite(write);
        faults.after?.(write);
      }
      if (isCut) return never();
      await clock.sleep(answerMs / 2, new AbortController().signal);
      return isCut ? never() : structuredClone(answer);
    };
    const client: KubeClient = {
      get: ({ plural }, { name }, { signal }) =>
        call({ verb: 'get', plural, name }, signal, () => {
          const found = objects.get(pathOf(plural, name));
          if (found === undefined) throw notFound(pathOf(plural, name));
          return found as never;
        }),
      list: ({ plural }, { signal }) =>
        call({ verb: 'list', plural, name: '' }, signal, () => ({
          items: [...objects]
            .filter(([path]) => path.startsWith(`${plural}/`))
            .map(([, object]) => object as never),
          resourceVersion: String(version),
          continueToken: undefined,
        })),
      create: ({ plural }, object, { signal }) =>
        call({ verb: 'create', plural, name: object.metadata.name }, signal, () => {
          const path = pathOf(plural, object.metadata.name);
          if (objects.has(path)) {
            throw new ApiError(`${path} exists`, { code: 409, reason: 'AlreadyExists' });
          }
          return store(plural, created(object)) as never;
        }),
      patch: ({ plural }, { name }, patch, { signal, subresource }) => {
        const shape = { verb: 'patch', plural, name, ...(subresource && { subresource }) } as const;
        return call(shape, signal, () => patched(plural, name, patch, subresource) as never);
      },
      delete: ({ plural }, { name }, { signal }) =>
        call({ verb: 'delete', plural, name }, signal, () => {
          const found = objects.get(pathOf(plural, name));
          if (found === undefined) throw notFound(pathOf(plural, name));
          erase(plural, found);
        }),
      watch: async ({ plural }, { signal, resourceVersion, timeoutSeconds }) => {
        const from = Number(resourceVersion);
        await call({ verb: 'watch', plural, name: '' }, signal, () => {
          if (from >= compactedAt) return;
          throw new ApiError('too old', { code: 410, reason: 'Expired' });
        });
        return watchesOf(plural, { from, signal, timeoutSeconds }) as never;
      },
      close: () => undefined,
    };
    return { client, cut: () => void (isCut = true) };
  };

  const cluster: FakeCluster = {
    connect,
    calls,
    writes,
    missing,
    onWrite: () => undefined,
    watchMs: () => 3,
    podMs: () => 1_000,
    read: ({ plural }, name) => objects.get(pathOf(plural, name)) as never,
    put: ({ plural }, object) => void store(plural, created(object)),
    edit: ({ plural }, name, change) => {
      const found = objects.get(pathOf(plural, name));
      if (found === undefined) throw notFound(pathOf(plural, name));
      store(plural, change(found as never));
    },
    remove: ({ plural }, name) => {
      const found = objects.get(pathOf(plural, name));
      if (found === undefined) return;
      const deletionTimestamp = new Date(clock.now()).toISOString();
      store(plural, { ...found, metadata: { ...found.metadata, deletionTimestamp } });
    },
    releasePods: () => {
      for (const [path, object] of objects) {
        if (!path.startsWith(`${deployments.plural}/`)) continue;
        store(deployments.plural, rolledOut(object as Deployment));
      }
    },
    breakWatches: () => {
      const broken = new ApiError('connection reset', { code: 0, reason: 'ECONNRESET' });
      for (const watch of watches) watch.fail(broken);
    },
    compact: () => {
      compactedAt = version;
      history.clear();
    },
  };
  return cluster;
}

const created = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, namespace },
});

function applyPatch(path: string, before: KubeObject, patch: Patch): KubeObject {
  switch (patch.type) {
    case 'merge': {
      const merged: unknown = applyMergePatch(before as unknown as Json, patch.body as Json);
      return merged as KubeObject;
    }
    case 'json':
      try {
        const copy = structuredClone(before);
        return jsonpatch.applyPatch(copy, [...patch.body] as never, true).newDocument;
      } catch (error) {
        throw new ApiError(`${path}: ${String(error)}`, { code: 422, reason: 'Invalid' });
      }
    case 'apply':
      throw new Error('server-side apply is not imitated');
  }
}

type WithStatus = KubeObject & { readonly spec?: unknown; readonly status?: unknown };

function statusFrom(before: WithStatus, wanted: WithStatus): KubeObject {
  const { status } = wanted;
  return { ...before, ...(status === undefined ? {} : { status }) };
}

function specFrom(plural: string, before: WithStatus, wanted: WithStatus): KubeObject {
  if (!withStatus.has(plural)) return wanted;
  const { status: _, ...others } = wanted;
  return { ...others, ...(before.status === undefined ? {} : { status: before.status }) };
}

function nextGeneration(before: WithStatus | undefined, after: WithStatus): number {
  const { generation = 1 } = before?.metadata ?? {};
  return before === undefined || isDeepStrictEqual(before.spec, after.spec)
    ? generation
    : generation + 1;
}

const isDeletable = ({ metadata }: KubeObject): boolean =>
  metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0;

const isRolledOut = ({ metadata, spec, status }: Deployment): boolean =>
  status?.observedGeneration === metadata.generation &&
  (status?.availableReplicas ?? 0) === (spec.replicas ?? 1);

function rolledOut(deployment: Deployment): Deployment {
  const { metadata, spec } = deployment;
  const replicas = spec.replicas ?? 1;
  const { generation: observedGeneration = 1 } = metadata;
  const counts = {
    updatedReplicas: replicas,
    readyReplicas: replicas,
    availableReplicas: replicas,
  };
  return { ...deployment, status: { observedGeneration, replicas, ...counts } };
}
