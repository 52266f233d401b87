/**
 * The API server's HTTP interface, without the HTTP: a request as a value, an answer as a value.
 * `http.ts` serves it to others, `in-process.ts` to clients in this process.
 */
import type { Json } from '../api/kubernetes.ts';
import type { Clock } from '../kube/clock.ts';
import type { Form } from './accept.ts';
import { formOf } from './accept.ts';
import type { ApiServer } from './api-server.ts';
import { parseBody } from './body.ts';
import type { ObjectList } from './list.ts';
import { checkWatch, list, matchOf, tooLarge, versionOf } from './list.ts';
import type { ObjectStore } from './object-store.ts';
import type { ResourceRegistry } from './registry.ts';
import type { ResourceType, StoredObject } from './resource-type.ts';
import { apiVersionOf, groupResourceOf } from './resource-type.ts';
import type { Encode, Presentation } from './rest-encode.ts';
import { createEncoder, json, refusal } from './rest-encode.ts';
import type { RestPath } from './rest-path.ts';
import { parsePath } from './rest-path.ts';
import type { RestAnswer, RestRequest } from './rest-request.ts';
import {
  conditionOf,
  includeObjectOf,
  isTrue,
  listQueryOf,
  numberOf,
  writingOf,
} from './rest-request.ts';
import { noSuchPath, notAllowed, StatusError } from './status-error.ts';
import { watch } from './watch.ts';
import type { Target } from './writing.ts';

export interface RestOptions {
  readonly clock: Clock;
  readonly store: ObjectStore;
  readonly registry: ResourceRegistry;
  readonly server: ApiServer;
  readonly presentation: Presentation;
}

export type Rest = (request: RestRequest) => Promise<RestAnswer>;

/** Where a watch names no end. */
const watchSecondsDefault = 1_800;

export function createRest(options: RestOptions): Rest {
  const encode = createEncoder(options.presentation);
  return async (request) => {
    const warnings: string[] = [];
    try {
      return await answer({ ...options, encode }, request, warnings);
    } catch (error) {
      return refusal(error, warnings);
    }
  };
}

interface Context extends RestOptions {
  readonly encode: Encode;
}

async function answer(
  context: Context,
  request: RestRequest,
  warnings: string[],
): Promise<RestAnswer> {
  const path = parsePath(request.path);
  if (path === undefined) return document(context, request);
  const type = context.registry.find(path.group, path.version, path.plural);
  if (type === undefined) throw noSuchPath();
  if (path.namespace !== undefined && !type.namespaced) throw noSuchPath();
  if (path.subresource !== '' && !hasSubresource(type, path.subresource)) throw noSuchPath();
  return path.name === undefined
    ? answerCollection(context, request, { type, path, warnings })
    : answerObject(context, request, { type, path, name: path.name, warnings });
}

function document({ presentation }: Context, request: RestRequest): RestAnswer {
  const found = presentation.document(request.path, request.accept);
  if (found === undefined) return noSuchDocument;
  if (request.method !== 'GET') throw notAllowed();
  return { kind: 'Whole', code: 200, warnings: [], ...found };
}

const noSuchDocument: RestAnswer = {
  kind: 'Whole',
  code: 404,
  contentType: 'text/plain; charset=utf-8',
  body: '404 page not found\n',
  warnings: [],
};

function hasSubresource(type: ResourceType, subresource: string): boolean {
  switch (subresource) {
    case 'status':
      return type.hasStatus;
    case 'scale':
      return type.scale !== undefined;
    case 'finalize':
      return type.group === '' && type.plural === 'namespaces';
    default:
      return false;
  }
}

interface Asked {
  readonly type: ResourceType;
  readonly path: RestPath;
  readonly warnings: string[];
}

async function answerCollection(
  context: Context,
  request: RestRequest,
  asked: Asked,
): Promise<RestAnswer> {
  const { type, path, warnings } = asked;
  switch (request.method) {
    case 'GET':
      if (type.answer !== undefined) throw notAllowed();
      return isTrue(request.query.get('watch'))
        ? watched(context, request, asked)
        : listed(context, request, asked);
    case 'POST': {
      if (type.namespaced && path.namespace === undefined) throw notAllowed();
      const body = parseBody(request.contentType, request.body);
      const as = writingOf(request, warnings);
      const object = await context.server.create(type, path.namespace ?? '', body, as);
      return whole(context, request, asked, object, 201);
    }
    case 'DELETE': {
      if (type.namespaced && path.namespace === undefined) throw notAllowed();
      const found = list(context.store, type, listQueryOf(request, path));
      const condition = conditionOf(request);
      for (const { metadata } of found.items) {
        const key = { namespace: metadata.namespace ?? '', name: metadata.name };
        await context.server.delete(
          { type, key, subresource: '' },
          condition,
          writingOf(request, warnings),
        );
      }
      return listAnswer(context, request, asked, found);
    }
    default:
      throw notAllowed();
  }
}

