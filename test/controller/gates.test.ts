/**
 * Gates over whole rollouts on the embedded cluster: kubectl's annotation goes through admission,
 * where there is one, the controller goes on by its watch, and a process that dies in between is
 * followed by one that decides the same.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { CanaryWebhook } from '../../src/api/canary.ts';
import { canaries, deployments, mutatingWebhookConfigurations } from '../../src/kube/resources.ts';
import type { ClusterUser } from '../../src/rehearsal/cluster-user.ts';
import { createClusterUser } from '../../src/rehearsal/cluster-user.ts';
import type { Stage } from '../support/stage.ts';
import { canaryOf, createStage, initialized, setImage } from '../support/stage.ts';

const start: CanaryWebhook = { name: 'start', type: 'confirm-rollout' };
const ship: CanaryWebhook = { name: 'ship', type: 'confirm-promotion' };
const stop: CanaryWebhook = { name: 'stop', type: 'rollback' };

interface Site {
  readonly stage: Stage;
  readonly you: ClusterUser;
  readonly status: () => NonNullable<ReturnType<typeof canaryOf>['status']>;
  /** As `kubectl annotate canary web aviary.dev/approve=...`; answers the warnings. */
  readonly annotate: (annotations: Readonly<Record<string, string>>) => Promise<readonly string[]>;
}

async function atGate(...webhooks: readonly CanaryWebhook[]): Promise<Site> {
  const passed = { passed: true, events: [] };
  const checks = { probe: async () => passed, analyse: async () => passed };
  const stage = await createStage({ answers: { checks } });
  await initialized(stage, canaryOf({ webhooks }));
  await setImage(stage, 'web:2');
  const you = createClusterUser(stage.world.cluster, stage.world.clock);
  return {
    stage,
    you,
    status: () => stage.live(canaries).status ?? assert.fail('no status'),
    annotate: (given) => {
      const { metadata, ...canary } = stage.live(canaries);
      const annotations = { ...metadata.annotations, ...given };
      return you.update(canaries, { ...canary, metadata: { ...metadata, annotations } });
    },
  };
}

const approve = (gate: string) => ({ 'aviary.dev/approve': gate });
const imageOf = (stage: Stage, name: string): string | undefined =>
  stage.live(deployments, name).spec.template.spec.containers[0]?.image;

suite('an approval', () => {
  test('lets a rollout go on within a second, and says who gave it', async () => {
    const { stage, annotate, status } = await atGate(start, ship);
    await stage.until('Waiting');
    assert.deepEqual(await annotate(approve('start')), []);
    await stage.world.clock.advance(1_000);
    assert.equal(status().phase, 'Progressing');
    await stage.until('WaitingPromotion');
    assert.deepEqual(await annotate(approve('ship')), []);
    await stage.world.clock.advance(1_000);
    assert.ok(['Promoting', 'Finalising'].includes(status().phase));
    await stage.until('Succeeded');
    assert.equal(imageOf(stage, 'web-primary'), 'web:2');
    assert.deepEqual(
      stage.said().filter((it) => it.startsWith('Gate')),
      ['Gate start approved by you', 'Gate ship approved by you'],
    );
    assert.equal(status().gates, undefined);
    const { steps = [] } = status().journal?.at(-1) ?? {};
    assert.deepEqual(
      steps.filter(({ event }) => event === 'Approved').map(({ why }) => why),
      ['Gate start approved by you', 'Gate ship approved by you'],
      'who approved is known when the events have expired',
    );
    assert.deepEqual(stage.live(canaries).metadata.annotations?.['aviary.dev/approve'], undefined);
    stage.end();
  });

  test('for a gate that does not wait is warned of, and opens nothing later', async () => {
    const { stage, annotate, status } = await atGate(start, ship);
    await stage.until('Waiting');
    const [warning = ''] = await annotate(approve('ship'));
    assert.match(warning, /nothing waits for gate ship.*decided now: start/);
    await annotate(approve('start'));
    await stage.until('WaitingPromotion');
    await stage.world.clock.advance(60_000);
    assert.equal(status().phase, 'WaitingPromotion');
    stage.end();
  });

  test('works while admission is down; nobody knows who it was', async () => {
    const { stage, annotate, status } = await atGate(start);
    await stage.until('Waiting');
    await stage.api.delete(mutatingWebhookConfigurations, { namespace: '', name: 'aviary' });
    await annotate(approve('start'));
    await stage.world.clock.advance(1_000);
    assert.equal(status().phase, 'Progressing');
    assert.ok(stage.said().includes('Gate start approved'));
    stage.end();
  });

  test('of a revision that is replaced meanwhile does not count for the next', async () => {
    const { stage, annotate, status } = await atGate(start);
    await stage.until('Waiting');
    await annotate(approve('start'));
    await stage.until('Succeeded');
    await setImage(stage, 'web:3');
    await stage.world.clock.advance(60_000);
    assert.equal(status().phase, 'Waiting');
    assert.equal(imageOf(stage, 'web-primary'), 'web:2');
    stage.end();
  });
});

test('a rollback gate ends a rollout whose pods never become ready', async () => {
  const passed = { passed: true, events: [] };
  const checks = { probe: async () => passed, analyse: async () => passed };
  const stage = await createStage({ answers: { checks }, isReady: (image) => image !== 'web:2' });
  await initialized(stage, canaryOf({ webhooks: [stop] }));
  await setImage(stage, 'web:2');
  await stage.until('Progressing');
  await stage.world.clock.advance(5_000);
  const you = createClusterUser(stage.world.cluster, stage.world.clock);
  const { metadata, ...canary } = stage.live(canaries);
  const annotations = { ...metadata.annotations, ...approve('stop') };
  assert.deepEqual(
    await you.update(canaries, { ...canary, metadata: { ...metadata, annotations } }),
    [],
  );
  await stage.world.clock.advance(1_000);
  assert.equal(stage.live(canaries).status?.phase, 'Failed');
  stage.end();
});

test('a process that dies with an approval unheard is followed by one that hears it', async () => {
  const { stage, annotate, status } = await atGate(start, ship);
  await stage.until('Waiting');
  stage.process.kill();
  // Nobody answers admission: the annotation stays as it was written.
  await annotate(approve('start'));
  assert.equal(stage.live(canaries).metadata.annotations?.['aviary.dev/approve'], 'start');
  stage.world.start({ name: 'second', isAlone: true });
  await stage.world.clock.advance(5_000);
  assert.equal(status().phase, 'Progressing');
  stage.end();
});
