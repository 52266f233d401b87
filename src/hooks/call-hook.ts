/**
 * One call of a user's webhook, with its repetitions (`spec/03`, 3.2 and 3.3). Every 2xx is a yes
 * (D20), everything else a no with the reason that the hook gave last (M-19).
 *
 * No error shows user, password or query of a URL: they carry tokens, and errors become events.
 */
import type { CanaryWebhook } from '../api/canary.ts';
import { parseDuration } from '../api/duration.ts';
import { DeadlineExceeded, within } from '../outbound/deadline.ts';
import type { Sleep } from '../outbound/deadline.ts';
import type { Answer } from '../outbound/exchange.ts';
import { HopelessCall } from '../outbound/hopeless-call.ts';
import type { Post } from './post.ts';

const timeoutDefault = '10s';
/** One second, then twice as long each time. */
const backOffMsMin = 1_000;
const backOffMsMax = 30_000;
/** Longest wait that a hook may ask for: a rollout must not be held by one header. */
const retryAfterMsMax = 5 * 60_000;
/** With the longest back-off, the better part of an hour. */
const retriesMax = 100;

export interface HookOptions {
  /** Ends the call; `callHook` then rejects with the signal's reason. */
  readonly signal: AbortSignal;
  readonly sleep: Sleep;
  readonly post: Post;
}

export type HookAnswer =
  | { readonly ok: true }
  /** The reason, as the event will show it. */
  | { readonly ok: false; readonly error: string };

/** How one attempt ended: with an answer, or with the reason why there was none. */
type Attempt =
  | { readonly kind: 'Accepted' }
  /** The reason is the hook's own, or hopeless: nobody tries again. */
  | { readonly kind: 'Refused'; readonly error: string }
  | { readonly kind: 'Hopeless'; readonly error: string }
  | { readonly kind: 'Failed'; readonly error: string; readonly retryAfterMs?: number };

/** Calls a hook with a payload, whose key order is kept, as often as its retries allow. */
export async function callHook(
  hook: CanaryWebhook,
  payload: object,
  options: HookOptions,
): Promise<HookAnswer> {
  const timeout = parseDuration(timeoutOf(hook));
  if (!timeout.ok) return { ok: false, error: timeout.error };
  const { url: address = '' } = hook;
  if (!URL.canParse(address)) return { ok: false, error: `hook ${hook.name} has no valid URL` };
  const url = new URL(address);
  const attemptsMax = 1 + Math.min(Math.max(0, Math.trunc(hook.retries ?? 0)), retriesMax);
  const body = JSON.stringify(payload);
  for (let attempts = 1; ; attempts += 1) {
    const ended = await attempt(url, body, hook.disableTLS === true, {
      ...options,
      ms: timeout.ms,
    });
    if (ended.kind === 'Accepted') return { ok: true };
    if (ended.kind === 'Refused') return { ok: false, error: ended.error };
    if (ended.kind === 'Hopeless' || attempts === attemptsMax) {
      const gaveUp = `POST ${showUrl(url)} giving up after ${attempts} attempt(s)`;
      return { ok: false, error: `${gaveUp}: ${ended.error}` };
    }
    const backOffMs = Math.min(backOffMsMin * 2 ** (attempts - 1), backOffMsMax);
    await options.sleep(ended.retryAfterMs ?? backOffMs, options.signal);
  }
}

/** One character is no duration, and counts as none; event hooks are stricter in the reference. */
function timeoutOf({ timeout = '', type }: CanaryWebhook): string {
  const isAbsent = type === 'event' ? timeout === '' : timeout.length < 2;
  return isAbsent ? timeoutDefault : timeout;
}

/** A URL without what carries secrets. */
const showUrl = ({ protocol, host }: URL): string => `${protocol}//${host}`;

async function attempt(
  url: URL,
  body: string,
  insecureSkipVerify: boolean,
  { signal, sleep, ms, post }: HookOptions & { readonly ms: number },
): Promise<Attempt> {
  try {
    const response = await within({ ms, signal, sleep }, (limited) =>
      post(url, body, { insecureSkipVerify, signal: limited }),
    );
    return judge(response);
  } catch (error) {
    signal.throwIfAborted();
    const kind = error instanceof HopelessCall ? 'Hopeless' : 'Failed';
    return { kind, error: reasonOf(error) };
  }
}

function judge(response: Answer): Attempt {
  const { status, reason, body } = response;
  if (status >= 200 && status < 300) return { kind: 'Accepted' };
  const error = body.trim() || `status ${status} ${reason}`.trimEnd();
  const mayPass = status === 429 || (status >= 500 && status !== 501);
  if (!mayPass) return { kind: 'Refused', error };
  const retryAfterMs = retryAfterMsOf(response);
  return { kind: 'Failed', error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** How long a 429 or 503 asks to wait: seconds, or a date, which is read by the hook's own clock. */
function retryAfterMsOf({ status, headers }: Answer): number | undefined {
  const { 'retry-after': retryAfter = '', date = '' } = headers;
  if ((status !== 429 && status !== 503) || retryAfter === '') return undefined;
  const ms = /^\d+$/.test(retryAfter)
    ? Number(retryAfter) * 1000
    : Date.parse(retryAfter) - Date.parse(date);
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), retryAfterMsMax);
}

function reasonOf(error: unknown): string {
  if (error instanceof DeadlineExceeded) return error.message;
  // Node leaves the message of an AggregateError empty.
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : 'the call failed';
}
