/** Finalizers hold an object back; owners take with them what they own, as far as it is wished. */
import assert from 'node:assert/strict';
import { assertLike, at, textAt } from './match.ts';
import { configMap, configMaps } from './paths.ts';
import type { Chapter, Ground } from './site.ts';

const finalizer = 'conformance.test/held';

async function held({ calls, namespace }: Ground): Promise<string> {
  const path = configMaps(await namespace());
  await calls.create(path, configMap('a', {}, { finalizers: [finalizer] }));
  return path;
}

/** `owner` owns `owned`; the owner cannot go before it where that is said. */
async function family(ground: Ground, isBlocking = false): Promise<string> {
  const { calls } = ground;
  const path = configMaps(await ground.namespace());
  const { body } = await calls.create(path, configMap('owner'));
  const uid = textAt(body, 'metadata.uid');
  const ownerReferences = [
    { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid, blockOwnerDeletion: isBlocking },
  ];
  const owned = await calls.create(path, configMap('owned', {}, { ownerReferences }));
  assert.equal(owned.code, 201);
  return path;
}

const gone = (ground: Ground, path: string): Promise<boolean> =>
  ground.until(`${path} is gone`, async () => (await ground.calls.get(path)).code === 404);

export const deletion: Chapter = {
  title: 'deletion',
  needsKubectl: false,
  tests: {
    'an object with a finalizer stays, and says since when it should be gone': async (ground) => {
      const path = await held(ground);
      const deleted = await ground.calls.delete(`${path}/a`);
      assertLike(deleted, {
        code: 200,
        body: {
          kind: 'ConfigMap',
          metadata: { name: 'a', finalizers: [finalizer], deletionGracePeriodSeconds: 0 },
        },
      });
      assert.match(textAt(deleted.body, 'metadata.deletionTimestamp'), /^\d{4}-.*Z$/);
      const again = await ground.calls.delete(`${path}/a`);
      assert.equal(again.code, 200);
      const patched = await ground.calls.patch('merge', `${path}/a`, {
        metadata: { finalizers: null },
      });
      assert.equal(patched.code, 200);
      assert.equal((await ground.calls.get(`${path}/a`)).code, 404);
    },
    'who watches sees it change, then go': async (ground) => {
      const path = await held(ground);
      const { calls } = ground;
      const { body } = await calls.get(path);
      const watching = await calls.watch(path, {
        resourceVersion: textAt(body, 'metadata.resourceVersion'),
        fieldSelector: 'metadata.name=a',
      });
      await calls.delete(`${path}/a`);
      await calls.patch('merge', `${path}/a`, { metadata: { finalizers: null } });
      assert.deepEqual(await watching.names(2), ['MODIFIED a', 'DELETED a']);
      watching.close();
    },
    'what is being deleted gets no new finalizer': async (ground) => {
      const path = await held(ground);
      await ground.calls.delete(`${path}/a`);
      const refused = await ground.calls.patch('merge', `${path}/a`, {
        metadata: { finalizers: [finalizer, 'conformance.test/late'] },
      });
      assertLike(refused, { code: 422, body: { reason: 'Invalid' } });
      assert.equal(
        textAt(refused.body, 'message'),
        'ConfigMap "a" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"conformance.test/late"}',
      );
      await ground.calls.patch('merge', `${path}/a`, { metadata: { finalizers: null } });
    },
    'what is owned goes after its owner': async (ground) => {
      const path = await family(ground);
      await ground.calls.delete(`${path}/owner`);
      assert.equal((await ground.calls.get(`${path}/owner`)).code, 404);
      await gone(ground, `${path}/owned`);
    },
    'foreground: what is owned goes first': async (ground) => {
      const { calls } = ground;
      const path = await family(ground, true);
      await calls.patch('merge', `${path}/owned`, { metadata: { finalizers: [finalizer] } });
      const deleted = await calls.delete(`${path}/owner`, { propagationPolicy: 'Foreground' });
      assertLike(deleted, {
        code: 200,
        body: { metadata: { name: 'owner', finalizers: ['foregroundDeletion'] } },
      });
      await ground.until('what is owned is to go', async () => {
        const { body } = await calls.get(`${path}/owned`);
        return at(body, 'metadata.deletionTimestamp') !== undefined;
      });
      assert.equal((await calls.get(`${path}/owner`)).code, 200);
      await calls.patch('merge', `${path}/owned`, { metadata: { finalizers: null } });
      await gone(ground, `${path}/owned`);
      await gone(ground, `${path}/owner`);
    },
    'orphan: what is owned stays, and has no owner any more': async (ground) => {
      const { calls } = ground;
      const path = await family(ground);
      await calls.delete(`${path}/owner`, { propagationPolicy: 'Orphan' });
      await gone(ground, `${path}/owner`);
      const { body } = await calls.get(`${path}/owned`);
      assertLike(body, { metadata: { name: 'owned', ownerReferences: undefined } });
    },
    'what says that it is owned by nobody who is there goes': async (ground) => {
      const path = configMaps(await ground.namespace());
      const ownerReferences = [
        {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          name: 'owner',
          uid: '00000000-0000-4000-8000-000000000000',
        },
      ];
      await ground.calls.create(path, configMap('owned', {}, { ownerReferences }));
      await gone(ground, `${path}/owned`);
    },
    'of two owners, one is enough to stay': async (ground) => {
      const { calls } = ground;
      const path = await family(ground);
      const { body } = await calls.create(path, configMap('second'));
      const reference = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        name: 'second',
        uid: textAt(body, 'metadata.uid'),
      };
      await calls.patch('json', `${path}/owned`, [
        { op: 'add', path: '/metadata/ownerReferences/-', value: reference },
      ]);
      await calls.delete(`${path}/owner`);
      await ground.until('the reference to the first owner is taken away', async () => {
        const { body } = await calls.get(`${path}/owned`);
        const references = at(body, 'metadata.ownerReferences') as readonly object[];
        return references.length === 1;
      });
    },
    'an owner in no words is refused': async (ground) => {
      const path = configMaps(await ground.namespace());
      const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: '' }];
      const refused = await ground.calls.create(path, configMap('a', {}, { ownerReferences }));
      assertLike(refused, { code: 422, body: { reason: 'Invalid' } });
      assert.equal(
        textAt(refused.body, 'message'),
        'ConfigMap "a" is invalid: metadata.ownerReferences.uid: Invalid value: "": must not be empty',
      );
    },
  },
};
