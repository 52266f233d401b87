/**
 * The rotation that a cluster goes through in ten years, in one second of real TLS: no handshake of
 * an API server is refused at any moment of it, whatever caBundle it knows by then.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import express from 'express';
import type { AdmissionServer } from '../../src/admission/server.ts';
import { serveAdmission } from '../../src/admission/server.ts';
import type { Bundle } from '../../src/certs/bundle.ts';
import { caBundleOf } from '../../src/certs/bundle.ts';
import { issueLeaf, makeAuthority } from '../../src/certs/x509.ts';

const servername = 'aviary.aviary-system.svc';
const nowMs = Date.now();
const [oldAuthority, newAuthority] = await Promise.all([
  makeAuthority(nowMs),
  makeAuthority(nowMs),
]);
const old: Bundle = {
  authority: oldAuthority,
  leaf: await issueLeaf(oldAuthority, [servername], nowMs),
};
const renewed: Bundle = {
  authority: newAuthority,
  leaf: await issueLeaf(newAuthority, [servername], nowMs),
  formerAuthority: oldAuthority.certificate,
};

let server: AdmissionServer;
before(async () => {
  const app = express();
  app.get('/healthz', (_, response) => void response.send('OK'));
  server = await serveAdmission(app, 0, old.leaf);
});
after(() => server.close());

/** A new connection, as an API server with this caBundle makes it: the serial number it is shown. */
async function handshake(ca: string): Promise<string> {
  const socket = connect({ port: server.port, host: '127.0.0.1', servername, ca });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

/** One request on a connection that is kept: its status, and whether the connection was reused. */
async function ask(agent: Agent): Promise<{ readonly status: number; readonly reused: boolean }> {
  const options = { port: server.port, host: '127.0.0.1', servername, path: '/healthz', agent };
  const call = request(options).end();
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return { status: response.statusCode ?? 0, reused: call.reusedSocket };
}

test('from one CA to the next, no handshake fails, and open connections go on', async () => {
  const kept = new Agent({ keepAlive: true, ca: caBundleOf(old) });
  assert.deepEqual(await ask(kept), { status: 200, reused: false });

  // The caBundle is written; some API servers know it, some do not yet: both take the old leaf.
  const before = await handshake(caBundleOf(old));
  assert.equal(await handshake(caBundleOf(renewed)), before);

  // All know it. Handshakes go on while the leaf is swapped.
  const calls = Array.from({ length: 40 }, (_, index) => {
    if (index === 20) server.useCertificate(renewed.leaf);
    return handshake(caBundleOf(renewed));
  });
  const serials = new Set(await Promise.all(calls));
  const now = await handshake(caBundleOf(renewed));
  assert.notEqual(now, before);
  for (const serial of serials) assert.ok(serial === before || serial === now);

  // A connection that was open before goes on, though its client knows the old CA only.
  assert.deepEqual(await ask(kept), { status: 200, reused: true });
  kept.destroy();

  // Once no leaf of the old CA can be valid, the bundle is the new CA alone.
  const { formerAuthority: _, ...alone } = renewed;
  assert.equal(await handshake(caBundleOf(alone)), now);
});

test('what would fail without the overlap does fail: clients of the old CA alone are refused now', async () => {
  server.useCertificate(renewed.leaf);
  await assert.rejects(handshake(caBundleOf(old)), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
});
