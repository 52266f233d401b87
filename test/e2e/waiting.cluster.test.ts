/**
 * "Why is nothing happening?" and "what happened?" with real kubectl and the built program: a gate
 * that waits, the condition that says so, and the journal of the rollout.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { controlPlaneOrSkip } from '../cluster/require.ts';
import { watchCanary } from '../support/canary-watch.ts';
import { fixture, inNamespace, repository } from './kubectl.ts';
import { startSite } from './site.ts';

const skip = await controlPlaneOrSkip();

describe('what a canary waits for', { skip, timeout: 240_000 }, () => {
  test('is what kubectl describe and kubectl wait show, and the journal keeps the rest', async () => {
    const site = await startSite();
    try {
      const kubectl = await inNamespace(site.cluster, 'test');
      const gate = '    webhooks:\n      - name: ship\n        type: confirm-promotion\n';
      const canary = (await readFile(fixture('canary.yaml'), 'utf8')) + gate;
      await kubectl(['apply', '-f', fixture('podinfo.yaml')]);
      await kubectl(['apply', '-f', '-'], canary);
      const watch = watchCanary(site.cluster, 'test', 'podinfo');
      await watch.sees('Initialized');
      await kubectl(['wait', 'canary/podinfo', '--for=condition=Promoted', '--timeout=30s']);
      const sinceMs = performance.now();
      await kubectl(['set', 'image', 'deployment/podinfo', 'podinfod=podinfo:6.0.1']);

      await kubectl(['wait', 'canary/podinfo', '--for=condition=Waiting', '--timeout=120s']);
      await watch.sees('WaitingPromotion', { sinceMs });
      const { stdout: described } = await kubectl(['describe', 'canary', 'podinfo']);
      assert.match(described, /Reason: +GateClosed/);
      const approve = 'kubectl -n test annotate canary podinfo aviary.dev/approve=ship';
      assert.ok(described.includes(approve), described);

      await kubectl(['annotate', 'canary', 'podinfo', 'aviary.dev/approve=ship']);
      await watch.sees('Succeeded', { sinceMs, timeoutMs: 120_000 });
      watch.stop();
      await kubectl(['wait', 'canary/podinfo', '--for=condition=Promoted', '--timeout=30s']);
      const types = await kubectl([
        'get',
        'canary/podinfo',
        '-o',
        'jsonpath={.status.conditions[*].type}',
      ]);
      assert.equal(types.stdout, 'Promoted');

      const { stdout: shown } = await promisify(execFile)(
        process.execPath,
        [repository('dist/aviary.js'), 'journal', 'podinfo', '-n', 'test'],
        { env: { KUBECONFIG: site.cluster.kubeconfigPath } },
      );
      assert.match(shown, /by \S+: image podinfod: \S+ -> podinfo:6\.0\.1/);
      assert.match(shown, /Advanced +weight 30\n +request-success-rate 100% Passed/);
      assert.match(
        shown,
        /Waiting +weight 30: Halt podinfo\.test advancement waiting for promotion/,
      );
      assert.match(shown, /Promoted after /);
    } finally {
      await site.stop();
    }
  });
});
