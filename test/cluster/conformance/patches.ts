/** Patches of three kinds change what they name and leave the rest alone. */
import assert from 'node:assert/strict';
import type { Answer, PatchType } from './calls.ts';
import { assertLike, at, textAt } from './match.ts';
import { configMap, configMaps, deployment, deployments, service, services } from './paths.ts';
import type { Chapter, Ground } from './site.ts';

/** A ConfigMap with that data, patched. */
async function patched(
  { calls, namespace }: Ground,
  type: PatchType,
  patch: unknown,
): Promise<Answer> {
  const path = configMaps(await namespace());
  await calls.create(path, configMap('a', { x: '1', y: '2' }, { labels: { tier: 'one' } }));
  return calls.patch(type, `${path}/a`, patch);
}

const dataOf = ({ body }: Answer): unknown => at(body, 'data');

/** A Deployment of two containers, patched, as its containers are then. */
async function containers({ calls, namespace }: Ground, type: PatchType, patch: object) {
  const path = deployments(await namespace());
  const container = (name: string): object => ({
    name,
    image: `${name}:1`,
    env: [{ name: 'A', value: '1' }],
    ports: [{ containerPort: 80 }],
  });
  const template = {
    metadata: { labels: { app: 'a' } },
    spec: { containers: [container('one'), container('two')] },
  };
  await calls.create(path, deployment('a', { replicas: 0, spec: { template } }));
  const body = { spec: { template: { spec: patch } } };
  const answer = await calls.patch(type, `${path}/a`, body);
  assert.equal(answer.code, 200, textAt(answer.body, 'message'));
  return at(answer.body, 'spec.template.spec.containers') as readonly {
    readonly name: string;
    readonly image: string;
    readonly env?: readonly object[];
    readonly ports?: readonly object[];
  }[];
}

