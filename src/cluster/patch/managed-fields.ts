/**
 * Who set which field of an object last: `metadata.managedFields`, kept on every write that is no
 * apply. What nobody changed is shared, so that a write costs what it changes.
 * Rules: Kubernetes docs, "Server-Side Apply"; k8s.io/apimachinery, `util/managedfields`, and
 * sigs.k8s.io/structured-merge-diff, `merge/update.go`.
 */
import type { Json } from '../../api/kubernetes.ts';
import { isEqual, isRecord } from '../json.ts';
import type { Schema } from '../schema/schema.ts';
import type { Comparison } from './compare.ts';
import { compare } from './compare.ts';
import type { FieldSet } from './field-set.ts';
import {
  difference,
  isEmpty,
  nothing,
  parseFieldSet,
  union,
  withoutBranches,
} from './field-set.ts';
import type { JsonObject } from './shape.ts';

/** One manager's fields, by one operation through one version and subresource. */
export interface ManagedFieldsEntry {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  /** RFC 3339, in whole seconds. Absent where it is not known. */
  readonly time?: string;
  readonly fieldsType: 'FieldsV1';
  readonly fieldsV1: FieldSet;
  readonly subresource?: string;
}

export type ManagedFields = readonly ManagedFieldsEntry[];

/** Who writes, and when. */
export interface Author {
  readonly manager: string;
  readonly apiVersion: string;
  /** Empty for the object itself. */
  readonly subresource: string;
  /** RFC 3339, in whole seconds. */
  readonly time: string;
}

/** What the server sets itself, and nobody owns. */
export interface Unowned {
  /** Nor does anybody lose it: what this write cannot change, with all that is in it. */
  readonly reset: FieldSet;
}

export interface Tracking extends Author, Unowned {
  /** Undefined on a create. */
  readonly before: JsonObject | undefined;
  readonly after: JsonObject;
  /** What a new object of the kind holds by itself: `before` of a create. */
  readonly empty?: JsonObject | undefined;
  readonly schema: Schema;
}

/** Entries of updates beyond this many are put together, the oldest first. */
const updatersMax = 10;
const oldUpdates = 'ancient-changes';

const bare: JsonObject = Object.freeze({});

/**
 * The `managedFields` that the object is to be stored with; undefined where it is to have none. The
 * very value of `before` where nothing changed. Neither object is changed.
 */
export function trackUpdate(write: Tracking): ManagedFields | undefined {
  const { before, after, schema } = write;
  if (before === after) return entriesOf(before);
  const managers = startingFrom(write);
  if (managers.length === 0 && before !== undefined) return undefined;
  const comparison = compare(before ?? write.empty ?? bare, after, schema);
  const tracked = updated(managers, without(comparison, write.reset), write);
  return tracked.length === 0 ? undefined : tracked;
}

/** Without what the kind resets. */
export function without({ changed, removed }: Comparison, reset: FieldSet): Comparison {
  return { changed: withoutBranches(changed, reset), removed: withoutBranches(removed, reset) };
}

/** What the user sent, where it can be read; what the object has, where not. */
function startingFrom({ before, after, subresource }: Tracking): ManagedFields {
  const live = before === undefined ? undefined : entriesOf(before);
  const sent = subresource === '' ? fieldOf(after, 'managedFields') : undefined;
  if (sent === undefined || isEqual(sent, live)) return live ?? [];
  if (isReset(sent)) return [];
  const parsed = parseEntries(sent);
  return parsed === undefined || parsed.length === 0 ? (live ?? []) : parsed;
}

/** An empty list, or a list of one empty entry, takes all owners away. */
const isReset = (entries: unknown): boolean =>
  Array.isArray(entries) &&
  (entries.length === 0 ||
    (entries.length === 1 && isRecord(entries[0]) && Object.keys(entries[0]).length === 0));

function fieldOf({ metadata }: JsonObject, name: string): unknown {
  return isRecord(metadata) ? metadata[name] : undefined;
}

