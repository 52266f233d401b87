/** Deployments roll out by ReplicaSets and pods, as fast as readiness allows; DaemonSets, too. */
import assert from 'node:assert/strict';
import { assertLike, at, itemsOf, namesOf, textAt } from './match.ts';
import { daemonSets, deployment, deployments, events, pods, replicaSets } from './paths.ts';
import type { DeploymentChoice, Labels } from './paths.ts';
import type { Chapter, Ground } from './site.ts';

const namespace = 'default';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

const conditionsOf = (object: unknown): readonly Condition[] =>
  (at(object, 'status.conditions') ?? []) as readonly Condition[];

/** Resolves, with the Deployment, when all its pods are of the last template and available. */
async function rolledOut(ground: Ground, name: string): Promise<unknown> {
  return ground.until(`${name} is rolled out`, async () => {
    const { body } = await ground.calls.get(`${deployments(namespace)}/${name}`);
    const wanted = at(body, 'spec.replicas');
    const count = (field: string): unknown => at(body, `status.${field}`) ?? 0;
    const isDone =
      at(body, 'status.observedGeneration') === at(body, 'metadata.generation') &&
      ['replicas', 'updatedReplicas', 'availableReplicas'].every((it) => count(it) === wanted);
    return isDone && body;
  });
}

/** A Deployment of a name of its own that is rolled out. Answers the name. */
async function running(ground: Ground, choice: DeploymentChoice = {}): Promise<string> {
  const name = ground.name('app');
  const created = await ground.calls.create(deployments(namespace), deployment(name, choice));
  assert.equal(created.code, 201);
  await rolledOut(ground, name);
  return name;
}

const selected = async ({ calls }: Ground, path: string, app: string): Promise<unknown> =>
  (await calls.get(path, { labelSelector: `app=${app}` })).body;

const setImage = ({ calls }: Ground, name: string, image: string, annotations = {}) =>
  calls.patch('strategic', `${deployments(namespace)}/${name}`, {
    spec: {
      template: { metadata: { annotations }, spec: { containers: [{ name: 'main', image }] } },
    },
  });

