/** Users' webhooks, answered by a scenario at the place where the controller would post to them. */
import type { Canary, CanaryWebhook, HookType } from '../api/canary.ts';
import type { Post } from '../hooks/post.ts';
import type { Answer } from '../outbound/exchange.ts';
import type { HookReply, Scenario } from './scenario.ts';
import { valueAt } from './series.ts';

export interface HookCall {
  readonly hook: CanaryWebhook;
  readonly type: HookType;
  readonly reply: HookReply;
}

export interface HookAnswersOptions {
  readonly scenario: Scenario;
  /** As it is now. */
  readonly canary: () => Canary | undefined;
  /** Since the beginning of the scenario. */
  readonly scenarioMs: () => number;
  /** Told of each call that is answered. */
  readonly called: (call: HookCall) => void;
}

/**
 * What a hook replies. Where the scenario says nothing, tests and gates accept, and nobody asks for
 * a rollback.
 */
export function hookReply(
  scenario: Scenario,
  { name }: CanaryWebhook,
  type: HookType,
  scenarioMs: number,
): HookReply {
  const series = scenario.hooks.get(name) ?? scenario.hooks.get(type);
  if (series !== undefined) return valueAt(series, scenarioMs);
  return type === 'rollback' ? { kind: 'Refuses', message: '' } : { kind: 'Accepts' };
}

export function createHookAnswers(options: HookAnswersOptions): Post {
  const { scenario, canary, scenarioMs, called } = options;
  return async (url, _json, { signal }) => {
    signal.throwIfAborted();
    const hook = hookAt(canary(), url);
    // Not the canary's: the address that the controller tells all events.
    if (hook === undefined) return accepted;
    const type = hook.type || 'rollout';
    const reply = hookReply(scenario, hook, type, scenarioMs());
    if (type !== 'event') called({ hook, type, reply });
    switch (reply.kind) {
      case 'Accepts':
        return accepted;
      case 'Refuses':
        return { status: 403, reason: 'Forbidden', body: reply.message, headers: {} };
      case 'Silent':
        return never(signal);
    }
  };
}

const accepted: Answer = { status: 200, reason: 'OK', body: '', headers: {} };

const mark = 'rehearsed-webhook-';

/**
 * Several hooks may have one URL, and no call names its hook: in a rehearsal each has a fragment of
 * its own, which no server would see.
 */
export function withMarkedHooks(canary: Canary): Canary {
  const { analysis } = canary.spec;
  if (analysis?.webhooks === undefined) return canary;
  const webhooks = analysis.webhooks.map((hook, index) => {
    // Nobody annotates anything in a rehearsal: the scenario answers for gates of our own, too.
    const address = hook.url ?? 'http://gate.invalid/';
    if (!URL.canParse(address)) return hook;
    const url = new URL(address);
    url.hash = `${mark}${index}`;
    return { ...hook, url: url.href };
  });
  return { ...canary, spec: { ...canary.spec, analysis: { ...analysis, webhooks } } };
}

/** By its mark; hooks that were added later have none, and are found by their URL. */
function hookAt(canary: Canary | undefined, url: URL): CanaryWebhook | undefined {
  const hooks = canary?.spec.analysis?.webhooks ?? [];
  return hooks.find(({ url: own = '' }) => URL.canParse(own) && new URL(own).href === url.href);
}

const never = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
