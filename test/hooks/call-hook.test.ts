/** One call of a webhook: the tables of `spec/03`, 3.2 and 3.3, with D20 and M-19. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, suite, test } from 'node:test';
import type { CanaryWebhook } from '../../src/api/canary.ts';
import { issueLeaf, makeAuthority } from '../../src/certs/x509.ts';
import type { HookAnswer, HookOptions } from '../../src/hooks/call-hook.ts';
import { callHook } from '../../src/hooks/call-hook.ts';
import { createPost } from '../../src/hooks/post.ts';
import type { HttpServer, Identity } from '../support/http-server.ts';
import { startHttpServer } from '../support/http-server.ts';

const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface Served {
  readonly url: string;
  readonly received: Received[];
}

/** Answers the n-th request by the n-th handler, and later ones by the last. */
async function serve(
  handlers: readonly ((response: ServerResponse, request: IncomingMessage) => void)[],
  identity?: Identity,
): Promise<Served> {
  const received: Received[] = [];
  const server = await startHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url, headers } = request;
      received.push({ method, url, headers, body: Buffer.concat(chunks).toString('utf8') });
      (handlers[received.length - 1] ?? handlers.at(-1))?.(response, request);
    });
  }, identity);
  servers.push(server);
  return { url: server.url, received };
}

const status =
  (code: number, body = '', headers: Record<string, string> = {}) =>
  (response: ServerResponse): void =>
    void response.writeHead(code, headers).end(body);

/** Time that stands still while a call is under way, and jumps over the waits between calls. */
function virtualTime(): { readonly sleep: HookOptions['sleep']; readonly waits: number[] } {
  const waits: number[] = [];
  return {
    waits,
    sleep: (ms, signal) => {
      // Deadlines have signals of their own; the waits between attempts have the caller's.
      if (signal === caller.signal) {
        waits.push(ms);
        return Promise.resolve();
      }
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    },
  };
}

const caller = new AbortController();
const payload = {
  name: 'podinfo',
  namespace: 'test',
  phase: 'Progressing',
  checksum: '85d557f47b',
};

const post = createPost();

interface Called {
  readonly answer: HookAnswer;
  readonly waits: readonly number[];
}

async function call(url: string, hook: Partial<CanaryWebhook> = {}): Promise<Called> {
  const { sleep, waits } = virtualTime();
  const answer = await callHook({ name: 'gate', url, ...hook }, payload, {
    signal: caller.signal,
    sleep,
    post,
  });
  return { answer, waits };
}

suite('a request', () => {
  test('is a POST of JSON, keys in the order of the payload', async () => {
    const { url, received } = await serve([status(200)]);
    await call(`${url}/gate?token=1`);
    const [request] = received;
    assert.equal(request?.method, 'POST');
    assert.equal(request.url, '/gate?token=1');
    assert.equal(request.headers['content-type'], 'application/json');
    assert.equal(request.headers['content-length'], String(request.body.length));
    assert.equal(
      request.body,
      '{"name":"podinfo","namespace":"test","phase":"Progressing","checksum":"85d557f47b"}',
    );
  });

  test('has the user and password of the URL', async () => {
    const { url, received } = await serve([status(200)]);
    await call(url.replace('http://', 'http://u:p@'));
    assert.equal(received[0]?.headers.authorization, 'Basic dTpw');
  });
});

suite('an answer', () => {
  const yes: HookAnswer = { ok: true };
  const no = (error: string): HookAnswer => ({ ok: false, error });
  const cases: Record<string, [code: number, body: string, expected: HookAnswer]> = {
    '200 is a yes': [200, 'ok', yes],
    '201 is a yes': [201, '', yes],
    '202 is a yes': [202, '', yes],
    '203 is a yes (D20)': [203, '', yes],
    '204 is a yes (D20)': [204, '', yes],
    '206 is a yes (D20)': [206, '', yes],
    '304 is a no': [304, '', no('status 304 Not Modified')],
    '400 is a no, with the body': [400, 'not yet\n', no('not yet')],
    '403 without a body is a no, with the status': [403, '', no('status 403 Forbidden')],
    '404 is a no': [404, '404 page not found\n', no('404 page not found')],
    '501 is a no': [501, 'never', no('never')],
  };
  for (const [name, [code, body, expected]] of Object.entries(cases)) {
    test(name, async () => {
      const { url, received } = await serve([status(code, body)]);
      const { answer, waits } = await call(url, { retries: 3 });
      assert.deepEqual(answer, expected);
      assert.deepEqual([received.length, waits], [1, []]);
    });
  }

  test('is kept to its first KiB, at a character', async () => {
    const { url } = await serve([status(403, 'ä'.repeat(5_000))]);
    const { answer } = await call(url);
    assert.ok(!answer.ok);
    assert.equal(answer.error, 'ä'.repeat(512));
    const odd = await serve([status(403, `x${'ä'.repeat(5_000)}`)]);
    assert.deepEqual((await call(odd.url)).answer, no(`x${'ä'.repeat(511)}`));
  });

  test('without an end is hung up on', async () => {
    let closed = (): void => undefined;
    const hungUp = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const { url } = await serve([
      (response) => {
        response.on('close', closed).writeHead(403);
        const pour = (): void => {
          while (!response.destroyed && response.write('x'.repeat(4096)));
        };
        response.on('drain', pour);
        pour();
      },
    ]);
    assert.deepEqual((await call(url)).answer, no('x'.repeat(1024)));
    await hungUp;
  });
});

