/** A gate of the user's own, over real HTTP: what waits is not lost, and what is refused does not go on. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { controlPlaneOrSkip } from '../cluster/require.ts';
import { watchCanary } from '../support/canary-watch.ts';
import { until } from '../support/until.ts';
import { eventsOf, fixture, imageOf, inNamespace } from './kubectl.ts';
import { startSite } from './site.ts';

const skip = await controlPlaneOrSkip();

describe('a confirm-rollout gate', { skip, timeout: 180_000 }, () => {
  test('holds a change for as long as it is shut, and lets that change through when it opens', async () => {
    let open = false;
    const payloads: { phase: string }[] = [];
    const gate = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        payloads.push(JSON.parse(Buffer.concat(chunks).toString()) as { phase: string });
        response.statusCode = open ? 200 : 403;
        response.end();
      });
    });
    await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
    const { port } = gate.address() as AddressInfo;
    const site = await startSite();
    try {
      const kubectl = await inNamespace(site.cluster, 'test');
      const hook = `    webhooks:\n      - name: gate\n        type: confirm-rollout\n        url: http://127.0.0.1:${port}/\n`;
      const canary = (await readFile(fixture('canary.yaml'), 'utf8')) + hook;
      await kubectl(['apply', '-f', fixture('podinfo.yaml')]);
      await kubectl(['apply', '-f', '-'], canary);
      const watch = watchCanary(site.cluster, 'test', 'podinfo');
      await watch.sees('Initialized');
      await kubectl(['set', 'image', 'deployment/podinfo', 'podinfod=podinfo:6.0.1']);
      const waiting = await watch.sees('Waiting');
      // Asked again at the next verdict: the change still waits then.
      await until('the gate is asked again', () =>
        payloads.some(({ phase }) => phase === 'Waiting'),
      );
      assert.ok(!watch.sightings.some(({ phase }) => phase === 'Succeeded'), 'nothing went on');
      open = true;
      await watch.sees('Progressing', { sinceMs: waiting.atMs });
      await watch.sees('Succeeded', { sinceMs: waiting.atMs, timeoutMs: 90_000 });
      watch.stop();
      assert.equal(await imageOf(kubectl, 'podinfo-primary'), 'podinfo:6.0.1');
      const events = await eventsOf(kubectl, 'podinfo', /Promotion completed/);
      const said = events.filter((event) => event.includes('gate') || event.includes('waiting'));
      assert.deepEqual(said, [
        'Warning Halt podinfo.test advancement waiting for approval gate',
        'Normal Confirm-rollout check gate passed',
      ]);
    } finally {
      await site.stop();
      gate.close();
      gate.closeAllConnections();
    }
  });
});
