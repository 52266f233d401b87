/**
 * Traefik (`spec/02`, 7.5): a TraefikService that shares requests out, which users name in their
 * IngressRoute. The canary is listed only while it has a share. A share of 0 is written: Traefik
 * takes a missing one for 1 (R6).
 */
import type { Canary } from '../api/canary.ts';
import { serviceNames } from '../api/defaults.ts';
import type { KubeObject } from '../api/kubernetes.ts';
import type { OpaqueObject, Resource } from '../kube/resources.ts';
import { resource } from '../kube/resources.ts';
import { inexpressible } from './inexpressible.ts';
import type { RoutingProvider, Split } from './provider.ts';
import { apexRoute, reverted, specOf, splitFrom } from './rendered-route.ts';

const traefikServices: Resource<OpaqueObject> = resource(
  'traefik.io/v1alpha1',
  'TraefikService',
  'traefikservices',
);

interface Weighted {
  readonly services?: readonly { readonly name: string; readonly weight?: number }[];
}

const keyOf = (canary: Canary) => ({ resource: traefikServices, name: serviceNames(canary).apex });

export const traefik: RoutingProvider = {
  name: 'traefik',
  routeKeys: (canary) => [keyOf(canary)],
  render: (canary, split, _cookies, live) => {
    const error = inexpressible(canary, split, { provider: 'traefik', abTesting: false });
    if (error !== undefined) return { ok: false, error };
    const found = live(keyOf(canary));
    const weighted = { ...(specOf(found)['weighted'] as object), services: shares(canary, split) };
    const spec = { weighted, mirroring: undefined, highestRandomWeight: undefined };
    const isSplit = (it: KubeObject): boolean => readWeights(canary, it) !== undefined;
    return {
      ok: true,
      objects: [apexRoute(canary, live, { ...keyOf(canary), spec }, isSplit)],
    };
  },
  read: (canary, live) => readWeights(canary, live(keyOf(canary))),
  revert: (canary, live) => reverted(live, keyOf(canary)),
};

function shares(canary: Canary, split: Split) {
  const { primary, canary: other } = serviceNames(canary);
  const { namespace = '' } = canary.metadata;
  const share = (name: string, weight: number) => ({
    name,
    namespace,
    port: canary.spec.service?.port ?? 0,
    weight,
  });
  return [share(primary, split.primary), ...(split.canary > 0 ? [share(other, split.canary)] : [])];
}

function readWeights(canary: Canary, found: KubeObject | undefined): Split | undefined {
  const { services = [] } = (specOf(found)['weighted'] ?? {}) as Weighted;
  const names = serviceNames(canary);
  const weightOf = (name: string): number | undefined => {
    const service = services.find((it) => it.name === name);
    return service && (service.weight ?? 1);
  };
  return splitFrom(weightOf(names.primary), weightOf(names.canary));
}
