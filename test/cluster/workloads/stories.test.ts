/** Stories of everything but Deployments. Expectations: the Kubernetes docs on each kind. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type {
  Condition,
  HorizontalPodAutoscaler,
  KubeObject,
  Service,
} from '../../../src/api/kubernetes.ts';
import type { DaemonSet, EndpointSlice, Pod } from '../../../src/cluster/workloads/kinds.ts';
import {
  daemonSets,
  endpointSlices,
  isReady,
  pods,
  replicaSets,
} from '../../../src/cluster/workloads/kinds.ts';
import type { PodPlan } from '../../../src/cluster/workloads/pod-plan.ts';
import {
  configMaps,
  deployments,
  events,
  horizontalPodAutoscalers,
  namespaces,
  services,
} from '../../../src/kube/resources.ts';
import type { World } from './world.ts';
import { createWorld, imageOf, namespace, template, webOf, withImage } from './world.ts';

const podOf = (plan: PodPlan) => async () => {
  const world = await createWorld({ plan: () => plan });
  const metadata = { name: 'solo', namespace };
  await world.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: template('app:1').spec,
  });
  await world.clock.settle();
  return world;
};

const shown = (world: World): string => {
  const { status } = world.get(pods, 'solo');
  const [container] = status?.containerStatuses ?? [];
  const { waiting, running, terminated } = container?.state ?? {};
  const state = waiting?.reason ?? (running && 'running') ?? terminated?.reason ?? 'unseen';
  const ready = container?.ready === true ? 'ready' : 'not ready';
  return `${status?.phase} ${state} ${ready} ${container?.restartCount ?? 0}`;
};

suite('a pod', () => {
  test('is ready after its time, with an address, written once', async () => {
    const world = await podOf({ readyMs: 1_000 })();
    const before = world.writes();
    await world.clock.advance(999);
    assert.equal(shown(world), 'Pending unseen not ready 0');
    await world.clock.advance(1);
    assert.equal(shown(world), 'Running running ready 0');
    assert.equal(world.writes() - before, 1);
    const { spec, status } = world.get(pods, 'solo');
    assert.equal(spec.nodeName, 'node-1');
    assert.match(status?.podIP ?? '', /^10\.244\.\d+\.\d+$/);
    const words = status?.conditions?.map(({ type, status: word }) => `${type} ${word}`);
    assert.deepEqual(words, [
      'PodReadyToStartContainers True',
      'Initialized True',
      'Ready True',
      'ContainersReady True',
      'PodScheduled True',
    ]);
  });
  test('that never gets ready runs all the same', async () => {
    const world = await podOf({})();
    await world.clock.advance(3_600_000);
    assert.equal(shown(world), 'Running running not ready 0');
  });
  test('whose image cannot be pulled waits', async () => {
    const world = await podOf({ waitingReason: 'ImagePullBackOff' })();
    await world.clock.advance(5_000);
    assert.equal(shown(world), 'Pending ImagePullBackOff not ready 0');
  });
  test('that crashes is started again at once, then after 10 s, 20 s', async () => {
    const world = await podOf({ readyMs: 1_000, crashMs: 4_000 })();
    const seen: string[] = [];
    for (const atMs of [1_000, 5_000, 6_000, 10_000, 20_000, 21_000, 25_000, 44_999, 45_000]) {
      await world.clock.advance(atMs - world.clock.monotonic());
      seen.push(`${atMs / 1_000} s ${shown(world)}`);
    }
    assert.deepEqual(seen, [
      '1 s Running running ready 0',
      '5 s Running running not ready 1',
      '6 s Running running ready 1',
      '10 s Running CrashLoopBackOff not ready 1',
      '20 s Running running not ready 2',
      '21 s Running running ready 2',
      '25 s Running CrashLoopBackOff not ready 2',
      '44.999 s Running CrashLoopBackOff not ready 2',
      '45 s Running running not ready 3',
    ]);
    const [container] = world.get(pods, 'solo').status?.containerStatuses ?? [];
    assert.equal(container?.lastState.terminated?.exitCode, 1);
  });
  test('that flaps is ready and not, and never restarted', async () => {
    const world = await podOf({ readyMs: 1_000, crashMs: 10_000, unreadyMs: 5_000 })();
    const seen: string[] = [];
    for (const seconds of [1, 11, 16, 26]) {
      await world.clock.advance(seconds * 1_000 - world.clock.monotonic());
      seen.push(shown(world));
    }
    assert.deepEqual(seen, [
      'Running running ready 0',
      'Running running not ready 0',
      'Running running ready 0',
      'Running running not ready 0',
    ]);
  });
  test('goes when it has stopped, at the latest after its grace period', async () => {
    for (const [stopMs, goneMs] of [
      [3_000, 3_000],
      [90_000, 30_000],
    ] as const) {
      const world = await podOf({ readyMs: 0, stopMs })();
      await world.clock.advance(1_000);
      await world.cluster.api.delete(pods, { namespace, name: 'solo' });
      await world.clock.advance(goneMs - 1);
      assert.equal(world.pods().length, 1);
      await world.clock.advance(1);
      assert.equal(world.pods().length, 0);
    }
  });
  test('waits for a node', async () => {
    const world = await createWorld({ nodes: [] });
    const metadata = { name: 'solo', namespace };
    const { spec } = template('app:1');
    await world.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata, spec });
    await world.clock.advance(60_000);
    const [condition] = world.get(pods, 'solo').status?.conditions ?? [];
    assert.equal(condition?.reason, 'Unschedulable');
  });
});

const nodeNames = ['node-1', 'node-2', 'node-3'];

const agentOf = (spec: Partial<DaemonSet['spec']> = {}): DaemonSet => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'agent', namespace },
  spec: { selector: { matchLabels: { app: 'web' } }, template: template('app:1'), ...spec },
});

async function daemons(spec: Partial<DaemonSet['spec']> = {}): Promise<World> {
  const world = await createWorld({ nodes: nodeNames });
  await world.create(daemonSets, agentOf(spec));
  await world.clock.advance(10_000);
  return world;
}

const image = (version: string) => (set: DaemonSet) => ({
  ...set,
  spec: { ...set.spec, template: template(version) },
});

/** The most nodes without a ready pod, and the most pods on one node, while that happens. */
async function extremes(world: World, during: () => Promise<void>) {
  let unavailable = 0;
  let crowd = 0;
  const stop = world.cluster.api.onChange(() => {
    const live = world.pods();
    const on = (node: string): readonly Pod[] => live.filter((pod) => pod.spec.nodeName === node);
    const lacking = nodeNames.filter((node) => !on(node).some(isReady));
    unavailable = Math.max(unavailable, lacking.length);
    crowd = Math.max(crowd, ...nodeNames.map((node) => on(node).length));
  });
  await during();
  stop();
  return { unavailable, crowd };
}

