/** A stand-in for a Prometheus server whose answers a test dictates. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A value, no value, an HTTP status with a body, or no answer at all. */
export type PrometheusAnswer =
  number | 'no values' | 'hang' | { readonly status: number; readonly body: string };

export interface FakePrometheus {
  readonly url: string;
  /** Queries that were asked, `vector(1)` left out. */
  readonly queries: string[];
  /** What it answers from now on. */
  answer(to: (query: string) => PrometheusAnswer): void;
  close(): Promise<void>;
}

export async function startPrometheus(
  initially: (query: string) => PrometheusAnswer,
): Promise<FakePrometheus> {
  let answering = initially;
  const queries: string[] = [];
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? '/', 'http://local').searchParams.get('query') ?? '';
    const probe = query.trim() === 'vector(1)';
    if (!probe) queries.push(query);
    const answer = probe ? 1 : answering(query);
    if (answer === 'hang') return;
    if (typeof answer === 'object') {
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(answer.body);
      return;
    }
    const result =
      answer === 'no values' ? [] : [{ metric: {}, value: [1_700_000_000.5, String(answer)] }];
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    queries,
    answer: (to) => {
      answering = to;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
