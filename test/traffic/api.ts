/** The API server as the stand-in for a kubelet needs it: calls, and watches that start anew. */
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { ControlPlane } from '../cluster/control-plane.ts';

export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

export interface Api {
  /** Rejects on any answer but 2xx; 404 is undefined. */
  call(method: string, path: string, body?: object): Promise<unknown>;
  /** Tells what is there and what changes, until the signal; after a break, what is there again. */
  watch<T>(path: string, onEvent: (event: WatchEvent<T>) => void, signal: AbortSignal): void;
  close(): void;
}

const deadlineMs = 10_000;
const pauseMs = 200;

export async function apiOf(cluster: ControlPlane): Promise<Api> {
  const { certificateFile, keyFile } = cluster.adminClientCertificate;
  const [ca, cert, key] = await Promise.all(
    [cluster.caFile, certificateFile, keyFile].map((path) => readFile(path)),
  );
  const agent = new Agent({ keepAlive: true, ca, cert, key });
  return {
    call: (method, path, body) => call({ agent, url: new URL(path, cluster.url), method, body }),
    watch: (path, onEvent, signal) => {
      const url = new URL(path, cluster.url);
      // Without a resource version, a watch begins with what is there.
      url.searchParams.set('watch', 'true');
      void rewatch(agent, url, onEvent, signal);
    },
    close: () => agent.destroy(),
  };
}

interface Call {
  readonly agent: Agent;
  readonly url: URL;
  readonly method: string;
  readonly body: object | undefined;
}

function call({ agent, url, method, body }: Call): Promise<unknown> {
  const type = method === 'PATCH' ? 'application/strategic-merge-patch+json' : 'application/json';
  const payload = body === undefined ? '' : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    // Without a length, Node sends the body of a DELETE as if it were the next request.
    const headers = { 'content-type': type, 'content-length': Buffer.byteLength(payload) };
    const sent = request(url, { agent, method, headers, timeout: deadlineMs }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const { statusCode = 0 } = response;
        if (statusCode === 404) resolve(undefined);
        else if (statusCode >= 300) reject(new Error(`${method} ${url.pathname}: ${text}`));
        else resolve(JSON.parse(text));
      });
    });
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${url.pathname}: no answer`)));
    sent.on('error', reject);
    sent.end(payload);
  });
}

async function rewatch<T>(
  agent: Agent,
  url: URL,
  onEvent: (event: WatchEvent<T>) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await watchOnce(agent, url, onEvent, signal);
    if (!signal.aborted) await pause(pauseMs);
  }
}

function watchOnce<T>(
  agent: Agent,
  url: URL,
  onEvent: (event: WatchEvent<T>) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const sent = request(url, { agent, signal }, (response) => {
      // An aborted response has an error, and its end is all that matters.
      response.on('error', () => resolve());
      const lines = createInterface({ input: response });
      lines.on('line', (line) => onEvent(JSON.parse(line) as WatchEvent<T>));
      lines.on('error', () => resolve());
      lines.once('close', () => resolve());
    });
    sent.on('error', () => resolve());
    sent.end();
  });
}
