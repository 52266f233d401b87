/**
 * The embedded API server over HTTP or HTTPS, for kubectl and everybody else. Who may come in is
 * decided by bearer tokens; there is no RBAC behind them: whoever has one may do everything.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { parseProtobuf, protobufType } from './protobuf.ts';
import type { User } from './resource-type.ts';
import type { RestAnswer } from './rest-request.ts';
import type { Rest } from './rest.ts';
import { StatusError } from './status-error.ts';

export interface ServeOptions {
  readonly rest: Rest;
  /** By token. */
  readonly users: ReadonlyMap<string, User>;
  /** PEM; plain HTTP where absent. */
  readonly tls?: { readonly key: string; readonly certificate: string };
  /** 127.0.0.1 where absent. */
  readonly host?: string;
  /** Any free one where absent. */
  readonly port?: number;
}

export interface ServedCluster {
  readonly url: string;
  readonly port: number;
  /** Ends all requests, watches too. */
  close(): Promise<void>;
}

/** What etcd takes of one request, and so what API servers take. */
const bodyBytesMax = 3 * 1024 * 1024;
/** Of idle connections; as API servers keep them. */
const keepAliveMs = 90_000;

/** Rejects where the port is taken. */
export async function serveCluster(options: ServeOptions): Promise<ServedCluster> {
  const { rest, users, tls, host = '127.0.0.1', port = 0 } = options;
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    answer(rest, users, incoming, outgoing).catch((error: unknown) => {
      if (error instanceof StatusError && !outgoing.headersSent) refuse(outgoing, error);
      else outgoing.destroy();
    });
  };
  const server: Server =
    tls === undefined
      ? createHttpServer(listener)
      : createHttpsServer({ key: tls.key, cert: tls.certificate, minVersion: 'TLSv1.2' }, listener);
  server.keepAliveTimeout = keepAliveMs;
  // Watches last.
  server.requestTimeout = 0;
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  const scheme = tls === undefined ? 'http' : 'https';
  return {
    url: `${scheme}://${host}:${address.port}`,
    port: address.port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  rest: Rest,
  users: ReadonlyMap<string, User>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort(new Error('the client has gone')));
  const user = users.get(/^Bearer (.+)$/.exec(incoming.headers.authorization ?? '')?.[1] ?? '');
  if (user === undefined) {
    throw new StatusError('Unauthorized', { code: 401, reason: 'Unauthorized' });
  }
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://cluster');
  const result = await rest({
    method: incoming.method ?? 'GET',
    path: pathname,
    query: searchParams,
    accept: incoming.headers.accept,
    ...textOf(incoming.headers['content-type'], await readBody(incoming)),
    userAgent: incoming.headers['user-agent'],
    user,
    signal: gone.signal,
  });
  if (result.kind === 'Whole') sendWhole(outgoing, result);
  else await sendStream(outgoing, result);
}

function refuse(outgoing: ServerResponse, error: StatusError): void {
  outgoing.writeHead(error.code, { 'content-type': 'application/json', connection: 'close' });
  outgoing.end(JSON.stringify(error.toStatus()));
}

/** Rejects with a `StatusError` where it is too long; what comes after that is not read. */
async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of incoming as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > bodyBytesMax) {
      const message = `Request entity too large: limit is ${bodyBytesMax}`;
      throw new StatusError(message, { code: 413, reason: 'RequestEntityTooLarge' });
    }
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Behind this door everything is text. */
function textOf(contentType: string | undefined, body: Buffer) {
  if (contentType?.startsWith(protobufType) === true && body.length > 0) {
    return { contentType: 'application/json', body: JSON.stringify(parseProtobuf(body)) };
  }
  return { contentType, body: body.toString('utf8') };
}

function headersOf({ contentType, warnings, retryAfterSeconds }: RestAnswer) {
  return {
    'content-type': contentType,
    'cache-control': 'no-cache, private',
    ...(warnings.length > 0 && { warning: warnings.map(warningHeader).join(', ') }),
    ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
  };
}

/** RFC 7234, 5.5, as Kubernetes uses it: code 299, no agent, a quoted text. */
const warningHeader = (text: string): string => `299 - ${JSON.stringify(text)}`;

function sendWhole(outgoing: ServerResponse, result: Extract<RestAnswer, { kind: 'Whole' }>): void {
  const body = Buffer.from(result.body);
  outgoing.writeHead(result.code, { ...headersOf(result), 'content-length': body.length });
  outgoing.end(body);
}

async function sendStream(
  outgoing: ServerResponse,
  result: Extract<RestAnswer, { kind: 'Stream' }>,
): Promise<void> {
  outgoing.writeHead(200, headersOf(result));
  // Clients wait for the headers before they wait for events.
  outgoing.flushHeaders();
  for await (const lines of result.lines) {
    if (!outgoing.write(lines)) await once(outgoing, 'drain', { signal: closed(outgoing) });
  }
  outgoing.end();
}

function closed(outgoing: ServerResponse): AbortSignal {
  const controller = new AbortController();
  outgoing.once('close', () => controller.abort());
  return controller.signal;
}
