/** The fast way back with the real controller, by kubectl's words, and after a restart. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canaries, deployments } from '../../src/kube/resources.ts';
import { createClusterUser } from '../../src/rehearsal/cluster-user.ts';
import { canaryOf, createStage, initialized, setImage, withImage } from '../support/stage.ts';

test('a revision that served until lately is back in a second, and kubectl says so', async () => {
  const stage = await createStage();
  await initialized(stage, canaryOf({ rollbackWindow: '30m' }));
  await setImage(stage, 'web:2');
  await stage.until('Succeeded');
  const first = stage.live(canaries).status?.promoted;
  assert.equal(first?.length, 2);

  // Another process knows what this one promoted.
  stage.process.kill();
  const passed = { passed: true, events: [] };
  const checks = {
    probe: async () => passed,
    analyse: () => Promise.reject(new Error('nothing is to be analysed')),
  };
  stage.world.start({ name: 'second', isAlone: true, answers: { checks } });
  await stage.world.clock.advance(60_000);

  const you = createClusterUser(stage.world.cluster, stage.world.clock);
  const live = stage.live(deployments);
  const template = withImage(live.spec.template, 'web:1');
  assert.deepEqual(await you.update(deployments, { ...live, spec: { ...live.spec, template } }), [
    'web: this revision served within 30m, it is promoted without analysis',
  ]);
  await stage.world.clock.advance(5_000);
  const { status } = stage.live(canaries);
  assert.equal(status?.phase, 'Succeeded');
  assert.equal(
    stage.live(deployments, 'web-primary').spec.template.spec.containers[0]?.image,
    'web:1',
  );
  assert.deepEqual(
    status?.promoted?.map(({ revision }) => revision),
    [first?.[1]?.revision, first?.[0]?.revision, first?.[1]?.revision],
  );
  stage.end();
});
