/** The providers of this version, by the names that `spec.provider` and `--mesh-provider` use. */
import { gatewayApi } from './gateway-api.ts';
import { istio } from './istio.ts';
import { kubernetes } from './kubernetes.ts';
import type { RoutingProvider } from './provider.ts';

const providers: ReadonlyMap<string, RoutingProvider> = new Map(
  [istio, kubernetes, gatewayApi('v1'), gatewayApi('v1beta1')].map((it) => [it.name, it]),
);

/** Undefined where this version has no such provider: the canary is refused then. */
export const providerFor = (name: string): RoutingProvider | undefined => providers.get(name);

export const allProviders = (): readonly RoutingProvider[] => [...providers.values()];
