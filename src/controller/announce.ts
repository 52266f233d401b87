/** Saying what was decided: a Kubernetes event, a line in the log, and the canary's event hooks. */
import type { Canary, Phase } from '../api/canary.ts';
import { displayName, hooksOf } from '../api/defaults.ts';
import type { Saying } from '../canary/observation.ts';
import { statusOf } from '../canary/status.ts';
import { sendEvent } from '../hooks/run-hooks.ts';
import { hookChecksum } from '../revision/reference-hash.ts';
import type { Standing } from './world.ts';

type Said = Pick<Saying, 'type' | 'message' | 'alert'>;

/** Events that wait for their hooks, of all canaries and of one; more are dropped, which the log says. */
const eventsMax = 200;
const eventsOfCanaryMax = 20;

export function announce(
  canary: Canary,
  phase: Phase,
  sayings: readonly Said[],
  world: Standing,
): void {
  for (const { type, message, alert } of sayings) {
    world.log.info({ canary: displayName(canary) }, message);
    world.recorder.record(canary, { type, message });
    if (alert !== undefined && alert.state === undefined) world.alert(canary, alert);
    tellInOrder(canary, phase, { type, message }, world);
  }
}

/** Events of one canary reach its hooks in the order in which they happened, however slow they are. */
function tellInOrder(canary: Canary, phase: Phase, said: Said, world: Standing): void {
  const { settings, log, eventHooks, clock } = world;
  if (hooksOf(canary, 'event').length === 0 && settings.eventWebhook === '') return;
  const { namespace = '', name } = canary.metadata;
  const key = `${namespace}/${name}`;
  const line = eventHooks.lines.get(key) ?? { waiting: 0, last: Promise.resolve() };
  if (eventHooks.waiting >= eventsMax || line.waiting >= eventsOfCanaryMax) {
    const field = { canary: displayName(canary) };
    log.error(field, 'event hook not called: too many calls are under way');
    return;
  }
  const timestampMs = clock.now();
  eventHooks.waiting += 1;
  line.waiting += 1;
  line.last = line.last
    .then(() => tellHooks(canary, phase, said, timestampMs, world))
    .finally(() => {
      eventHooks.waiting -= 1;
      line.waiting -= 1;
      if (line.waiting === 0) eventHooks.lines.delete(key);
    });
  eventHooks.lines.set(key, line);
}

async function tellHooks(
  canary: Canary,
  phase: Phase,
  said: Said,
  timestampMs: number,
  world: Standing,
): Promise<void> {
  const { clock, settings, signal, log, post } = world;
  const field = { canary: displayName(canary) };
  try {
    const failures = await sendEvent(canary, said, {
      phase,
      checksum: hookChecksum(statusOf(canary)),
      timestampMs,
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
  }
}
