/**
 * KEDA's ScaledObjects: the primary gets a copy of the target's (`spec/01`, 3.14), whose queries ask
 * for the primary. The target's own is changed in one annotation only: it pauses while the target has
 * no replicas, and a copy never inherits the pause (D8).
 */
import type { Canary } from '../api/canary.ts';
import { primaryName } from '../api/defaults.ts';
import type { ScaledObject, ScaleTrigger, StringMap } from '../api/kubernetes.ts';
import { resource } from '../kube/resources.ts';
import { autoscalerCopyName } from './autoscaler.ts';
import { ownerReferenceTo, withoutForeignMarks, withPrefixes } from './metadata.ts';

export const scaledObjects = resource<ScaledObject>(
  'keda.sh/v1alpha1',
  'ScaledObject',
  'scaledobjects',
);

/** KEDA holds the target at the number of replicas that this annotation names. */
export const pauseAnnotation = 'autoscaling.keda.sh/paused-replicas';

/** The primary's ScaledObject as it is first made. */
export function renderScaledObject(canary: Canary, source: ScaledObject): ScaledObject {
  const { name, namespace = '', labels, annotations } = source.metadata;
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: {
      name: autoscalerCopyName(name),
      namespace,
      labels: withoutForeignMarks(labels),
      annotations: withoutPause(withoutForeignMarks(annotations)),
      ownerReferences: [ownerReferenceTo(canary)],
    },
    spec: renderSpec(canary, source),
  };
}

/** The copy after a promotion: its spec follows the source; its metadata as an autoscaler's (D24). */
export function renderScaledObjectUpdate(
  canary: Canary,
  source: ScaledObject,
  copy: ScaledObject,
  includeLabelPrefix: string,
): ScaledObject {
  const labels = withoutForeignMarks(source.metadata.labels);
  const annotations = withoutPause(withPrefixes(source.metadata.annotations, includeLabelPrefix));
  const { metadata } = copy;
  return {
    ...copy,
    metadata: {
      ...metadata,
      // The API server stores no empty maps: one would be written again and again.
      ...(isEmpty(labels) ? {} : { labels: { ...metadata.labels, ...labels } }),
      ...(isEmpty(annotations) ? {} : { annotations: { ...metadata.annotations, ...annotations } }),
    },
    spec: renderSpec(canary, source),
  };
}

const isEmpty = (map: StringMap): boolean => Object.keys(map).length === 0;

function withoutPause(annotations: StringMap): StringMap {
  const { [pauseAnnotation]: _, ...others } = annotations;
  return others;
}

function renderSpec(canary: Canary, { spec }: ScaledObject): ScaledObject['spec'] {
  const { minReplicas, maxReplicas } = canary.spec.autoscalerRef?.primaryScalerReplicas ?? {};
  const { horizontalPodAutoscalerConfig: config } = spec.advanced ?? {};
  const name = config?.name === undefined ? {} : { name: `${config.name}-primary` };
  return {
    ...spec,
    ...(minReplicas === undefined ? {} : { minReplicaCount: minReplicas }),
    ...(maxReplicas === undefined ? {} : { maxReplicaCount: maxReplicas }),
    scaleTargetRef: { ...spec.scaleTargetRef, name: primaryName(canary) },
    // The source's HorizontalPodAutoscaler has its name already.
    advanced: { ...spec.advanced, horizontalPodAutoscalerConfig: { ...config, ...name } },
    triggers: spec.triggers.map((trigger) => renderTrigger(canary, trigger)),
  };
}

function renderTrigger(canary: Canary, trigger: ScaleTrigger): ScaleTrigger {
  const { query } = trigger.metadata;
  if (query === undefined) return trigger;
  const given = canary.spec.autoscalerRef?.primaryScalerQueries;
  const asked = given === undefined ? aboutPrimary(canary, query) : given[trigger.name ?? ''];
  return { ...trigger, metadata: { ...trigger.metadata, query: asked ?? query } };
}

/** The target's name in a query is the primary's in the primary's, whichever side it named. */
function aboutPrimary(canary: Canary, query: string): string {
  const { name } = canary.spec.targetRef;
  if (name === '') return query;
  // No query holds this character, so what was replaced is not replaced again.
  const placeholder = '\u0000';
  return query
    .replaceAll(`${name}-canary`, placeholder)
    .replaceAll(name, placeholder)
    .replaceAll(placeholder, () => primaryName(canary));
}
