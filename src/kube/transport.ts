/**
 * HTTP to one API server: connections that are kept, a deadline for every call, bounded answers,
 * bounded repetitions. JSON in, JSON out; what it means is the client's business.
 *
 * A request is repeated only where that cannot do more than the caller asked for:
 *   401                    once, with fresh credentials (it was not carried out)
 *   429                    after the time that the server names (it was not carried out)
 *   500, 503, 504          likewise, if it is repeatable and the server names a time
 *   a stale connection     once, if it is repeatable (the server may have closed an idle one)
 * A call that ran into its deadline is never repeated here: the caller decides again.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { onAbort } from './abort.ts';
import { ApiError, apiErrorFrom } from './api-error.ts';
import type { Clock } from './clock.ts';
import type { Credentials, KubeConnection } from './config.ts';
import type { RateLimiter } from './rate-limiter.ts';

/** From the sending to the end of the answer; of a watch, to the headers. */
export const callMsMax = 30_000;
/** A page of 500 objects of 128 KiB each. */
const bodyBytesMax = 64 * 1024 * 1024;
/** First try included. */
const triesMax = 4;
/** A server that asks for more is left to the caller's back-off. */
const retryAfterMsMax = 30_000;
/** Where a 429 names no time. */
const retryAfterMsFallback = 1_000;
/** Connections for calls: an API server serves some 400 requests at a time for everybody. */
const callSocketsMax = 32;
/** One for each watched resource. */
const watchSocketsMax = 128;
/** Below the 90 s after which an API server closes an idle connection under our hands. */
const idleSocketMsMax = 60_000;
/** When the kernel begins to probe a silent connection. */
const keepAliveProbeMs = 30_000;

/**
 * `code` is the HTTP status, or a word where there was none: `timeout`, `aborted`, `refused`,
 * `error`.
 */
export type CallListener = (
  verb: string,
  resource: string,
  code: number | string,
  seconds: number,
) => void;

export interface TransportRequest {
  readonly verb: string;
  /** The plural. */
  readonly resource: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With the query, below the server's address. */
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly accept?: string;
  /** Whether twice is no more than once. */
  readonly repeatable: boolean;
  readonly limiter: RateLimiter;
  readonly signal: AbortSignal;
}

export interface Transport {
  /** The answer's JSON. */
  call(request: TransportRequest): Promise<unknown>;
  /** Resolves when the server has begun to answer. No deadline holds for what follows. */
  stream(request: TransportRequest): Promise<AsyncIterable<Uint8Array>>;
  close(): void;
}

export interface TransportOptions {
  readonly userAgent: string;
  readonly clock: Clock;
  readonly onCall: CallListener;
  /** Told of each warning that comes with an answer: of admission webhooks, of old API versions. */
  readonly onWarning?: (text: string) => void;
}

type Agent = HttpAgent | HttpsAgent;

/** A connection that was kept broke before it answered a byte. */
class StaleConnection extends ApiError {}

export function createTransport(connection: KubeConnection, options: TransportOptions): Transport {
  return repeating(createOneShotTransport(connection, options), options.clock);
}

/** Repeats what may be repeated, by the rules at the head of this file. */
export function repeating(transport: Transport, clock: Clock): Transport {
  const repeated = async <Answer>(
    request: TransportRequest,
    attempt: () => Promise<Answer>,
  ): Promise<Answer> => {
    for (let tries = 1, mended = false; ; tries += 1) {
      await request.limiter.take(request.signal);
      const outcome = await settled(attempt());
      if ('answer' in outcome) return outcome.answer;
      const waitMs = repeatAfterMs(outcome.error, { ...request, tries, mended });
      if (waitMs === undefined) throw outcome.error;
      mended ||= waitMs === 0;
      if (waitMs > 0) await clock.sleep(waitMs, request.signal);
    }
  };
  return {
    call: (request) => repeated(request, () => transport.call(request)),
    stream: (request) => repeated(request, () => transport.stream(request)),
    close: () => transport.close(),
  };
}

function createOneShotTransport(connection: KubeConnection, options: TransportOptions): Transport {
  const agents = {
    calls: createAgent(connection.server, callSocketsMax),
    watches: createAgent(connection.server, watchSocketsMax),
  };
  const exchange = createExchange(connection, options);
  return {
    call: (request) =>
      exchange(request, agents.calls, async (answer) => parsed(request, await answer.text())),
    stream: (request) => exchange(request, agents.watches, async (answer) => answer.chunks()),
    close: () => {
      agents.calls.destroy();
      agents.watches.destroy();
    },
  };
}

