/**
 * Alerts on their way: sent in the background, in order for each receiver, and tried again while
 * that may help. Nobody who rolls out waits for it, and a receiver that is away holds up no other.
 */
import type { Alert } from './alert.ts';
import { titleOf } from './alert.ts';
import type { Poster } from './post.ts';
import type { Receiver } from './provider.ts';
import { render } from './registry.ts';
import type { Stamp } from './registry.ts';

/** An alert, and where it goes: read when its turn comes, so that a new address is used at once. */
export interface Delivery {
  readonly alert: Alert;
  readonly stamp: Stamp;
  /** Which line it waits in: namespace and name of the provider. */
  readonly receiver: string;
  /** Rejects, or answers why not, where there is nowhere to send it to. */
  readonly resolve: (
    signal: AbortSignal,
  ) => Promise<
    | { readonly ok: true; readonly receiver: Receiver }
    | { readonly ok: false; readonly error: string }
  >;
}

export interface OutboxOptions {
  readonly poster: Poster;
  /** Rejects once the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Told of each alert that was not sent, and why. Nothing in it authorises anybody. */
  readonly lost: (delivery: Delivery, reason: string) => void;
  readonly sent: (delivery: Delivery) => void;
}

export interface Outbox {
  /** Never waits, never fails. */
  add(delivery: Delivery): void;
  /** Resolves when all is sent or lost; what is left is lost once the signal aborts. */
  flush(signal: AbortSignal): Promise<void>;
  readonly pending: number;
}

/** Alerts that wait, of all receivers: two for each of 500 canaries. */
const pendingMax = 1_000;
const triesMax = 6;
/** 1, 2, 4, 8 and 16 s. */
const backOffMsFirst = 1_000;
const retryAfterMsMax = 60_000;

export function createOutbox(options: OutboxOptions): Outbox {
  const lines = new Map<string, Delivery[]>();
  const ended = new AbortController();
  const idle = new Set<() => void>();
  let pending = 0;

  const work = async (receiver: string, line: Delivery[]): Promise<void> => {
    for (let next = line[0]; next !== undefined; next = line[0]) {
      await deliver(next, options, ended.signal);
      line.shift();
      pending -= 1;
    }
    lines.delete(receiver);
    if (pending === 0) for (const done of idle) done();
  };

  return {
    get pending() {
      return pending;
    },
    add: (delivery) => {
      if (pending >= pendingMax || ended.signal.aborted) {
        options.lost(delivery, 'too many alerts wait');
        return;
      }
      pending += 1;
      const line = lines.get(delivery.receiver);
      if (line !== undefined) {
        line.push(delivery);
        return;
      }
      const begun = [delivery];
      lines.set(delivery.receiver, begun);
      void work(delivery.receiver, begun);
    },
    flush: (signal) =>
      new Promise((resolve) => {
        if (pending === 0) {
          resolve();
          return;
        }
        idle.add(resolve);
        const stop = (): void => ended.abort(new Error('the process ends'));
        if (signal.aborted) stop();
        else signal.addEventListener('abort', stop, { once: true });
      }),
  };
}

async function deliver(
  delivery: Delivery,
  options: OutboxOptions,
  signal: AbortSignal,
): Promise<void> {
  let reason = '';
  for (let tries = 1; tries <= triesMax && !signal.aborted; tries += 1) {
    const attempt = await attemptOf(delivery, options, signal);
    if (attempt.kind === 'Sent') {
      options.sent(delivery);
      return;
    }
    reason = attempt.reason;
    if (attempt.kind === 'Refused' || tries === triesMax) break;
    const backOffMs = backOffMsFirst * 2 ** (tries - 1);
    const waitMs = Math.min(Math.max(backOffMs, attempt.retryAfterMs ?? 0), retryAfterMsMax);
    await options.sleep(waitMs, signal).catch(() => undefined);
  }
  options.lost(delivery, reason === '' ? 'the process ends' : reason);
}

type Attempt =
  | { readonly kind: 'Sent' }
  /** Will be refused again however often it is tried. */
  | { readonly kind: 'Refused'; readonly reason: string }
  | { readonly kind: 'Failed'; readonly reason: string; readonly retryAfterMs?: number };

async function attemptOf(
  { alert, stamp, resolve }: Delivery,
  { poster }: OutboxOptions,
  signal: AbortSignal,
): Promise<Attempt> {
  try {
    const found = await resolve(signal);
    if (!found.ok) return { kind: 'Refused', reason: found.error };
    const rendered = render(alert, found.receiver, stamp);
    if (!rendered.ok) return { kind: 'Refused', reason: rendered.error };
    const { proxy } = found.receiver;
    const { status, body, retryAfterMs } = await poster.post(rendered.request, proxy, signal);
    const secrets = [found.receiver.address, found.receiver.token ?? ''];
    if (status >= 200 && status < 300) {
      const refusal = rendered.refusal(body);
      return refusal === undefined
        ? { kind: 'Sent' }
        : { kind: 'Refused', reason: `${titleOf(alert)}: ${without(secrets, refusal)}` };
    }
    const reason = `bad response ${status}: ${without(secrets, body).trim().slice(0, 200)}`;
    const mayPass = status === 408 || status === 429 || status >= 500;
    if (!mayPass) return { kind: 'Refused', reason };
    return { kind: 'Failed', reason, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  } catch (error) {
    const { code = '', name } = error as { readonly code?: string; readonly name: string };
    return { kind: 'Failed', reason: `no answer: ${code === '' ? name : code}` };
  }
}

/** What a receiver says may repeat what it was asked with. */
function without(secrets: readonly string[], text: string): string {
  let clean = text;
  for (const secret of secrets) if (secret !== '') clean = clean.replaceAll(secret, '***');
  return clean;
}