async function answerObject(
  context: Context,
  request: RestRequest,
  asked: Asked & { readonly name: string },
): Promise<RestAnswer> {
  const { type, path, warnings } = asked;
  const { server } = context;
  const key = { namespace: path.namespace ?? '', name: asked.name };
  const target: Target = { type, key, subresource: path.subresource };
  const as = writingOf(request, warnings);
  switch (request.method) {
    case 'GET':
      if (isTrue(request.query.get('watch'))) {
        const only = new URLSearchParams(request.query);
        only.set('fieldSelector', `metadata.name=${asked.name}`);
        return watched(context, { ...request, query: only }, asked);
      }
      return whole(context, request, asked, server.get(target));
    case 'PUT': {
      const body = parseBody(request.contentType, request.body);
      return whole(context, request, asked, await server.update(target, body, as));
    }
    case 'PATCH': {
      const contentType = (request.contentType ?? '').split(';')[0]?.trim() ?? '';
      checkPatchType(type, contentType);
      const force = isTrue(request.query.get('force'));
      const patch = { contentType, body: request.body, force };
      const { object, isNew } = await server.patch(target, patch, as);
      return whole(context, request, asked, object, isNew ? 201 : 200);
    }
    case 'DELETE': {
      if (path.subresource !== '') throw notAllowed();
      const { object, isGone } = await server.delete(target, conditionOf(request), as);
      if (!isGone || isShownWhenDeleted(type)) return whole(context, request, asked, object);
      return json(200, JSON.stringify(success(type, object)), warnings);
    }
    default:
      throw notAllowed();
  }
}

const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];

function checkPatchType({ isCustom }: ResourceType, contentType: string): void {
  const accepted = patchTypes.filter((it) => !isCustom || !it.includes('strategic'));
  if (accepted.includes(contentType)) return;
  throw new StatusError(
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
    { code: 415, reason: 'UnsupportedMediaType' },
  );
}

/** Pods come back whole from their deletion; of others a `Status` tells it. */
const isShownWhenDeleted = ({ group, plural }: ResourceType): boolean =>
  group === '' && (plural === 'pods' || plural === 'services');

const success = ({ group, plural }: ResourceType, { metadata }: StoredObject): Json => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  details: {
    name: metadata.name,
    ...(group !== '' && { group }),
    kind: plural,
    uid: metadata.uid ?? '',
  },
});

function listed(context: Context, request: RestRequest, asked: Asked): RestAnswer {
  const found = list(context.store, asked.type, listQueryOf(request, asked.path));
  return listAnswer(context, request, asked, found);
}

function listAnswer(
  { encode, presentation }: Context,
  request: RestRequest,
  { type, warnings }: Asked,
  { items, resourceVersion, continueToken, remaining }: ObjectList,
): RestAnswer {
  const form = formOf(request.accept);
  const metadata = {
    resourceVersion,
    ...(continueToken !== '' && { continue: continueToken }),
    ...(remaining !== undefined && { remainingItemCount: remaining }),
  };
  if (form === 'Table') {
    const table = presentation.toTable(type, items, includeObjectOf(request)) as object;
    return json(200, JSON.stringify({ ...table, metadata }), warnings);
  }
  const isPartial = form === 'PartialObjectMetadata';
  const kind = isPartial ? 'PartialObjectMetadataList' : type.listKind;
  const apiVersion = isPartial ? 'meta.k8s.io/v1' : apiVersionOf(type);
  // Joined as text, because most objects are already there as text.
  const shape = form === 'Object' && !type.isCustom ? 'Item' : form;
  const texts = items.map((it) => encode(type, it, shape, ''));
  const head = JSON.stringify({ kind, apiVersion, metadata }).slice(0, -1);
  return json(200, `${head},"items":[${texts.join(',')}]}`, warnings);
}

function watched(
  context: Context,
  request: RestRequest,
  { type, path, warnings }: Asked,
): RestAnswer {
  const { store, clock, encode } = context;
  const query = listQueryOf(request, path);
  checkWatch(query);
  const form = formOf(request.accept);
  const from = versionOf(query.resourceVersion);
  if (from !== undefined && from > store.version()) throw tooLarge(from, store.version());
  const seconds = numberOf(request.query.get('timeoutSeconds')) ?? watchSecondsDefault;
  const bookmarked = { apiVersion: apiVersionOf(type), kind: type.kind };
  const lines = watch(store, clock, {
    groupResource: groupResourceOf(type),
    namespace: path.namespace,
    match: matchOf(type, query),
    from,
    isInitial: isTrue(request.query.get('sendInitialEvents')),
    bookmarks: isTrue(request.query.get('allowWatchBookmarks')),
    timeoutMs: seconds * 1000,
    signal: request.signal,
    encode: watchEncoder(encode, type, form, includeObjectOf(request)),
    bookmark: (version, isEndOfInitial) =>
      JSON.stringify({
        ...bookmarked,
        metadata: {
          resourceVersion: String(version),
          creationTimestamp: null,
          ...(isEndOfInitial && { annotations: { 'k8s.io/initial-events-end': 'true' } }),
        },
      }),
  });
  return { kind: 'Stream', lines, contentType: 'application/json', warnings };
}

/** Of the tables of a watch, only the first names the columns. */
function watchEncoder(
  encode: Encode,
  type: ResourceType,
  form: Form,
  includeObject: string,
): (object: StoredObject) => string {
  let isFirst = true;
  return (object) => {
    const text = encode(type, object, form, includeObject);
    if (form !== 'Table' || isFirst) {
      isFirst = false;
      return text;
    }
    return JSON.stringify({ ...(JSON.parse(text) as object), columnDefinitions: null });
  };
}

function whole(
  { encode }: Context,
  request: RestRequest,
  { type, warnings }: Asked,
  object: StoredObject,
  code = 200,
): RestAnswer {
  const form = object.kind === type.kind ? formOf(request.accept) : 'Object';
  return json(code, encode(type, object, form, includeObjectOf(request)), warnings);
}
