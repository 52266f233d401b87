/**
 * Every kind of target, whole, on a real API server, changed as people change it. One namespace a
 * kind; they run side by side.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { readFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import type { Canary, CanarySpec } from '../../src/api/canary.ts';
import type { KnativeService } from '../../src/api/knative.ts';
import type {
  DaemonSet,
  HorizontalPodAutoscaler,
  ScaledObject,
  Service,
} from '../../src/api/kubernetes.ts';
import { controlPlaneOrSkip } from '../cluster/require.ts';
import type { CanaryWatch } from '../support/canary-watch.ts';
import { watchCanary } from '../support/canary-watch.ts';
import { until } from '../support/until.ts';
import type { Kubectl } from './kubectl.ts';
import {
  eventsOf,
  fixture,
  getJson,
  imageOf,
  inNamespace,
  kubectlOf,
  repository,
  scaledTo,
} from './kubectl.ts';
import type { Site } from './site.ts';
import { startSite } from './site.ts';

const skip = await controlPlaneOrSkip();
const idle = { 'flagger.app/scale-to-zero': 'true' };
const rollout = { timeoutMs: 120_000 };
const warning = /^Warning: podinfo: this starts a canary analysis \(weights 10, 20, 30 every 10s/;

const daemonSet = (image: string): string =>
  stringify({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'podinfo' },
    spec: {
      selector: { matchLabels: { app: 'podinfo' } },
      template: {
        metadata: { labels: { app: 'podinfo' } },
        spec: {
          containers: [{ name: 'podinfod', image, ports: [{ name: 'http', containerPort: 9898 }] }],
        },
      },
    },
  });

const service = stringify({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'podinfo' },
  spec: { selector: { app: 'podinfo', color: 'blue' }, ports: [{ name: 'http', port: 80 }] },
});

const autoscaler = stringify({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'podinfo' },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo' },
    minReplicas: 2,
    maxReplicas: 4,
  },
});

const scaledObject = stringify({
  apiVersion: 'keda.sh/v1alpha1',
  kind: 'ScaledObject',
  metadata: { name: 'podinfo' },
  spec: {
    scaleTargetRef: { name: 'podinfo' },
    minReplicaCount: 1,
    maxReplicaCount: 4,
    triggers: [
      {
        type: 'prometheus',
        name: 'load',
        metadata: { serverAddress: 'http://prometheus', query: 'sum(podinfo)', threshold: '10' },
      },
    ],
  },
});

const knativeService = stringify({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name: 'podinfo' },
  spec: { template: { spec: { containers: [{ image: 'podinfo:1' }] } } },
});

/** What Knative does with a template: a Revision, and a word in the status. */
async function playKnative(kubectl: Kubectl, revision: string): Promise<void> {
  const made = {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Revision',
    metadata: { name: revision },
    spec: { containers: [{ image: 'podinfo' }] },
  };
  await kubectl(['create', '-f', '-'], stringify(made));
  const status = (of: string, what: object) =>
    kubectl(['patch', of, '--subresource=status', '--type=merge', '-p', JSON.stringify(what)]);
  await status(`revisions.serving.knative.dev/${revision}`, {
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  });
  await status(`${knative}/podinfo`, { status: { latestCreatedRevisionName: revision } });
}

const knative = 'services.serving.knative.dev';

interface Released {
  readonly kubectl: Kubectl;
  readonly watch: CanaryWatch;
}

