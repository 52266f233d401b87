/** The cluster as the story's people see it: a canary, its target, its primary and its routes. */
import type { Canary } from '../../src/api/canary.ts';
import type { ConfigMap, Deployment, KubeObject } from '../../src/api/kubernetes.ts';
import type { ControllerApi } from '../../src/cluster/controller-api.ts';
import type { OpaqueObject } from '../../src/kube/resources.ts';
import { canaries, configMaps, deployments, virtualServices } from '../../src/kube/resources.ts';
import type { Quality } from './story.ts';

export const namespace = 'default';
export const targetName = 'web';
/** Beside it in some stories. */
export const companionName = 'api';

const at = (name: string) => ({ namespace, name });

export interface Scene {
  readonly canary: Canary | undefined;
  readonly target: Deployment | undefined;
  readonly primary: Deployment | undefined;
  readonly config: ConfigMap | undefined;
  readonly primaryConfig: ConfigMap | undefined;
  readonly route: KubeObject | undefined;
}

export const sceneOf = (api: ControllerApi, name = targetName): Scene => ({
  canary: api.get(canaries, at(name)),
  target: api.get(deployments, at(name)),
  primary: api.get(deployments, at(`${name}-primary`)),
  config: api.get(configMaps, at(`${name}-config`)),
  primaryConfig: api.get(configMaps, at(`${name}-config-primary`)),
  route: api.get(virtualServices, at(name)),
});

export const imageOf = (deployment: Deployment | undefined): string =>
  deployment?.spec.template.spec.containers[0]?.image ?? '';

/** What an image says of itself: `web:3-bad`. */
export function qualityOf(image: string): Quality {
  const word = image.slice(image.lastIndexOf('-') + 1);
  return word === 'bad' || word === 'unready' ? word : 'good';
}

/** Of a template with its configuration: as bad as the worse of both. */
export function revisionQuality(
  deployment: Deployment | undefined,
  config: ConfigMap | undefined,
): Quality {
  const quality = qualityOf(imageOf(deployment));
  return quality === 'good' && config?.data?.['quality'] === 'bad' ? 'bad' : quality;
}

interface Destination {
  readonly destination?: { readonly host?: string };
  readonly weight?: number;
}
interface Rule {
  readonly route?: readonly Destination[];
}

export interface Weights {
  readonly primary: number;
  readonly canary: number;
}

/** Of each rule of a VirtualService. */
export function weightsOf(route: KubeObject | undefined): readonly Weights[] {
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
export const canaryWeight = (route: KubeObject | undefined): number =>
  Math.max(0, ...weightsOf(route).map((it) => it.canary));

/** Of the users who carry nothing and match nothing. */
export const openWeight = (route: KubeObject | undefined): number =>
  weightsOf(route).at(-1)?.canary ?? 0;
