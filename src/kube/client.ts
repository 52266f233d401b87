/**
 * Calls of the Kubernetes API, by resource. Objects are plain JSON both ways: nothing is converted,
 * so that no field is lost which this house does not know.
 *
 * There is no update: who replaces a whole object deletes what others added since it was read.
 */
import type { KubeObject, NamespacedName } from '../api/kubernetes.ts';
import { ApiError, apiErrorFrom } from './api-error.ts';
import type { Clock } from './clock.ts';
import type { KubeConnection } from './config.ts';
import { jsonLines } from './json-lines.ts';
import { createRateLimiter } from './rate-limiter.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { apiVersionOf, pathOf } from './resources.ts';
import type { Resource } from './resources.ts';
import { createTransport } from './transport.ts';
import type { CallListener, Transport, TransportRequest } from './transport.ts';

/** One operation of RFC 6902. */
export type JsonPatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly from: string; readonly path: string };

export type Patch =
  /** RFC 7386. With `metadata.resourceVersion` in it, it is refused once somebody else wrote. */
  | { readonly type: 'merge'; readonly body: object }
  | { readonly type: 'json'; readonly body: readonly JsonPatchOperation[] }
  /** Server-side apply. `force` takes fields over from other managers. */
  | { readonly type: 'apply'; readonly body: object; readonly force: boolean };

export interface ListPage<T> {
  readonly items: readonly T[];
  /** The version of the whole list, to watch from. */
  readonly resourceVersion: string;
  /** Asks for the next page; undefined on the last. */
  readonly continueToken: string | undefined;
}

export interface CallOptions {
  readonly signal: AbortSignal;
}

interface Selection {
  /** All namespaces where absent. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Objects come as apiVersion, kind and metadata only (`PartialObjectMetadata`). */
  readonly metadataOnly?: boolean | undefined;
}

export interface ListOptions extends CallOptions, Selection {
  readonly limit?: number | undefined;
  readonly continueToken?: string | undefined;
}

export interface WatchOptions extends CallOptions, Selection {
  readonly resourceVersion: string;
  /** After so long the server ends the watch in good order. */
  readonly timeoutSeconds: number;
}

export type WatchEvent<T> =
  | { readonly kind: 'Applied'; readonly object: T }
  /** The object as it was last, with the resource version of its deletion. */
  | { readonly kind: 'Deleted'; readonly object: T }
  /** Everything up to this version has been sent. */
  | { readonly kind: 'Bookmark'; readonly resourceVersion: string };

export interface PatchOptions extends CallOptions {
  readonly subresource?: 'status' | 'scale';
}

export interface DeleteOptions extends CallOptions {
  /** Refuse (409) where the object of that name is another one by now. */
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly propagation?: 'Foreground' | 'Background' | 'Orphan';
}

/**
 * Every method rejects with an `ApiError`, or with the signal's reason once it aborted. An aborted
 * or timed-out write may have been carried out.
 */
export interface KubeClient {
  get<T extends KubeObject>(
    resource: Resource<T>,
    key: NamespacedName,
    options: CallOptions,
  ): Promise<T>;
  /** One page: go on while it has a `continueToken`. */
  list<T extends KubeObject>(resource: Resource<T>, options: ListOptions): Promise<ListPage<T>>;
  create<T extends KubeObject>(resource: Resource<T>, object: T, options: CallOptions): Promise<T>;
  /** Answers what the path answers: with `subresource: 'scale'` that is a `Scale`, not a `T`. */
  patch<T extends KubeObject>(
    resource: Resource<T>,
    key: NamespacedName,
    patch: Patch,
    options: PatchOptions,
  ): Promise<T>;
  delete<T extends KubeObject>(
    resource: Resource<T>,
    key: NamespacedName,
    options: DeleteOptions,
  ): Promise<void>;
  /**
   * Resolves when the watch is open. The events end when the server ends the watch in good order,
   * and throw an `ApiError` when it says so (410) or the connection breaks.
   */
  watch<T extends KubeObject>(
    resource: Resource<T>,
    options: WatchOptions,
  ): Promise<AsyncIterable<WatchEvent<T>>>;
  /** Closes idle connections and refuses further calls; those in flight go on. */
  close(): void;
}

export interface KubeClientOptions {
  /** Calls a second in each lane; 0 or less is without limit. */
  readonly qps: number;
  /** Calls of each lane that may go at once. */
  readonly burst: number;
  readonly userAgent: string;
  readonly clock: Clock;
  /** Told of every request that was sent, at its end (of a watch: at its beginning). */
  readonly onCall: CallListener;
  /** Told of each warning that comes with an answer. */
  readonly onWarning?: (text: string) => void;
}