describe('kinds of targets', { skip, timeout: 400_000, concurrency: true }, () => {
  let site: Site;
  before(async () => {
    site = await startSite({ nodes: 2 });
    for (const crds of ['test/crds/knative', 'test/crds/keda']) {
      await kubectlOf(site.cluster)(['apply', '--server-side', '-f', repository(crds)]);
    }
  });
  after(() => site?.stop());

  async function initialized(
    namespace: string,
    target: (kubectl: Kubectl) => Promise<unknown>,
    spec: Partial<CanarySpec>,
  ): Promise<Released> {
    const kubectl = await inNamespace(site.cluster, namespace);
    await target(kubectl);
    const canary = parse(await readFile(fixture('canary.yaml'), 'utf8')) as Canary;
    const wanted = { ...canary, spec: { ...canary.spec, ...spec } };
    await kubectl(['apply', '-f', '-'], stringify(wanted));
    const watch = watchCanary(site.cluster, namespace, 'podinfo');
    await watch.sees('Initialized');
    return { kubectl, watch };
  }

  test('a Deployment with a HorizontalPodAutoscaler', async () => {
    const { kubectl, watch } = await initialized(
      'deployment',
      async (run) => {
        await run(['apply', '-f', fixture('podinfo.yaml')]);
        await run(['apply', '-f', '-'], autoscaler);
      },
      {
        autoscalerRef: {
          apiVersion: 'autoscaling/v2',
          kind: 'HorizontalPodAutoscaler',
          name: 'podinfo',
          primaryScalerReplicas: { minReplicas: 3, maxReplicas: 6 },
        },
      },
    );
    const { spec } = (await getJson(
      kubectl,
      'hpa/podinfo-primary',
    )) as unknown as HorizontalPodAutoscaler;
    assert.deepEqual(
      [spec.scaleTargetRef.name, spec.minReplicas, spec.maxReplicas],
      ['podinfo-primary', 3, 6],
    );
    await scaledTo(kubectl, 'podinfo', 0);
    await scaledTo(kubectl, 'podinfo-primary', 3);
    const { stderr } = await kubectl(['set', 'image', 'deployment/podinfo', 'podinfod=podinfo:2']);
    assert.match(stderr, warning);
    await watch.sees('Succeeded', rollout);
    assert.equal(await imageOf(kubectl, 'podinfo-primary'), 'podinfo:2');
    // The autoscaler has the say over the primary.
    await scaledTo(kubectl, 'podinfo-primary', 3);
    watch.stop();
  });

  test('a Deployment with a ScaledObject of KEDA', async () => {
    const { kubectl, watch } = await initialized(
      'keda',
      async (run) => {
        await run(['apply', '-f', fixture('podinfo.yaml')]);
        await run(['apply', '-f', '-'], scaledObject);
      },
      {
        autoscalerRef: {
          apiVersion: 'keda.sh/v1alpha1',
          kind: 'ScaledObject',
          name: 'podinfo',
          primaryScalerReplicas: { minReplicas: 2, maxReplicas: 6 },
          primaryScalerQueries: { load: 'sum(podinfo_primary)' },
        },
      },
    );
    const live = async (name: string) =>
      (await getJson(kubectl, `scaledobject/${name}`)) as unknown as ScaledObject;
    const pauseOf = async (name: string) =>
      (await live(name)).metadata.annotations?.['autoscaling.keda.sh/paused-replicas'];
    const { spec } = await live('podinfo-primary');
    assert.deepEqual(
      [spec.scaleTargetRef.name, spec.minReplicaCount, spec.maxReplicaCount],
      ['podinfo-primary', 2, 6],
    );
    assert.equal(spec.triggers[0]?.metadata['query'], 'sum(podinfo_primary)');
    await scaledTo(kubectl, 'podinfo', 0);
    assert.equal(await pauseOf('podinfo'), '0');

    await kubectl(['set', 'image', 'deployment/podinfo', 'podinfod=podinfo:2']);
    await watch.sees('Progressing', { weight: 10 });
    assert.equal(await pauseOf('podinfo'), undefined, 'KEDA scales what is analysed');
    await watch.sees('Succeeded', rollout);
    await scaledTo(kubectl, 'podinfo', 0);
    assert.deepEqual(
      [await pauseOf('podinfo'), await pauseOf('podinfo-primary')],
      ['0', undefined],
    );
    watch.stop();
  });

  test('a DaemonSet', async () => {
    const { kubectl, watch } = await initialized(
      'daemonset',
      (run) => run(['apply', '-f', '-'], daemonSet('podinfo:1')),
      { targetRef: { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'podinfo' } },
    );
    const live = async (name: string) =>
      (await getJson(kubectl, `daemonset/${name}`)) as unknown as DaemonSet;
    const rests = () =>
      until(
        'the target has no pods',
        async () => {
          const { spec, status } = await live('podinfo');
          const isIdle = spec.template.spec.nodeSelector?.['flagger.app/scale-to-zero'] === 'true';
          return isIdle && status?.desiredNumberScheduled === 0;
        },
        { timeoutMs: 60_000, everyMs: 200 },
      );
    await rests();
    // As a tool does that applies what is in Git, whatever is there.
    const { stderr: held } = await kubectl(['replace', '-f', '-'], daemonSet('podinfo:1'));
    assert.match(held, /^Warning: podinfo: stays without pods, the canary holds it/);
    assert.deepEqual((await live('podinfo')).spec.template.spec.nodeSelector, idle);

    const { stderr } = await kubectl(['set', 'image', 'daemonset/podinfo', 'podinfod=podinfo:2']);
    assert.match(stderr, warning);
    await watch.sees('Succeeded', rollout);
    const { spec, status } = await live('podinfo-primary');
    assert.equal(spec.template.spec.containers[0]?.image, 'podinfo:2');
    assert.equal(status?.numberAvailable, 2);
    await rests();
    const events = await eventsOf(kubectl, 'podinfo', /Promotion completed/);
    assert.ok(events.includes('Normal Advance podinfo.daemonset canary weight 30'));
    watch.stop();
  });

  test('a Service', async () => {
    const { kubectl, watch } = await initialized(
      'service',
      (run) => run(['apply', '-f', '-'], service),
      { targetRef: { apiVersion: 'v1', kind: 'Service', name: 'podinfo' } },
    );
    const colorOf = async (name: string) => {
      const found = (await getJson(kubectl, `service/${name}`)) as unknown as Service;
      return found.spec.selector?.['color'];
    };
    assert.deepEqual(
      [await colorOf('podinfo-primary'), await colorOf('podinfo-canary')],
      ['blue', 'blue'],
    );
    const green = '{"spec":{"selector":{"color":"green"}}}';
    const { stderr } = await kubectl(['patch', 'service', 'podinfo', '-p', green]);
    assert.match(stderr, warning);
    await watch.sees('Progressing', { weight: 10 });
    assert.deepEqual(
      [await colorOf('podinfo-primary'), await colorOf('podinfo-canary')],
      ['blue', 'green'],
    );
    await watch.sees('Succeeded', rollout);
    assert.equal(await colorOf('podinfo-primary'), 'green');
    watch.stop();
  });

  test('a Knative Service', async () => {
    const { kubectl, watch } = await initialized(
      'knative',
      async (run) => {
        await run(['apply', '-f', '-'], knativeService);
        await playKnative(run, 'podinfo-00001');
      },
      {
        provider: 'knative',
        targetRef: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'podinfo' },
      },
    );
    const live = async () => {
      const found = (await getJson(kubectl, `${knative}/podinfo`)) as unknown as KnativeService;
      const primary = found.metadata.annotations?.['flagger.app/primary-revision'];
      const shares = (found.spec.traffic ?? []).map(({ percent = 0 }) => percent);
      return [primary, ...shares];
    };
    assert.deepEqual(await live(), ['podinfo-00001', 0, 100]);
    // As a tool does that applies what is in Git, whatever is there.
    const { stderr: held } = await kubectl(['replace', '-f', '-'], knativeService);
    assert.match(held, /^Warning: podinfo: its latest revision gets no more traffic by this/);
    assert.deepEqual(await live(), ['podinfo-00001', 0, 100]);
    const image =
      '[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"podinfo:2"}]';
    const { stderr } = await kubectl(['patch', `${knative}/podinfo`, '--type=json', '-p', image]);
    assert.match(stderr, warning);
    await playKnative(kubectl, 'podinfo-00002');
    await watch.sees('Progressing', { weight: 10 });
    assert.deepEqual(await live(), ['podinfo-00001', 10, 90]);
    await watch.sees('Succeeded', rollout);
    assert.deepEqual(await live(), ['podinfo-00002', 0, 100]);
    watch.stop();
  });
});
