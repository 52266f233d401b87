/** What SMI, Kuma and Gloo have of their own, beside the laws, the golden files and the recordings. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Canary, CanaryService } from '../../src/api/canary.ts';
import type { Json, KubeObject, ObjectMeta } from '../../src/api/kubernetes.ts';
import { effectiveProvider } from '../../src/api/providers.ts';
import { gloo } from '../../src/routing/gloo.ts';
import { kuma } from '../../src/routing/kuma.ts';
import type { RoutingProvider } from '../../src/routing/provider.ts';
import { smi } from '../../src/routing/smi.ts';
import { canaryOf, liveOf, namespace, splitAt } from './canaries.ts';

interface Found extends KubeObject {
  readonly mesh?: string;
  readonly spec: Readonly<Record<string, Json>>;
}

const object = (kind: string, spec: Found['spec'], metadata: Partial<ObjectMeta> = {}): Found => ({
  apiVersion: 'example.com/v1',
  kind,
  metadata: { name: 'podinfo', ...metadata },
  spec,
});

function rendered(provider: RoutingProvider, canary: Canary, live: readonly KubeObject[] = []) {
  const answer = provider.render(canary, splitAt(30), {}, liveOf(live));
  assert.ok(answer.ok, answer.ok ? '' : answer.error);
  return answer.objects.map(({ wanted }) => wanted as Found);
}

function refusal(provider: RoutingProvider, canary: Canary, live: readonly KubeObject[] = []) {
  const answer = provider.render(canary, splitAt(30), {}, liveOf(live));
  return answer.ok ? 'rendered' : answer.error;
}

const inNamespace = (other: string, service: Partial<CanaryService> = {}): Canary => {
  const canary = canaryOf(service);
  return { ...canary, metadata: { ...canary.metadata, namespace: other } };
};

const abTest = canaryOf({}, { iterations: 5, match: [{ headers: { user: { exact: 'me' } } }] });

suite('a provider that lacks A/B testing', () => {
  for (const provider of [kuma, smi('linkerd', 'v1alpha1'), smi('osm', 'v1alpha2')]) {
    test(`${provider.name} says so, and never sends everybody to the canary`, () => {
      const expected = `spec.analysis.match: provider ${provider.name} cannot tell users apart, use weights or blue/green`;
      assert.equal(refusal(provider, abTest), expected);
    });
  }
});

suite('an object that was somebody else’s', () => {
  const before = {
    TrafficSplit: { service: 'podinfo', backends: [{ service: 'old', weight: 1 }] },
    TrafficRoute: {
      sources: [{ match: { 'kuma.io/service': '*' } }],
      destinations: [{ match: { 'kuma.io/service': `podinfo_${namespace}_svc_80` } }],
      conf: { destination: { 'kuma.io/service': `old_${namespace}_svc_80` } },
    },
  };
  for (const [kind, provider] of [
    ['TrafficSplit', smi('smi:v1alpha2', 'v1alpha2')],
    ['TrafficRoute', kuma],
  ] as const) {
    test(`is given back: ${kind}`, () => {
      const spec: Found['spec'] = before[kind];
      const [taken] = rendered(provider, canaryOf(), [object(kind, spec)]);
      assert.ok(taken);
      assert.notDeepEqual(taken.spec, spec);
      assert.equal(taken.metadata.ownerReferences, undefined);
      const [again] = rendered(provider, canaryOf(), [taken]);
      assert.deepEqual(again, taken, 'what it was is kept once');
      const [back] = provider.revert(canaryOf(), liveOf([taken]));
      assert.deepEqual((back?.wanted as Found | undefined)?.spec, spec);
    });
  }
});

suite('SMI', () => {
  const read = (canary: string | number, primary: string | number) =>
    smi('linkerd', 'v1alpha1').read(
      canaryOf(),
      liveOf([
        object('TrafficSplit', {
          service: 'podinfo',
          backends: [
            { service: 'podinfo-canary', weight: canary },
            { service: 'podinfo-primary', weight: primary },
          ],
        }),
      ]),
    );

  test('weights are read as quantities', () => {
    assert.deepEqual(read('30', '70'), splitAt(30));
    assert.deepEqual(read('30000m', 70), splitAt(30));
  });

  test('weights that say nothing are no split', () => {
    assert.equal(read('0', '0'), undefined);
    assert.equal(read('', 'much'), undefined);
  });

  test('the root is the first host, where there is one', () => {
    const [split] = rendered(smi('osm', 'v1alpha2'), canaryOf({ hosts: ['shop', 'other'] }));
    assert.equal(split?.spec['service'], 'shop');
  });
});

suite('Kuma', () => {
  test('R8: the route of another namespace is not taken over', () => {
    const [theirs] = rendered(kuma, inNamespace('other'));
    assert.ok(theirs);
    assert.equal(
      refusal(kuma, canaryOf(), [theirs]),
      'spec.service.name: TrafficRoute podinfo is that of podinfo_other_svc_80, choose another name or delete it',
    );
    assert.equal(rendered(kuma, inNamespace('other'), [theirs]).length, 1);
  });

  test('R8: what a Canary left behind is free for the next one of this name', () => {
    const [theirs] = rendered(kuma, inNamespace('other'));
    assert.ok(theirs);
    const [left] = kuma.revert(inNamespace('other'), liveOf([theirs]));
    assert.ok(left);
    const [fresh] = rendered(kuma, canaryOf());
    const [route] = rendered(kuma, canaryOf(), [left.wanted]);
    assert.deepEqual(route?.spec, fresh?.spec);
    assert.deepEqual(kuma.revert(canaryOf(), liveOf([theirs])), [], 'that of others is left alone');
  });

  test('a route of the cluster has no namespace and no owner', () => {
    const [route] = rendered(kuma, canaryOf());
    assert.equal(route?.metadata.namespace, undefined);
    assert.equal(route?.metadata.ownerReferences, undefined);
  });

  test('a whole destination makes room for the split', () => {
    const [fresh] = rendered(kuma, canaryOf());
    assert.ok(fresh);
    const conf = { destination: { 'kuma.io/service': 'old' }, loadBalancer: { roundRobin: {} } };
    const live: Found = { ...fresh, spec: { ...fresh.spec, conf } };
    const [route] = rendered(kuma, canaryOf(), [live]);
    const { split } = fresh.spec['conf'] as { readonly split: Json };
    assert.deepEqual(route?.spec['conf'], { loadBalancer: { roundRobin: {} }, split });
  });

  test('the mesh is that of the annotation, and stays', () => {
    const canary = canaryOf();
    const annotations = { 'kuma.io/mesh': 'shop' };
    const meshed = { ...canary, metadata: { ...canary.metadata, annotations } };
    const [route] = rendered(kuma, meshed);
    assert.ok(route);
    assert.equal(route.mesh, 'shop');
    const [again] = rendered(kuma, canary, [route]);
    assert.equal(again?.mesh, 'shop');
  });
});

suite('Gloo', () => {
  const refersTo = (name: string): Canary => {
    const canary = canaryOf();
    return { ...canary, spec: { ...canary.spec, upstreamRef: ref(name) } };
  };
  const ref = (name: string) => ({ apiVersion: 'gloo.solo.io/v1', kind: 'Upstream', name });

  const selectorOf = (upstream: Found | undefined): Json | undefined =>
    (upstream?.spec['kube'] as { readonly selector?: Json } | undefined)?.selector;

  test('an Upstream that is not there is named, in the namespace of the canary', () => {
    const expected =
      /^spec\.upstreamRef\.name: there is no Upstream cfg in namespace test, apply it$/;
    assert.match(refusal(gloo, refersTo('cfg')), expected);
  });

  test('Upstreams select the pods that their Services select', () => {
    const selector = { app: 'podinfo-primary' };
    const service = object('Service', { selector }, { name: 'podinfo-primary', namespace });
    const [primary, other] = rendered(gloo, canaryOf(), [service]);
    assert.deepEqual(selectorOf(primary), selector);
    assert.equal(selectorOf(other), undefined);
  });

  test('everybody else has a route in an A/B test', () => {
    const table = rendered(gloo, abTest).at(-1);
    const routes = (table?.spec['routes'] ?? []) as readonly Record<string, Json>[];
    const [tested, others, ...more] = routes;
    assert.ok(tested?.['matchers']);
    assert.equal(others?.['matchers'], undefined);
    assert.deepEqual(more, []);
  });
});

test('what follows the name of a provider in a flag names a mesh', () => {
  assert.equal(effectiveProvider(undefined, 'smi:v1alpha1:istio'), 'smi:v1alpha1');
  assert.equal(effectiveProvider(undefined, 'smi:v1alpha3:mesh'), 'smi:v1alpha3');
  assert.equal(effectiveProvider(undefined, 'gloo:edge'), 'gloo');
  assert.equal(effectiveProvider(undefined, 'appmesh:v1beta2:eu'), 'appmesh:v1beta2');
  assert.equal(effectiveProvider('', 'smi:crossover'), 'istio');
});
