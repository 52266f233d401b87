/**
 * The pods of a rehearsal, as far as anybody sees them: the status of each Deployment. All pods of a
 * template start at once and do what the scenario has them do; those of the template before serve
 * until the new ones do, as in a rolling update.
 */
import type { Condition, Deployment } from '../api/kubernetes.ts';
import type { ControllerApi } from '../cluster/controller-api.ts';
import { StatusError } from '../cluster/status-error.ts';
import type { Clock } from '../kube/clock.ts';
import { deployments, nameOf } from '../kube/resources.ts';
import type { PodsOfRevision } from './scenario.ts';

export interface PodsOptions {
  readonly api: ControllerApi;
  readonly clock: Clock;
  /** What pods of a Deployment do that start now. */
  readonly behaviour: (deployment: Deployment) => PodsOfRevision;
  /** A write that the cluster refused. */
  readonly failed: (error: unknown) => void;
}

/** One Deployment's pods, from one change of its template or size to the next. */
interface Pods {
  readonly template: string;
  readonly replicas: number;
  /** Of templates before this one; they go when the new pods serve. */
  readonly old: number;
  available: number;
  isLate: boolean;
}

/** What a Deployment's own deadline is where it names none. */
const deadlineSecondsDefault = 600;
/** Between two starts of a pod that crashes: the longest back-off of kubelets. */
const restartMs = 5 * 60_000;

/** Begins now, and ends with the cluster. */
export function runPods(options: PodsOptions): void {
  const known = new Map<string, Pods>();
  options.api.onChange(({ groupResource, after }) => {
    if (groupResource !== 'deployments.apps' || after === undefined) return;
    const deployment = after as Deployment;
    const name = `${deployment.metadata.namespace ?? ''}/${deployment.metadata.name}`;
    const before = known.get(name);
    const pods = podsAfter(deployment, before);
    if (pods === undefined) return;
    known.set(name, pods);
    live(options, deployment, pods, () => known.get(name) === pods);
  });
}

/** Undefined where nothing about them changes. */
function podsAfter({ spec }: Deployment, before: Pods | undefined): Pods | undefined {
  const template = JSON.stringify(spec.template);
  const { replicas = 1 } = spec;
  if (before?.template === template) {
    if (before.replicas === replicas) return undefined;
    return { ...before, replicas, old: 0, available: Math.min(before.available, replicas) };
  }
  const serving = Math.min(replicas, (before?.available ?? 0) + (before?.old ?? 0));
  return { template, replicas, old: serving, available: 0, isLate: false };
}

function live(
  { api, clock, behaviour, failed }: PodsOptions,
  deployment: Deployment,
  pods: Pods,
  isCurrent: () => boolean,
): void {
  const { minReadySeconds = 0, progressDeadlineSeconds = deadlineSecondsDefault } = deployment.spec;
  const show = (): void => {
    const current = api.get(deployments, nameOf(deployment));
    if (!isCurrent() || current === undefined) return;
    api
      .update(deployments, withStatus(current, pods, clock.now()), 'status')
      .catch((error: unknown) => {
        const isOvertaken = error instanceof StatusError && error.code === 409;
        if (isOvertaken) clock.after(1, show);
        else failed(error);
      });
  };
  const later = (ms: number, change: () => void): void =>
    void clock.after(ms, () => {
      if (!isCurrent()) return;
      change();
      show();
    });
  const available = (count: number) => () => {
    pods.available = count;
  };
  later(1, () => undefined);
  if (pods.available >= pods.replicas) return;
  later(progressDeadlineSeconds * 1000, () => {
    pods.isLate = pods.available < pods.replicas;
  });
  const plan = behaviour(deployment);
  if (plan.kind === 'Never') return;
  const readyMs = plan.afterMs + minReadySeconds * 1000;
  switch (plan.kind) {
    case 'Ready':
      later(readyMs, available(pods.replicas));
      return;
    case 'Flapping': {
      const flap = (): void => {
        pods.available = pods.replicas;
        later(plan.everyMs - plan.forMs, available(0));
        later(plan.everyMs, flap);
      };
      later(readyMs, flap);
      return;
    }
    case 'Crashing': {
      const start = (): void => {
        if (readyMs < plan.crashAfterMs) later(readyMs, available(pods.replicas));
        later(plan.crashAfterMs, available(0));
        later(plan.crashAfterMs + restartMs, start);
      };
      start();
    }
  }
}

/** As the Deployment controller reports it, while `old` pods serve and new ones start. */
function withStatus(deployment: Deployment, pods: Pods, nowMs: number): Deployment {
  const old = pods.available > 0 ? 0 : pods.old;
  const serving = pods.available + old;
  const isServed = serving >= pods.replicas;
  const observed = deployment.metadata.generation;
  const conditions: readonly Condition[] = [
    pods.isLate
      ? { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }
      : { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated' },
    isServed
      ? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable' }
      : { type: 'Available', status: 'False', reason: 'MinimumReplicasUnavailable' },
  ];
  const status = {
    ...(observed === undefined ? {} : { observedGeneration: observed }),
    replicas: pods.replicas + old,
    updatedReplicas: pods.replicas,
    readyReplicas: serving,
    availableReplicas: serving,
    conditions: conditions.map((condition) => dated(condition, deployment, nowMs)),
  };
  return { ...deployment, status };
}

/** A condition keeps its times for as long as it says the same. */
function dated(condition: Condition, { status }: Deployment, nowMs: number): Condition {
  const known = status?.conditions?.find(({ type }) => type === condition.type);
  if (known !== undefined && known.reason === condition.reason) return known;
  const time = `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
  return { ...condition, lastUpdateTime: time, lastTransitionTime: time };
}