suite('a DaemonSet', () => {
  test('has a pod on each node, and says so', async () => {
    const world = await daemons();
    assert.equal(world.pods().length, 3);
    const places = world.pods().map(({ spec }) => spec.nodeName);
    assert.deepEqual(new Set(places), new Set(nodeNames));
    assert.deepEqual(world.get(daemonSets, 'agent').status, {
      currentNumberScheduled: 3,
      desiredNumberScheduled: 3,
      numberAvailable: 3,
      numberMisscheduled: 0,
      numberReady: 3,
      observedGeneration: 1,
      updatedNumberScheduled: 3,
    });
  });
  test('is updated node by node', async () => {
    const world = await daemons();
    const worst = await extremes(world, async () => {
      await world.change(daemonSets, 'agent', image('app:2'));
      await world.clock.advance(30_000);
    });
    assert.deepEqual(worst, { unavailable: 1, crowd: 1 });
    assert.deepEqual(world.pods().map(imageOf), ['app:2', 'app:2', 'app:2']);
  });
  test('with surge never leaves a node without a pod that is ready', async () => {
    const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 };
    const world = await daemons({ updateStrategy: { type: 'RollingUpdate', rollingUpdate } });
    const worst = await extremes(world, async () => {
      await world.change(daemonSets, 'agent', image('app:2'));
      await world.clock.advance(30_000);
    });
    assert.deepEqual(worst, { unavailable: 0, crowd: 2 });
    assert.deepEqual(world.pods().map(imageOf), ['app:2', 'app:2', 'app:2']);
  });
  test('with OnDelete waits for somebody to delete', async () => {
    const world = await daemons({ updateStrategy: { type: 'OnDelete' } });
    await world.change(daemonSets, 'agent', image('app:2'));
    await world.clock.advance(30_000);
    assert.deepEqual(world.pods().map(imageOf), ['app:1', 'app:1', 'app:1']);
    const name = world.pods()[0]?.metadata.name ?? '';
    await world.cluster.api.delete(pods, { namespace, name });
    await world.clock.advance(30_000);
    assert.deepEqual(new Set(world.pods().map(imageOf)), new Set(['app:1', 'app:2']));
  });
});

