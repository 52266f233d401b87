import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { Alert } from '../../src/alerts/alert.ts';
import type { Delivery } from '../../src/alerts/outbox.ts';
import { createOutbox } from '../../src/alerts/outbox.ts';
import type { Poster, Response } from '../../src/alerts/post.ts';
import { createPoster } from '../../src/alerts/post.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const never = new AbortController().signal;
const secret = 'https://hooks.test/T0/B0/secret';

const alert = (message: string): Alert => ({
  severity: 'error',
  canary: { namespace: 'test', name: 'podinfo' },
  message,
  fields: [],
});

function setUp(script: readonly (Response | Error | 'hang')[] = []) {
  const clock = createVirtualClock();
  const posted: { readonly url: string; readonly text: string; readonly atMs: number }[] = [];
  const lost: string[] = [];
  const sent: string[] = [];
  const answers = [...script];
  const poster: Poster = {
    post: async ({ url, body }) => {
      posted.push({ url: url.host, text: textOf(body), atMs: clock.monotonic() });
      const answer = url.host === 'hooks.test' ? answers.shift() : undefined;
      if (answer === 'hang') return new Promise(() => undefined);
      if (answer instanceof Error) throw answer;
      return answer ?? { status: 200, body: 'ok' };
    },
    close: async () => undefined,
  };
  const outbox = createOutbox({
    poster,
    sleep: (ms, signal) => clock.sleep(ms, signal),
    lost: (delivery, reason) => void lost.push(`${delivery.alert.message}: ${reason}`),
    sent: (delivery) => void sent.push(delivery.alert.message),
  });
  const add = (message: string, receiver = 'test/slack', address = secret): void =>
    outbox.add({
      alert: alert(message),
      stamp: { id: message, time: '' },
      receiver,
      resolve: async () => ({
        ok: true,
        receiver: { type: 'slack', address, channel: 'general', username: 'flagger' },
      }),
    });
  return { clock, outbox, posted, lost, sent, add };
}

const textOf = (body: unknown): string =>
  (body as { readonly attachments: readonly { readonly text: string }[] }).attachments[0]?.text ??
  '';

test('alerts of one receiver arrive in order', async () => {
  const { clock, add, sent } = setUp();
  for (const message of ['1', '2', '3']) add(message);
  await clock.advance(0);
  assert.deepEqual(sent, ['1', '2', '3']);
});

test('a receiver that is away is tried again, ever later, and the next waits for its turn', async () => {
  const down = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  const { clock, add, posted, sent } = setUp([down, { status: 503, body: '' }]);
  add('1');
  add('2');
  await clock.advance(10_000);
  assert.deepEqual(
    posted.map(({ text, atMs }) => [text, atMs]),
    [
      ['1', 0],
      ['1', 1_000],
      ['1', 3_000],
      ['2', 3_000],
    ],
  );
  assert.deepEqual(sent, ['1', '2']);
});

test('a receiver asks to be left alone for a while', async () => {
  const { clock, add, posted } = setUp([{ status: 429, body: '', retryAfterMs: 30_000 }]);
  add('1');
  await clock.advance(60_000);
  assert.deepEqual(
    posted.map(({ atMs }) => atMs),
    [0, 30_000],
  );
});

test('a receiver that never answers holds up no other', async () => {
  const { clock, add, sent } = setUp(['hang']);
  add('1');
  add('2', 'test/other', 'https://other.test/x');
  await clock.advance(0);
  assert.deepEqual(sent, ['2']);
});

test('what is refused is lost at once, and said without a secret', async () => {
  const { clock, add, lost } = setUp([{ status: 404, body: `no hook at ${secret}` }]);
  add('1');
  await clock.advance(0);
  assert.deepEqual(lost, ['1: bad response 404: no hook at ***']);
});

test('after six tries an alert is lost, and said so', async () => {
  const gone = { status: 500, body: 'down' };
  const { clock, add, lost, posted } = setUp([gone, gone, gone, gone, gone, gone]);
  add('1');
  await clock.advance(60_000);
  assert.equal(posted.length, 6);
  assert.deepEqual(lost, ['1: bad response 500: down']);
});

test('only so many wait', async () => {
  const { outbox, add, lost } = setUp(['hang']);
  for (let count = 0; count < 1_001; count += 1) add(String(count));
  assert.equal(outbox.pending, 1_000);
  assert.deepEqual(lost, ['1000: too many alerts wait']);
});

test('what is left when the process ends is said to be lost', async () => {
  const { clock, outbox, add, lost } = setUp([{ status: 500, body: '' }]);
  add('1');
  add('2');
  await clock.advance(0);
  const end = new AbortController();
  const flushed = outbox.flush(end.signal);
  end.abort();
  await clock.advance(0);
  await flushed;
  assert.deepEqual(lost, ['1: bad response 500: ', '2: the process ends']);
});

test('the request goes through the proxy that the receiver names', async () => {
  const seen: string[] = [];
  const proxy = createServer();
  proxy.on('connect', (request, socket) => {
    seen.push(request.url ?? '');
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  await new Promise<void>((resolve) => {
    proxy.listen(0, '127.0.0.1', resolve);
  });
  const { port } = proxy.address() as AddressInfo;
  const poster = createPoster(() => new Promise(() => undefined));
  const request = { url: new URL('https://hooks.test/x'), headers: {}, body: {} };
  await assert.rejects(poster.post(request, `http://127.0.0.1:${port}`, never));
  await poster.close();
  proxy.close();
  assert.deepEqual(seen, ['hooks.test:443']);
});

test('an answer is read, and no more of it than is shown', async () => {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(500, { 'retry-after': '7' }).end('x'.repeat(100_000));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const poster = createPoster(() => new Promise(() => undefined));
  const request = { url: new URL(`http://127.0.0.1:${port}/x`), headers: {}, body: { a: 1 } };
  const { status, body, retryAfterMs } = await poster.post(request, undefined, never);
  await poster.close();
  server.close();
  assert.deepEqual([status, body.length, retryAfterMs], [500, 4_096, 7_000]);
});

test('a delivery that has nowhere to go is lost with the reason', async () => {
  const { clock, outbox, lost } = setUp();
  const nowhere: Delivery = {
    alert: alert('1'),
    stamp: { id: '1', time: '' },
    receiver: 'test/none',
    resolve: async () => ({ ok: false, error: 'secret does not contain an address' }),
  };
  outbox.add(nowhere);
  await clock.advance(0);
  assert.deepEqual(lost, ['1: secret does not contain an address']);
});
