/**
 * HorizontalPodAutoscalers: the primary gets a copy of the target's (`spec/01`, 3.13). The target's
 * own is never changed; it sleeps while the target has no replicas.
 */
import type { Canary } from '../api/canary.ts';
import { primaryName } from '../api/defaults.ts';
import type { HorizontalPodAutoscaler, StringMap } from '../api/kubernetes.ts';
import { ownerReferenceTo, withoutForeignMarks, withPrefixes } from './metadata.ts';

/** Name of the primary's autoscaler. */
export const autoscalerCopyName = (name: string): string => `${name}-primary`;

/** The primary's autoscaler as it is first made. */
export function renderAutoscaler(
  canary: Canary,
  source: HorizontalPodAutoscaler,
): HorizontalPodAutoscaler {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: {
      name: autoscalerCopyName(source.metadata.name),
      namespace: source.metadata.namespace ?? '',
      labels: withoutForeignMarks(source.metadata.labels),
      ownerReferences: [ownerReferenceTo(canary)],
    },
    spec: {
      ...source.spec,
      ...replicaBounds(canary, source),
      scaleTargetRef: { ...source.spec.scaleTargetRef, name: primaryName(canary) },
    },
  };
}

/** The copy after a promotion: bounds, metrics and behaviour follow the source (D24: metadata too). */
export function renderAutoscalerUpdate(
  canary: Canary,
  source: HorizontalPodAutoscaler,
  copy: HorizontalPodAutoscaler,
  includeLabelPrefix: string,
): HorizontalPodAutoscaler {
  const labels = withoutForeignMarks(source.metadata.labels);
  const annotations = withPrefixes(source.metadata.annotations, includeLabelPrefix);
  const { metadata } = copy;
  return {
    ...copy,
    metadata: {
      ...metadata,
      // The API server stores no empty maps: one would be written again and again.
      ...(isEmpty(labels) ? {} : { labels: { ...metadata.labels, ...labels } }),
      ...(isEmpty(annotations) ? {} : { annotations: { ...metadata.annotations, ...annotations } }),
    },
    spec: renderAutoscaler(canary, source).spec,
  };
}

const isEmpty = (map: StringMap): boolean => Object.keys(map).length === 0;

function replicaBounds(canary: Canary, source: HorizontalPodAutoscaler) {
  const { minReplicas, maxReplicas } = canary.spec.autoscalerRef?.primaryScalerReplicas ?? {};
  const min = minReplicas ?? source.spec.minReplicas;
  return {
    ...(min === undefined ? {} : { minReplicas: min }),
    maxReplicas: maxReplicas ?? source.spec.maxReplicas,
  };
}
