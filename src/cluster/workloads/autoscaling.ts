/**
 * How many replicas a HorizontalPodAutoscaler wants, and what its status says of it. Pure.
 *
 * Of `behavior` the stabilization windows count; its policies do not. Of the metrics, the first that
 * asks for an average utilization counts.
 * Rules and texts: Kubernetes docs, "Horizontal Pod Autoscaling", algorithm details;
 * k8s.io/kubernetes, `pkg/controller/podautoscaler/horizontal.go`.
 */
import type { Condition, HorizontalPodAutoscaler } from '../../api/kubernetes.ts';
import { timestamp } from '../metadata.ts';

export interface AutoscalerStatus {
  readonly observedGeneration?: number;
  readonly lastScaleTime?: string;
  readonly currentReplicas?: number;
  readonly desiredReplicas?: number;
  readonly currentMetrics?: readonly object[] | null;
  readonly conditions?: readonly Condition[];
}

/** What was wanted at some time, before limits. */
export interface Recommendation {
  /** Of the clock that never goes back. */
  readonly atMs: number;
  readonly replicas: number;
}

export interface Measurement {
  /** What the workload asks for now. */
  readonly replicas: number;
  readonly readyReplicas: number;
  /** Whether anybody measures at all. */
  readonly isMeasured: boolean;
  /** Percent of what its pods request; undefined where that is not known. */
  readonly percent: number | undefined;
  /** Within the longest window, oldest first. */
  readonly recent: readonly Recommendation[];
  readonly nowMs: number;
}

export interface Recommended {
  /** As many as there are, where nothing is to change. */
  readonly replicas: number;
  /** For the windows to come; undefined where nothing was computed. */
  readonly proposal: number | undefined;
  readonly claims: readonly Claim[];
  /** Why the size changes, for people. */
  readonly why: string;
}

type Claim = Required<Pick<Condition, 'type' | 'status' | 'reason' | 'message'>>;

/** Within it, nothing is scaled. */
const tolerance = 0.1;
const scaleDownWindowSeconds = 300;
const scaleUpWindowSeconds = 0;
/** At once, a workload at most doubles; small ones may come to this. */
const scaleUpMin = 4;

export function recommend({ spec }: HorizontalPodAutoscaler, measured: Measurement): Recommended {
  const { minReplicas = 1, maxReplicas } = spec;
  const { replicas } = measured;
  const found = claim('AbleToScale', true, 'SucceededGetScale', foundText);
  const bound = (to: number, why: string): Recommended => ({
    replicas: to,
    proposal: undefined,
    claims: [found],
    why,
  });
  if (replicas === 0) {
    const disabled = claim('ScalingActive', false, 'ScalingDisabled', disabledText);
    return { replicas: 0, proposal: undefined, claims: [found, disabled], why: '' };
  }
  if (replicas > maxReplicas) {
    return bound(maxReplicas, 'Current number of replicas above Spec.MaxReplicas');
  }
  if (replicas < minReplicas) {
    return bound(minReplicas, 'Current number of replicas below Spec.MinReplicas');
  }
  const metric = metricOf(spec);
  const proposal = metric && proposed(metric.target, measured);
  if (metric === undefined || proposal === undefined) {
    const text = `${failedText}${measured.isMeasured ? noneText : unmeasuredText}`;
    const failed = claim('ScalingActive', false, 'FailedGetResourceMetric', text);
    return { replicas, proposal: undefined, claims: [found, failed], why: '' };
  }
  return limited(spec, measured, { proposal, metric: metric.name });
}

const foundText = "the HPA controller was able to get the target's current scale";
const disabledText = 'scaling is disabled since the replica count of the target is zero';
const failedText =
  'the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: ';
const noneText = 'no metrics returned from resource metrics API';
const unmeasuredText =
  'unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)';

