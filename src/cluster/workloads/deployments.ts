/**
 * Deployments: one ReplicaSet for each template, one takes over from the other.
 *
 * This is the shell: it looks, writes what `rollout.ts` and `deployment-status.ts` say, in one order:
 * revision, sizes, history, status. A reconcile that is cut short is followed by one that goes on.
 * Rules: Kubernetes docs, "Deployments"; k8s.io/kubernetes, `pkg/controller/deployment`.
 */
import type { Deployment } from '../../api/kubernetes.ts';
import type { Clock } from '../../kube/clock.ts';
import { deployments } from '../../kube/resources.ts';
import type { Change, ControllerApi } from '../controller-api.ts';
import { isEqual } from '../json.ts';
import { StatusError } from '../status-error.ts';
import type { DeploymentStatus } from './deployment-status.ts';
import {
  conditionOf,
  deadlineInMs,
  isComplete,
  observed,
  pausing,
  progressed,
  statusOf,
  withSetNews,
} from './deployment-status.ts';
import type { Pod, ReplicaSet } from './kinds.ts';
import { controllerOf, isGoing, isOver, replicaSets } from './kinds.ts';
import { isTerminating } from './namespaces.ts';
import type { OwnedIndex } from './owned-index.ts';
import type { EventRecorder } from './recorder.ts';
import { isOfTemplate, newSet, scaled, synced } from './replica-set-of.ts';
import type { Rollout, Scaling } from './rollout.ts';
import {
  byAge,
  isRecreated,
  isScaled,
  nextScaling,
  outdated,
  proportionalScaling,
  revisionAnnotation,
  sizeOf,
} from './rollout.ts';
import type { Controller } from './work-queue.ts';
import { keyOf, namesOf } from './work-queue.ts';

export interface DeploymentsOptions {
  readonly api: ControllerApi;
  readonly clock: Clock;
  readonly setsOf: OwnedIndex<ReplicaSet>;
  readonly podsOf: OwnedIndex<Pod>;
  readonly record: EventRecorder;
}

export function deploymentController(options: DeploymentsOptions): Controller {
  return {
    name: 'deployment',
    keysOf: (change) => keysOf(options.api, change),
    reconcile: async (key) => {
      const deployment = options.api.get(deployments, namesOf(key));
      if (deployment === undefined) return undefined;
      const rollout = look(options, deployment);
      const nowMs = options.clock.now();
      if (isGoing(deployment)) {
        await show(options, deployment, observed(rollout, nowMs));
        return undefined;
      }
      const after = await reconcile(options, rollout);
      return deadlineInMs(after, nowMs);
    },
  };
}

function keysOf(api: ControllerApi, { groupResource, before, after }: Change): readonly string[] {
  const object = after ?? before;
  if (object === undefined) return [];
  const { namespace = '', name } = object.metadata;
  switch (groupResource) {
    case 'deployments.apps':
      return [keyOf(namespace, name)];
    case 'replicasets.apps': {
      const owner = controllerOf(object);
      return owner?.kind === 'Deployment' ? [keyOf(namespace, owner.name)] : [];
    }
    case 'pods': {
      // Recreate waits for the last pod to be gone; nobody else looks at pods.
      const owner = after === undefined ? controllerOf(object) : undefined;
      if (owner?.kind !== 'ReplicaSet') return [];
      const set = api.get(replicaSets, { namespace, name: owner.name });
      const deployment = set && controllerOf(set)?.name;
      return deployment === undefined ? [] : [keyOf(namespace, deployment)];
    }
    default:
      return [];
  }
}

function look({ setsOf, podsOf }: DeploymentsOptions, deployment: Deployment): Rollout {
  const sets = setsOf(deployment.metadata.uid).toSorted(byAge);
  const current = sets.find((set) => isOfTemplate(set, deployment.spec.template));
  const old = sets.filter((set) => set !== current);
  const hasOldPods =
    isRecreated(deployment) &&
    old.some(({ metadata }) => podsOf(metadata.uid).some((pod) => !isOver(pod)));
  return { deployment, current, old, hasOldPods };
}

/** Answers the Deployment as it is after all writes. */
async function reconcile(options: DeploymentsOptions, seen: Rollout): Promise<Deployment> {
  const nowMs = options.clock.now();
  const paused = pausing(seen.deployment, nowMs);
  const told = paused === undefined ? seen : await telling(options, seen, paused);
  const rollout = await revise(options, told);
  const { deployment } = rollout;
  if (deployment.spec.paused === true || isScaled(rollout)) {
    const after = await scale(options, rollout, proportionalScaling(rollout));
    if (deployment.spec.paused === true) await forget(options, after);
    return show(options, deployment, observed(after, nowMs));
  }
  return roll(options, rollout);
}

async function roll(options: DeploymentsOptions, seen: Rollout): Promise<Deployment> {
  const nowMs = options.clock.now();
  const rollout = isReadyForNewSet(seen) ? await begin(options, seen) : seen;
  const scalings = nextScaling(rollout);
  const after = await scale(options, rollout, scalings);
  const { deployment } = after;
  if (scalings.length === 0 && isComplete(deployment, statusOf(deployment))) {
    await forget(options, after);
  }
  return show(options, deployment, progressed(after, nowMs));
}

