/** Which canaries a canary comes after (`spec.dependsOn`). */
import type { Canary } from './canary.ts';
import { displayName } from './defaults.ts';
import type { NamespacedName } from './kubernetes.ts';

export type FindCanary = (key: NamespacedName) => Canary | undefined;

/** Canaries that are looked at to find a cycle: more than anybody strings together. */
const visitsMax = 1_000;

/** In the namespace of the canary where they name none. */
export const dependenciesOf = ({ metadata, spec }: Canary): readonly NamespacedName[] =>
  (spec.dependsOn ?? []).map(({ name, namespace }) => ({
    namespace: namespace || (metadata.namespace ?? ''),
    name,
  }));

/**
 * The way from a canary back to itself, by `NAME.NAMESPACE`, as far as its dependencies are known;
 * undefined where there is none. `find` is asked for each of them, the canary itself excepted.
 */
export function cycleThrough(canary: Canary, find: FindCanary): readonly string[] | undefined {
  const start = displayName(canary);
  const visited = new Set<string>();
  const walk = (at: Canary, way: readonly string[]): readonly string[] | undefined => {
    for (const key of dependenciesOf(at)) {
      const shown = `${key.name}.${key.namespace}`;
      if (shown === start) return [...way, shown];
      if (visited.has(shown) || visited.size >= visitsMax) continue;
      visited.add(shown);
      const next = find(key);
      const found = next === undefined ? undefined : walk(next, [...way, shown]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return walk(canary, [start]);
}

export const describeCycle = (way: readonly string[]): string => way.join(' -> ');
