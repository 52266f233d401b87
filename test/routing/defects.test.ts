/**
 * Rows of the defect list of `spec/02`, section 9, that one provider shows and no other test does: each
 * test is named after its row. Where the others are: docs/defects.md.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Canary } from '../../src/api/canary.ts';
import type { Json, KubeObject } from '../../src/api/kubernetes.ts';
import type { OpaqueObject } from '../../src/kube/resources.ts';
import type { Split } from '../../src/routing/provider.ts';
import { providerFor } from '../../src/routing/registry.ts';
import { canaryOf, liveOf, namespace, splitAt } from './canaries.ts';
import { furnished, userObjects } from './sources.ts';

interface Given {
  readonly canary?: Canary;
  readonly split: Split;
  readonly live: readonly KubeObject[];
}

/** The first object that a provider writes. */
function written(name: string, { canary = canaryOf(), split, live }: Given): OpaqueObject {
  const provider = providerFor(name);
  assert.ok(provider);
  const rendered = provider.render(furnished(provider, canary), split, {}, liveOf(live));
  assert.ok(rendered.ok, 'error' in rendered ? rendered.error : '');
  const [route] = rendered.objects;
  assert.ok(route);
  return route.wanted as OpaqueObject;
}

interface IngressSpec {
  readonly rules: readonly { readonly host: string; readonly http?: object }[];
}

const ingressesOf = (): readonly OpaqueObject[] =>
  userObjects(canaryOf()).filter(({ kind }) => kind === 'Ingress');

test('R4: Skipper takes an Ingress that has no annotations', () => {
  const live = ingressesOf();
  assert.ok(live.every(({ metadata }) => metadata.annotations === undefined));
  const { metadata } = written('skipper', { split: splitAt(30), live });
  assert.equal(metadata.annotations?.['zalando.org/skipper-predicate'], 'Weight(100)');
});

for (const name of ['skipper', 'nginx']) {
  test(`R4: ${name} takes an Ingress with a host of no paths`, () => {
    const hostsOf = ({ spec }: OpaqueObject) =>
      (spec as unknown as IngressSpec).rules.filter(({ http }) => http === undefined);
    const [ingress] = ingressesOf();
    assert.ok(ingress);
    assert.equal(hostsOf(ingress).length, 1);
    const route = written(name, { split: splitAt(30), live: [ingress] });
    assert.deepEqual(hostsOf(route), hostsOf(ingress));
  });
}

const traefikService = (spec: Json): OpaqueObject => ({
  apiVersion: 'traefik.io/v1alpha1',
  kind: 'TraefikService',
  metadata: { name: 'podinfo', namespace },
  spec,
});
const sharesOf = (object: OpaqueObject) => {
  const { weighted } = object.spec as unknown as {
    readonly weighted: { readonly services: readonly { name: string; weight?: number }[] };
  };
  return weighted.services.map(({ name, weight }) => `${name} ${weight ?? 'without weight'}`);
};

test('R4: a TraefikService of somebody that shares nothing out becomes ours', () => {
  const provider = providerFor('traefik');
  const live = [traefikService({ mirroring: { name: 'podinfo', kind: 'Service' } })];
  assert.equal(provider?.read(canaryOf(), liveOf(live)), undefined);
  const { spec } = written('traefik', { split: splitAt(30), live });
  assert.deepEqual(sharesOf(traefikService(spec)), ['podinfo-primary 70', 'podinfo-canary 30']);
});

test('R6: the primary has no share where the canary has them all', () => {
  const all = written('traefik', { split: splitAt(100), live: [] });
  assert.deepEqual(sharesOf(all), ['podinfo-primary 0', 'podinfo-canary 100']);
  const none = written('traefik', { split: splitAt(0), live: [] });
  assert.deepEqual(sharesOf(none), ['podinfo-primary 100']);
});
