/**
 * One POST of an alert: 5 s for the whole answer, a bounded body, through a proxy where one is named
 * by the receiver or the environment (`HTTPS_PROXY`, `NO_PROXY`).
 */
import { EnvHttpProxyAgent, ProxyAgent, request } from 'undici';
import type { Dispatcher } from 'undici';
import type { AlertRequest } from './provider.ts';

export interface Response {
  readonly status: number;
  /** The beginning of what was answered. */
  readonly body: string;
  readonly retryAfterMs?: number;
}

export interface Poster {
  /** Rejects with a reason that shows no address where no answer came. */
  post(alert: AlertRequest, proxy: string | undefined, signal: AbortSignal): Promise<Response>;
  close(): Promise<void>;
}

const answerMs = 5_000;
/** Of an answer's body that is read: it ends up in a log. */
const bodyBytesMax = 4 * 1024;
/** Proxies for which a pool is kept. */
const proxiesMax = 32;

export function createPoster(): Poster {
  const direct = new EnvHttpProxyAgent();
  const proxies = new Map<string, Dispatcher>();
  const dispatcherOf = (proxy: string | undefined): Dispatcher => {
    if (proxy === undefined || proxy === '') return direct;
    const known = proxies.get(proxy);
    if (known !== undefined) return known;
    if (!URL.canParse(proxy)) throw new Error('the proxy has no valid URL');
    const agent = new ProxyAgent(proxy);
    const [oldest] = proxies.keys();
    if (proxies.size >= proxiesMax && oldest !== undefined) {
      void proxies.get(oldest)?.close();
      proxies.delete(oldest);
    }
    proxies.set(proxy, agent);
    return agent;
  };
  return {
    post: async ({ url, headers, body }, proxy, signal) => {
      const answer = await request(url, {
        method: 'POST',
        headers: { 'user-agent': 'aviary', ...headers },
        body: JSON.stringify(body),
        dispatcher: dispatcherOf(proxy),
        headersTimeout: answerMs,
        bodyTimeout: answerMs,
        signal,
      });
      const seconds = Number(answer.headers['retry-after'] ?? NaN);
      return {
        status: answer.statusCode,
        body: await beginning(answer.body),
        ...(seconds >= 0 && { retryAfterMs: seconds * 1000 }),
      };
    },
    close: async () => {
      await Promise.all([direct, ...proxies.values()].map((it) => it.close()));
    },
  };
}

async function beginning(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    parts.push(part);
    bytes += part.length;
    if (bytes >= bodyBytesMax) break;
  }
  return Buffer.concat(parts).subarray(0, bodyBytesMax).toString('utf8');
}
