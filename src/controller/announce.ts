/** Saying what was decided: a Kubernetes event, a line in the log, and the canary's event hooks. */
import type { Canary, Phase } from '../api/canary.ts';
import { displayName } from '../api/defaults.ts';
import type { Saying } from '../canary/observation.ts';
import { statusOf } from '../canary/status.ts';
import { sendEvent } from '../hooks/run-hooks.ts';
import { hookChecksum } from '../revision/reference-hash.ts';
import type { Standing } from './world.ts';

type Said = Pick<Saying, 'type' | 'message' | 'alert'>;

/** Event hooks that may be under way at once; more are dropped, and said in the log. */
const eventHooksMax = 200;

export function announce(
  canary: Canary,
  phase: Phase,
  sayings: readonly Said[],
  world: Standing,
): void {
  for (const { type, message, alert } of sayings) {
    world.log.info({ canary: displayName(canary) }, message);
    world.recorder.record(canary, { type, message });
    if (alert !== undefined) world.alert(canary, alert);
    void tellHooks(canary, phase, { type, message }, world);
  }
}

async function tellHooks(canary: Canary, phase: Phase, said: Said, world: Standing): Promise<void> {
  const { clock, settings, signal, log, eventHooks, post } = world;
  const field = { canary: displayName(canary) };
  if (eventHooks.underWay >= eventHooksMax) {
    log.error(field, 'event hook not called: too many calls are under way');
    return;
  }
  eventHooks.underWay += 1;
  try {
    const failures = await sendEvent(canary, said, {
      phase,
      checksum: hookChecksum(statusOf(canary)),
      timestampMs: clock.now(),
      globalUrl: settings.eventWebhook,
      signal,
      sleep: (ms, until) => clock.sleep(ms, until),
      post,
    });
    for (const failure of failures) {
      log.error(field, `error sending event to webhook: ${failure}`);
    }
  } catch (error) {
    if (!signal.aborted) log.error({ ...field, error: String(error) }, 'event hook not called');
  } finally {
    eventHooks.underWay -= 1;
  }
}
