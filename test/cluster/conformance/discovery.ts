/** The server tells what it has, in the documents by which clients find their way. */
import assert from 'node:assert/strict';
import { assertLike, at, textAt } from './match.ts';
import type { Chapter } from './site.ts';
import { defineWidgets } from './widgets.ts';

interface ApiResource {
  readonly name: string;
  readonly singularName: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const allVerbs = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

export const discovery: Chapter = {
  title: 'discovery',
  needsKubectl: false,
  tests: {
    'which version it is, and that it is well': async ({ calls }) => {
      const { code, body } = await calls.get('/version');
      assert.equal(code, 200);
      assert.match(textAt(body, 'gitVersion'), /^v1\.\d+\.\d+/);
      assertLike(body, { major: '1' });
      for (const path of ['/healthz', '/livez', '/readyz']) {
        assert.deepEqual((await calls.get(path)).body, 'ok', path);
      }
    },
    'which versions of the API, and which groups': async ({ calls }) => {
      assertLike((await calls.get('/api')).body, { kind: 'APIVersions', versions: ['v1'] });
      const { body } = await calls.get('/apis');
      assertLike(body, { kind: 'APIGroupList', apiVersion: 'v1' });
      const groups = at(body, 'groups') as readonly { readonly name: string }[];
      const names = groups.map(({ name }) => name);
      for (const name of [
        'apps',
        'autoscaling',
        'coordination.k8s.io',
        'discovery.k8s.io',
        'events.k8s.io',
        'apiextensions.k8s.io',
        'admissionregistration.k8s.io',
      ]) {
        assert.ok(names.includes(name), name);
      }
      assertLike(
        groups.find(({ name }) => name === 'apps'),
        {
          versions: [{ groupVersion: 'apps/v1', version: 'v1' }],
          preferredVersion: { groupVersion: 'apps/v1', version: 'v1' },
        },
      );
      assertLike((await calls.get('/apis/apps')).body, { kind: 'APIGroup', name: 'apps' });
    },
    'which kinds a version has, and what can be done with them': async ({ calls }) => {
      const { body } = await calls.get('/apis/apps/v1');
      assertLike(body, { kind: 'APIResourceList', groupVersion: 'apps/v1' });
      const resources = at(body, 'resources') as readonly ApiResource[];
      const named = (name: string): ApiResource | undefined =>
        resources.find((it) => it.name === name);
      const deployments = named('deployments');
      assertLike(deployments, {
        singularName: 'deployment',
        namespaced: true,
        kind: 'Deployment',
        shortNames: ['deploy'],
        categories: ['all'],
      });
      assert.deepEqual([...(deployments?.verbs ?? [])].toSorted(), allVerbs);
      assertLike(named('deployments/status'), { kind: 'Deployment', namespaced: true });
      assertLike(named('deployments/scale'), {
        kind: 'Scale',
        group: 'autoscaling',
        version: 'v1',
      });
      assert.deepEqual([...(named('deployments/scale')?.verbs ?? [])].toSorted(), [
        'get',
        'patch',
        'update',
      ]);
    },
    'everything at once, for clients that ask for it': async ({ calls }) => {
      const { code, body, contentType } = await calls.call('GET', '/apis', { accept: aggregated });
      assert.equal(code, 200);
      assert.match(contentType, /as=APIGroupDiscoveryList/);
      assertLike(body, { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2' });
      const items = at(body, 'items') as readonly {
        readonly metadata: { readonly name: string };
      }[];
      const apps = items.find(({ metadata }) => metadata.name === 'apps');
      const resources = at(apps, 'versions.0.resources') as readonly {
        readonly resource: string;
      }[];
      assertLike(
        resources.find(({ resource }) => resource === 'deployments'),
        {
          responseKind: { kind: 'Deployment' },
          scope: 'Namespaced',
          singularResource: 'deployment',
          shortNames: ['deploy'],
          categories: ['all'],
        },
      );
      const core = await calls.call('GET', '/api', { accept: aggregated });
      assertLike(core.body, { items: [{ versions: [{ version: 'v1' }] }] });
    },
    'a kind that was just defined': async (ground) => {
      const choice = { shortNames: ['wd'], subresources: { status: {} } };
      const { group } = await defineWidgets(ground, await ground.namespace(), choice);
      const found = await ground.until('it is discovered', async () => {
        const { code, body } = await ground.calls.get(`/apis/${group}/v1`);
        return code === 200 && body;
      });
      const resources = at(found, 'resources') as readonly ApiResource[];
      assert.deepEqual(resources.map(({ name }) => name).toSorted(), ['widgets', 'widgets/status']);
      assertLike(
        resources.find(({ name }) => name === 'widgets'),
        { kind: 'Widget', singularName: 'widget', shortNames: ['wd'] },
      );
    },
    'OpenAPI, by group and version': async ({ calls }) => {
      const { code, body } = await calls.get('/openapi/v3');
      assert.equal(code, 200);
      // The real one calls it plain text.
      const index = typeof body === 'string' ? (JSON.parse(body) as unknown) : body;
      const paths = at(index, 'paths') as Readonly<Record<string, unknown>>;
      const url = textAt(paths['apis/apps/v1'], 'serverRelativeURL');
      assert.match(url, /^\/openapi\/v3\/apis\/apps\/v1/);
      const document = await calls.get(url);
      assert.equal(document.code, 200);
      assertLike(document.body, { openapi: '3.0.0' });
      const schemas = at(document.body, 'components.schemas') as Readonly<Record<string, unknown>>;
      const kinds = 'x-kubernetes-group-version-kind';
      assertLike(schemas['io.k8s.api.apps.v1.Deployment'], {
        type: 'object',
        [kinds]: [{ group: 'apps', kind: 'Deployment', version: 'v1' }],
      });
    },
    'who asks': async ({ calls }) => {
      const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
      const { code, body } = await calls.create(path, {});
      assert.equal(code, 201);
      const groups = at(body, 'status.userInfo.groups') as readonly string[];
      assert.ok(groups.includes('system:masters'));
    },
    'whether it is allowed': async ({ calls }) => {
      const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
      const resourceAttributes = { verb: 'create', resource: 'pods', namespace: 'default' };
      const { code, body } = await calls.create(path, { spec: { resourceAttributes } });
      assert.equal(code, 201);
      assertLike(body, { status: { allowed: true } });
    },
  },
};
