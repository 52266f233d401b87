/** Deployments have ReplicaSets, and those have pods; DaemonSets have one on each node. */
import assert from 'node:assert/strict';
import { assertLike, at, itemsOf, namesOf, textAt } from './match.ts';
import { daemonSets, deployment, deployments, events, pods, replicaSets } from './paths.ts';
import { conditionsOf, namespace, rolledOut, running, selected } from './rollout-steps.ts';
import type { Chapter } from './site.ts';

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