/** When to try again, in milliseconds; undefined where the error is the answer. */
export function repeatAfterMs(
  error: unknown,
  past: { readonly tries: number; readonly mended: boolean; readonly repeatable: boolean },
): number | undefined {
  if (!(error instanceof ApiError) || past.tries >= triesMax) return undefined;
  if (error.code === 401) return past.mended ? undefined : 0;
  if (error instanceof StaleConnection) return past.repeatable && !past.mended ? 0 : undefined;

  const { retryAfterMs } = error;
  if (retryAfterMs !== undefined && retryAfterMs > retryAfterMsMax) return undefined;
  if (error.code === 429) return retryAfterMs ?? retryAfterMsFallback;
  const isPassing = error.code === 500 || error.code === 503 || error.code === 504;
  return isPassing && past.repeatable ? retryAfterMs : undefined;
}

async function settled<Answer>(
  promise: Promise<Answer>,
): Promise<{ readonly answer: Answer } | { readonly error: unknown }> {
  try {
    return { answer: await promise };
  } catch (error) {
    return { error };
  }
}

/** An answer whose headers are here. */
interface Answer {
  text(): Promise<string>;
  /** Takes the deadline off. */
  chunks(): AsyncIterable<Uint8Array>;
}

type Exchange = <Result>(
  request: TransportRequest,
  agent: Agent,
  read: (answer: Answer) => Promise<Result>,
) => Promise<Result>;

/** One request and its answer; no repetition. */
function createExchange(connection: KubeConnection, options: TransportOptions): Exchange {
  const { clock, onCall, onWarning } = options;
  return async (request, agent, read) => {
    const credentials = await connection.sign(request.signal);
    request.signal.throwIfAborted();
    const begunAtMs = clock.monotonic();
    const wire = open(request, { connection, credentials, agent, ...options });
    const finished = (code: number | string): void =>
      onCall(request.verb, request.resource, code, (clock.monotonic() - begunAtMs) / 1000);
    try {
      const response = await wire.response;
      const code = response.statusCode ?? 0;
      if (onWarning !== undefined) warningsOf(response.headers.warning).forEach(onWarning);
      if (code === 401) connection.rejected(credentials);
      if (code < 200 || code > 299) throw await refusal(request, wire, clock);
      const result = await read(wire);
      finished(code);
      return result;
    } catch (error) {
      const cause = wire.explain(error);
      finished(wordFor(cause, request.signal));
      throw cause;
    }
  };
}

interface Wire extends Answer {
  readonly response: Promise<IncomingMessage>;
  /** The error that the caller shall see. */
  explain(error: unknown): unknown;
}

function open(
  request: TransportRequest,
  context: TransportOptions & {
    readonly connection: KubeConnection;
    readonly credentials: Credentials;
    readonly agent: Agent;
  },
): Wire {
  const { signal } = request;
  const outgoing = outgoingRequest(request, context);
  let isLate = false;
  const cancelDeadline = context.clock.after(callMsMax, () => {
    isLate = true;
    outgoing.destroy();
  });
  const unlisten = onAbort(signal, () => void outgoing.destroy());
  outgoing.once('close', () => {
    cancelDeadline();
    unlisten();
  });

  let hasAnswered = false;
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', (incoming) => {
      hasAnswered = true;
      resolve(incoming);
    });
    // `on`: an error after the answer has begun belongs to its reader, and must not be thrown.
    outgoing.on('error', reject);
    // A destroyed request may say no more than that it is closed.
    outgoing.once('close', () => reject(new Error('the connection was closed')));
  });
  outgoing.end(request.body);

  const explain = (error: unknown): unknown => {
    if (signal.aborted) return signal.reason;
    if (error instanceof ApiError) return error;
    const call = `${request.verb} ${request.resource}`;
    if (isLate) {
      return new ApiError(`${call}: no answer within ${callMsMax / 1000} s`, {
        code: 0,
        reason: 'Timeout',
      });
    }
    const isStale = outgoing.reusedSocket && !hasAnswered && isReset(error);
    const Failure = isStale ? StaleConnection : ApiError;
    return new Failure(`${call}: ${reasonOf(error)}`, { code: 0, reason: 'ConnectionFailed' });
  };
  return {
    response,
    explain,
    text: async () => text(await response),
    chunks: () => {
      cancelDeadline();
      return chunks(response, explain);
    },
  };
}

