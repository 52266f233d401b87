/** Routing objects in another cluster than the workloads (`--kubeconfig-service-mesh`). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startControlPlane } from '../cluster/control-plane.ts';
import { controlPlaneOrSkip } from '../cluster/require.ts';
import { watchCanary } from '../support/canary-watch.ts';
import { fixture, getJson, inNamespace, kubectlOf, repository, weightsOf } from './kubectl.ts';
import { startSite } from './site.ts';

const skip = await controlPlaneOrSkip();

describe('a mesh with a cluster of its own', { skip, timeout: 180_000 }, () => {
  test('gets the routes, without owners that it does not have', async () => {
    const mesh = await startControlPlane({ nodes: 0, controllers: false });
    try {
      await kubectlOf(mesh)(['apply', '--server-side', '-f', repository('test/crds/istio')]);
      const routes = await inNamespace(mesh, 'test');
      const site = await startSite({ flags: [`--kubeconfig-service-mesh=${mesh.kubeconfigPath}`] });
      try {
        const kubectl = await inNamespace(site.cluster, 'test');
        await kubectl(['apply', '-f', fixture('podinfo.yaml'), '-f', fixture('canary.yaml')]);
        const watch = watchCanary(site.cluster, 'test', 'podinfo');
        await watch.sees('Initialized');
        await kubectl(['set', 'image', 'deployment/podinfo', 'podinfod=podinfo:6.0.1']);
        await watch.sees('Progressing', { weight: 10 });
        watch.stop();
        assert.deepEqual(await weightsOf(routes), [90, 10]);
        const { metadata } = await getJson(routes, 'virtualservice/podinfo');
        assert.equal((metadata as { ownerReferences?: unknown }).ownerReferences, undefined);
        await assert.rejects(getJson(kubectl, 'virtualservice/podinfo'), /not found/);
      } finally {
        await site.stop();
      }
    } finally {
      await mesh.stop();
    }
  });
});