const scalerOf = (
  spec: Partial<HorizontalPodAutoscaler['spec']> = {},
): HorizontalPodAutoscaler => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'web', namespace },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    minReplicas: 2,
    maxReplicas: 8,
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
      },
    ],
    ...spec,
  },
});

async function scaling(load: { percent: number | undefined }, spec = {}): Promise<World> {
  const world = await createWorld({ utilisation: () => load.percent });
  await world.create(deployments, webOf({ replicas: 2 }));
  await world.create(horizontalPodAutoscalers, scalerOf(spec));
  await world.clock.advance(16_000);
  return world;
}

const replicasOf = (world: World): number | undefined =>
  world.get(deployments, 'web').spec.replicas;

const reasons = (world: World): Record<string, string> => {
  const { status } = world.get(horizontalPodAutoscalers, 'web') as {
    readonly status?: { readonly conditions?: readonly Condition[] };
  };
  return Object.fromEntries(
    (status?.conditions ?? []).map((it) => [it.type, `${it.status} ${it.reason}`]),
  );
};

suite('an autoscaler', () => {
  test('scales up at once, by no more than the double, to its maximum', async () => {
    const load = { percent: 50 as number | undefined };
    const world = await scaling(load);
    assert.equal(replicasOf(world), 2);
    load.percent = 150;
    await world.clock.advance(15_000);
    assert.equal(replicasOf(world), 4);
    assert.equal(reasons(world)['ScalingLimited'], 'True ScaleUpLimit');
    await world.clock.advance(15_000);
    assert.equal(replicasOf(world), 8);
    assert.deepEqual(reasons(world), {
      AbleToScale: 'True SucceededRescale',
      ScalingActive: 'True ValidMetricFound',
      ScalingLimited: 'True TooManyReplicas',
    });
  });
  test('leaves small differences alone', async () => {
    const load = { percent: 54 as number | undefined };
    const world = await scaling(load);
    await world.clock.advance(60_000);
    assert.equal(replicasOf(world), 2);
    assert.deepEqual(reasons(world), {
      AbleToScale: 'True ReadyForNewScale',
      ScalingActive: 'True ValidMetricFound',
      ScalingLimited: 'False DesiredWithinRange',
    });
  });
  test('scales down after five minutes, to its minimum', async () => {
    const load = { percent: 200 as number | undefined };
    const world = await scaling(load);
    await world.clock.advance(60_000);
    assert.equal(replicasOf(world), 8);
    load.percent = 5;
    await world.clock.advance(280_000);
    assert.equal(replicasOf(world), 8);
    assert.equal(reasons(world)['AbleToScale'], 'True ScaleDownStabilized');
    await world.clock.advance(40_000);
    assert.equal(replicasOf(world), 2);
  });
  test('without a measure says so, and keeps sizes in their bounds', async () => {
    const world = await createWorld();
    await world.create(deployments, webOf({ replicas: 1 }));
    await world.create(horizontalPodAutoscalers, scalerOf());
    await world.clock.advance(60_000);
    assert.equal(replicasOf(world), 2);
    assert.equal(reasons(world)['ScalingActive'], 'False FailedGetResourceMetric');
    const before = world.writes();
    await world.clock.advance(3_600_000);
    assert.equal(world.writes(), before);
    assert.deepEqual(world.clock.timers(), []);
  });
  test('lets alone what was scaled to zero', async () => {
    const load = { percent: 200 as number | undefined };
    const world = await scaling(load);
    await world.change(deployments, 'web', (it) => ({ ...it, spec: { ...it.spec, replicas: 0 } }));
    await world.clock.advance(60_000);
    assert.equal(replicasOf(world), 0);
    assert.equal(reasons(world)['ScalingActive'], 'False ScalingDisabled');
  });
});

const serviceOf = (targetPort: number | string): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace },
  spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort }] },
});

