/**
 * Service Mesh Interface (`spec/02`, 6.2): a TrafficSplit, of the version that the mesh has. Linkerd's
 * is v1alpha1, whose weights are quantities; Open Service Mesh's is v1alpha2.
 */
import type { Canary } from '../api/canary.ts';
import { serviceNames } from '../api/defaults.ts';
import type { KubeObject, ObjectMeta } from '../api/kubernetes.ts';
import type { OpaqueObject, Resource } from '../kube/resources.ts';
import { resource } from '../kube/resources.ts';
import { inexpressible } from './inexpressible.ts';
import type { RoutingProvider, Split } from './provider.ts';
import { keepingOriginal, renderedRoute, reverted, specOf, splitFrom } from './rendered-route.ts';

type SmiVersion = 'v1alpha1' | 'v1alpha2' | 'v1alpha3';

interface Backend {
  readonly service: string;
  readonly weight?: number | string;
}

export function smi(name: string, version: SmiVersion): RoutingProvider {
  const trafficSplits: Resource<OpaqueObject> = resource(
    `split.smi-spec.io/${version}`,
    'TrafficSplit',
    'trafficsplits',
  );
  const keyOf = (canary: Canary) => ({ resource: trafficSplits, name: serviceNames(canary).apex });
  const weightOf = (weight: number) => (version === 'v1alpha1' ? String(weight) : weight);
  return {
    name,
    routeKeys: (canary) => [keyOf(canary)],
    render: (canary, split, _cookies, live) => {
      const error = inexpressible(canary, split, { provider: name, abTesting: false });
      if (error !== undefined) return { ok: false, error };
      const { apex, primary, canary: other } = serviceNames(canary);
      const { hosts = [] } = canary.spec.service ?? {};
      const spec = {
        service: hosts[0] ?? apex,
        backends: [
          { service: other, weight: weightOf(split.canary) },
          { service: primary, weight: weightOf(split.primary) },
        ],
      };
      const found = live(keyOf(canary));
      const isSplit = readBackends(canary, found) !== undefined;
      const metadata = (base: Partial<ObjectMeta>) => keepingOriginal(canary, found, isSplit, base);
      return {
        ok: true,
        objects: [renderedRoute(canary, live, { ...keyOf(canary), spec, metadata })],
      };
    },
    read: (canary, live) => readBackends(canary, live(keyOf(canary))),
    revert: (canary, live) => reverted(live, keyOf(canary)),
  };
}

function readBackends(canary: Canary, found: KubeObject | undefined): Split | undefined {
  const backends = (specOf(found)['backends'] ?? []) as unknown as readonly Backend[];
  const names = serviceNames(canary);
  const weightOf = (name: string): number =>
    amountOf(backends.find(({ service }) => service === name)?.weight ?? 0);
  return splitFrom(weightOf(names.primary), weightOf(names.canary));
}

/** A weight as somebody may have written it: v1alpha1 has quantities, of which `m` is a thousandth. */
function amountOf(weight: number | string): number {
  const [, digits = '', unit] = /^(\d+(?:\.\d+)?)(m?)$/.exec(String(weight)) ?? [];
  return unit === 'm' ? Number(digits) / 1000 : Number(digits);
}
