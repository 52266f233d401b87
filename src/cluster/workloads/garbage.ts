/**
 * The garbage collector: objects go with the last of their owners, before it (foreground), or stay
 * without it (orphan). Rules: Kubernetes docs, "Garbage Collection".
 */
import type { KubeObject } from '../../api/kubernetes.ts';
import type { ControllerApi } from '../controller-api.ts';
import { isGoing } from './kinds.ts';
import type { Found, ObjectIndex } from './object-index.ts';
import type { Controller } from './work-queue.ts';

const foreground = 'foregroundDeletion';
const orphan = 'orphan';

/** Its keys are uids. */
export function garbageCollector(api: ControllerApi, index: ObjectIndex): Controller {
  return {
    name: 'garbagecollector',
    keysOf: ({ before, after }) => {
      const object = after ?? before;
      if (object === undefined) return [];
      const owners = (object.metadata.ownerReferences ?? []).map(({ uid }) => uid);
      const uid = object.metadata.uid ?? '';
      if (after === undefined) return [...owners, ...index.ownedBy(uid).map(uidOf)];
      if (isGoing(after) && isHeld(after)) return [uid];
      const isKnown = before?.metadata.ownerReferences === after.metadata.ownerReferences;
      return !isKnown && owners.length > 0 ? [uid] : [];
    },
    reconcile: async (uid) => {
      const found = index.of(uid);
      if (found === undefined) return undefined;
      if (isGoing(found.object) && isHeld(found.object)) await letGo(api, index, found);
      else if (!isGoing(found.object)) await collect(api, index, found);
      return undefined;
    },
  };
}

const uidOf = ({ object }: Found): string => object.metadata.uid ?? '';

const isHeld = ({ metadata: { finalizers = [] } }: KubeObject): boolean =>
  finalizers.includes(foreground) || finalizers.includes(orphan);

const keyOf = ({ metadata: { namespace = '', name } }: KubeObject) => ({ namespace, name });

/** An object that waits for what it owns, or for that to be let alone. */
async function letGo(api: ControllerApi, index: ObjectIndex, found: Found): Promise<void> {
  const { object, resource } = found;
  const uid = uidOf(found);
  const { finalizers = [] } = object.metadata;
  const dependents = index.ownedBy(uid);
  if (finalizers.includes(orphan)) {
    for (const { object: dependent, resource: its } of dependents) {
      await api.update(its, withoutOwner(dependent, uid));
    }
    await release(api, found, orphan);
    return;
  }
  const blocking = dependents.filter(({ object: { metadata } }) =>
    metadata.ownerReferences?.some((it) => it.uid === uid && it.blockOwnerDeletion === true),
  );
  for (const { object: dependent, resource: its } of dependents) {
    if (isGoing(dependent)) continue;
    const others = ownersOf(index, dependent).filter((it) => it !== uid);
    if (others.length > 0) await api.update(its, withoutOwner(dependent, uid));
    else await api.delete(its, keyOf(dependent), { propagation: propagationOf(index, dependent) });
  }
  const live = blocking.filter((it) => index.of(uidOf(it)) !== undefined);
  const still = live.filter(({ object: it }) =>
    index.of(it.metadata.uid ?? '')?.object.metadata.ownerReferences?.some((o) => o.uid === uid),
  );
  if (still.length === 0) await release(api, { object, resource }, foreground);
}

/** What owns nothing has nothing to wait for: that saves the writes of a finalizer. */
const propagationOf = (index: ObjectIndex, { metadata: { uid = '' } }: KubeObject) =>
  index.ownedBy(uid).length > 0 ? 'Foreground' : 'Background';

async function release(
  api: ControllerApi,
  { object, resource }: Found,
  finalizer: string,
): Promise<void> {
  const live = api.get(resource, keyOf(object));
  if (live === undefined) return;
  const finalizers = (live.metadata.finalizers ?? []).filter((it) => it !== finalizer);
  await api.update(resource, { ...live, metadata: { ...live.metadata, finalizers } });
}

/** An object whose owners have gone, all or some of them. */
async function collect(
  api: ControllerApi,
  index: ObjectIndex,
  { object, resource }: Found,
): Promise<void> {
  const { ownerReferences: owners = [] } = object.metadata;
  if (owners.length === 0) return;
  const live = ownersOf(index, object);
  if (live.length === owners.length) return;
  if (live.length === 0) {
    const { uid } = object.metadata;
    await api.delete(resource, keyOf(object), {
      ...(uid !== undefined && { uid }),
      propagation: 'Background',
    });
    return;
  }
  const ownerReferences = owners.filter(({ uid }) => live.includes(uid));
  await api.update(resource, { ...object, metadata: { ...object.metadata, ownerReferences } });
}

/** Those that exist, and are not waiting for this one to go. */
const ownersOf = (index: ObjectIndex, { metadata }: KubeObject): readonly string[] =>
  (metadata.ownerReferences ?? [])
    .map(({ uid }) => uid)
    .filter((uid) => index.of(uid) !== undefined);

function withoutOwner(object: KubeObject, uid: string): KubeObject {
  const { ownerReferences = [], ...metadata } = object.metadata;
  const left = ownerReferences.filter((it) => it.uid !== uid);
  return {
    ...object,
    metadata: { ...metadata, ...(left.length > 0 && { ownerReferences: left }) },
  };
}
