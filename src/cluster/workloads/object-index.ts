/** All objects of the cluster, found by uid, by who owns them, and by their namespace. */
import type { KubeObject } from '../../api/kubernetes.ts';
import type { Resource } from '../../kube/resources.ts';
import type { Change, ControllerApi } from '../controller-api.ts';

export interface Found {
  readonly resource: Resource<KubeObject>;
  readonly object: KubeObject;
}

export interface ObjectIndex {
  of(uid: string): Found | undefined;
  /** Those that name it as their owner. */
  ownedBy(uid: string): readonly Found[];
  within(namespace: string): readonly Found[];
}

export function indexObjects(api: Pick<ControllerApi, 'onChange'>): ObjectIndex {
  const all = new Map<string, Found>();
  const owned = new Map<string, Set<string>>();
  const spaces = new Map<string, Set<string>>();
  const note = (index: Map<string, Set<string>>, key: string, uid: string): void => {
    const known = index.get(key);
    if (known === undefined) index.set(key, new Set([uid]));
    else known.add(uid);
  };
  const forget = (index: Map<string, Set<string>>, key: string, uid: string): void => {
    const known = index.get(key);
    known?.delete(uid);
    if (known?.size === 0) index.delete(key);
  };
  const uidsOf = ({ metadata }: KubeObject): readonly string[] =>
    (metadata.ownerReferences ?? []).map(({ uid }) => uid);

  api.onChange(({ groupResource, before, after }: Change) => {
    const object = after ?? before;
    const uid = object?.metadata.uid;
    if (object === undefined || uid === undefined) return;
    const { namespace } = object.metadata;
    const isSameOwner = before?.metadata.ownerReferences === after?.metadata.ownerReferences;
    if (before !== undefined && !isSameOwner) {
      for (const owner of uidsOf(before)) forget(owned, owner, uid);
    }
    if (after === undefined) {
      all.delete(uid);
      if (namespace !== undefined) forget(spaces, namespace, uid);
      return;
    }
    const resource = all.get(uid)?.resource ?? resourceOf(groupResource, after);
    all.set(uid, { resource, object: after });
    if (!isSameOwner) for (const owner of uidsOf(after)) note(owned, owner, uid);
    if (before === undefined && namespace !== undefined) note(spaces, namespace, uid);
  });
  const found = (uids: ReadonlySet<string> | undefined): readonly Found[] =>
    [...(uids ?? [])].flatMap((uid) => all.get(uid) ?? []);
  return {
    of: (uid) => all.get(uid),
    ownedBy: (uid) => found(owned.get(uid)),
    within: (namespace) => found(spaces.get(namespace)),
  };
}

function resourceOf(groupResource: string, object: KubeObject): Resource<KubeObject> {
  const dot = groupResource.indexOf('.');
  const slash = object.apiVersion.indexOf('/');
  return {
    group: dot === -1 ? '' : groupResource.slice(dot + 1),
    version: object.apiVersion.slice(slash + 1),
    kind: object.kind,
    plural: dot === -1 ? groupResource : groupResource.slice(0, dot),
    namespaced: object.metadata.namespace !== undefined,
  };
}