/** What `metadata.managedFields` calls us. */
export const fieldManager = 'aviary';

const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

export function createKubeClient(
  connection: KubeConnection,
  options: KubeClientOptions,
): KubeClient {
  return clientOver(createTransport(connection, options), options);
}

/** A client whose calls go another way than HTTP. */
export function clientOver(
  transport: Transport,
  options: Pick<KubeClientOptions, 'qps' | 'burst' | 'clock'>,
): KubeClient {
  const lanes = createLanes(options);

  const send = async <T extends KubeObject>(
    resource: Resource<T>,
    request: Request,
  ): Promise<unknown> =>
    transport.call({ ...request, resource: resource.plural, limiter: lanes(resource) });

  return {
    get: async (resource, key, { signal }) => {
      const path = pathOf(resource, key);
      return typed(resource, await send(resource, { ...reading, verb: 'get', path, signal }));
    },
    list: async (resource, options) =>
      pageOf(resource, await send(resource, listRequest(resource, options))),
    create: async (resource, object, options) =>
      created(resource, object, await send(resource, createRequest(resource, object, options))),
    patch: async (resource, key, patch, options) => {
      const answer = await send(resource, patchRequest(resource, { key, patch, ...options }));
      return options.subresource === 'scale' ? (answer as never) : typed(resource, answer);
    },
    delete: async (resource, key, options) => {
      await send(resource, deleteRequest(resource, key, options));
    },
    watch: async (resource, options) => {
      const request = watchRequest(resource, options);
      const chunks = await transport.stream({
        ...request,
        resource: resource.plural,
        limiter: lanes(resource),
      });
      return watchEvents(resource, chunks);
    },
    close: () => transport.close(),
  };
}

type Request = Omit<TransportRequest, 'resource' | 'limiter'>;

const reading = { method: 'GET', repeatable: true } as const;

function listRequest(resource: Resource<KubeObject>, options: ListOptions): Request {
  const query = queryOf(options, { limit: options.limit, continue: options.continueToken });
  return {
    ...reading,
    verb: 'list',
    path: `${pathOf(resource, { namespace: options.namespace })}${query}`,
    accept: acceptOf('PartialObjectMetadataList', options),
    signal: options.signal,
  };
}

function watchRequest(resource: Resource<KubeObject>, options: WatchOptions): Request {
  const query = queryOf(options, {
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: options.resourceVersion,
    timeoutSeconds: options.timeoutSeconds,
  });
  return {
    ...reading,
    verb: 'watch',
    path: `${pathOf(resource, { namespace: options.namespace })}${query}`,
    accept: acceptOf('PartialObjectMetadata', options),
    signal: options.signal,
  };
}

function createRequest(
  resource: Resource<KubeObject>,
  object: KubeObject,
  { signal }: CallOptions,
): Request {
  const path = pathOf(resource, { namespace: object.metadata.namespace });
  return {
    verb: 'create',
    method: 'POST',
    path: `${path}?fieldManager=${fieldManager}`,
    body: JSON.stringify(object),
    repeatable: false,
    signal,
  };
}

function patchRequest(
  resource: Resource<KubeObject>,
  { key, patch, subresource, signal }: PatchOptions & { key: NamespacedName; patch: Patch },
): Request {
  const path = pathOf(resource, subresource === undefined ? key : { ...key, subresource });
  const force = patch.type === 'apply' && patch.force ? '&force=true' : '';
  return {
    verb: 'patch',
    method: 'PATCH',
    path: `${path}?fieldManager=${fieldManager}${force}`,
    contentType: patchTypes[patch.type],
    body: JSON.stringify(patch.body),
    repeatable: isRepeatable(patch),
    signal,
  };
}

function deleteRequest(
  resource: Resource<KubeObject>,
  key: NamespacedName,
  { signal, uid, resourceVersion, propagation }: DeleteOptions,
): Request {
  return {
    verb: 'delete',
    method: 'DELETE',
    path: pathOf(resource, key),
    body: JSON.stringify({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid, resourceVersion },
      propagationPolicy: propagation,
    }),
    // Without a precondition, a repetition could delete the successor of the same name.
    repeatable: uid !== undefined || resourceVersion !== undefined,
    signal,
  };
}

/** Built-in groups that do not end in `.k8s.io`. */
const builtInGroups: ReadonlySet<string> = new Set(['', 'apps', 'autoscaling', 'batch', 'policy']);

