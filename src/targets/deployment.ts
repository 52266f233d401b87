/**
 * Deployments as targets: the primary that is made of one, and what promotion makes of the primary
 * (`spec/01`, 3.2, 3.9, 3.10). The target itself acts as the canary and is never rendered.
 */
import { replicasAnnotation, revisionAnnotation } from '../api/annotations.ts';
import type { Canary } from '../api/canary.ts';
import { primaryName } from '../api/defaults.ts';
import type {
  Deployment,
  HorizontalPodAutoscaler,
  LabelSelector,
  PodAffinityTerm,
  PodSpec,
  PodTemplateSpec,
  StringMap,
} from '../api/kubernetes.ts';
import { hashTemplate } from '../revision/hash.ts';
import type { ConfigReference } from '../revision/references.ts';
import { renameReferences } from '../revision/references.ts';
import { ownerReferenceTo, withPrefixes, withoutForeignMarks } from './metadata.ts';
import type { Selector } from './selector.ts';

export interface PrimaryOptions {
  readonly canary: Canary;
  readonly target: Deployment;
  readonly selector: Selector;
  /** Objects of which the primary has copies of its own. */
  readonly copied: readonly Pick<ConfigReference, 'kind' | 'name'>[];
  readonly selectorLabels: readonly string[];
  readonly includeLabelPrefix: string;
  /** A fresh UUID: it makes the primary roll even if nothing else of its template differs. */
  readonly uuid: string;
  /** What the primary runs from here on. */
  readonly revision: string;
}

const rolloutAnnotation = 'flagger-id';

/** The primary as it is first made. */
export function renderPrimary(options: PrimaryOptions): Deployment {
  const { canary, target, selector, includeLabelPrefix, revision } = options;
  const { namespace = '' } = target.metadata;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: primaryName(canary),
      namespace,
      labels: {
        ...withPrefixes(target.metadata.labels, includeLabelPrefix),
        [selector.label]: primaryValue(selector),
      },
      annotations: {
        ...withoutForeignMarks(target.metadata.annotations),
        [revisionAnnotation]: revision,
      },
      ownerReferences: [ownerReferenceTo(canary)],
    },
    spec: {
      ...rolloutSettings(target),
      replicas: present(target) ?? asked(target) ?? 1,
      selector: { matchLabels: { [selector.label]: primaryValue(selector) } },
      template: primaryTemplate(options),
    },
  };
}

/**
 * The primary after promotion, on top of the live one. Its replicas follow the target's, unless an
 * autoscaler has the say. What others wrote on it stays; what it had from the target goes, because
 * it would tell of a former revision.
 */
export function renderPromotion(options: PrimaryOptions, primary: Deployment): Deployment {
  const { canary, target, selector, includeLabelPrefix, revision } = options;
  const follows = canary.spec.autoscalerRef === undefined ? present(target) : undefined;
  const replicas = follows ?? primary.spec.replicas;
  const { strategy: _, ...spec } = primary.spec;
  return {
    ...primary,
    metadata: {
      ...primary.metadata,
      labels: {
        ...primary.metadata.labels,
        ...withPrefixes(target.metadata.labels, includeLabelPrefix),
        [selector.label]: primaryValue(selector),
      },
      annotations: {
        ...withoutInherited(primary.metadata.annotations, target.metadata.annotations),
        ...withPrefixes(target.metadata.annotations, includeLabelPrefix),
        [revisionAnnotation]: revision,
      },
    },
    spec: {
      ...spec,
      ...rolloutSettings(target),
      ...(replicas === undefined ? {} : { replicas }),
      template: primaryTemplate(options),
    },
  };
}

/** Replicas of the target when it is brought up (`spec/01`, 3.2: scale from zero). */
export function scaleUpReplicas(
  canary: Canary,
  target: Deployment | undefined,
  primary: Deployment | undefined,
  autoscaler: HorizontalPodAutoscaler | undefined,
): number {
  const own = target && (asked(target) ?? present(target));
  if (own !== undefined) return own;
  const scaled = canary.spec.autoscalerRef !== undefined;
  return Math.max(1, (scaled ? autoscaler?.spec.minReplicas : primary?.spec.replicas) ?? 1);
}

/** Undefined where it is scaled to zero. */
const present = ({ spec: { replicas = 1 } }: Deployment): number | undefined =>
  replicas > 0 ? replicas : undefined;

/** What a manifest asked for while the controller held the target at another number. */
function asked({ metadata }: Deployment): number | undefined {
  const replicas = Number(metadata.annotations?.[replicasAnnotation]);
  return Number.isInteger(replicas) && replicas > 0 ? replicas : undefined;
}

/** Whether the primary runs the target's template: the question when another program's hash is met. */
export function primaryAgrees(options: PrimaryOptions, primary: Deployment): boolean {
  const wanted = withoutRolloutMark(primaryTemplate(options));
  return hashTemplate(wanted) === hashTemplate(withoutRolloutMark(primary.spec.template));
}

function withoutRolloutMark(template: PodTemplateSpec): PodTemplateSpec {
  const { [rolloutAnnotation]: _, ...annotations } = template.metadata?.annotations ?? {};
  return { ...template, metadata: { ...template.metadata, annotations } };
}

/** The Deployment controller keeps its own notes, on the primary as on the target. */
const rolloutNotes = 'deployment.kubernetes.io/';

function withoutInherited(own: StringMap | undefined, target: StringMap | undefined): StringMap {
  const isOwn = ([key]: readonly [string, string]): boolean =>
    target?.[key] === undefined || key.startsWith(rolloutNotes);
  return Object.fromEntries(Object.entries(own ?? {}).filter(isOwn));
}

const primaryValue = ({ value }: Selector): string => `${value}-primary`;

function rolloutSettings({ spec }: Deployment) {
  const { progressDeadlineSeconds, minReadySeconds, revisionHistoryLimit, strategy } = spec;
  return {
    ...(progressDeadlineSeconds === undefined ? {} : { progressDeadlineSeconds }),
    ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
    ...(revisionHistoryLimit === undefined ? {} : { revisionHistoryLimit }),
    ...(strategy === undefined ? {} : { strategy }),
  };
}

function primaryTemplate(options: PrimaryOptions): PodTemplateSpec {
  const { target, selector, copied, selectorLabels, uuid } = options;
  const { template } = target.spec;
  const names = new Set(copied.map(({ kind, name }) => `${kind}/${name}`));
  const renamed = renameReferences(template.spec, (kind, name) =>
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
    spec: spreadAmongPrimaries(renamed, target.metadata.name, selectorLabels),
  };
}

/** Spreading rules that are about the target's own pods are about the primary's in the primary. */
function spreadAmongPrimaries(spec: PodSpec, name: string, labels: readonly string[]): PodSpec {
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
