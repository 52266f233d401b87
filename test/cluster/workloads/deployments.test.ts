/** Stories of Deployments. Expectations: Kubernetes docs, "Deployments". */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment } from '../../../src/api/kubernetes.ts';
import { isReady } from '../../../src/cluster/workloads/kinds.ts';
import type { PlanPod } from '../../../src/cluster/workloads/pods.ts';
import { deployments } from '../../../src/kube/resources.ts';
import { readinessOf } from '../../../src/targets/readiness.ts';
import type { World } from './world.ts';
import { createWorld, imageOf, said, webOf, withImage, withReplicas } from './world.ts';

const hourMs = 3_600_000;
const slow: PlanPod = (pod) =>
  imageOf(pod) === 'app:bad' ? { waitingReason: 'ImagePullBackOff' } : { readyMs: 1_000 };

/** One that has rolled out. */
async function rolledOut(spec: Partial<Deployment['spec']> = {}, plan = slow): Promise<World> {
  const world = await createWorld({ plan });
  await world.create(deployments, webOf(spec));
  await world.clock.advance(10_000);
  return world;
}

const sizes = (world: World): Record<string, number> =>
  Object.fromEntries(
    world.sets().map(({ spec }) => [spec.template.spec.containers[0]?.image, spec.replicas ?? 1]),
  );

/** What the Deployment's status said, one line for each time that it said something else. */
function listen(world: World): readonly string[] {
  const lines: string[] = [];
  world.cluster.api.onChange(({ groupResource, after }) => {
    if (groupResource !== 'deployments.apps' || after === undefined) return;
    const { status = {}, metadata } = after as Deployment;
    const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
    const isSeen = status.observedGeneration === metadata.generation ? '' : ' unobserved';
    const why = status.conditions?.find(({ type }) => type === 'Progressing')?.reason ?? '';
    const line = `${updatedReplicas}/${replicas} updated, ${availableReplicas} available: ${why}${isSeen}`;
    if (lines.at(-1) !== line) lines.push(line);
  });
  return lines;
}

test('a new Deployment gets one ReplicaSet, its pods, and says so', async () => {
  const world = await rolledOut({ replicas: 3 });
  const [set, ...others] = world.sets();
  assert.deepEqual(others, []);
  const hash = set?.metadata.labels?.['pod-template-hash'];
  assert.equal(set?.metadata.name, `web-${hash}`);
  assert.equal(set.spec.selector.matchLabels?.['pod-template-hash'], hash);
  assert.deepEqual(
    world.pods().map((pod) => [pod.metadata.labels?.['pod-template-hash'], isReady(pod)]),
    Array.from({ length: 3 }, () => [hash, true]),
  );
  const { conditions: _, ...status } = world.status();
  assert.deepEqual(status, {
    observedGeneration: 1,
    replicas: 3,
    updatedReplicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
    terminatingReplicas: 0,
  });
  assert.equal(said(world.status(), 'Available'), 'True MinimumReplicasAvailable');
  assert.equal(said(world.status(), 'Progressing'), 'True NewReplicaSetAvailable');
  assert.equal(
    world.get(deployments, 'web').metadata.annotations?.['deployment.kubernetes.io/revision'],
    '1',
  );
  assert.deepEqual(world.complaints, []);
});

test('a rollout with surge says what Aviary and kubectl wait for, step by step', async () => {
  const world = await rolledOut({
    replicas: 2,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
  });
  const lines = listen(world);
  await world.change(deployments, 'web', withImage('app:2'));
  await world.clock.advance(10_000);
  assert.deepEqual(
    lines.filter((line) => !line.includes('unobserved')),
    [
      '0/2 updated, 2 available: NewReplicaSetCreated',
      '1/3 updated, 2 available: ReplicaSetUpdated',
      '1/3 updated, 3 available: ReplicaSetUpdated',
      '1/2 updated, 2 available: ReplicaSetUpdated',
      '2/3 updated, 2 available: ReplicaSetUpdated',
      '2/3 updated, 3 available: ReplicaSetUpdated',
      '2/2 updated, 2 available: NewReplicaSetAvailable',
    ],
  );
  assert.deepEqual(sizes(world), { 'app:1': 0, 'app:2': 2 });
  const ready = readinessOf(world.get(deployments, 'web'), {
    deadlineMs: 600_000,
    thresholdPercent: 100,
    unavailableMs: 0,
  });
  assert.deepEqual(ready, { kind: 'Ready' });
});

