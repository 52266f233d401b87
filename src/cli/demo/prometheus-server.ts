/**
 * What the controller takes for Prometheus: its HTTP API on loopback, as far as instant queries go,
 * answered from the synthetic traffic. It knows the two built-in queries of Istio's metrics and
 * `vector(1)`; anything else is an empty vector, as from a server that has no such series.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseDuration } from '../../api/duration.ts';
import type { Traffic } from './traffic.ts';

export interface PrometheusServer {
  readonly url: string;
  close(): Promise<void>;
}

const bodyBytesMax = 64 * 1024;

/** Listens on a free port of loopback. */
export async function servePrometheus(
  answer: (query: string) => number | undefined,
  nowMs: () => number,
): Promise<PrometheusServer> {
  const server = createServer((request, response) => {
    reply(request, answer, nowMs).then(
      ({ status, body }) => send(response, status, body),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => close(server) };
}

/** The value of a query about one workload; undefined where there is none. */
export function answerFrom(traffic: Pick<Traffic, 'measured'>, query: string) {
  if (/^\s*vector\(\s*1\s*\)\s*$/.test(query)) return 1;
  const workload = /destination_workload=~"([^"]+)"/.exec(query)?.[1];
  const window = parseDuration(/\[([^\]]+)\]/.exec(query)?.[1] ?? '');
  if (workload === undefined || !window.ok) return undefined;
  const measured = traffic.measured(workload, window.ms);
  if (query.includes('istio_request_duration_milliseconds_bucket')) return measured.latencyMs;
  return query.includes('istio_requests_total') ? measured.successRate : undefined;
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

async function reply(
  request: IncomingMessage,
  answer: (query: string) => number | undefined,
  nowMs: () => number,
): Promise<Reply> {
  const url = new URL(request.url ?? '/', 'http://loopback');
  if (url.pathname === '/-/healthy' || url.pathname === '/-/ready')
    return { status: 200, body: {} };
  if (url.pathname !== '/api/v1/query')
    return { status: 404, body: error('not_found', url.pathname) };
  const form = request.method === 'POST' ? new URLSearchParams(await bodyOf(request)) : undefined;
  const query = url.searchParams.get('query') ?? form?.get('query') ?? '';
  if (query === '') return { status: 400, body: error('bad_data', 'no query given') };
  const value = answer(query);
  const sample = [nowMs() / 1000, String(value)] as const;
  const result = value === undefined ? [] : [{ metric: {}, value: sample }];
  return { status: 200, body: { status: 'success', data: { resultType: 'vector', result } } };
}

const error = (errorType: string, text: string) => ({ status: 'error', errorType, error: text });

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.length > bodyBytesMax) throw new Error(`a body of more than ${bodyBytesMax} bytes`);
  }
  return text;
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
