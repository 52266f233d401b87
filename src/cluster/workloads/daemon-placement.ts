/**
 * On which nodes a DaemonSet's pods are to come and which of them are to go. Pure.
 *
 * Without surge an old pod goes first and its node is empty for a while: on at most maxUnavailable
 * nodes at once. With surge the new pod comes first, beside the old one: on at most maxSurge nodes.
 * Rules: k8s.io/kubernetes, `pkg/controller/daemon`, `daemon_controller.go` and `update.go`.
 */
import type { DaemonSet, Pod } from './kinds.ts';
import { availableInMs, isGoing, isReady, shareOf } from './kinds.ts';

export interface Daemons {
  readonly set: DaemonSet;
  /** Names of the nodes that are to have a pod. */
  readonly nodes: readonly string[];
  /** All that there are, going ones included. */
  readonly pods: readonly Pod[];
  /** What pods of today's template are labeled with. */
  readonly hash: string;
  readonly nowMs: number;
}

export interface Placement {
  /** Nodes on which a pod is to be made. */
  readonly create: readonly string[];
  readonly remove: readonly Pod[];
}

export const daemonHashLabel = 'controller-revision-hash';

export function place(daemons: Daemons): Placement {
  const managed = manage(daemons);
  const isBusy = managed.create.length > 0 || managed.remove.length > 0;
  if (isBusy || daemons.set.spec.updateStrategy?.type === 'OnDelete') return managed;
  return boundsOf(daemons).maxSurge > 0 ? surge(daemons) : replaceInPlace(daemons);
}

function boundsOf({ set, nodes }: Daemons) {
  const { maxSurge = 0, maxUnavailable = 1 } = set.spec.updateStrategy?.rollingUpdate ?? {};
  const surges = shareOf(maxSurge, nodes.length, Math.ceil);
  const unavailable = shareOf(maxUnavailable, nodes.length, Math.ceil);
  const isStuck = surges === 0 && unavailable === 0;
  return { maxSurge: surges, maxUnavailable: isStuck ? 1 : unavailable };
}

/** Pods by node, the oldest first. */
export function byNode(pods: readonly Pod[]): ReadonlyMap<string, readonly Pod[]> {
  const found = new Map<string, Pod[]>();
  const bornAt = ({ metadata }: Pod): string => metadata.creationTimestamp ?? '';
  const sorted = pods.toSorted((one, other) => (bornAt(one) < bornAt(other) ? -1 : 1));
  for (const pod of sorted) {
    const { nodeName = '' } = pod.spec;
    found.set(nodeName, [...(found.get(nodeName) ?? []), pod]);
  }
  return found;
}

export const isUpdated = ({ metadata }: Pod, hash: string): boolean =>
  metadata.labels?.[daemonHashLabel] === hash;

const isAvailable = ({ set, nowMs }: Daemons, pod: Pod): boolean =>
  availableInMs(pod, set.spec.minReadySeconds ?? 0, nowMs) === 0;

/** A pod for each node that has none, and no pod too many anywhere. */
function manage(daemons: Daemons): Placement {
  const found = byNode(daemons.pods);
  const isSurging = boundsOf(daemons).maxSurge > 0;
  const wanted = new Set(daemons.nodes);
  const create = daemons.nodes.filter((node) => {
    const pods = found.get(node) ?? [];
    return isSurging ? pods.every(isGoing) : pods.length === 0;
  });
  const remove = [...found].flatMap(([node, pods]) => {
    const live = pods.filter((pod) => !isGoing(pod));
    if (!wanted.has(node)) return live;
    return isSurging ? surplus(daemons, live) : live.slice(1);
  });
  return { create, remove };
}

/** Of old and new pods the oldest may stay, as long as the old one is needed. */
function surplus(daemons: Daemons, live: readonly Pod[]): readonly Pod[] {
  const young = live.find((pod) => isUpdated(pod, daemons.hash));
  const old = live.find((pod) => !isUpdated(pod, daemons.hash));
  const others = live.filter((pod) => pod !== young && pod !== old);
  if (young === undefined || old === undefined) return others;
  return isReady(old) && !isAvailable(daemons, young) ? others : [...others, old];
}

function replaceInPlace(daemons: Daemons): Placement {
  let unavailable = 0;
  const idle: Pod[] = [];
  const candidates: Pod[] = [];
  for (const pods of byNode(daemons.pods).values()) {
    const [pod] = pods.filter((it) => !isGoing(it));
    if (pod === undefined || !isAvailable(daemons, pod)) unavailable += 1;
    if (pod === undefined || isUpdated(pod, daemons.hash)) continue;
    (isAvailable(daemons, pod) ? candidates : idle).push(pod);
  }
  const spare = Math.max(0, boundsOf(daemons).maxUnavailable - unavailable);
  return { create: [], remove: [...idle, ...candidates.slice(0, spare)] };
}

function surge(daemons: Daemons): Placement {
  let surging = 0;
  const idle: string[] = [];
  const candidates: string[] = [];
  for (const [node, pods] of byNode(daemons.pods)) {
    const live = pods.filter((pod) => !isGoing(pod));
    const old = live.find((pod) => !isUpdated(pod, daemons.hash));
    if (old === undefined) continue;
    if (live.length > 1) surging += 1;
    else (isAvailable(daemons, old) ? candidates : idle).push(node);
  }
  const spare = Math.max(0, boundsOf(daemons).maxSurge - surging);
  return { create: [...idle, ...candidates.slice(0, spare)], remove: [] };
}