suite('a call is repeated', () => {
  for (const code of [429, 500, 502, 503, 504]) {
    test(`after ${code}, and the last body is told (M-19)`, async () => {
      const { url, received } = await serve([status(code, 'first'), status(code, 'last\n')]);
      const { answer } = await call(`${url}/gate`, { retries: 2 });
      assert.deepEqual(answer, {
        ok: false,
        error: `POST ${url} giving up after 3 attempt(s): last`,
      });
      assert.equal(received.length, 3);
    });
  }

  test('after a second, then twice as long each time, and never longer than 30 s', async () => {
    const { url } = await serve([status(500)]);
    const { answer, waits } = await call(url, { retries: 7 });
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    assert.deepEqual(answer, {
      ok: false,
      error: `POST ${url} giving up after 8 attempt(s): status 500 Internal Server Error`,
    });
  });

  test('until it is a yes, each time with the whole payload', async () => {
    const { url, received } = await serve([status(500), status(500), status(200)]);
    const { answer } = await call(url, { retries: 5 });
    assert.deepEqual(answer, { ok: true });
    assert.equal(new Set(received.map(({ body }) => body)).size, 1);
    assert.equal(received.length, 3);
  });

  test('until it is a no', async () => {
    const { url, received } = await serve([status(500), status(403, 'no')]);
    const { answer } = await call(url, { retries: 5 });
    assert.deepEqual(answer, { ok: false, error: 'no' });
    assert.equal(received.length, 2);
  });

  test('when the receiver hangs up', async () => {
    const { url, received } = await serve([
      (_, request) => void request.socket.resetAndDestroy(),
      status(200),
    ]);
    assert.deepEqual((await call(url, { retries: 1 })).answer, { ok: true });
    assert.equal(received.length, 2);
  });

  const retryAfters: Record<string, [code: number, headers: Record<string, string>, ms: number]> = {
    'as a 429 asks': [429, { 'retry-after': '7' }, 7_000],
    'as a 503 asks': [503, { 'retry-after': '0' }, 0],
    'not as a 500 asks': [500, { 'retry-after': '7' }, 1_000],
    'at the time that is asked for, by the clock of the hook': [
      503,
      { date: 'Mon, 23 Nov 2026 08:00:00 GMT', 'retry-after': 'Mon, 23 Nov 2026 08:00:12 GMT' },
      12_000,
    ],
    'at once, where that time has passed': [
      503,
      { date: 'Mon, 23 Nov 2026 08:00:00 GMT', 'retry-after': 'Mon, 23 Nov 2026 07:00:00 GMT' },
      0,
    ],
    'as ever, where nonsense is asked for': [503, { 'retry-after': 'later' }, 1_000],
    'within five minutes, whatever is asked for': [429, { 'retry-after': '86400' }, 300_000],
  };
  for (const [name, [code, headers, ms]] of Object.entries(retryAfters)) {
    test(name, async () => {
      const { url } = await serve([status(code, '', headers), status(200)]);
      assert.deepEqual((await call(url, { retries: 1 })).waits, [ms]);
    });
  }
});

suite('a redirect', () => {
  for (const code of [301, 302, 303]) {
    test(`by ${code} is followed by a GET without a body`, async () => {
      const { url, received } = await serve([status(code, '', { location: '/to' }), status(200)]);
      assert.deepEqual((await call(url)).answer, { ok: true });
      const [, second] = received;
      assert.deepEqual([second?.method, second?.url, second?.body], ['GET', '/to', '']);
    });
  }

  for (const code of [307, 308]) {
    test(`by ${code} is followed by the same POST`, async () => {
      const { url, received } = await serve([status(code, '', { location: '/to' }), status(200)]);
      assert.deepEqual((await call(url)).answer, { ok: true });
      const [first, second] = received;
      assert.deepEqual([second?.method, second?.url], ['POST', '/to']);
      assert.equal(second?.body, first?.body);
    });
  }

  test('without end is a failure that is not repeated', async () => {
    const { url, received } = await serve([status(302, '', { location: '/' })]);
    assert.deepEqual((await call(url, { retries: 3 })).answer, {
      ok: false,
      error: `POST ${url} giving up after 1 attempt(s): stopped after 10 redirects`,
    });
    assert.equal(received.length, 11);
  });

  test('to another protocol is a failure that is not repeated', async () => {
    const { url } = await serve([status(302, '', { location: 'file:///etc/passwd' })]);
    assert.deepEqual((await call(url, { retries: 3 })).answer, {
      ok: false,
      error: `POST ${url} giving up after 1 attempt(s): unsupported protocol scheme "file"`,
    });
  });
});