test('a rollout that does not move exceeds its deadline, a second after it', async () => {
  const world = await rolledOut({ replicas: 2, progressDeadlineSeconds: 60 });
  await world.change(deployments, 'web', withImage('app:bad'));
  await world.clock.advance(60_000);
  assert.equal(said(world.status(), 'Progressing'), 'True ReplicaSetUpdated');
  await world.clock.advance(1_001);
  assert.equal(said(world.status(), 'Progressing'), 'False ProgressDeadlineExceeded');
  assert.equal(said(world.status(), 'Available'), 'True MinimumReplicasAvailable');
  const { message } = world.status().conditions?.find(({ type }) => type === 'Progressing') ?? {};
  assert.match(message ?? '', /^ReplicaSet "web-\w+" has timed out progressing\.$/);
  assert.deepEqual(sizes(world), { 'app:1': 2, 'app:bad': 1 });
});

test('going back to a template makes it the newest revision again', async () => {
  const world = await rolledOut({ replicas: 2 });
  await world.change(deployments, 'web', withImage('app:bad'));
  await world.clock.advance(20_000);
  await world.change(deployments, 'web', withImage('app:1'));
  await world.clock.advance(20_000);
  assert.deepEqual(sizes(world), { 'app:1': 2, 'app:bad': 0 });
  const revisions = world
    .sets()
    .map(({ metadata: { annotations }, spec }) => [
      spec.template.spec.containers[0]?.image,
      annotations?.['deployment.kubernetes.io/revision'],
      annotations?.['deployment.kubernetes.io/revision-history'],
    ]);
  assert.deepEqual(
    new Set(revisions),
    new Set([
      ['app:1', '3', '1'],
      ['app:bad', '2', undefined],
    ]),
  );
  assert.equal(said(world.status(), 'Progressing'), 'True NewReplicaSetAvailable');
  assert.equal(
    world.get(deployments, 'web').metadata.annotations?.['deployment.kubernetes.io/revision'],
    '3',
  );
});

test('after a deadline exceeded, a rollout that works is available again', async () => {
  const world = await rolledOut({ replicas: 1, progressDeadlineSeconds: 10 });
  await world.change(deployments, 'web', withImage('app:bad'));
  await world.clock.advance(20_000);
  assert.equal(said(world.status(), 'Progressing'), 'False ProgressDeadlineExceeded');
  await world.change(deployments, 'web', withImage('app:2'));
  await world.clock.advance(20_000);
  assert.equal(said(world.status(), 'Progressing'), 'True NewReplicaSetAvailable');
  assert.deepEqual(sizes(world), { 'app:1': 0, 'app:2': 1, 'app:bad': 0 });
});

test('Recreate starts nothing new before the last old pod is gone', async () => {
  const world = await createWorld({ plan: () => ({ readyMs: 1_000, stopMs: 5_000 }) });
  await world.create(deployments, webOf({ replicas: 2, strategy: { type: 'Recreate' } }));
  await world.clock.advance(10_000);
  await world.change(deployments, 'web', withImage('app:2'));
  await world.clock.advance(4_999);
  assert.deepEqual(sizes(world), { 'app:1': 0 });
  assert.equal(world.pods().length, 2);
  assert.equal(said(world.status(), 'Available'), 'False MinimumReplicasUnavailable');
  assert.equal(world.status().terminatingReplicas, 2);
  await world.clock.advance(2_000);
  assert.deepEqual(sizes(world), { 'app:1': 0, 'app:2': 2 });
  assert.deepEqual(world.pods().map(imageOf), ['app:2', 'app:2']);
  assert.equal(said(world.status(), 'Progressing'), 'True NewReplicaSetAvailable');
});

