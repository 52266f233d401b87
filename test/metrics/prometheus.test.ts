/** The Prometheus provider against servers that behave, and servers that do not (`spec/03`, 2.4). */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { after, afterEach, suite, test } from 'node:test';
import { systemClock } from '../../src/kube/clock.ts';
import type { PrometheusOptions } from '../../src/metrics/prometheus.ts';
import { createPrometheus } from '../../src/metrics/prometheus.ts';
import type { Measurement, MetricProvider } from '../../src/metrics/provider.ts';
import { providerOf } from '../../src/metrics/registry.ts';
import { createTransport } from '../../src/metrics/transport.ts';
import type { HttpServer } from '../support/http-server.ts';
import { startHttpServer } from '../support/http-server.ts';

const { signal } = new AbortController();
const sleep = (ms: number, until: AbortSignal): Promise<void> => systemClock.sleep(ms, until);
const transport = createTransport({ sleep });
after(() => transport.close());
const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(handler: Handler): Promise<HttpServer> {
  const server = await startHttpServer(handler);
  servers.push(server);
  return server;
}

function provide(address: string, more: Partial<PrometheusOptions> = {}): MetricProvider {
  const made = createPrometheus({ address, transport, ...more });
  assert.ok(made.ok, made.ok ? '' : made.error);
  return made.provider;
}

/** What comes of one answer. */
async function measure(body: string, status = 200): Promise<Measurement> {
  const server = await serve((_, response) => response.writeHead(status).end(body));
  return provide(server.url).query('up', { signal });
}

const vector = (...samples: unknown[]): string =>
  JSON.stringify({
    status: 'success',
    data: { resultType: 'vector', result: samples.map((value) => ({ metric: {}, value })) },
  });
const noValues: Measurement = { kind: 'NoValues', error: 'no values found' };

suite('an answer is read', () => {
  const cases: Record<string, [body: string, expected: Measurement]> = {
    'a value': [vector([1, '99.5']), { kind: 'Value', value: 99.5 }],
    'a value with an exponent': [vector([1, '1.5e-07']), { kind: 'Value', value: 1.5e-7 }],
    infinity: [vector([1, '+Inf']), { kind: 'Value', value: Infinity }],
    'negative infinity': [vector([1, '-Inf']), { kind: 'Value', value: -Infinity }],
    'NaN as no value': [vector([1, 'NaN']), noValues],
    'no series as no value': [vector(), noValues],
    'a sample that is no string as no value': [vector([1, 5]), noValues],
    'no result as no value': ['{"status":"success","data":{}}', noValues],
    'an error with status 200 as no value': ['{"status":"error","error":"boom"}', noValues],
    'several series with a warning, the last one counts': [
      vector([1, '1'], [1, '2']),
      {
        kind: 'Value',
        value: 2,
        warnings: ['the query returned 2 series, of which the last one was judged'],
      },
    ],
    'a NaN that comes last as no value': [vector([1, '1'], [1, 'NaN']), noValues],
    'a matrix as several values': [
      '{"status":"success","data":{"resultType":"matrix","result":[{"values":[[1,"1"]]}]}}',
      { kind: 'Error', error: 'query returned multiple values' },
    ],
  };
  for (const [name, [body, expected]] of Object.entries(cases)) {
    test(name, async () => assert.deepEqual(await measure(body), expected));
  }
});

suite('nonsense is an error, not a value', () => {
  const cases: Record<string, [body: string, error: RegExp]> = {
    'a page': ['<html>', /^error unmarshaling result: .+, '<html>'$/],
    nothing: ['', /^error unmarshaling result: .+, ''$/],
    'half an answer': [vector([1, '1']).slice(0, 40), /^error unmarshaling result: /],
    'a list': ['[]', /^error unmarshaling result: no object, '\[\]'$/],
    'a scalar': [
      '{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}',
      /^error unmarshaling result: a sample is no pair of time and value/,
    ],
    'a sample of one element, which crashed the reference (M-07)': [
      vector([1]),
      /^error unmarshaling result: a sample is no pair of time and value/,
    ],
    'an empty sample': [vector([]), /^error unmarshaling result: /],
    'a sample that is no number': [vector([1, 'many']), /^error unmarshaling result: /],
    'an empty number': [vector([1, '']), /^error unmarshaling result: /],
    'a result that is no list': [
      '{"data":{"result":"x"}}',
      /^error unmarshaling result: the result is no list/,
    ],
  };
  for (const [name, [body, error]] of Object.entries(cases)) {
    test(name, async () => {
      const measured = await measure(body);
      assert.equal(measured.kind, 'Error');
      assert.match(measured.error, error);
    });
  }

  test('a status of 400 and above is told with its body', async () => {
    assert.deepEqual(await measure('{"status":"error"}', 422), {
      kind: 'Error',
      error: 'error response: Status 422 Unprocessable Entity: {"status":"error"}',
    });
    const measured = await measure('x'.repeat(10_000), 500);
    assert.equal(measured.kind, 'Error');
    assert.match(measured.error, /^error response: Status 500 Internal Server Error: x{300}$/);
  });

  test('an answer without an end is cut off', async () => {
    const server = await serve((_, response) => {
      const chunk = Buffer.alloc(1024 * 1024, 'x');
      const pour = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', pour);
      pour();
    });
    assert.deepEqual(await provide(server.url).query('up', { signal }), {
      kind: 'Error',
      error: 'request failed: answer of more than 4194304 bytes',
    });
  });
});

