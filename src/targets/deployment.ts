/**
 * Deployments as targets: the primary that is made of one, and what promotion makes of the primary
 * (`spec/01`, 3.2). The target itself acts as the canary and is never rendered.
 */
import { replicasAnnotation } from '../api/annotations.ts';
import type { Canary } from '../api/canary.ts';
import type { Deployment, PodTemplateSpec } from '../api/kubernetes.ts';
import { deployments } from '../kube/resources.ts';
import { hashTemplate } from '../revision/hash.ts';
import { referenceHash } from '../revision/reference-hash.ts';
import {
  hasPodTemplate,
  primaryTemplate,
  sameTemplate,
  spreadAmongPrimaries,
} from './pod-template.ts';
import type { PrimaryOptions } from './primary.ts';
import { createdMetadata, primaryValue, promotedMetadata } from './primary.ts';
import { readinessOf, unavailableSince } from './readiness.ts';
import { selectorOf } from './selector.ts';
import type { Held, ReplicaBounds } from './target-kind.ts';
import { targetKind } from './target-kind.ts';

/** The primary as it is first made. */
export function renderPrimary(options: PrimaryOptions<Deployment>): Deployment {
  const { target, selector } = options;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: createdMetadata(options),
    spec: {
      ...rolloutSettings(target),
      replicas: present(target) ?? asked(target) ?? 1,
      selector: { matchLabels: { [selector.label]: primaryValue(selector) } },
      template: templateOf(options),
    },
  };
}

/**
 * The primary after promotion, on top of the live one. Its replicas follow the target's, unless an
 * autoscaler has the say.
 */
export function renderPromotion(
  options: PrimaryOptions<Deployment>,
  primary: Deployment,
): Deployment {
  const { canary, target } = options;
  const follows = canary.spec.autoscalerRef === undefined ? present(target) : undefined;
  const replicas = follows ?? primary.spec.replicas;
  const { strategy: _, ...spec } = primary.spec;
  return {
    ...primary,
    metadata: promotedMetadata(options, primary),
    spec: {
      ...spec,
      ...rolloutSettings(target),
      ...(replicas === undefined ? {} : { replicas }),
      template: templateOf(options),
    },
  };
}

/**
 * Replicas of the target when it is brought up (`spec/01`, 3.2: scale from zero). An autoscaler has
 * the say from then on: what it would change at once is not begun with.
 */
export function scaleUpReplicas(
  canary: Canary,
  target: Deployment | undefined,
  primary: Deployment | undefined,
  { min = 1, max = Infinity }: ReplicaBounds,
): number {
  const own = target && (asked(target) ?? present(target));
  if (canary.spec.autoscalerRef === undefined) {
    return own ?? Math.max(1, primary?.spec.replicas ?? 1);
  }
  return Math.max(1, min, Math.min(own ?? 1, max));
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
export const primaryAgrees = (options: PrimaryOptions<Deployment>, primary: Deployment): boolean =>
  sameTemplate(templateOf(options), primary.spec.template);

function templateOf(options: PrimaryOptions<Deployment>): PodTemplateSpec {
  const { target, selectorLabels } = options;
  const template = primaryTemplate(options, target.spec.template);
  const spec = spreadAmongPrimaries(template.spec, target.metadata.name, selectorLabels);
  return { ...template, spec };
}

function rolloutSettings({ spec }: Deployment) {
  const { progressDeadlineSeconds, minReadySeconds, revisionHistoryLimit, strategy } = spec;
  return {
    ...(progressDeadlineSeconds === undefined ? {} : { progressDeadlineSeconds }),
    ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
    ...(revisionHistoryLimit === undefined ? {} : { revisionHistoryLimit }),
    ...(strategy === undefined ? {} : { strategy }),
  };
}

/**
 * More of the pods that serve, where no autoscaler has the say, is wanted and harms nobody. `kubectl
 * scale` and autoscalers write another resource, which is never held.
 */
function hold(canary: Canary, before: Deployment, after: Deployment): Held {
  const { replicas: present = 1 } = before.spec;
  const { replicas: asked = 1 } = after.spec;
  if (asked === present) return { object: after };
  const grows = present > 0 && asked > present;
  if (grows && canary.spec.autoscalerRef === undefined) return { object: after, asked };
  const held: Deployment = { ...after, spec: { ...after.spec, replicas: present } };
  return { object: held, asked, part: { kind: 'Replicas', replicas: present } };
}

export const deploymentKind = targetKind<Deployment>({
  resource: deployments,
  hasServices: true,
  is: (object): object is Deployment => object.kind === 'Deployment' && hasPodTemplate(object),
  released: ({ spec }) => spec.template,
  hash: ({ spec }) => hashTemplate(spec.template),
  referenceHash: ({ spec }) => referenceHash(spec.template),
  template: ({ spec }) => spec.template,
  selector: selectorOf,
  size: ({ spec, status }) => ({
    replicas: spec.replicas ?? 1,
    availablePods: status?.availableReplicas ?? 0,
  }),
  readiness: readinessOf,
  notReady: {
    target: (name, text) => `canary deployment ${name} not ready: ${text}`,
    primary: (name, text) => `${name} not ready: ${text}`,
  },
  shortage: unavailableSince,
  scaleUpReplicas,
  scaling: (target, replicas) =>
    target.spec.replicas === replicas ? undefined : { spec: { replicas } },
  hold,
  renderPrimary,
  renderPromotion,
  primaryAgrees,
});
