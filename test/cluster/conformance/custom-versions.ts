/** A definition's versions, columns, scale and changes of mind. */
import assert from 'node:assert/strict';
import { assertLike, at, namesOf } from './match.ts';
import { definitions } from './paths.ts';
import type { Chapter } from './site.ts';
import { definitionOf, defineWidgets, established } from './widgets.ts';

const asTable = 'application/json;as=Table;g=meta.k8s.io;v=v1';
const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

const columns = [
  { name: 'Color', type: 'string', jsonPath: '.spec.color' },
  { name: 'Size', type: 'integer', jsonPath: '.spec.size', priority: 1 },
  {
    name: 'Ready',
    type: 'string',
    jsonPath: '.status.conditions[?(@.type=="Ready")].status',
    description: 'Whether it is.',
  },
  { name: 'Since', type: 'date', jsonPath: '.metadata.creationTimestamp' },
];

export const customVersions: Chapter = {
  title: 'custom resources in versions and columns',
  needsKubectl: false,
  tests: {
    'columns are what the definition says': async (ground) => {
      const { calls } = ground;
      const version = { additionalPrinterColumns: columns };
      const { path, widget } = await defineWidgets(ground, await ground.namespace(), { version });
      const conditions = [
        { type: 'Other', status: 'Unknown' },
        { type: 'Ready', status: 'True' },
      ];
      const fields = { spec: { color: 'red', size: 3 }, status: { conditions } };
      await calls.create(path, widget('a', fields));
      await calls.create(path, widget('b'));
      const { body } = await calls.call('GET', path, { accept: asTable });
      assertLike(at(body, 'columnDefinitions'), [
        { name: 'Name', type: 'string', format: 'name', priority: 0 },
        { name: 'Color', type: 'string', priority: 0 },
        { name: 'Size', type: 'integer', priority: 1 },
        { name: 'Ready', type: 'string', priority: 0, description: 'Whether it is.' },
        { name: 'Since', type: 'date', priority: 0 },
      ]);
      const cells = (row: number): unknown => at(body, `rows.${row}.cells`);
      assert.deepEqual((cells(0) as unknown[]).slice(0, 4), ['a', 'red', 3, 'True']);
      assert.match(String(at(cells(0), '4')), /^\d+s$/);
      assert.deepEqual((cells(1) as unknown[]).slice(0, 4), ['b', null, null, null]);
    },
    'without columns: name and age': async (ground) => {
      const { path, widget } = await defineWidgets(ground, await ground.namespace());
      await ground.calls.create(path, widget('a'));
      const { body } = await ground.calls.call('GET', path, { accept: asTable });
      assertLike(at(body, 'columnDefinitions'), [
        { name: 'Name' },
        { name: 'Age', type: 'date', priority: 0 },
      ]);
    },
    'the same object in each version that is served': async (ground) => {
      const { calls } = ground;
      const group = `${ground.name('g')}.conformance.test`;
      const version = (name: string, isStored: boolean, isServed = true): object => ({
        name,
        served: isServed,
        storage: isStored,
        schema: { openAPIV3Schema: anything },
      });
      const definition = definitionOf(group) as { readonly spec: object };
      const versions = [version('v1', false), version('v2', true), version('v3', false, false)];
      const spec = { ...definition.spec, versions };
      const created = await calls.create(definitions, { ...definition, spec });
      assertLike(created, { code: 201, body: { status: { storedVersions: ['v2'] } } });
      await established(ground, `widgets.${group}`);
      const namespace = await ground.namespace();
      const path = (of: string): string => `/apis/${group}/${of}/namespaces/${namespace}/widgets`;
      await ground.until('it is served', async () => (await calls.get(path('v2'))).code === 200);
      const body = { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name: 'a' }, x: 1 };
      assert.equal((await calls.create(path('v1'), body)).code, 201);
      const found = await calls.get(`${path('v2')}/a`);
      assertLike(found, { code: 200, body: { apiVersion: `${group}/v2`, x: 1 } });
      assert.equal((await calls.get(path('v3'))).code, 404);
      const list = await calls.get(path('v1'));
      assertLike(list.body, { apiVersion: `${group}/v1`, items: [{ apiVersion: `${group}/v1` }] });
      const watching = await calls.watch(path('v1'), { resourceVersion: '0' });
      assertLike(await watching.next(), { type: 'ADDED', object: { apiVersion: `${group}/v1` } });
      watching.close();
    },
    'scale reads and writes where the definition says': async (ground) => {
      const { calls } = ground;
      const scale = {
        specReplicasPath: '.spec.size.replicas',
        statusReplicasPath: '.status.replicas',
        labelSelectorPath: '.status.selector',
      };
      const { path, widget } = await defineWidgets(ground, await ground.namespace(), {
        subresources: { status: {}, scale },
      });
      await calls.create(path, widget('a', { spec: { size: { replicas: 2 } } }));
      const status = { status: { replicas: 1, selector: 'app=a' } };
      await calls.patch('merge', `${path}/a/status`, status);
      assertLike(await calls.get(`${path}/a/scale`), {
        code: 200,
        body: {
          kind: 'Scale',
          apiVersion: 'autoscaling/v1',
          metadata: { name: 'a' },
          spec: { replicas: 2 },
          status: { replicas: 1, selector: 'app=a' },
        },
      });
      const scaled = await calls.patch('merge', `${path}/a/scale`, { spec: { replicas: 5 } });
      assertLike(scaled, { code: 200, body: { kind: 'Scale', spec: { replicas: 5 } } });
      const { body } = await calls.get(`${path}/a`);
      assertLike(body, {
        metadata: { generation: 2 },
        spec: { size: { replicas: 5 } },
        status: { replicas: 1 },
      });
    },
    'of no namespace': async (ground) => {
      const { calls } = ground;
      const { path, widget, group } = await defineWidgets(ground, 'none', { scope: 'Cluster' });
      const created = await calls.create(path, widget('a'));
      assertLike(created, { code: 201, body: { metadata: { name: 'a', namespace: undefined } } });
      const inside = await calls.get(`/apis/${group}/v1/namespaces/default/widgets`);
      assert.equal(inside.code, 404);
    },
    'a changed schema holds for what is written from then on': async (ground) => {
      const { calls } = ground;
      const { path, widget, definition } = await defineWidgets(ground, await ground.namespace());
      await calls.create(path, widget('a', { spec: { size: 'big' } }));
      const openAPIV3Schema = {
        type: 'object',
        properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
      };
      const changed = await calls.patch('json', `${definitions}/${definition}`, [
        { op: 'replace', path: '/spec/versions/0/schema', value: { openAPIV3Schema } },
      ]);
      assertLike(changed, { code: 200, body: { metadata: { generation: 2 } } });
      const fields = { spec: { size: 'big' } };
      await ground.until('the new schema holds', async () => {
        const query = { dryRun: 'All' };
        return (await calls.create(path, widget('b', fields), query)).code === 422;
      });
      // The real one reads everything anew then, and may show nothing for a moment.
      await ground.until('what there was is there', async () => {
        return namesOf((await calls.get(path)).body).join() === 'a';
      });
    },
    'a definition of a kind that another has waits': async (ground) => {
      const { calls } = ground;
      const first = await defineWidgets(ground, await ground.namespace());
      const definition = definitionOf(first.group) as { readonly spec: object };
      const names = { kind: 'Widget', plural: 'gadgets', singular: 'gadget' };
      await calls.create(definitions, {
        ...definition,
        metadata: { name: `gadgets.${first.group}` },
        spec: { ...definition.spec, names },
      });
      await ground.until('it is told why', async () => {
        const { body } = await calls.get(`${definitions}/gadgets.${first.group}`);
        const conditions = (at(body, 'status.conditions') ?? []) as readonly {
          readonly type: string;
          readonly status: string;
          readonly reason: string;
        }[];
        return conditions.some(
          ({ type, status, reason }) =>
            type === 'NamesAccepted' && status === 'False' && reason === 'ListKindConflict',
        );
      });
    },
    'with the definition, its objects go': async (ground) => {
      const { calls } = ground;
      const namespace = await ground.namespace();
      const { path, widget, definition } = await defineWidgets(ground, namespace);
      await calls.create(path, widget('a', { spec: { size: 1 } }));
      assert.equal((await calls.delete(`${definitions}/${definition}`)).code, 200);
      await ground.until(
        'the definition is gone',
        async () => (await calls.get(`${definitions}/${definition}`)).code === 404,
      );
      await ground.until('no widgets are served', async () => (await calls.get(path)).code === 404);
    },
  },
};
