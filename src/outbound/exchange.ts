/**
 * One HTTP exchange with an endpoint of a user, redirects included: what was answered, bounded, or
 * an error that names no credential. Credentials stay with the host that they were given for.
 */
import { errors, request } from 'undici';
import type { Dispatcher } from 'undici';
import { HopelessCall } from './hopeless-call.ts';

/** As Go's programs follow. */
const redirectsMax = 10;

export interface ExchangeOptions {
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  /** Of a POST. */
  readonly body?: string;
  readonly connection: Dispatcher;
  /** Bytes of the answer's body that are read. */
  readonly bodyBytesMax: number;
  /** What a longer body is: cut there, or no answer at all. */
  readonly longer: 'Cut' | 'Fail';
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly body: string;
  /** By lower-case name; the last where one is repeated. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/**
 * 301 to 303 are followed by a GET without a body, 307 and 308 by the same request. Rejects with a
 * `HopelessCall`, with the signal's reason, or with what the network said.
 */
export async function exchange(url: URL, options: ExchangeOptions): Promise<Answer> {
  const { headers, ...bare } = options;
  let target = url;
  let sent: Omit<ExchangeOptions, 'headers'> = bare;
  for (let hop = 0; hop <= redirectsMax; hop += 1) {
    const own = mayHaveCredentials(url, target) && headers !== undefined ? { headers } : {};
    const answer = await once(target, { ...sent, ...own });
    const { location } = answer.headers;
    if (location === undefined || ![301, 302, 303, 307, 308].includes(answer.status)) return answer;
    if (!URL.canParse(location, target.href)) throw new HopelessCall('redirected to no valid URL');
    if (answer.status < 307) sent = { ...sent, method: 'GET', body: '' };
    target = new URL(location, target);
  }
  throw new HopelessCall(`stopped after ${redirectsMax} redirects`);
}

/** The same host, and not in the open where the first request was encrypted. */
function mayHaveCredentials(given: URL, target: URL): boolean {
  const isSameHost = given.hostname === target.hostname;
  return isSameHost && !(given.protocol === 'https:' && target.protocol === 'http:');
}

/** A GET whose kept connection was closed as it was taken up again is harmless to repeat. */
async function once(url: URL, options: ExchangeOptions): Promise<Answer> {
  try {
    return await send(url, options);
  } catch (error) {
    const isStale = error instanceof errors.SocketError || codeOf(error) === 'ECONNRESET';
    if (!isStale || options.method !== 'GET' || options.signal.aborted) throw error;
    return await send(url, options);
  }
}

async function send(url: URL, options: ExchangeOptions): Promise<Answer> {
  const { method, headers = {}, body = '', connection, signal } = options;
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new HopelessCall(`unsupported protocol scheme "${url.protocol.replace(/:$/, '')}"`);
  }
  try {
    const answer = await request(withoutUser(url), {
      method,
      headers: { 'User-Agent': ['aviary'], ...userOf(url), ...mutable(headers) },
      body: method === 'GET' ? null : body,
      dispatcher: connection,
      signal,
    });
    return {
      status: answer.statusCode,
      reason: answer.statusText,
      headers: lastOfEach(answer.headers),
      body: await beginning(answer.body, options),
    };
  } catch (error) {
    throw isCertificateError(error) ? new HopelessCall(error.message) : error;
  }
}

const mutable = (headers: Readonly<Record<string, readonly string[]>>): Record<string, string[]> =>
  Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, [...values]]));

function withoutUser(url: URL): URL {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare;
}

function userOf({ username, password }: URL): Record<string, string[]> {
  if (username === '' && password === '') return {};
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { Authorization: [`Basic ${Buffer.from(user).toString('base64')}`] };
}

function lastOfEach(headers: Readonly<Record<string, string | string[] | undefined>>) {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.at(-1) : value,
    ]),
  );
}

async function beginning(
  body: AsyncIterable<Uint8Array>,
  { bodyBytesMax, longer }: ExchangeOptions,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > bodyBytesMax && longer === 'Fail') {
      throw new Error(`answer of more than ${bodyBytesMax} bytes`);
    }
    if (bytes > bodyBytesMax) break;
  }
  const kept = Buffer.concat(chunks).subarray(0, bodyBytesMax);
  // A character that the cut divides is dropped.
  return new TextDecoder().decode(kept, { stream: true });
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

function isCertificateError(error: unknown): error is Error {
  return /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|UNABLE_TO_GET_CRL/.test(
    codeOf(error),
  );
}
