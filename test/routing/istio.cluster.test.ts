/**
 * The golden objects on a real API server with Istio's own CRDs: all fields are known there, and
 * what is stored is what was rendered, so that nothing is ever written twice.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { KubeObject } from '../../src/api/kubernetes.ts';
import { destinationRules, virtualServices } from '../../src/kube/resources.ts';
import { istio } from '../../src/routing/istio.ts';
import type { RenderedRoute } from '../../src/routing/provider.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { controlPlaneOrSkip } from '../cluster/require.ts';
import { liveOf } from './canaries.ts';
import { difference } from './conform.ts';
import type { GoldenCase } from './golden-cases.ts';
import { goldenCases } from './golden-cases.ts';

const crds = join(import.meta.dirname, '../crds/istio');
const kinds = [virtualServices, destinationRules]
  .map(({ plural, version, group }) => `${plural}.${version}.${group}`)
  .join();

const needed = { skip: await controlPlaneOrSkip() };

test('a real API server takes every golden object, and gives it back', needed, async (context) => {
  // Nobody collects objects whose owner does not exist: there is no controller manager.
  const plane = await startControlPlane({ nodes: 0, controllers: false });
  context.after(() => plane.stop());
  await run(plane, ['create', '-f', crds]);
  await run(plane, ['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
  for (const golden of goldenCases('istio')) {
    await context.test(golden.name, () => isStable(plane, golden));
  }
});

async function isStable(plane: ControlPlane, golden: GoldenCase): Promise<void> {
  const { name, split, cookies, live } = golden;
  const { metadata, ...rest } = golden.canary;
  const canary = { ...rest, metadata: { ...metadata, namespace: name } };
  const render = (found: readonly KubeObject[]): readonly RenderedRoute[] => {
    const rendered = istio.render(canary, split, cookies, liveOf(found));
    assert.ok(rendered.ok);
    return rendered.objects;
  };
  await run(plane, ['create', 'namespace', name]);
  const inNamespace = live.map((object) => ({
    ...object,
    metadata: { ...object.metadata, namespace: name },
  }));
  await write(plane, 'create', inNamespace);

  const routes = render(await stored(plane, name));
  const isNew = (route: RenderedRoute): boolean => route.live === undefined;
  await write(
    plane,
    'create',
    routes.filter(isNew).map(({ wanted }) => wanted),
  );
  await write(
    plane,
    'replace',
    routes.filter((it) => !isNew(it)).map(({ wanted }) => wanted),
  );

  const found = await stored(plane, name);
  assert.deepEqual(
    render(found).map(difference),
    routes.map(() => undefined),
  );
  assert.deepEqual(istio.read(canary, liveOf(found)), split);
}

async function write(
  plane: ControlPlane,
  verb: 'create' | 'replace',
  items: readonly KubeObject[],
): Promise<void> {
  if (items.length === 0) return;
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await run(plane, [verb, '--validate=strict', '-f', '-'], input);
}

async function stored(plane: ControlPlane, namespace: string): Promise<readonly KubeObject[]> {
  const stdout = await run(plane, ['get', kinds, '-n', namespace, '-o', 'json']);
  return (JSON.parse(stdout) as { readonly items: readonly KubeObject[] }).items;
}

async function run(plane: ControlPlane, args: readonly string[], input?: string): Promise<string> {
  const options = input === undefined ? {} : { input };
  const { code, stdout, stderr } = await plane.kubectl(args, options);
  assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}
