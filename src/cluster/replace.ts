/** A write of an object that exists, or of a part of it. */
import type { Json } from '../api/kubernetes.ts';
import { checkIdentity, checkUnchanged, put } from './decode.ts';
import { isEqual } from './json.ts';
import { hasSameSpec, metaOf, timestamp, validateMeta, withMeta } from './metadata.ts';
import { settled } from './patch/track.ts';
import type { StoredObject } from './resource-type.ts';
import { groupResourceOf } from './resource-type.ts';
import { invalid } from './status-error.ts';
import type { Target, WritePath, Writing } from './writing.ts';
import { isNamespace, optionsOf } from './writing.ts';

/** From what is wanted of an object to what is stored. Nothing is written where nothing differs. */
export async function replace(
  { clock, store, admission, documents }: WritePath,
  target: Target,
  before: StoredObject,
  wanted: StoredObject,
  as: Writing,
): Promise<StoredObject> {
  const { type, key, subresource } = target;
  checkIdentity(type, before, wanted);
  let after = type.withDefaults(merged(target, before, wanted));
  if (as.isOwned !== true) {
    after = documents.track({
      type,
      before,
      after,
      subresource,
      manager: as.fieldManager,
      time: timestamp(clock.now()),
    });
  }
  const request = {
    operation: 'UPDATE',
    type,
    subresource,
    ...key,
    oldObject: before,
    user: as.user,
    dryRun: as.dryRun,
    options: optionsOf('UpdateOptions', as),
  } as const;
  const isAsked = admission.concerns(type, 'UPDATE', subresource);
  if (isAsked) {
    const mutated = await admission.mutate({ ...request, object: after }, as.warn);
    after = merged(target, before, type.withDefaults(documents.prune(type, mutated).object));
  }
  after = prepared(target, before, after);
  const errors = [...validateMeta(type, after, before), ...type.validate(after, before)];
  if (errors.length > 0) throw invalid(type, key.name, errors);
  if (isAsked) await admission.validate({ ...request, object: after }, as.warn);
  if (isEqual(before, after) || settled(before, after) === before) return before;
  checkUnchanged(store, target, before);
  if (isDeletable(after)) {
    if (!as.dryRun) store.remove(groupResourceOf(type), key);
    return after;
  }
  return as.dryRun ? after : put(store, type, after);
}

/** What a write of that part of the object may change of it. */
function merged(
  { type, subresource }: Target,
  before: StoredObject,
  wanted: StoredObject,
): StoredObject {
  const managedFields = metaOf(wanted).managedFields ?? metaOf(before).managedFields;
  if (subresource === 'status') {
    const { status } = wanted;
    const owned = withMeta(before, { managedFields });
    const { status: _, ...others } = owned;
    return status === undefined ? others : { ...owned, status };
  }
  const meta = metaOf(before);
  const kept = {
    name: meta.name,
    namespace: meta.namespace,
    uid: meta.uid,
    resourceVersion: meta.resourceVersion,
    generation: meta.generation,
    creationTimestamp: meta.creationTimestamp,
    deletionTimestamp: meta.deletionTimestamp,
    deletionGracePeriodSeconds: meta.deletionGracePeriodSeconds,
    managedFields,
  };
  const object = withMeta(wanted, kept);
  if (!type.hasStatus) return object;
  const { status: _, ...others } = object;
  return before.status === undefined ? others : { ...object, status: before.status };
}

/** The server's own part: what the kind sets by itself, and the generation. */
function prepared(target: Target, before: StoredObject, after: StoredObject): StoredObject {
  const { type, subresource } = target;
  if (subresource === 'status') return after;
  let object = type.prepare?.(after, before) ?? after;
  // Only who ends a namespace may take its finalizers.
  if (isNamespace(type) && subresource !== 'finalize')
    object = { ...object, spec: before.spec ?? {} };
  if (!type.hasGeneration || hasSameSpec(before, object)) return object;
  return withMeta(object, { generation: (before.metadata.generation ?? 0) + 1 });
}

/** Asked to go, and held by nobody. */
export function isDeletable(object: StoredObject): boolean {
  const { deletionTimestamp, finalizers = [], deletionGracePeriodSeconds = 0 } = metaOf(object);
  if (deletionTimestamp === undefined || finalizers.length > 0) return false;
  const { finalizers: held = [] } = (object.spec ?? {}) as {
    readonly finalizers?: readonly Json[];
  };
  const isHeld = object.kind === 'Namespace' && object.apiVersion === 'v1' && held.length > 0;
  return !isHeld && deletionGracePeriodSeconds === 0;
}
