/** Which way a call takes: through a proxy, around it, with or without a look at the certificate. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, beforeEach, suite, test } from 'node:test';
import { createConnections } from '../../src/outbound/connections.ts';
import { exchange } from '../../src/outbound/exchange.ts';
import { HopelessCall } from '../../src/outbound/hopeless-call.ts';
import { startHttpServer } from '../support/http-server.ts';

const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];

suite('a call', () => {
  const before = Object.fromEntries(names.map((name) => [name, process.env[name]]));
  const forget = (): void => names.forEach((name) => delete process.env[name]);
  beforeEach(forget);
  after(() => {
    forget();
    Object.assign(process.env, Object.fromEntries(Object.entries(before).filter(([, it]) => it)));
  });

  /** A proxy that notes what it is asked for, and leads all of it to one server. */
  async function startProxy(): Promise<{ url: string; seen: string[]; close: () => void }> {
    const seen: string[] = [];
    const proxy = createServer((request: IncomingMessage, response) => {
      seen.push(`${request.method} ${request.url}`);
      response.end('from the proxy');
    });
    proxy.on('connect', (request, socket) => {
      seen.push(`CONNECT ${request.url}`);
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    await new Promise<void>((resolve) => {
      proxy.listen(0, '127.0.0.1', resolve);
    });
    const { port } = proxy.address() as AddressInfo;
    const close = (): void => {
      proxy.close();
      proxy.closeAllConnections();
    };
    return { url: `http://127.0.0.1:${port}`, seen, close };
  }

  async function call(address: string, proxy?: string): Promise<string> {
    const connections = createConnections();
    try {
      const { body } = await exchange(new URL(address), {
        method: 'GET',
        connection: connections.to({ proxy }),
        bodyBytesMax: 100,
        longer: 'Cut',
        signal: AbortSignal.timeout(5_000),
      });
      return body;
    } finally {
      await connections.close();
    }
  }

  test('goes through the proxy of the environment, without a tunnel where nothing is encrypted', async () => {
    const proxy = await startProxy();
    process.env['HTTP_PROXY'] = proxy.url;
    assert.equal(await call('http://hooks.test/gate'), 'from the proxy');
    assert.deepEqual(proxy.seen, ['GET http://hooks.test/gate']);
    proxy.close();
  });

  test('goes through it by a tunnel where it is encrypted', async () => {
    const proxy = await startProxy();
    process.env['HTTPS_PROXY'] = proxy.url;
    await assert.rejects(call('https://hooks.test/gate'));
    assert.deepEqual(proxy.seen, ['CONNECT hooks.test:443']);
    proxy.close();
  });

  test('goes around it to what NO_PROXY names, and to this machine', async () => {
    const proxy = await startProxy();
    process.env['HTTP_PROXY'] = proxy.url;
    process.env['NO_PROXY'] = '.invalid';
    const server = await startHttpServer((_, response) => response.end('from the server'));
    assert.equal(await call(server.url), 'from the server');
    await assert.rejects(call('http://hooks.invalid/gate'));
    assert.deepEqual(proxy.seen, []);
    await server.close();
    proxy.close();
  });

  test('goes through the proxy that its caller names, wherever it goes', async () => {
    const proxy = await startProxy();
    assert.equal(await call('http://127.0.0.1:9/x', proxy.url), 'from the proxy');
    proxy.close();
  });

  test('is hopeless where its proxy has no URL', async () => {
    await assert.rejects(call('http://hooks.test/', 'nonsense'), HopelessCall);
  });
});
