/**
 * Whole rollouts of a target that KEDA scales, through the real controller on the embedded cluster
 * with KEDA's own CRD: who is paused when, and what the primary's copy says (`spec/01`, 3.14).
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { CanarySpec } from '../../src/api/canary.ts';
import type { ScaledObject } from '../../src/api/kubernetes.ts';
import { canaries, customResourceDefinitions, deployments } from '../../src/kube/resources.ts';
import type { OpaqueObject } from '../../src/kube/resources.ts';
import { pauseAnnotation, scaledObjects } from '../../src/targets/scaled-object.ts';
import type { Stage } from '../support/stage.ts';
import { canaryOf, createStage, key, setImage, target } from '../support/stage.ts';

const definitionFile = new URL('../crds/keda/scaledobjects.keda.sh.yaml', import.meta.url);
const definition = parse(readFileSync(definitionFile, 'utf8')) as OpaqueObject;

const source: ScaledObject = {
  apiVersion: 'keda.sh/v1alpha1',
  kind: 'ScaledObject',
  metadata: key,
  spec: {
    scaleTargetRef: { name: 'web' },
    minReplicaCount: 1,
    maxReplicaCount: 4,
    triggers: [
      {
        type: 'prometheus',
        metadata: { serverAddress: 'http://it', threshold: '5', query: 'sum(web)' },
      },
    ],
  },
};

const scaled: Partial<CanarySpec> = {
  autoscalerRef: { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', name: 'web' },
};

const withKeda = (passes: () => boolean): Promise<Stage> =>
  createStage({ passes, before: (api) => api.create(customResourceDefinitions, definition) });

async function play(
  spec: Partial<CanarySpec>,
  passes: () => boolean,
  acts: (stage: Stage) => Promise<void>,
): Promise<void> {
  const stage = await withKeda(passes);
  try {
    await stage.apply(deployments, target);
    await stage.apply(scaledObjects, source);
    await stage.apply(canaries, canaryOf({}, { ...scaled, ...spec }));
    await stage.until('Initialized');
    await stage.world.clock.advance(20_000);
    await acts(stage);
  } finally {
    stage.end();
  }
}

const pauseOf = (stage: Stage, name?: string): string | undefined =>
  stage.live(scaledObjects, name).metadata.annotations?.[pauseAnnotation];

for (const [ending, passes] of [
  ['Succeeded', true],
  ['Failed', false],
] as const) {
  test(`the source sleeps but for the analysis, which ends ${ending}`, async () => {
    await play(
      {},
      () => passes,
      async (stage) => {
        assert.equal(pauseOf(stage), '0');
        await setImage(stage, 'web:2');
        await stage.until('Progressing');
        await stage.world.clock.advance(2_000);
        assert.equal(pauseOf(stage), undefined);
        await stage.until(ending);
        await stage.world.clock.advance(20_000);
        assert.equal(pauseOf(stage), '0');
        assert.equal(pauseOf(stage, 'web-primary'), undefined);
        assert.equal(stage.live(deployments).spec.replicas, 0);
      },
    );
  });
}

test('the copy asks for the primary, and follows the source with a promotion', async () => {
  await play(
    {},
    () => true,
    async (stage) => {
      const { spec } = stage.live(scaledObjects, 'web-primary');
      assert.equal(spec.scaleTargetRef.name, 'web-primary');
      assert.equal(spec.triggers[0]?.metadata['query'], 'sum(web-primary)');
      await stage.edit(scaledObjects, (live) => ({
        ...live,
        spec: { ...live.spec, maxReplicaCount: 9 },
      }));
      await setImage(stage, 'web:2');
      await stage.until('Progressing');
      await stage.until('Succeeded');
      assert.equal(stage.live(scaledObjects, 'web-primary').spec.maxReplicaCount, 9);
    },
  );
});

test('the target is brought up with what its ScaledObject keeps at least', async () => {
  await play(
    {},
    () => true,
    async (stage) => {
      await stage.edit(scaledObjects, (live) => ({
        ...live,
        spec: { ...live.spec, minReplicaCount: 3 },
      }));
      await setImage(stage, 'web:2');
      await stage.until('Progressing');
      await stage.world.clock.advance(2_000);
      assert.equal(stage.live(deployments).spec.replicas, 3);
    },
  );
});

test('revertOnDeletion wakes the source with the target', async () => {
  await play(
    { revertOnDeletion: true },
    () => true,
    async (stage) => {
      assert.equal(pauseOf(stage), '0');
      await stage.remove(canaries);
      await stage.world.clock.advance(60_000);
      assert.equal(stage.find(canaries), undefined);
      assert.equal(pauseOf(stage), undefined);
      assert.equal(stage.live(deployments).spec.replicas, 1);
    },
  );
});

test('a canary whose ScaledObject is missing says so, and goes on when it comes', async () => {
  const stage = await withKeda(() => true);
  try {
    await stage.apply(deployments, target);
    await stage.apply(canaries, canaryOf({}, scaled));
    await stage.world.clock.advance(30_000);
    const told = 'Keda ScaledObject web.default get query error';
    assert.ok(
      stage.said().some((it) => it.startsWith(told)),
      stage.said().join('\n'),
    );
    await stage.apply(scaledObjects, source);
    await stage.until('Initialized');
  } finally {
    stage.end();
  }
});

test('a cluster without KEDA is not waited for: the canary says what it lacks', async () => {
  const stage = await createStage();
  try {
    await stage.apply(deployments, target);
    await stage.apply(canaries, canaryOf({}, scaled));
    await stage.world.clock.advance(30_000);
    const told = 'Keda ScaledObject web.default get query error';
    assert.ok(
      stage.said().some((it) => it.startsWith(told)),
      stage.said().join('\n'),
    );
  } finally {
    stage.end();
  }
});
