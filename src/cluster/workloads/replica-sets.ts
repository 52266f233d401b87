/** ReplicaSets: as many pods of one template as they ask for. */
import type { Clock } from '../../kube/clock.ts';
import type { ControllerApi } from '../controller-api.ts';
import { isEqual } from '../json.ts';
import type { Pod, ReplicaSet } from './kinds.ts';
import {
  availableInMs,
  controlledBy,
  controllerOf,
  isGoing,
  isReady,
  pods,
  replicaSets,
} from './kinds.ts';
import type { PodIndex } from './pod-index.ts';
import type { Controller } from './reconciler.ts';
import { keyOf, namesOf } from './reconciler.ts';

export interface ReplicaSetsOptions {
  readonly api: ControllerApi;
  readonly clock: Clock;
  readonly podsOf: PodIndex;
}

export function replicaSetController({ api, clock, podsOf }: ReplicaSetsOptions): Controller {
  return {
    name: 'replicaset',
    keysOf: ({ groupResource, before, after }) => {
      const object = after ?? before;
      if (object === undefined) return [];
      const { namespace, name } = object.metadata;
      if (groupResource === 'replicasets.apps') return [keyOf(namespace, name)];
      const owner = groupResource === 'pods' ? controllerOf(object) : undefined;
      return owner?.kind === 'ReplicaSet' ? [keyOf(namespace, owner.name)] : [];
    },
    reconcile: async (key) => {
      const set = api.get(replicaSets, namesOf(key));
      if (set === undefined) return undefined;
      const owned = podsOf(set.metadata.uid ?? '').filter((pod) => !isGoing(pod));
      if (!isGoing(set)) await resize(api, set, owned);
      return writeStatus(api, set, podsOf(set.metadata.uid ?? ''), clock.now());
    },
  };
}

async function resize(api: ControllerApi, set: ReplicaSet, owned: readonly Pod[]): Promise<void> {
  const { replicas = 1, template } = set.spec;
  const { namespace = '', name } = set.metadata;
  for (let count = owned.length; count < replicas; count += 1) {
    const metadata = {
      ...template.metadata,
      name: '',
      generateName: `${name}-`,
      namespace,
      ownerReferences: [controlledBy(set)],
    };
    const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: template.spec };
    await api.create(pods, pod);
  }
  for (const pod of leastWanted(owned).slice(0, Math.max(0, owned.length - replicas))) {
    await api.delete(pods, { namespace, name: pod.metadata.name });
  }
}

/** Pods that are not ready go first, then the youngest. */
function leastWanted(owned: readonly Pod[]): readonly Pod[] {
  const age = ({ metadata }: Pod): string => metadata.creationTimestamp ?? '';
  return owned.toSorted(
    (one, other) =>
      Number(isReady(one)) - Number(isReady(other)) ||
      (age(one) < age(other) ? 1 : age(one) > age(other) ? -1 : 0),
  );
}

async function writeStatus(
  api: ControllerApi,
  set: ReplicaSet,
  all: readonly Pod[],
  nowMs: number,
): Promise<number | undefined> {
  const owned = all.filter((pod) => !isGoing(pod));
  const { minReadySeconds = 0 } = set.spec;
  const waits = owned.flatMap((pod) => availableInMs(pod, minReadySeconds, nowMs) ?? []);
  const status = {
    replicas: owned.length,
    fullyLabeledReplicas: owned.length,
    readyReplicas: owned.filter(isReady).length,
    availableReplicas: waits.filter((ms) => ms === 0).length,
    observedGeneration: set.metadata.generation ?? 1,
  };
  if (!isEqual(withZeros(set), status)) {
    const live = api.get(replicaSets, {
      namespace: set.metadata.namespace ?? '',
      name: set.metadata.name,
    });
    if (live !== undefined) await api.update(replicaSets, { ...live, status }, 'status');
  }
  const late = waits.filter((ms) => ms > 0);
  return late.length === 0 ? undefined : Math.min(...late);
}

/** What is stored leaves zeros out. */
function withZeros({ status = {} }: ReplicaSet) {
  const {
    replicas = 0,
    fullyLabeledReplicas = 0,
    readyReplicas = 0,
    availableReplicas = 0,
  } = status;
  const { observedGeneration } = status;
  return { replicas, fullyLabeledReplicas, readyReplicas, availableReplicas, observedGeneration };
}
