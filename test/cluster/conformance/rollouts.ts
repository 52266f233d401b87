/** Deployments roll out as fast as readiness allows, and tell how far they are. */
import assert from 'node:assert/strict';
import { assertLike, at, itemsOf, namesOf, textAt } from './match.ts';
import type { Labels } from './paths.ts';
import { deployment, deployments, pods, replicaSets } from './paths.ts';
import {
  conditionsOf,
  namespace,
  rolledOut,
  running,
  selected,
  setImage,
} from './rollout-steps.ts';
import type { Chapter } from './site.ts';

export const rollouts: Chapter = {
  title: 'rollouts',
  needsKubectl: false,
  tests: {
    'it tells how far it is, in conditions': async (ground) => {
      const name = await running(ground);
      const live = await ground.until('it has progressed', async () => {
        const { body } = await ground.calls.get(`${deployments(namespace)}/${name}`);
        const done = conditionsOf(body).some(({ reason }) => reason === 'NewReplicaSetAvailable');
        return done && body;
      });
      const byType = (type: string): unknown => conditionsOf(live).find((it) => it.type === type);
      const [set] = namesOf(await selected(ground, replicaSets(namespace), name));
      assertLike(byType('Available'), {
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      });
      assertLike(byType('Progressing'), {
        status: 'True',
        reason: 'NewReplicaSetAvailable',
        message: `ReplicaSet "${set}" has successfully progressed.`,
      });
    },
    'a new template is a new revision; the old ReplicaSet stays, with no pods': async (ground) => {
      const name = await running(ground, { replicas: 2 });
      await setImage(ground, name, 'podinfo:6.0.1');
      const live = await rolledOut(ground, name);
      assertLike(live, {
        metadata: { annotations: { 'deployment.kubernetes.io/revision': '2' } },
      });
      const sets = itemsOf(await selected(ground, replicaSets(namespace), name));
      const revisions = sets.map((set) => {
        const annotations = at(set, 'metadata.annotations') as Labels;
        const image = textAt(set, 'spec.template.spec.containers.0.image');
        const revision = annotations['deployment.kubernetes.io/revision'] ?? '';
        return `${revision}: ${textAt(set, 'spec.replicas')} of ${image}`;
      });
      assert.deepEqual(revisions.toSorted(), ['1: 0 of podinfo:6.0.0', '2: 2 of podinfo:6.0.1']);
      await ground.until('only new pods are there', async () => {
        const found = itemsOf(await selected(ground, pods(namespace), name));
        const images = found.map((pod) => at(pod, 'spec.containers.0.image'));
        return images.length === 2 && images.every((image) => image === 'podinfo:6.0.1');
      });
    },
    'back to an old template: its ReplicaSet again, as the newest revision': async (ground) => {
      const name = await running(ground);
      const [first] = namesOf(await selected(ground, replicaSets(namespace), name));
      await setImage(ground, name, 'podinfo:6.0.1');
      await rolledOut(ground, name);
      await setImage(ground, name, 'podinfo:6.0.0');
      await rolledOut(ground, name);
      const sets = itemsOf(await selected(ground, replicaSets(namespace), name));
      assert.equal(sets.length, 2);
      const set = sets.find((it) => at(it, 'metadata.name') === first);
      assertLike(set, {
        metadata: {
          annotations: {
            'deployment.kubernetes.io/revision': '3',
            'deployment.kubernetes.io/revision-history': '1',
          },
        },
      });
    },
    'pods that never become ready hold a rollout, and the old ones stay': async (ground) => {
      const name = await running(ground, { replicas: 4 });
      await setImage(ground, name, 'podinfo:6.0.1', { 'aviary.test/ready': 'false' });
      const live = await ground.until('it waits', async () => {
        const { body } = await ground.calls.get(`${deployments(namespace)}/${name}`);
        return (
          at(body, 'status.updatedReplicas') === 2 &&
          at(body, 'status.readyReplicas') === 3 &&
          at(body, 'status.replicas') === 5 &&
          body
        );
      });
      assertLike(live, { status: { availableReplicas: 3, unavailableReplicas: 2 } });
    },
    'a rollout that takes longer than its deadline says so': async (ground) => {
      const name = ground.name('app');
      const choice = {
        annotations: { 'aviary.test/ready': 'false' },
        spec: { progressDeadlineSeconds: 1 },
      };
      await ground.calls.create(deployments(namespace), deployment(name, choice));
      const condition = await ground.until('the deadline is exceeded', async () => {
        const { body } = await ground.calls.get(`${deployments(namespace)}/${name}`);
        return conditionsOf(body).find(({ reason }) => reason === 'ProgressDeadlineExceeded');
      });
      const [set] = namesOf(await selected(ground, replicaSets(namespace), name));
      assertLike(condition, {
        type: 'Progressing',
        status: 'False',
        message: `ReplicaSet "${set}" has timed out progressing.`,
      });
    },
    'while it is paused nothing rolls out, but it scales': async (ground) => {
      const name = await running(ground);
      const path = `${deployments(namespace)}/${name}`;
      await ground.calls.patch('merge', path, { spec: { paused: true, replicas: 2 } });
      await setImage(ground, name, 'podinfo:6.0.1');
      await ground.until('it is scaled', async () => {
        const { body } = await ground.calls.get(path);
        return (
          at(body, 'status.readyReplicas') === 2 &&
          at(body, 'status.observedGeneration') === at(body, 'metadata.generation')
        );
      });
      assert.equal(itemsOf(await selected(ground, replicaSets(namespace), name)).length, 1);
      await ground.calls.patch('merge', path, { spec: { paused: false } });
      await rolledOut(ground, name);
      assert.equal(itemsOf(await selected(ground, replicaSets(namespace), name)).length, 2);
    },
  },
};
