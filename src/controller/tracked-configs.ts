/**
 * The ConfigMaps and Secrets that canaries refer to. All are watched by metadata only; one is read
 * when somebody first refers to it and when its resource version has moved on, never on a tick.
 * What was read is kept until nobody refers to it, because promotion copies it.
 */
import type { ConfigMap, KubeObject, NamespacedName, Secret } from '../api/kubernetes.ts';
import type { ConfigReference } from '../revision/references.ts';

export type TrackedConfig =
  | { readonly kind: 'ConfigMap'; readonly object: ConfigMap }
  | { readonly kind: 'Secret'; readonly object: Secret };

export type ConfigKind = ConfigReference['kind'];

export type Lookup =
  | { readonly kind: 'Known'; readonly config: TrackedConfig }
  /** Being read; the canary is woken when that is done. */
  | { readonly kind: 'Reading' }
  | { readonly kind: 'Missing' }
  | { readonly kind: 'Failed'; readonly message: string };

export interface TrackedConfigs {
  lookup(kind: ConfigKind, key: NamespacedName): Lookup;
  /** What is in memory now; asks for nothing. For admission, which must not wait. */
  peek(kind: ConfigKind, key: NamespacedName): TrackedConfig | undefined;
  /** Drops what was read of objects that `isWanted` denies. */
  prune(isWanted: (path: string) => boolean): void;
}

export interface TrackedConfigsOptions {
  /** The object's metadata as the watch shows it. */
  readonly metadata: (kind: ConfigKind, key: NamespacedName) => KubeObject | undefined;
  readonly read: (kind: ConfigKind, key: NamespacedName) => Promise<TrackedConfig>;
  /** Called when a read is over, well or badly. */
  readonly changed: (path: string) => void;
}

interface Entry {
  readonly resourceVersion: string | undefined;
  readonly outcome: Lookup;
}

export const configPath = (kind: ConfigKind, { namespace, name }: NamespacedName): string =>
  `${kind === 'ConfigMap' ? 'configmaps' : 'secrets'}./${namespace}/${name}`;

export function createTrackedConfigs(options: TrackedConfigsOptions): TrackedConfigs {
  const entries = new Map<string, Entry>();

  const read = async (kind: ConfigKind, key: NamespacedName, wanted: string | undefined) => {
    const path = configPath(kind, key);
    try {
      const config = await options.read(kind, key);
      const { resourceVersion } = config.object.metadata;
      entries.set(path, { resourceVersion, outcome: { kind: 'Known', config } });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      entries.set(path, { resourceVersion: wanted, outcome: { kind: 'Failed', message } });
    }
    options.changed(path);
  };

  const lookup = (kind: ConfigKind, key: NamespacedName): Lookup => {
    const path = configPath(kind, key);
    const seen = options.metadata(kind, key);
    if (seen === undefined) {
      entries.delete(path);
      return { kind: 'Missing' };
    }
    const entry = entries.get(path);
    const { resourceVersion } = seen.metadata;
    // An object that was read after the watch's last news is newer than it; the watch catches up.
    if (entry !== undefined && !isOlder(entry.resourceVersion, resourceVersion)) {
      // The caller backs off and asks again, which reads again.
      if (entry.outcome.kind === 'Failed') entries.delete(path);
      return entry.outcome;
    }
    if (entry?.outcome.kind !== 'Reading' || entry.resourceVersion !== resourceVersion) {
      entries.set(path, { resourceVersion, outcome: { kind: 'Reading' } });
      void read(kind, key, resourceVersion);
    }
    return { kind: 'Reading' };
  };

  return {
    lookup,
    peek: (kind, key) => {
      const outcome = entries.get(configPath(kind, key))?.outcome;
      return outcome?.kind === 'Known' ? outcome.config : undefined;
    },
    prune: (isWanted) => {
      for (const path of entries.keys()) if (!isWanted(path)) entries.delete(path);
    },
  };
}

/** Resource versions are comparable integers of the same collection. */
function isOlder(left: string | undefined, right: string | undefined): boolean {
  if (left === right) return false;
  return left === undefined || right === undefined || BigInt(left) < BigInt(right);
}
