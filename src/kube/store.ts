/**
 * The objects of one watched resource, as plain values in memory.
 *
 * Two layers. Below is what the watch has shown, up to one resource version. Above it lie answers
 * to our own writes that the watch has yet to reach: so we read what we wrote at once. An answer
 * goes from the upper layer the moment the watch has passed its version, since from then on the
 * lower layer holds that state, or a later one, or its deletion. Hence no key ever goes back in
 * time, and nothing lives on that the server deleted.
 *
 * Objects are frozen (their first level; all of it is to be left alone) and never copied.
 */
import type { KubeObject, NamespacedName } from '../api/kubernetes.ts';
import { nameOf } from './resources.ts';

export type Change<T extends KubeObject> =
  | {
      readonly kind: 'Applied';
      readonly key: NamespacedName;
      /** Absent where the object is new. */
      readonly before?: T;
      readonly after: T;
    }
  | { readonly kind: 'Deleted'; readonly key: NamespacedName; readonly before: T };

/** Is called after the store has changed. It must not throw, and not wait. */
export type ChangeListener<T extends KubeObject> = (change: Change<T>) => void;

/** What the rest of the house may do with a store. */
export interface Store<T extends KubeObject> {
  get(key: NamespacedName): T | undefined;
  /** All objects, or those of one namespace. */
  list(namespace?: string): readonly T[];
  readonly size: number;
  /** Whether a whole list has been taken in. */
  readonly hasSynced: boolean;
  /** Returns what ends the subscription. Objects that are already there are not announced. */
  subscribe(listener: ChangeListener<T>): () => void;
  /** Takes in the answer to our own create or patch, unless the watch is past it. */
  wrote(object: T): void;
}

/** What a reflector does with it besides. */
export interface WatchedStore<T extends KubeObject> extends Store<T> {
  /** One event of the watch, in the watch's order. Events that it is past are left out. */
  apply(object: T): void;
  delete(object: T): void;
  /** A bookmark: the watch has shown everything up to here. */
  advance(resourceVersion: string): void;
  /** A whole list. */
  reset(objects: readonly T[], resourceVersion: string): void;
  /** Up to where the watch has come; undefined before the first list. */
  readonly resourceVersion: string | undefined;
}

/**
 * Negative where `one` is older than `other`. Resource versions of one resource are decimal numbers
 * of any size that grow with every write (KEP-5504).
 */
export function compareVersions(one: string, other: string): number {
  if (one.length !== other.length) return one.length - other.length;
  return one === other ? 0 : one < other ? -1 : 1;
}

export function keyOf({ namespace, name }: NamespacedName): string {
  return `${namespace}/${name}`;
}

/**
 * `transform` shapes the answers to our own writes as the reflector shapes what it takes in. It
 * keeps the name and the resource version.
 */
export function createStore<T extends KubeObject>(
  transform: (object: T) => T = (object) => object,
): WatchedStore<T> {
  return new LayeredStore(transform);
}

class LayeredStore<T extends KubeObject> implements WatchedStore<T> {
  readonly #transform: (object: T) => T;
  readonly #listeners = new Set<ChangeListener<T>>();
  /** What the watch has shown. */
  #watched = new Map<string, T>();
  /** Answers to our writes that are newer than the watch. */
  readonly #written = new Map<string, T>();
  /** What readers see: the upper layer over the lower, by namespace and name. */
  readonly #seen = new Map<string, Map<string, T>>();
  #size = 0;
  #resourceVersion: string | undefined;

  constructor(transform: (object: T) => T) {
    this.#transform = transform;
  }

  get size(): number {
    return this.#size;
  }

  get hasSynced(): boolean {
    return this.#resourceVersion !== undefined;
  }

  get resourceVersion(): string | undefined {
    return this.#resourceVersion;
  }

  get({ namespace, name }: NamespacedName): T | undefined {
    return this.#seen.get(namespace)?.get(name);
  }

