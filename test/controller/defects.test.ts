/**
 * Rows of the defect table of `spec/01`, section 7, that only a whole controller can show: each test
 * is named after its row, and shows the recommended behaviour. Where the others are: docs/defects.md.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HorizontalPodAutoscaler } from '../../src/api/kubernetes.ts';
import {
  canaries,
  configMaps,
  deployments,
  events,
  horizontalPodAutoscalers,
  services,
} from '../../src/kube/resources.ts';
import type { Stage, StageOptions } from '../support/stage.ts';
import {
  canaryOf,
  initialized,
  key,
  onStage,
  setImage,
  target,
  withImage,
} from '../support/stage.ts';

const row = (
  name: string,
  shows: (stage: Stage) => Promise<void>,
  options?: StageOptions,
): void => {
  test(name, () => onStage(shows, options));
};

const statusOf = (stage: Stage) => stage.live(canaries).status;
const condition = (stage: Stage, type: string) =>
  statusOf(stage)?.conditions?.find((it) => it.type === type);

row(
  'D5: a deadline that passes is an event, and the rollout is rolled back',
  async (stage) => {
    await initialized(stage);
    await setImage(stage, 'web:2');
    await stage.until('Failed');
    await stage.world.clock.advance(1_000);
    const said = stage.said();
    assert.match(said.at(-2) ?? '', /^Rolling back web\.default progress deadline exceeded /);
    assert.equal(said.at(-1), 'Canary failed! Scaling down web.default');
  },
  { isReady: (image) => image !== 'web:2' },
);

row('D9: binaryData is copied to the primary, and a change of it is a revision', async (stage) => {
  const configured = withImage(target.spec.template, 'web:1');
  const containers = configured.spec.containers.map((it) => ({
    ...it,
    envFrom: [{ configMapRef: { name: 'settings' } }],
  }));
  const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...key, name: 'settings' } };
  await stage.apply(configMaps, { ...config, binaryData: { logo: 'AAEC' } });
  await stage.apply(deployments, {
    ...target,
    spec: { ...target.spec, template: { ...configured, spec: { ...configured.spec, containers } } },
  });
  await stage.apply(canaries, canaryOf());
  await stage.until('Initialized');
  assert.deepEqual(stage.live(configMaps, 'settings-primary').binaryData, { logo: 'AAEC' });
  await stage.edit(configMaps, (it) => ({ ...it, binaryData: { logo: 'AwQF' } }), 'settings');
  await stage.until('Progressing');
  await stage.until('Succeeded');
  assert.deepEqual(stage.live(configMaps, 'settings-primary').binaryData, { logo: 'AwQF' });
});

row('D10, M-24: the series of a canary that is deleted go with it', async (stage) => {
  await initialized(stage);
  const own = async () =>
    (await stage.telemetry.expose()).split('\n').filter((line) => line.includes('name="web"'));
  const total = async () =>
    (await stage.telemetry.expose())
      .split('\n')
      .filter((line) => line.startsWith('flagger_canary_total'));
  assert.notDeepEqual(await own(), []);
  assert.notDeepEqual(await total(), []);
  await stage.remove(canaries);
  assert.deepEqual(await own(), []);
  assert.deepEqual(await total(), []);
});

row(
  'D11: a canary that failed is written once, and then left alone',
  async (stage) => {
    await initialized(stage);
    await setImage(stage, 'web:2');
    await stage.until('Failed');
    await stage.world.clock.advance(60_000);
    const { metadata, status } = stage.live(canaries);
    await stage.world.clock.advance(600_000);
    assert.equal(stage.live(canaries).metadata.resourceVersion, metadata.resourceVersion);
    assert.equal(statusOf(stage)?.lastTransitionTime, status?.lastTransitionTime);
  },
  { passes: () => false },
);

row('D21: each step of a long rollout is an event of its own', async (stage) => {
  await initialized(stage, canaryOf({ stepWeight: 2, maxWeight: 60 }));
  await setImage(stage, 'web:2');
  await stage.until('Succeeded');
  const advances = stage.said().filter((it) => it.startsWith('Advance '));
  const expected = Array.from(
    { length: 30 },
    (_, n) => `Advance web.default canary weight ${n * 2 + 2}`,
  );
  assert.deepEqual(advances, expected);
  assert.deepEqual(
    stage.api.list(events, key.namespace).filter(({ count }) => count !== 1),
    [],
  );
});

row('D23: while a canary is deleted nothing is routed back to it', async (stage) => {
  const service = { apiVersion: 'v1', kind: 'Service', metadata: key };
  await stage.apply(services, {
    ...service,
    spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
  });
  await initialized(stage, canaryOf({}, { revertOnDeletion: true }));
  assert.deepEqual(stage.live(services).spec.selector, { app: 'web-primary' });
  await stage.remove(canaries);
  await stage.world.clock.advance(60_000);
  assert.equal(stage.find(canaries), undefined);
  assert.deepEqual(stage.live(services).spec.selector, { app: 'web' });
  assert.equal(stage.live(deployments).spec.replicas, 1);
});

const autoscaler = (team: string): HorizontalPodAutoscaler => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { ...key, labels: { team }, annotations: { note: team } },
  spec: {
    minReplicas: 1,
    maxReplicas: 3,
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
  },
});

row(
  'D24: labels and annotations of the primary’s autoscaler follow their source at promotion',
  async (stage) => {
    const autoscalerRef = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      name: 'web',
    };
    await stage.apply(horizontalPodAutoscalers, autoscaler('blue'));
    await initialized(stage, canaryOf({}, { autoscalerRef }));
    await stage.edit(horizontalPodAutoscalers, (it) => ({
      ...it,
      metadata: {
        ...it.metadata,
        labels: { team: 'red' },
        annotations: { note: 'red' },
      },
    }));
    await setImage(stage, 'web:2');
    await stage.until('Succeeded');
    const { labels, annotations } = stage.live(horizontalPodAutoscalers, 'web-primary').metadata;
    assert.equal(labels?.team, 'red');
    assert.equal(annotations?.note, 'red');
  },
  { settings: { includeLabelPrefix: '*' } },
);

const scalePrimary = (stage: Stage, replicas: number): Promise<void> =>
  stage.edit(deployments, (it) => ({ ...it, spec: { ...it.spec, replicas } }), 'web-primary');

row(
  'D25: a rollout halts while the primary is scaled to zero, and goes on after',
  async (stage) => {
    await initialized(stage);
    await setImage(stage, 'web:2');
    const advanced = () => stage.said().includes('Advance web.default canary weight 50');
    assert.ok(await stage.world.clock.advanceUntil(advanced, 60_000));
    await scalePrimary(stage, 0);
    await stage.world.clock.advance(30_000);
    assert.equal(
      stage.said().at(-1),
      'halt web.default advancement: primary deployment is scaled to zero',
    );
    assert.equal(statusOf(stage)?.canaryWeight, 50);
    await scalePrimary(stage, 1);
    await stage.until('Succeeded');
  },
);

const named = (name: string, canary = canaryOf()) => ({ ...canary, metadata: { ...key, name } });
const stalledOf = (stage: Stage, name: string) =>
  stage.live(canaries, name).status?.conditions?.find(({ type }) => type === 'Stalled');

row(
  'D27: a canary with a fraction where a whole number belongs stalls, and the others go on',
  async (stage) => {
    await initialized(stage);
    assert.equal(statusOf(stage)?.phase, 'Initialized');
    assert.match(stalledOf(stage, 'odd')?.message ?? '', /spec\.analysis\.stepWeight/);
  },
  {
    before: (api) => {
      const targetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'odd' };
      return api.create(canaries, named('odd', canaryOf({ stepWeight: 2.5 }, { targetRef })));
    },
  },
);

row(
  'D29: the condition of a failed promotion says where the traffic is',
  async (stage) => {
    await initialized(stage);
    await stage.edit(deployments, (it) => ({
      ...it,
      spec: {
        ...it.spec,
        progressDeadlineSeconds: 30,
        template: withImage(it.spec.template, 'web:2'),
      },
    }));
    await stage.until('Failed');
    const { reason, message } = condition(stage, 'Promoted') ?? {};
    assert.equal(reason, 'Failed');
    assert.equal(
      message,
      'Canary failed, Deployment keeps 100% of the traffic: the primary is not ready.',
    );
  },
  { isReady: (image, pod) => image !== 'web:2' || !pod.startsWith('web-primary-') },
);

row('D32: the status gauge stays as it was, and another tells the phase', async (stage) => {
  await initialized(stage);
  await setImage(stage, 'web:2');
  await stage.until('Progressing');
  const series = (await stage.telemetry.expose()).split('\n');
  assert.ok(series.some((it) => /^flagger_canary_status\{.*name="web".*\} 0$/.test(it)));
  assert.ok(
    series.some((it) => /phase="Progressing".*\} 1$/.test(it)),
    series.join('\n'),
  );
});

row(
  'D33: a second canary on one target has a condition that names the first',
  async (stage) => {
    await stage.until('Initialized');
    assert.match(stalledOf(stage, 'x-second')?.message ?? '', /target of canary web\.default/);
  },
  {
    before: async (api) => {
      await api.create(deployments, target);
      await api.create(canaries, canaryOf());
      await api.create(canaries, named('x-second'));
    },
  },
);
