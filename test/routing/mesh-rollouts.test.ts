/**
 * Whole rollouts through the real controller on the embedded cluster, with the real CRDs of SMI,
 * Kuma, Gloo and App Mesh: what its routes say at each change, and what is written before what.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Canary, CanarySpec } from '../../src/api/canary.ts';
import type { KubeObject } from '../../src/api/kubernetes.ts';
import type { ControllerApi } from '../../src/cluster/controller-api.ts';
import { canaries, customResourceDefinitions, deployments } from '../../src/kube/resources.ts';
import type { OpaqueObject, Resource } from '../../src/kube/resources.ts';
import type { RoutingProvider } from '../../src/routing/provider.ts';
import { providerFor } from '../../src/routing/registry.ts';
import type { Stage } from '../support/stage.ts';
import { canaryOf, createStage, key, setImage, target } from '../support/stage.ts';
import { crdChoices } from './crd-files.ts';

interface Told {
  /** Weights of the canary, each as often as it was reached. */
  readonly weights: number[];
  /** Kinds and names of what was made, in order. */
  readonly made: string[];
}

interface Play {
  readonly stage: Stage;
  readonly provider: RoutingProvider;
  readonly told: Told;
}

interface Options {
  readonly spec?: Partial<CanarySpec>;
  readonly passes?: () => boolean;
}

const providers = [
  'linkerd',
  'osm',
  'smi:v1alpha1',
  'smi:v1alpha2',
  'smi:v1alpha3',
  'kuma',
  'gloo',
  'appmesh',
  'appmesh:v1beta2',
];

const resourcesOf = (
  provider: RoutingProvider,
  canary: Canary,
): readonly Resource<KubeObject>[] => [
  ...new Set(provider.routeKeys(canary).map(({ resource }) => resource)),
];

async function play(name: string, { spec, passes }: Options, acts: (play: Play) => Promise<void>) {
  const provider = providerFor(name);
  assert.ok(provider);
  const canary = canaryOf(
    {},
    { provider: name, service: { port: 80, meshName: 'global' }, ...spec },
  );
  const [definitions = []] = crdChoices(resourcesOf(provider, canary));
  assert.ok(definitions.length > 0, `no CRDs for ${name}`);
  const stage = await createStage({
    ...(passes !== undefined && { passes }),
    before: (api) =>
      Promise.all(
        definitions.map(({ definition }) =>
          api.create(customResourceDefinitions, definition as KubeObject as OpaqueObject),
        ),
      ),
  });
  const told = listen(stage.api, provider, canary);
  try {
    await stage.apply(deployments, target);
    await stage.apply(canaries, canary);
    await acts({ stage, provider, told });
  } finally {
    stage.end();
  }
}

function listen(api: ControllerApi, provider: RoutingProvider, canary: Canary): Told {
  const told: Told = { weights: [], made: [] };
  api.onChange(({ before, after }) => {
    if (before === undefined && after !== undefined) {
      told.made.push(`${after.kind} ${after.metadata.name}`);
    }
    const split = provider.read(canary, ({ resource, name }) =>
      api.get(resource, { namespace: resource.namespaced ? key.namespace : '', name }),
    );
    if (split === undefined) return;
    assert.equal(split.primary + split.canary, 100);
    if (told.weights.at(-1) !== split.canary) told.weights.push(split.canary);
  });
  return told;
}

async function rollOut({ stage }: Play, ending: string): Promise<void> {
  await stage.until('Initialized');
  await stage.world.clock.advance(20_000);
  await setImage(stage, 'web:2');
  await stage.until('Progressing');
  await stage.until(ending);
  await stage.world.clock.advance(20_000);
}