/**
 * A bucket of tokens for each client that the reference has: Kubernetes' own kinds, `flagger.app`,
 * the mesh. Events have one of their own, so that no burst of them delays a shift of traffic; and
 * leases, so that no burst at all delays a renewal.
 */
function createLanes(
  options: Pick<KubeClientOptions, 'qps' | 'burst' | 'clock'>,
): (resource: Resource<KubeObject>) => RateLimiter {
  const lane = (): RateLimiter => createRateLimiter(options);
  const lanes = { builtIn: lane(), canaries: lane(), mesh: lane(), events: lane(), leases: lane() };
  return ({ group, plural }) => {
    if (plural === 'events') return lanes.events;
    if (plural === 'leases') return lanes.leases;
    if (group === 'flagger.app') return lanes.canaries;
    const isBuiltIn = builtInGroups.has(group) || isKubernetesOwn(group);
    return isBuiltIn ? lanes.builtIn : lanes.mesh;
  };
}

/** `gateway.networking.k8s.io` is a mesh's, though it is of the same project. */
function isKubernetesOwn(group: string): boolean {
  return group.endsWith('.k8s.io') && group !== 'gateway.networking.k8s.io';
}

/**
 * Whether sending it twice does no more than sending it once. A merge patch and an apply say what
 * shall be; where they carry a resource version, the second is a conflict and the caller looks
 * again. A JSON Patch may append, so it needs that test.
 */
function isRepeatable(patch: Patch): boolean {
  if (patch.type !== 'json') return true;
  const [first] = patch.body;
  return first?.op === 'test' && first.path === '/metadata/resourceVersion';
}

function acceptOf(kind: string, { metadataOnly }: Selection): string {
  return metadataOnly === true
    ? `application/json;as=${kind};g=meta.k8s.io;v=v1`
    : 'application/json';
}

function queryOf(
  { labelSelector, fieldSelector }: Selection,
  others: Readonly<Record<string, string | number | undefined>>,
): string {
  const pairs = Object.entries({ ...others, labelSelector, fieldSelector }).flatMap(
    ([key, value]) =>
      value === undefined || value === '' ? [] : [`${key}=${encodeURIComponent(value)}`],
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

/** A review is answered and not stored: it has no name, neither before nor after. */
function created<T extends KubeObject>(resource: Resource<T>, sent: T, answer: unknown): T {
  if (sent.metadata.name !== '') return typed(resource, answer);
  const object = (answer ?? {}) as T;
  return typed(resource, { ...object, metadata: { ...object.metadata, name: '' } });
}

/** Items of lists come without kind and apiVersion, and partial objects with foreign ones. */
function typed<T extends KubeObject>(resource: Resource<T>, answer: unknown): T {
  const object = answer as T | null | undefined;
  if (typeof object?.metadata?.name !== 'string') {
    throw badAnswer(resource, 'the answer is not an object with a name');
  }
  return { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind };
}

function pageOf<T extends KubeObject>(resource: Resource<T>, answer: unknown): ListPage<T> {
  const list = answer as {
    readonly items?: readonly unknown[] | null;
    readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  } | null;
  const resourceVersion = list?.metadata?.resourceVersion;
  if (typeof resourceVersion !== 'string') {
    throw badAnswer(resource, 'the answer is not a list with a resource version');
  }
  const token = list?.metadata?.continue;
  return {
    items: (list?.items ?? []).map((item) => typed(resource, item)),
    resourceVersion,
    continueToken: token === '' ? undefined : token,
  };
}

async function* watchEvents<T extends KubeObject>(
  resource: Resource<T>,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<WatchEvent<T>> {
  for await (const line of jsonLines(chunks)) {
    const { type, object } = line as { readonly type?: unknown; readonly object?: unknown };
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
        yield { kind: 'Applied', object: typed(resource, object) };
        break;
      case 'DELETED':
        yield { kind: 'Deleted', object: typed(resource, object) };
        break;
      case 'BOOKMARK': {
        const bookmark = object as KubeObject | undefined;
        const resourceVersion = bookmark?.metadata?.resourceVersion;
        if (resourceVersion !== undefined) yield { kind: 'Bookmark', resourceVersion };
        break;
      }
      case 'ERROR':
        throw apiErrorFrom(`watch ${resource.plural}`, { code: 0, body: object });
      default:
        throw badAnswer(resource, `the watch sent an event of type ${String(type)}`);
    }
  }
}

function badAnswer(resource: Resource<KubeObject>, message: string): ApiError {
  return new ApiError(`${resource.plural}: ${message}`, { code: 0, reason: 'BadAnswer' });
}
