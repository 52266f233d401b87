/**
 * One POST of an alert: 5 s for the whole answer, through a proxy where the receiver or the
 * environment names one.
 */
import { createConnections } from '../outbound/connections.ts';
import type { Sleep } from '../outbound/deadline.ts';
import { within } from '../outbound/deadline.ts';
import { exchange } from '../outbound/exchange.ts';
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

export function createPoster(sleep: Sleep): Poster {
  const connections = createConnections();
  return {
    post: async ({ url, headers, body }, proxy, signal) => {
      const answer = await within({ ms: answerMs, signal, sleep }, (limited) =>
        exchange(url, {
          method: 'POST',
          headers: Object.fromEntries(Object.entries(headers).map(([name, it]) => [name, [it]])),
          body: JSON.stringify(body),
          connection: connections.to({ proxy }),
          bodyBytesMax,
          longer: 'Cut',
          signal: limited,
        }),
      );
      const seconds = Number(answer.headers['retry-after'] ?? NaN);
      return {
        status: answer.status,
        body: answer.body,
        ...(seconds >= 0 && { retryAfterMs: seconds * 1000 }),
      };
    },
    close: () => connections.close(),
  };
}