function limited(
  spec: HorizontalPodAutoscaler['spec'],
  measured: Measurement,
  { proposal, metric }: { readonly proposal: number; readonly metric: string },
): Recommended {
  const { replicas } = measured;
  const stable = stabilized(spec, measured, proposal);
  const isHeld = stable !== proposal;
  const { minReplicas = 1, maxReplicas } = spec;
  const upMax = Math.max(2 * replicas, scaleUpMin);
  const limit = Math.min(maxReplicas, upMax);
  const to = Math.min(Math.max(stable, minReplicas), limit);
  const why = to > replicas ? `${metric} above target` : 'All metrics below target';
  const active = `the HPA was able to successfully calculate a replica count from ${metric}`;
  return {
    replicas: to,
    proposal,
    why,
    claims: [
      isHeld
        ? claim('AbleToScale', true, 'ScaleDownStabilized', heldText)
        : claim('AbleToScale', true, 'ReadyForNewScale', 'recommended size matches current size'),
      claim('ScalingActive', true, 'ValidMetricFound', active),
      limitation(stable, to, { isBySpeed: limit < maxReplicas }),
    ],
  };
}

const heldText =
  'recent recommendations were higher than current one, applying the highest recent recommendation';

function limitation(wanted: number, to: number, { isBySpeed }: { isBySpeed: boolean }): Claim {
  const say = (holds: boolean, reason: string, message: string): Claim =>
    claim('ScalingLimited', holds, reason, message);
  if (to === wanted) {
    const text = 'the desired count is within the acceptable range';
    return say(false, 'DesiredWithinRange', text);
  }
  if (to > wanted) {
    const text = 'the desired replica count is less than the minimum replica count';
    return say(true, 'TooFewReplicas', text);
  }
  const fast = 'the desired replica count is increasing faster than the maximum scale rate';
  const many = 'the desired replica count is more than the maximum replica count';
  return isBySpeed ? say(true, 'ScaleUpLimit', fast) : say(true, 'TooManyReplicas', many);
}

/** Of pods that are not ready yet, nobody knows what they will take over: nothing, at first. */
function proposed(
  target: number,
  { replicas, readyReplicas, percent }: Measurement,
): number | undefined {
  if (percent === undefined || readyReplicas === 0) return undefined;
  const ratio = percent / target;
  const unready = Math.max(0, replicas - readyReplicas);
  if (unready === 0 || ratio <= 1) {
    return Math.abs(1 - ratio) <= tolerance ? replicas : Math.ceil(ratio * readyReplicas);
  }
  const diluted = (ratio * readyReplicas) / (readyReplicas + unready);
  if (diluted < 1 || Math.abs(1 - diluted) <= tolerance) return replicas;
  return Math.max(replicas, Math.ceil(diluted * (readyReplicas + unready)));
}

interface Window {
  readonly stabilizationWindowSeconds?: number;
}

const windowsOf = ({ behavior }: HorizontalPodAutoscaler['spec']) => {
  const { scaleUp = {}, scaleDown = {} } = (behavior ?? {}) as {
    readonly scaleUp?: Window;
    readonly scaleDown?: Window;
  };
  return {
    upMs: (scaleUp.stabilizationWindowSeconds ?? scaleUpWindowSeconds) * 1_000,
    downMs: (scaleDown.stabilizationWindowSeconds ?? scaleDownWindowSeconds) * 1_000,
  };
};

/** Down to the highest, up to the lowest of what was wanted lately. */
function stabilized(
  spec: HorizontalPodAutoscaler['spec'],
  { replicas, recent, nowMs }: Measurement,
  proposal: number,
): number {
  const { upMs, downMs } = windowsOf(spec);
  const within = (ms: number): readonly number[] =>
    recent.filter(({ atMs }) => nowMs - atMs < ms).map((it) => it.replicas);
  const highest = Math.max(proposal, ...within(downMs));
  const lowest = Math.min(proposal, ...within(upMs));
  if (replicas < lowest) return lowest;
  return Math.min(replicas, highest);
}

/** For how long recommendations are remembered. */
export function memoryMs({ spec }: HorizontalPodAutoscaler): number {
  const { upMs, downMs } = windowsOf(spec);
  return Math.max(upMs, downMs);
}

interface Metric {
  readonly type?: string;
  readonly resource?: {
    readonly name?: string;
    readonly target?: { readonly averageUtilization?: number };
  };
}

