/**
 * What etcd is to an API server: objects by resource and name, one version for all of them, and the
 * history of what changed, as far back as it is kept.
 *
 * Objects are never changed in place, so a list of them is a snapshot.
 */
import type { NamespacedName } from '../api/kubernetes.ts';
import type { StoredObject } from './resource-type.ts';

export interface StoreEvent {
  readonly version: number;
  /** `deployments.apps`, `services`. */
  readonly groupResource: string;
  readonly before: StoredObject | undefined;
  /** As stored; of a deletion, the object as it was last, with the version of its deletion. */
  readonly object: StoredObject;
  readonly isDeletion: boolean;
}

export interface ObjectStore {
  /** Of the last change. */
  version(): number;
  get(groupResource: string, key: NamespacedName): StoredObject | undefined;
  /** By namespace and name; of one namespace, or of all. */
  list(groupResource: string, namespace?: string): readonly StoredObject[];
  /** As it was at that version; undefined where that is forgotten. */
  listAt(
    groupResource: string,
    version: number,
    namespace?: string,
  ): readonly StoredObject[] | undefined;
  /** Writes the object with a version of its own, and answers it so. */
  put(groupResource: string, object: StoredObject): StoredObject;
  /** Answers what was removed, with the version of the removal. */
  remove(groupResource: string, key: NamespacedName): StoredObject | undefined;
  /** What changed after that version, in order; undefined where some of it is forgotten. */
  since(version: number): readonly StoreEvent[] | undefined;
  /** The oldest version from which a watch can go on. */
  compactedAt(): number;
  /** Forgets all history. */
  compact(): void;
  /** Told of every change once it is stored, in order. Answers how to stop. */
  subscribe(listener: (event: StoreEvent) => void): () => void;
}

/** Changes that are kept: watches that fall behind further list again. */
const historyMax = 10_000;

export const keyOf = ({ namespace, name }: NamespacedName): string => `${namespace}/${name}`;

const keyOfObject = ({ metadata: { namespace = '', name } }: StoredObject): string =>
  `${namespace}/${name}`;

interface Shelf {
  readonly objects: Map<string, StoredObject>;
  /** Sorted; undefined when keys came or went. */
  keys: readonly string[] | undefined;
}

export function createObjectStore(firstVersion = 1): ObjectStore {
  const shelves = new Map<string, Shelf>();
  const listeners = new Set<(event: StoreEvent) => void>();
  const history = createHistory(firstVersion);
  let version = firstVersion;

  const shelfOf = (groupResource: string): Shelf => {
    const known = shelves.get(groupResource);
    if (known !== undefined) return known;
    const shelf: Shelf = { objects: new Map(), keys: undefined };
    shelves.set(groupResource, shelf);
    return shelf;
  };
  const publish = (event: StoreEvent): void => {
    history.add(event);
    for (const listener of listeners) listener(event);
  };
  const versioned = (object: StoredObject): StoredObject => {
    version += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
  };

  return {
    version: () => version,
    compactedAt: history.compactedAt,
    get: (groupResource, key) => shelves.get(groupResource)?.objects.get(keyOf(key)),
    list: (groupResource, namespace) => {
      const shelf = shelves.get(groupResource);
      return shelf === undefined ? [] : sorted(shelf, namespace);
    },
    listAt: (groupResource, at, namespace) => {
      const events = history.since(at);
      if (events === undefined) return undefined;
      const objects = undone(shelfOf(groupResource).objects, events, groupResource);
      return sorted({ objects, keys: undefined }, namespace);
    },
    put: (groupResource, object) => {
      const shelf = shelfOf(groupResource);
      const key = keyOfObject(object);
      const before = shelf.objects.get(key);
      const stored = versioned(object);
      if (before === undefined) shelf.keys = undefined;
      shelf.objects.set(key, stored);
      publish({ version, groupResource, before, object: stored, isDeletion: false });
      return stored;
    },
    remove: (groupResource, key) => {
      const shelf = shelfOf(groupResource);
      const before = shelf.objects.get(keyOf(key));
      if (before === undefined) return undefined;
      shelf.objects.delete(keyOf(key));
      shelf.keys = undefined;
      const object = versioned(before);
      publish({ version, groupResource, before, object, isDeletion: true });
      return object;
    },
    since: history.since,
    compact: () => history.forget(version),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function createHistory(firstVersion: number) {
  const events: StoreEvent[] = [];
  let compactedAt = firstVersion;
  return {
    compactedAt: () => compactedAt,
    add: (event: StoreEvent): void => {
      events.push(event);
      if (events.length <= 2 * historyMax) return;
      compactedAt = events[historyMax - 1]?.version ?? compactedAt;
      events.splice(0, historyMax);
    },
    since: (from: number): readonly StoreEvent[] | undefined => {
      if (from < compactedAt) return undefined;
      // The last are wanted most often.
      let at = events.length;
      while (at > 0 && (events[at - 1]?.version ?? 0) > from) at -= 1;
      return events.slice(at);
    },
    forget: (version: number): void => {
      compactedAt = version;
      events.length = 0;
    },
  };
}

function sorted(shelf: Shelf, namespace: string | undefined): readonly StoredObject[] {
  shelf.keys ??= [...shelf.objects.keys()].sort();
  const found: StoredObject[] = [];
  const prefix = namespace === undefined ? '' : `${namespace}/`;
  for (const key of shelf.keys) {
    if (!key.startsWith(prefix)) continue;
    const object = shelf.objects.get(key);
    if (object !== undefined) found.push(object);
  }
  return found;
}

/** The objects before those events. */
function undone(
  objects: ReadonlyMap<string, StoredObject>,
  events: readonly StoreEvent[],
  groupResource: string,
): Map<string, StoredObject> {
  const past = new Map(objects);
  for (const event of events.toReversed()) {
    if (event.groupResource !== groupResource) continue;
    const key = keyOfObject(event.object);
    if (event.before === undefined) past.delete(key);
    else past.set(key, event.before);
  }
  return past;
}
