/**
 * DaemonSets as targets (`spec/01`, 3.4). They have no replicas: one that is to have no pods selects
 * nodes by a label that no node has.
 */
import { scaleToZeroLabel } from '../api/annotations.ts';
import type { Canary } from '../api/canary.ts';
import type { DaemonSet, PodTemplateSpec } from '../api/kubernetes.ts';
import { daemonSets } from '../kube/resources.ts';
import { hashTemplate } from '../revision/hash.ts';
import { referenceHash } from '../revision/reference-hash.ts';
import { hasPodTemplate, primaryTemplate, sameTemplate } from './pod-template.ts';
import type { PrimaryOptions } from './primary.ts';
import { createdMetadata, primaryValue, promotedMetadata } from './primary.ts';
import type { Readiness, ReadinessOptions } from './readiness.ts';
import { neededOf } from './readiness.ts';
import { selectorOf } from './selector.ts';
import type { Held, Shortage } from './target-kind.ts';
import { targetKind } from './target-kind.ts';

/** The template without what keeps it from having pods: being idle is no part of a revision. */
export function withoutScaleToZero(template: PodTemplateSpec): PodTemplateSpec {
  const { nodeSelector, ...spec } = template.spec;
  const { [scaleToZeroLabel]: idle, ...others } = nodeSelector ?? {};
  if (idle === undefined) return template;
  // An empty map and none mean the same.
  const selector = Object.keys(others).length === 0 ? {} : { nodeSelector: others };
  return { ...template, spec: { ...spec, ...selector } };
}

export const isScaledToZero = ({ spec }: PodTemplateSpec): boolean =>
  spec.nodeSelector?.[scaleToZeroLabel] !== undefined;

/** The primary as it is first made: with pods, also where the target is idle. */
export function renderPrimaryDaemonSet(options: PrimaryOptions<DaemonSet>): DaemonSet {
  const { target, selector } = options;
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: createdMetadata(options),
    spec: {
      ...rolloutSettings(target),
      selector: { matchLabels: { [selector.label]: primaryValue(selector) } },
      template: templateOf(options),
    },
  };
}

/** The primary after promotion, on top of the live one. */
export function renderDaemonSetPromotion(
  options: PrimaryOptions<DaemonSet>,
  primary: DaemonSet,
): DaemonSet {
  const { updateStrategy: _, ...spec } = primary.spec;
  return {
    ...primary,
    metadata: promotedMetadata(options, primary),
    spec: { ...spec, ...rolloutSettings(options.target), template: templateOf(options) },
  };
}

const templateOf = (options: PrimaryOptions<DaemonSet>): PodTemplateSpec =>
  primaryTemplate(options, withoutScaleToZero(options.target.spec.template));

function rolloutSettings({ spec }: DaemonSet) {
  const { minReadySeconds, revisionHistoryLimit, updateStrategy } = spec;
  return {
    ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
    ...(revisionHistoryLimit === undefined ? {} : { revisionHistoryLimit }),
    ...(updateStrategy === undefined ? {} : { updateStrategy }),
  };
}

/** `spec/01`, 3.4; the deadline is measured as for a Deployment (D30). */
export function daemonSetReadiness(daemonSet: DaemonSet, options: ReadinessOptions): Readiness {
  const { metadata, status = {} } = daemonSet;
  const { deadlineMs, unavailableMs, thresholdPercent } = options;
  const wait = 'waiting for rollout to finish: ';
  if ((metadata.generation ?? 0) > (status.observedGeneration ?? 0)) {
    const message = `${wait}observed daemonset generation less than desired generation`;
    return { kind: 'NotReady', message, retriable: true };
  }
  const { desired, updated, available, needed } = podsOf(daemonSet, thresholdPercent);
  if (updated >= desired && available >= needed) return { kind: 'Ready' };
  if (unavailableMs > deadlineMs) {
    const message = `exceeded its progressDeadlineSeconds: ${Math.round(deadlineMs / 1000)}`;
    return { kind: 'NotReady', message, retriable: false };
  }
  const message =
    updated < desired
      ? `${wait}${updated} out of ${desired} new pods have been updated`
      : `${wait}${available} of ${needed} (readyThreshold ${thresholdPercent}%) updated pods are available`;
  return { kind: 'NotReady', message, retriable: true };
}

