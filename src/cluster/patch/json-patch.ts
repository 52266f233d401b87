/**
 * JSON Patch (RFC 6902) as the API server applies it, and JSON merge patch. fast-json-patch does the
 * operations; what the server refuses, and how it says so, is here. It is more lenient than the RFC:
 * `replace` sets a field that is not there, and indices below zero count from the end.
 * Rules: gopkg.in/evanphx/json-patch.v4, `patch.go`; k8s.io/apiserver, `endpoints/handlers/patch.go`.
 */
import jsonpatch from 'fast-json-patch';
import type { Operation } from 'fast-json-patch';
import type { Json } from '../../api/kubernetes.ts';
import { applyMergePatch } from '../../kube/merge-patch.ts';
import { isEqual } from '../json.ts';
import { badRequest, StatusError } from '../status-error.ts';
import type { JsonList, JsonObject } from './shape.ts';
import { isList, isObject } from './shape.ts';

const operationsMax = 10_000;

/** The object is not changed. Throws a `StatusError`: 400, 413 or 422. */
export function applyJsonPatch(object: JsonObject, body: string): Json {
  const operations = parseOperations(body);
  if (operations.length > operationsMax) {
    const message = `Request entity too large: The allowed maximum operations in a JSON patch is ${operationsMax}, got ${operations.length}`;
    throw new StatusError(message, { code: 413, reason: 'RequestEntityTooLarge', details: {} });
  }
  let document = jsonpatch.deepClone(object) as Json;
  for (const operation of operations) document = applied(document, operation);
  return document;
}

/** JSON merge patch, in the words of the API server where it is none. */
export function applyMergePatchBody(object: JsonObject, body: string): Json {
  const patch = parseJson(body, 'error decoding patch: ');
  if (patch === null) throw badRequest('Invalid JSON Patch');
  if (!isObject(patch)) {
    throw badRequest(`error decoding patch: ${mismatch(patch, 'map[string]interface {}')}`);
  }
  return applyMergePatch(object, patch);
}

/** Throws a `StatusError` (400) that starts with the prefix. */
export function parseJson(body: string, prefix: string): Json {
  try {
    return JSON.parse(body) as Json;
  } catch (error) {
    const text = String(error);
    const isShort = body.trim() === '' || /end of JSON input|Expected|Unterminated/.test(text);
    throw badRequest(`${prefix}${isShort ? 'unexpected end of JSON input' : text}`);
  }
}

const mismatch = (value: Json, type: string): string =>
  `json: cannot unmarshal ${jsonTypeOf(value)} into Go value of type ${type}`;

const jsonTypeOf = (value: Json): string =>
  isList(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;

function parseOperations(body: string): readonly JsonObject[] {
  const patch = parseJson(body, 'error decoding patch: ');
  if (patch === null) return [];
  if (!isList(patch)) {
    throw badRequest(`error decoding patch: ${mismatch(patch, '[]handlers.jsonPatchOp')}`);
  }
  return patch.map((operation) => {
    if (isObject(operation)) return operation;
    if (operation === null) return {};
    throw badRequest(`error decoding patch: ${mismatch(operation, 'handlers.jsonPatchOp')}`);
  });
}

/** Whatever is wrong with an operation, the API server says no more than this. */
const refused = (): StatusError =>
  new StatusError('the server rejected our request due to an error in our request', {
    code: 422,
    reason: 'Invalid',
    details: {},
  });

function applied(document: Json, operation: JsonObject): Json {
  const { path, from, value = null } = operation;
  const op = typeof operation['op'] === 'string' ? operation['op'] : '';
  const target = placeOf(document, path);
  const source = placeOf(document, from);
  switch (op) {
    case 'test':
      if (!isEqual(found(document, path, target) ?? null, value)) throw refused();
      return document;
    case 'add':
      return apply(document, { op, path: pointerTo(target, 'end'), value });
    case 'replace':
      // As the server has it, what is not there is added.
      if (path === '') return isObject(value) || isList(value) ? value : refuse();
      return apply(document, { op, path: pointerTo(target, 'item'), value });
    case 'remove':
      return apply(document, { op, path: pointerTo(target, 'found') });
    case 'move':
      return apply(document, {
        op,
        from: pointerTo(source, 'found'),
        path: pointerTo(target, 'end'),
      });
    case 'copy':
      return apply(document, {
        op,
        from: pointerTo(source, 'item'),
        path: pointerTo(target, 'end'),
      });
    default:
      throw refused();
  }
}

function refuse(): never {
  throw refused();
}

function apply(document: Json, operation: Operation): Json {
  try {
    return jsonpatch.applyOperation(document, operation, false, true).newDocument;
  } catch {
    // The library touches no prototypes.
    throw refused();
  }
}

/** Where a pointer leads: the container, and what it is called in it. */
interface Place {
  readonly container: JsonObject | JsonList;
  readonly parent: string;
  readonly key: string;
}

function placeOf(document: Json, path: Json | undefined): Place | undefined {
  if (typeof path !== 'string' || !path.startsWith('/')) return undefined;
  const parts = path.split('/');
  let container: Json | undefined = document;
  let parent = '';
  for (const part of parts.slice(1, -1)) {
    parent += isList(container) ? `/${indexIn(container, part)}` : `/${part}`;
    container = childOf(container, unescaped(part));
  }
  if (!isObject(container) && !isList(container)) return undefined;
  return { container, parent, key: parts.at(-1) ?? '' };
}

function childOf(container: Json | undefined, key: string): Json | undefined {
  if (isObject(container)) return Object.hasOwn(container, key) ? container[key] : undefined;
  return isList(container) ? container[indexIn(container, key)] : undefined;
}

function found(document: Json, path: Json | undefined, place: Place | undefined): Json | undefined {
  if (path === '') return document;
  if (place === undefined) throw refused();
  const { container, key } = place;
  if (isList(container) && !(indexIn(container, key) < container.length)) throw refused();
  return childOf(container, unescaped(key));
}

/**
 * The pointer, with its index counted from the start. `found`: something must be there; `item`: of a
 * list, an item must be; `end`: of a list, the place after the last will do.
 */
function pointerTo(place: Place | undefined, need: 'found' | 'item' | 'end'): string {
  if (place === undefined) throw refused();
  const { container, parent, key } = place;
  if (isObject(container)) {
    if (need === 'found' && !Object.hasOwn(container, unescaped(key))) throw refused();
    return `${parent}/${key}`;
  }
  if (need === 'end' && key === '-') return `${parent}/-`;
  // A place is counted back from after the last item, an item from the last.
  const index = indexIn(container, key) + (need === 'end' && key.startsWith('-') ? 1 : 0);
  const end = need === 'end' ? container.length + 1 : container.length;
  if (!(index >= 0 && index < end)) throw refused();
  return `${parent}/${index}`;
}

/** Indices below zero count from the end; NaN of what is no index. */
function indexIn(list: JsonList, key: string): number {
  if (!/^[+-]?[0-9]+$/.test(key)) return Number.NaN;
  return key.startsWith('-') ? list.length + Number(key) : Number(key);
}

const unescaped = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~');
