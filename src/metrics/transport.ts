/**
 * GET requests of metric providers: one deadline for the whole answer, a bounded body, redirects,
 * and connections that are kept for the next check. Credentials stay with the host that they were
 * given for.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import type { Sleep } from './deadline.ts';
import { within } from './deadline.ts';

/** As the reference waits. */
const answerMsDefault = 5_000;
/** An instant query that answers more than this is not one number. */
const bodyBytesMax = 4 * 1024 * 1024;
const redirectsMax = 10;
/** Connections to one host: with 5,000 canaries, checks queue here and not in the server. */
const socketsPerHostMax = 64;
/** Under the idle timeouts of servers and proxies, which begin at a minute. */
const idleMs = 30_000;

export interface GetOptions {
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly insecureSkipVerify: boolean;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly body: string;
}

export interface Transport {
  /** Rejects with a reason that names no credential where there is no whole answer in time. */
  get(url: URL, options: GetOptions): Promise<Answer>;
  /** Drops the kept connections. Calls under way fail. */
  close(): void;
}

interface Agents {
  readonly plain: http.Agent;
  readonly verified: https.Agent;
  readonly unverified: https.Agent;
}

export interface TransportOptions {
  readonly sleep: Sleep;
  /** Time for a whole answer, redirects included. */
  readonly answerMs?: number;
}

export function createTransport(options: TransportOptions): Transport {
  const { sleep, answerMs = answerMsDefault } = options;
  const pool = { keepAlive: true, maxSockets: socketsPerHostMax, timeout: idleMs };
  const agents: Agents = {
    plain: new http.Agent(pool),
    verified: new https.Agent(pool),
    unverified: new https.Agent({ ...pool, rejectUnauthorized: false }),
  };
  return {
    get: (url, options) =>
      within({ ms: answerMs, signal: options.signal, sleep }, (signal) =>
        follow(url, { ...options, signal }, agents),
      ),
    close: () => {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

async function follow(url: URL, options: GetOptions, agents: Agents): Promise<Answer> {
  let target = url;
  for (let hop = 0; hop <= redirectsMax; hop += 1) {
    const headers = mayHaveCredentials(url, target) ? options.headers : {};
    const answer = await getOnce(target, { ...options, headers }, agents);
    if (answer.location === undefined || ![301, 302, 303, 307, 308].includes(answer.status)) {
      return answer;
    }
    if (!URL.canParse(answer.location, target.href)) throw new Error('redirected to no valid URL');
    target = new URL(answer.location, target);
  }
  throw new Error(`stopped after ${redirectsMax} redirects`);
}

/** The same host, and not in the open where the first request was encrypted. */
function mayHaveCredentials(given: URL, target: URL): boolean {
  const sameHost = given.hostname === target.hostname;
  return sameHost && !(given.protocol === 'https:' && target.protocol === 'http:');
}

interface Response extends Answer {
  readonly location: string | undefined;
}

async function getOnce(url: URL, options: GetOptions, agents: Agents): Promise<Response> {
  try {
    return await send(url, options, agents);
  } catch (error) {
    if (!(error instanceof StaleConnection)) throw error;
    return await send(url, options, agents);
  }
}

/** The server closed a kept connection as it was taken up again: asking once more is harmless. */
class StaleConnection extends Error {}

function send(
  url: URL,
  { headers, insecureSkipVerify, signal }: GetOptions,
  agents: Agents,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const sent = Object.fromEntries(
      Object.entries(headers).map(([name, values]) => [name, [...values]]),
    );
    const request = open(url, { headers: sent, signal }, insecureSkipVerify, agents);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= bodyBytesMax) chunks.push(chunk);
        else request.destroy(new Error(`answer of more than ${bodyBytesMax} bytes`));
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          reason: response.statusMessage ?? '',
          location: response.headers.location,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      const stale = request.reusedSocket && error.code === 'ECONNRESET';
      reject(stale ? new StaleConnection(error.message) : error);
    });
    request.end();
  });
}

function open(
  url: URL,
  options: http.RequestOptions,
  insecure: boolean,
  agents: Agents,
): http.ClientRequest {
  switch (url.protocol) {
    case 'http:':
      return http.request(url, { ...options, agent: agents.plain });
    case 'https:':
      return https.request(url, {
        ...options,
        agent: insecure ? agents.unverified : agents.verified,
      });
    default:
      throw new Error(`unsupported protocol scheme "${url.protocol.replace(/:$/, '')}"`);
  }
}
