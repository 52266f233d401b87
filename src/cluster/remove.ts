/** The deletion of an object: at once, or when nothing holds it any more. */
import { cleanupFinalizer } from './custom-resources.ts';
import { checkUnchanged, inVersion, put } from './decode.ts';
import { isEqual } from './json.ts';
import { metaOf, timestamp, withMeta } from './metadata.ts';
import { isDeletable } from './replace.ts';
import type { ResourceType, StoredObject } from './resource-type.ts';
import { groupResourceOf } from './resource-type.ts';
import { conflict, forbidden, notFound } from './status-error.ts';
import type { Deleted, Precondition, Target, WritePath, Writing } from './writing.ts';
import { isNamespace, isPod, optionsOf } from './writing.ts';

/** Namespaces without which a cluster is none. */
const immortal: readonly string[] = ['default', 'kube-system', 'kube-public'];
/** Seconds that a pod has for its end where nobody says how many. */
const graceSecondsDefault = 30;

export async function remove(
  { clock, store, admission }: WritePath,
  target: Target,
  condition: Precondition,
  as: Writing,
): Promise<Deleted> {
  const { type, key } = target;
  const groupResource = groupResourceOf(type);
  const stored = store.get(groupResource, key);
  if (stored === undefined) throw notFound(type, key.name);
  const before = inVersion(type, stored);
  if (isNamespace(type) && immortal.includes(key.name)) {
    throw forbidden(type, key.name, 'this namespace may not be deleted');
  }
  checkCondition(type, before, condition);
  if (admission.concerns(type, 'DELETE', '')) {
    await admission.validate(
      {
        operation: 'DELETE',
        type,
        subresource: '',
        ...key,
        object: undefined,
        oldObject: before,
        user: as.user,
        dryRun: as.dryRun,
        options: optionsOf('DeleteOptions', as),
      },
      as.warn,
    );
    checkUnchanged(store, target, before);
  }
  const ending = ended(type, before, condition, clock.now());
  const isGone = isDeletable(ending);
  if (as.dryRun) return { object: ending, isGone };
  if (isGone) return { object: store.remove(groupResource, key) ?? before, isGone };
  return { object: isEqual(before, ending) ? before : put(store, type, ending), isGone };
}

function checkCondition(
  { group, kind }: ResourceType,
  { metadata }: StoredObject,
  given: Precondition,
): void {
  const type = { group, kind, plural: kind };
  const { uid, resourceVersion } = given;
  const { name } = metadata;
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
    throw conflict(type, name, why);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
    throw conflict(type, name, why);
  }
}

/** What a deletion makes of an object: gone at once where nothing holds it. */
function ended(
  type: ResourceType,
  before: StoredObject,
  { propagation, gracePeriodSeconds }: Precondition,
  nowMs: number,
): StoredObject {
  const meta = metaOf(before);
  const { finalizers = [] } = meta;
  const wanted = {
    Foreground: ['foregroundDeletion'],
    Orphan: ['orphan'],
    Background: [],
    None: [],
  }[propagation ?? 'None'];
  const own = isDefinition(type) ? [cleanupFinalizer] : [];
  const held = [...finalizers, ...[...wanted, ...own].filter((it) => !finalizers.includes(it))];
  const grace = isPod(type) ? graceOf(before, gracePeriodSeconds) : 0;
  const deletion = new Date(nowMs + grace * 1000);
  const isFirst = meta.deletionTimestamp === undefined;
  const object = withMeta(before, {
    ...(held.length > 0 && { finalizers: held }),
    deletionTimestamp: isFirst
      ? timestamp(deletion.getTime())
      : (meta.deletionTimestamp ?? timestamp(nowMs)),
    deletionGracePeriodSeconds: Math.min(grace, meta.deletionGracePeriodSeconds ?? grace),
    ...(isFirst && type.hasGeneration && { generation: (meta.generation ?? 0) + 1 }),
  });
  if (!isNamespace(type)) return object;
  return { ...object, status: { phase: 'Terminating' } };
}

const isDefinition = ({ group, plural }: ResourceType): boolean =>
  group === 'apiextensions.k8s.io' && plural === 'customresourcedefinitions';

/** A pod that runs nowhere has nothing to end. */
function graceOf({ spec, status }: StoredObject, asked: number | undefined): number {
  const { nodeName, terminationGracePeriodSeconds = graceSecondsDefault } = (spec ?? {}) as {
    readonly nodeName?: string;
    readonly terminationGracePeriodSeconds?: number;
  };
  const { phase } = (status ?? {}) as { readonly phase?: string };
  if (nodeName === undefined || phase === 'Succeeded' || phase === 'Failed') return 0;
  return asked ?? terminationGracePeriodSeconds;
}
