/** A look that failed: said where somebody can act on it, and tried again by the queue. */
import type { CanaryStatus } from '../api/canary.ts';
import { retrying } from '../canary/conditions.ts';
import type { Moment, Observation } from '../canary/observation.ts';
import { ApiError, isAlreadyExists, isConflict, isNotFound } from '../kube/api-error.ts';
import { announce } from './announce.ts';
import type { Memory } from './memory.ts';
import { worthSaying } from './memory.ts';
import type { Standing } from './world.ts';

/** So late may the watch be that shows what somebody else made or removed: longer is a failure. */
const watchLagMsMax = 2_000;

/**
 * Failures that are tried again so late are no hiccups any more. What the API server refuses, somebody
 * must put right; that it does not answer, as while it is replaced, mostly passes.
 */
const alertedFromMs = (error: unknown): number => (isRefused(error) ? 5_000 : 15_000);

const isRefused = (error: unknown): boolean =>
  error instanceof ApiError && error.code >= 400 && error.code < 500 && error.code !== 429;

/**
 * A conflict is nothing: somebody else wrote, and the next look sees what. Any other failure is an
 * event on the canary, once for each text and phase, and a line in the log each time.
 */
export function describeFailure(
  name: string,
  error: unknown,
  retryMs: number,
  world: Standing,
): void {
  const isBehind = isAlreadyExists(error) || isNotFound(error);
  if (isConflict(error) || (isBehind && retryMs < watchLagMsMax)) {
    world.log.debug({ canary: name, retryMs }, 'somebody else wrote, looking again');
    return;
  }
  const message = messageOf(error);
  world.log.error({ canary: name, retryMs, error: message }, 'look failed, trying again');
  const slash = name.indexOf('/');
  const key = { namespace: name.slice(0, slash), name: name.slice(slash + 1) };
  const canary = world.caches.canaries.store.get(key);
  const memory = world.memories.get(name);
  if (canary === undefined || memory === undefined) return;
  if (retryMs >= alertedFromMs(error) && !memory.isFailureTold) {
    memory.isFailureTold = true;
    const text = `Tried again and again: ${message}`;
    world.alert(canary, { severity: 'error', message: text, hasSettings: false });
  }
  const saying = { type: 'Warning', message, kind: 'Once' } as const;
  announce(canary, canary.status?.phase ?? '', worthSaying(memory, [saying], true), world);
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** Failed looks in a row that are worth a write: retries of some five seconds. */
const failedLooksMin = 7;

/** The status that names the call which fails; undefined where it is not worth a write. */
export function statusOfFailure(
  observation: Observation,
  error: unknown,
  memory: Memory,
  now: Moment,
): CanaryStatus | undefined {
  if (isConflict(error)) return undefined;
  memory.failedLooks += 1;
  if (memory.failedLooks < failedLooksMin) return undefined;
  return retrying(observation, messageOf(error), now);
}