function metricOf({ metrics }: HorizontalPodAutoscaler['spec']) {
  const all = (Array.isArray(metrics) ? metrics : []) as readonly Metric[];
  for (const { resource } of all) {
    const target = resource?.target?.averageUtilization;
    if (target === undefined) continue;
    const name = resource?.name ?? 'cpu';
    return { target, resource: name, name: `${name} resource utilization (percentage of request)` };
  }
  return undefined;
}

export interface Outcome extends Recommended {
  /** Whether the workload was resized. */
  readonly isScaled: boolean;
  /** Of the wall clock. */
  readonly wallMs: number;
}

export function scaledStatus(
  { spec, metadata, ...object }: HorizontalPodAutoscaler,
  { replicas: current, percent }: Measurement,
  outcome: Outcome,
): AutoscalerStatus {
  const { status: before = {} } = object as { readonly status?: AutoscalerStatus };
  const { isScaled, wallMs, replicas, claims, proposal } = outcome;
  const rescaled = `the HPA controller was able to update the target scale to ${replicas}`;
  const all = isScaled
    ? [...claims, claim('AbleToScale', true, 'SucceededRescale', rescaled)]
    : claims;
  const isFailed = claims.some(({ reason }) => reason === 'FailedGetResourceMetric');
  const known = before.lastScaleTime;
  const lastScaleTime = isScaled ? timestamp(wallMs) : known;
  const { generation } = metadata;
  return {
    ...(generation !== undefined && { observedGeneration: generation }),
    ...(lastScaleTime !== undefined && { lastScaleTime }),
    ...(current !== 0 && { currentReplicas: current }),
    desiredReplicas: isFailed ? (before.desiredReplicas ?? 0) : replicas,
    currentMetrics: isFailed ? unknownMetrics(spec) : metricsOf(spec, proposal && percent),
    conditions: told(before.conditions ?? [], all, timestamp(wallMs)),
  };
}

function metricsOf(spec: HorizontalPodAutoscaler['spec'], percent: number | undefined) {
  const metric = metricOf(spec);
  if (metric === undefined || percent === undefined) return null;
  const current = { averageUtilization: Math.trunc(percent) };
  return [{ type: 'Resource', resource: { name: metric.resource, current } }];
}

/** An empty one in the place of each, as Go leaves them. */
const unknownMetrics = ({ metrics }: HorizontalPodAutoscaler['spec']) =>
  Array.isArray(metrics) && metrics.length > 0 ? metrics.map(() => ({ type: '' })) : null;

/** What cannot be scaled, because there is no such thing. */
export function lostStatus(
  { spec, ...object }: HorizontalPodAutoscaler,
  wallMs: number,
): AutoscalerStatus {
  const { status: before = {} } = object as { readonly status?: AutoscalerStatus };
  const { kind, name } = spec.scaleTargetRef;
  const plural = `${kind.toLowerCase()}s`;
  const group = (spec.scaleTargetRef.apiVersion ?? '').split('/')[0] ?? '';
  const what = group === '' || group === 'v1' ? plural : `${plural}.${group}`;
  const text = `the HPA controller was unable to get the target's current scale: ${what} "${name}" not found`;
  const lost = claim('AbleToScale', false, 'FailedGetScale', text);
  return {
    ...before,
    desiredReplicas: before.desiredReplicas ?? 0,
    currentMetrics: before.currentMetrics ?? null,
    conditions: told(before.conditions ?? [], [lost], timestamp(wallMs)),
  };
}

const claim = (type: string, holds: boolean, reason: string, message: string): Claim => ({
  type,
  status: holds ? 'True' : 'False',
  reason,
  message,
});

/** Each in the place that it has; of two claims of one type, the later one holds. */
function told(
  known: readonly Condition[],
  claims: readonly Claim[],
  time: string,
): readonly Condition[] {
  const conditions = new Map(known.map((condition) => [condition.type, condition]));
  for (const { type, status, reason, message } of new Map(
    claims.map((it) => [it.type, it]),
  ).values()) {
    const before = conditions.get(type);
    const isSame = before?.status === status;
    const lastTransitionTime = isSame ? (before.lastTransitionTime ?? time) : time;
    conditions.set(type, { type, status, lastTransitionTime, reason, message });
  }
  return [...conditions.values()];
}
