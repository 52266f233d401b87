/** The providers of this version, by the names that `spec.provider` and `--mesh-provider` use. */
import { apisix } from './apisix.ts';
import { appMeshV1beta2 } from './appmesh-v1beta2.ts';
import { appMesh } from './appmesh.ts';
import { contour } from './contour.ts';
import { gatewayApi } from './gateway-api.ts';
import { gloo } from './gloo.ts';
import { istio } from './istio.ts';
import { knative } from './knative.ts';
import { kubernetes } from './kubernetes.ts';
import { kuma } from './kuma.ts';
import { nginx } from './nginx.ts';
import type { RoutingProvider } from './provider.ts';
import { skipper } from './skipper.ts';
import { smi } from './smi.ts';
import { traefik } from './traefik.ts';

/** What flags say of routes. */
export interface RoutingOptions {
  /** `--ingress-class`, of Contour's proxies. */
  readonly ingressClass: string;
  /** `--ingress-annotations-prefix`, of NGINX. */
  readonly ingressAnnotationsPrefix: string;
}

export const routingDefaults: RoutingOptions = {
  ingressClass: '',
  ingressAnnotationsPrefix: 'nginx.ingress.kubernetes.io',
};

const providers: Readonly<Record<string, (options: RoutingOptions) => RoutingProvider>> = {
  istio: () => istio,
  kubernetes: () => kubernetes,
  'gatewayapi:v1': () => gatewayApi('v1'),
  'gatewayapi:v1beta1': () => gatewayApi('v1beta1'),
  contour,
  nginx,
  traefik: () => traefik,
  skipper: () => skipper,
  apisix: () => apisix,
  linkerd: () => smi('linkerd', 'v1alpha1'),
  osm: () => smi('osm', 'v1alpha2'),
  'smi:v1alpha1': () => smi('smi:v1alpha1', 'v1alpha1'),
  'smi:v1alpha2': () => smi('smi:v1alpha2', 'v1alpha2'),
  'smi:v1alpha3': () => smi('smi:v1alpha3', 'v1alpha3'),
  kuma: () => kuma,
  knative: () => knative,
  gloo: () => gloo,
  appmesh: () => appMesh,
  'appmesh:v1beta2': () => appMeshV1beta2,
};

/** Undefined where this version has no such provider: the canary is refused then. */
export function providerFor(
  name: string,
  options: RoutingOptions = routingDefaults,
): RoutingProvider | undefined {
  return Object.hasOwn(providers, name) ? providers[name]?.(options) : undefined;
}

export const allProviders = (): readonly RoutingProvider[] =>
  Object.values(providers).map((build) => build(routingDefaults));