suite('a server that fails is an error', () => {
  test('that refuses', async () => {
    const server = await startHttpServer(() => undefined);
    await server.close();
    const measured = await provide(server.url).query('up', { signal });
    assert.deepEqual(measured, {
      kind: 'Error',
      error: `request failed: connect ECONNREFUSED 127.0.0.1:${server.port}`,
    });
  });

  test('that hangs up', async () => {
    const server = await serve((request) => request.destroy());
    const measured = await provide(server.url).query('up', { signal });
    assert.deepEqual(measured, { kind: 'Error', error: 'request failed: other side closed' });
  });

  test('that hangs up in the middle', async () => {
    const server = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{');
      setImmediate(() => response.destroy());
    });
    const measured = await provide(server.url).query('up', { signal });
    assert.deepEqual(measured, { kind: 'Error', error: 'request failed: other side closed' });
  });

  for (const [name, handler] of Object.entries<Handler>({
    'that does not answer': () => undefined,
    'that does not end its answer': (_, response) => void response.write('{"status":'),
    'that answers only by redirects': (request, response) =>
      void setTimeout(() => response.writeHead(302, { location: request.url }).end(), 30),
  })) {
    test(`${name}: after its time`, async () => {
      const server = await serve(handler);
      const impatient = createTransport({ sleep, answerMs: 100 });
      const measured = await provide(server.url, { transport: impatient }).query('up', { signal });
      impatient.close();
      assert.deepEqual(measured, {
        kind: 'Error',
        error: 'request failed: no answer within 0.1s',
      });
    });
  }

  test('that does not answer, when nobody waits any more', async () => {
    const server = await serve(() => undefined);
    const stopping = new AbortController();
    const asked = provide(server.url).query('up', { signal: stopping.signal });
    stopping.abort(new Error('the controller stops'));
    assert.deepEqual(await asked, {
      kind: 'Error',
      error: 'request failed: the controller stops',
    });
  });

  test('that redirects for ever', async () => {
    const server = await serve((_, response) => response.writeHead(301, { location: '/' }).end());
    assert.deepEqual(await provide(server.url).query('up', { signal }), {
      kind: 'Error',
      error: 'request failed: stopped after 10 redirects',
    });
  });
});

suite('a query is sent', () => {
  async function recorded(
    path: string,
    query: string,
    more: Partial<PrometheusOptions> = {},
  ): Promise<IncomingMessage> {
    let seen: IncomingMessage | undefined;
    const server = await serve((request, response) => {
      seen = request;
      response.end(vector([1, '1']));
    });
    await provide(`${server.url}${path}`, more).query(query, { signal });
    assert.ok(seen !== undefined);
    return seen;
  }

  test('by GET, with single spaces, which are pluses', async () => {
    const { method, url } = await recorded('', ' sum(\n\t rate(x{a="b"}[1m]) ) ');
    assert.equal(method, 'GET');
    assert.equal(url, '/api/v1/query?query=+sum%28+rate%28x%7Ba%3D%22b%22%7D%5B1m%5D%29+%29+');
  });

  test('below the path of the address, whose query is dropped', async () => {
    const { url } = await recorded('/select//0/prometheus/?x=1#y', 'up');
    assert.equal(url, '/select/0/prometheus/api/v1/query?query=up');
  });

  const authorizations: Record<string, [Partial<PrometheusOptions>, string | undefined]> = {
    'without credentials': [{}, undefined],
    'with a token': [{ credentials: { token: 't0k' } }, 'Bearer t0k'],
    'with a token from a file, which ends in a newline': [
      { credentials: { token: 't0k\n' } },
      'Bearer t0k',
    ],
    'with a token, though there is a user': [
      { credentials: { token: 't', username: 'u', password: 'p' } },
      'Bearer t',
    ],
    'with a user': [{ credentials: { username: 'u', password: 'p' } }, 'Basic dTpw'],
    'without a user whose password is empty': [
      { credentials: { username: 'u', password: '' } },
      undefined,
    ],
    'with a token in place of a custom header': [
      { credentials: { token: 't' }, headers: { authorization: ['Custom'] } },
      'Bearer t',
    ],
    'with a custom header': [{ headers: { Authorization: ['Custom'] } }, 'Custom'],
  };
  for (const [name, [options, expected]] of Object.entries(authorizations)) {
    test(name, async () => {
      assert.equal((await recorded('', 'up', options)).headers.authorization, expected);
    });
  }

  test('with one Authorization, however often it is asked, and the headers stay as they are (M-06)', async () => {
    const seen: string[][] = [];
    const server = await serve((request, response) => {
      seen.push(request.headersDistinct['authorization'] ?? []);
      response.end(vector([1, '1']));
    });
    const headers = { 'X-Scope-OrgID': ['a', 'b'] };
    const provider = provide(server.url, { headers, credentials: { token: 't' } });
    for (let asked = 0; asked < 3; asked += 1) await provider.query('up', { signal });
    assert.deepEqual(seen, [['Bearer t'], ['Bearer t'], ['Bearer t']]);
    assert.deepEqual(headers, { 'X-Scope-OrgID': ['a', 'b'] });
  });

  test('with custom headers as they are written, but for Host', async () => {
    const { rawHeaders, headers } = await recorded('', 'up', {
      headers: { 'X-Scope-OrgID': ['a', 'b'], host: ['elsewhere'] },
    });
    const scopes = rawHeaders.filter((_, index) => rawHeaders[index - 1] === 'X-Scope-OrgID');
    assert.deepEqual(scopes, ['a', 'b']);
    assert.match(headers.host ?? '', /^127\.0\.0\.1:/);
  });

  test('over connections that are kept', async () => {
    const ports = new Set<number | undefined>();
    const server = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.end(vector([1, '1']));
    });
    const provider = provide(server.url);
    for (let asked = 0; asked < 20; asked += 1) await provider.query('up', { signal });
    assert.ok(ports.size <= 2, `${ports.size} connections`);
  });

  test('again, when the server closed the connection that was kept', async () => {
    let asked = 0;
    const server = await serve((request, response) => {
      asked += 1;
      // The second request is taken off a kept connection, and never answered.
      if (asked === 2) request.socket.resetAndDestroy();
      else response.end(vector([1, String(asked)]));
    });
    const provider = provide(server.url);
    await provider.query('up', { signal });
    assert.deepEqual(await provider.query('up', { signal }), { kind: 'Value', value: 3 });
  });

  test('where a redirect points to, without credentials for another host', async () => {
    const seen: (string | undefined)[] = [];
    const target = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end(vector([1, '7']));
    });
    const location = target.url.replace('127.0.0.1', 'localhost');
    const server = await serve((_, response) => response.writeHead(307, { location }).end());
    const provider = provide(server.url, { credentials: { token: 't' } });
    assert.deepEqual(await provider.query('up', { signal }), { kind: 'Value', value: 7 });
    assert.deepEqual(seen, [undefined]);
  });

  test('where a redirect points to, with credentials for the same host', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/moved') response.end(vector([1, request.headers.authorization ?? '']));
      else response.writeHead(302, { location: '/moved' }).end();
    });
    const measured = await provide(server.url, {
      headers: { authorization: ['5'] },
    }).query('up', { signal });
    assert.deepEqual(measured, { kind: 'Value', value: 5 });
  });
});

