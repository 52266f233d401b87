/**
 * What a canary that depends on others waits for, read from caches. All that was read is noted, so
 * that whatever ends the wait wakes the canary.
 */
import type { Canary, Phase } from '../api/canary.ts';
import { cycleThrough, dependenciesOf, describeCycle } from '../api/dependencies.ts';
import { pendingReason } from '../canary/dependency.ts';
import type { Change, Problem } from '../canary/observation.ts';
import { statusOf } from '../canary/status.ts';
import { canaries } from '../kube/resources.ts';
import type { Reader } from './caches.ts';
import type { World } from './world.ts';

export interface DependenciesSeen {
  /** Why a rollout may not start; absent where it may. */
  readonly pending?: string;
  /** Each waits for the other. */
  readonly problem?: Problem;
}

/** Phases in which a rollout may start. */
const starting: readonly Phase[] = ['Initialized', 'Waiting', 'Succeeded', 'Failed'];

export interface DependencyOptions {
  /** Whether there is a change that would start: only then is anything waited for. */
  readonly starts: boolean;
  /** How a target differs; undefined where that is being read. */
  readonly changeOf: (dependency: Canary) => Change | undefined;
}

export function observeDependencies(
  canary: Canary,
  reader: Reader,
  { caches }: Pick<World, 'caches'>,
  { starts, changeOf }: DependencyOptions,
): DependenciesSeen {
  const keys = dependenciesOf(canary);
  if (keys.length === 0 || !starting.includes(statusOf(canary).phase)) return {};
  const find = (key: (typeof keys)[number]) => reader.get(caches.canaries, canaries, key);
  const cycle = cycleThrough(canary, find);
  if (cycle !== undefined) {
    const message = `spec.dependsOn: each waits for the next: ${describeCycle(cycle)}; remove one of them`;
    return { problem: { reason: 'DependencyCycle', message } };
  }
  if (!starts) return {};
  const reasons = keys.flatMap((key) => {
    const found = find(key);
    if (found === undefined) return pendingReason({ key }) ?? [];
    const change = changeOf(found);
    const view = { key, canary: found, ...(change === undefined ? {} : { change }) };
    return pendingReason(view) ?? [];
  });
  return reasons.length === 0 ? {} : { pending: [...new Set(reasons)].join('; ') };
}
