/**
 * The operations of the API server, on objects: what `rest.ts` is asked over HTTP and what the
 * cluster's own controllers do. Each write goes one way:
 *
 *   decoded, pruned -> fields owned -> defaults -> mutating admission -> prepared -> validated
 *   -> validating admission -> stored
 *
 * A write whose object has changed while admission was asked is a conflict; a patch is tried again.
 * Rules: Kubernetes API conventions and k8s.io/apiserver, `registry/rest` and `endpoints/handlers`.
 */
import { asPatchError, checkName, checkVersion, decoded, inVersion, Overtaken } from './decode.ts';
import { insert } from './insert.ts';
import { timestamp } from './metadata.ts';
import { remove } from './remove.ts';
import { replace } from './replace.ts';
import type { ResourceType, StoredObject } from './resource-type.ts';
import { groupResourceOf } from './resource-type.ts';
import { readScale, withReplicas } from './scale.ts';
import { notFound } from './status-error.ts';
import type { Deleted, PatchRequest, Precondition, Target, WritePath, Writing } from './writing.ts';

export type UserPatch = Pick<PatchRequest, 'contentType' | 'body' | 'force'>;

export interface Patched {
  readonly object: StoredObject;
  readonly isNew: boolean;
}

/** Everything rejects, or throws, with a `StatusError`. */
export interface ApiServer {
  get(target: Target): StoredObject;
  create(type: ResourceType, namespace: string, body: unknown, as: Writing): Promise<StoredObject>;
  update(target: Target, body: unknown, as: Writing): Promise<StoredObject>;
  patch(target: Target, patch: UserPatch, as: Writing): Promise<Patched>;
  delete(target: Target, condition: Precondition, as: Writing): Promise<Deleted>;
}

/** Of a patch whose object was written by somebody else meanwhile. */
const patchTriesMax = 5;

export function createApiServer(path: WritePath): ApiServer {
  const liveOf = (target: Target): StoredObject => liveObject(path, target);
  return {
    get: (target) => {
      const live = liveOf(target);
      return target.subresource === 'scale' ? readScale(target.type, live) : live;
    },
    create: async (type, namespace, body, as) => {
      const object = decoded(type, body, as, path.documents);
      if (type.answer !== undefined) return type.answer(object, as.user);
      return insert(path, type, namespace, object, as);
    },
    update: async (target, body, as) => {
      // Who names another object is told so, whether or not there is this one.
      if (target.subresource !== 'scale') read(path, target, body, as);
      return write(path, target, liveOf(target), body, as);
    },
    patch: async (target, patch, as) => {
      for (let tries = 1; ; tries += 1) {
        try {
          return await patchOnce(path, target, patch, as);
        } catch (error) {
          if (!(error instanceof Overtaken) || tries >= patchTriesMax) throw error;
        }
      }
    },
    delete: (target, condition, as) => remove(path, target, condition, as),
  };
}

function liveObject({ store }: WritePath, { type, key }: Target): StoredObject {
  const live = store.get(groupResourceOf(type), key);
  if (live === undefined) throw notFound(type, key.name);
  return inVersion(type, live);
}

/** Replaces what the body is about: the object, or a part of it. */
async function write(
  path: WritePath,
  target: Target,
  before: StoredObject,
  body: unknown,
  as: Writing,
  form: 'Body' | 'Patch' = 'Body',
): Promise<StoredObject> {
  const { type, subresource } = target;
  if (subresource === 'scale') {
    const wanted = withReplicas(type, before, body);
    if (wanted.metadata !== before.metadata) checkVersion(type, before, wanted);
    return readScale(type, await replace(path, target, before, wanted, as));
  }
  const wanted = read(path, target, body, as, form);
  checkVersion(type, before, wanted);
  if (form === 'Body') return replace(path, target, before, wanted, as);
  try {
    return await replace(path, target, before, wanted, as);
  } catch (error) {
    throw asPatchError(wanted, error);
  }
}

function read(
  path: WritePath,
  { type, key }: Target,
  body: unknown,
  as: Writing,
  form: 'Body' | 'Patch' = 'Body',
): StoredObject {
  const wanted = decoded(type, body, as, path.documents, form);
  checkName(type, key, wanted);
  return wanted;
}

async function patchOnce(
  path: WritePath,
  target: Target,
  patch: UserPatch,
  as: Writing,
): Promise<Patched> {
  const { type, key, subresource } = target;
  const request = {
    ...patch,
    type,
    subresource,
    manager: as.fieldManager,
    time: timestamp(path.clock.now()),
  };
  const isApply = patch.contentType.startsWith('application/apply-patch');
  const by = isApply ? { ...as, isOwned: true } : as;
  const isNew = path.store.get(groupResourceOf(type), key) === undefined;
  if (isNew && isApply && subresource === '') {
    const made = path.documents.patch({ ...request, live: undefined });
    checkName(type, key, made);
    const object = decoded(type, made, as, path.documents);
    return { object: await insert(path, type, key.namespace, object, by), isNew };
  }
  const live = liveObject(path, target);
  const asked = subresource === 'scale' ? readScale(type, live) : live;
  const wanted = path.documents.patch({ ...request, live: asked });
  return { object: await write(path, target, live, wanted, by, 'Patch'), isNew: false };
}