export const workloads: Chapter = {
  title: 'workloads',
  needsKubectl: false,
  tests: {
    'a Deployment has a ReplicaSet, and that has pods': async (ground) => {
      const name = await running(ground, { replicas: 2 });
      const live = await rolledOut(ground, name);
      assertLike(live, {
        metadata: { annotations: { 'deployment.kubernetes.io/revision': '1' } },
        spec: {
          strategy: {
            type: 'RollingUpdate',
            rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' },
          },
          revisionHistoryLimit: 10,
          progressDeadlineSeconds: 600,
        },
        status: {
          observedGeneration: 1,
          replicas: 2,
          readyReplicas: 2,
          unavailableReplicas: undefined,
        },
      });
      const sets = await selected(ground, replicaSets(namespace), name);
      const [set] = itemsOf(sets);
      const hash = textAt(set, 'metadata.labels.pod-template-hash');
      assert.match(hash, /^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
      assertLike(set, {
        metadata: {
          name: `${name}-${hash}`,
          labels: { app: name, 'pod-template-hash': hash },
          annotations: {
            'deployment.kubernetes.io/desired-replicas': '2',
            'deployment.kubernetes.io/max-replicas': '3',
            'deployment.kubernetes.io/revision': '1',
          },
          ownerReferences: [
            {
              apiVersion: 'apps/v1',
              kind: 'Deployment',
              name,
              uid: at(live, 'metadata.uid'),
              controller: true,
              blockOwnerDeletion: true,
            },
          ],
        },
        spec: { replicas: 2, selector: { matchLabels: { app: name, 'pod-template-hash': hash } } },
        status: { replicas: 2, fullyLabeledReplicas: 2, readyReplicas: 2, availableReplicas: 2 },
      });
      const found = itemsOf(await selected(ground, pods(namespace), name));
      assert.equal(found.length, 2);
      for (const pod of found) {
        assert.match(textAt(pod, 'metadata.name'), new RegExp(`^${name}-${hash}-[a-z0-9]{5}$`));
        assertLike(pod, {
          metadata: {
            generateName: `${name}-${hash}-`,
            labels: { 'pod-template-hash': hash },
            ownerReferences: [{ kind: 'ReplicaSet', name: `${name}-${hash}` }],
          },
          status: { phase: 'Running' },
        });
        assert.notEqual(textAt(pod, 'spec.nodeName'), '');
        assert.match(textAt(pod, 'status.podIP'), /^\d+\.\d+\.\d+\.\d+$/);
        const ready = conditionsOf(pod).find(({ type }) => type === 'Ready');
        assert.equal(ready?.status, 'True');
      }
    },
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
    'scaled up and down, to nothing and back': async (ground) => {
      const name = await running(ground);
      const path = `${deployments(namespace)}/${name}/scale`;
      for (const replicas of [3, 0, 1]) {
        await ground.calls.patch('merge', path, { spec: { replicas } });
        await rolledOut(ground, name);
        await ground.until(`${replicas} pods are there`, async () => {
          return itemsOf(await selected(ground, pods(namespace), name)).length === replicas;
        });
      }
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
    'a pod that is taken away comes back as another': async (ground) => {
      const name = await running(ground);
      const [before = ''] = namesOf(await selected(ground, pods(namespace), name));
      const gracePeriodSeconds = 0;
      await ground.calls.delete(`${pods(namespace)}/${before}`, { gracePeriodSeconds });
      await ground.until('there is another', async () => {
        const names = namesOf(await selected(ground, pods(namespace), name));
        return names.length === 1 && names[0] !== before;
      });
      await rolledOut(ground, name);
    },
    'with a Deployment go its ReplicaSets and pods': async (ground) => {
      const name = await running(ground);
      await ground.calls.delete(`${deployments(namespace)}/${name}`);
      for (const path of [replicaSets(namespace), pods(namespace)]) {
        await ground.until(`nothing is left in ${path}`, async () => {
          return itemsOf(await selected(ground, path, name)).length === 0;
        });
      }
    },
    'the selector is for ever': async (ground) => {
      const name = await running(ground, { replicas: 0 });
      const refused = await ground.calls.patch('merge', `${deployments(namespace)}/${name}`, {
        spec: {
          selector: { matchLabels: { app: 'other' } },
          template: { metadata: { labels: { app: 'other' } } },
        },
      });
      assertLike(refused, { code: 422, body: { reason: 'Invalid' } });
      assert.match(textAt(refused.body, 'message'), /field is immutable$/);
    },
    'scaling is told in events': async (ground) => {
      const name = await running(ground, { replicas: 2 });
      const fieldSelector = `involvedObject.name=${name}`;
      const found = await ground.until('the event is there', async () => {
        const { body } = await ground.calls.get(events(namespace), { fieldSelector });
        const [event] = itemsOf(body);
        return event;
      });
      const [set] = namesOf(await selected(ground, replicaSets(namespace), name));
      assertLike(found, {
        type: 'Normal',
        reason: 'ScalingReplicaSet',
        message: `Scaled up replica set ${set} from 0 to 2`,
        involvedObject: { kind: 'Deployment', name, namespace, apiVersion: 'apps/v1' },
        source: { component: 'deployment-controller' },
      });
    },
    'a DaemonSet has a pod on each node, and rolls out': async (ground) => {
      const name = ground.name('daemon');
      const path = `${daemonSets(namespace)}/${name}`;
      const { spec, ...rest } = deployment(name) as {
        readonly spec: Readonly<Record<string, unknown>>;
      };
      const { replicas, ...others } = spec;
      assert.equal(replicas, 1);
      const body = { ...rest, kind: 'DaemonSet', spec: others };
      assert.equal((await ground.calls.create(daemonSets(namespace), body)).code, 201);
      const nodes = itemsOf((await ground.calls.get('/api/v1/nodes')).body).length;
      assert.ok(nodes > 0);
      const settled = (generation: number): Promise<unknown> =>
        ground.until(`generation ${generation} is everywhere`, async () => {
          const { body } = await ground.calls.get(path);
          const status = at(body, 'status') as Readonly<Record<string, unknown>>;
          return (
            status['observedGeneration'] === generation &&
            status['numberReady'] === nodes &&
            status['updatedNumberScheduled'] === nodes &&
            status['numberAvailable'] === nodes &&
            body
          );
        });
      assertLike(await settled(1), {
        status: {
          desiredNumberScheduled: nodes,
          currentNumberScheduled: nodes,
          numberMisscheduled: 0,
        },
      });
      await ground.calls.patch('strategic', path, {
        spec: { template: { spec: { containers: [{ name: 'main', image: 'podinfo:6.0.1' }] } } },
      });
      await settled(2);
      const found = itemsOf(await selected(ground, pods(namespace), name));
      const live = found.filter((pod) => at(pod, 'metadata.deletionTimestamp') === undefined);
      assert.equal(new Set(live.map((pod) => at(pod, 'spec.nodeName'))).size, nodes);
    },
  },
};
