/**
 * The Gateway API (`spec/02`, 6.5): one HTTPRoute that splits, below the gateways that the spec names;
 * a GRPCRoute where the Canary is annotated so.
 *
 *   rules, most specific first   [sticky canary] [sticky primary]  the weighted rule
 *   after a run                  [bearers of its cookie drop it]   the weighted rule
 *   in an A/B test               matching users                    everybody else
 *
 * Parents, host names and rules are ours, and are put right where they drift; labels and annotations
 * stay as others wrote them.
 */
import { routeKindAnnotation } from '../api/annotations.ts';
import type { Canary } from '../api/canary.ts';
import { serviceNames } from '../api/defaults.ts';
import type { KubeObject } from '../api/kubernetes.ts';
import type { OpaqueObject, Resource } from '../kube/resources.ts';
import { apiVersionOf, resource } from '../kube/resources.ts';
import { grpcRules } from './gateway-api-grpc.ts';
import type { GatewayVersion, RouteRule } from './gateway-api-rules.ts';
import { httpRules, Inexpressible, readRules } from './gateway-api-rules.ts';
import { confirmRoute } from './gateway-api-status.ts';
import { keptOriginal, originalSpec, withOriginal } from './original-spec.ts';
import type { Cookies, RenderedRoute, RoutingProvider, Split } from './provider.ts';
import { apexMetadata, owned } from './route-metadata.ts';

const group = 'gateway.networking.k8s.io';

interface RouteSpec {
  readonly parentRefs?: unknown;
  readonly hostnames?: unknown;
  readonly rules?: readonly RouteRule[];
}

interface Key {
  readonly resource: Resource<OpaqueObject>;
  readonly name: string;
}

const specOf = (object: KubeObject): RouteSpec =>
  ((object as OpaqueObject).spec ?? {}) as RouteSpec;

export function gatewayApi(version: GatewayVersion): RoutingProvider {
  const httpRoutes: Resource<OpaqueObject> = resource(
    `${group}/${version}`,
    'HTTPRoute',
    'httproutes',
  );
  const keyOf = (canary: Canary): Key => ({
    resource: kindOf(canary) === grpcRoutes.kind ? grpcRoutes : httpRoutes,
    name: serviceNames(canary).apex,
  });
  return {
    name: `gatewayapi:${version}`,
    routeKeys: (canary) => [keyOf(canary)],
    render: (canary, split, cookies, live) => {
      const key = keyOf(canary);
      try {
        const rules = rulesOf(canary, split, cookies, version);
        const spec = { ...attachment(canary), rules };
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
    confirm: (canary, live) => {
      const { resource: kind, name } = keyOf(canary);
      return confirmRoute(kind.kind, name, live({ resource: kind, name }));
    },
    revert: (canary, live) => {
      const key = keyOf(canary);
      const found = live(key);
      const original = found && originalSpec(found);
      if (found === undefined || original === undefined) return [];
      return [{ resource: key.resource, live: found, wanted: withOriginal(found, original) }];
    },
  };
}

/** Of `v1` alone; there is no older version that the standard channel serves. */
const grpcRoutes: Resource<OpaqueObject> = resource(`${group}/v1`, 'GRPCRoute', 'grpcroutes');

const kindOf = ({ metadata }: Canary): string =>
  metadata.annotations?.[routeKindAnnotation] ?? 'HTTPRoute';

function rulesOf(
  canary: Canary,
  split: Split,
  cookies: Cookies,
  version: GatewayVersion,
): readonly RouteRule[] {
  const kind = kindOf(canary);
  if (kind === 'HTTPRoute') return httpRules(canary, split, cookies, version);
  const field = `metadata.annotations.${routeKindAnnotation}`;
  if (kind !== grpcRoutes.kind) throw new Inexpressible(`${field}: say HTTPRoute or GRPCRoute`);
  if (version === 'v1') return grpcRules(canary, split);
  throw new Inexpressible(`${field}: GRPCRoute needs provider gatewayapi:v1`);
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
  key: Key,
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
