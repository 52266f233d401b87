/**
 * Writes of the controller: an object is made, or changed where it differs, and the answer goes into
 * the cache at once, so that the next look sees it. Nothing is written that is so already.
 */
import type { Json, KubeObject, NamespacedName } from '../api/kubernetes.ts';
import type { KubeClient, Patch } from '../kube/client.ts';
import { mergePatchBetween } from '../kube/merge-patch.ts';
import type { Resource } from '../kube/resources.ts';
import type { Caches } from './caches.ts';

export interface Writer {
  /**
   * Makes `live` like `wanted`; refused with a conflict where somebody else has changed it since it
   * was read. Returns false where nothing was to be done.
   */
  ensure<T extends KubeObject>(
    resource: Resource<T>,
    live: T | undefined,
    wanted: T,
  ): Promise<boolean>;
  patch<T extends KubeObject>(
    resource: Resource<T>,
    key: NamespacedName,
    patch: Patch,
    subresource?: 'status',
  ): Promise<T>;
  create<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T>;
}

export function createWriter(kube: KubeClient, caches: Caches, signal: AbortSignal): Writer {
  const noted = async <T extends KubeObject>(resource: Resource<T>, answer: Promise<T>) => {
    const object = await answer;
    caches.wrote(resource, object);
    return object;
  };
  const create: Writer['create'] = (resource, object) =>
    noted(resource, kube.create(resource, object, { signal }));
  const patch: Writer['patch'] = (resource, key, body, subresource) => {
    const options = subresource === undefined ? { signal } : { signal, subresource };
    return noted(resource, kube.patch(resource, key, body, options));
  };
  return {
    create,
    patch,
    ensure: async (resource, live, wanted) => {
      if (live === undefined) {
        await create(resource, wanted);
        return true;
      }
      const difference = mergePatchBetween(asJson(live), asJson(wanted));
      if (difference === undefined) return false;
      const { name, namespace = '', resourceVersion } = live.metadata;
      const body = withResourceVersion(difference, resourceVersion);
      await patch(resource, { name, namespace }, { type: 'merge', body });
      return true;
    },
  };
}

/** Objects of the API are JSON by origin; their types only name fewer fields. */
const asJson = (object: KubeObject): Json => object as unknown as Json;

function withResourceVersion(difference: Json, resourceVersion: string | undefined): object {
  const patch = difference as { readonly metadata?: object };
  return { ...patch, metadata: { ...patch.metadata, resourceVersion } };
}

/** Writes to a cluster that does not have the owners: its garbage collector would remove objects. */
export function withoutOwners(writer: Writer): Writer {
  return {
    ...writer,
    ensure: (resource, live, wanted) => {
      const { ownerReferences: _, ...metadata } = wanted.metadata;
      return writer.ensure(resource, live, live === undefined ? { ...wanted, metadata } : wanted);
    },
  };
}