for (const name of providers) {
  suite(`a rollout behind ${name}`, () => {
    test('is promoted step by step', async () => {
      await play(name, {}, async (it) => {
        await rollOut(it, 'Succeeded');
        assert.deepEqual(it.told.weights, [0, 50, 0]);
        const primary = it.stage.live(deployments, 'web-primary');
        assert.equal(primary.spec.template.spec.containers[0]?.image, 'web:2');
        assert.equal(it.stage.live(deployments).spec.replicas, 0);
      });
    });

    test('is rolled back', async () => {
      await play(name, { passes: () => false }, async (it) => {
        await rollOut(it, 'Failed');
        assert.deepEqual(it.told.weights, [0, 50, 0]);
        const primary = it.stage.live(deployments, 'web-primary');
        assert.equal(primary.spec.template.spec.containers[0]?.image, 'web:1');
      });
    });
  });
}

for (const name of ['gloo', 'appmesh', 'appmesh:v1beta2']) {
  test(`an A/B test behind ${name}`, async () => {
    const analysis = {
      ...canaryOf().spec.analysis,
      iterations: 2,
      match: [{ headers: { 'x-canary': { exact: 'insider' } } }],
    };
    const { stepWeight: _, maxWeight: __, ...abTest } = analysis;
    await play(name, { spec: { analysis: abTest } }, async (it) => {
      await rollOut(it, 'Succeeded');
      assert.deepEqual(it.told.weights, [0, 100, 0]);
    });
  });
}

for (const name of ['appmesh', 'appmesh:v1beta2']) {
  test(`pods of the primary find their VirtualNode behind ${name}, and nobody is led there before`, async () => {
    await play(name, {}, async ({ stage, told }) => {
      await stage.until('Initialized');
      const at = (object: string): number => {
        const index = told.made.indexOf(object);
        assert.ok(index >= 0, `${object} among ${told.made.join(', ')}`);
        return index;
      };
      const primary = at('Deployment web-primary');
      assert.ok(at('VirtualNode web-primary') < primary);
      assert.ok(at('VirtualNode web-canary') < primary);
      const isV1beta1 = name === 'appmesh';
      assert.ok(at(isV1beta1 ? 'VirtualService web.default' : 'VirtualRouter web') > primary);
    });
  });
}

test('nodes of App Mesh v1beta2 select the pods of their side', async () => {
  await play('appmesh:v1beta2', {}, async ({ stage, provider }) => {
    await stage.until('Initialized');
    const [node] = provider.routeKeys(stage.live(canaries));
    assert.ok(node);
    const selectorOf = (side: string) => {
      const { spec } = stage.live(node.resource, `web-${side}`) as OpaqueObject;
      return (spec as { readonly podSelector?: unknown }).podSelector;
    };
    assert.deepEqual(selectorOf('canary'), { matchLabels: { app: 'web' } });
    assert.deepEqual(selectorOf('primary'), { matchLabels: { app: 'web-primary' } });
  });
});

suite('with revertOnDeletion', () => {
  const removed = async ({ stage }: Play): Promise<void> => {
    await stage.until('Initialized');
    await stage.world.clock.advance(20_000);
    await stage.remove(canaries);
    await stage.world.clock.advance(60_000);
    assert.equal(stage.find(canaries), undefined);
    assert.equal(stage.live(deployments).spec.replicas, 1);
  };
  const routeOf = ({ provider, stage }: Play, canary: Canary): KubeObject | undefined => {
    const [route] = provider.routeKeys(canary);
    assert.ok(route);
    const { resource, name } = route;
    const namespace = resource.namespaced ? key.namespace : '';
    return stage.api.get(resource, { namespace, name });
  };

  test('R8: the route of Kuma, which nothing owns, stays without saying anything', async () => {
    await play('kuma', { spec: { revertOnDeletion: true } }, async (it) => {
      await it.stage.until('Initialized');
      const canary = it.stage.live(canaries);
      await removed(it);
      const { spec } = routeOf(it, canary) as OpaqueObject;
      const { conf } = spec as { readonly conf: unknown };
      assert.deepEqual(conf, { destination: { 'kuma.io/service': 'web_default_svc_80' } });
    });
  });
});