function podsOf({ status = {} }: DaemonSet, thresholdPercent: number) {
  const {
    desiredNumberScheduled: desired = 0,
    updatedNumberScheduled: updated = 0,
    numberAvailable: available = 0,
  } = status;
  return { desired, updated, available, needed: neededOf(desired, thresholdPercent) };
}

/** Its status says that pods are missing, and not since when. */
function shortageOf(daemonSet: DaemonSet): Shortage | undefined {
  const { desired, updated, available } = podsOf(daemonSet, 100);
  const isShort = updated < desired || available < desired;
  return isShort ? { generation: daemonSet.metadata.generation ?? 0 } : undefined;
}

/** Pods that nobody replaces would never run a new revision. */
function strategyProblem({ metadata, spec }: DaemonSet): string | undefined {
  const { type = '' } = spec.updateStrategy ?? {};
  if (type === '' || type === 'RollingUpdate') return undefined;
  const name = `${metadata.name}.${metadata.namespace ?? ''}`;
  return (
    `createPrimaryDaemonSet failed: daemonset ${name} must have RollingUpdate strategy but have ${type}; ` +
    'set spec.updateStrategy.type of the DaemonSet to RollingUpdate'
  );
}

function scaling({ spec }: DaemonSet, replicas: number): object | undefined {
  const isIdle = isScaledToZero(spec.template);
  if (isIdle === (replicas === 0)) return undefined;
  const nodeSelector = { [scaleToZeroLabel]: replicas === 0 ? 'true' : null };
  return { spec: { template: { spec: { nodeSelector } } } };
}

function hold(_canary: Canary, before: DaemonSet, after: DaemonSet): Held {
  const { template } = after.spec;
  if (!isScaledToZero(before.spec.template) || isScaledToZero(template)) return { object: after };
  const nodeSelector = { ...template.spec.nodeSelector, [scaleToZeroLabel]: 'true' };
  const idle = { ...template, spec: { ...template.spec, nodeSelector } };
  const held: DaemonSet = { ...after, spec: { ...after.spec, template: idle } };
  return { object: held, part: { kind: 'Idle' } };
}

export const daemonSetKind = targetKind<DaemonSet>({
  resource: daemonSets,
  hasServices: true,
  is: (object): object is DaemonSet => object.kind === 'DaemonSet' && hasPodTemplate(object),
  released: ({ spec }) => withoutScaleToZero(spec.template),
  hash: ({ spec }) => hashTemplate(withoutScaleToZero(spec.template)),
  referenceHash: ({ spec }) => {
    const template = withoutScaleToZero(spec.template);
    const { nodeSelector = {} } = template.spec;
    return referenceHash({ ...template, spec: { ...template.spec, nodeSelector } });
  },
  problem: strategyProblem,
  template: ({ spec }) => spec.template,
  selector: selectorOf,
  size: ({ spec, status }) => ({
    replicas: isScaledToZero(spec.template) ? 0 : 1,
    availablePods: status?.numberAvailable ?? 0,
  }),
  readiness: daemonSetReadiness,
  notReady: {
    // The word and its form are the reference's: alerts match them.
    target: (name, text, retriable) =>
      `canary damonset ${name} not ready with retryable ${retriable}: ${text}`,
    primary: (name, text) => `primary daemonset ${name} not ready: ${text}`,
  },
  shortage: shortageOf,
  scaleUpReplicas: () => 1,
  scaling,
  hold,
  renderPrimary: renderPrimaryDaemonSet,
  renderPromotion: renderDaemonSetPromotion,
  primaryAgrees: (options, primary) => sameTemplate(templateOf(options), primary.spec.template),
});
