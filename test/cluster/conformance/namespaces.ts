/** Namespaces hold what is in them, and go only when it is gone. */
import assert from 'node:assert/strict';
import { assertLike, at, textAt } from './match.ts';
import { configMap, configMaps, deployments, deployment, namespaces } from './paths.ts';
import type { Chapter } from './site.ts';

export const namespaceRules: Chapter = {
  title: 'namespaces',
  needsKubectl: false,
  tests: {
    'those that every cluster has': async ({ calls }) => {
      for (const name of ['default', 'kube-system', 'kube-public']) {
        assertLike(await calls.get(`${namespaces}/${name}`), {
          code: 200,
          body: {
            metadata: { labels: { 'kubernetes.io/metadata.name': name } },
            status: { phase: 'Active' },
          },
        });
      }
    },
    'without some no cluster is one': async ({ calls }) => {
      for (const name of ['default', 'kube-system', 'kube-public']) {
        assertLike(await calls.delete(`${namespaces}/${name}`, undefined, { dryRun: 'All' }), {
          code: 403,
          body: {
            message: `namespaces "${name}" is forbidden: this namespace may not be deleted`,
            reason: 'Forbidden',
            details: { name, kind: 'namespaces' },
          },
        });
      }
    },
    'nothing is created in one that is not there': async ({ calls }) => {
      assertLike(await calls.create(configMaps('nowhere'), configMap('a')), {
        code: 404,
        body: {
          message: 'namespaces "nowhere" not found',
          reason: 'NotFound',
          details: { name: 'nowhere', kind: 'namespaces' },
        },
      });
      assertLike(await calls.get(configMaps('nowhere')), { code: 200, body: { items: [] } });
      assert.equal((await calls.get(`${configMaps('nowhere')}/a`)).code, 404);
    },
    'the same name in two namespaces is two objects': async (ground) => {
      const [one, two] = [await ground.namespace(), await ground.namespace()];
      await ground.calls.create(configMaps(one), configMap('a', { in: one }));
      await ground.calls.create(configMaps(two), configMap('a', { in: two }));
      const { body } = await ground.calls.get(`${configMaps(one)}/a`);
      assertLike(body, { metadata: { namespace: one }, data: { in: one } });
    },
    'with a namespace goes all that is in it': async (ground) => {
      const { calls } = ground;
      const name = await ground.namespace();
      await calls.create(configMaps(name), configMap('a'));
      await calls.create(deployments(name), deployment('a'));
      const deleted = await calls.delete(`${namespaces}/${name}`);
      assertLike(deleted, {
        code: 200,
        body: { kind: 'Namespace', metadata: { name }, status: { phase: 'Terminating' } },
      });
      await ground.until(
        'the namespace is gone',
        async () => (await calls.get(`${namespaces}/${name}`)).code === 404,
      );
      for (const path of [configMaps(name), deployments(name)]) {
        assertLike((await calls.get(path)).body, { items: [] });
      }
    },
    'while it goes, nothing new comes in, and what holds it back is told': async (ground) => {
      const { calls } = ground;
      const name = await ground.namespace();
      const path = configMaps(name);
      const metadata = { finalizers: ['conformance.test/held'] };
      await calls.create(path, configMap('a', {}, metadata));
      await calls.delete(`${namespaces}/${name}`);
      await ground.until('what is in it is to go', async () => {
        const { body } = await calls.get(`${path}/a`);
        return at(body, 'metadata.deletionTimestamp') !== undefined;
      });
      const refused = await calls.create(path, configMap('b'));
      assertLike(refused, {
        code: 403,
        body: {
          message: `configmaps "b" is forbidden: unable to create new content in namespace ${name} because it is being terminated`,
          reason: 'Forbidden',
          details: {
            name: 'b',
            kind: 'configmaps',
            causes: [
              {
                reason: 'NamespaceTerminating',
                message: `namespace ${name} is being terminated`,
                field: 'metadata.namespace',
              },
            ],
          },
        },
      });
      const conditions = await ground.until('it tells what holds it back', async () => {
        const { body } = await calls.get(`${namespaces}/${name}`);
        const found = at(body, 'status.conditions') as readonly { readonly type: string }[];
        return found?.some(({ type }) => type === 'NamespaceFinalizersRemaining') && found;
      });
      assertLike(
        conditions.find(({ type }) => type === 'NamespaceFinalizersRemaining'),
        {
          status: 'True',
          reason: 'SomeFinalizersRemain',
          message:
            'Some content in the namespace has finalizers remaining: conformance.test/held in 1 resource instances',
        },
      );
      await calls.patch('merge', `${path}/a`, { metadata: { finalizers: null } });
      await ground.until(
        'the namespace is gone',
        async () => (await calls.get(`${namespaces}/${name}`)).code === 404,
      );
    },
    'a name that is no label is refused': async ({ calls }) => {
      const body = { metadata: { name: 'a.b' } };
      const refused = await calls.create(namespaces, body);
      assertLike(refused, { code: 422, body: { reason: 'Invalid' } });
      assert.match(
        textAt(refused.body, 'message'),
        /^Namespace "a\.b" is invalid: metadata\.name: /,
      );
    },
  },
};
