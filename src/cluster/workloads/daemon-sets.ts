/** DaemonSets: a pod on each node that fits. Rules: Kubernetes docs, "DaemonSet". */
import type { Clock } from '../../kube/clock.ts';
import type { ControllerApi } from '../controller-api.ts';
import { isEqual } from '../json.ts';
import type { DaemonSet, Node, Pod } from './kinds.ts';
import {
  availableInMs,
  controlledBy,
  controllerOf,
  daemonSets,
  isGoing,
  isReady,
  nodes,
  pods,
  selects,
  shareOf,
  templateHash,
} from './kinds.ts';
import type { OwnedIndex } from './owned-index.ts';
import type { Controller } from './work-queue.ts';
import { keyOf, namesOf } from './work-queue.ts';

export interface DaemonSetsOptions {
  readonly api: ControllerApi;
  readonly clock: Clock;
  readonly podsOf: OwnedIndex<Pod>;
}

const hashLabel = 'controller-revision-hash';

export function daemonSetController({ api, clock, podsOf }: DaemonSetsOptions): Controller {
  return {
    name: 'daemonset',
    keysOf: ({ groupResource, before, after }) => {
      const object = after ?? before;
      if (object === undefined) return [];
      const { namespace, name } = object.metadata;
      if (groupResource === 'daemonsets.apps') return [keyOf(namespace, name)];
      if (groupResource === 'nodes') {
        return api.list(daemonSets).map((it) => keyOf(it.metadata.namespace, it.metadata.name));
      }
      const owner = groupResource === 'pods' ? controllerOf(object) : undefined;
      return owner?.kind === 'DaemonSet' ? [keyOf(namespace, owner.name)] : [];
    },
    reconcile: async (key) => {
      const set = api.get(daemonSets, namesOf(key));
      if (set === undefined || isGoing(set)) return undefined;
      const fit = nodesFor(set, api.list(nodes));
      const hash = templateHash(set.spec.template);
      const owned = podsOf(set.metadata.uid ?? '').filter((pod) => !isGoing(pod));
      await place(api, set, { fit, hash, owned });
      return writeStatus(api, key, { fit, hash, podsOf, nowMs: clock.now() });
    },
  };
}

function nodesFor({ spec }: DaemonSet, all: readonly Node[]): readonly Node[] {
  const { nodeSelector = {} } = spec.template.spec as Pod['spec'];
  return all.filter(({ metadata }) => selects({ matchLabels: nodeSelector }, metadata.labels));
}

interface Placing {
  readonly fit: readonly Node[];
  readonly hash: string;
  readonly owned: readonly Pod[];
}

async function place(
  api: ControllerApi,
  set: DaemonSet,
  { fit, hash, owned }: Placing,
): Promise<void> {
  const { namespace = '', name } = set.metadata;
  const names = new Set(fit.map(({ metadata }) => metadata.name));
  const remove = ({ metadata }: Pod): Promise<void> =>
    api.delete(pods, { namespace, name: metadata.name });
  const served = new Set<string>();
  for (const pod of owned) {
    const node = pod.spec.nodeName ?? '';
    if (names.has(node) && !served.has(node)) served.add(node);
    else await remove(pod);
  }
  const { template } = set.spec;
  for (const { metadata: node } of fit.filter((it) => !served.has(it.metadata.name))) {
    const labels = { ...template.metadata?.labels, [hashLabel]: hash };
    await api.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        ...template.metadata,
        labels,
        name: '',
        generateName: `${name}-`,
        namespace,
        ownerReferences: [controlledBy(set)],
      },
      spec: { ...template.spec, nodeName: node.name },
    });
  }
  if (set.spec.updateStrategy?.type === 'OnDelete') return;
  const old = owned.filter((pod) => pod.metadata.labels?.[hashLabel] !== hash);
  const missing = fit.length - owned.filter(isReady).length;
  const { maxUnavailable = 1 } = set.spec.updateStrategy?.rollingUpdate ?? {};
  const spare = Math.max(0, shareOf(maxUnavailable, fit.length, Math.ceil) - missing);
  const idle = old.filter((pod) => !isReady(pod));
  for (const pod of [...idle, ...old.filter(isReady).slice(0, spare)]) await remove(pod);
}

async function writeStatus(
  api: ControllerApi,
  key: string,
  {
    fit,
    hash,
    podsOf,
    nowMs,
  }: Pick<Placing, 'fit' | 'hash'> & { readonly podsOf: OwnedIndex<Pod>; readonly nowMs: number },
): Promise<number | undefined> {
  const live = api.get(daemonSets, namesOf(key));
  if (live === undefined) return undefined;
  const owned = podsOf(live.metadata.uid ?? '').filter((pod) => !isGoing(pod));
  const waits = owned.flatMap((pod) => {
    const ms = availableInMs(pod, live.spec.minReadySeconds ?? 0, nowMs);
    return ms === undefined ? [] : [ms];
  });
  const available = waits.filter((ms) => ms === 0).length;
  const status = {
    currentNumberScheduled: owned.length,
    numberMisscheduled: 0,
    desiredNumberScheduled: fit.length,
    numberReady: owned.filter(isReady).length,
    observedGeneration: live.metadata.generation ?? 1,
    ...counted({
      updatedNumberScheduled: owned.filter((it) => it.metadata.labels?.[hashLabel] === hash).length,
      numberAvailable: available,
      numberUnavailable: Math.max(0, fit.length - available),
    }),
  };
  const { status: before } = live as { readonly status?: object };
  if (!isEqual(before, status)) {
    const wanted = { ...live, status };
    await api.update(daemonSets, wanted, 'status');
  }
  const late = waits.filter((ms) => ms > 0);
  return late.length === 0 ? undefined : Math.min(...late);
}

/** Zeros are left out, as Go leaves them out. */
const counted = (counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