const slicesOf = (world: World): readonly EndpointSlice[] =>
  world.cluster.api.list(endpointSlices, namespace);

suite('a Service', () => {
  test('leads to the pods that it selects, on the port that they name', async () => {
    const world = await createWorld({
      plan: (pod) => (imageOf(pod) === 'app:1' ? { readyMs: 1_000 } : {}),
    });
    await world.create(services, serviceOf('http'));
    await world.create(deployments, webOf({ replicas: 2 }));
    await world.clock.advance(5_000);
    await world.change(deployments, 'web', withImage('app:bad'));
    await world.clock.advance(5_000);
    const [slice, ...others] = slicesOf(world);
    assert.deepEqual(others, []);
    assert.deepEqual(slice?.ports, [{ name: 'http', protocol: 'TCP', port: 8080 }]);
    const endpoints = (slice?.endpoints ?? []) as readonly {
      readonly addresses: readonly string[];
      readonly conditions: { readonly ready: boolean };
    }[];
    const found = endpoints.map((it) => [it.addresses[0], it.conditions.ready]);
    const wanted = world.pods().map((pod) => [pod.status?.podIP, isReady(pod)]);
    assert.deepEqual(new Set(found), new Set(wanted));
    assert.equal(found.filter(([, ready]) => ready).length, 2);
    assert.equal(found.length, 3);
  });
  test('has a slice for each meaning that pods give to the name of a port', async () => {
    const world = await createWorld();
    await world.create(services, serviceOf('http'));
    for (const [name, containerPort] of Object.entries({ one: 8080, two: 9090, three: 8080 })) {
      const containers = [{ name, image: name, ports: [{ name: 'http', containerPort }] }];
      const metadata = { name, namespace, labels: { app: 'web' } };
      await world.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers } });
    }
    await world.clock.advance(5_000);
    const found = slicesOf(world).map(({ ports, endpoints }) => {
      const [port] = (ports ?? []) as readonly { readonly port: number }[];
      return `${port?.port}: ${endpoints?.length}`;
    });
    assert.deepEqual(new Set(found), new Set(['8080: 2', '9090: 1']));
    await world.cluster.api.delete(pods, { namespace, name: 'two' });
    await world.clock.advance(5_000);
    assert.equal(slicesOf(world).length, 1);
  });
  test('loses pods that go, and its slice goes with it', async () => {
    const world = await createWorld();
    await world.create(services, serviceOf(8080));
    await world.create(deployments, webOf({ replicas: 1 }));
    await world.clock.advance(5_000);
    await world.cluster.api.delete(deployments, { namespace, name: 'web' });
    await world.clock.advance(5_000);
    assert.deepEqual(slicesOf(world)[0]?.endpoints ?? [], []);
    await world.cluster.api.delete(services, { namespace, name: 'web' });
    await world.clock.advance(5_000);
    assert.deepEqual(slicesOf(world), []);
  });
});

