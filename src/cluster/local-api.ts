/** The cluster's own controllers at the API server: no wire between, but the same door. */
import type { KubeObject, NamespacedName } from '../api/kubernetes.ts';
import type { Resource } from '../kube/resources.ts';
import type { ApiServer } from './api-server.ts';
import type { ControllerApi } from './controller-api.ts';
import type { ObjectStore } from './object-store.ts';
import type { ResourceRegistry } from './registry.ts';
import type { ResourceType, User } from './resource-type.ts';
import { groupResourceOf } from './resource-type.ts';
import { noSuchPath } from './status-error.ts';
import type { Target, Writing } from './writing.ts';

export interface LocalApiOptions {
  readonly store: ObjectStore;
  readonly registry: ResourceRegistry;
  readonly server: ApiServer;
  readonly name: string;
}

export function createLocalApi(options: LocalApiOptions): ControllerApi {
  const { store, registry, server, name } = options;
  const user: User = { username: `system:${name}`, groups: ['system:masters'] };
  const as: Writing = {
    user,
    dryRun: false,
    fieldManager: name,
    fieldValidation: 'Ignore',
    warn: () => undefined,
  };
  const typeOf = (resource: Resource<KubeObject>): ResourceType => {
    const type = registry.of(groupResourceOf(resource));
    if (type === undefined) throw noSuchPath();
    return type;
  };
  const targetOf = (
    resource: Resource<KubeObject>,
    key: NamespacedName,
    subresource: Target['subresource'] = '',
  ): Target => ({ type: typeOf(resource), key, subresource });

  // What is stored went through the schema of its kind, which the caller's type describes.
  return {
    get: (resource, key) => {
      const found = store.get(groupResourceOf(resource), key);
      return found as never;
    },
    list: (resource, namespace) => store.list(groupResourceOf(resource), namespace) as never,
    create: async (resource, object) => {
      const { namespace = '' } = object.metadata;
      return (await server.create(typeOf(resource), namespace, object, as)) as never;
    },
    update: async (resource, object, subresource) => {
      const { namespace = '', name: objectName } = object.metadata;
      const isEnding =
        resource.plural === 'namespaces' && object.metadata.deletionTimestamp !== undefined;
      const part = subresource ?? (isEnding ? 'finalize' : '');
      const target = targetOf(resource, { namespace, name: objectName }, part);
      return (await server.update(target, object, as)) as never;
    },
    delete: async (resource, key, choice = {}) => {
      await server.delete(targetOf(resource, key), choice, as);
    },
    onChange: (listener) =>
      store.subscribe(({ groupResource, before, object, isDeletion }) =>
        listener({ groupResource, before, after: isDeletion ? undefined : object }),
      ),
  };
}
