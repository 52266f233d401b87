/** One POST of a hook's payload, over the network or as a rehearsal answers it. */
import { createConnections } from '../outbound/connections.ts';
import type { Answer } from '../outbound/exchange.ts';
import { exchange } from '../outbound/exchange.ts';

/** Of an answer's body that is kept: it ends up in an event. */
const bodyBytesMax = 1024;

export interface PostOptions {
  readonly insecureSkipVerify: boolean;
  readonly signal: AbortSignal;
}

/** Rejects with a `HopelessCall`, or with what the network said. */
export type Post = (url: URL, json: string, options: PostOptions) => Promise<Answer>;

/**
 * Each call has a connection of its own: one that was kept may be closed by the receiver at the
 * moment of the next call, and a POST cannot be repeated without asking.
 */
export function createPost(): Post {
  const connections = createConnections();
  return (url, body, { insecureSkipVerify, signal }) =>
    exchange(url, {
      method: 'POST',
      headers: { 'Content-Type': ['application/json'] },
      body,
      connection: connections.to({ insecureSkipVerify }),
      bodyBytesMax,
      longer: 'Cut',
      signal,
    });
}