export const patches: Chapter = {
  title: 'patches',
  needsKubectl: false,
  tests: {
    'JSON patch: operations, in order': async (ground) => {
      const answer = await patched(ground, 'json', [
        { op: 'test', path: '/data/x', value: '1' },
        { op: 'replace', path: '/data/x', value: '3' },
        { op: 'move', from: '/data/y', path: '/data/z' },
        { op: 'copy', from: '/data/z', path: '/data/w' },
        { op: 'add', path: '/metadata/annotations', value: { a: 'b' } },
      ]);
      assert.equal(answer.code, 200);
      assert.deepEqual(dataOf(answer), { x: '3', z: '2', w: '2' });
    },
    'JSON patch: a failed test changes nothing': async (ground) => {
      const answer = await patched(ground, 'json', [
        { op: 'replace', path: '/data/x', value: '3' },
        { op: 'test', path: '/data/y', value: 'other' },
      ]);
      assertLike(answer, { code: 422, body: { reason: 'Invalid' } });
    },
    'JSON patch: what is not there cannot be taken away': async (ground) => {
      const answer = await patched(ground, 'json', [{ op: 'remove', path: '/data/none' }]);
      assertLike(answer, { code: 422, body: { reason: 'Invalid' } });
    },
    'JSON patch: what is none is refused': async (ground) => {
      const answer = await patched(ground, 'json', { op: 'remove', path: '/data/x' });
      assertLike(answer, { code: 400, body: { reason: 'BadRequest' } });
    },
    'merge patch: null takes away, objects merge, arrays replace': async (ground) => {
      const answer = await patched(ground, 'merge', {
        metadata: { labels: { added: 'yes' } },
        data: { x: null, z: '3' },
      });
      assert.equal(answer.code, 200);
      assert.deepEqual(dataOf(answer), { y: '2', z: '3' });
      assert.deepEqual(at(answer.body, 'metadata.labels'), { tier: 'one', added: 'yes' });
      const found = await containers(ground, 'merge', {
        containers: [{ name: 'three', image: 'three:1' }],
      });
      assert.deepEqual(
        found.map(({ name }) => name),
        ['three'],
      );
    },
    'merge patch: with a version in it, it is refused once somebody else wrote': async (ground) => {
      const path = configMaps(await ground.namespace());
      const { body } = await ground.calls.create(path, configMap('a'));
      const resourceVersion = textAt(body, 'metadata.resourceVersion');
      const patch = (x: string): object => ({ metadata: { resourceVersion }, data: { x } });
      assert.equal((await ground.calls.patch('merge', `${path}/a`, patch('1'))).code, 200);
      assertLike(await ground.calls.patch('merge', `${path}/a`, patch('2')), {
        code: 409,
        body: { reason: 'Conflict' },
      });
    },
    'a patch that changes nothing makes no new version': async (ground) => {
      const path = configMaps(await ground.namespace());
      const { body } = await ground.calls.create(path, configMap('a', { x: '1' }));
      const before = textAt(body, 'metadata.resourceVersion');
      for (const type of ['merge', 'strategic'] as const) {
        const answer = await ground.calls.patch(type, `${path}/a`, { data: { x: '1' } });
        assert.equal(textAt(answer.body, 'metadata.resourceVersion'), before, type);
      }
    },
    'a patch cannot rename': async (ground) => {
      const answer = await patched(ground, 'merge', { metadata: { name: 'b' } });
      assertLike(answer, {
        code: 400,
        body: { message: 'the name of the object (b) does not match the name on the URL (a)' },
      });
    },
    'strategic merge: containers merge by name, their variables too': async (ground) => {
      const found = await containers(ground, 'strategic', {
        containers: [
          { name: 'two', image: 'two:2', env: [{ name: 'B', value: '2' }] },
          { name: 'three', image: 'three:1' },
        ],
      });
      assert.deepEqual(found.map(({ name, image }) => `${name} ${image}`).toSorted(), [
        'one one:1',
        'three three:1',
        'two two:2',
      ]);
      const two = found.find(({ name }) => name === 'two');
      assert.deepEqual(two?.env, [
        { name: 'B', value: '2' },
        { name: 'A', value: '1' },
      ]);
      assertLike(two, { ports: [{ containerPort: 80, protocol: 'TCP' }] });
    },
    'strategic merge: $patch deletes one, or replaces all': async (ground) => {
      const left = await containers(ground, 'strategic', {
        containers: [{ name: 'one', $patch: 'delete' }],
      });
      assert.deepEqual(
        left.map(({ name }) => name),
        ['two'],
      );
      const only = await containers(ground, 'strategic', {
        containers: [{ $patch: 'replace' }, { name: 'three', image: 'three:1' }],
      });
      assert.deepEqual(
        only.map(({ name }) => name),
        ['three'],
      );
    },
    'strategic merge: $setElementOrder gives the order': async (ground) => {
      const ordered = await containers(ground, 'strategic', {
        '$setElementOrder/containers': [{ name: 'two' }, { name: 'one' }],
        containers: [{ name: 'one', image: 'one:2' }],
      });
      assert.deepEqual(
        ordered.map(({ name, image }) => `${name} ${image}`),
        ['two two:1', 'one one:2'],
      );
    },
    'strategic merge: $retainKeys leaves only what it names': async (ground) => {
      const path = deployments(await ground.namespace());
      await ground.calls.create(path, deployment('a', { replicas: 0 }));
      const strategy = { $retainKeys: ['type'], type: 'Recreate' };
      const answer = await ground.calls.patch('strategic', `${path}/a`, { spec: { strategy } });
      assert.deepEqual(at(answer.body, 'spec.strategy'), { type: 'Recreate' });
    },
    'strategic merge: $deleteFromPrimitiveList takes values out of a list': async (ground) => {
      const path = configMaps(await ground.namespace());
      await ground.calls.create(path, configMap('a', {}, { finalizers: ['a.io/x', 'a.io/y'] }));
      const metadata = { '$deleteFromPrimitiveList/finalizers': ['a.io/x'] };
      const answer = await ground.calls.patch('strategic', `${path}/a`, { metadata });
      assert.deepEqual(at(answer.body, 'metadata.finalizers'), ['a.io/y']);
      await ground.calls.patch('merge', `${path}/a`, { metadata: { finalizers: null } });
    },
    'strategic merge: ports of Services merge by their number': async (ground) => {
      const path = services(await ground.namespace());
      await ground.calls.create(path, service('a'));
      const spec = {
        ports: [
          { port: 443, name: 'tls' },
          { port: 80, name: 'http' },
        ],
      };
      const { body } = await ground.calls.patch('strategic', `${path}/a`, { spec });
      const ports = at(body, 'spec.ports') as readonly { port: number; name: string }[];
      assert.deepEqual(ports.map(({ port, name }) => `${port} ${name}`).toSorted(), [
        '443 tls',
        '80 http',
      ]);
      assertLike(
        ports.find(({ port }) => port === 80),
        { targetPort: 9898 },
      );
    },
    'whoever patches owns what they changed': async (ground) => {
      const path = configMaps(await ground.namespace());
      const query = { fieldManager: 'first' };
      await ground.calls.create(path, configMap('a', { x: '1', y: '1' }), query);
      const patch = { data: { y: '2' } };
      const second = { fieldManager: 'second' };
      const { body } = await ground.calls.patch('merge', `${path}/a`, patch, second);
      assertLike(at(body, 'metadata.managedFields'), [
        { manager: 'first', fieldsV1: { 'f:data': { '.': {}, 'f:x': {} } } },
        { manager: 'second', fieldsV1: { 'f:data': { 'f:y': {} } } },
      ]);
    },
  },
};