test('a change of size is no rollout', async () => {
  const world = await rolledOut({ replicas: 2 });
  const lines = listen(world);
  await world.change(deployments, 'web', withReplicas(5));
  await world.clock.advance(10_000);
  await world.change(deployments, 'web', withReplicas(0));
  await world.clock.advance(10_000);
  assert.ok(
    lines.every((line) => line.includes('NewReplicaSetAvailable')),
    lines.join('\n'),
  );
  assert.deepEqual(sizes(world), { 'app:1': 0 });
  assert.deepEqual(world.pods(), []);
  assert.equal(world.status().observedGeneration, 3);
  assert.equal(said(world.status(), 'Available'), 'True MinimumReplicasAvailable');
});

test('a change of size in the middle of a rollout keeps the proportion', async () => {
  // The example of the docs: 10 replicas, surge 3, unavailable 2, an image that cannot be pulled.
  const world = await rolledOut({
    replicas: 10,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } },
  });
  await world.change(deployments, 'web', withImage('app:bad'));
  await world.clock.advance(5_000);
  assert.deepEqual(sizes(world), { 'app:1': 8, 'app:bad': 5 });
  await world.change(deployments, 'web', withReplicas(15));
  await world.clock.advance(5_000);
  assert.deepEqual(sizes(world), { 'app:1': 11, 'app:bad': 7 });
});

test('a Deployment that is paused does not roll out, but follows its size', async () => {
  const world = await rolledOut({ replicas: 2 });
  const pause = (paused: boolean) => (it: Deployment) => ({ ...it, spec: { ...it.spec, paused } });
  await world.change(deployments, 'web', pause(true));
  await world.change(deployments, 'web', withImage('app:2'));
  await world.change(deployments, 'web', withReplicas(3));
  await world.clock.advance(2 * hourMs);
  assert.deepEqual(sizes(world), { 'app:1': 3 });
  assert.equal(said(world.status(), 'Progressing'), 'Unknown DeploymentPaused');
  await world.change(deployments, 'web', pause(false));
  await world.clock.advance(10_000);
  assert.deepEqual(sizes(world), { 'app:1': 0, 'app:2': 3 });
  assert.equal(said(world.status(), 'Progressing'), 'True NewReplicaSetAvailable');
});

test('as many old ReplicaSets are kept as the history is long', async () => {
  const world = await rolledOut({ replicas: 1, revisionHistoryLimit: 2 });
  for (const version of [2, 3, 4, 5]) {
    await world.change(deployments, 'web', withImage(`app:${version}`));
    await world.clock.advance(10_000);
  }
  assert.deepEqual(Object.keys(sizes(world)).toSorted(), ['app:3', 'app:4', 'app:5']);
});

test('a pod counts as available after minReadySeconds', async () => {
  const world = await createWorld({ plan: slow });
  await world.create(deployments, webOf({ replicas: 1, minReadySeconds: 30 }));
  await world.clock.advance(20_000);
  assert.equal(world.status().readyReplicas, 1);
  assert.equal(world.status().availableReplicas, undefined);
  assert.equal(said(world.status(), 'Available'), 'False MinimumReplicasUnavailable');
  await world.clock.advance(12_000);
  assert.equal(world.status().availableReplicas, 1);
  assert.equal(said(world.status(), 'Progressing'), 'True NewReplicaSetAvailable');
});

test('a pod that somebody deletes is replaced', async () => {
  const world = await rolledOut({ replicas: 2 });
  const [victim] = world.pods();
  assert.ok(victim);
  await world.cluster.api.delete(
    { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true },
    { namespace: 'default', name: victim.metadata.name },
  );
  await world.clock.advance(5_000);
  assert.equal(world.pods().filter(isReady).length, 2);
  assert.ok(world.pods().every(({ metadata }) => metadata.name !== victim.metadata.name));
});

test('annotations of the Deployment are those of its newest ReplicaSet', async () => {
  const world = await rolledOut({ replicas: 1 });
  await world.change(deployments, 'web', (it) => ({
    ...it,
    metadata: {
      ...it.metadata,
      annotations: { ...it.metadata.annotations, 'kubernetes.io/change-cause': 'because' },
    },
  }));
  await world.clock.advance(1_000);
  assert.deepEqual(world.sets()[0]?.metadata.annotations, {
    'deployment.kubernetes.io/revision': '1',
    'deployment.kubernetes.io/desired-replicas': '1',
    'deployment.kubernetes.io/max-replicas': '2',
    'kubernetes.io/change-cause': 'because',
  });
});
