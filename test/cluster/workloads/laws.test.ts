/**
 * What holds in every rollout, whatever users do: never more pods than replicas + maxSurge, never
 * fewer available ones than replicas - maxUnavailable while all behave, and in the end what was asked.
 * Source: Kubernetes docs, "Deployments", "Rolling Update Deployment".
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { availableInMs, isGoing } from '../../../src/cluster/workloads/kinds.ts';
import type { PlanPod } from '../../../src/cluster/workloads/pods.ts';
import { deployments } from '../../../src/kube/resources.ts';
import type { World } from './world.ts';
import { createWorld, imageOf, said, template, webOf } from './world.ts';

type Step =
  | { readonly kind: 'Image'; readonly version: number; readonly afterMs: number }
  | { readonly kind: 'Size'; readonly replicas: number; readonly afterMs: number }
  | { readonly kind: 'Pause'; readonly paused: boolean; readonly afterMs: number };

const afterMs = fc.integer({ min: 0, max: 20_000 });
const image: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('Image' as const),
  version: fc.integer({ min: 1, max: 4 }),
  afterMs,
});
const size: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('Size' as const),
  replicas: fc.integer({ min: 0, max: 7 }),
  afterMs,
});
const pause: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('Pause' as const),
  paused: fc.boolean(),
  afterMs,
});
const bound = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.integer({ min: 0, max: 100 }).map((percent) => `${percent}%`),
);
const bounds = fc
  .record({ maxSurge: bound, maxUnavailable: bound })
  .filter(({ maxSurge, maxUnavailable }) => {
    const isNone = (it: number | string): boolean => it === 0 || it === '0%';
    return !(isNone(maxSurge) && isNone(maxUnavailable));
  });

const share = (of: number | string, whole: number, round: (n: number) => number): number =>
  typeof of === 'number' ? of : round((Number(of.slice(0, -1)) * whole) / 100);

const readyMs = (version: string): number => ({ 'app:2': 200, 'app:3': 7_000 })[version] ?? 1_000;
/** Pods of one version take their time to go, so that going ones are seen. */
const behaved: PlanPod = (pod) => ({
  readyMs: readyMs(imageOf(pod)),
  stopMs: imageOf(pod) === 'app:2' ? 3_000 : 0,
});

async function take(world: World, step: Step): Promise<void> {
  await world.change(deployments, 'web', ({ spec, ...object }) => {
    switch (step.kind) {
      case 'Image':
        return { ...object, spec: { ...spec, template: template(`app:${step.version}`) } };
      case 'Size':
        return { ...object, spec: { ...spec, replicas: step.replicas } };
      case 'Pause':
        return { ...object, spec: { ...spec, paused: step.paused } };
    }
  });
}

async function assertEndsAsAsked(world: World): Promise<void> {
  await world.change(deployments, 'web', (it) => ({ ...it, spec: { ...it.spec, paused: false } }));
  await world.clock.advance(600_000);
  const { spec } = world.get(deployments, 'web');
  const wanted = Array.from({ length: spec.replicas ?? 1 }, () =>
    imageOf({ spec: spec.template.spec } as never),
  );
  assert.deepEqual(world.pods().map(imageOf), wanted);
  assert.equal(said(world.status(), 'Progressing'), 'True NewReplicaSetAvailable');
  assert.equal(
    world.status().observedGeneration,
    world.get(deployments, 'web').metadata.generation,
  );
  assert.deepEqual(world.complaints, []);
  const before = world.writes();
  await world.clock.advance(3_600_000);
  assert.equal(world.writes(), before, 'at its end nothing is written');
}

test('a rollout keeps to maxSurge and maxUnavailable and ends as asked', async () => {
  const story = fc.record({
    replicas: fc.integer({ min: 1, max: 7 }),
    minReadySeconds: fc.constantFrom(0, 3),
    bounds,
    steps: fc.array(image, { minLength: 1, maxLength: 5 }),
  });
  await fc.assert(
    fc.asyncProperty(story, async ({ replicas, minReadySeconds, bounds: limits, steps }) => {
      const world = await createWorld({ plan: behaved });
      const strategy = { type: 'RollingUpdate', rollingUpdate: limits };
      await world.create(deployments, webOf({ replicas, minReadySeconds, strategy }));
      await world.clock.advance(60_000);
      const surge = share(limits.maxSurge, replicas, Math.ceil);
      const unavailable = share(limits.maxUnavailable, replicas, Math.floor);
      const least = replicas - (surge === 0 && unavailable === 0 ? 1 : unavailable);
      const broken: string[] = [];
      world.cluster.api.onChange(() => {
        const asked = world.sets().reduce((sum, { spec }) => sum + (spec.replicas ?? 1), 0);
        if (asked > replicas + surge) broken.push(`${asked} pods asked for`);
        const nowMs = world.clock.now();
        const live = world.pods().filter((pod) => !isGoing(pod));
        const available = live.filter((pod) => availableInMs(pod, minReadySeconds, nowMs) === 0);
        if (available.length < least) broken.push(`${available.length} available`);
      });
      // A set that grows may be quicker than the one that shrinks: pods are counted at rest.
      const atRest = (): boolean => {
        const live = world.pods().filter((pod) => !isGoing(pod));
        if (live.length > replicas + surge) broken.push(`${live.length} pods`);
        return false;
      };
      for (const step of steps) {
        await take(world, step);
        await world.clock.advanceUntil(atRest, step.afterMs);
      }
      await world.clock.advanceUntil(atRest, 60_000);
      assert.deepEqual(broken, []);
      await assertEndsAsAsked(world);
    }),
    { numRuns: 30 },
  );
});

test('whatever users do, and however often, in the end there is what they asked for', async () => {
  const story = fc.record({
    strategy: fc.oneof(
      fc.constant({ type: 'Recreate' } as const),
      bounds.map((rollingUpdate) => ({ type: 'RollingUpdate', rollingUpdate })),
    ),
    steps: fc.array(fc.oneof(image, size, pause), { minLength: 1, maxLength: 8 }),
  });
  await fc.assert(
    fc.asyncProperty(story, async ({ strategy, steps }) => {
      const world = await createWorld({ plan: behaved });
      await world.create(deployments, webOf({ replicas: 2, strategy }));
      for (const step of steps) {
        await take(world, step);
        await world.clock.advance(step.afterMs);
      }
      await assertEndsAsAsked(world);
    }),
    { numRuns: 50 },
  );
});
