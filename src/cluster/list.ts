/** Lists: selected, in pages that all show one moment. */
import type { StringMap } from '../api/kubernetes.ts';
import type { ObjectStore } from './object-store.ts';
import type { ResourceType, StoredObject } from './resource-type.ts';
import { groupResourceOf } from './resource-type.ts';
import type { FieldRequirement } from './selectors.ts';
import { parseLabelSelector } from './label-selector.ts';
import { fieldOf, parseFieldSelector } from './selectors.ts';
import type { FieldError } from './status-error.ts';
import { badRequest, expired, invalid, StatusError } from './status-error.ts';

export interface Selection {
  /** All namespaces where undefined. */
  readonly namespace: string | undefined;
  readonly labelSelector: string;
  readonly fieldSelector: string;
}

export interface ListQuery extends Selection {
  readonly limit: number;
  readonly continueToken: string;
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
  /** Of watches only. */
  readonly sendInitialEvents: string;
}

export interface ObjectList {
  readonly items: readonly StoredObject[];
  readonly resourceVersion: string;
  readonly continueToken: string;
  readonly remaining: number | undefined;
}

/** How options of a list are called where they are wrong. */
const listOptions = { group: 'meta.k8s.io', plural: '', kind: 'ListOptions' };

/** In place of a version in a token: a list that goes on with what there is now. */
const anyVersion = -1;

const pageIsGone =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';

export type ObjectMatch = (object: StoredObject) => boolean;

/** Throws a `StatusError` (400) for what is no selector, or selects by a field that none may. */
export function matchOf(type: ResourceType, selection: Selection): ObjectMatch {
  const { labelSelector, fieldSelector } = selection;
  if (labelSelector === '' && fieldSelector === '') return () => true;
  const labels = parseLabelSelector(labelSelector);
  const fields = parseFieldSelector(fieldSelector);
  for (const { path } of fields) checkSelectable(type, path);
  const none: StringMap = {};
  return (object) =>
    labels(object.metadata.labels ?? none) && fields.every((it) => holds(it, object));
}

const holds = ({ path, value, isEqual }: FieldRequirement, object: StoredObject): boolean =>
  (fieldOf(object, path) === value) === isEqual;

function checkSelectable(type: ResourceType, path: string): void {
  const known = ['metadata.name', ...(type.namespaced ? ['metadata.namespace'] : [])];
  if (known.includes(path) || type.selectableFields?.includes(path) === true) return;
  throw badRequest(
    type.isCustom || type.selectableFields !== undefined
      ? `field label not supported: ${path}`
      : `"${path}" is not a known field selector: only ${known.map((it) => `"${it}"`).join(', ')}`,
  );
}

export function list(store: ObjectStore, type: ResourceType, query: ListQuery): ObjectList {
  checkVersionMatch(query);
  const match = matchOf(type, query);
  const from = query.continueToken === '' ? undefined : parseToken(query.continueToken);
  const { version, objects } = snapshot(store, type, query, from);
  const start = from === undefined ? 0 : indexAfter(objects, from.after);
  const { limit } = query;
  const items: StoredObject[] = [];
  let next: StoredObject | undefined;
  let seen = start;
  for (; seen < objects.length; seen += 1) {
    const object = objects[seen];
    if (object === undefined || !match(object)) continue;
    if (limit > 0 && items.length === limit) {
      next = object;
      break;
    }
    items.push(object);
  }
  const last = items.at(-1);
  const isSelected = query.labelSelector !== '' || query.fieldSelector !== '';
  return {
    items,
    resourceVersion: String(version),
    continueToken: next === undefined || last === undefined ? '' : tokenOf(version, pathOf(last)),
    remaining: next === undefined || isSelected ? undefined : objects.length - seen,
  };
}

/** What a watch may ask for. Throws a `StatusError` (422). */
export function checkWatch({ resourceVersionMatch, sendInitialEvents }: ListQuery): void {
  const isMatch = resourceVersionMatch === 'NotOlderThan';
  if (sendInitialEvents === '' ? resourceVersionMatch === '' : isMatch) return;
  const why =
    sendInitialEvents === ''
      ? 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'
      : 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan';
  const field = 'resourceVersionMatch';
  const errors: FieldError[] = [
    { field, reason: 'FieldValueForbidden', message: `Forbidden: ${why}` },
  ];
  if (!isMatch && resourceVersionMatch !== '') {
    const message = `Unsupported value: "${resourceVersionMatch}": supported values: "NotOlderThan"`;
    errors.push({ field, reason: 'FieldValueNotSupported', message });
  }
  throw invalid(listOptions, '', errors);
}

