/** Nobody's requests go to pods that have just become ready: what carries them may not know of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canaries, deployments } from '../../src/kube/resources.ts';
import type { Stage } from '../support/stage.ts';
import { canaryOf, initialized, onStage, target, withImage } from '../support/stage.ts';

/** For how long the pods of a workload have been ready when something becomes true. */
async function readyForMs(stage: Stage, name: string, isTrue: () => boolean): Promise<number> {
  const { clock } = stage.world;
  const isReady = (): boolean => {
    const {
      replicas,
      availableReplicas = 0,
      updatedReplicas = 0,
    } = stage.find(deployments, name)?.status ?? {};
    return availableReplicas > 0 && updatedReplicas === replicas && replicas === availableReplicas;
  };
  assert.ok(!isReady(), `${name} is not ready at first`);
  assert.ok(await clock.advanceUntil(isReady, 60_000), `${name} gets ready`);
  assert.ok(!isTrue(), 'not before the pods are ready');
  const readyAtMs = clock.now();
  assert.ok(await clock.advanceUntil(isTrue, 60_000));
  return clock.now() - readyAtMs;
}

const phaseOf = (stage: Stage) => stage.find(canaries)?.status?.phase;
const weightOf = (stage: Stage) => stage.find(canaries)?.status?.canaryWeight ?? 0;

const settlesIn = (elapsedMs: number): void =>
  assert.ok(elapsedMs >= 1500 && elapsedMs < 2000, `after ${elapsedMs} ms`);

test('a new primary takes over a second and a half after it is ready', () =>
  onStage(async (stage) => {
    await stage.apply(deployments, target);
    const [, elapsedMs] = await Promise.all([
      stage.api.create(canaries, canaryOf()),
      readyForMs(stage, 'web-primary', () => phaseOf(stage) === 'Initialized'),
    ]);
    settlesIn(elapsedMs);
  }));

test('the first step, and the way back to the primary, come that much after their pods', () =>
  onStage(async (stage) => {
    await initialized(stage);
    const live = stage.live(deployments);
    const template = withImage(live.spec.template, 'web:2');
    const change = { ...live, spec: { ...live.spec, template } };
    const [, elapsedMs] = await Promise.all([
      stage.api.update(deployments, change),
      readyForMs(stage, 'web', () => weightOf(stage) > 0),
    ]);
    settlesIn(elapsedMs);
    await stage.until('Promoting');
    settlesIn(await readyForMs(stage, 'web-primary', () => phaseOf(stage) === 'Finalising'));
  }));
