/** The ConfigMaps and Secrets that a target refers to, as far as they are part of its revision. */
import type { Canary } from '../api/canary.ts';
import type { NamespacedName, PodTemplateSpec, StringMap } from '../api/kubernetes.ts';
import type { Problem } from '../canary/observation.ts';
import { statusOf } from '../canary/status.ts';
import { configChecksum, configKey, isTracked } from '../revision/checksum.ts';
import type { ConfigReference } from '../revision/references.ts';
import { referencedConfigs } from '../revision/references.ts';
import type { ConfigObject } from '../targets/configs.ts';
import type { Reader } from './caches.ts';
import { configPath } from './tracked-configs.ts';
import type { World } from './world.ts';

export interface ConfigsSeen {
  readonly kind: 'Seen';
  /** Contents of what is tracked; the primary gets copies of these. */
  readonly tracked: readonly ConfigObject[];
  /** What the primary has copies of: what is tracked, and what vanished in the middle of a run. */
  readonly copied: readonly Pick<ConfigReference, 'kind' | 'name'>[];
  /** By key of the status; undefined where tracking is off. */
  readonly checksums: StringMap | undefined;
  readonly problem?: Problem;
}

const untracked: ConfigsSeen = { kind: 'Seen', tracked: [], copied: [], checksums: undefined };

/**
 * `template` is of the target's pods; a target without any refers to nothing. Throws where one could
 * not be read: the look is tried again.
 */
export function observeConfigs(
  canary: Canary,
  template: PodTemplateSpec | undefined,
  reader: Reader,
  world: World,
): ConfigsSeen | { readonly kind: 'Reading' } {
  if (!world.settings.configTracking || template === undefined) return untracked;
  const tracked: ConfigObject[] = [];
  const checksums: Record<string, string> = {};
  let problem: Problem | undefined;
  let reading = false;
  for (const reference of referencedConfigs(template)) {
    const key = { namespace: canary.metadata.namespace ?? '', name: reference.name };
    reader.paths.add(configPath(reference.kind, key));
    const found = world.configs.lookup(reference.kind, key);
    if (found.kind === 'Failed') throw new Error(found.message);
    if (found.kind === 'Reading') reading = true;
    else if (found.kind === 'Missing') problem ??= onMissing(canary, reference, key, checksums);
    else if (isTracked(found.config.object)) {
      tracked.push(found.config);
      const checksum = configChecksum(found.config.object);
      checksums[configKey(reference.kind, reference.name)] = checksum;
    }
  }
  if (reading) return { kind: 'Reading' };
  const copied = referencedConfigs(template).filter(
    ({ kind, name }) => checksums[configKey(kind, name)] !== undefined,
  );
  return {
    kind: 'Seen',
    tracked,
    copied,
    checksums,
    ...(problem === undefined ? {} : { problem }),
  };
}

/**
 * A rollout that is under way is not halted by the loss of an object that its pods have read: it
 * counts as unchanged. Elsewhere the pods could not start without it.
 */
function onMissing(
  canary: Canary,
  { kind, optional }: ConfigReference,
  { namespace, name }: NamespacedName,
  checksums: Record<string, string>,
): Problem | undefined {
  if (optional) return undefined;
  const { phase, trackedConfigs = {} } = statusOf(canary);
  const stored = trackedConfigs[configKey(kind, name)];
  const underway = phase === 'Progressing' || phase === 'WaitingPromotion' || phase === 'Promoting';
  if ((underway || phase === 'Finalising') && stored !== undefined) {
    checksums[configKey(kind, name)] = stored;
    return undefined;
  }
  const text = `${kind.toLowerCase()} ${name}.${namespace} get query error: not found`;
  const remedy = `create it, or mark the reference in ${canary.spec.targetRef.kind} ${canary.spec.targetRef.name} optional`;
  return { reason: `${kind}NotFound`, message: `GetTargetConfigs failed: ${text}; ${remedy}` };
}
