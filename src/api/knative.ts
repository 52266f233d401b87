/** Knative Services as far as releases are about them: https://knative.dev/docs/serving/. */
import type { Json, KubeObject } from './kubernetes.ts';

export const knativeApiVersion = 'serving.knative.dev/v1';

/** On a Knative Service: the name of the revision that is the primary. */
export const primaryRevisionAnnotation = 'flagger.app/primary-revision';

export interface KnativeTraffic {
  readonly revisionName?: string;
  /** Whatever revision is the latest that is ready. */
  readonly latestRevision?: boolean;
  readonly percent?: number;
  /** A name of its own for an address of its own, which users give. */
  readonly tag?: string;
}

interface KnativeCondition {
  readonly type: string;
  readonly status: string;
}

export interface KnativeService extends KubeObject {
  readonly spec: {
    readonly template?: Json;
    readonly traffic?: readonly KnativeTraffic[];
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly KnativeCondition[];
    readonly latestCreatedRevisionName?: string;
    readonly traffic?: readonly KnativeTraffic[];
  };
}

export interface KnativeRevision extends KubeObject {
  readonly status?: { readonly conditions?: readonly KnativeCondition[] };
}

export const isKnativeService = (object: KubeObject): object is KnativeService =>
  object.kind === 'Service' && object.apiVersion === knativeApiVersion;

/** Whether the object that a canary names is Knative's; core Services have the same kind. */
export const isKnativeReference = (reference: {
  readonly kind: string;
  readonly apiVersion?: string;
}): boolean => reference.kind === 'Service' && reference.apiVersion === knativeApiVersion;

/**
 * The revision that is the primary; undefined before the first is. Where somebody replaced the object
 * and the annotation with it, traffic still tells.
 */
export function primaryRevisionOf({ metadata, spec, status }: KnativeService): string | undefined {
  const marked = metadata.annotations?.[primaryRevisionAnnotation];
  if (marked !== undefined && marked !== '') return marked;
  return pinnedIn(spec.traffic) ?? pinnedIn(status?.traffic);
}

/** Percent of traffic that goes to whatever revision is the latest; all where nothing is said. */
export function latestShare({ spec: { traffic } }: KnativeService): number {
  if (traffic === undefined || traffic.length === 0) return 100;
  return traffic
    .filter(({ revisionName }) => revisionName === undefined)
    .reduce((sum, { percent = 0 }) => sum + percent, 0);
}

function pinnedIn(traffic: readonly KnativeTraffic[] | undefined): string | undefined {
  const isManaged = traffic?.some(({ latestRevision }) => latestRevision === true) === true;
  if (!isManaged) return undefined;
  return traffic?.find((it) => it.latestRevision !== true && it.tag === undefined)?.revisionName;
}
