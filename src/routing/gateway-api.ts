/**
 * The Gateway API (`spec/02`, 6.5): one HTTPRoute that splits, below the gateways that the spec names.
 *
 *   rules, most specific first   [sticky canary] [sticky primary]  the weighted rule
 *   after a run                  [bearers of its cookie drop it]   the weighted rule
 *   in an A/B test               matching users                    everybody else
 *
 * Parents, host names and rules are ours, and are put right where they drift; labels and annotations
 * stay as others wrote them.
 */
import type { Canary } from '../api/canary.ts';
import { serviceNames } from '../api/defaults.ts';
import type { KubeObject } from '../api/kubernetes.ts';
import type { OpaqueObject, Resource } from '../kube/resources.ts';
import { apiVersionOf, resource } from '../kube/resources.ts';
import type { GatewayVersion, RouteRule } from './gateway-api-rules.ts';
import { httpRules, Inexpressible, readRules } from './gateway-api-rules.ts';
import { confirmRoute } from './gateway-api-status.ts';
import { keptOriginal, originalSpec, withOriginal } from './original-spec.ts';
import type { RenderedRoute, RoutingProvider } from './provider.ts';
import { apexMetadata, owned } from './route-metadata.ts';

const group = 'gateway.networking.k8s.io';

interface RouteSpec {
  readonly parentRefs?: unknown;
  readonly hostnames?: unknown;
  readonly rules?: readonly RouteRule[];
}

const specOf = (object: KubeObject): RouteSpec =>
  ((object as OpaqueObject).spec ?? {}) as RouteSpec;

export function gatewayApi(version: GatewayVersion): RoutingProvider {
  const httpRoutes: Resource<OpaqueObject> = resource(
    `${group}/${version}`,
    'HTTPRoute',
    'httproutes',
  );
  const keyOf = (canary: Canary) => ({ resource: httpRoutes, name: serviceNames(canary).apex });
  return {
    name: `gatewayapi:${version}`,
    routeKeys: (canary) => [keyOf(canary)],
    render: (canary, split, cookies, live) => {
      const key = keyOf(canary);
      try {
        const spec = {
          ...attachment(canary),
          rules: httpRules(canary, split, cookies, version),
        };
        return { ok: true, objects: [rendered(canary, key, spec, live(key))] };
      } catch (error) {
        if (error instanceof Inexpressible) return { ok: false, error: error.message };
        throw error;
      }
    },
    read: (canary, live) => {
      const found = live(keyOf(canary));
      return found && readRules(canary, specOf(found).rules);
    },
    confirm: (canary, live) => confirmRoute('HTTPRoute', keyOf(canary).name, live(keyOf(canary))),
    revert: (canary, live) => {
      const key = keyOf(canary);
      const found = live(key);
      const original = found && originalSpec(found);
      if (found === undefined || original === undefined) return [];
      return [{ resource: key.resource, live: found, wanted: withOriginal(found, original) }];
    },
  };
}

/** Which gateways take the route in, and for whose requests. */
function attachment({ spec }: Canary) {
  const { gatewayRefs = [], hosts = [] } = spec.service ?? {};
  if (gatewayRefs.length === 0) {
    throw new Inexpressible('spec.service.gatewayRefs: name the gateways of the route');
  }
  const parentRefs = gatewayRefs.map((ref) => ({ group, kind: 'Gateway', ...ref }));
  return { parentRefs, ...(hosts.length > 0 && { hostnames: hosts }) };
}

function rendered(
  canary: Canary,
  key: { readonly resource: Resource<OpaqueObject>; readonly name: string },
  spec: object,
  found: KubeObject | undefined,
): RenderedRoute {
  if (found === undefined) {
    const metadata = { ...owned(canary, key.name), ...apexMetadata(canary, {}) };
    const { kind } = key.resource;
    const wanted = { apiVersion: apiVersionOf(key.resource), kind, metadata, spec } as KubeObject;
    return { resource: key.resource, wanted };
  }
  const { parentRefs: _, hostnames: __, rules: ___, ...others } = specOf(found);
  const kept = keptOriginal(canary, found, readRules(canary, specOf(found).rules) !== undefined);
  const metadata = { ...found.metadata, ...apexMetadata(canary, found.metadata, kept) };
  const wanted = { ...found, metadata, spec: { ...others, ...spec } } as KubeObject;
  return { resource: key.resource, live: found, wanted };
}
