/** What the routing providers of this version can do; names are those of `spec.provider`. */

type MatchOperator = 'exact' | 'prefix' | 'suffix' | 'regex';

export interface ProviderAbilities {
  /** Splits traffic by weight. Where it cannot, every canary runs as blue/green without a switch. */
  readonly weights: boolean;
  /** Mirrors requests, and its routes show whether it does (D35). */
  readonly mirroring: boolean;
  readonly sessionAffinity: boolean;
  /** What `analysis.match` may say; absent where the provider has no A/B testing. */
  readonly match?: {
    readonly headers: readonly MatchOperator[];
    readonly queryParams: readonly MatchOperator[];
    readonly sourceLabels: boolean;
  };
  /** `appProtocol: tcp` makes routes of plain TCP, which have weights and nothing else. */
  readonly plainTcp: boolean;
}

export type ProviderTable = Readonly<Record<string, ProviderAbilities>>;

const gatewayApi: ProviderAbilities = {
  weights: true,
  mirroring: true,
  sessionAffinity: true,
  match: {
    headers: ['exact', 'regex'],
    queryParams: ['exact', 'regex'],
    sourceLabels: false,
  },
  plainTcp: false,
};

const weightsOnly: ProviderAbilities = {
  weights: true,
  mirroring: false,
  sessionAffinity: false,
  plainTcp: false,
};

const withHeaders: ProviderAbilities = {
  ...weightsOnly,
  match: {
    headers: ['exact', 'prefix', 'suffix', 'regex'],
    queryParams: ['exact', 'prefix', 'regex'],
    sourceLabels: false,
  },
};

const appMesh: ProviderAbilities = {
  ...weightsOnly,
  match: { headers: ['exact', 'prefix', 'suffix', 'regex'], queryParams: [], sourceLabels: false },
};

export const supportedProviders: ProviderTable = {
  istio: {
    weights: true,
    mirroring: true,
    sessionAffinity: true,
    match: {
      headers: ['exact', 'prefix', 'suffix', 'regex'],
      queryParams: ['exact', 'prefix', 'regex'],
      sourceLabels: true,
    },
    plainTcp: true,
  },
  'gatewayapi:v1': gatewayApi,
  'gatewayapi:v1beta1': gatewayApi,
  contour: withHeaders,
  gloo: withHeaders,
  nginx: {
    ...weightsOnly,
    match: { headers: ['exact', 'regex'], queryParams: [], sourceLabels: false },
  },
  traefik: weightsOnly,
  skipper: weightsOnly,
  apisix: weightsOnly,
  kuma: weightsOnly,
  knative: weightsOnly,
  appmesh: appMesh,
  'appmesh:v1beta2': appMesh,
  linkerd: weightsOnly,
  osm: weightsOnly,
  'smi:v1alpha1': weightsOnly,
  'smi:v1alpha2': weightsOnly,
  'smi:v1alpha3': weightsOnly,
  kubernetes: { weights: false, mirroring: false, sessionAffinity: false, plainTcp: false },
};

export const supportedTargetKinds: readonly string[] = ['Deployment', 'DaemonSet', 'Service'];
export const supportedAutoscalerKinds: readonly string[] = [
  'HorizontalPodAutoscaler',
  'ScaledObject',
];

const knownProviders = new Set(
  'apisix appmesh contour istio knative kubernetes kuma linkerd nginx osm skipper traefik'.split(
    ' ',
  ),
);
/** What follows these in a flag names a mesh, and makes no difference to routes (`spec/02`, 1). */
const families = ['appmesh:v1beta2', 'gloo', 'smi:v1alpha1', 'smi:v1alpha2', 'smi:v1alpha3'];
const knownPrefixes = ['appmesh:v1beta2', 'gatewayapi:v1', 'gloo', 'smi:v1alpha'];

/**
 * The provider of a canary: its own, else the flag's. What the reference does not know either is
 * `istio` there, with a warning; what it knows and this version does not support stays as it is.
 */
export function effectiveProvider(own: string | undefined, flag: string): string {
  const name = own || flag;
  const family = families.find((prefix) => name.startsWith(prefix));
  if (family !== undefined) return family;
  const known = knownProviders.has(name) || knownPrefixes.some((prefix) => name.startsWith(prefix));
  return known ? name : 'istio';
}
