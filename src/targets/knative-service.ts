/**
 * Knative Services as targets (`spec/01`, 3.6). Knative keeps revisions itself: the newest is the
 * canary, the one that an annotation names is the primary, and to promote is to name another. There
 * is nothing to scale, and no Service to make.
 */
import type { KnativeRevision, KnativeService } from '../api/knative.ts';
import {
  isKnativeService,
  latestShare,
  primaryRevisionAnnotation,
  primaryRevisionOf,
} from '../api/knative.ts';
import { knativeRevisions, knativeServices } from '../kube/resources.ts';
import { hashNumber, hashValue, revisionOf } from '../revision/hash.ts';
import { referenceHashOf } from '../revision/reference-hash.ts';
import type { Readiness, ReadinessOptions } from './readiness.ts';
import { noSelector } from './selector.ts';
import type {
  Held,
  Lookup,
  TargetKind,
  TargetSeen,
  TargetWrite,
  WorkloadSeen,
} from './target-kind.ts';

export const knativeServiceKind: TargetKind = {
  resource: knativeServices,
  reads: [knativeServices, knativeRevisions],
  hasServices: false,
  see: (canary, lookup) => {
    const service = lookup(knativeServices, canary.spec.targetRef.name);
    if (service === undefined) return { target: undefined, primary: undefined };
    const primary = primaryRevisionOf(service);
    return {
      target: seeTarget(service, lookup),
      primary: primary === undefined ? undefined : seeRevision(service, primary, lookup),
    };
  },
  // Its revision is Knative's to keep.
  restore: () => undefined,
  read: (object) => {
    if (!isKnativeService(object)) return undefined;
    const { template = {} } = object.spec;
    return {
      hash: hashValue(template),
      template: undefined,
      released: { template },
    };
  },
  hold: (canary, before, after) =>
    isKnativeService(before) && isKnativeService(after) && canary.spec.suspend !== true
      ? holdTraffic(before, after)
      : { object: after },
};

/** No manifest sends users to a revision that nobody has analysed. */
function holdTraffic(before: KnativeService, after: KnativeService): Held {
  const { traffic } = before.spec;
  if (traffic === undefined || latestShare(after) <= latestShare(before)) return { object: after };
  const held: KnativeService = { ...after, spec: { ...after.spec, traffic } };
  return { object: held, part: { kind: 'Traffic' } };
}

const latestOf = ({ status }: KnativeService): string => status?.latestCreatedRevisionName ?? '';

const identityOf = (revision: string): string => revisionOf(hashValue(revision), undefined);

/** Changes with the revision, where the generation of the Service changes with traffic as well. */
const generationOf = (revision: string): number => hashNumber(hashValue(revision));

function seeRevision(service: KnativeService, name: string, lookup: Lookup): WorkloadSeen {
  const revision = name === '' ? undefined : lookup(knativeRevisions, name);
  const isReady = revision !== undefined && isRevisionReady(revision);
  const { namespace = '' } = service.metadata;
  const text =
    revision === undefined
      ? `Knative Revision ${name}.${namespace} get query error: not found`
      : `Knative Revision ${name}.${namespace} is not ready`;
  return {
    object: revision ?? service,
    replicas: 1,
    availablePods: isReady ? 1 : 0,
    revision: identityOf(name),
    shortage: isReady ? undefined : { generation: generationOf(name) },
    readiness: (options) => (isReady ? { kind: 'Ready' } : notReady(text, options)),
  };
}

/** The reference waits for ever; a revision that has no pods in time has failed. */
const notReady = (message: string, { deadlineMs, unavailableMs }: ReadinessOptions): Readiness => ({
  kind: 'NotReady',
  message,
  retriable: unavailableMs <= deadlineMs,
});

const isRevisionReady = ({ status }: KnativeRevision): boolean =>
  status?.conditions?.some((it) => it.type === 'Ready' && it.status === 'True') === true;

function seeTarget(service: KnativeService, lookup: Lookup): TargetSeen {
  const latest = latestOf(service);
  const primary = primaryRevisionOf(service);
  const named = (): TargetWrite => ({
    resource: knativeServices,
    live: service,
    wanted: withPrimary(service, latest),
  });
  return {
    ...seeRevision(service, latest, lookup),
    object: service,
    hash: () => hashValue(latest),
    referenceHash: () => referenceHashOf('string', latest),
    tracked: () => ({ uid: service.metadata.uid ?? '', generation: generationOf(latest) }),
    stamp: revisionOf(hashValue(service.spec.template ?? {}), undefined),
    problem: undefined,
    template: undefined,
    selector: () => ({ ok: true, selector: noSelector }),
    scaleUpReplicas: () => 1,
    scaling: () => undefined,
    primaryAgrees: () => (primary === undefined ? undefined : primary === latest),
    // Knative has not made the first one yet: it is looked at again when it has.
    renderPrimary: () => (latest === '' ? undefined : named()),
    renderPromotion: named,
    renderCanaryService: undefined,
  };
}

function withPrimary(service: KnativeService, revision: string): KnativeService {
  const { metadata } = service;
  const annotations = { ...metadata.annotations, [primaryRevisionAnnotation]: revision };
  return { ...service, metadata: { ...metadata, annotations } };
}
