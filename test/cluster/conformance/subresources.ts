/** Status and scale are written apart from the rest. */
import assert from 'node:assert/strict';
import { assertLike, at, textAt } from './match.ts';
import { configMaps, deployment, deployments, replicaSets } from './paths.ts';
import type { Chapter, Ground } from './site.ts';

/** Paused, so that no controller writes to it while the test does. */
async function oneDeployment({ calls, namespace }: Ground): Promise<string> {
  const path = `${deployments(await namespace())}/a`;
  const body = deployment('a', { replicas: 0, spec: { paused: true } });
  assert.equal((await calls.create(path.slice(0, -2), body)).code, 201);
  return path;
}

export const subresources: Chapter = {
  title: 'status and scale',
  needsKubectl: false,
  tests: {
    'who writes the status writes nothing else': async (ground) => {
      const path = await oneDeployment(ground);
      const patch = { spec: { minReadySeconds: 9 }, status: { collisionCount: 3 } };
      const { code, body } = await ground.calls.patch('merge', `${path}/status`, patch);
      assert.equal(code, 200);
      assertLike(body, {
        metadata: { generation: 1 },
        spec: { minReadySeconds: undefined },
        status: { collisionCount: 3 },
      });
    },
    'who writes the rest writes no status': async (ground) => {
      const path = await oneDeployment(ground);
      const patch = { spec: { minReadySeconds: 9 }, status: { collisionCount: 3 } };
      const { body } = await ground.calls.patch('merge', path, patch);
      assertLike(body, {
        metadata: { generation: 2 },
        spec: { minReadySeconds: 9 },
        status: { collisionCount: undefined },
      });
    },
    'a status is replaced as an object is': async (ground) => {
      const path = await oneDeployment(ground);
      const { body } = await ground.calls.get(`${path}/status`);
      assertLike(body, { kind: 'Deployment', metadata: { name: 'a' } });
      const status = { observedGeneration: 1, replicas: 7 };
      const stale = { ...(body as object), status };
      const metadata = { name: 'a', resourceVersion: '1' };
      const refused = await ground.calls.replace(`${path}/status`, { ...stale, metadata });
      assertLike(refused, { code: 409, body: { reason: 'Conflict' } });
    },
    'the owner of a status is not the owner of the rest': async (ground) => {
      const path = await oneDeployment(ground);
      const patch = { status: { collisionCount: 3 } };
      const query = { fieldManager: 'teller' };
      const { body } = await ground.calls.patch('merge', `${path}/status`, patch, query);
      const entries = at(body, 'metadata.managedFields') as readonly { readonly manager: string }[];
      assertLike(
        entries.find(({ manager }) => manager === 'teller'),
        {
          subresource: 'status',
          operation: 'Update',
          fieldsV1: { 'f:status': { 'f:collisionCount': {} } },
        },
      );
    },
    'scale shows and sets how many': async (ground) => {
      const path = await oneDeployment(ground);
      const scale = await ground.calls.get(`${path}/scale`);
      assertLike(scale, {
        code: 200,
        body: {
          kind: 'Scale',
          apiVersion: 'autoscaling/v1',
          metadata: { name: 'a' },
          status: { replicas: 0, selector: 'app=a' },
        },
      });
      const scaled = await ground.calls.patch('merge', `${path}/scale`, { spec: { replicas: 3 } });
      assertLike(scaled.body, { kind: 'Scale', spec: { replicas: 3 } });
      const { body } = await ground.calls.get(path);
      assertLike(body, { metadata: { generation: 2 }, spec: { replicas: 3 } });
    },
    'a scale that was read before another write is a conflict': async (ground) => {
      const path = await oneDeployment(ground);
      const { body } = await ground.calls.get(`${path}/scale`);
      await ground.calls.patch('merge', path, { metadata: { labels: { x: 'y' } } });
      const wanted = { ...(body as object), spec: { replicas: 2 } };
      const refused = await ground.calls.replace(`${path}/scale`, wanted);
      assertLike(refused, { code: 409, body: { reason: 'Conflict' } });
    },
    'nothing is scaled below nothing': async (ground) => {
      const path = await oneDeployment(ground);
      const refused = await ground.calls.patch('merge', `${path}/scale`, {
        spec: { replicas: -1 },
      });
      assertLike(refused, { code: 422, body: { reason: 'Invalid' } });
      assert.match(textAt(refused.body, 'message'), /must be greater than or equal to 0/);
    },
    'kinds without them have none': async ({ calls }) => {
      const path = `${configMaps('default')}/kube-root-ca.crt`;
      for (const part of ['status', 'scale']) {
        assert.equal((await calls.get(`${path}/${part}`)).code, 404, part);
      }
      assert.equal((await calls.get(`${replicaSets('default')}/none/scale`)).code, 404);
    },
  },
};
