/** Knative Services as targets (`spec/01`, 3.6): whole rollouts beside a stand-in for Knative. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { CanaryAnalysis, CanarySpec } from '../../src/api/canary.ts';
import type { KnativeService, KnativeTraffic } from '../../src/api/knative.ts';
import { canaries, knativeRevisions, knativeServices } from '../../src/kube/resources.ts';
import { createCrds } from '../routing/crd-files.ts';
import { playKnative } from '../support/knative.ts';
import type { Stage } from '../support/stage.ts';
import { canaryOf, createStage, key } from '../support/stage.ts';

const serviceOf = (image: string): KnativeService => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: key,
  spec: { template: { spec: { containers: [{ image }] } } },
});

const spec: Partial<CanarySpec> = {
  provider: 'knative',
  targetRef: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'web' },
};

interface Given {
  readonly analysis?: CanaryAnalysis;
  readonly spec?: Partial<CanarySpec>;
  readonly passes?: () => boolean;
  readonly isReady?: (template: string) => boolean;
}

async function initialized(given: Given = {}): Promise<Stage> {
  const stage = await createStage({
    ...(given.passes && { passes: given.passes }),
    before: (api) => createCrds(api, [knativeServices, knativeRevisions]),
  });
  playKnative(stage.api, { ...(given.isReady && { isReady: given.isReady }) });
  await stage.apply(knativeServices, serviceOf('web:1'));
  const { service: _, ...canary } = canaryOf(given.analysis, { ...spec, ...given.spec }).spec;
  await stage.apply(canaries, { ...canaryOf(), spec: canary });
  await stage.until('Initialized');
  await stage.world.clock.advance(15_000);
  return stage;
}

const setImage = (stage: Stage, image: string): Promise<void> =>
  stage.edit(knativeServices, (live) => ({
    ...live,
    spec: { ...live.spec, template: serviceOf(image).spec.template ?? {} },
  }));

const primaryOf = (stage: Stage) =>
  stage.live(knativeServices).metadata.annotations?.['flagger.app/primary-revision'];
const trafficOf = (stage: Stage) => stage.live(knativeServices).spec.traffic;
const split = (latest: number, primary: string): readonly KnativeTraffic[] => [
  { latestRevision: true, percent: latest },
  { revisionName: primary, percent: 100 - latest },
];

suite('a rollout of a Knative Service', () => {
  test('begins with the revision that is there', async () => {
    const stage = await initialized();
    assert.equal(primaryOf(stage), 'web-00001');
    assert.deepEqual(trafficOf(stage), split(0, 'web-00001'));
    stage.end();
  });

  test('promotes by naming the new revision, in steps', async () => {
    const stage = await initialized();
    await setImage(stage, 'web:2');
    await stage.until('Progressing');
    await stage.world.clock.advance(2_000);
    assert.deepEqual(trafficOf(stage), split(50, 'web-00001'));
    assert.equal(primaryOf(stage), 'web-00001');
    await stage.until('Succeeded');
    assert.equal(primaryOf(stage), 'web-00002');
    assert.deepEqual(trafficOf(stage), split(0, 'web-00002'));
    assert.ok(stage.said().includes('Advance web.default canary weight 50'));
    stage.end();
  });

  test('ends also where the promotion goes in steps', async () => {
    const stage = await initialized({ analysis: { stepWeightPromotion: 30 } });
    await setImage(stage, 'web:2');
    await stage.until('Succeeded');
    assert.deepEqual(trafficOf(stage), split(0, 'web-00002'));
    stage.end();
  });

  test('rolls back what fails its checks', async () => {
    const stage = await initialized({ passes: () => false });
    await setImage(stage, 'web:2-bad');
    await stage.until('Failed');
    assert.equal(primaryOf(stage), 'web-00001');
    assert.deepEqual(trafficOf(stage), split(0, 'web-00001'));
    stage.end();
  });

  test('fails a revision that never gets ready, at the deadline', async () => {
    const stage = await initialized({ isReady: (template) => !template.includes('unready') });
    await setImage(stage, 'web:2-unready');
    await stage.until('Failed');
    await stage.world.clock.advance(1_000);
    assert.ok(stage.said().includes('Knative Revision web-00002.default is not ready'));
    assert.deepEqual(trafficOf(stage), split(0, 'web-00001'));
    stage.end();
  });

  test('D17: a newer revision gets nothing before its own analysis', async () => {
    const stage = await initialized();
    await setImage(stage, 'web:2');
    await stage.until('Progressing');
    await stage.world.clock.advance(2_000);
    await setImage(stage, 'web:3');
    assert.ok(stage.said().includes('New revision detected! Restarting analysis for web.default'));
    await stage.until('Succeeded');
    assert.equal(primaryOf(stage), 'web-00003');
    stage.end();
  });

  test('D26: restores a mark that somebody took off, and gives all back in the end', async () => {
    const stage = await initialized({ spec: { revertOnDeletion: true } });
    await stage.edit(knativeServices, (live) => {
      const { annotations: _, ...metadata } = live.metadata;
      return { ...live, metadata };
    });
    assert.equal(primaryOf(stage), 'web-00001');
    await stage.remove(canaries);
    await stage.world.clock.advance(60_000);
    assert.equal(stage.find(canaries), undefined);
    assert.deepEqual(trafficOf(stage), [{ latestRevision: true, percent: 100 }]);
    assert.equal(primaryOf(stage), undefined);
    stage.end();
  });
});
