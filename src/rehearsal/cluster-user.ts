/**
 * Somebody with kubectl: what they write goes the way of every request, through admission, and the
 * warnings come back. Time goes on until the answer is there.
 */
import type { KubeObject } from '../api/kubernetes.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { ResourceType } from '../cluster/resource-type.ts';
import { StatusError } from '../cluster/status-error.ts';
import type { VirtualClock } from '../cluster/virtual-clock.ts';
import type { Writing } from '../cluster/writing.ts';
import type { Resource } from '../kube/resources.ts';
import { nameOf } from '../kube/resources.ts';
import { RehearsalRefused } from './refused.ts';

/** Both answer the warnings, and reject with a `RehearsalRefused` that says what was wrong. */
export interface ClusterUser {
  create<T extends KubeObject>(resource: Resource<T>, object: T): Promise<readonly string[]>;
  update<T extends KubeObject>(resource: Resource<T>, object: T): Promise<readonly string[]>;
}

/** Longer than the API server waits for a webhook. */
const answerMsMax = 60_000;

export function createClusterUser(
  { server, registry }: Pick<Cluster, 'server' | 'registry'>,
  clock: VirtualClock,
): ClusterUser {
  const write = async (run: (as: Writing) => Promise<unknown>): Promise<readonly string[]> => {
    const warnings: string[] = [];
    const outcome = run({
      user: { username: 'you', groups: ['system:masters', 'system:authenticated'] },
      dryRun: false,
      fieldManager: 'kubectl',
      fieldValidation: 'Ignore',
      warn: (text) => warnings.push(text),
    }).then(
      () => undefined,
      (error: unknown) => error,
    );
    const failure = await passing(outcome, clock);
    if (failure === undefined) return warnings;
    if (!(failure instanceof StatusError)) throw failure;
    throw new RehearsalRefused(failure.message, { cause: failure });
  };
  /** In the version of the object: there may be several. */
  const typeOf = (
    { group, plural }: Resource<KubeObject>,
    { apiVersion }: KubeObject,
  ): ResourceType => {
    const version = apiVersion.replace(/^.*\//, '');
    const type = registry.find(group, version, plural);
    if (type === undefined) throw new Error(`no ${plural} of ${apiVersion} in this cluster`);
    return type;
  };
  return {
    create: (resource, object) => {
      const { namespace } = nameOf(object);
      return write((as) => server.create(typeOf(resource, object), namespace, object, as));
    },
    update: (resource, object) => {
      const target = {
        type: typeOf(resource, object),
        key: nameOf(object),
        subresource: '',
      } as const;
      return write((as) => server.update(target, object, as));
    },
  };
}

/** Lets time pass until it is there. */
async function passing<T>(awaited: Promise<T>, clock: VirtualClock): Promise<T> {
  let isThere = false;
  const settled = awaited.then((value) => {
    isThere = true;
    return value;
  });
  await clock.advanceUntil(() => isThere, answerMsMax);
  return settled;
}
