/** Objects are created, read, replaced and deleted; nobody overwrites what they have not seen. */
import assert from 'node:assert/strict';
import { assertLike, at, namesOf, textAt } from './match.ts';
import {
  configMap,
  configMaps,
  deployment,
  deployments,
  leases,
  namespaces,
  pod,
  pods,
} from './paths.ts';
import type { Chapter } from './site.ts';

const uid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const modified =
  'the object has been modified; please apply your changes to the latest version and try again';

export const objects: Chapter = {
  title: 'objects',
  needsKubectl: false,
  tests: {
    'a created object has an identity, a time and a version, and is found again': async (
      ground,
    ) => {
      const path = configMaps(await ground.namespace());
      const created = await ground.calls.create(path, configMap('a', { x: '1' }));
      assert.equal(created.code, 201);
      assertLike(created.body, {
        kind: 'ConfigMap',
        apiVersion: 'v1',
        metadata: { name: 'a', generation: undefined },
        data: { x: '1' },
      });
      assert.match(textAt(created.body, 'metadata.uid'), uid);
      assert.match(textAt(created.body, 'metadata.creationTimestamp'), time);
      assert.match(textAt(created.body, 'metadata.resourceVersion'), /^[1-9]\d*$/);
      const found = await ground.calls.get(`${path}/a`);
      assert.equal(found.code, 200);
      assert.deepEqual(found.body, created.body);
    },
    'the fields that a writer set are known as theirs': async (ground) => {
      const path = configMaps(await ground.namespace());
      const { body } = await ground.calls.create(path, configMap('a', { x: '1' }));
      assertLike(at(body, 'metadata.managedFields'), [
        {
          manager: 'conformance',
          operation: 'Update',
          apiVersion: 'v1',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:data': { '.': {}, 'f:x': {} } },
        },
      ]);
    },
    'a name is made from generateName': async (ground) => {
      const path = configMaps(await ground.namespace());
      const metadata = { generateName: 'made-' };
      const names = new Set<string>();
      for (let tries = 0; tries < 3; tries += 1) {
        const { code, body } = await ground.calls.create(path, { metadata });
        assert.equal(code, 201);
        assert.match(textAt(body, 'metadata.name'), /^made-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
        names.add(textAt(body, 'metadata.name'));
      }
      assert.equal(names.size, 3);
    },
    'a name that is taken is refused': async (ground) => {
      const path = configMaps(await ground.namespace());
      await ground.calls.create(path, configMap('a'));
      const { code, body } = await ground.calls.create(path, configMap('a'));
      assert.equal(code, 409);
      assert.deepEqual(body, {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: 'configmaps "a" already exists',
        reason: 'AlreadyExists',
        details: { name: 'a', kind: 'configmaps' },
        code: 409,
      });
    },
    'a replacement takes away what it does not have, and only then there is a new version': async (
      ground,
    ) => {
      const path = configMaps(await ground.namespace());
      const created = await ground.calls.create(path, configMap('a', { x: '1', y: '2' }));
      const replaced = await ground.calls.replace(`${path}/a`, configMap('a', { y: '3' }));
      assert.equal(replaced.code, 200);
      assertLike(replaced.body, {
        metadata: { uid: at(created.body, 'metadata.uid') },
      });
      assert.deepEqual(at(replaced.body, 'data'), { y: '3' });
      const versions = [created, replaced].map(({ body }) =>
        textAt(body, 'metadata.resourceVersion'),
      );
      assert.ok(Number(versions[1]) > Number(versions[0]));
      const again = await ground.calls.replace(`${path}/a`, configMap('a', { y: '3' }));
      assert.equal(textAt(again.body, 'metadata.resourceVersion'), versions[1]);
    },
    'a replacement of a version that is past is a conflict': async (ground) => {
      const path = configMaps(await ground.namespace());
      const { body } = await ground.calls.create(path, configMap('a'));
      const { resourceVersion } = at(body, 'metadata') as { readonly resourceVersion: string };
      await ground.calls.replace(`${path}/a`, configMap('a', { x: '1' }));
      const stale = configMap('a', { x: '2' }, { resourceVersion });
      const refused = await ground.calls.replace(`${path}/a`, stale);
      assert.deepEqual(refused.body, {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: `Operation cannot be fulfilled on configmaps "a": ${modified}`,
        reason: 'Conflict',
        details: { name: 'a', kind: 'configmaps' },
        code: 409,
      });
      const found = await ground.calls.get(`${path}/a`);
      assert.deepEqual(at(found.body, 'data'), { x: '1' });
    },
    'a replacement of another object of that name is a conflict': async (ground) => {
      const path = configMaps(await ground.namespace());
      const live = textAt((await ground.calls.create(path, configMap('a'))).body, 'metadata.uid');
      const other = '00000000-0000-4000-8000-000000000000';
      const refused = await ground.calls.replace(`${path}/a`, configMap('a', {}, { uid: other }));
      assertLike(refused, { code: 409, body: { reason: 'Conflict' } });
      // Before it, the real one names the key in its storage.
      const why = `Precondition failed: UID in precondition: ${other}, UID in object meta: ${live}`;
      assert.ok(textAt(refused.body, 'message').endsWith(why));
    },
    'a deletion answers what is gone; twice is once too many': async (ground) => {
      const path = configMaps(await ground.namespace());
      const { body } = await ground.calls.create(path, configMap('a'));
      const deleted = await ground.calls.delete(`${path}/a`);
      assert.equal(deleted.code, 200);
      assert.deepEqual(deleted.body, {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Success',
        details: { name: 'a', kind: 'configmaps', uid: at(body, 'metadata.uid') },
      });
      const again = await ground.calls.delete(`${path}/a`);
      assertLike(again, {
        code: 404,
        body: {
          message: 'configmaps "a" not found',
          reason: 'NotFound',
          details: { name: 'a', kind: 'configmaps' },
        },
      });
    },
    'a deletion is refused unless the object is the one that is meant': async (ground) => {
      const path = configMaps(await ground.namespace());
      const { body } = await ground.calls.create(path, configMap('a'));
      const live = textAt(body, 'metadata.uid');
      const refused = await ground.calls.delete(`${path}/a`, { preconditions: { uid: 'other' } });
      assertLike(refused, {
        code: 409,
        body: {
          reason: 'Conflict',
          message: `Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (other) does not match the UID in record (${live}). The object might have been deleted and then recreated`,
        },
      });
      const version = textAt(body, 'metadata.resourceVersion');
      const stale = await ground.calls.delete(`${path}/a`, {
        preconditions: { resourceVersion: '1' },
      });
      assertLike(stale, {
        code: 409,
        body: {
          message: `Operation cannot be fulfilled on ConfigMap "a": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (${version}). The object might have been modified`,
        },
      });
      const preconditions = { uid: live, resourceVersion: version };
      const deleted = await ground.calls.delete(`${path}/a`, { preconditions });
      assert.equal(deleted.code, 200);
    },
    'a collection is deleted as far as it is selected': async (ground) => {
      const path = configMaps(await ground.namespace());
      for (const [name, tier] of [
        ['a', 'x'],
        ['b', 'y'],
        ['c', 'x'],
      ] as const) {
        await ground.calls.create(path, configMap(name, {}, { labels: { tier } }));
      }
      const deleted = await ground.calls.delete(path, undefined, { labelSelector: 'tier=x' });
      assert.equal(deleted.code, 200);
      assertLike(deleted.body, { kind: 'ConfigMapList', apiVersion: 'v1' });
      assert.deepEqual(namesOf(deleted.body), ['a', 'c']);
      const { body } = await ground.calls.get(path, { labelSelector: 'tier' });
      assert.deepEqual(namesOf(body), ['b']);
    },
    'the generation counts what is wanted, not what is said about it': async (ground) => {
      const path = deployments(await ground.namespace());
      const { body } = await ground.calls.create(path, deployment('a', { replicas: 0 }));
      assertLike(body, { metadata: { generation: 1 } });
      const generationOf = async (patch: object): Promise<unknown> => {
        const patched = await ground.calls.patch('merge', `${path}/a`, patch);
        return at(patched.body, 'metadata.generation');
      };
      assert.equal(await generationOf({ metadata: { labels: { x: 'y' } } }), 1);
      assert.equal(await generationOf({ spec: { minReadySeconds: 1 } }), 2);
      assert.equal(await generationOf({ spec: { minReadySeconds: 1 } }), 2);
      assert.equal(await generationOf({ metadata: { generation: 9 } }), 2);
    },
    'what the server says about an object is not for its writers to say': async (ground) => {
      const path = leases(await ground.namespace());
      const metadata = {
        name: 'a',
        uid: '00000000-0000-4000-8000-000000000000',
        creationTimestamp: '2001-01-01T00:00:00Z',
        generation: 7,
        selfLink: '/there',
      };
      const { code, body } = await ground.calls.create(path, { metadata, spec: {} });
      assert.equal(code, 201);
      assert.notEqual(at(body, 'metadata.uid'), metadata.uid);
      assert.notEqual(at(body, 'metadata.creationTimestamp'), metadata.creationTimestamp);
    },
    'an object that says its version cannot be created': async (ground) => {
      const path = configMaps(await ground.namespace());
      const refused = await ground.calls.create(path, configMap('a', {}, { resourceVersion: '7' }));
      assertLike(refused, {
        code: 500,
        body: { message: 'resourceVersion should not be set on objects to be created' },
      });
    },
    'a pod comes back with what was left out': async ({ calls, name }) => {
      const { body } = await calls.create(pods('default'), pod(name('pod')), { dryRun: 'All' });
      assertLike(body, {
        spec: {
          restartPolicy: 'Always',
          terminationGracePeriodSeconds: 30,
          dnsPolicy: 'ClusterFirst',
          schedulerName: 'default-scheduler',
        },
      });
    },
    'an object of no namespace is in none': async (ground) => {
      const { body } = await ground.calls.get(`${namespaces}/default`);
      assertLike(body, {
        kind: 'Namespace',
        metadata: { name: 'default', namespace: undefined },
        spec: { finalizers: ['kubernetes'] },
        status: { phase: 'Active' },
      });
    },
  },
};
