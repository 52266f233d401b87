/**
 * What the reference wrote for App Mesh, SMI, Kuma and Gloo on a real API server is what Aviary
 * writes for the same canary and split, is read as that split, and is left as it is when a team moves
 * over in the middle of a rollout.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { Canary, CanaryAnalysis, CanaryService, CanarySpec } from '../../src/api/canary.ts';
import type { Json, KubeObject, StringMap } from '../../src/api/kubernetes.ts';
import { apiVersionOf } from '../../src/kube/resources.ts';
import type { LiveRoutes, Split } from '../../src/routing/provider.ts';
import { providerFor } from '../../src/routing/registry.ts';
import { canaryOf } from './canaries.ts';
import { goldenDirectory } from './golden-cases.ts';
import { sourcesFor } from './sources.ts';

interface Scenario {
  readonly provider: string;
  readonly namespace: string;
  readonly annotations?: StringMap;
  readonly upstreamRef?: NonNullable<CanarySpec['upstreamRef']>;
  readonly given?: readonly KubeObject[];
  readonly service: CanaryService;
  readonly analysis: CanaryAnalysis;
  readonly routes: readonly {
    readonly split: Split;
    /** By kind and name. */
    readonly specs: Readonly<Record<string, Json>>;
  }[];
}

const file = join(goldenDirectory, 'meshes-recorded.yaml');
const recorded = parse(readFileSync(file, 'utf8')) as Readonly<Record<string, Scenario>>;

/** The route that the reference lacks: without it everybody else gets no answer (`spec/02`, 7.2). */
const everybodyElse = {
  inheritablePathMatchers: true,
  routeAction: {
    multi: {
      destinations: [
        {
          destination: {
            upstream: { name: 'glooab-podinfo-primaryupstream-80', namespace: 'glooab' },
          },
          weight: 100,
        },
        {
          destination: {
            upstream: { name: 'glooab-podinfo-canaryupstream-80', namespace: 'glooab' },
          },
        },
      ],
    },
  },
};

const expectedOf = (scenario: string, specs: Scenario['routes'][number]['specs']) => {
  if (scenario !== 'glooab') return specs;
  const { routes } = specs['RouteTable podinfo'] as { readonly routes: readonly Json[] };
  return { ...specs, 'RouteTable podinfo': { routes: [...routes, everybodyElse] } };
};

function canaryFrom({ service, analysis, provider, ...given }: Scenario): Canary {
  const { metadata, spec, ...rest } = canaryOf(service, analysis);
  const { namespace, annotations, upstreamRef } = given;
  return {
    ...rest,
    metadata: { ...metadata, namespace, ...(annotations && { annotations }) },
    spec: { ...spec, provider, ...(upstreamRef && { upstreamRef }) },
  };
}

const liveOf =
  (objects: readonly KubeObject[]): LiveRoutes =>
  ({ resource, name }) =>
    objects.find((it) => it.kind === resource.kind && it.metadata.name === name);

for (const [name, scenario] of Object.entries(recorded)) {
  const canary = canaryFrom(scenario);
  const provider = providerFor(scenario.provider);
  assert.ok(provider);
  const around = [...sourcesFor(canary), ...(scenario.given ?? [])];
  for (const [index, { split, specs }] of scenario.routes.entries()) {
    const render = (live: readonly KubeObject[]) => {
      const rendered = provider.render(canary, split, {}, liveOf([...around, ...live]));
      assert.ok(rendered.ok, rendered.ok ? '' : rendered.error);
      return rendered.objects;
    };
    const specsIn = (objects: ReturnType<typeof render>) =>
      Object.fromEntries(
        objects.map(({ wanted }) => [
          `${wanted.kind} ${wanted.metadata.name}`,
          (wanted as KubeObject & { readonly spec: Json }).spec,
        ]),
      );
    const found = provider.routeKeys(canary).map(({ resource, name: object }) => ({
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      metadata: { name: object, namespace: scenario.namespace },
      spec: specs[`${resource.kind} ${object}`],
    }));

    test(`recorded ${name}, step ${index}: written as the reference does`, () => {
      assert.deepEqual(specsIn(render([])), expectedOf(name, specs));
    });

    test(`recorded ${name}, step ${index}: read as its split, and left as it is`, () => {
      assert.deepEqual(provider.read(canary, liveOf(found)), split);
      assert.deepEqual(specsIn(render(found)), expectedOf(name, specs));
    });
  }
}
