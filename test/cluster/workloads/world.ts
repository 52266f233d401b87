/** A cluster in virtual time with its controllers, and the words in which stories of it are told. */
import assert from 'node:assert/strict';
import type { Deployment, KubeObject, PodTemplateSpec } from '../../../src/api/kubernetes.ts';
import type { Cluster } from '../../../src/cluster/cluster.ts';
import { createCluster } from '../../../src/cluster/cluster.ts';
import { createRandom } from '../../../src/cluster/random.ts';
import type { VirtualClock } from '../../../src/cluster/virtual-clock.ts';
import { createVirtualClock } from '../../../src/cluster/virtual-clock.ts';
import type { DeploymentStatus } from '../../../src/cluster/workloads/deployment-status.ts';
import type { Pod, ReplicaSet } from '../../../src/cluster/workloads/kinds.ts';
import { pods, replicaSets } from '../../../src/cluster/workloads/kinds.ts';
import type { WorkloadOptions } from '../../../src/cluster/workloads/workloads.ts';
import type { Resource } from '../../../src/kube/resources.ts';
import { deployments } from '../../../src/kube/resources.ts';

export const namespace = 'default';

export interface World {
  readonly clock: VirtualClock;
  readonly cluster: Cluster;
  /** What the controllers complained of. */
  readonly complaints: readonly string[];
  /** Stored versions since the start. */
  writes(): number;
  create<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T>;
  /** Fails where there is none. */
  get<T extends KubeObject>(resource: Resource<T>, name: string): T;
  change<T extends KubeObject>(
    resource: Resource<T>,
    name: string,
    change: (object: T) => T,
  ): Promise<T>;
  pods(): readonly Pod[];
  sets(): readonly ReplicaSet[];
  status(name?: string): DeploymentStatus;
}

export async function createWorld(options: WorkloadOptions & { seed?: number } = {}) {
  const clock = createVirtualClock();
  const complaints: string[] = [];
  const complain = (fields: object, message: string): void => {
    complaints.push(`${message} ${JSON.stringify(fields)}`);
  };
  const { seed = 1, ...workloads } = options;
  const cluster = createCluster({
    clock,
    random: createRandom(seed, 'cluster'),
    log: { debug: () => undefined, info: complain, warn: complain, error: complain },
    isLean: true,
    workloads: { isFurnished: false, isTold: false, ...workloads },
  });
  await clock.settle();
  const { api } = cluster;
  const first = cluster.store.version();
  const get = <T extends KubeObject>(resource: Resource<T>, name: string): T => {
    const found = api.get(resource, { namespace: resource.namespaced ? namespace : '', name });
    assert.ok(found, `there is no ${resource.kind} ${name}`);
    return found;
  };
  const world: World = {
    clock,
    cluster,
    complaints,
    writes: () => cluster.store.version() - first,
    create: (resource, object) => api.create(resource, object),
    get,
    change: async (resource, name, change) => api.update(resource, change(get(resource, name))),
    pods: () => api.list(pods, namespace),
    sets: () => api.list(replicaSets, namespace),
    status: (name = 'web') => get(deployments, name).status ?? {},
  };
  return world;
}

export const template = (image: string): PodTemplateSpec => ({
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'app', image, ports: [{ name: 'http', containerPort: 8080 }] }] },
});

export const webOf = (spec: Partial<Deployment['spec']> = {}): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace },
  spec: { selector: { matchLabels: { app: 'web' } }, template: template('app:1'), ...spec },
});

export const withImage =
  (image: string) =>
  (deployment: Deployment): Deployment => ({
    ...deployment,
    spec: { ...deployment.spec, template: template(image) },
  });

export const withReplicas =
  (replicas: number) =>
  (deployment: Deployment): Deployment => ({
    ...deployment,
    spec: { ...deployment.spec, replicas },
  });

export const imageOf = ({ spec }: Pod): string => spec.containers[0]?.image ?? '';

/** `True NewReplicaSetAvailable`. */
export function said(status: DeploymentStatus, type: string): string | undefined {
  const found = status.conditions?.find((it) => it.type === type);
  return found && `${found.status} ${found.reason ?? ''}`;
}