suite('a call that cannot be made', () => {
  test('is told with the reason, after all its attempts', async () => {
    const server = await startHttpServer(() => undefined);
    await server.close();
    const { answer, waits } = await call(server.url, { retries: 1 });
    const reason = `connect ECONNREFUSED 127.0.0.1:${server.port}`;
    assert.deepEqual(answer, {
      ok: false,
      error: `POST ${server.url} giving up after 2 attempt(s): ${reason}`,
    });
    assert.deepEqual(waits, [1_000]);
  });

  const timeouts: Record<string, [hook: Partial<CanaryWebhook>, error: string]> = {
    'for a timeout without a unit': [{ timeout: '55' }, 'time: missing unit in duration "55"'],
    'for a timeout of an unknown unit': [
      { timeout: '1min' },
      'time: unknown unit "min" in duration "1min"',
    ],
    'for an event hook’s timeout of one character': [
      { timeout: '5', type: 'event' },
      'time: missing unit in duration "5"',
    ],
    'for a URL that is none': [{ url: 'gate' }, 'hook gate has no valid URL'],
    'for a protocol that is not HTTP': [
      { url: 'ftp://gate/x', retries: 3 },
      'POST ftp://gate giving up after 1 attempt(s): unsupported protocol scheme "ftp"',
    ],
  };
  for (const [name, [hook, error]] of Object.entries(timeouts)) {
    test(name, async () => {
      assert.deepEqual((await call('http://127.0.0.1:1', hook)).answer, { ok: false, error });
    });
  }

  test('shows neither user nor password nor query', async () => {
    const { url } = await serve([status(500)]);
    const secret = `${url.replace('http://', 'http://user:hunter2@')}/gate?token=hunter2#hunter2`;
    const { answer } = await call(secret);
    assert.ok(!answer.ok);
    assert.match(answer.error, /^POST http:\/\/127\.0\.0\.1:\d+ giving up/);
    assert.doesNotMatch(answer.error, /hunter2|user/);
  });
});

suite('a deadline', () => {
  /** The lengths of all sleeps; each deadline passes as soon as the request has arrived. */
  async function hang(hook: Partial<CanaryWebhook>): Promise<Called & { deadlines: number[] }> {
    let expire: (() => void)[] = [];
    const { url } = await serve([
      () => {
        for (const end of expire) end();
        expire = [];
      },
    ]);
    const deadlines: number[] = [];
    const answer = await callHook({ name: 'gate', url, ...hook }, payload, {
      signal: caller.signal,
      post,
      sleep: (ms, signal) => {
        if (signal === caller.signal) return Promise.resolve();
        deadlines.push(ms);
        return new Promise((resolve) => {
          expire.push(resolve);
        });
      },
    });
    return { answer, waits: [], deadlines };
  }

  const cases: Record<string, [hook: Partial<CanaryWebhook>, ms: number]> = {
    'is 10 s where none is given': [{}, 10_000],
    'is 10 s where one character is given': [{ timeout: '5' }, 10_000],
    'is 10 s of an event hook that gives none': [{ timeout: '', type: 'event' }, 10_000],
    'is what is given': [{ timeout: '1m30s' }, 90_000],
  };
  for (const [name, [hook, ms]] of Object.entries(cases)) {
    test(name, async () => {
      const { answer, deadlines } = await hang(hook);
      assert.deepEqual(deadlines, [ms]);
      assert.ok(!answer.ok);
      assert.match(answer.error, new RegExp(`attempt\\(s\\): no answer within ${ms / 1000}s$`));
    });
  }

  test('is each attempt’s own', async () => {
    const { answer, deadlines } = await hang({ timeout: '2s', retries: 2 });
    assert.deepEqual(deadlines, [2_000, 2_000, 2_000]);
    assert.ok(!answer.ok);
    assert.match(answer.error, /giving up after 3 attempt\(s\): no answer within 2s$/);
  });

  test('is not awaited when nobody waits for the answer', async () => {
    const stopping = new AbortController();
    const { url } = await serve([() => stopping.abort(new Error('the controller stops'))]);
    const called = callHook({ name: 'gate', url }, payload, {
      signal: stopping.signal,
      post,
      sleep: () => new Promise(() => undefined),
    });
    await assert.rejects(called, /the controller stops/);
  });
});

suite('TLS', () => {
  let identity: Promise<Identity> | undefined;
  const made = (): Promise<Identity> => {
    identity ??= (async () => {
      const nowMs = Date.now();
      const { key, certificate } = await issueLeaf(
        await makeAuthority(nowMs),
        ['127.0.0.1'],
        nowMs,
      );
      return { key, cert: certificate };
    })();
    return identity;
  };

  test('is verified, and what fails is not repeated', async () => {
    const { url, received } = await serve([status(200)], await made());
    const { answer } = await call(url, { retries: 3 });
    assert.ok(!answer.ok);
    assert.match(answer.error, /giving up after 1 attempt\(s\): unable to verify/);
    assert.equal(received.length, 0);
  });

  test('is not verified with disableTLS', async () => {
    const { url } = await serve([status(200)], await made());
    assert.deepEqual((await call(url, { disableTLS: true })).answer, { ok: true });
  });
});
