/**
 * The three calls that `certs/` and `admission/` make, answered from memory: optimistic concurrency
 * and merge patches as the API server has them, and nothing else. Tests on the real one are beside.
 */
import type { Json, KubeObject } from '../../src/api/kubernetes.ts';
import { ApiError } from '../../src/kube/api-error.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { applyMergePatch } from '../../src/kube/merge-patch.ts';

export interface ObjectStore extends Pick<KubeClient, 'get' | 'create' | 'patch'> {
  /** Each call that got through to the store, such as `patch secrets`. */
  readonly calls: readonly string[];
  /** Called before each call; may throw, or change objects as somebody else would. */
  before: (call: string) => void | Promise<void>;
  read(plural: string, name: string): KubeObject | undefined;
  /** Writes as somebody else, past everything. */
  write(plural: string, object: KubeObject): void;
  remove(plural: string, name: string): void;
}

export function createObjectStore(): ObjectStore {
  const objects = new Map<string, KubeObject>();
  const calls: string[] = [];
  let version = 0;

  const pathOf = (plural: string, name: string): string => `${plural}/${name}`;
  const put = (path: string, object: KubeObject): KubeObject => {
    version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(version) };
    const stored = structuredClone({ ...object, metadata });
    objects.set(path, stored);
    return stored;
  };
  const enter = async (call: string): Promise<void> => {
    await store.before(call);
    calls.push(call);
  };
  const find = (path: string): KubeObject => {
    const found = objects.get(path);
    if (found === undefined) throw new ApiError(path, { code: 404, reason: 'NotFound' });
    return found;
  };

  const store: ObjectStore = {
    calls,
    before: () => undefined,
    get: async ({ plural }, { name }) => {
      await enter(`get ${plural}`);
      return structuredClone(find(pathOf(plural, name))) as never;
    },
    create: async ({ plural }, object) => {
      await enter(`create ${plural}`);
      const path = pathOf(plural, object.metadata.name);
      if (objects.has(path)) throw new ApiError(path, { code: 409, reason: 'AlreadyExists' });
      return put(path, object) as never;
    },
    patch: async ({ plural }, { name }, { type, body }) => {
      await enter(`patch ${plural}`);
      if (type !== 'merge') throw new Error(`${type} is not imitated`);
      const path = pathOf(plural, name);
      const found = find(path);
      const given = (body as Partial<KubeObject>).metadata?.resourceVersion;
      if (given !== undefined && given !== found.metadata.resourceVersion) {
        throw new ApiError(path, { code: 409, reason: 'Conflict' });
      }
      const merged: unknown = applyMergePatch(found as unknown as Json, body as Json);
      return put(path, merged as KubeObject) as never;
    },
    read: (plural, name) => objects.get(pathOf(plural, name)),
    write: (plural, object) => void put(pathOf(plural, object.metadata.name), object),
    remove: (plural, name) => void objects.delete(pathOf(plural, name)),
  };
  return store;
}
