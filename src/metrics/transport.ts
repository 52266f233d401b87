/**
 * GET requests of metric providers: one deadline for the whole answer, a bounded body, and
 * connections that are kept for the next check.
 */
import { createConnections } from '../outbound/connections.ts';
import type { Sleep } from '../outbound/deadline.ts';
import { within } from '../outbound/deadline.ts';
import type { Answer as WholeAnswer } from '../outbound/exchange.ts';
import { exchange } from '../outbound/exchange.ts';

/** As the reference waits. */
const answerMsDefault = 5_000;
/** An instant query that answers more than this is not one number. */
const bodyBytesMax = 4 * 1024 * 1024;
/** With 5,000 canaries, checks queue here and not in the server. */
const connectionsPerHostMax = 64;

export interface GetOptions {
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly insecureSkipVerify: boolean;
  readonly signal: AbortSignal;
}

export type Answer = Pick<WholeAnswer, 'status' | 'reason' | 'body'>;

export interface Transport {
  /** Rejects with a reason that names no credential where there is no whole answer in time. */
  get(url: URL, options: GetOptions): Promise<Answer>;
  /** Drops the kept connections. Calls under way fail. */
  close(): Promise<void>;
}

export interface TransportOptions {
  readonly sleep: Sleep;
  /** Time for a whole answer, redirects included. */
  readonly answerMs?: number;
}

export function createTransport({
  sleep,
  answerMs = answerMsDefault,
}: TransportOptions): Transport {
  const connections = createConnections({ kept: connectionsPerHostMax });
  return {
    get: (url, { headers, insecureSkipVerify, signal }) =>
      within({ ms: answerMs, signal, sleep }, (limited) =>
        exchange(url, {
          method: 'GET',
          headers,
          connection: connections.to({ insecureSkipVerify }),
          bodyBytesMax,
          longer: 'Fail',
          signal: limited,
        }),
      ),
    close: () => connections.close(),
  };
}