suite('what cannot be built', () => {
  const cases: Record<string, [Omit<PrometheusOptions, 'transport'>, string]> = {
    'has no address': [{ address: '' }, 'prometheus address  is not a valid URL'],
    'has no URL': [
      { address: 'prom:9090/x y' },
      'prometheus address prom:9090/x y is not a valid URL',
    ],
    'has a password, which is not shown': [
      { address: 'ftp://user:hunter2@prom' },
      'prometheus address ftp://prom is not a valid URL',
    ],
    'has no user': [
      { address: 'http://prom', credentials: { password: 'p' } },
      'prometheus credentials does not contain a username',
    ],
    'has no password': [
      { address: 'http://prom', credentials: { username: 'u' } },
      'prometheus credentials does not contain a password',
    ],
  };
  for (const [name, [options, error]] of Object.entries(cases)) {
    test(name, () => {
      assert.deepEqual(createPrometheus({ ...options, transport }), { ok: false, error });
    });
  }

  test('is of a type that this version does not have', () => {
    const template = {
      apiVersion: 'flagger.app/v1beta1',
      kind: 'MetricTemplate',
      metadata: { name: 'latency', namespace: 'test' },
      spec: { provider: { type: 'datadog' }, query: 'q' },
    };
    assert.deepEqual(providerOf(template, undefined, transport), {
      ok: false,
      error: 'this version does not support datadog, only prometheus',
    });
  });
});

suite('a probe', () => {
  const cases: Record<string, [body: string, expected: string | undefined]> = {
    'is fine with 1': [vector([1, '1']), undefined],
    'is not fine with 2': [vector([1, '2']), 'value is not 1 for query: vector(1)'],
    'is not fine with nothing': [vector(), 'running query failed: no values found'],
  };
  for (const [name, [body, expected]] of Object.entries(cases)) {
    test(name, async () => {
      const server = await serve((request, response) => {
        assert.equal(request.url, '/api/v1/query?query=vector%281%29');
        response.end(body);
      });
      assert.equal(await provide(server.url).probe({ signal }), expected);
    });
  }
});

test('no error shows a credential', async () => {
  const server = await serve((request) => request.destroy());
  const address = server.url.replace('http://', 'http://user:hunter2@');
  for (const credentials of [{ token: 'hunter2\u0000' }, { username: 'u', password: 'hunter2' }]) {
    const provider = provide(address, { credentials, headers: { 'X-Key': ['hunter2\u0000'] } });
    const measured = await provider.query('up', { signal });
    assert.equal(measured.kind, 'Error');
    assert.doesNotMatch(measured.error, /hunter2/);
  }
});
