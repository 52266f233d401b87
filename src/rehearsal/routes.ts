/** The routes of a canary, as its provider has them: which objects they are, and what they say. */
import type { Canary } from '../api/canary.ts';
import { strategyOf } from '../api/defaults.ts';
import type { KubeObject } from '../api/kubernetes.ts';
import { effectiveProvider } from '../api/providers.ts';
import type { ControllerApi } from '../cluster/controller-api.ts';
import type { Resource } from '../kube/resources.ts';
import type { RouteKey } from '../routing/provider.ts';
import { providerFor } from '../routing/registry.ts';

/** Shares of users' requests, from 0 to 1. */
export interface Shares {
  readonly canary: number;
  /** Of the requests, the part that is copied to the canary. */
  readonly mirrored: number;
}

export const unsplit: Shares = { canary: 0, mirrored: 0 };

const providerOf = ({ spec }: Canary, meshProvider: string) =>
  providerFor(effectiveProvider(spec.provider, meshProvider));

/** The resources in which the routes are kept. */
export function routeResources(
  canary: Canary,
  meshProvider: string,
): readonly Resource<KubeObject>[] {
  const keys = providerOf(canary, meshProvider)?.routeKeys(canary) ?? [];
  return [...new Set(keys.map(({ resource }) => resource))];
}

/** Objects of users that the routes are made after. */
export const sourceKeysOf = (canary: Canary, meshProvider: string): readonly RouteKey[] =>
  providerOf(canary, meshProvider)?.sourceKeys?.(canary) ?? [];

export interface SharesOptions {
  readonly api: ControllerApi;
  readonly meshProvider: string;
  /** Percent of the requests that an A/B test takes. */
  readonly matchingShare: number;
}

/** As the live routes say it, seen by users: an A/B test takes only those that match. */
export function sharesOf(canary: Canary, options: SharesOptions): Shares {
  const { api, meshProvider, matchingShare } = options;
  const { namespace = '' } = canary.metadata;
  const split = providerOf(canary, meshProvider)?.read(canary, ({ resource, name }) =>
    api.get(resource, { namespace: resource.namespaced ? namespace : '', name }),
  );
  if (split === undefined) return unsplit;
  const part = strategyOf(canary) === 'ab-testing' ? matchingShare / 100 : 1;
  const { mirrorWeight = 100 } = canary.spec.analysis ?? {};
  return {
    canary: (split.canary / 100) * part,
    mirrored: split.mirrored ? mirrorWeight / 100 : 0,
  };
}
