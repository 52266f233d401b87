/** HTTP to an API server, as a client in no language in particular would do it. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Credentials, KubeConnection } from '../../../src/kube/config.ts';
import type { Watching } from './watching.ts';
import { watchingOf } from './watching.ts';

/** A body as JSON, or as text where it is none. */
export interface Answer {
  readonly code: number;
  readonly contentType: string;
  /** The texts of the `Warning` headers. */
  readonly warnings: readonly string[];
  readonly body: unknown;
}

export interface CallOptions {
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as it is where it is text, as JSON otherwise. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  readonly userAgent?: string;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';

export interface Calls {
  /** Whatever the answer is. */
  call(method: Method, path: string, options?: CallOptions): Promise<Answer>;
  get(path: string, query?: CallOptions['query']): Promise<Answer>;
  create(path: string, body: object, query?: CallOptions['query']): Promise<Answer>;
  replace(path: string, body: object, query?: CallOptions['query']): Promise<Answer>;
  patch(
    type: PatchType,
    path: string,
    body: unknown,
    query?: CallOptions['query'],
  ): Promise<Answer>;
  delete(path: string, options?: object, query?: CallOptions['query']): Promise<Answer>;
  /** Resolves when the answer begins. Rejects where it is not 200. */
  watch(path: string, query?: CallOptions['query'], accept?: string): Promise<Watching>;
  close(): void;
}

export const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

export type PatchType = keyof typeof patchTypes;

const deadlineMs = 30_000;

export async function callsTo(connection: KubeConnection): Promise<Calls> {
  const { server } = connection;
  const credentials = await connection.sign(AbortSignal.timeout(deadlineMs));
  const agent =
    server.protocol === 'https:'
      ? new HttpsAgent({ keepAlive: true })
      : new HttpAgent({ keepAlive: true });
  const send = (method: Method, path: string, options: CallOptions) =>
    exchange({ server, credentials, agent, method, path, options });
  const call: Calls['call'] = async (method, path, options = {}) =>
    read((await send(method, path, options)).response);
  const withQuery = (query: CallOptions['query']): CallOptions =>
    query === undefined ? {} : { query };

  return {
    call,
    get: (path, query) => call('GET', path, withQuery(query)),
    create: (path, body, query) => call('POST', path, { body, ...withQuery(query) }),
    replace: (path, body, query) => call('PUT', path, { body, ...withQuery(query) }),
    patch: (type, path, body, query) =>
      call('PATCH', path, { body, contentType: patchTypes[type], ...withQuery(query) }),
    delete: (path, body, query) =>
      call('DELETE', path, { ...(body !== undefined && { body }), ...withQuery(query) }),
    watch: async (path, query = {}, accept = 'application/json') => {
      const options = { query: { watch: 'true', ...query }, accept };
      const { request, response } = await send('GET', path, options);
      if (response.statusCode === 200) return watchingOf(response, () => request.destroy());
      const answer = await read(response);
      throw new Error(`watch ${path}: ${answer.code} ${JSON.stringify(answer.body)}`);
    },
    close: () => agent.destroy(),
  };
}

interface Exchange {
  readonly request: ClientRequest;
  readonly response: IncomingMessage;
}

function exchange(call: {
  readonly server: URL;
  readonly credentials: Credentials;
  readonly agent: HttpAgent | HttpsAgent;
  readonly method: Method;
  readonly path: string;
  readonly options: CallOptions;
}): Promise<Exchange> {
  const { server, credentials, agent, method, path, options } = call;
  const { query = {}, body, accept = 'application/json', userAgent = 'conformance' } = options;
  const url = new URL(path, server);
  for (const [name, value] of Object.entries(query)) url.searchParams.append(name, value);
  const { contentType = body === undefined ? undefined : 'application/json' } = options;
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const headers = {
    // Node sends none with DELETE by itself, and the server would take the body for a request.
    ...(text !== undefined && { 'content-length': Buffer.byteLength(text) }),
    ...credentials.headers,
    accept,
    'user-agent': userAgent,
    ...(contentType !== undefined && { 'content-type': contentType }),
  };
  return new Promise((resolve, reject) => {
    const send = server.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(url, { ...credentials.tls, agent, method, headers });
    const timer = setTimeout(() => request.destroy(new Error(`${path}: no answer`)), deadlineMs);
    request.on('response', (response) => {
      clearTimeout(timer);
      resolve({ request, response });
    });
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.end(text);
  });
}

async function read(response: IncomingMessage): Promise<Answer> {
  const parts: Buffer[] = [];
  for await (const part of response as AsyncIterable<Buffer>) parts.push(part);
  const text = Buffer.concat(parts).toString('utf8');
  const { warning = '', 'content-type': contentType = '' } = response.headers;
  const isJson = contentType.startsWith('application/json') && text !== '';
  return {
    code: response.statusCode ?? 0,
    contentType,
    // Node joins several headers of one name by commas.
    warnings: [...warning.matchAll(/299 \S+ ("(?:[^"\\]|\\.)*")/g)].map(
      ([, quoted = '""']) => JSON.parse(quoted) as string,
    ),
    body: isJson ? (JSON.parse(text) as unknown) : text,
  };
}