/** Recreate begins the new when nothing is left of the old. */
const isReadyForNewSet = ({ deployment, current, old, hasOldPods }: Rollout): boolean =>
  current === undefined &&
  !(isRecreated(deployment) && (hasOldPods || old.some((set) => sizeOf(set) > 0)));

/** The set of today's template gets the newest revision, and the Deployment says which that is. */
async function revise(options: DeploymentsOptions, seen: Rollout): Promise<Rollout> {
  const { api, clock } = options;
  if (seen.current === undefined) return seen;
  const wanted = synced(seen, seen.current);
  const current = wanted === seen.current ? wanted : await api.update(replicaSets, wanted);
  const rollout = await stamp(options, { ...seen, current });
  if (conditionOf(statusOf(rollout.deployment), 'Progressing') !== undefined) return rollout;
  const { name } = current.metadata;
  const status = withSetNews(rollout.deployment, { kind: 'Found', name }, clock.now());
  return telling(options, rollout, status);
}

async function stamp({ api }: DeploymentsOptions, rollout: Rollout): Promise<Rollout> {
  const { deployment, current } = rollout;
  const revision = current?.metadata.annotations?.[revisionAnnotation];
  const { annotations } = deployment.metadata;
  if (revision === undefined || annotations?.[revisionAnnotation] === revision) return rollout;
  const metadata = {
    ...deployment.metadata,
    annotations: { ...annotations, [revisionAnnotation]: revision },
  };
  return { ...rollout, deployment: await api.update(deployments, { ...deployment, metadata }) };
}

async function telling(
  options: DeploymentsOptions,
  rollout: Rollout,
  status: DeploymentStatus,
): Promise<Rollout> {
  return { ...rollout, deployment: await show(options, rollout.deployment, status) };
}

/** Makes the set of a new template. What went wrong is told before it is tried again. */
async function begin(options: DeploymentsOptions, seen: Rollout): Promise<Rollout> {
  const { api, clock, record } = options;
  const { deployment } = seen;
  const wanted = newSet(seen);
  const { name } = wanted.metadata;
  try {
    const current = await api.create(replicaSets, wanted);
    const size = sizeOf(current);
    if (size > 0) {
      record(deployment, 'Normal', 'ScalingReplicaSet', scalingText(current, 0, size));
    }
    const rollout = await stamp(options, { ...seen, current });
    const status = withSetNews(rollout.deployment, { kind: 'Created', name }, clock.now());
    // Stored with the counts, by the one write of status of this reconcile.
    return { ...rollout, deployment: { ...rollout.deployment, status } };
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    if (isTerminating(error)) return seen;
    await tellFailure(options, deployment, name, error);
    throw error;
  }
}

/** A set of that name which is another one: the hash is to be made of more. */
async function tellFailure(
  options: DeploymentsOptions,
  deployment: Deployment,
  name: string,
  error: StatusError,
): Promise<void> {
  const before = statusOf(deployment);
  if (error.reason === 'AlreadyExists') {
    const { collisionCount = 0 } = before;
    await show(options, deployment, { ...before, collisionCount: collisionCount + 1 });
    return;
  }
  const failed = { kind: 'Failed', name, why: error.message } as const;
  const text = `Failed to create new replica set "${name}": ${error.message}`;
  options.record(deployment, 'Warning', 'ReplicaSetCreateError', text);
  await show(options, deployment, withSetNews(deployment, failed, options.clock.now()));
}

async function scale(
  { api, record }: DeploymentsOptions,
  rollout: Rollout,
  scalings: readonly Scaling[],
): Promise<Rollout> {
  if (scalings.length === 0) return rollout;
  const { deployment, current, old } = rollout;
  const written = new Map<ReplicaSet | undefined, ReplicaSet>();
  for (const { set, replicas } of scalings) {
    const wanted = scaled(deployment, set, replicas);
    if (wanted === set) continue;
    written.set(set, await api.update(replicaSets, wanted));
    const before = sizeOf(set);
    if (before === replicas) continue;
    record(deployment, 'Normal', 'ScalingReplicaSet', scalingText(set, before, replicas));
  }
  return {
    ...rollout,
    current: written.get(current) ?? current,
    old: old.map((set) => written.get(set) ?? set),
  };
}

const scalingText = ({ metadata }: ReplicaSet, before: number, after: number): string =>
  `Scaled ${before < after ? 'up' : 'down'} replica set ${metadata.name} from ${before} to ${after}`;

async function forget({ api }: DeploymentsOptions, rollout: Rollout): Promise<void> {
  for (const { metadata } of outdated(rollout)) {
    await api.delete(replicaSets, { namespace: metadata.namespace ?? '', name: metadata.name });
  }
}

/** On whatever the Deployment is by now: its status is this controller's alone. */
async function show(
  { api }: DeploymentsOptions,
  seen: Deployment,
  status: DeploymentStatus,
): Promise<Deployment> {
  const { name, namespace = '', uid } = seen.metadata;
  const live = api.get(deployments, { namespace, name });
  if (live === undefined || live.metadata.uid !== uid) return seen;
  if (isEqual(live.status, status)) return live;
  return api.update(deployments, { ...live, status }, 'status');
}
