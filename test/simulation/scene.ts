/** The cluster as the story's people see it: a canary, its target, its primary and its routes. */
import type { Canary } from '../../src/api/canary.ts';
import type { ConfigMap, KubeObject } from '../../src/api/kubernetes.ts';
import type { ControllerApi } from '../../src/cluster/controller-api.ts';
import type { OpaqueObject, Resource } from '../../src/kube/resources.ts';
import { canaries, configMaps } from '../../src/kube/resources.ts';
import type { LiveRoutes, RoutingProvider } from '../../src/routing/provider.ts';
import { providerFor } from '../../src/routing/registry.ts';
import type { Side, Sides, SimulatedKind } from './sides.ts';
import type { Quality } from './story.ts';

export const namespace = 'default';
export const targetName = 'web';
/** Beside it in some stories. */
export const companionName = 'api';

const at = (name: string) => ({ namespace, name });

export interface Scene extends Sides {
  readonly canary: Canary | undefined;
  /** What both sides read; none where the kind tracks none. */
  readonly config: ConfigMap | undefined;
  readonly primaryConfig: ConfigMap | undefined;
  /** Of each rule of the routes, the one for everybody last; none where there are no routes. */
  readonly weights: readonly Weights[];
}

export function sceneOf(api: ControllerApi, name: string, kind: SimulatedKind): Scene {
  const canary = api.get(canaries, at(name));
  const config = (of: string) => (kind.hasConfig ? api.get(configMaps, at(of)) : undefined);
  return {
    canary,
    ...kind.see(api, at(name)),
    config: config(`${name}-config`),
    primaryConfig: config(`${name}-config-primary`),
    weights: canary === undefined ? [] : weightsOf(api, canary),
  };
}

export const wantedPods = (side: Side | undefined): number => side?.wantedPods ?? 0;
export const availablePods = (side: Side | undefined): number => side?.availablePods ?? 0;
export const imageOf = (side: Side | undefined): string => side?.image ?? '';

/** What an image says of itself: `web:3-bad`. */
export function qualityOf(image: string): Quality {
  const word = image.slice(image.lastIndexOf('-') + 1);
  return word === 'bad' || word === 'unready' ? word : 'good';
}

/** Of a template with its configuration: as bad as the worse of both. */
export function revisionQuality(side: Side | undefined, config: ConfigMap | undefined): Quality {
  const quality = qualityOf(imageOf(side));
  return quality === 'good' && config?.data?.['quality'] === 'bad' ? 'bad' : quality;
}

export interface Weights {
  readonly primary: number;
  readonly canary: number;
}

export interface Routes {
  readonly provider: RoutingProvider;
  /** What says the weights. */
  readonly resource: Resource<KubeObject>;
  readonly name: string;
  readonly live: LiveRoutes;
}

/** None behind provider `kubernetes`. */
export function routesOf(api: ControllerApi, canary: Canary): Routes | undefined {
  const provider = providerFor(canary.spec.provider ?? 'istio');
  const key = provider?.routeKeys(canary).at(-1);
  if (provider === undefined || key === undefined) return undefined;
  return { provider, ...key, live: ({ resource, name }) => api.get(resource, at(name)) };
}

function weightsOf(api: ControllerApi, canary: Canary): readonly Weights[] {
  const routes = routesOf(api, canary);
  if (routes === undefined) return [];
  const { provider, live } = routes;
  if (provider.name === 'istio') return weightsOfRules(live(routes));
  const split = provider.read(canary, live);
  if (split === undefined) return [];
  const isTest = canary.spec.analysis?.match !== undefined;
  return isTest ? [split, { primary: 100, canary: 0 }] : [split];
}

interface Destination {
  readonly destination?: { readonly host?: string };
  readonly weight?: number;
}
interface Rule {
  readonly route?: readonly Destination[];
}

/** Of each rule of a VirtualService. */
function weightsOfRules(route: KubeObject | undefined): readonly Weights[] {
  const { http = [] } = ((route as OpaqueObject | undefined)?.spec ?? {}) as {
    readonly http?: readonly Rule[];
  };
  return http.map(({ route: destinations = [] }) => {
    const weight = (suffix: string): number =>
      destinations
        .filter(({ destination }) => destination?.host?.endsWith(suffix) === true)
        .reduce((sum, it) => sum + (it.weight ?? 100), 0);
    return { primary: weight('-primary'), canary: weight('-canary') };
  });
}

/** What the rule that splits sends to the canary; in an A/B test, what matching users get. */
export const canaryWeight = ({ weights }: Scene): number =>
  Math.max(0, ...weights.map((it) => it.canary));

/** Of the users who carry nothing and match nothing. */
export const openWeight = ({ weights }: Scene): number => weights.at(-1)?.canary ?? 0;