  list(namespace?: string): readonly T[] {
    if (namespace !== undefined) return [...(this.#seen.get(namespace)?.values() ?? [])];
    return [...this.#seen.values()].flatMap((objects) => [...objects.values()]);
  }

  subscribe(listener: ChangeListener<T>): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  wrote(object: T): void {
    const key = nameOf(object);
    const newest = this.#written.get(keyOf(key))?.metadata.resourceVersion ?? this.#resourceVersion;
    const version = versionOf(object);
    if (newest !== undefined && compareVersions(version, newest) <= 0) return;
    this.#written.set(keyOf(key), Object.freeze(this.#transform(object)));
    this.#show(key);
  }

  apply(object: T): void {
    if (this.#isPast(versionOf(object))) return;
    const key = nameOf(object);
    this.#watched.set(keyOf(key), this.#known(object));
    this.advance(versionOf(object));
    this.#show(key);
  }

  delete(object: T): void {
    if (this.#isPast(versionOf(object))) return;
    const key = nameOf(object);
    this.#watched.delete(keyOf(key));
    this.advance(versionOf(object));
    this.#show(key);
  }

  advance(resourceVersion: string): void {
    if (this.#isPast(resourceVersion)) return;
    this.#resourceVersion = resourceVersion;
    for (const written of this.#written.values()) {
      if (!this.#isPast(versionOf(written))) continue;
      const key = nameOf(written);
      this.#written.delete(keyOf(key));
      // The watch passed it in silence where the object is outside of what is watched.
      this.#show(key);
    }
  }

  reset(objects: readonly T[], resourceVersion: string): void {
    const before = this.list().map(nameOf);
    this.#watched = new Map(objects.map((it) => [keyOf(nameOf(it)), this.#known(it)]));
    // A list that is older than the watch: the server's storage was put back to an earlier state.
    const isPutBack = this.#isPast(resourceVersion) && resourceVersion !== this.#resourceVersion;
    this.#resourceVersion = resourceVersion;
    for (const [key, written] of this.#written) {
      if (isPutBack || this.#isPast(versionOf(written))) this.#written.delete(key);
    }
    for (const key of [...before, ...objects.map(nameOf)]) this.#show(key);
  }

  #isPast(resourceVersion: string): boolean {
    const reached = this.#resourceVersion;
    return reached !== undefined && compareVersions(resourceVersion, reached) <= 0;
  }

  /** Brings what readers see of one key up to date, and tells the listeners what changed. */
  #show(key: NamespacedName): void {
    const before = this.get(key);
    const after = this.#written.get(keyOf(key)) ?? this.#watched.get(keyOf(key));
    if (before === after) return;
    if (after !== undefined) {
      this.#put(key, after);
      this.#tell({ kind: 'Applied', key, ...(before === undefined ? {} : { before }), after });
    } else if (before !== undefined) {
      this.#remove(key);
      this.#tell({ kind: 'Deleted', key, before });
    }
  }

  /**
   * The object that readers have of this version: the watch's echo of our own write, or a list that
   * brings nothing new, is no change and no second copy.
   */
  #known(object: T): T {
    const seen = this.get(nameOf(object));
    return seen !== undefined && isSame(seen, object) ? seen : Object.freeze(object);
  }

  #put({ namespace, name }: NamespacedName, object: T): void {
    let objects = this.#seen.get(namespace);
    if (objects === undefined) {
      objects = new Map();
      this.#seen.set(namespace, objects);
    }
    if (!objects.has(name)) this.#size += 1;
    objects.set(name, object);
  }

  #remove({ namespace, name }: NamespacedName): void {
    const objects = this.#seen.get(namespace);
    if (objects?.delete(name) !== true) return;
    this.#size -= 1;
    if (objects.size === 0) this.#seen.delete(namespace);
  }

  #tell(change: Change<T>): void {
    for (const listener of this.#listeners) listener(change);
  }
}

function isSame(one: KubeObject, other: KubeObject): boolean {
  return (
    one.metadata.uid === other.metadata.uid &&
    one.metadata.resourceVersion === other.metadata.resourceVersion
  );
}

/** Every object of the API server has one; an object without is older than all. */
function versionOf({ metadata }: KubeObject): string {
  return metadata.resourceVersion ?? '';
}
