/**
 * A canary behind the Gateway API on a real API server, with kubectl in the place of the gateway's
 * controller and of somebody who meddles with the route.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { controlPlaneOrSkip } from '../cluster/require.ts';
import type { Kubectl } from '../e2e/kubectl.ts';
import { eventsOf, fixture, getJson, inNamespace, kubectlOf, repository } from '../e2e/kubectl.ts';
import { startSite } from '../e2e/site.ts';
import { watchCanary } from '../support/canary-watch.ts';
import { until } from '../support/until.ts';

const crd = 'test/crds/gateway-api/standard.httproutes.gateway.networking.k8s.io.yaml';
const needed = { skip: await controlPlaneOrSkip(), timeout: 180_000 };

interface Route {
  readonly metadata: {
    readonly generation: number;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly parentRefs: readonly object[]; readonly rules: readonly unknown[] };
}

const routeOf = async (kubectl: Kubectl): Promise<Route> =>
  (await getJson(kubectl, 'httproute/podinfo')) as unknown as Route;

/** As a gateway's controller says it. */
async function report(kubectl: Kubectl, status: 'True' | 'False', message: string): Promise<void> {
  const { metadata, spec } = await routeOf(kubectl);
  const common = { observedGeneration: metadata.generation, lastTransitionTime: now() };
  const conditions = [
    { type: 'Accepted', status, reason: 'ByHand', message, ...common },
    { type: 'ResolvedRefs', status: 'True', reason: 'ResolvedRefs', message: '', ...common },
  ];
  const controllerName = 'example.com/kubectl';
  const parents = spec.parentRefs.map((parentRef) => ({ parentRef, controllerName, conditions }));
  const patch = JSON.stringify({ status: { parents } });
  await kubectl([
    'patch',
    'httproute/podinfo',
    '--subresource=status',
    '--type=merge',
    '--patch',
    patch,
  ]);
}

const now = (): string => `${new Date().toISOString().slice(0, 19)}Z`;

test('a route is confirmed by its gateway, and kept as it is', needed, async () => {
  const site = await startSite();
  try {
    await kubectlOf(site.cluster)(['create', '-f', repository(crd)]);
    const kubectl = await inNamespace(site.cluster, 'test');
    const canary = (await readFile(fixture('canary.yaml'), 'utf8'))
      .replace('provider: istio', "provider: 'gatewayapi:v1'")
      .replace('service:\n', 'service:\n    gatewayRefs: [{ name: public }]\n');
    await kubectl(['apply', '-f', fixture('podinfo.yaml')]);
    await kubectl(['apply', '-f', '-'], canary);
    const watch = watchCanary(site.cluster, 'test', 'podinfo');
    await until('the route is there', () => routeOf(kubectl).catch(() => undefined));

    await report(kubectl, 'False', 'no listener takes it');
    const refused = /refused by Gateway public: Accepted ByHand: no listener takes it$/;
    await eventsOf(kubectl, 'podinfo', refused);
    assert.ok(!watch.sightings.some(({ phase }) => phase === 'Initialized'));
    await report(kubectl, 'True', '');
    await watch.sees('Initialized');

    const before = await routeOf(kubectl);
    const meddle = [{ op: 'replace', path: '/spec/rules/0/backendRefs/1/weight', value: 77 }];
    const as = ['--field-manager=meddler'];
    await kubectl(['label', 'httproute/podinfo', 'team=shop', ...as]);
    const patch = ['--type=json', '--patch', JSON.stringify(meddle), ...as];
    await kubectl(['patch', 'httproute/podinfo', ...patch]);
    const changed = /HTTPRoute podinfo was changed by meddler \(spec\.rules\), put right$/;
    const said = await eventsOf(kubectl, 'podinfo', changed);
    assert.equal(said.filter((line) => changed.test(line)).length, 1);
    const after = await routeOf(kubectl);
    assert.deepEqual(after.spec, before.spec);
    assert.equal(after.metadata.labels?.['team'], 'shop');
    watch.stop();
  } finally {
    await site.stop();
  }
});
