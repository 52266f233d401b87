/**
 * The server on `--port`: `/metrics`, `/healthz`, `/readyz` and `/debug/state`; nothing else.
 *
 *   /healthz      200 while the process lives, for any method, as the reference's
 *   /readyz       200 once every requirement is met, else 503 and what is missing
 *   /debug/state  what the process knows of itself, as JSON, for the person on call
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Requirement } from './health.ts';
import { unmet } from './health.ts';

/** Timeouts in milliseconds: the reference's (`spec/01`, 5.2). */
const readTimeoutMs = 5_000;
const writeTimeoutMs = 60_000;
const idleTimeoutMs = 15_000;
const graceMs = 3_000;
/** How often Node looks for requests that exceed `readTimeoutMs`; its default is 30 s. */
const checkTimeoutsEveryMs = 1_000;

export interface OperationsOptions {
  /** 0 takes a free port. */
  readonly port: number;
  /** All interfaces where absent. */
  readonly host?: string;
  readonly metrics: {
    readonly contentType: string;
    readonly expose: () => Promise<string>;
  };
  readonly requirements: readonly Requirement[];
  /** Anything that JSON can hold. */
  readonly state: () => unknown;
}

export interface OperationsServer {
  readonly port: number;
  /** Settles when the server has stopped; rejects when it failed by itself. */
  readonly done: Promise<void>;
  /** Takes no new connection, lets answers finish for 3 s, then cuts. Idempotent. */
  readonly stop: () => Promise<void>;
}

/** Resolves once it listens; rejects where the port cannot be had. */
export async function serveOperations(options: OperationsOptions): Promise<OperationsServer> {
  const server = createServer(
    {
      requestTimeout: readTimeoutMs,
      headersTimeout: readTimeoutMs,
      keepAliveTimeout: idleTimeoutMs,
      connectionsCheckingInterval: checkTimeoutsEveryMs,
    },
    (request, response) => {
      response.setTimeout(writeTimeoutMs, () => response.destroy());
      answer(request, options).then(
        (reply) => send(request, response, reply),
        (error: unknown) => send(request, response, failed(error)),
      );
    },
  );
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const done = new Promise<void>((resolve, reject) => {
    server.once('close', resolve);
    server.once('error', reject);
  });
  return { port, done, stop: () => stop(server, done) };
}

interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const plain = (status: number, body: string): Reply => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body,
});

async function answer(request: IncomingMessage, options: OperationsOptions): Promise<Reply> {
  const path = (request.url ?? '').split('?', 1)[0];
  if (path === '/healthz') return plain(200, 'OK');
  const known = path === '/metrics' || path === '/readyz' || path === '/debug/state';
  if (!known) return plain(404, '404 page not found\n');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return plain(405, 'method not allowed\n');
  }
  if (path === '/metrics') {
    const { contentType, expose } = options.metrics;
    return { status: 200, contentType, body: await expose() };
  }
  if (path === '/readyz') return readiness(options.requirements);
  const body = `${JSON.stringify(options.state(), undefined, 2)}\n`;
  return { status: 200, contentType: 'application/json', body };
}

function readiness(requirements: readonly Requirement[]): Reply {
  const missing = unmet(requirements);
  if (missing.length === 0) return plain(200, 'OK');
  return plain(503, missing.map((name) => `waiting for ${name}\n`).join(''));
}

function failed(error: unknown): Reply {
  return plain(500, `${error instanceof Error ? error.message : String(error)}\n`);
}

function send(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  // A body that nobody reads would keep the connection from being used again.
  request.resume();
  response.writeHead(reply.status, {
    'content-type': reply.contentType,
    'content-length': Buffer.byteLength(reply.body),
    'x-content-type-options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : reply.body);
}

async function listen(server: Server, options: OperationsOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: options.port, host: options.host }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function stop(server: Server, done: Promise<void>): Promise<void> {
  server.close();
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await done.finally(() => clearTimeout(cut));
}
