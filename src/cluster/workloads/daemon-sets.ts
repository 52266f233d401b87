/**
 * DaemonSets: a pod on each node that fits, and a ControllerRevision of each template, by which
 * kubectl tells and undoes rollouts.
 * Rules: Kubernetes docs, "DaemonSet"; k8s.io/kubernetes, `pkg/controller/daemon`.
 */
import type { Clock } from '../../kube/clock.ts';
import type { Change, ControllerApi } from '../controller-api.ts';
import { isEqual } from '../json.ts';
import type { Daemons } from './daemon-placement.ts';
import { byNode, daemonHashLabel, isUpdated, place } from './daemon-placement.ts';
import { daemonPod } from './daemon-pod.ts';
import type { ControllerRevision, DaemonSet, Node, Pod } from './kinds.ts';
import {
  availableInMs,
  controlledBy,
  controllerOf,
  controllerRevisions,
  daemonSets,
  isGoing,
  isReady,
  nodes,
  pods,
  selects,
  templateHash,
} from './kinds.ts';
import type { OwnedIndex } from './owned-index.ts';
import type { EventRecorder } from './recorder.ts';
import type { Controller } from './work-queue.ts';
import { keyOf, namesOf } from './work-queue.ts';

export interface DaemonSetsOptions {
  readonly api: ControllerApi;
  readonly clock: Clock;
  readonly podsOf: OwnedIndex<Pod>;
  readonly record: EventRecorder;
}

const historyLimitDefault = 10;

export function daemonSetController(options: DaemonSetsOptions): Controller {
  const { api, clock, podsOf } = options;
  return {
    name: 'daemonset',
    keysOf: (change) => keysOf(api, change),
    reconcile: async (key) => {
      const set = api.get(daemonSets, namesOf(key));
      if (set === undefined || isGoing(set)) return undefined;
      const hash = await revise(api, set);
      const look = (): Daemons => ({
        set,
        nodes: nodesFor(set, api.list(nodes)),
        pods: podsOf(set.metadata.uid),
        hash,
        nowMs: clock.now(),
      });
      const { create, remove } = place(look());
      for (const node of create) await createPod(options, set, { hash, node });
      for (const pod of remove) await removePod(options, set, pod);
      const after = look();
      await show(api, set, statusOf(after));
      return nextAvailableMs(after);
    },
  };
}

function keysOf(api: ControllerApi, { groupResource, before, after }: Change): readonly string[] {
  const object = after ?? before;
  if (object === undefined) return [];
  const { namespace, name } = object.metadata;
  switch (groupResource) {
    case 'daemonsets.apps':
      return [keyOf(namespace, name)];
    case 'nodes':
      return api.list(daemonSets).map(({ metadata }) => keyOf(metadata.namespace, metadata.name));
    case 'pods': {
      const owner = controllerOf(object);
      return owner?.kind === 'DaemonSet' ? [keyOf(namespace, owner.name)] : [];
    }
    default:
      return [];
  }
}

/** A node that takes no new pods keeps those of DaemonSets, and gets theirs. */
function nodesFor({ spec }: DaemonSet, all: readonly Node[]): readonly string[] {
  const { nodeSelector = {} } = spec.template.spec as Pod['spec'];
  return all
    .filter(({ metadata }) => selects({ matchLabels: nodeSelector }, metadata.labels))
    .map(({ metadata }) => metadata.name);
}

/** Keeps a ControllerRevision of each template; answers what today's is called in labels. */
async function revise(api: ControllerApi, set: DaemonSet): Promise<string> {
  const { namespace = '', name, uid } = set.metadata;
  const { template, revisionHistoryLimit = historyLimitDefault } = set.spec;
  const hash = templateHash(template);
  const known = api
    .list(controllerRevisions, namespace)
    .filter((it) => controllerOf(it)?.uid === uid)
    .toSorted((one, other) => one.revision - other.revision);
  const newest = known.at(-1)?.revision ?? 0;
  const current = known.find(({ metadata }) => metadata.labels?.[daemonHashLabel] === hash);
  if (current === undefined) {
    const metadata = {
      name: `${name}-${hash}`,
      namespace,
      labels: { ...template.metadata?.labels, [daemonHashLabel]: hash },
      ...(set.metadata.annotations && { annotations: set.metadata.annotations }),
      ownerReferences: [controlledBy(set)],
    };
    // What kubectl patches the DaemonSet with when it goes back.
    const data = { spec: { template: { ...template, $patch: 'replace' } } };
    const revision: ControllerRevision = {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata,
      data,
      revision: newest + 1,
    };
    await api.create(controllerRevisions, revision);
  } else if (current.revision < newest) {
    await api.update(controllerRevisions, { ...current, revision: newest + 1 });
  }
  const old = known.filter((it) => it !== current);
  for (const { metadata } of old.slice(0, Math.max(0, old.length - revisionHistoryLimit))) {
    await api.delete(controllerRevisions, { namespace, name: metadata.name });
  }
  return hash;
}

async function createPod(
  { api, record }: DaemonSetsOptions,
  set: DaemonSet,
  placing: { readonly hash: string; readonly node: string },
): Promise<void> {
  const pod = await api.create(pods, daemonPod(set, placing));
  record(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
}

async function removePod(
  { api, record }: DaemonSetsOptions,
  set: DaemonSet,
  { metadata: { name, namespace = '' } }: Pod,
): Promise<void> {
  await api.delete(pods, { namespace, name });
  record(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
}

/** Of each node the oldest pod counts. */
function statusOf({ set, nodes: wanted, pods: all, hash, nowMs }: Daemons): object {
  const found = byNode(all);
  const first = wanted.flatMap((node) => found.get(node)?.slice(0, 1) ?? []);
  const { minReadySeconds = 0 } = set.spec;
  const available = first.filter((pod) => availableInMs(pod, minReadySeconds, nowMs) === 0).length;
  const updated = first.filter((pod) => isUpdated(pod, hash)).length;
  const optional = {
    updatedNumberScheduled: updated,
    numberAvailable: available,
    numberUnavailable: wanted.length - available,
  };
  return {
    currentNumberScheduled: first.length,
    numberMisscheduled: [...found.keys()].filter((node) => !wanted.includes(node)).length,
    desiredNumberScheduled: wanted.length,
    numberReady: first.filter(isReady).length,
    observedGeneration: set.metadata.generation ?? 1,
    // As Go leaves them out.
    ...Object.fromEntries(Object.entries(optional).filter(([, count]) => count !== 0)),
  };
}

async function show(api: ControllerApi, seen: DaemonSet, status: object): Promise<void> {
  const { name, namespace = '', uid } = seen.metadata;
  const live = api.get(daemonSets, { namespace, name });
  if (live === undefined || live.metadata.uid !== uid || isEqual(live.status, status)) return;
  await api.update(daemonSets, { ...live, status }, 'status');
}

function nextAvailableMs({ set, pods: all, nowMs }: Daemons): number | undefined {
  const { minReadySeconds = 0 } = set.spec;
  if (minReadySeconds === 0) return undefined;
  const waits = all.flatMap((pod) => availableInMs(pod, minReadySeconds, nowMs) ?? []);
  const late = waits.filter((ms) => ms > 0);
  return late.length === 0 ? undefined : Math.min(...late);
}
