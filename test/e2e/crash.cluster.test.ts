/**
 * What must not be lost: the process dies in the middle, nobody can reach its webhook, or somebody
 * deletes what serves.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { controlPlaneOrSkip } from '../cluster/require.ts';
import { watchCanary } from '../support/canary-watch.ts';
import { fixture, imageOf, inNamespace } from './kubectl.ts';
import { startSite } from './site.ts';

const skip = await controlPlaneOrSkip();

describe('nothing is lost', { skip, concurrency: 2, timeout: 600_000 }, () => {
  test('killed by SIGKILL mid-rollout and started again, it ends where it would have', async () => {
    const site = await startSite();
    try {
      const kubectl = await inNamespace(site.cluster, 'test');
      await kubectl(['apply', '-f', fixture('podinfo.yaml'), '-f', fixture('canary.yaml')]);
      const watch = watchCanary(site.cluster, 'test', 'podinfo');
      await watch.sees('Initialized');
      await kubectl(['set', 'image', 'deployment/podinfo', 'podinfod=podinfo:6.0.1']);
      await watch.sees('Progressing', { weight: 10 });
      await site.aviary().end('SIGKILL');
      const successor = await site.start();
      await watch.sees('Succeeded', { timeoutMs: 120_000 });
      watch.stop();
      const weights = watch.sightings.map(({ weight }) => weight);
      const climb = weights.slice(weights.indexOf(10), weights.indexOf(30) + 1);
      const falls = climb.some((weight, index) => weight < (climb[index - 1] ?? 0));
      assert.ok(!falls, `no weight is lost on the way: ${weights.join(' ')}`);
      assert.equal(await imageOf(kubectl, 'podinfo-primary'), 'podinfo:6.0.1');
      assert.equal(await successor.end('SIGTERM'), 0, 'SIGTERM is a clean end');
    } finally {
      await site.stop();
    }
  });

  test('a primary that is deleted mid-rollout comes back as it was, and the rollout goes on', async () => {
    const site = await startSite();
    try {
      const kubectl = await inNamespace(site.cluster, 'test');
      await kubectl(['apply', '-f', fixture('podinfo.yaml'), '-f', fixture('canary.yaml')]);
      const watch = watchCanary(site.cluster, 'test', 'podinfo');
      await watch.sees('Initialized');
      const before = await imageOf(kubectl, 'podinfo-primary');
      await kubectl(['set', 'image', 'deployment/podinfo', 'podinfod=podinfo:6.0.1']);
      await watch.sees('Progressing', { weight: 10 });
      await kubectl(['delete', 'deployment', 'podinfo-primary']);
      await kubectl(['wait', '--for=create', 'deployment/podinfo-primary', '--timeout=30s']);
      assert.equal(await imageOf(kubectl, 'podinfo-primary'), before);
      await watch.sees('Succeeded', { timeoutMs: 120_000 });
      watch.stop();
      assert.equal(await imageOf(kubectl, 'podinfo-primary'), 'podinfo:6.0.1');
      const { stdout } = await kubectl(['get', 'events', '-o', 'jsonpath={.items[*].message}']);
      assert.match(stdout, /podinfo-primary\.test was deleted: it is restored as it was/);
    } finally {
      await site.stop();
    }
  });

  test('with the webhook unreachable, the watch finds the revision', async () => {
    const site = await startSite({ webhookUrl: 'https://127.0.0.1:1' });
    try {
      const kubectl = await inNamespace(site.cluster, 'test');
      await kubectl(['apply', '-f', fixture('podinfo.yaml'), '-f', fixture('canary.yaml')]);
      const watch = watchCanary(site.cluster, 'test', 'podinfo');
      await watch.sees('Initialized');
      await kubectl(['set', 'image', 'deployment/podinfo', 'podinfod=podinfo:6.0.1']);
      await watch.sees('Progressing', { timeoutMs: 5_000 });
      await watch.sees('Succeeded', { timeoutMs: 120_000 });
      watch.stop();
      assert.equal(await imageOf(kubectl, 'podinfo-primary'), 'podinfo:6.0.1');
    } finally {
      await site.stop();
    }
  });
});
