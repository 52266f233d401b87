/** Deployments that tests roll out, and what belongs to them. */
import assert from 'node:assert/strict';
import { at } from './match.ts';
import { deployment, deployments } from './paths.ts';
import type { DeploymentChoice } from './paths.ts';
import type { Ground } from './site.ts';

export const namespace = 'default';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

export const conditionsOf = (object: unknown): readonly Condition[] =>
  (at(object, 'status.conditions') ?? []) as readonly Condition[];

/** Resolves, with the Deployment, when all its pods are of the last template and available. */
export async function rolledOut(ground: Ground, name: string): Promise<unknown> {
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
export async function running(ground: Ground, choice: DeploymentChoice = {}): Promise<string> {
  const name = ground.name('app');
  const created = await ground.calls.create(deployments(namespace), deployment(name, choice));
  assert.equal(created.code, 201);
  await rolledOut(ground, name);
  return name;
}

export const selected = async ({ calls }: Ground, path: string, app: string): Promise<unknown> =>
  (await calls.get(path, { labelSelector: `app=${app}` })).body;

export const setImage = ({ calls }: Ground, name: string, image: string, annotations = {}) =>
  calls.patch('strategic', `${deployments(namespace)}/${name}`, {
    spec: {
      template: { metadata: { annotations }, spec: { containers: [{ name: 'main', image }] } },
    },
  });
