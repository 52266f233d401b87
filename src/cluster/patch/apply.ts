/**
 * Server-side apply: a manager says what it wants of an object, all of it, each time. Fields that
 * another one owns with another value are conflicts, unless it insists.
 * Rules: Kubernetes docs, "Server-Side Apply"; sigs.k8s.io/structured-merge-diff, `merge`, and
 * k8s.io/apimachinery, `util/managedfields`.
 */
import { isEqual } from '../json.ts';
import type { Schema } from '../schema/schema.ts';
import { badRequest } from '../status-error.ts';
import { compare, fieldsOf } from './compare.ts';
import type { Conflict } from './conflict.ts';
import { conflictError, conflictsWith } from './conflict.ts';
import type { FieldSet } from './field-set.ts';
import { has, nothing, union, withoutBranches } from './field-set.ts';
import { ownedByLastApply, withLastApplied } from './last-applied.ts';
import type { Author, ManagedFields, Unowned } from './managed-fields.ts';
import {
  disowned,
  entriesOf,
  entryOf,
  isBy,
  sorted,
  updated,
  withEntries,
  without,
  withoutServerFields,
} from './managed-fields.ts';
import { mergeObjects } from './merge.ts';
import { prune } from './prune.ts';
import type { JsonObject } from './shape.ts';
import { isObject } from './shape.ts';
import { checkTyped } from './typed.ts';

export interface Application extends Author, Unowned {
  /** Undefined where there is no such object yet. */
  readonly live: JsonObject | undefined;
  readonly config: JsonObject;
  /** Takes fields from their owners. */
  readonly force: boolean;
  readonly schema: Schema;
  /** What a new object of the kind holds by itself. */
  readonly empty?: JsonObject | undefined;
}

/** Whose fields of objects without owners are. */
const beforeFirstApply = 'before-first-apply';
/** The manager for which the annotation of client-side apply counts as ownership. */
const kubectl = 'kubectl';

/**
 * The object after it, with its `managedFields`, without defaults. Throws a `StatusError`: 409 with
 * each conflict, 400 where the configuration is none, 500 where it does not fit the schema (as the
 * API server does).
 */
export function applyConfiguration(request: Application): { readonly object: JsonObject } {
  const { config, schema, manager } = request;
  if (metadataOf(config)['managedFields'] !== undefined) {
    throw badRequest('metadata.managedFields must be nil');
  }
  checkTyped(config, schema);
  const live = request.live ?? identityOf(config);
  const attempt = { ...request, live, managers: managersOf(live, request) };
  let { object, conflicts } = attemptApply(attempt);
  if (conflicts.length > 0 && manager === kubectl) {
    const allowed = ownedByLastApply(live, request);
    conflicts = conflicts.filter(({ path }) => !has(allowed, path));
    if (conflicts.length === 0) ({ object } = attemptApply({ ...attempt, force: true }));
  }
  if (conflicts.length > 0) throw conflictError(conflicts);
  return { object: manager === kubectl ? withLastApplied(object, config) : object };
}

const metadataOf = ({ metadata }: JsonObject): JsonObject => (isObject(metadata) ? metadata : {});

/** What a new object is before anything was applied to it. */
function identityOf({ apiVersion = null, kind = null }: JsonObject): JsonObject {
  return { apiVersion, kind };
}

/** The owners of before; all that is there is somebody's. */
function managersOf(live: JsonObject, request: Application): ManagedFields {
  const managers = entriesOf(live) ?? [];
  if (managers.length > 0 || request.live === undefined) return managers;
  const { empty = {}, schema, reset } = request;
  const author = { ...request, manager: beforeFirstApply };
  return updated([], without(compare(empty, live, schema), reset), author);
}

interface Attempt extends Application {
  readonly live: JsonObject;
  readonly managers: ManagedFields;
}

interface Outcome {
  readonly object: JsonObject;
  readonly conflicts: readonly Conflict[];
}

function attemptApply(request: Attempt): Outcome {
  const { live, config, managers, schema, reset } = request;
  const before = managers.find((it) => isBy(it, request, 'Apply'));
  const others = managers.filter((it) => it !== before);
  const claimed = withoutBranches(fieldsOf(config, schema), reset);
  const merged = mergeObjects(live, config, schema);
  const object =
    before === undefined
      ? merged
      : prune({ merged, last: before.fieldsV1, owned: ownedBy(claimed, others), schema });
  const comparison = without(compare(live, object, schema), reset);
  const conflicts = request.force ? [] : conflictsWith(others, comparison.changed);
  if (conflicts.length > 0) return { object: live, conflicts };
  // An apply that changes nothing leaves its time as it was, also where there was none.
  const time = isEqual(live, object) ? before?.time : request.time;
  const own = withoutServerFields(claimed);
  const rest = disowned(others, comparison);
  const entry = entryOf(request, 'Apply', { fieldsV1: own, time });
  const entries = own === nothing ? rest : sorted([...rest, entry]);
  return { object: withEntries(object, unchanged(managers, entries)), conflicts };
}

const ownedBy = (claimed: FieldSet, others: ManagedFields): FieldSet =>
  others.reduce((owned, { fieldsV1 }) => union(owned, fieldsV1), claimed);

/** The entries of before where they say the same. */
function unchanged(before: ManagedFields, after: ManagedFields): ManagedFields | undefined {
  if (after.length === 0) return undefined;
  return isEqual(before, after) ? before : after;
}
