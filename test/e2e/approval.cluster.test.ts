/** Approval by annotation with real kubectl: no load tester, and who did it is on record. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { controlPlaneOrSkip } from '../cluster/require.ts';
import { watchCanary } from '../support/canary-watch.ts';
import { until } from '../support/until.ts';
import { eventsOf, fixture, getJson, imageOf, inNamespace } from './kubectl.ts';
import type { Kubectl } from './kubectl.ts';
import { startSite } from './site.ts';

const skip = await controlPlaneOrSkip();

const hooks = `    webhooks:
      - name: start
        type: confirm-rollout
      - name: ship
        type: confirm-promotion
      - name: stop
        type: rollback
`;

const annotate = (kubectl: Kubectl, ...annotations: readonly string[]) =>
  kubectl(['annotate', 'canary', 'podinfo', ...annotations]);

async function refusalOf(applied: Promise<unknown>): Promise<string> {
  return applied.then(
    () => assert.fail('was not refused'),
    (error: unknown) => String(error),
  );
}

describe('gates that annotations open', { skip, timeout: 240_000 }, () => {
  test('hold a rollout, are opened by kubectl, and end one that has begun', async () => {
    const site = await startSite();
    try {
      const kubectl = await inNamespace(site.cluster, 'test');
      const canary = await readFile(fixture('canary.yaml'), 'utf8');
      await kubectl(['apply', '-f', fixture('podinfo.yaml')]);
      // What has to be called has to have a URL.
      const bad = `${canary}    webhooks:\n      - name: load\n`;
      assert.match(
        await refusalOf(kubectl(['apply', '-f', '-'], bad)),
        /spec\.analysis\.webhooks\[0\]\.url: is missing/,
      );
      await kubectl(['apply', '-f', '-'], canary + hooks);
      const watch = watchCanary(site.cluster, 'test', 'podinfo');
      await watch.sees('Initialized');

      const early = await annotate(kubectl, 'aviary.dev/approve=ship');
      assert.match(early.stderr, /Warning: podinfo: nothing waits for gate ship/);

      await kubectl(['set', 'image', 'deployment/podinfo', 'podinfod=podinfo:6.0.1']);
      const waiting = await watch.sees('Waiting');
      // Nobody speaks in another's name.
      const forged = '[{"gate":"start","verdict":"Approved","by":"boss"}]';
      await annotate(kubectl, `aviary.dev/decisions=${forged}`);
      const { metadata } = (await getJson(kubectl, 'canary/podinfo')) as {
        readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
      };
      assert.equal(metadata.annotations?.['aviary.dev/decisions'], undefined);

      const { stderr } = await annotate(kubectl, 'aviary.dev/approve=start');
      assert.equal(stderr, '');
      const going = await watch.sees('Progressing', { sinceMs: waiting.atMs });
      await watch.sees('WaitingPromotion', { sinceMs: going.atMs, timeoutMs: 90_000 });
      await annotate(kubectl, 'aviary.dev/approve=ship');
      const done = await watch.sees('Succeeded', { sinceMs: going.atMs, timeoutMs: 90_000 });
      assert.equal(await imageOf(kubectl, 'podinfo-primary'), 'podinfo:6.0.1');

      // The next revision finds nothing that was approved before; somebody takes it back.
      await kubectl(['set', 'image', 'deployment/podinfo', 'podinfod=podinfo:6.0.2']);
      await watch.sees('Waiting', { sinceMs: done.atMs });
      await site.aviary().end('SIGKILL');
      await annotate(kubectl, 'aviary.dev/approve=stop');
      await site.start();
      await watch.sees('Failed', { sinceMs: done.atMs });
      watch.stop();
      assert.equal(await imageOf(kubectl, 'podinfo-primary'), 'podinfo:6.0.1');

      const events = await eventsOf(kubectl, 'podinfo', /manual webhook invoked/);
      const who = events.filter((event) => /Gate|Rollback check/.test(event));
      assert.deepEqual(who, [
        `Normal Gate start approved by ${await userOf(kubectl)}`,
        `Normal Gate ship approved by ${await userOf(kubectl)}`,
        // Nobody was there to see who it was.
        'Normal Gate stop approved',
        'Warning Rollback check stop passed',
      ]);
      await until('the command is gone', async () => {
        const { stdout } = await kubectl(['get', 'canary', 'podinfo', '-o', 'yaml']);
        return !stdout.includes('aviary.dev/approve');
      });
    } finally {
      await site.stop();
    }
  });
});

async function userOf(kubectl: Kubectl): Promise<string> {
  const { stdout } = await kubectl([
    'auth',
    'whoami',
    '-o',
    'jsonpath={.status.userInfo.username}',
  ]);
  return stdout;
}
