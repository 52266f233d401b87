/**
 * What every controller of the cluster is: names of objects, each at most once in the queue, looked
 * at one after the other in the order in which they came. A look decides by what is, never by what
 * happened; the last one says when to look again. What fails is tried again later, and told.
 */
import type { Clock } from '../../kube/clock.ts';
import type { Log } from '../../kube/log.ts';
import type { Change, ControllerApi } from '../controller-api.ts';
import { StatusError } from '../status-error.ts';

export interface Controller {
  readonly name: string;
  /** Whom a change concerns. Asked of every change of the cluster: cheap. */
  readonly keysOf: (change: Change) => readonly string[];
  /** Answers after how many milliseconds to look again, if nothing happens. */
  readonly reconcile: (key: string) => Promise<number | undefined>;
}

export interface Running {
  /** Looks at it soon. */
  add(key: string): void;
  stop(): void;
}

export interface WorkQueueOptions {
  readonly api: Pick<ControllerApi, 'onChange'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Conflicts heal with a second look; others get more time. */
const conflictMs = 0;
const conflictsMax = 10;
const backOffMsFirst = 100;
const backOffMsMax = 30_000;

export function runController(
  { name, keysOf, reconcile }: Controller,
  { api, clock, log }: WorkQueueOptions,
): Running {
  const waiting = new Set<string>();
  const failures = new Map<string, number>();
  const timers = createTimers(clock, (key) => add(key));
  let isWorking = false;
  let isStopped = false;

  const failed = (key: string, error: unknown): void => {
    const count = (failures.get(key) ?? 0) + 1;
    failures.set(key, count);
    const isRaced = error instanceof StatusError && (error.code === 409 || error.code === 404);
    const isNews = !isRaced || count > conflictsMax;
    const fields = { controller: name, key, error: String(error), count };
    if (isNews) log.warn(fields, 'trying again');
    else log.debug(fields, 'overtaken: trying again');
    const backOffMs = Math.min(backOffMsFirst * 2 ** Math.min(count - 1, 16), backOffMsMax);
    timers.set(key, isNews ? backOffMs : conflictMs);
  };
  const look = async (key: string): Promise<void> => {
    try {
      const againMs = await reconcile(key);
      if (failures.size > 0) failures.delete(key);
      if (!isStopped) timers.set(key, againMs);
    } catch (error) {
      if (!isStopped) failed(key, error);
    }
  };
  const work = async (): Promise<void> => {
    for (let [key] = waiting; key !== undefined; [key] = waiting) {
      waiting.delete(key);
      await look(key);
    }
    isWorking = false;
  };
  const add = (key: string): void => {
    if (isStopped) return;
    waiting.add(key);
    if (isWorking) return;
    isWorking = true;
    // Later in this moment: who changes several objects at once is looked at once.
    void Promise.resolve().then(work);
  };
  const unsubscribe = api.onChange((change) => {
    for (const key of keysOf(change)) add(key);
  });
  return {
    add,
    stop: () => {
      isStopped = true;
      waiting.clear();
      unsubscribe();
      timers.clear();
    },
  };
}

/** One timer a key: a later word replaces the one before. */
function createTimers(clock: Clock, ring: (key: string) => void) {
  const set = new Map<string, { readonly atMs: number; readonly cancel: () => void }>();
  return {
    /** Undefined takes it off. */
    set: (key: string, ms: number | undefined): void => {
      const known = set.get(key);
      const atMs = ms === undefined ? undefined : clock.monotonic() + Math.max(0, ms);
      if (known?.atMs === atMs) return;
      known?.cancel();
      if (ms === undefined || atMs === undefined) {
        set.delete(key);
        return;
      }
      const cancel = clock.after(ms, () => {
        set.delete(key);
        ring(key);
      });
      set.set(key, { atMs, cancel });
    },
    clear: (): void => {
      for (const { cancel } of set.values()) cancel();
      set.clear();
    },
  };
}

export const keyOf = (namespace: string | undefined, name: string): string =>
  `${namespace ?? ''}/${name}`;

export function namesOf(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
