/**
 * The ReplicaSet of a Deployment's template: how it is told from others, what it looks like, and how
 * it counts revisions. Pure.
 * Rules: k8s.io/kubernetes, `pkg/controller/deployment/util`.
 */
import type { Deployment, PodTemplateSpec, StringMap } from '../../api/kubernetes.ts';
import { isEqual } from '../json.ts';
import type { ReplicaSet } from './kinds.ts';
import { controlledBy, templateHash } from './kinds.ts';
import type { Rollout } from './rollout.ts';
import {
  boundsOf,
  desiredAnnotation,
  firstSize,
  maxAnnotation,
  replicasOf,
  revisionAnnotation,
  revisionOf,
} from './rollout.ts';
import { statusOf } from './deployment-status.ts';

const hashLabel = 'pod-template-hash';
const historyAnnotation = 'deployment.kubernetes.io/revision-history';
/** Characters of the history that are kept. */
const historyLengthMax = 2_000;
/** As long as names of the API may be. */
const nameLengthMax = 253;

/** What is about the Deployment itself stays there. */
const ownAnnotations = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maxAnnotation,
]);

/** Whether a set's pods are those of that template, whatever the hash was made of. */
export function isOfTemplate({ spec }: ReplicaSet, template: PodTemplateSpec): boolean {
  if (!isEqual(spec.template.spec, template.spec)) return false;
  const { labels, annotations } = spec.template.metadata ?? {};
  const { [hashLabel]: _, ...ownLabels } = labels ?? {};
  return (
    isEqual(ownLabels, template.metadata?.labels ?? {}) &&
    isEqual(annotations ?? {}, template.metadata?.annotations ?? {})
  );
}

/** The set that is missing: the next revision, with as many pods as there is room for. */
export function newSet(rollout: Rollout): ReplicaSet {
  const { deployment } = rollout;
  const { name, namespace = '' } = deployment.metadata;
  const { template, selector, minReadySeconds } = deployment.spec;
  const hash = templateHash(template, statusOf(deployment).collisionCount);
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name.slice(0, nameLengthMax - hash.length - 1)}-${hash}`,
      namespace,
      labels,
      annotations: {
        ...copied(deployment),
        [revisionAnnotation]: String(nextRevision(rollout)),
        ...sizeAnnotations(deployment),
      },
      ownerReferences: [controlledBy(deployment)],
    },
    spec: {
      replicas: firstSize(rollout),
      ...(minReadySeconds !== undefined && { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

/** The set as today's Deployment has it: its annotations, and the newest revision. */
export function synced(rollout: Rollout, current: ReplicaSet): ReplicaSet {
  const { deployment } = rollout;
  const { minReadySeconds = 0 } = deployment.spec;
  const before = current.metadata.annotations ?? {};
  const annotations = { ...before, ...copied(deployment), ...revised(rollout, before) };
  const isSame =
    isEqual(before, annotations) && (current.spec.minReadySeconds ?? 0) === minReadySeconds;
  if (isSame) return current;
  return {
    ...current,
    metadata: { ...current.metadata, annotations },
    spec: { ...current.spec, minReadySeconds },
  };
}

/** The set with so many pods, and what the Deployment asked for when it was counted. */
export function scaled(deployment: Deployment, set: ReplicaSet, replicas: number): ReplicaSet {
  const { annotations = {} } = set.metadata;
  const counts = sizeAnnotations(deployment);
  const isSame =
    annotations[desiredAnnotation] === counts[desiredAnnotation] &&
    annotations[maxAnnotation] === counts[maxAnnotation];
  if (isSame && set.spec.replicas === replicas) return set;
  return {
    ...set,
    metadata: { ...set.metadata, annotations: { ...annotations, ...counts } },
    spec: { ...set.spec, replicas },
  };
}

function sizeAnnotations(deployment: Deployment): StringMap {
  const replicas = replicasOf(deployment);
  return {
    [desiredAnnotation]: String(replicas),
    [maxAnnotation]: String(replicas + boundsOf(deployment).maxSurge),
  };
}

const copied = ({ metadata: { annotations = {} } }: Deployment): StringMap =>
  Object.fromEntries(Object.entries(annotations).filter(([name]) => !ownAnnotations.has(name)));

const nextRevision = ({ old }: Rollout): number => Math.max(0, ...old.map(revisionOf)) + 1;

/** A template that comes back is the newest revision, and says which ones it was. */
function revised(rollout: Rollout, before: StringMap): StringMap {
  const known = before[revisionAnnotation];
  const next = nextRevision(rollout);
  if (Number(known ?? 0) >= next) return {};
  const revision = { [revisionAnnotation]: String(next) };
  if (known === undefined) return revision;
  const past = [...(before[historyAnnotation] ?? '').split(',').filter((it) => it !== ''), known];
  while (past.join(',').length > historyLengthMax) past.shift();
  return { ...revision, [historyAnnotation]: past.join(',') };
}