function checkVersionMatch(query: ListQuery): void {
  const { resourceVersion, resourceVersionMatch, sendInitialEvents } = query;
  if (sendInitialEvents !== '') {
    const message = 'Forbidden: sendInitialEvents is forbidden for list';
    throw invalid(listOptions, '', [
      { field: 'sendInitialEvents', reason: 'FieldValueForbidden', message },
    ]);
  }
  if (resourceVersionMatch === '') return;
  const refused = (reason: FieldError['reason'], message: string): StatusError =>
    invalid(listOptions, '', [{ field: 'resourceVersionMatch', reason, message }]);
  if (!['Exact', 'NotOlderThan'].includes(resourceVersionMatch)) {
    const supported = 'supported values: "Exact", "NotOlderThan"';
    const message = `Unsupported value: "${resourceVersionMatch}": ${supported}`;
    throw refused('FieldValueNotSupported', message);
  }
  if (resourceVersion === '' || (resourceVersion === '0' && resourceVersionMatch === 'Exact')) {
    const why =
      resourceVersion === ''
        ? 'resourceVersionMatch is forbidden unless resourceVersion is provided'
        : 'resourceVersionMatch "Exact" is forbidden for resourceVersion "0"';
    throw refused('FieldValueForbidden', `Forbidden: ${why}`);
  }
}

interface Snapshot {
  readonly version: number;
  readonly objects: readonly StoredObject[];
}

function snapshot(
  store: ObjectStore,
  type: ResourceType,
  { namespace, resourceVersion, resourceVersionMatch }: ListQuery,
  from: Continuation | undefined,
): Snapshot {
  const groupResource = groupResourceOf(type);
  const now = store.version();
  const wanted =
    from === undefined
      ? versionOf(resourceVersion)
      : from.version === anyVersion
        ? undefined
        : from.version;
  if (wanted !== undefined && wanted > now) throw tooLarge(wanted, now);
  const isExact = from !== undefined || resourceVersionMatch === 'Exact';
  if (!isExact || wanted === undefined || wanted === now) {
    return { version: now, objects: store.list(groupResource, namespace) };
  }
  const objects = store.listAt(groupResource, wanted, namespace);
  if (objects !== undefined) return { version: wanted, objects };
  if (from === undefined) throw expired('The resourceVersion for the provided list is too old.');
  throw new StatusError(pageIsGone, {
    code: 410,
    reason: 'Expired',
    continueToken: tokenOf(anyVersion, from.after),
  });
}

/** Undefined where any version is as good. */
export function versionOf(text: string): number | undefined {
  if (text === '' || text === '0') return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw badRequest(
    `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}

/** Somebody has seen what this server has not: its storage was put back. */
export function tooLarge(wanted: number, now: number): StatusError {
  return new StatusError(`Too large resource version: ${wanted}, current: ${now}`, {
    code: 504,
    reason: 'Timeout',
    details: {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
    retryAfterSeconds: 1,
  });
}

const pathOf = ({ metadata: { namespace = '', name } }: StoredObject): string =>
  `${namespace}/${name}`;

interface Continuation {
  readonly version: number;
  /** The last object of the page before. */
  readonly after: string;
}

function tokenOf(version: number, after: string): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, after })).toString(
    'base64url',
  );
}

function parseToken(token: string): Continuation {
  try {
    const { rv, after } = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as {
      readonly rv?: unknown;
      readonly after?: unknown;
    };
    if (typeof rv === 'number' && typeof after === 'string') return { version: rv, after };
  } catch {
    // Said below, without the token.
  }
  throw badRequest('continue key is not valid');
}

function indexAfter(objects: readonly StoredObject[], after: string): number {
  const found = objects.findIndex((it) => pathOf(it) > after);
  return found === -1 ? objects.length : found;
}
