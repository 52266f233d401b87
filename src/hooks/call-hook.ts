/**
 * One call of a user's webhook (`spec/03`, 3.2 and 3.3). Every 2xx is a yes (D20), everything else a
 * no with the reason that the hook gave (M-19). Nothing of the URL but its host is ever shown: paths
 * and queries carry tokens.
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { CanaryWebhook } from '../api/canary.ts';
import { parseDuration } from '../api/duration.ts';

/** Of an answer's body that is kept: it ends up in an event. */
const bodyBytesMax = 1024;
const timeoutDefault = '10s';
const backOffMsMax = 30_000;
const redirectsMax = 10;

export interface HookOptions {
  readonly signal: AbortSignal;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export type HookAnswer =
  | { readonly ok: true }
  /** The reason, as the event will show it. */
  | { readonly ok: false; readonly error: string };

interface Attempt {
  readonly answer: HookAnswer;
  /** Whether another attempt may help, and how long to wait for it if the hook said so. */
  readonly repeat: boolean;
  readonly retryAfterMs?: number;
}

export async function callHook(
  hook: CanaryWebhook,
  payload: object,
  { signal, sleep }: HookOptions,
): Promise<HookAnswer> {
  const timeout = parseDuration(
    (hook.timeout ?? '').length < 2 ? timeoutDefault : (hook.timeout ?? ''),
  );
  if (!timeout.ok) return { ok: false, error: timeout.error };
  if (!URL.canParse(hook.url))
    return { ok: false, error: `the URL of hook ${hook.name} is not valid` };
  const attempts = 1 + Math.max(0, Math.trunc(hook.retries ?? 0));
  let last: Attempt | undefined;
  for (let number = 1; number <= attempts; number += 1) {
    last = await attempt(hook, JSON.stringify(payload), timeout.ms, signal);
    if (last.answer.ok || !last.repeat || number === attempts) break;
    const backOffMs = Math.min(backOffMsMax, 1000 * 2 ** (number - 1));
    await sleep(last.retryAfterMs ?? backOffMs, signal);
  }
  return last?.answer ?? { ok: false, error: 'the hook was not called' };
}

async function attempt(
  hook: CanaryWebhook,
  body: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Attempt> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    return judge(hook, await post(hook, body, limited));
  } catch (error) {
    signal.throwIfAborted();
    const cause = limited.aborted ? `no answer within ${timeoutMs / 1000}s` : reasonOf(error);
    return { answer: { ok: false, error: `POST ${hostOf(hook)}: ${cause}` }, repeat: true };
  }
}

interface Response {
  readonly status: number;
  readonly body: string;
  readonly location?: string;
  readonly retryAfter?: string;
}

async function post(hook: CanaryWebhook, body: string, signal: AbortSignal): Promise<Response> {
  let url = new URL(hook.url);
  let method = 'POST';
  for (let hop = 0; ; hop += 1) {
    const response = await send(url, method, body, hook.disableTLS === true, signal);
    const { status, location } = response;
    if (status < 300 || status >= 400 || location === undefined) return response;
    if (hop === redirectsMax) throw new Error(`stopped after ${redirectsMax} redirects`);
    if (status !== 307 && status !== 308) method = 'GET';
    url = new URL(location, url);
  }
}

function send(
  url: URL,
  method: string,
  body: string,
  insecure: boolean,
  signal: AbortSignal,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const call = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const headers = method === 'POST' ? { 'Content-Type': 'application/json' } : {};
    const options = { method, headers, signal, rejectUnauthorized: !insecure };
    const request = call(url, options, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        if (bytes < bodyBytesMax) chunks.push(chunk.subarray(0, bodyBytesMax - bytes));
        bytes += chunk.length;
      });
      response.on('error', reject);
      response.on('end', () => {
        const { location, 'retry-after': retryAfter } = response.headers;
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString('utf8'),
          ...(location === undefined ? {} : { location }),
          ...(retryAfter === undefined ? {} : { retryAfter }),
        });
      });
    });
    request.on('error', reject);
    request.end(method === 'POST' ? body : undefined);
  });
}

function judge(hook: CanaryWebhook, { status, body, retryAfter }: Response): Attempt {
  if (status >= 200 && status < 300) return { answer: { ok: true }, repeat: false };
  const said = body.trim();
  const error = said === '' ? `POST ${hostOf(hook)}: status ${status}` : said;
  const repeat = status === 429 || (status >= 500 && status !== 501);
  const seconds = Number(retryAfter);
  const waits = (status === 429 || status === 503) && Number.isFinite(seconds) && seconds >= 0;
  return {
    answer: { ok: false, error },
    repeat,
    ...(waits && retryAfter !== undefined
      ? { retryAfterMs: Math.min(seconds * 1000, backOffMsMax) }
      : {}),
  };
}

const hostOf = ({ url }: CanaryWebhook): string => new URL(url).host;

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : 'failed';
}
