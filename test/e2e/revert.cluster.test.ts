/** Deleting a Canary that asks to be undone: the application serves as it did before. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { controlPlaneOrSkip } from '../cluster/require.ts';
import { watchCanary } from '../support/canary-watch.ts';
import { fixture, getJson, inNamespace, scaledTo } from './kubectl.ts';
import { startSite } from './site.ts';

const skip = await controlPlaneOrSkip();

const service = `
apiVersion: v1
kind: Service
metadata: {name: podinfo, labels: {team: web}}
spec: {selector: {app: podinfo}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: podinfo}
spec: {hosts: [podinfo], exportTo: ['.'], http: [{route: [{destination: {host: podinfo}}]}]}
`;

interface Found {
  readonly metadata: {
    readonly annotations?: Record<string, string>;
    readonly finalizers?: string[];
  };
  readonly spec: {
    readonly selector?: object;
    readonly http?: unknown;
    readonly exportTo?: unknown;
  };
}

describe('revertOnDeletion', { skip, timeout: 120_000 }, () => {
  test('the target, its Service and its VirtualService are as they were', async () => {
    const site = await startSite();
    try {
      const kubectl = await inNamespace(site.cluster, 'test');
      const canary = await readFile(fixture('canary.yaml'), 'utf8');
      await kubectl(['apply', '-f', '-'], service);
      await kubectl(['apply', '-f', fixture('podinfo.yaml')]);
      await kubectl(
        ['apply', '-f', '-'],
        canary.replace('spec:\n', 'spec:\n  revertOnDeletion: true\n'),
      );
      const watch = watchCanary(site.cluster, 'test', 'podinfo');
      await watch.sees('Initialized');
      watch.stop();
      await scaledTo(kubectl, 'podinfo', 0);
      const find = async (object: string) => (await getJson(kubectl, object)) as unknown as Found;
      assert.deepEqual((await find('canary/podinfo')).metadata.finalizers, [
        'finalizer.flagger.app',
      ]);
      assert.deepEqual((await find('service/podinfo')).spec.selector, { app: 'podinfo-primary' });
      assert.deepEqual((await find('virtualservice/podinfo')).spec.exportTo, ['.'], 'kept');

      const deletion = await kubectl(['delete', 'canary', 'podinfo', '--timeout=60s']);
      assert.equal(
        deletion.stderr.trim(),
        'Warning: canary podinfo.test: Deployment podinfo takes its traffic back, and then ' +
          'the primary, Services and routes that were made for it go',
      );
      await scaledTo(kubectl, 'podinfo', 2);
      const target = await find('deployment/podinfo');
      assert.equal(target.metadata.annotations?.['aviary.dev/canary'], undefined);
      assert.deepEqual((await find('service/podinfo')).spec.selector, { app: 'podinfo' });
      assert.deepEqual((await find('virtualservice/podinfo')).spec.http, [
        { route: [{ destination: { host: 'podinfo' } }] },
      ]);
    } finally {
      await site.stop();
    }
  });
});
