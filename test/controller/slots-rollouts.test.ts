/** Limits over whole rollouts with the real controller, and across its death. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canaries, events } from '../../src/kube/resources.ts';
import type { KubeObject } from '../../src/api/kubernetes.ts';
import type { Stage } from '../support/stage.ts';
import { createStage, key } from '../support/stage.ts';
import { deployFleet, phaseOf, setImageOf, watchFleet } from './fleet.ts';

const names = ['a', 'b', 'c', 'd', 'e'];

interface Told extends KubeObject {
  readonly message?: string;
  readonly involvedObject?: { readonly name: string };
}

const saidOf = (stage: Stage, name: string): readonly string[] =>
  stage.api
    .list(events, key.namespace)
    .map((it): Told => it)
    .filter(({ involvedObject }) => involvedObject?.name === name)
    .map(({ message = '' }) => message);

test('two at a time, first come first served, each waiting one says so once', async () => {
  const stage = await createStage({ settings: { maxProgressing: 2 } });
  await deployFleet(stage, names);
  for (const name of ['c', 'e', 'a', 'd', 'b']) await setImageOf(stage, name, 'web:2');
  assert.deepEqual(
    names.filter((name) => phaseOf(stage, name) === 'Waiting'),
    ['a', 'b', 'd'],
  );
  const waiting = stage
    .live(canaries, 'a')
    .status?.conditions?.find(({ type }) => type === 'Waiting');
  assert.equal(waiting?.reason, 'NoSlot');
  assert.match(waiting.message ?? '', /no more than 2 rollouts .* in the cluster$/);

  const { begun, mostAtOnce } = await watchFleet(stage, names);
  assert.equal(mostAtOnce, 2);
  assert.deepEqual(begun, ['c', 'e', 'a', 'd', 'b']);
  for (const name of names) {
    const waited = saidOf(stage, name).filter((it) => it.includes('waits'));
    assert.equal(waited.length, ['c', 'e'].includes(name) ? 0 : 1, name);
    const ahead = { d: '; 1 waits before this one', b: '; 2 wait before this one' }[name] ?? '';
    assert.ok(
      waited.every((it) => it.endsWith(`(c.default, e.default are${ahead})`)),
      waited[0],
    );
  }
  assert.equal(stage.live(canaries, 'a').status?.waitingSince, undefined);
  stage.end();
});

test('the line survives the process that kept it', async () => {
  const settings = { maxProgressing: 1 };
  const stage = await createStage({ settings });
  await deployFleet(stage, names);
  for (const name of ['c', 'e', 'a', 'd', 'b']) await setImageOf(stage, name, 'web:2');
  const passed = { passed: true, events: [] };
  const checks = { probe: async () => passed, analyse: async () => passed };
  let lives = 1;
  const { begun, mostAtOnce } = await watchFleet(stage, names, (ms) => {
    if (ms === 0 || ms % 17_000 !== 0) return;
    for (const process of stage.world.processes) if (process.isAlive()) process.kill();
    lives += 1;
    stage.world.start({ name: `life${lives}`, isAlone: true, settings, answers: { checks } });
  });
  assert.ok(lives > 3);
  assert.equal(mostAtOnce, 1);
  assert.deepEqual(begun, ['c', 'e', 'a', 'd', 'b']);
  stage.end();
});

test('what is skipped does not wait for a slot, and one behind a shut gate does not keep it', async () => {
  const stage = await createStage({ settings: { maxProgressingPerNamespace: 1 } });
  await deployFleet(stage, ['a', 'b', 'c'], (name) => {
    if (name === 'c') return { skipAnalysis: true };
    const gate = { name: 'start', type: 'confirm-rollout' } as const;
    return name === 'a'
      ? { analysis: { interval: '10s', threshold: 2, stepWeight: 50, webhooks: [gate] } }
      : {};
  });
  for (const name of ['a', 'b', 'c']) await setImageOf(stage, name, 'web:2');
  assert.equal(phaseOf(stage, 'a'), 'Waiting');
  const { begun } = await watchFleet(stage, ['b', 'c']);
  assert.deepEqual(begun.toSorted(), ['b', 'c']);
  assert.equal(phaseOf(stage, 'a'), 'Waiting');
  stage.end();
});
