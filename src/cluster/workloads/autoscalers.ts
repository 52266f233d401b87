/**
 * HorizontalPodAutoscalers of Deployments, by a measure that somebody injects: every 15 s, as
 * `autoscaling.ts` recommends. Where nobody measures they rest, but for sizes out of their bounds.
 */
import type { Deployment, HorizontalPodAutoscaler } from '../../api/kubernetes.ts';
import type { Clock } from '../../kube/clock.ts';
import { deployments, horizontalPodAutoscalers } from '../../kube/resources.ts';
import type { Change, ControllerApi } from '../controller-api.ts';
import { isEqual } from '../json.ts';
import type { AutoscalerStatus, Measurement, Recommendation } from './autoscaling.ts';
import { lostStatus, memoryMs, recommend, scaledStatus } from './autoscaling.ts';
import { isGoing } from './kinds.ts';
import type { EventRecorder } from './recorder.ts';
import type { Controller } from './work-queue.ts';
import { keyOf, namesOf } from './work-queue.ts';

/** Percent of what the pods of a workload request; undefined where nobody measures. */
export type Utilisation = (workload: Deployment) => number | undefined;

export interface AutoscalersOptions {
  readonly api: ControllerApi;
  readonly clock: Clock;
  readonly utilisation: Utilisation | undefined;
  readonly record: EventRecorder;
}

const syncMs = 15_000;

/** Of one autoscaler, as long as it exists. */
interface Memory {
  /** When it looks next. Changes in between make no difference. */
  dueAtMs: number | undefined;
  recent: readonly Recommendation[];
}

export function autoscalerController(options: AutoscalersOptions): Controller {
  const { api, clock, utilisation } = options;
  const memories = new Map<string, Memory>();
  return {
    name: 'horizontalpodautoscaler',
    keysOf: (change) => keysOf(api, change),
    reconcile: async (key) => {
      const scaler = api.get(horizontalPodAutoscalers, namesOf(key));
      if (scaler === undefined || isGoing(scaler)) {
        memories.delete(key);
        return undefined;
      }
      const memory = memories.get(key) ?? { dueAtMs: undefined, recent: [] };
      memories.set(key, memory);
      const nowMs = clock.monotonic();
      memory.dueAtMs ??= nowMs + syncMs;
      if (memory.dueAtMs > nowMs) return memory.dueAtMs - nowMs;
      memory.dueAtMs = utilisation === undefined ? undefined : nowMs + syncMs;
      await sync(options, scaler, memory);
      return utilisation === undefined ? undefined : syncMs;
    },
  };
}

function keysOf(api: ControllerApi, { groupResource, before, after }: Change): readonly string[] {
  const object = after ?? before;
  if (object === undefined) return [];
  const { namespace, name } = object.metadata;
  switch (groupResource) {
    case 'horizontalpodautoscalers.autoscaling': {
      const [old, young] = [before, after] as readonly (HorizontalPodAutoscaler | undefined)[];
      return old !== undefined && old.spec === young?.spec ? [] : [keyOf(namespace, name)];
    }
    case 'deployments.apps': {
      const [old, young] = [before, after] as readonly (Deployment | undefined)[];
      if (old?.spec.replicas === young?.spec.replicas) return [];
      return api
        .list(horizontalPodAutoscalers, namespace)
        .filter(({ spec: { scaleTargetRef } }) => scaleTargetRef.name === name)
        .map(({ metadata }) => keyOf(namespace, metadata.name));
    }
    default:
      return [];
  }
}

async function sync(
  { api, clock, utilisation, record }: AutoscalersOptions,
  scaler: HorizontalPodAutoscaler,
  memory: Memory,
): Promise<void> {
  const { kind, name } = scaler.spec.scaleTargetRef;
  const { namespace = '' } = scaler.metadata;
  const target = kind === 'Deployment' ? api.get(deployments, { namespace, name }) : undefined;
  const wallMs = clock.now();
  if (target === undefined) return show(api, scaler, lostStatus(scaler, wallMs));

  const nowMs = clock.monotonic();
  const replicas = target.spec.replicas ?? 1;
  const readyReplicas = Math.min(replicas, target.status?.readyReplicas ?? 0);
  // What there is when it begins to look is what was wanted so far.
  if (memory.recent.length === 0) memory.recent = [{ atMs: nowMs, replicas }];
  memory.recent = memory.recent.filter(({ atMs }) => nowMs - atMs < memoryMs(scaler));
  const measured: Measurement = {
    replicas,
    readyReplicas,
    isMeasured: utilisation !== undefined,
    percent: utilisation?.(target),
    recent: memory.recent,
    nowMs,
  };
  const wanted = recommend(scaler, measured);
  const { proposal } = wanted;
  if (proposal !== undefined) {
    memory.recent = [...memory.recent, { atMs: nowMs, replicas: proposal }];
  }
  const isScaled = wanted.replicas !== replicas;
  if (isScaled) {
    const spec = { ...target.spec, replicas: wanted.replicas };
    await api.update(deployments, { ...target, spec });
    const text = `New size: ${wanted.replicas}; reason: ${wanted.why}`;
    record(scaler, 'Normal', 'SuccessfulRescale', text);
  }
  await show(api, scaler, scaledStatus(scaler, measured, { ...wanted, isScaled, wallMs }));
}

async function show(
  api: ControllerApi,
  { metadata: { name, namespace = '' } }: HorizontalPodAutoscaler,
  status: AutoscalerStatus,
): Promise<void> {
  const live = api.get(horizontalPodAutoscalers, { namespace, name });
  if (live === undefined) return;
  const { status: before } = live as { readonly status?: AutoscalerStatus };
  if (isEqual(before, status)) return;
  await api.update(horizontalPodAutoscalers, { ...live, status } as typeof live, 'status');
}
