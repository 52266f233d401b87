/**
 * Whole rollouts of every strategy behind every provider, through the real controller on the embedded
 * cluster, with the real CRDs: what its routes say at each change, and what is written before what.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Canary, CanaryAnalysis, CanarySpec } from '../../src/api/canary.ts';
import type { KubeObject } from '../../src/api/kubernetes.ts';
import { supportedProviders } from '../../src/api/providers.ts';
import type { ControllerApi } from '../../src/cluster/controller-api.ts';
import { canaries, deployments } from '../../src/kube/resources.ts';
import type { OpaqueObject, Resource } from '../../src/kube/resources.ts';
import type { RoutingProvider } from '../../src/routing/provider.ts';
import { providerFor } from '../../src/routing/registry.ts';
import type { Stage } from '../support/stage.ts';
import { canaryOf, createStage, key, setImage, target } from '../support/stage.ts';
import { createCrds } from './crd-files.ts';
import { furnished, userObjects } from './sources.ts';

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

/** What Knative shares out are revisions: see test/targets. */
const providers = Object.keys(supportedProviders).filter(
  (name) => name !== 'knative' && supportedProviders[name]?.weights === true,
);

const resourcesOf = (
  provider: RoutingProvider,
  canary: Canary,
): readonly Resource<KubeObject>[] => [
  ...new Set(provider.routeKeys(canary).map(({ resource }) => resource)),
];

async function play(name: string, { spec, passes }: Options, acts: (play: Play) => Promise<void>) {
  const provider = providerFor(name);
  assert.ok(provider);
  const canary = furnished(
    provider,
    canaryOf(
      {},
      { provider: name, service: { port: 80, gatewayRefs: [{ name: 'public' }] }, ...spec },
    ),
  );
  const stage = await createStage({
    ...(passes !== undefined && { passes }),
    before: (api) => furnish(api, provider, canary),
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

/** What the mesh or the ingress controller brings, and what users have before the canary. */
async function furnish(
  api: ControllerApi,
  provider: RoutingProvider,
  canary: Canary,
): Promise<void> {
  const resources = resourcesOf(provider, canary);
  await createCrds(api, resources);
  for (const object of userObjects(canary)) {
    const resource = resources.find(({ kind }) => kind === object.kind);
    if (resource !== undefined) await api.create(resource, object);
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

for (const name of providers) {
  const { match, mirroring } = supportedProviders[name] ?? assert.fail();
  const { stepWeight: _, maxWeight: __, ...analysis } = canaryOf().spec.analysis ?? {};
  const insiders = { iterations: 2, match: [{ headers: { 'x-canary': { exact: 'insider' } } }] };
  const goesThrough = async (more: CanaryAnalysis, weights: readonly number[]): Promise<void> =>
    play(name, { spec: { analysis: { ...analysis, ...more } } }, async (it) => {
      await rollOut(it, 'Succeeded');
      assert.deepEqual(it.told.weights, weights);
    });

  test(`blue/green behind ${name}`, () => goesThrough({ iterations: 2 }, [0, 100, 0]));

  if (match !== undefined) {
    test(`an A/B test behind ${name}`, () => goesThrough(insiders, [0, 100, 0]));

    test(`R5: an A/B test behind ${name} ends where the promotion goes in steps`, () =>
      goesThrough({ ...insiders, stepWeightPromotion: 60 }, [0, 100, 40, 0]));
  }

  const says = mirroring ? 'ends' : 'ends where nothing can be mirrored';
  test(`R5: mirroring before weights behind ${name} ${says}`, () =>
    goesThrough({ mirror: true, stepWeight: 50, maxWeight: 50 }, [0, 50, 0]));
}

test('R5: mirroring with session affinity ends behind Istio', async () => {
  const sessionAffinity = { cookieName: 'web' };
  const { analysis = {} } = canaryOf({ mirror: true, sessionAffinity }).spec;
  await play('istio', { spec: { analysis } }, async (it) => {
    await rollOut(it, 'Succeeded');
    assert.deepEqual(it.told.weights, [0, 50, 0]);
  });
});

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
