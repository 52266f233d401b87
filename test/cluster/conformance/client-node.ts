/** @kubernetes/client-node, the client of most programs in this language, works unchanged. */
import assert from 'node:assert/strict';
import type { V1ConfigMap, V1Deployment } from '@kubernetes/client-node';
import {
  ApiException,
  AppsV1Api,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  V1MicroTime,
  Watch,
} from '@kubernetes/client-node';
import { configMap, deployment } from './paths.ts';
import type { Chapter, Ground } from './site.ts';
import { defineWidgets } from './widgets.ts';

function configOf({ site }: Ground): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(site.kubeconfigPath);
  return config;
}

const mergePatch = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);

const hasCode =
  (code: number) =>
  (error: unknown): boolean =>
    error instanceof ApiException && error.code === code;

export const clientNode: Chapter = {
  title: '@kubernetes/client-node',
  needsKubectl: false,
  tests: {
    'creates, reads, patches, lists and deletes': async (ground) => {
      const api = configOf(ground).makeApiClient(CoreV1Api);
      const namespace = await ground.namespace();
      const named = { namespace, name: 'a' };
      const body = configMap('a', { x: '1' }, { labels: { run: 'a' } }) as V1ConfigMap;
      const created = await api.createNamespacedConfigMap({ namespace, body });
      assert.ok(created.metadata?.creationTimestamp instanceof Date);
      await assert.rejects(api.createNamespacedConfigMap({ namespace, body }), hasCode(409));
      const patch = { ...named, body: { data: { y: '2' } } };
      const patched = await api.patchNamespacedConfigMap(patch, mergePatch);
      assert.deepEqual(patched.data, { x: '1', y: '2' });
      const listed = await api.listNamespacedConfigMap({ namespace, labelSelector: 'run=a' });
      assert.deepEqual(
        listed.items.map(({ metadata }) => metadata?.name),
        ['a'],
      );
      const stale = { ...named, body: created };
      await assert.rejects(api.replaceNamespacedConfigMap(stale), hasCode(409));
      await api.deleteNamespacedConfigMap(named);
      await assert.rejects(api.readNamespacedConfigMap(named), hasCode(404));
    },
    'scales a Deployment': async (ground) => {
      const api = configOf(ground).makeApiClient(AppsV1Api);
      const namespace = await ground.namespace();
      const body = deployment('a', { replicas: 0, spec: { paused: true } }) as V1Deployment;
      await api.createNamespacedDeployment({ namespace, body });
      const scale = { namespace, name: 'a', body: { spec: { replicas: 2 } } };
      await api.patchNamespacedDeploymentScale(scale, mergePatch);
      const { spec } = await api.readNamespacedDeploymentScale({ namespace, name: 'a' });
      assert.equal(spec?.replicas, 2);
    },
    'holds a Lease, with its times': async (ground) => {
      const api = configOf(ground).makeApiClient(CoordinationV1Api);
      const namespace = await ground.namespace();
      const renewTime = new V1MicroTime('2026-11-23T12:00:00.000Z');
      const body = { metadata: { name: 'a' }, spec: { holderIdentity: 'me', renewTime } };
      const created = await api.createNamespacedLease({ namespace, body });
      assert.equal(created.spec?.holderIdentity, 'me');
      const replaced = {
        namespace,
        name: 'a',
        body: { ...body, metadata: created.metadata ?? {} },
      };
      await api.replaceNamespacedLease(replaced);
    },
    watches: async (ground) => {
      const config = configOf(ground);
      const namespace = await ground.namespace();
      const api = config.makeApiClient(CoreV1Api);
      const { metadata } = await api.listNamespacedConfigMap({ namespace });
      const path = `/api/v1/namespaces/${namespace}/configmaps`;
      const seen: string[] = [];
      const query = {
        resourceVersion: metadata?.resourceVersion ?? '',
        fieldSelector: 'metadata.name=a',
      };
      const ended = new Promise<void>((resolve) => {
        const see = (type: string): void => void seen.push(type);
        void new Watch(config)
          .watch(path, query, see, () => resolve())
          .then(async (controller) => {
            const body = configMap('a') as V1ConfigMap;
            await api.createNamespacedConfigMap({ namespace, body });
            await api.deleteNamespacedConfigMap({ namespace, name: 'a' });
            await ground.until('both are seen', async () => seen.length === 2);
            controller.abort();
          });
      });
      await ended;
      assert.deepEqual(seen, ['ADDED', 'DELETED']);
    },
    'keeps a cache by an informer': async (ground) => {
      const config = configOf(ground);
      const namespace = await ground.namespace();
      const api = config.makeApiClient(CoreV1Api);
      const path = `/api/v1/namespaces/${namespace}/secrets`;
      const informer = makeInformer(config, path, () => api.listNamespacedSecret({ namespace }));
      const seen: string[] = [];
      informer.on('add', ({ metadata }) => void seen.push(`add ${metadata?.name}`));
      informer.on('delete', ({ metadata }) => void seen.push(`delete ${metadata?.name}`));
      const secret = (name: string) => ({ namespace, body: { metadata: { name } } });
      await api.createNamespacedSecret(secret('a'));
      await informer.start();
      await api.createNamespacedSecret(secret('b'));
      await ground.until('b is seen', async () => seen.includes('add b'));
      await api.deleteNamespacedSecret({ namespace, name: 'a' });
      await ground.until('a is gone', async () => seen.includes('delete a'));
      await informer.stop();
      assert.deepEqual(seen, ['add a', 'add b', 'delete a']);
    },
    'finds kinds that it does not know': async (ground) => {
      const config = configOf(ground);
      const namespace = await ground.namespace();
      const { group, widget } = await defineWidgets(ground, namespace);
      const custom = config.makeApiClient(CustomObjectsApi);
      const place = { group, version: 'v1', namespace, plural: 'widgets' };
      await custom.createNamespacedCustomObject({ ...place, body: widget('a', { x: 1 }) });
      const objects = KubernetesObjectApi.makeApiClient(config);
      const named = {
        apiVersion: `${group}/v1`,
        kind: 'Widget',
        metadata: { namespace, name: 'a' },
      };
      const found = await ground.until('its kind is discovered', () =>
        objects.read(named).catch(() => undefined),
      );
      assert.equal(found.metadata?.name, 'a');
      await objects.delete(found);
      await assert.rejects(objects.read(named), hasCode(404));
    },
  },
};
