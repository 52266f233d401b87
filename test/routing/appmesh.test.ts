/** What is App Mesh's own, in both versions, beside the laws and the golden files. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Canary, CanaryAnalysis, CanaryService } from '../../src/api/canary.ts';
import type { KubeObject } from '../../src/api/kubernetes.ts';
import { appMeshV1beta2 } from '../../src/routing/appmesh-v1beta2.ts';
import { appMesh } from '../../src/routing/appmesh.ts';
import type { RoutingProvider, Split } from '../../src/routing/provider.ts';
import { canaryOf, liveOf, namespace, splitAt, stored } from './canaries.ts';

interface Found extends KubeObject {
  readonly spec: Readonly<Record<string, unknown>>;
}

const meshed = (service: Partial<CanaryService> = {}, analysis?: CanaryAnalysis): Canary =>
  canaryOf({ meshName: 'global', ...service }, analysis);

function render(
  provider: RoutingProvider,
  canary: Canary,
  { split = splitAt(0), live = [] }: { split?: Split; live?: readonly KubeObject[] } = {},
) {
  const rendered = provider.render(canary, split, {}, liveOf(live));
  assert.ok(rendered.ok, rendered.ok ? '' : rendered.error);
  return rendered.objects;
}

const find = (objects: readonly KubeObject[], kind: string, name: string): Found => {
  const found = objects.find((it) => it.kind === kind && it.metadata.name === name);
  assert.ok(found, `${kind} ${name}`);
  return found as Found;
};

const wanted = (...args: Parameters<typeof render>) => render(...args).map((it) => it.wanted);
const written = (...args: Parameters<typeof render>) => render(...args).map((it) => stored(it));

const abTest = (match: NonNullable<CanaryAnalysis['match']>): CanaryAnalysis => ({
  iterations: 10,
  match,
});

for (const provider of [appMesh, appMeshV1beta2]) {
  suite(`App Mesh, ${provider.name}`, () => {
    test('the nodes are there before pods are, and nothing that leads anybody', () => {
      const early = render(provider, meshed()).filter(({ beforePods }) => beforePods === true);
      assert.deepEqual([...new Set(early.map((it) => it.wanted.kind))], ['VirtualNode']);
      assert.equal(early.length, provider === appMesh ? 3 : 2);
    });

    test('health checks and TLS that users set on the listener of a node survive', () => {
      const own = { healthCheck: { protocol: 'http' }, tls: { mode: 'STRICT' } };
      const live = written(provider, meshed({ timeout: '5s' })).map((object) => {
        if (object.kind !== 'VirtualNode') return object;
        const { spec } = object as Found;
        const [listener] = spec['listeners'] as readonly object[];
        return { ...object, spec: { ...spec, listeners: [{ ...listener, ...own }] } };
      });
      const node = find(wanted(provider, meshed(), { live }), 'VirtualNode', 'podinfo-primary');
      const [listener] = node.spec['listeners'] as readonly Record<string, unknown>[];
      const { portMapping, ...others } = listener ?? {};
      assert.ok(portMapping);
      assert.deepEqual(others, own, 'the timeout that the Canary no longer has is gone');
    });

    test('what is offered outside goes with the hosts, on objects of ours', () => {
      const apex = provider === appMesh ? `podinfo.${namespace}` : 'podinfo';
      const offered = written(provider, meshed({ hosts: ['a.com', 'b.com'], timeout: '15s' }));
      assert.deepEqual(find(offered, 'VirtualService', apex).metadata.annotations, {
        'gateway.appmesh.k8s.aws/expose': 'true',
        'gateway.appmesh.k8s.aws/domain': 'a.com,b.com,',
        'gateway.appmesh.k8s.aws/timeout': '15s',
      });
      const inner = find(wanted(provider, meshed(), { live: offered }), 'VirtualService', apex);
      assert.deepEqual(inner.metadata.annotations, {});
      const theirs = offered.map((object) => {
        const { ownerReferences: _, ...metadata } = object.metadata;
        return { ...object, metadata };
      });
      const kept = find(wanted(provider, meshed(), { live: theirs }), 'VirtualService', apex);
      assert.equal(kept.metadata.annotations?.['gateway.appmesh.k8s.aws/expose'], 'true');
    });

    test('access logs go with the annotation, and those of users stay', () => {
      const canary = meshed();
      const annotations = { 'appmesh.flagger.app/accesslog': 'enabled' };
      const logged = { ...canary, metadata: { ...canary.metadata, annotations } };
      const live = written(provider, logged);
      const node = (objects: readonly KubeObject[]) =>
        find(objects, 'VirtualNode', 'podinfo-canary').spec['logging'];
      const stdout = { accessLog: { file: { path: '/dev/stdout' } } };
      assert.deepEqual(node(live), stdout);
      assert.equal(node(wanted(provider, canary, { live })), undefined);
      const logging = { accessLog: { file: { path: '/var/log/x' } } };
      const theirs = live.map((it) => ({ ...it, spec: { ...(it as Found).spec, logging } }));
      assert.deepEqual(node(wanted(provider, canary, { live: theirs })), logging);
    });

    const refusals: Readonly<Record<string, readonly [Canary, RegExp]>> = {
      'query parameters of an A/B test': [
        meshed({}, abTest([{ queryParams: { beta: { exact: '1' } } }])),
        /^spec\.analysis\.match\[0\]\.queryParams: .* use headers$/,
      ],
      'where requests come from': [
        meshed({}, abTest([{ sourceLabels: { app: 'web' } }])),
        /^spec\.analysis\.match\[0\]\.sourceLabels: /,
      ],
      'paths of gRPC that are no service': [
        meshed({ portName: 'grpc', match: [{ uri: { prefix: '/api/v1' } }] }),
        /^spec\.service\.match\[0\]\.uri\.prefix: .* \/package\.Service\/$/,
      ],
    };
    for (const [what, [canary, expected]] of Object.entries(refusals)) {
      test(`refuses ${what}`, () => {
        const rendered = provider.render(canary, splitAt(0), {}, liveOf([]));
        assert.match(rendered.ok ? 'rendered' : rendered.error, expected);
      });
    }

    test('everybody else comes after any number of items', () => {
      const items = Array.from({ length: 12 }, (_, index) => ({
        headers: { user: { exact: `${index}` } },
      }));
      const objects = wanted(provider, meshed({}, abTest(items)), { split: splitAt(100) });
      const owner =
        provider === appMesh
          ? find(objects, 'VirtualService', `podinfo.${namespace}`)
          : find(objects, 'VirtualRouter', 'podinfo');
      const routes = owner.spec['routes'] as readonly {
        readonly priority?: number;
        readonly http?: { readonly priority: number };
      }[];
      const priorities = routes.map(({ priority, http }) => priority ?? http?.priority ?? NaN);
      assert.equal(new Set(priorities).size, 13);
      assert.equal(priorities.at(-1), Math.max(...priorities));
    });

    test('retries have the defaults of the reference', () => {
      const objects = wanted(provider, meshed({ retries: { perTryTimeout: 'soon' } }));
      const text = JSON.stringify(objects.at(provider === appMesh ? -1 : -2));
      assert.match(text, /"maxRetries":1\b/);
      assert.match(text, /"httpRetryEvents":\["gateway-error"\]/);
      assert.match(text, /"perRetryTimeout(Millis":250|":\{"unit":"ms","value":250\})/);
    });
  });
}

const theirs: Readonly<Record<string, readonly [RoutingProvider, readonly Found[]]>> = {
  'of v1beta1': [
    appMesh,
    [
      {
        apiVersion: 'appmesh.k8s.aws/v1beta1',
        kind: 'VirtualService',
        metadata: { name: `podinfo.${namespace}`, namespace },
        spec: { meshName: 'old', routes: [{ name: 'all', http: { match: { prefix: '/' } } }] },
      },
      {
        apiVersion: 'appmesh.k8s.aws/v1beta1',
        kind: 'VirtualNode',
        metadata: { name: 'podinfo', namespace },
        spec: { meshName: 'old', serviceDiscovery: { dns: { hostName: 'podinfo.test' } } },
      },
    ],
  ],
  'of v1beta2': [
    appMeshV1beta2,
    [
      {
        apiVersion: 'appmesh.k8s.aws/v1beta2',
        kind: 'VirtualService',
        metadata: { name: 'podinfo', namespace },
        spec: { provider: { virtualNode: { virtualNodeRef: { name: 'old' } } } },
      },
      {
        apiVersion: 'appmesh.k8s.aws/v1beta2',
        kind: 'VirtualRouter',
        metadata: { name: 'podinfo', namespace },
        spec: { listeners: [], routes: [] },
      },
    ],
  ],
};
for (const [what, [provider, live]] of Object.entries(theirs)) {
  test(`what was somebody else’s is given back: ${what}`, () => {
    const canary = meshed({ hosts: ['app.example.com'] });
    const taken = wanted(provider, canary, { live });
    assert.deepEqual(wanted(provider, canary, { live: taken }), taken, 'it is kept once');
    const back = provider.revert(canary, liveOf(taken)).map((it) => (it.wanted as Found).spec);
    assert.deepEqual(
      back,
      live.map(({ spec }) => spec),
    );
  });
}

test('App Mesh v1beta1 asks for the name of the Mesh', () => {
  const rendered = appMesh.render(canaryOf(), splitAt(0), {}, liveOf([]));
  assert.match(rendered.ok ? 'rendered' : rendered.error, /^spec\.service\.meshName: .* set it$/);
});

test('nodes of v1beta2 select what the Services select, and keep it while there is none', () => {
  const service: Found = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'podinfo-canary', namespace },
    spec: { selector: { 'app.kubernetes.io/name': 'web' } },
  };
  const expected = { matchLabels: { 'app.kubernetes.io/name': 'web' } };
  const live = written(appMeshV1beta2, meshed(), { live: [service] });
  assert.deepEqual(find(live, 'VirtualNode', 'podinfo-canary').spec['podSelector'], expected);
  const again = wanted(appMeshV1beta2, meshed(), { live });
  assert.deepEqual(find(again, 'VirtualNode', 'podinfo-canary').spec['podSelector'], expected);
});

suite('App Mesh v1beta2 reports', () => {
  const router = (status?: object): KubeObject => {
    const given: KubeObject & { readonly status?: object } = {
      apiVersion: 'appmesh.k8s.aws/v1beta2',
      kind: 'VirtualRouter',
      metadata: { name: 'podinfo', namespace, generation: 2 },
      ...(status !== undefined && { status }),
    };
    return given;
  };
  const active = (status: string, observedGeneration: number) => ({
    observedGeneration,
    conditions: [{ type: 'VirtualRouterActive', status, reason: 'Inactive', message: 'no mesh' }],
  });
  const states: Readonly<Record<string, readonly [readonly KubeObject[], string]>> = {
    'on nothing before the router is there': [[], 'pending'],
    'nothing at first': [[router()], 'unreported'],
    'on what was there before': [[router(active('True', 1))], 'pending'],
    'that it is in effect': [[router(active('True', 2))], 'confirmed'],
    'that it is not': [[router(active('False', 2))], 'refused'],
  };
  for (const [what, [live, expected]] of Object.entries(states)) {
    test(what, () => {
      assert.equal(appMeshV1beta2.confirm?.(meshed(), liveOf(live)).state, expected);
    });
  }

  test('in its own words', () => {
    const told = appMeshV1beta2.confirm?.(meshed(), liveOf([router(active('False', 2))]));
    assert.deepEqual(told, {
      state: 'refused',
      message: 'VirtualRouter podinfo refused by App Mesh: VirtualRouterActive Inactive: no mesh',
    });
  });
});
