/** An object of ours on top of the one that is there, the same way for every provider. */
import type { Canary } from '../api/canary.ts';
import type { Json, KubeObject, ObjectMeta } from '../api/kubernetes.ts';
import type { OpaqueObject, Resource } from '../kube/resources.ts';
import { apiVersionOf } from '../kube/resources.ts';
import { keptOriginal, originalSpec, withOriginal } from './original-spec.ts';
import type { LiveRoutes, RenderedRoute } from './provider.ts';
import { apexMetadata, owned } from './route-metadata.ts';

export type Spec = Readonly<Record<string, Json>>;

export const specOf = (object: KubeObject | undefined): Spec =>
  ((object as OpaqueObject | undefined)?.spec ?? {}) as Spec;

export interface RouteOptions {
  readonly resource: Resource<KubeObject>;
  readonly name: string;
  /** Fields of the spec that are ours; one that is undefined is taken off. */
  readonly spec: Readonly<Record<string, unknown>>;
  /** Labels and annotations on top of those that are there; none are ours where absent. */
  readonly metadata?: (live: Partial<ObjectMeta>) => Partial<ObjectMeta>;
}

export function renderedRoute(
  canary: Canary,
  live: LiveRoutes,
  { resource, name, spec, metadata = () => ({}) }: RouteOptions,
): RenderedRoute {
  const found = live({ resource, name });
  const base = found?.metadata ?? owned(canary, name);
  const wanted = {
    ...found,
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: { ...base, ...metadata(base) },
    spec: defined({ ...specOf(found), ...spec }),
  };
  return { resource, wanted, ...(found !== undefined && { live: found }) };
}

const defined = (spec: Readonly<Record<string, unknown>>): Spec =>
  Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined)) as Spec;

/**
 * A route that bears the apex' metadata and may have been somebody's: what it was is kept.
 * `isSplit` tells whether an object leads to the canary's Services already.
 */
export function apexRoute(
  canary: Canary,
  live: LiveRoutes,
  options: Omit<RouteOptions, 'metadata'>,
  isSplit: (found: KubeObject) => boolean,
): RenderedRoute {
  const found = live(options);
  const kept = found === undefined ? {} : keptOriginal(canary, found, isSplit(found));
  return renderedRoute(canary, live, {
    ...options,
    metadata: (base) => apexMetadata(canary, base, kept),
  });
}

/** On top of other metadata: what an object of somebody else was, where it bears no apex metadata. */
export function keepingOriginal(
  canary: Canary,
  found: KubeObject | undefined,
  isSplit: boolean,
  { annotations }: Partial<ObjectMeta>,
): Partial<ObjectMeta> {
  const kept = found === undefined ? {} : keptOriginal(canary, found, isSplit);
  return Object.keys(kept).length === 0 ? {} : { annotations: { ...annotations, ...kept } };
}

/** What a route was before it was taken over; nothing where it was not, or that is not known. */
export function reverted(
  live: LiveRoutes,
  key: { readonly resource: Resource<KubeObject>; readonly name: string },
): readonly RenderedRoute[] {
  const found = live(key);
  const original = found && originalSpec(found);
  if (found === undefined || original === undefined) return [];
  return [{ resource: key.resource, live: found, wanted: withOriginal(found, original) }];
}

/** The split of two weights as they stand; undefined where nothing is shared out. */
export function splitFrom(primary: number | undefined, canary: number | undefined) {
  const [one, other] = [primary ?? 0, canary ?? 0];
  return one + other === 0 ? undefined : { primary: one, canary: other, mirrored: false };
}
