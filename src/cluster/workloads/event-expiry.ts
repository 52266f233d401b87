/** Events are kept for an hour, as API servers keep them. One timer, however many there are. */
import type { Clock } from '../../kube/clock.ts';
import type { Log } from '../../kube/log.ts';
import { events } from '../../kube/resources.ts';
import type { ControllerApi } from '../controller-api.ts';
import { StatusError } from '../status-error.ts';

export interface EventExpiryOptions {
  readonly api: ControllerApi;
  readonly clock: Clock;
  readonly log: Log;
}

const keptMs = 3_600_000;

interface Kept {
  readonly untilMs: number;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Answers how to stop. */
export function expireEvents({ api, clock, log }: EventExpiryOptions): () => void {
  // The oldest first, for all are kept for the same time.
  const kept: Kept[] = [];
  let cancel: (() => void) | undefined;

  const remove = async ({ namespace, name, uid }: Kept): Promise<void> => {
    try {
      await api.delete(events, { namespace, name }, { uid });
    } catch (error) {
      // Somebody was quicker, or there is another one of that name.
      const isGone = error instanceof StatusError && (error.code === 404 || error.code === 409);
      if (!isGone) log.warn({ event: name, error: String(error) }, 'an Event outlives its time');
    }
  };
  const sweep = (): void => {
    cancel = undefined;
    const nowMs = clock.monotonic();
    const young = kept.findIndex(({ untilMs }) => untilMs > nowMs);
    for (const event of kept.splice(0, young === -1 ? kept.length : young)) void remove(event);
    arm();
  };
  const arm = (): void => {
    const [first] = kept;
    if (first !== undefined) cancel ??= clock.after(first.untilMs - clock.monotonic(), sweep);
  };
  const unsubscribe = api.onChange(({ groupResource, before, after }) => {
    if (groupResource !== 'events' || before !== undefined || after === undefined) return;
    const { namespace = '', name, uid = '' } = after.metadata;
    kept.push({ untilMs: clock.monotonic() + keptMs, namespace, name, uid });
    arm();
  });
  return () => {
    unsubscribe();
    cancel?.();
  };
}
