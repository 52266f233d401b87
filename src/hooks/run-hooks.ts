/**
 * The hooks of one type, in the order in which they are listed, and what is said of each answer
 * (`spec/03`, 3.4). The first refusal ends the list; of rollback hooks, the first consent. So they are
 * called one after the other: who stands later in the list is not to be called where an earlier one
 * ends it. Event hooks end nothing, and are called side by side.
 */
import { isBuiltInGate } from '../api/approval.ts';
import type { Canary, CanaryWebhook, HookType, Phase } from '../api/canary.ts';
import { displayName, hooksOf } from '../api/defaults.ts';
import type { HookAnswer, HookOptions } from './call-hook.ts';
import { callHook } from './call-hook.ts';

export interface HookEvent {
  readonly type: 'Normal' | 'Warning';
  readonly message: string;
  /** Somebody must decide, and is to be told so. */
  readonly alert?: {
    readonly severity: 'warn';
    readonly message: string;
    readonly hasSettings: false;
  };
}

export interface HooksOutcome {
  /** Of rollback hooks: whether one asks for a rollback. */
  readonly passed: boolean;
  /** What may be said. Whether a refusal is said again that was said before, the caller decides. */
  readonly events: readonly HookEvent[];
  /** The hook that ended the list with a no; never a rollback hook. */
  readonly refusedBy?: CanaryWebhook;
}

export interface HookContext extends HookOptions {
  readonly phase: Phase;
  /** Tells receivers one revision from another. */
  readonly checksum: string;
  /** Whether somebody opened a gate of our own: a hook without a URL. */
  readonly isApproved: (hook: CanaryWebhook) => boolean;
}

interface Words {
  readonly passed?: (hook: string) => string;
  readonly refused: (hook: string, error: string, canary: string) => string;
  /** Alert on a refusal, where the hook does not mute it. */
  readonly alert?: string;
}

const words: Readonly<Record<Exclude<HookType, 'event'>, Words>> = {
  'confirm-rollout': {
    passed: (hook) => `Confirm-rollout check ${hook} passed`,
    refused: (hook, _, canary) => `Halt ${canary} advancement waiting for approval ${hook}`,
    alert: 'Canary is waiting for approval.',
  },
  'pre-rollout': {
    passed: (hook) => `Pre-rollout check ${hook} passed`,
    refused: (hook, error, canary) =>
      `Halt ${canary} advancement pre-rollout check ${hook} failed ${error}`,
  },
  rollout: {
    refused: (hook, error, canary) =>
      `Halt ${canary} advancement external check ${hook} failed ${error}`,
  },
  'confirm-traffic-increase': {
    passed: (hook) => `Confirm-traffic-increase check ${hook} passed`,
    refused: (hook, _, canary) =>
      `Halt ${canary} advancement waiting for traffic increase approval ${hook}`,
    alert: 'Canary traffic increase is waiting for approval.',
  },
  'confirm-promotion': {
    passed: (hook) => `Confirm-promotion check ${hook} passed`,
    refused: (hook, _, canary) =>
      `Halt ${canary} advancement waiting for promotion approval ${hook}`,
    alert: 'Canary promotion is waiting for approval.',
  },
  'post-rollout': {
    passed: (hook) => `Post-rollout check ${hook} passed`,
    refused: (hook, error) => `Post-rollout hook ${hook} failed ${error}`,
  },
  rollback: {
    passed: (hook) => `Rollback check ${hook} passed`,
    refused: (hook) => `Rollback hook ${hook} not signaling a rollback`,
  },
};

/** Calls the hooks of one type. Rejects only with the signal's reason, when it aborts. */
export async function runHooks(
  canary: Canary,
  type: Exclude<HookType, 'event'>,
  context: HookContext,
): Promise<HooksOutcome> {
  const asksForRollback = type === 'rollback';
  const events: HookEvent[] = [];
  for (const hook of hooksOf(canary, type)) {
    const isGate = isBuiltInGate(hook);
    // Nobody asks for a rollback here: the core carries one out when it hears of it.
    if (isGate && asksForRollback) continue;
    const answer = isGate
      ? decidedAnswer(context.isApproved(hook))
      : await callHook(hook, payloadOf(canary, hook, context), context);
    const { passed, refused } = words[type];
    if (answer.ok) {
      const said = passed?.(hook.name);
      if (said !== undefined) {
        events.push({ type: asksForRollback ? 'Warning' : 'Normal', message: said });
      }
      if (asksForRollback) return { passed: true, events };
    } else {
      const message = refused(hook.name, answer.error, displayName(canary));
      events.push({
        type: asksForRollback ? 'Normal' : 'Warning',
        message,
        ...alertOf(type, hook),
      });
      if (!asksForRollback) return { passed: false, events, refusedBy: hook };
    }
  }
  return { passed: !asksForRollback, events };
}

const decidedAnswer = (isApproved: boolean): HookAnswer =>
  isApproved ? { ok: true } : { ok: false, error: 'nobody has approved it' };

function alertOf(
  type: Exclude<HookType, 'event'>,
  { muteAlert }: CanaryWebhook,
): Pick<HookEvent, 'alert'> {
  const { alert } = words[type];
  if (alert === undefined || muteAlert === true) return {};
  return { alert: { severity: 'warn', message: alert, hasSettings: false } };
}

export interface EventContext extends Omit<HookContext, 'isApproved'> {
  /** Unix milliseconds. */
  readonly timestampMs: number;
  /** Where events of canaries without an event hook go; '' for nowhere. */
  readonly globalUrl: string;
}

/**
 * Tells all event hooks what was said, or the global one where the canary has none. Returns the
 * failures, which are for the log only. Rejects only with the signal's reason, when it aborts.
 */
export async function sendEvent(
  canary: Canary,
  { type, message }: Pick<HookEvent, 'type' | 'message'>,
  context: EventContext,
): Promise<readonly string[]> {
  const own = hooksOf(canary, 'event');
  const hooks: readonly CanaryWebhook[] =
    own.length > 0 || context.globalUrl === '' ? own : [{ name: 'events', url: context.globalUrl }];
  const calls = hooks.map((hook) => {
    const metadata = {
      ...hook.metadata,
      // Last: the user's own metadata cannot take their place.
      eventMessage: message,
      eventType: type,
      timestamp: String(context.timestampMs),
    };
    const payload = payloadOf(canary, { ...hook, metadata }, context);
    return callHook(hook, payload, context);
  });
  // Side by side: each is told, whatever the others say, so none has to wait for another.
  const answers = await Promise.all(calls);
  return answers.flatMap((answer) => (answer.ok ? [] : [answer.error]));
}

/** Keys in the order of the reference, which sorts those of metadata. */
function payloadOf(
  canary: Canary,
  hook: CanaryWebhook,
  { phase, checksum }: Pick<HookContext, 'phase' | 'checksum'>,
): object {
  const metadata = Object.entries(hook.metadata ?? {}).toSorted(([left], [right]) =>
    left < right ? -1 : 1,
  );
  return {
    name: canary.metadata.name,
    namespace: canary.metadata.namespace ?? '',
    phase,
    checksum,
    ...(metadata.length > 0 ? { metadata: Object.fromEntries(metadata) } : {}),
  };
}