function outgoingRequest(
  { method, path, body, contentType, accept }: TransportRequest,
  context: {
    readonly connection: KubeConnection;
    readonly credentials: Credentials;
    readonly agent: Agent;
    readonly userAgent: string;
  },
): ClientRequest {
  const { server } = context.connection;
  const send = server.protocol === 'http:' ? httpRequest : httpsRequest;
  return send({
    ...context.credentials.tls,
    agent: context.agent,
    hostname: server.hostname.replace(/^\[|\]$/g, ''),
    port: server.port === '' ? (server.protocol === 'http:' ? 80 : 443) : server.port,
    method,
    // The server may live below a path of its own, as behind Rancher.
    path: `${server.pathname.replace(/\/$/, '')}${path}`,
    headers: {
      ...context.credentials.headers,
      accept: accept ?? 'application/json',
      'user-agent': context.userAgent,
      ...(body === undefined
        ? {}
        : {
            'content-type': contentType ?? 'application/json',
            'content-length': Buffer.byteLength(body),
          }),
    },
  });
}

function createAgent(server: URL, maxSockets: number): Agent {
  const options = {
    keepAlive: true,
    keepAliveMsecs: keepAliveProbeMs,
    maxSockets,
    // Of sockets in use it only emits an event that nobody hears; idle ones are closed.
    timeout: idleSocketMsMax,
  };
  return server.protocol === 'http:' ? new HttpAgent(options) : new HttpsAgent(options);
}

async function* chunks(
  response: Promise<IncomingMessage>,
  explain: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of await response) yield chunk as Buffer;
  } catch (error) {
    throw explain(error);
  }
}

async function text(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > bodyBytesMax) {
      throw new ApiError(`an answer of more than ${bodyBytesMax} bytes`, {
        code: 0,
        reason: 'TooLarge',
      });
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parsed({ verb, resource }: TransportRequest, body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // The parser's own message quotes the text, which may be a Secret's.
    throw new ApiError(`${verb} ${resource}: the answer is not JSON`, {
      code: 0,
      reason: 'BadAnswer',
    });
  }
}

async function refusal(request: TransportRequest, wire: Wire, clock: Clock): Promise<ApiError> {
  const response = await wire.response;
  const body = await wire.text();
  const retryAfterMs = retryAfterMsOf(response.headers['retry-after'], clock);
  return apiErrorFrom(`${request.verb} ${request.resource}`, {
    code: response.statusCode ?? 0,
    body: statusOrText(body),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function statusOrText(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // A proxy's page, or the API server's plain "404 page not found".
    return body;
  }
}

/**
 * Texts of `299 - "text", 299 - "text"` (RFC 7234, 5.5; RFC 9111 has dropped it, Kubernetes has not).
 * Quotes and backslashes in a text are escaped.
 */
export function warningsOf(header: string | undefined): readonly string[] {
  const values = header?.matchAll(/\b299 \S+ "((?:[^"\\]|\\.)*)"/g) ?? [];
  return [...values].map(([, text = '']) => text.replace(/\\(.)/g, '$1'));
}

/** Seconds or a date (RFC 9110, 10.2.3). */
function retryAfterMsOf(header: string | undefined, clock: Clock): number | undefined {
  if (header === undefined) return undefined;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : NaN;
  const ms = Number.isNaN(seconds) ? Date.parse(header) - clock.now() : seconds * 1000;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function isReset(error: unknown): boolean {
  return codeOf(error) === 'ECONNRESET' || codeOf(error) === 'EPIPE';
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  return code === '' || message.includes(code) ? message : `${message} (${code})`;
}

/** How a call that did not succeed is counted. */
function wordFor(error: unknown, signal: AbortSignal): number | string {
  if (signal.aborted) return 'aborted';
  if (!(error instanceof ApiError)) return 'error';
  if (error.code !== 0) return error.code;
  if (error.reason === 'Timeout') return 'timeout';
  return error.message.includes('ECONNREFUSED') ? 'refused' : 'error';
}