/** What an object in the store has, which is what this room wrote. */
export const entriesOf = (object: JsonObject): ManagedFields | undefined =>
  fieldOf(object, 'managedFields') as ManagedFields | undefined;

function parseEntries(entries: unknown): ManagedFields | undefined {
  if (!Array.isArray(entries)) return undefined;
  const parsed: ManagedFieldsEntry[] = [];
  for (const entry of entries) {
    const known = parseEntry(entry);
    if (known === undefined) return undefined;
    parsed.push(known);
  }
  return parsed;
}

function parseEntry(entry: unknown): ManagedFieldsEntry | undefined {
  if (!isRecord(entry)) return undefined;
  const { manager = '', operation, apiVersion, time, fieldsType, subresource = '' } = entry;
  const fieldsV1 = parseFieldSet(entry['fieldsV1'] ?? nothing);
  const isKnown = operation === 'Apply' || operation === 'Update';
  if (!isKnown || fieldsType !== 'FieldsV1' || fieldsV1 === undefined) return undefined;
  if (typeof apiVersion !== 'string' || apiVersion === '') return undefined;
  if (typeof manager !== 'string' || typeof subresource !== 'string') return undefined;
  return {
    manager,
    operation,
    apiVersion,
    ...(typeof time === 'string' && { time }),
    fieldsType: 'FieldsV1',
    fieldsV1,
    ...(subresource !== '' && { subresource }),
  };
}

/** The entries after a write that is no apply: whoever changed a field is its only owner. */
export function updated(
  managers: ManagedFields,
  comparison: Comparison,
  author: Author,
): ManagedFields {
  const { changed, removed } = comparison;
  if (isEmpty(changed) && isEmpty(removed)) return managers;
  const own = withoutServerFields(changed);
  const before = managers.find((it) => isBy(it, author, 'Update'));
  const others = disowned(managers, comparison, before);
  const rest = before === undefined ? nothing : difference(before.fieldsV1, removed);
  const fieldsV1 = union(rest, own);
  if (isEmpty(own) && (before === undefined || fieldsV1 === before.fieldsV1)) return others;
  const left = others.filter((it) => it !== before);
  if (isEmpty(fieldsV1)) return left;
  // Who only took fields away keeps the time, and so does a scale: the API server forgets it there.
  const keepsTime = isEmpty(own) || author.subresource === 'scale';
  const time = keepsTime ? before?.time : author.time;
  return sorted(capped([...left, entryOf(author, 'Update', { fieldsV1, time })]));
}

/** Without the fields that have another value now, or none. Entries that own nothing go. */
export function disowned(
  managers: ManagedFields,
  { changed, removed }: Comparison,
  except?: ManagedFieldsEntry,
): ManagedFields {
  let isSame = true;
  const left: ManagedFieldsEntry[] = [];
  for (const entry of managers) {
    const fieldsV1 =
      entry === except ? entry.fieldsV1 : difference(difference(entry.fieldsV1, changed), removed);
    if (fieldsV1 === entry.fieldsV1) left.push(entry);
    else {
      isSame = false;
      if (!isEmpty(fieldsV1)) left.push({ ...entry, fieldsV1 });
    }
  }
  return isSame ? managers : left;
}

export function isBy(
  entry: ManagedFieldsEntry,
  { manager, apiVersion, subresource }: Author,
  operation: 'Apply' | 'Update',
): boolean {
  return (
    entry.manager === manager &&
    entry.operation === operation &&
    (entry.subresource ?? '') === subresource &&
    // One who applies stays the same through all versions.
    (operation === 'Apply' || entry.apiVersion === apiVersion)
  );
}

/** With its fields in the order of the API server. */
export function entryOf(
  { manager, apiVersion, subresource }: Author,
  operation: 'Apply' | 'Update',
  { fieldsV1, time }: { readonly fieldsV1: FieldSet; readonly time: string | undefined },
): ManagedFieldsEntry {
  return {
    manager: manager === '' ? 'unknown' : manager,
    operation,
    apiVersion,
    ...(time !== undefined && { time }),
    fieldsType: 'FieldsV1',
    fieldsV1,
    ...(subresource !== '' && { subresource }),
  };
}

