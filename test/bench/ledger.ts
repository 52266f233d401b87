/** Every state of every canary that a client sees, and when: one watch, as `kubectl get -w` has it. */
import type { NamespacedName } from '../../src/api/kubernetes.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { canaries } from '../../src/kube/resources.ts';
import { until } from '../support/until.ts';

export interface Sighting {
  /** By `performance.now()`. */
  readonly atMs: number;
  readonly phase: string;
  readonly weight: number;
}

export interface CanaryLedger {
  /** Oldest first; a state that follows itself is entered once. */
  of(name: NamespacedName): readonly Sighting[];
  /** Resolves when all of them were seen in the phase, from `sinceMs` on. */
  all(
    phase: string,
    names: readonly NamespacedName[],
    options: { readonly sinceMs?: number; readonly timeoutMs: number },
  ): Promise<void>;
}

const keyOf = ({ namespace, name }: NamespacedName): string => `${namespace}/${name}`;

/** Watches until the signal aborts. A watch that ends before throws where `all` waits. */
export async function keepLedger(kube: KubeClient, signal: AbortSignal): Promise<CanaryLedger> {
  const book = new Map<string, Sighting[]>();
  let failure: Error | undefined;
  const { resourceVersion } = await kube.list(canaries, { signal });
  const changes = await kube.watch(canaries, { signal, resourceVersion, timeoutSeconds: 3_600 });
  const follow = async (): Promise<void> => {
    for await (const change of changes) {
      if (change.kind === 'Bookmark') continue;
      const { metadata, status } = change.object;
      const key = keyOf({ namespace: metadata.namespace ?? '', name: metadata.name });
      const sightings = book.get(key) ?? [];
      book.set(key, sightings);
      const [phase, weight] = [status?.phase ?? '', status?.canaryWeight ?? 0];
      const last = sightings.at(-1);
      if (last?.phase === phase && last.weight === weight) continue;
      sightings.push({ atMs: performance.now(), phase, weight });
    }
    failure = new Error('the watch of the canaries ended');
  };
  follow().catch((cause: unknown) => {
    failure = new Error('the watch of the canaries broke', { cause });
  });

  const of = (name: NamespacedName): readonly Sighting[] => book.get(keyOf(name)) ?? [];
  return {
    of,
    all: async (phase, names, { sinceMs = 0, timeoutMs }) => {
      const isThere = (name: NamespacedName): boolean =>
        of(name).some((seen) => seen.phase === phase && seen.atMs >= sinceMs);
      const missing = (): readonly NamespacedName[] => names.filter((name) => !isThere(name));
      const done = (): boolean => {
        if (failure !== undefined) throw failure;
        return missing().length === 0;
      };
      await until(`${names.length} canaries are ${phase}`, done, {
        timeoutMs,
        everyMs: 100,
        describe: () => describe(missing(), of),
      });
    },
  };
}

function describe(
  missing: readonly NamespacedName[],
  of: (name: NamespacedName) => readonly Sighting[],
): string {
  const lines = missing.slice(0, 5).map((name) => {
    const states = of(name).map(({ phase, weight }) => `${phase} ${weight}`);
    return `${keyOf(name)}: ${states.join(', ')}`;
  });
  return `${missing.length} are not: ${lines.join('; ')}`;
}
