/** Ownership as the write path keeps it: what `managed-fields.ts` says, for objects of a type. */
import type { StoredObject } from '../resource-type.ts';
import { apiVersionOf } from '../resource-type.ts';
import type { FieldTracking } from '../writing.ts';
import { isSameButForTimes, trackUpdate, withEntries } from './managed-fields.ts';
import { resetFieldsOf } from './reset-fields.ts';
import type { JsonObject } from './shape.ts';

/**
 * The object with its `managedFields` after a create, an update or a patch (an apply keeps them by
 * itself). It must have its defaults by then, for who leaves them to the server owns them too.
 */
export function track({
  type,
  before,
  after,
  manager,
  subresource,
  time,
}: FieldTracking): StoredObject {
  if (before === after) return after;
  const entries = trackUpdate({
    before: before === undefined ? undefined : asJson(before),
    after: asJson(after),
    empty: type.empty,
    schema: type.schema,
    reset: resetFieldsOf(type, subresource),
    apiVersion: apiVersionOf(type),
    manager,
    subresource,
    time,
  });
  return asStored(withEntries(asJson(after), entries));
}

/**
 * What is to be stored after a write: the object of before where nothing changed but times of owners
 * (`isSameButForTimes`). Cheap where the objects have owners that differ, as most writes have.
 */
export const settled = (before: StoredObject, after: StoredObject): StoredObject =>
  isSameButForTimes(asJson(before), asJson(after)) ? before : after;

/** Stored objects are JSON, which their type does not say. */
export const asJson = (object: StoredObject): JsonObject => object as unknown as JsonObject;

export const asStored = (object: JsonObject): StoredObject => object as unknown as StoredObject;