/** `f:metadata` stands here as a member only: its other fields have owners. */
const serverFields: FieldSet = {
  'f:apiVersion': nothing,
  'f:kind': nothing,
  'f:metadata': {
    '.': nothing,
    'f:name': nothing,
    'f:namespace': nothing,
    'f:creationTimestamp': nothing,
    'f:selfLink': nothing,
    'f:uid': nothing,
    'f:clusterName': nothing,
    'f:generation': nothing,
    'f:managedFields': nothing,
    'f:resourceVersion': nothing,
  },
};

/** Without what the API server itself sets of every object. */
export const withoutServerFields = (set: FieldSet): FieldSet => difference(set, serverFields);

/** Applies first, then by time, and by name. */
export function sorted(managers: ManagedFields): ManagedFields {
  return managers.toSorted(
    (one, other) =>
      order(one.operation, other.operation) ||
      order(one.time ?? '', other.time ?? '') ||
      order(one.manager, other.manager) ||
      order(one.apiVersion, other.apiVersion) ||
      order(one.subresource ?? '', other.subresource ?? ''),
  );
}

const order = (one: string, other: string): number => (one === other ? 0 : one < other ? -1 : 1);

/** At most so many updaters: the oldest of a version are one from then on. */
function capped(managers: ManagedFields): ManagedFields {
  const updaters = managers
    .filter(({ operation }) => operation === 'Update')
    .toSorted((one, other) => order(one.time ?? '', other.time ?? '') || byIdentity(one, other));
  let surplus = updaters.length - updatersMax;
  if (surplus <= 0) return managers;
  const kept = new Set(managers);
  const buckets = new Map<string, ManagedFieldsEntry>();
  for (const entry of updaters) {
    if (surplus <= 0) break;
    const bucket = buckets.get(entry.apiVersion);
    const isNew = bucket === undefined;
    const joined = isNew ? entry : joinedWith(bucket, entry);
    buckets.set(entry.apiVersion, joined);
    if (isNew) continue;
    kept.delete(bucket);
    kept.delete(entry);
    kept.add(joined);
    surplus -= 1;
  }
  return [...kept];
}

function joinedWith(bucket: ManagedFieldsEntry, { fieldsV1, ...entry }: ManagedFieldsEntry) {
  const { apiVersion, time } = entry;
  const author = { manager: oldUpdates, apiVersion, subresource: '' };
  const fields = union(fieldsV1, bucket.fieldsV1);
  return entryOf({ ...author, time: '' }, 'Update', { fieldsV1: fields, time });
}

const byIdentity = (one: ManagedFieldsEntry, other: ManagedFieldsEntry): number =>
  order(identity(one), identity(other));

const identity = ({ manager, operation, apiVersion, subresource }: ManagedFieldsEntry): string =>
  JSON.stringify({ manager, operation, apiVersion, subresource });

/**
 * Whether two objects differ in nothing but when their fields were written. The API server stores no
 * such difference: who applies what is there already, in other words, changes nothing.
 */
export function isSameButForTimes(before: JsonObject, after: JsonObject): boolean {
  const [one = [], other = []] = [entriesOf(before), entriesOf(after)];
  if (one === other || one.length === 0 || one.length !== other.length) return false;
  const isSame = (entry: ManagedFieldsEntry, at: number): boolean =>
    entry === other[at] ||
    isEqual({ ...entry, time: undefined }, { ...other[at], time: undefined });
  return (
    one.every(isSame) && isEqual(withEntries(before, undefined), withEntries(after, undefined))
  );
}

/** The object with these entries; itself where it has them. */
export function withEntries(object: JsonObject, entries: ManagedFields | undefined): JsonObject {
  const metadata = object['metadata'];
  const found = isRecord(metadata) ? metadata : {};
  if (found['managedFields'] === entries) return object;
  const { managedFields: _, ...others } = found;
  const managedFields = entries as unknown as Json;
  const changed = entries === undefined ? others : { ...others, managedFields };
  return { ...object, metadata: changed };
}
