/** The providers of this version, by the names that `spec.provider` and `--mesh-provider` use. */
import { istio } from './istio.ts';
import { kubernetes } from './kubernetes.ts';
import type { RoutingProvider } from './provider.ts';

const providers: ReadonlyMap<string, RoutingProvider> = new Map([
  [istio.name, istio],
  [kubernetes.name, kubernetes],
]);

/** Undefined where this version has no such provider: the canary is refused then. */
export const providerFor = (name: string): RoutingProvider | undefined => providers.get(name);

export const allProviders = (): readonly RoutingProvider[] => [...providers.values()];
