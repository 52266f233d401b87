/**
 * Who looks at what: each canary's last look lists the objects that it read, and a change of one
 * of them wakes the canary. A missing object is listed too, so that its creation wakes.
 */

/** `PLURAL.GROUP/NAMESPACE/NAME`. */
export type ObjectPath = string;

export interface Interests {
  /** Replaces what the canary is interested in. */
  set(canary: string, paths: ReadonlySet<ObjectPath>): void;
  forget(canary: string): void;
  /** The canaries whose last look read this object. */
  of(path: ObjectPath): Iterable<string>;
}

export function createInterests(): Interests {
  const pathsByCanary = new Map<string, ReadonlySet<ObjectPath>>();
  const canariesByPath = new Map<ObjectPath, Set<string>>();

  const drop = (canary: string, path: ObjectPath): void => {
    const canaries = canariesByPath.get(path);
    canaries?.delete(canary);
    if (canaries?.size === 0) canariesByPath.delete(path);
  };

  const set = (canary: string, paths: ReadonlySet<ObjectPath>): void => {
    const before = pathsByCanary.get(canary);
    for (const path of before ?? []) {
      if (!paths.has(path)) drop(canary, path);
    }
    for (const path of paths) {
      if (before?.has(path) === true) continue;
      const canaries = canariesByPath.get(path);
      if (canaries === undefined) canariesByPath.set(path, new Set([canary]));
      else canaries.add(canary);
    }
    if (paths.size === 0) pathsByCanary.delete(canary);
    else pathsByCanary.set(canary, paths);
  };

  return {
    set,
    forget: (canary) => set(canary, new Set()),
    of: (path) => canariesByPath.get(path) ?? [],
  };
}
