/** An API server that does what a test says, request by request, over real HTTP on loopback. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from '../../src/api/kubernetes.ts';
import { createKubeClient } from '../../src/kube/client.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { Clock } from '../../src/kube/clock.ts';
import type { Credentials, KubeConnection } from '../../src/kube/config.ts';

export interface SeenRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Of the connection: equal for requests over the same one. */
  readonly port: number | undefined;
}

export type Answerer = (response: ServerResponse, request: SeenRequest) => void | Promise<void>;

export interface ScriptedServer {
  readonly url: string;
  readonly requests: SeenRequest[];
  /** What the next requests get, in order. A request beyond them gets 418. */
  readonly script: Answerer[];
  readonly server: Server;
  close(): Promise<void>;
}

export async function startScriptedServer(): Promise<ScriptedServer> {
  const requests: SeenRequest[] = [];
  const script: Answerer[] = [];
  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const part of incoming as AsyncIterable<Buffer>) parts.push(part);
    const url = new URL(incoming.url ?? '', 'http://api');
    const request = {
      method: incoming.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      body: Buffer.concat(parts).toString(),
      port: incoming.socket.remotePort,
    };
    requests.push(request);
    const answer = script.shift() ?? json({ message: 'beyond the script' }, 418);
    await answer(response, request);
  };
  const server = createServer((incoming, response) => void handle(incoming, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    script,
    server,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export function json(body: unknown, code = 200, headers: Record<string, string> = {}): Answerer {
  return (response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
}

/** A `Status` as the API server sends it. */
export function status(
  code: number,
  reason: string,
  more: { readonly message?: string; readonly details?: Json } = {},
): Record<string, unknown> {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, ...more };
}

/** Lines of a watch; then it ends, unless `stay` is given. */
export function watchOf(
  lines: readonly unknown[],
  { stay = false }: { readonly stay?: boolean } = {},
): Answerer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    for (const line of lines) response.write(`${JSON.stringify(line)}\n`);
    if (!stay) response.end();
  };
}

export interface FakeConnection extends KubeConnection {
  /** Credentials that the server refused. */
  readonly refused: Credentials[];
}

/** Each signature is another token, so that tests see which one was used. */
export function connectionTo(url: string): FakeConnection {
  const refused: Credentials[] = [];
  let signed: Credentials | undefined;
  return {
    server: new URL(url),
    namespace: undefined,
    refused,
    sign: async () => {
      signed ??= { headers: { authorization: `Bearer secret-${refused.length}` }, tls: {} };
      return signed;
    },
    rejected: (credentials) => {
      refused.push(credentials);
      signed = undefined;
    },
  };
}

export interface Call {
  readonly verb: string;
  readonly resource: string;
  readonly code: number | string;
}

export function clientFor(
  connection: KubeConnection,
  clock: Clock,
): { readonly client: KubeClient; readonly calls: Call[] } {
  const calls: Call[] = [];
  const client = createKubeClient(connection, {
    qps: 0,
    burst: 1,
    userAgent: 'aviary/test',
    clock,
    onCall: (verb, resource, code, seconds) => {
      if (!(seconds >= 0)) throw new Error(`a call took ${seconds} s`);
      calls.push({ verb, resource, code });
    },
  });
  return { client, calls };
}
