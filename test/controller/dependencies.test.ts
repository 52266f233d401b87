/** Canaries that depend on others, over whole rollouts: order, failure, cycles, and a new leader. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canaries, validatingWebhookConfigurations } from '../../src/kube/resources.ts';
import type { Condition } from '../../src/api/kubernetes.ts';
import { createClusterUser } from '../../src/rehearsal/cluster-user.ts';
import { RehearsalRefused } from '../../src/rehearsal/refused.ts';
import type { Stage } from '../support/stage.ts';
import { canaryOf, createStage, key } from '../support/stage.ts';
import { deployFleet, phaseOf, setImageOf, watchFleet } from './fleet.ts';

const names = ['a', 'b', 'c'];
/** `c` comes after `b`, which comes after `a`. */
const chain = (name: string) =>
  name === 'a' ? {} : { dependsOn: [{ name: name === 'b' ? 'a' : 'b' }] };

const conditionOf = (stage: Stage, name: string, type: string): Condition | undefined =>
  stage.live(canaries, name).status?.conditions?.find((it) => it.type === type);

const good = { passed: true, events: [] };
const checks = { probe: async () => good, analyse: async () => good };

test('what is changed together goes in order, though it is seen in another', async () => {
  const stage = await createStage();
  await deployFleet(stage, names, chain);
  // As a tool applies them: in some order, and not in one moment.
  for (const name of names.toReversed()) await setImageOf(stage, name, 'web:2');
  assert.deepEqual(
    names.map((name) => phaseOf(stage, name)),
    ['Progressing', 'Waiting', 'Waiting'],
  );
  assert.equal(conditionOf(stage, 'b', 'Waiting')?.reason, 'DependencyNotReady');
  const { begun, mostAtOnce } = await watchFleet(stage, names);
  assert.deepEqual(begun, names);
  assert.equal(mostAtOnce, 1);
  stage.end();
});

test('one that failed holds up what builds on it, until it is mended', async () => {
  let isGood = false;
  const stage = await createStage({ passes: () => isGood });
  await deployFleet(stage, ['a', 'b'], chain);
  await setImageOf(stage, 'a', 'web:2');
  await setImageOf(stage, 'b', 'web:2');
  const failed = (): boolean => phaseOf(stage, 'a') === 'Failed';
  assert.ok(await stage.world.clock.advanceUntil(failed, 120_000));
  await stage.world.clock.advance(60_000);
  assert.equal(phaseOf(stage, 'b'), 'Waiting');
  assert.match(
    conditionOf(stage, 'b', 'Waiting')?.message ?? '',
    /a\.default.*failed on its latest/,
  );

  // Whoever leads next waits for the same, and is woken by the same.
  stage.process.kill();
  stage.world.start({ name: 'second', isAlone: true, answers: { checks } });
  await stage.world.clock.advance(30_000);
  assert.equal(phaseOf(stage, 'b'), 'Waiting');
  isGood = true;
  await setImageOf(stage, 'a', 'web:3');
  const { begun } = await watchFleet(stage, ['a', 'b']);
  assert.deepEqual(begun, ['a', 'b']);
  stage.end();
});

test('one that failed and is taken back holds up nobody', async () => {
  const stage = await createStage({ passes: () => false });
  await deployFleet(stage, ['a', 'b'], chain);
  await setImageOf(stage, 'a', 'web:2');
  const failed = (): boolean => phaseOf(stage, 'a') === 'Failed';
  assert.ok(await stage.world.clock.advanceUntil(failed, 120_000));
  await setImageOf(stage, 'b', 'web:2');
  assert.equal(phaseOf(stage, 'b'), 'Waiting');
  await setImageOf(stage, 'a', 'web:1');
  await stage.world.clock.advance(6_000);
  assert.equal(phaseOf(stage, 'b'), 'Progressing');
  stage.end();
});

test('one that is not there holds up rollouts and nothing else, and is warned of', async () => {
  const stage = await createStage();
  await deployFleet(stage, ['b'], chain);
  await setImageOf(stage, 'b', 'web:2');
  assert.equal(phaseOf(stage, 'b'), 'Waiting');
  assert.match(conditionOf(stage, 'b', 'Waiting')?.message ?? '', /a\.default.*is not there/);
  const you = createClusterUser(stage.world.cluster, stage.world.clock);
  const live = stage.live(canaries, 'b');
  const dependsOn = [{ name: 'other' }];
  assert.match(
    (await you.update(canaries, { ...live, spec: { ...live.spec, dependsOn } })).join(),
    /spec\.dependsOn\[0\]: there is no canary other in namespace default yet/,
  );
  await deployFleet(stage, ['other']);
  await watchFleet(stage, ['b']);
  stage.end();
});

test('a cycle is refused at apply, and shown where nobody could refuse it', async () => {
  const stage = await createStage();
  await deployFleet(stage, ['a', 'b'], chain);
  const you = createClusterUser(stage.world.cluster, stage.world.clock);
  const live = stage.live(canaries, 'a');
  const closed = { ...live, spec: { ...live.spec, dependsOn: [{ name: 'b' }] } };
  await assert.rejects(you.update(canaries, closed), (error) => {
    assert.ok(error instanceof RehearsalRefused);
    assert.match(error.message, /spec\.dependsOn: .*a\.default -> b\.default -> a\.default/);
    return true;
  });
  const webhooks = { namespace: '', name: 'aviary' };
  await stage.api.delete(validatingWebhookConfigurations, webhooks);
  await stage.edit(canaries, () => closed, 'a');
  await stage.world.clock.advance(1_000);
  assert.equal(conditionOf(stage, 'a', 'Stalled')?.reason, 'DependencyCycle');
  assert.equal(conditionOf(stage, 'b', 'Stalled')?.reason, 'DependencyCycle');
  await stage.edit(canaries, (now) => ({ ...now, spec: { ...now.spec, dependsOn: [] } }), 'a');
  await stage.world.clock.advance(1_000);
  assert.equal(conditionOf(stage, 'a', 'Stalled'), undefined);
  assert.equal(conditionOf(stage, 'b', 'Stalled'), undefined);
  stage.end();
});

test('a canary that would wait for itself is refused', async () => {
  const stage = await createStage();
  const you = createClusterUser(stage.world.cluster, stage.world.clock);
  const canary = canaryOf({}, { dependsOn: [{ name: key.name }] });
  await assert.rejects(you.create(canaries, canary), /would wait for itself/);
  stage.end();
});
