/**
 * The pod template of a primary: the target's, with a label of its own, copies of configuration, and
 * spreading rules that are about its own pods (`spec/01`, 3.9, 3.10, 3.11).
 */
import type {
  Deployment,
  KubeObject,
  LabelSelector,
  PodAffinityTerm,
  PodSpec,
  PodTemplateSpec,
  StringMap,
} from '../api/kubernetes.ts';
import { hashTemplate } from '../revision/hash.ts';
import { renameReferences } from '../revision/references.ts';
import { withoutForeignMarks } from './metadata.ts';
import type { PrimaryOptions } from './primary.ts';
import { primaryValue } from './primary.ts';

const rolloutAnnotation = 'flagger-id';

/** Whether an object that somebody sent has a pod template with containers. */
export function hasPodTemplate(object: KubeObject): boolean {
  const { spec }: Partial<Deployment> = object;
  return Array.isArray(spec?.template?.spec?.containers);
}

/** `template` is the target's. */
export function primaryTemplate(
  options: PrimaryOptions<KubeObject>,
  template: PodTemplateSpec,
): PodTemplateSpec {
  const { selector, copied, uuid } = options;
  const names = new Set(copied.map(({ kind, name }) => `${kind}/${name}`));
  const spec = renameReferences(template.spec, (kind, name) =>
    names.has(`${kind}/${name}`) ? `${name}-primary` : name,
  );
  const { creationTimestamp: _, ...metadata } = template.metadata ?? {};
  return {
    ...template,
    metadata: {
      ...metadata,
      labels: {
        ...withoutForeignMarks(metadata.labels),
        [selector.label]: primaryValue(selector),
      },
      annotations: { ...withoutForeignMarks(metadata.annotations), [rolloutAnnotation]: uuid },
    },
    spec,
  };
}

/** Whether two templates are the same but for what makes a primary roll. */
export const sameTemplate = (one: PodTemplateSpec, other: PodTemplateSpec): boolean =>
  hashTemplate(withoutRolloutMark(one)) === hashTemplate(withoutRolloutMark(other));

function withoutRolloutMark(template: PodTemplateSpec): PodTemplateSpec {
  const { [rolloutAnnotation]: _, ...annotations } = template.metadata?.annotations ?? {};
  return { ...template, metadata: { ...template.metadata, annotations } };
}

/** Spreading rules that are about the target's own pods are about the primary's in the primary. */
export function spreadAmongPrimaries(
  spec: PodSpec,
  name: string,
  labels: readonly string[],
): PodSpec {
  const rename = (selector: LabelSelector | undefined) => renameSelector(selector, name, labels);
  const term = <T extends PodAffinityTerm>(it: T): T =>
    it.labelSelector === undefined ? it : { ...it, labelSelector: rename(it.labelSelector) };
  const { affinity, topologySpreadConstraints: constraints } = spec;
  const anti = affinity?.podAntiAffinity;
  const preferred = anti?.preferredDuringSchedulingIgnoredDuringExecution;
  const required = anti?.requiredDuringSchedulingIgnoredDuringExecution;
  return {
    ...spec,
    ...(constraints && { topologySpreadConstraints: constraints.map(term) }),
    ...(anti && {
      affinity: {
        ...affinity,
        podAntiAffinity: {
          ...anti,
          ...(preferred && {
            preferredDuringSchedulingIgnoredDuringExecution: preferred.map((weighted) => ({
              ...weighted,
              podAffinityTerm: term(weighted.podAffinityTerm),
            })),
          }),
          ...(required && { requiredDuringSchedulingIgnoredDuringExecution: required.map(term) }),
        },
      },
    }),
  };
}

function renameSelector(
  selector: LabelSelector | undefined,
  name: string,
  labels: readonly string[],
): LabelSelector {
  const { matchLabels, matchExpressions } = selector ?? {};
  const renamedLabels: StringMap = Object.fromEntries(
    Object.entries(matchLabels ?? {}).map(([key, value]) => [
      key,
      labels.includes(key) && value === name ? `${value}-primary` : value,
    ]),
  );
  return {
    ...selector,
    ...(matchLabels && { matchLabels: renamedLabels }),
    ...(matchExpressions && {
      matchExpressions: matchExpressions.map((expression) => {
        const index = labels.includes(expression.key)
          ? (expression.values?.indexOf(name) ?? -1)
          : -1;
        if (index < 0) return expression;
        return { ...expression, values: expression.values?.with(index, `${name}-primary`) ?? [] };
      }),
    }),
  };
}
