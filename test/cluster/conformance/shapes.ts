/** The same objects as tables, and as metadata only; at once and watched. */
import assert from 'node:assert/strict';
import { assertLike, at, itemsOf, textAt } from './match.ts';
import { configMap, configMaps, deployment, deployments } from './paths.ts';
import type { Chapter, Ground } from './site.ts';

const asTable = 'application/json;as=Table;g=meta.k8s.io;v=v1';
const asPartial = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const asPartialList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

async function oneDeployment({ calls, namespace }: Ground): Promise<string> {
  const path = deployments(await namespace());
  await calls.create(path, deployment('a', { replicas: 0 }));
  return path;
}

const columnsOf = (table: unknown): readonly string[] =>
  (at(table, 'columnDefinitions') as readonly { readonly name: string }[]).map(({ name }) => name);

export const shapes: Chapter = {
  title: 'shapes of answers',
  needsKubectl: false,
  tests: {
    'a list as a table': async (ground) => {
      const path = await oneDeployment(ground);
      const { code, body } = await ground.calls.call('GET', path, { accept: asTable });
      assert.equal(code, 200);
      assertLike(body, { kind: 'Table', apiVersion: 'meta.k8s.io/v1' });
      assert.match(textAt(body, 'metadata.resourceVersion'), /^\d+$/);
      assert.deepEqual(columnsOf(body), [
        'Name',
        'Ready',
        'Up-to-date',
        'Available',
        'Age',
        'Containers',
        'Images',
        'Selector',
      ]);
      assertLike(at(body, 'columnDefinitions.0'), {
        name: 'Name',
        type: 'string',
        format: 'name',
        priority: 0,
      });
      assertLike(at(body, 'rows'), [
        {
          cells: ['a', '0/0', 0, 0, at(body, 'rows.0.cells.4'), 'main', 'podinfo:6.0.0', 'app=a'],
          object: {
            kind: 'PartialObjectMetadata',
            apiVersion: 'meta.k8s.io/v1',
            metadata: { name: 'a' },
          },
        },
      ]);
      assert.match(textAt(body, 'rows.0.cells.4'), /^\d+s$/);
      assert.equal(at(body, 'rows.0.object.spec'), undefined);
    },
    'one object as a table': async (ground) => {
      const path = await oneDeployment(ground);
      const { body } = await ground.calls.call('GET', `${path}/a`, { accept: asTable });
      assertLike(body, { kind: 'Table', rows: [{ object: { metadata: { name: 'a' } } }] });
    },
    'rows with whole objects, or with none': async (ground) => {
      const path = await oneDeployment(ground);
      const rows = async (includeObject: string): Promise<unknown> => {
        const query = { includeObject };
        return at((await ground.calls.call('GET', path, { accept: asTable, query })).body, 'rows');
      };
      assertLike(await rows('Object'), [{ object: { kind: 'Deployment', spec: { replicas: 0 } } }]);
      assert.equal(at(await rows('None'), '0.object') ?? undefined, undefined);
    },
    'an empty table': async (ground) => {
      const path = deployments(await ground.namespace());
      const { body } = await ground.calls.call('GET', path, { accept: asTable });
      assertLike(body, { kind: 'Table', rows: [] });
    },
    'a watch of tables; only the first names the columns': async (ground) => {
      const { calls } = ground;
      const path = await oneDeployment(ground);
      const watching = await calls.watch(path, { fieldSelector: 'metadata.name=a' }, asTable);
      const first = await watching.next();
      assertLike(first, {
        type: 'ADDED',
        object: { kind: 'Table', rows: [{ object: { metadata: { name: 'a' } } }] },
      });
      assert.equal(columnsOf(first.object)[0], 'Name');
      await calls.patch('merge', `${path}/a`, { metadata: { labels: { x: 'y' } } });
      const second = await watching.next();
      assertLike(second, {
        type: 'MODIFIED',
        object: { kind: 'Table', columnDefinitions: null },
      });
      watching.close();
    },
    'metadata only': async (ground) => {
      const path = configMaps(await ground.namespace());
      await ground.calls.create(path, configMap('a', { x: '1' }, { labels: { x: 'y' } }));
      const one = await ground.calls.call('GET', `${path}/a`, { accept: asPartial });
      assert.deepEqual(Object.keys(one.body as object).toSorted(), [
        'apiVersion',
        'kind',
        'metadata',
      ]);
      assertLike(one.body, {
        kind: 'PartialObjectMetadata',
        apiVersion: 'meta.k8s.io/v1',
        metadata: { name: 'a', labels: { x: 'y' } },
      });
      const list = await ground.calls.call('GET', path, {
        accept: asPartialList,
        query: { labelSelector: 'x=y' },
      });
      assertLike(list.body, { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' });
      assertLike(itemsOf(list.body), [{ metadata: { name: 'a' }, data: undefined }]);
    },
    'a watch of metadata only': async (ground) => {
      const path = configMaps(await ground.namespace());
      await ground.calls.create(path, configMap('a', { x: '1' }));
      const query = { fieldSelector: 'metadata.name=a' };
      const watching = await ground.calls.watch(path, query, asPartial);
      const { type, object } = await watching.next();
      assert.equal(type, 'ADDED');
      assertLike(object, {
        kind: 'PartialObjectMetadata',
        apiVersion: 'meta.k8s.io/v1',
        metadata: { name: 'a' },
        data: undefined,
      });
      watching.close();
    },
    'of several accepted shapes, the first that there is': async (ground) => {
      const path = await oneDeployment(ground);
      const accept = `${asTable},application/json`;
      const list = await ground.calls.call('GET', path, { accept });
      assertLike(list.body, { kind: 'Table' });
      const plain = await ground.calls.call('GET', path, { accept: '*/*' });
      assertLike(plain.body, { kind: 'DeploymentList' });
    },
    'errors are never tables': async ({ calls }) => {
      const answer = await calls.call('GET', `${configMaps('default')}/none`, { accept: asTable });
      assertLike(answer, { code: 404, body: { kind: 'Status' } });
    },
  },
};
