/** The first write of an object. */
import type { FullMeta } from './metadata.ts';
import { generatedName, metaOf, timestamp, uuid, validateMeta, withMeta } from './metadata.ts';
import { checkNamespace, put } from './decode.ts';
import type { ObjectStore } from './object-store.ts';
import type { ResourceType, StoredObject } from './resource-type.ts';
import { groupResourceOf } from './resource-type.ts';
import { alreadyExists, forbidden, invalid, notFound, StatusError } from './status-error.ts';
import type { WritePath, Writing } from './writing.ts';
import { optionsOf } from './writing.ts';

export async function insert(
  { clock, random, store, admission, documents }: WritePath,
  type: ResourceType,
  namespace: string,
  given: StoredObject,
  as: Writing,
): Promise<StoredObject> {
  checkNamespace(type, namespace, given.metadata.namespace);
  if ((given.metadata.resourceVersion ?? '') !== '') {
    throw new StatusError('resourceVersion should not be set on objects to be created', {
      code: 500,
      reason: 'InternalError',
    });
  }
  checkHome(store, type, namespace, given);
  const time = timestamp(clock.now());
  const placed = type.namespaced
    ? withMeta(given, { namespace })
    : withMeta(given, { namespace: undefined });
  const after = { type, before: undefined, subresource: '', time };
  let object = type.withDefaults(placed);
  if (as.isOwned !== true) {
    object = documents.track({ ...after, after: object, manager: as.fieldManager });
  }
  const request = {
    operation: 'CREATE',
    type,
    subresource: '',
    namespace,
    name: given.metadata.name,
    oldObject: undefined,
    user: as.user,
    dryRun: as.dryRun,
    options: optionsOf('CreateOptions', as),
  } as const;
  const isAsked = admission.concerns(type, 'CREATE', '');
  if (isAsked) {
    const mutated = await admission.mutate({ ...request, object }, as.warn);
    object = type.withDefaults(documents.prune(type, mutated).object);
  }
  object = born(type, object, { time, random });
  const { name } = object.metadata;
  const errors = [...validateMeta(type, object, undefined), ...type.validate(object, undefined)];
  if (errors.length > 0) throw invalid(type, name, errors);
  if (isAsked) await admission.validate({ ...request, name, object }, as.warn);
  const groupResource = groupResourceOf(type);
  if (store.get(groupResource, { namespace, name }) !== undefined) throw alreadyExists(type, name);
  return as.dryRun ? object : put(store, type, object);
}

/** A namespace that is there and stays. */
function checkHome(
  store: ObjectStore,
  type: ResourceType,
  namespace: string,
  { metadata: { name } }: StoredObject,
): void {
  if (!type.namespaced) return;
  const home = store.get('namespaces', { namespace: '', name: namespace });
  if (home === undefined) {
    throw notFound({ group: '', plural: 'namespaces', kind: 'Namespace' }, namespace);
  }
  if (home.metadata.deletionTimestamp === undefined) return;
  const error = forbidden(
    type,
    name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
  );
  const causes = [
    {
      reason: 'NamespaceTerminating',
      message: `namespace ${namespace} is being terminated`,
      field: 'metadata.namespace',
    },
  ];
  const { message, code, reason, details } = error;
  throw new StatusError(message, { code, reason, details: { ...details, causes } });
}

function born(
  type: ResourceType,
  given: StoredObject,
  { time, random }: { readonly time: string; readonly random: () => number },
): StoredObject {
  const { name, generateName = '' } = metaOf(given);
  const { deletionTimestamp: _, deletionGracePeriodSeconds: __, ...meta } = metaOf(given);
  const metadata: FullMeta = {
    ...meta,
    name: name === '' && generateName !== '' ? generatedName(generateName, random) : name,
    uid: uuid(random),
    creationTimestamp: time,
    ...(type.hasGeneration && { generation: 1 }),
  };
  const { status: ___, ...others } = given;
  const object = (
    type.hasStatus ? { ...others, metadata } : { ...given, metadata }
  ) as StoredObject;
  return type.prepare?.(object, undefined) ?? object;
}