suite('garbage', () => {
  const own = (owner: KubeObject, blockOwnerDeletion = true) => ({
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? '',
    blockOwnerDeletion,
  });
  const configMap = (name: string, owners: readonly ReturnType<typeof own>[] = []) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, ownerReferences: owners },
  });
  const names = (world: World): readonly string[] =>
    world.cluster.api.list(configMaps, namespace).map(({ metadata }) => metadata.name);

  test('of a Deployment goes in the background', async () => {
    const world = await createWorld();
    await world.create(deployments, webOf({ replicas: 3 }));
    await world.clock.advance(5_000);
    await world.cluster.api.delete(deployments, { namespace, name: 'web' });
    await world.clock.advance(5_000);
    assert.deepEqual([world.sets(), world.pods()], [[], []]);
    assert.deepEqual(world.complaints, []);
  });
  test('of a Deployment goes before it in the foreground', async () => {
    const world = await createWorld({ plan: () => ({ readyMs: 0, stopMs: 5_000 }) });
    await world.create(deployments, webOf({ replicas: 2 }));
    await world.clock.advance(5_000);
    await world.cluster.api.delete(
      deployments,
      { namespace, name: 'web' },
      { propagation: 'Foreground' },
    );
    await world.clock.advance(4_999);
    assert.equal(world.get(deployments, 'web').metadata.finalizers?.[0], 'foregroundDeletion');
    assert.equal(world.pods().length, 2);
    await world.clock.advance(2);
    assert.equal(world.cluster.api.get(deployments, { namespace, name: 'web' }), undefined);
    assert.deepEqual([world.sets(), world.pods()], [[], []]);
  });
  test('that is orphaned stays', async () => {
    const world = await createWorld();
    await world.create(deployments, webOf({ replicas: 1 }));
    await world.clock.advance(5_000);
    await world.cluster.api.delete(
      deployments,
      { namespace, name: 'web' },
      { propagation: 'Orphan' },
    );
    await world.clock.advance(5_000);
    assert.equal(world.cluster.api.get(deployments, { namespace, name: 'web' }), undefined);
    assert.equal(world.sets().length, 1);
    assert.equal(world.sets()[0]?.metadata.ownerReferences, undefined);
    assert.equal(world.pods().length, 1);
  });
  test('whose owner never was goes', async () => {
    const world = await createWorld();
    const nobody = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'no', uid: 'x-1' } };
    await world.create(configMaps, configMap('lost', [own(nobody)]));
    await world.clock.advance(1_000);
    assert.deepEqual(names(world), []);
  });
  test('with two owners goes with the last', async () => {
    const world = await createWorld();
    const one = await world.create(configMaps, configMap('one'));
    const two = await world.create(configMaps, configMap('two'));
    await world.create(configMaps, configMap('child', [own(one), own(two)]));
    await world.cluster.api.delete(configMaps, { namespace, name: 'one' });
    await world.clock.advance(1_000);
    assert.deepEqual(names(world), ['child', 'two']);
    assert.equal(world.get(configMaps, 'child').metadata.ownerReferences?.length, 1);
    await world.cluster.api.delete(configMaps, { namespace, name: 'two' });
    await world.clock.advance(1_000);
    assert.deepEqual(names(world), []);
  });
  test('in the foreground is waited for only where it blocks', async () => {
    const world = await createWorld();
    const owner = await world.create(configMaps, configMap('owner'));
    const held = { ...configMap('held', [own(owner, false)]) };
    const metadata = { ...held.metadata, finalizers: ['example.com/held'] };
    await world.create(configMaps, { ...held, metadata });
    const key = { namespace, name: 'owner' };
    await world.cluster.api.delete(configMaps, key, { propagation: 'Foreground' });
    await world.clock.advance(1_000);
    assert.deepEqual(names(world), ['held']);
  });
});

suite('a Namespace', () => {
  const space = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'space' } };
  test('goes with all that is in it', async () => {
    const world = await createWorld({ plan: () => ({ readyMs: 0, stopMs: 3_000 }) });
    await world.create(namespaces, space);
    const web = webOf({ replicas: 2 });
    await world.create(deployments, { ...web, metadata: { name: 'web', namespace: 'space' } });
    await world.clock.advance(5_000);
    await world.cluster.api.delete(namespaces, { namespace: '', name: 'space' });
    await world.clock.advance(10_000);
    assert.equal(world.cluster.api.get(namespaces, { namespace: '', name: 'space' }), undefined);
    for (const resource of [deployments, replicaSets, pods]) {
      assert.deepEqual(world.cluster.api.list<KubeObject>(resource, 'space'), []);
    }
    assert.deepEqual(world.complaints, []);
  });
  test('is furnished where that is wanted', async () => {
    const world = await createWorld({ isFurnished: true });
    await world.create(namespaces, space);
    await world.clock.advance(1_000);
    const key = { namespace: 'space', name: 'kube-root-ca.crt' };
    assert.ok(world.cluster.api.get(configMaps, key));
  });
});

test('Events are kept for an hour', async () => {
  const world = await createWorld({ isTold: true });
  await world.create(deployments, webOf({ replicas: 1 }));
  await world.clock.advance(5_000);
  const told = world.cluster.api.list(events, namespace).map((it) => String(it['message']));
  assert.ok(
    told.some((it) => /^Scaled up replica set web-\w+ from 0 to 1$/.test(it)),
    told.join(),
  );
  assert.ok(told.some((it) => /^Created pod: web-\w+-\w+$/.test(it)));
  await world.clock.advance(3_600_000);
  assert.deepEqual(world.cluster.api.list(events, namespace), []);
});
