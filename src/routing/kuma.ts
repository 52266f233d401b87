/**
 * Kuma (`spec/02`, 6.6): a TrafficRoute, which is of the whole cluster and bears the name of the apex.
 * That of another namespace is not taken over (R8). It has no owner, for what is of the cluster cannot
 * belong to what is of a namespace. So it outlives the Canary: with `revertOnDeletion` it says then
 * what Kuma does without it, and whoever comes next under this name has it.
 */
import type { Canary } from '../api/canary.ts';
import { serviceNames } from '../api/defaults.ts';
import type { KubeObject } from '../api/kubernetes.ts';
import type { OpenObject, Resource } from '../kube/resources.ts';
import { apiVersionOf, resource } from '../kube/resources.ts';
import { inexpressible } from './inexpressible.ts';
import { keptOriginal, originalSpec } from './original-spec.ts';
import type { RenderedRoute, RoutingProvider, Split } from './provider.ts';
import type { Spec } from './rendered-route.ts';
import { reverted, specOf, splitFrom } from './rendered-route.ts';
import { apexMetadata } from './route-metadata.ts';

const trafficRoutes: Resource<OpenObject> = resource(
  'kuma.io/v1alpha1',
  'TrafficRoute',
  'trafficroutes',
  'Cluster',
);

const service = 'kuma.io/service';
const meshAnnotation = 'kuma.io/mesh';

interface Share {
  readonly weight?: number;
  readonly destination?: { readonly [service]?: string };
}

const keyOf = (canary: Canary) => ({ resource: trafficRoutes, name: serviceNames(canary).apex });

export const kuma: RoutingProvider = {
  name: 'kuma',
  routeKeys: (canary) => [keyOf(canary)],
  render: (canary, split, _cookies, live) => {
    const found = live(keyOf(canary));
    const error =
      inexpressible(canary, split, { provider: 'kuma', abTesting: false }) ??
      foreignRoute(canary, found);
    if (error !== undefined) return { ok: false, error };
    return { ok: true, objects: [trafficRoute(canary, split, found)] };
  },
  read: (canary, live) => readShares(canary, live(keyOf(canary))),
  revert: (canary, live) => {
    const found = live(keyOf(canary));
    if (found === undefined) return [];
    if (originalSpec(found) !== undefined) return reverted(live, keyOf(canary));
    const isOurs =
      foreignRoute(canary, found) === undefined && readShares(canary, found) !== undefined;
    return isOurs ? [leftBehind(canary, found)] : [];
  },
};

/** The name by which Kuma knows a Service. */
function nameIn(canary: Canary, name: string): string {
  return `${name}_${canary.metadata.namespace ?? ''}_svc_${canary.spec.service?.port ?? 0}`;
}

function trafficRoute(canary: Canary, split: Split, found: KubeObject | undefined): RenderedRoute {
  const { apex, primary, canary: other } = serviceNames(canary);
  const share = (weight: number, name: string) => ({
    weight,
    destination: { [service]: nameIn(canary, name) },
  });
  // Whole destinations and splits exclude each other.
  const { destination: _, ...conf } = (specOf(found)['conf'] ?? {}) as Spec;
  const spec = {
    ...specOf(found),
    sources: [{ match: { [service]: '*' } }],
    destinations: [{ match: { [service]: nameIn(canary, apex) } }],
    conf: { ...conf, split: [share(split.primary, primary), share(split.canary, other)] },
  };
  const metadata = found?.metadata ?? { name: apex };
  const isSplit = readShares(canary, found) !== undefined;
  const kept = found === undefined ? {} : keptOriginal(canary, found, isSplit);
  const wanted = {
    mesh: canary.metadata.annotations?.[meshAnnotation] ?? 'default',
    ...found,
    apiVersion: apiVersionOf(trafficRoutes),
    kind: trafficRoutes.kind,
    metadata: { ...metadata, ...apexMetadata(canary, metadata, kept) },
    spec,
  };
  return { resource: trafficRoutes, wanted, ...(found !== undefined && { live: found }) };
}

/** All requests go where they are addressed to. */
function leftBehind(canary: Canary, found: KubeObject): RenderedRoute {
  const destination = { [service]: nameIn(canary, serviceNames(canary).apex) };
  const spec = { ...specOf(found), conf: { destination } };
  const wanted: KubeObject & { readonly spec: Spec } = { ...found, spec };
  return { resource: trafficRoutes, live: found, wanted };
}

function isLeftBehind(found: KubeObject | undefined, taken: string): boolean {
  const { destination, ...others } = (specOf(found)['conf'] ?? {}) as Spec & Share;
  return Object.keys(others).length === 0 && destination?.[service] === taken;
}

function foreignRoute(canary: Canary, found: KubeObject | undefined): string | undefined {
  const { apex } = serviceNames(canary);
  const destinations = (specOf(found)['destinations'] ?? []) as unknown as readonly {
    readonly match?: { readonly [service]?: string };
  }[];
  const taken = destinations.map(({ match }) => match?.[service]).find((it) => it !== undefined);
  const isOurs =
    taken === undefined ||
    taken.startsWith(`${apex}_${canary.metadata.namespace ?? ''}_`) ||
    isLeftBehind(found, taken);
  if (isOurs) return undefined;
  return `spec.service.name: TrafficRoute ${apex} is that of ${taken}, choose another name or delete it`;
}

function readShares(canary: Canary, found: KubeObject | undefined): Split | undefined {
  const { split = [] } = (specOf(found)['conf'] ?? {}) as { readonly split?: readonly Share[] };
  const names = serviceNames(canary);
  const weightOf = (name: string) =>
    split.find(({ destination }) => destination?.[service]?.split('_')[0] === name)?.weight;
  return splitFrom(weightOf(names.primary), weightOf(names.canary));
}
