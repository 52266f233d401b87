/** From what a user sent to an object of the kind; and whether it is about the object it says. */
import type { NamespacedName } from '../api/kubernetes.ts';
import type { FullMeta } from './metadata.ts';
import type { ObjectStore } from './object-store.ts';
import type { ResourceType, StoredObject } from './resource-type.ts';
import { apiVersionOf, groupResourceOf } from './resource-type.ts';
import { badRequest, conflict, invalid, notFound, StatusError } from './status-error.ts';
import type { Documents, Target, Writing } from './writing.ts';

/** A body as an object of the kind: what it says of its kind must be true. */
export function decoded(
  type: ResourceType,
  body: unknown,
  as: Writing,
  { prune }: Pick<Documents, 'prune'>,
  form: 'Body' | 'Patch' = 'Body',
): StoredObject {
  const given = body as StoredObject;
  const apiVersion = apiVersionOf(type);
  const version = given.apiVersion ?? (type.isCustom ? '' : apiVersion);
  const kind = given.kind ?? type.kind;
  if (version !== apiVersion) {
    throw badRequest(
      `the API version in the data (${version}) does not match the expected API version (${apiVersion})`,
    );
  }
  if (kind !== type.kind) {
    throw badRequest(
      `${kind} in version "${type.version}" cannot be handled as a ${type.kind}: no kind "${kind}" is registered for version "${apiVersion}"`,
    );
  }
  const { object, unknown } = prune(type, given);
  if (unknown.length > 0 && as.fieldValidation === 'Strict') {
    throw unknownFields(type, given, unknown, form);
  }
  if (as.fieldValidation === 'Warn') {
    for (const path of unknown) as.warn(`unknown field "${path}"`);
  }
  const { metadata } = object as { readonly metadata?: Partial<FullMeta> };
  if (metadata?.name !== undefined && object.apiVersion === apiVersion && object.kind === kind) {
    return object;
  }
  return { ...object, apiVersion, kind, metadata: { name: '', ...metadata } };
}

/** What cannot be read is the patch's fault where a patch made it. */
export function asPatchError(patched: StoredObject, error: unknown): unknown {
  if (!(error instanceof StatusError) || error.code !== 400) return error;
  const why = / cannot be handled as a \w+: (.*)$/s.exec(error.message)?.[1];
  if (why === undefined) return error;
  const message = `Invalid value: ${JSON.stringify(JSON.stringify(patched))}: ${why}`;
  return unpatchable(message);
}

const unpatchable = (message: string): StatusError =>
  invalid({ group: '', plural: '', kind: '' }, '', [
    { field: 'patch', reason: 'FieldValueInvalid', message },
  ]);

function unknownFields(
  { kind, version }: ResourceType,
  given: StoredObject,
  unknown: readonly string[],
  form: 'Body' | 'Patch',
): StatusError {
  const list = unknown.map((path) => `unknown field "${path}"`).join(', ');
  const error = `strict decoding error: ${list}`;
  if (form === 'Patch') {
    return unpatchable(`Invalid value: ${JSON.stringify(JSON.stringify(given))}: ${error}`);
  }
  return badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${error}`);
}

export function checkName(type: ResourceType, key: NamespacedName, object: StoredObject): void {
  const { name, namespace } = object.metadata;
  if (name !== key.name) {
    throw badRequest(
      `the name of the object (${name}) does not match the name on the URL (${key.name})`,
    );
  }
  checkNamespace(type, key.namespace, namespace);
}

export function checkNamespace(
  type: ResourceType,
  wanted: string,
  given: string | undefined,
): void {
  if (!type.namespaced || given === undefined || given === '' || given === wanted) return;
  throw badRequest(
    `the namespace of the provided object does not match the namespace sent on the request`,
  );
}

export function checkVersion(type: ResourceType, before: StoredObject, wanted: StoredObject): void {
  const { resourceVersion = '', name } = wanted.metadata;
  if (resourceVersion === '' || resourceVersion === '0') {
    if (!type.isCustom) return;
    const message = 'Invalid value: 0: must be specified for an update';
    throw invalid({ ...type, kind: type.plural }, name, [
      { field: 'metadata.resourceVersion', reason: 'FieldValueInvalid', message },
    ]);
  }
  if (resourceVersion !== before.metadata.resourceVersion) throw conflict(type, name);
}

export function checkIdentity(
  type: ResourceType,
  before: StoredObject,
  wanted: StoredObject,
): void {
  const { uid = '', name } = wanted.metadata;
  const live = before.metadata.uid ?? '';
  if (uid === '' || uid === live) return;
  throw conflict(
    type,
    name,
    `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live}`,
  );
}

/** The object changed between the reading and the writing of one request. */
export class Overtaken extends StatusError {}

export function checkUnchanged(
  store: ObjectStore,
  { type, key }: Target,
  before: StoredObject,
): void {
  const live = store.get(groupResourceOf(type), key);
  if (live?.metadata.resourceVersion === before.metadata.resourceVersion) return;
  if (live === undefined) throw notFound(type, key.name);
  const { message, code, reason, details } = conflict(type, key.name);
  throw new Overtaken(message, { code, reason, ...(details && { details }) });
}

/** Custom resources are stored in the version in which they were written. */
export function inVersion(type: ResourceType, object: StoredObject): StoredObject {
  const apiVersion = apiVersionOf(type);
  if (object.apiVersion === apiVersion) return object;
  return type.storage?.fromStored(object) ?? { ...object, apiVersion };
}

/** Keeps an object; answers it as the writer knows it. */
export function put(store: ObjectStore, type: ResourceType, object: StoredObject): StoredObject {
  const kept = type.storage?.toStored(object) ?? object;
  return inVersion(type, store.put(groupResourceOf(type), kept));
}
