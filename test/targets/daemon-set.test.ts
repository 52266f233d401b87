/** DaemonSets as targets (`spec/01`, 3.4): what is rendered, when they are ready, whole rollouts. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { scaleToZeroLabel } from '../../src/api/annotations.ts';
import type { DaemonSet, KubeObject, StringMap } from '../../src/api/kubernetes.ts';
import { canaries, daemonSets, resource, virtualServices } from '../../src/kube/resources.ts';
import {
  daemonSetKind,
  daemonSetReadiness,
  renderDaemonSetPromotion,
  renderPrimaryDaemonSet,
} from '../../src/targets/daemon-set.ts';
import type { PrimaryOptions } from '../../src/targets/primary.ts';
import type { Stage, StageOptions } from '../support/stage.ts';
import { canaryOf, createStage, key } from '../support/stage.ts';
import { primaryOptions } from './podinfo.ts';

const agent = (image: string, nodeSelector?: StringMap): DaemonSet => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { ...key, labels: { team: 'a', 'app.kubernetes.io/part-of': 'shop' } },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    updateStrategy: { type: 'RollingUpdate' },
    minReadySeconds: 1,
    revisionHistoryLimit: 3,
    template: {
      metadata: { labels: { app: 'web', tier: 'edge' } },
      spec: { containers: [{ name: 'app', image }], ...(nodeSelector && { nodeSelector }) },
    },
  },
});

const idle = { [scaleToZeroLabel]: 'true' };
const options = (target: DaemonSet): PrimaryOptions<DaemonSet> => ({
  ...primaryOptions,
  canary: canaryOf(),
  target,
  selector: { label: 'app', value: 'web' },
});

suite('the primary of a DaemonSet', () => {
  const primary = renderPrimaryDaemonSet(options(agent('web:1', { ...idle, disk: 'ssd' })));

  test('selects pods of its own, and has pods where the target is idle', () => {
    assert.deepEqual(primary.spec.selector, { matchLabels: { app: 'web-primary' } });
    assert.deepEqual(primary.spec.template.metadata?.labels, { app: 'web-primary', tier: 'edge' });
    assert.deepEqual(primary.spec.template.spec.nodeSelector, { disk: 'ssd' });
  });

  test('takes over how the target rolls out', () => {
    const { updateStrategy, minReadySeconds, revisionHistoryLimit } = primary.spec;
    assert.deepEqual(
      { updateStrategy, minReadySeconds, revisionHistoryLimit },
      { updateStrategy: { type: 'RollingUpdate' }, minReadySeconds: 1, revisionHistoryLimit: 3 },
    );
  });

  test('runs the new template after promotion, and says which', () => {
    const promoted = renderDaemonSetPromotion(
      { ...options(agent('web:2', idle)), revision: 'later' },
      primary,
    );
    assert.equal(promoted.spec.template.spec.containers[0]?.image, 'web:2');
    assert.equal(promoted.spec.template.spec.nodeSelector, undefined);
    assert.equal(promoted.metadata.annotations?.['aviary.dev/revision'], 'later');
  });
});

test('being idle is no part of a revision, to us and to the reference', () => {
  const see = (target: DaemonSet) =>
    // It asks for nothing but DaemonSets, which the compiler cannot know.
    daemonSetKind.see(canaryOf(), () => target as never).target;
  const [busy, resting] = [see(agent('web:1')), see(agent('web:1', idle))];
  assert.equal(resting?.hash(), busy?.hash());
  assert.equal(resting?.referenceHash(), busy?.referenceHash());
  assert.notEqual(see(agent('web:2'))?.hash(), busy?.hash());
  assert.deepEqual([busy?.replicas, resting?.replicas], [1, 0]);
  assert.equal(busy?.scaling(1), undefined);
  assert.equal(resting?.scaling(0), undefined);
});

suite('a DaemonSet is ready', () => {
  const enough = { deadlineMs: 60_000, thresholdPercent: 100, unavailableMs: 0 };
  const status = {
    observedGeneration: 2,
    desiredNumberScheduled: 3,
    updatedNumberScheduled: 3,
    numberAvailable: 3,
  };
  const cases: Record<string, [Partial<typeof status>, Partial<typeof enough>, string]> = {
    'when all nodes run the new pod': [{}, {}, 'Ready'],
    'when enough of them do': [{ numberAvailable: 2 }, { thresholdPercent: 67 }, 'Ready'],
    'not before its controller has seen the change': [
      { observedGeneration: 1 },
      {},
      'waiting for rollout to finish: observed daemonset generation less than desired generation',
    ],
    'not while old pods are replaced': [
      { updatedNumberScheduled: 1 },
      {},
      'waiting for rollout to finish: 1 out of 3 new pods have been updated',
    ],
    'not while pods start': [
      { numberAvailable: 1 },
      {},
      'waiting for rollout to finish: 1 of 3 (readyThreshold 100%) updated pods are available',
    ],
    'never, once its deadline has passed': [
      { numberAvailable: 1 },
      { unavailableMs: 60_001 },
      '! exceeded its progressDeadlineSeconds: 60',
    ],
  };
  for (const [name, [has, given, expected]] of Object.entries(cases)) {
    test(name, () => {
      const { metadata, ...rest } = agent('web:1');
      const daemonSet = {
        ...rest,
        metadata: { ...metadata, generation: 2 },
        status: { ...status, ...has },
      };
      const found = daemonSetReadiness(daemonSet, { ...enough, ...given });
      const said = found.kind === 'Ready' ? '' : `${found.retriable ? '' : '! '}${found.message}`;
      assert.equal(said || found.kind, expected);
    });
  }
});

const pods = resource<KubeObject>('v1', 'Pod', 'pods');
const ref = { targetRef: { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'web' } } as const;

async function initialized(given: StageOptions = {}): Promise<Stage> {
  const stage = await createStage(given);
  await stage.apply(daemonSets, agent('web:1'));
  await stage.apply(canaries, canaryOf({}, { ...ref, provider: 'istio' }));
  await stage.until('Initialized');
  await stage.world.clock.advance(15_000);
  return stage;
}

const setImage = (image: string) => (live: DaemonSet) => ({
  ...live,
  spec: { ...live.spec, template: { ...agent(image, idle).spec.template } },
});
const imageOf = ({ spec }: DaemonSet) => spec.template.spec.containers[0]?.image;

suite('a rollout of a DaemonSet', () => {
  test('promotes, and idles the target by a node selector', async () => {
    const stage = await initialized();
    assert.deepEqual(stage.live(daemonSets).spec.template.spec.nodeSelector, idle);
    await stage.edit(daemonSets, setImage('web:2'));
    await stage.until('Succeeded');
    await stage.world.clock.advance(15_000);
    assert.equal(imageOf(stage.live(daemonSets, 'web-primary')), 'web:2');
    assert.deepEqual(stage.live(daemonSets).spec.template.spec.nodeSelector, idle);
    assert.ok(stage.said().includes('Advance web.default canary weight 50'));
    assert.ok(stage.find(virtualServices) !== undefined);
    stage.end();
  });

  test('does not begin with one whose pods nobody replaces', async () => {
    const stage = await createStage();
    const live = agent('web:1');
    const spec = { ...live.spec, updateStrategy: { type: 'OnDelete' } };
    await stage.apply(daemonSets, { ...live, spec });
    await stage.apply(canaries, canaryOf({}, { ...ref, provider: 'istio' }));
    await stage.world.clock.advance(10_000);
    assert.match(
      stage.said().join('\n'),
      /must have RollingUpdate strategy but have OnDelete; set/,
    );
    assert.equal(stage.find(daemonSets, 'web-primary'), undefined);
    stage.end();
  });

  test('rolls back what fails its checks', async () => {
    const stage = await initialized({ passes: () => false });
    await stage.edit(daemonSets, setImage('web:2-bad'));
    await stage.until('Failed');
    await stage.world.clock.advance(15_000);
    assert.equal(imageOf(stage.live(daemonSets, 'web-primary')), 'web:1');
    assert.deepEqual(stage.live(daemonSets).spec.template.spec.nodeSelector, idle);
    stage.end();
  });

  test('D30: a primary that loses a pod long after the last rollout has its deadline first', async () => {
    const stage = await initialized();
    await stage.world.clock.advance(3_600_000);
    const [pod] = stage.api.list(pods, key.namespace);
    assert.ok(pod !== undefined);
    await stage.remove(pods, pod.metadata.name);
    await stage.edit(daemonSets, setImage('web:2'));
    await stage.until('Succeeded');
    assert.equal(imageOf(stage.live(daemonSets, 'web-primary')), 'web:2');
    stage.end();
  });

  test('fails a revision that never gets ready, at the deadline', async () => {
    const stage = await initialized({ isReady: (image) => image !== 'web:2-unready' });
    await stage.edit(daemonSets, setImage('web:2-unready'));
    await stage.until('Failed');
    await stage.world.clock.advance(1_000);
    const late = 'exceeded its progressDeadlineSeconds: 60';
    const said = `canary damonset web.default not ready with retryable false: ${late}`;
    assert.ok(stage.said().includes(said), stage.said().join('\n'));
    stage.end();
  });
});
