/**
 * What every controller of the cluster is: names of objects, each at most once in the queue, looked
 * at one after the other. What fails is tried again later; what is late is looked at in time.
 */
import type { Clock } from '../../kube/clock.ts';
import type { Log } from '../../kube/log.ts';
import type { Change, ControllerApi } from '../controller-api.ts';
import { StatusError } from '../status-error.ts';

export interface Controller {
  readonly name: string;
  /** Whom a change concerns. */
  readonly keysOf: (change: Change) => readonly string[];
  /** Answers after how many milliseconds to look again, if nothing happens. */
  readonly reconcile: (key: string) => Promise<number | undefined>;
}

export interface Running {
  /** Looks at it soon. */
  add(key: string): void;
  stop(): void;
}

export interface ReconcilerOptions {
  readonly api: Pick<ControllerApi, 'onChange'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Conflicts heal at once; others get more time. */
const conflictMs = 5;
const backOffMsFirst = 100;
const backOffMsMax = 30_000;

export function runController(
  { name, keysOf, reconcile }: Controller,
  { api, clock, log }: ReconcilerOptions,
): Running {
  const waiting = new Set<string>();
  const failures = new Map<string, number>();
  const timers = new Map<string, () => void>();
  let isWorking = false;
  let isStopped = false;

  const addAfter = (key: string, ms: number): void => {
    timers.get(key)?.();
    timers.set(
      key,
      clock.after(ms, () => {
        timers.delete(key);
        add(key);
      }),
    );
  };
  const look = async (key: string): Promise<void> => {
    try {
      const againMs = await reconcile(key);
      failures.delete(key);
      if (againMs !== undefined) addAfter(key, againMs);
    } catch (error) {
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      const isRaced = error instanceof StatusError && (error.code === 409 || error.code === 404);
      if (!isRaced) log.warn({ controller: name, key, error: String(error) }, 'trying again');
      const backOffMs = Math.min(backOffMsFirst * 2 ** Math.min(count, 9), backOffMsMax);
      addAfter(key, isRaced && count < 10 ? conflictMs : backOffMs);
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
      for (const cancel of timers.values()) cancel();
    },
  };
}

export const keyOf = (namespace: string | undefined, name: string): string =>
  `${namespace ?? ''}/${name}`;

export function namesOf(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
