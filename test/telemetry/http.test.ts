import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import { after, before, suite, test } from 'node:test';
import { serveOperations } from '../../src/telemetry/http.ts';
import type { OperationsOptions, OperationsServer } from '../../src/telemetry/http.ts';

const metrics = { contentType: 'text/plain; version=0.0.4', expose: async () => 'up 1\n' };
const options: OperationsOptions = {
  port: 0,
  host: '127.0.0.1',
  metrics,
  requirements: [],
  state: () => ({ leader: 'aviary-0' }),
};

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

async function call(port: number, path: string, method = 'GET', body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        const type = response.headers['content-type'] ?? '';
        resolve({ status: response.statusCode ?? 0, type, body: text });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

suite('the operations server', () => {
  let server: OperationsServer;
  let ready = false;
  before(async () => {
    server = await serveOperations({
      ...options,
      requirements: [
        { name: 'the canaries cache', isMet: () => ready },
        {
          name: 'the webhook server',
          isMet: () => {
            throw new Error('not built yet');
          },
        },
        { name: 'nothing', isMet: () => true },
      ],
    });
  });
  after(() => server.stop());

  const answers: Record<string, [string, string, number, RegExp]> = {
    'serves metrics': ['GET', '/metrics', 200, /^up 1\n$/],
    'serves metrics with a query': ['GET', '/metrics?name=x', 200, /^up 1\n$/],
    'is alive for GET': ['GET', '/healthz', 200, /^OK$/],
    'is alive for POST': ['POST', '/healthz', 200, /^OK$/],
    'is alive for DELETE': ['DELETE', '/healthz', 200, /^OK$/],
    'answers HEAD without a body': ['HEAD', '/metrics', 200, /^$/],
    'shows its state as JSON': ['GET', '/debug/state', 200, /^\{\n {2}"leader": "aviary-0"\n\}\n$/],
    'refuses to be written to': ['POST', '/metrics', 405, /not allowed/],
    'has no index': ['GET', '/', 404, /not found/],
    'has no profiler (M-23)': ['GET', '/debug/pprof/', 404, /not found/],
    'has no variables (M-23)': ['GET', '/debug/vars', 404, /not found/],
    'does not guess at a path': ['GET', '/metrics/', 404, /not found/],
  };
  for (const [name, [method, path, status, body]] of Object.entries(answers)) {
    test(name, async () => {
      const answer = await call(server.port, path, method, method === 'POST' ? 'x' : '');
      assert.equal(answer.status, status);
      assert.match(answer.body, body);
    });
  }

  test('is not ready and says what is missing, then is less unready', async () => {
    const first = await call(server.port, '/readyz');
    assert.equal(first.status, 503);
    assert.equal(first.body, 'waiting for the canaries cache\nwaiting for the webhook server\n');
    ready = true;
    assert.equal((await call(server.port, '/readyz')).body, 'waiting for the webhook server\n');
  });
});

test('is ready when nothing is missing', async () => {
  const server = await serveOperations(options);
  const answer = await call(server.port, '/readyz');
  assert.deepEqual([answer.status, answer.body], [200, 'OK']);
  await server.stop();
});

test('a state or metrics that cannot be had are a 500, and the server goes on', async () => {
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  const server = await serveOperations({
    ...options,
    metrics: { ...metrics, expose: () => Promise.reject(new Error('registry gone')) },
    state: () => circle,
  });
  assert.equal((await call(server.port, '/metrics')).body, 'registry gone\n');
  assert.equal((await call(server.port, '/debug/state')).status, 500);
  assert.equal((await call(server.port, '/healthz')).status, 200);
  await server.stop();
});

test('a port that is taken is an error, not a retry', async () => {
  const server = await serveOperations(options);
  await assert.rejects(serveOperations({ ...options, port: server.port }), { code: 'EADDRINUSE' });
  await server.stop();
});

test(
  'stops at once with an idle connection open, and twice is once',
  { timeout: 2_000 },
  async () => {
    const server = await serveOperations(options);
    const socket = connect(server.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    await Promise.all([server.stop(), server.stop()]);
    await server.done;
    socket.destroy();
  },
);
