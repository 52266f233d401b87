/**
 * HorizontalPodAutoscalers on the use of CPU, as somebody says it is.
 * Rules: Kubernetes docs, "Horizontal Pod Autoscaling", algorithm details.
 */
import type { Deployment, HorizontalPodAutoscaler } from '../../api/kubernetes.ts';
import type { Clock } from '../../kube/clock.ts';
import { deployments, horizontalPodAutoscalers } from '../../kube/resources.ts';
import type { ControllerApi } from '../controller-api.ts';
import { isEqual } from '../json.ts';
import { timestamp } from '../metadata.ts';
import { isGoing } from './kinds.ts';
import type { Controller } from './work-queue.ts';
import { keyOf, namesOf } from './work-queue.ts';

/** Percent of what the pods of a workload request; undefined where nobody measures. */
export type Utilisation = (workload: Deployment) => number | undefined;

export interface AutoscalersOptions {
  readonly api: ControllerApi;
  readonly clock: Clock;
  readonly utilisation: Utilisation;
}

const syncMs = 15_000;
/** Within it, nothing is scaled. */
const tolerance = 0.1;
/** Nothing is scaled below what was wanted in that time. */
const stabilizationMs = 300_000;
const targetDefault = 80;

interface Wanted {
  readonly atMs: number;
  readonly replicas: number;
}

export function autoscalerController({ api, clock, utilisation }: AutoscalersOptions): Controller {
  const history = new Map<string, readonly Wanted[]>();
  return {
    name: 'horizontalpodautoscaler',
    keysOf: ({ groupResource, before, after }) => {
      if (groupResource !== 'horizontalpodautoscalers.autoscaling') return [];
      const { namespace, name } = (after ?? before)?.metadata ?? { name: '' };
      return [keyOf(namespace, name)];
    },
    reconcile: async (key) => {
      const scaler = api.get(horizontalPodAutoscalers, namesOf(key));
      if (scaler === undefined || isGoing(scaler)) {
        history.delete(key);
        return undefined;
      }
      const { kind, name } = scaler.spec.scaleTargetRef;
      const { namespace = '' } = scaler.metadata;
      const target = kind === 'Deployment' ? api.get(deployments, { namespace, name }) : undefined;
      if (target === undefined) return syncMs;
      const percent = utilisation(target);
      const current = target.spec.replicas ?? 1;
      const nowMs = clock.monotonic();
      const recommended = recommend(scaler, { percent, current });
      const kept = (history.get(key) ?? []).filter(({ atMs }) => nowMs - atMs < stabilizationMs);
      const all = [...kept, { atMs: nowMs, replicas: recommended }];
      history.set(key, all);
      const replicas =
        recommended < current
          ? Math.min(current, Math.max(...all.map((it) => it.replicas)))
          : recommended;
      if (replicas !== current) {
        await api.update(deployments, { ...target, spec: { ...target.spec, replicas } });
      }
      await report(api, clock, scaler, { percent, current, replicas });
      return syncMs;
    },
  };
}

interface Measured {
  readonly percent: number | undefined;
  readonly current: number;
}

function recommend(
  { spec: { minReplicas = 1, maxReplicas, metrics } }: HorizontalPodAutoscaler,
  { percent, current }: Measured,
): number {
  // Nobody scales what somebody has switched off.
  if (current === 0) return 0;
  const within = (replicas: number): number =>
    Math.min(maxReplicas, Math.max(minReplicas, replicas));
  if (percent === undefined) return within(current);
  const ratio = percent / targetOf(metrics);
  return within(Math.abs(ratio - 1) <= tolerance ? current : Math.ceil(current * ratio));
}

interface ResourceMetric {
  readonly resource?: { readonly target?: { readonly averageUtilization?: number } };
}

function targetOf(metrics: HorizontalPodAutoscaler['spec']['metrics']): number {
  const [first] = (Array.isArray(metrics) ? metrics : []) as readonly ResourceMetric[];
  return first?.resource?.target?.averageUtilization ?? targetDefault;
}

async function report(
  api: ControllerApi,
  clock: Clock,
  scaler: HorizontalPodAutoscaler,
  { percent, current, replicas }: Measured & { readonly replicas: number },
): Promise<void> {
  const time = timestamp(clock.now());
  const { status: before } = scaler as { readonly status?: { readonly conditions?: unknown } };
  const isActive = percent !== undefined && current > 0;
  const disabled = current === 0;
  const status = {
    currentReplicas: current,
    desiredReplicas: replicas,
    currentMetrics: null,
    conditions: [
      {
        type: 'AbleToScale',
        status: 'True',
        reason: 'SucceededGetScale',
        message: "the HPA controller was able to get the target's current scale",
      },
      {
        type: 'ScalingActive',
        status: isActive ? 'True' : 'False',
        reason: disabled
          ? 'ScalingDisabled'
          : isActive
            ? 'ValidMetricFound'
            : 'FailedGetResourceMetric',
        message: disabled
          ? 'scaling is disabled since the replica count of the target is zero'
          : isActive
            ? 'the HPA was able to successfully calculate a replica count'
            : 'nobody measures in this cluster',
      },
    ].map((it) => ({ ...it, lastTransitionTime: timeOf(before?.conditions, it) ?? time })),
  };
  const same = { ...status, currentMetrics: undefined };
  if (isEqual({ ...before, currentMetrics: undefined }, same)) return;
  const live = api.get(horizontalPodAutoscalers, {
    namespace: scaler.metadata.namespace ?? '',
    name: scaler.metadata.name,
  });
  if (live === undefined) return;
  await api.update(
    horizontalPodAutoscalers,
    { ...live, status } as HorizontalPodAutoscaler,
    'status',
  );
}

function timeOf(
  known: unknown,
  { type, status }: { readonly type: string; readonly status: string },
): string | undefined {
  const conditions = (Array.isArray(known) ? known : []) as readonly {
    readonly type: string;
    readonly status: string;
    readonly lastTransitionTime?: string;
  }[];
  return conditions.find((it) => it.type === type && it.status === status)?.lastTransitionTime;
}
