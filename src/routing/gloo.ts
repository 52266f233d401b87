/**
 * Gloo Edge (`spec/02`, 7.2): an Upstream for each side, and a RouteTable that users delegate to from
 * their VirtualService. In an A/B test everybody else has a route of their own, to the primary.
 */
import type { Canary, HttpMatch } from '../api/canary.ts';
import { serviceNames, strategyOf } from '../api/defaults.ts';
import type { KubeObject, Service } from '../api/kubernetes.ts';
import type { OpaqueObject, Resource } from '../kube/resources.ts';
import { resource, services } from '../kube/resources.ts';
import { confirmTable } from './gloo-status.ts';
import { exactOrWhole, sorted, sourceProblem } from './http-matches.ts';
import { inexpressible } from './inexpressible.ts';
import type { LiveRoutes, RenderedRoute, RouteKey, RoutingProvider, Split } from './provider.ts';
import type { Spec } from './rendered-route.ts';
import { apexRoute, renderedRoute, reverted, specOf, splitFrom } from './rendered-route.ts';

const upstreams: Resource<OpaqueObject> = resource('gloo.solo.io/v1', 'Upstream', 'upstreams');
const routeTables: Resource<OpaqueObject> = resource(
  'gateway.solo.io/v1',
  'RouteTable',
  'routetables',
);

/** Of the Upstream that `spec.upstreamRef` names; those of the sides have them too. */
const copiedFields = [
  'sslConfig',
  'circuitBreakers',
  'connectionConfig',
  'loadBalancerConfig',
  'useHttp2',
  'initialStreamWindowSize',
  'initialConnectionWindowSize',
  'httpProxyHostname',
];

interface Route {
  readonly routeAction?: {
    readonly multi?: { readonly destinations?: readonly Destination[] };
  };
}

interface Destination {
  readonly destination?: { readonly upstream?: { readonly name?: string } };
  readonly weight?: number;
}

type Side = 'primary' | 'canary';

function upstreamName(canary: Canary, side: Side): string {
  const { metadata, spec } = canary;
  const { apex } = serviceNames(canary);
  return `${metadata.namespace ?? ''}-${apex}-${side}upstream-${spec.service?.port ?? 0}`;
}

const tableKey = (canary: Canary) => ({ resource: routeTables, name: serviceNames(canary).apex });

const templateKeys = ({ metadata, spec: { upstreamRef } }: Canary): readonly RouteKey[] => {
  if (upstreamRef === undefined) return [];
  const { name, namespace = metadata.namespace ?? '' } = upstreamRef;
  return [{ resource: upstreams, name, namespace }];
};

export const gloo: RoutingProvider = {
  name: 'gloo',
  routeKeys: (canary) => [
    { resource: upstreams, name: upstreamName(canary, 'primary') },
    { resource: upstreams, name: upstreamName(canary, 'canary') },
    tableKey(canary),
  ],
  sourceKeys: templateKeys,
  render: (canary, split, _cookies, live) => {
    const [template] = templateKeys(canary);
    const settings = template === undefined ? {} : live(template);
    const error =
      inexpressible(canary, split, { provider: 'gloo', abTesting: true }) ??
      sourceProblem(canary, 'a RouteTable') ??
      (settings === undefined
        ? `spec.upstreamRef.name: there is no Upstream ${template?.name} in namespace ${template?.namespace}, apply it`
        : undefined);
    if (error !== undefined) return { ok: false, error };
    const copied = copiedFrom(settings as KubeObject | undefined);
    const isSplit = (found: KubeObject): boolean => readTable(canary, found) !== undefined;
    const spec = { routes: routesOf(canary, split) };
    return {
      ok: true,
      objects: [
        upstream(canary, 'primary', copied, live),
        upstream(canary, 'canary', copied, live),
        apexRoute(canary, live, { ...tableKey(canary), spec }, isSplit),
      ],
    };
  },
  confirm: (canary, live) => {
    const key = tableKey(canary);
    return confirmTable(key.name, live(key));
  },
  read: (canary, live) => readTable(canary, live(tableKey(canary))),
  revert: (canary, live) => reverted(live, tableKey(canary)),
};

function copiedFrom(template: KubeObject | undefined): Spec {
  const fields = Object.entries(specOf(template));
  return Object.fromEntries(fields.filter(([name]) => copiedFields.includes(name)));
}

function upstream(canary: Canary, side: Side, copied: Spec, live: LiveRoutes): RenderedRoute {
  const key = { resource: upstreams, name: upstreamName(canary, side) };
  const name = serviceNames(canary)[side];
  // Before there is a Service, nothing is written.
  const { selector } = (live({ resource: services, name }) as Service | undefined)?.spec ?? {};
  const kube = {
    ...(specOf(live(key))['kube'] as object | undefined),
    ...(selector !== undefined && { selector }),
    serviceName: name,
    serviceNamespace: canary.metadata.namespace ?? '',
    servicePort: canary.spec.service?.port ?? 0,
  };
  return renderedRoute(canary, live, { ...key, spec: { ...copied, kube } });
}

function routesOf(canary: Canary, split: Split) {
  const route = (weights: Pick<Split, Side>, matchers?: readonly object[]) => ({
    inheritablePathMatchers: true,
    ...(matchers !== undefined && { matchers }),
    routeAction: {
      multi: {
        destinations: [
          destination(canary, 'primary', weights.primary),
          destination(canary, 'canary', weights.canary),
        ],
      },
    },
  });
  if (strategyOf(canary) !== 'ab-testing') return [route(split)];
  const { match = [] } = canary.spec.analysis ?? {};
  return [route(split, match.map(matcherOf)), route({ primary: 100, canary: 0 })];
}

const destination = (canary: Canary, side: Side, weight: number) => ({
  destination: {
    upstream: { name: upstreamName(canary, side), namespace: canary.metadata.namespace ?? '' },
  },
  ...(weight > 0 && { weight }),
});

function matcherOf({ headers, queryParams }: HttpMatch) {
  const conditions = (map: HttpMatch['headers']) =>
    sorted(map).map(([name, match]) => {
      const value = exactOrWhole(match);
      return 'exact' in value
        ? { name, value: value.exact }
        : { name, value: value.regex, regex: true };
    });
  return {
    ...(headers !== undefined && { headers: conditions(headers) }),
    ...(queryParams !== undefined && { queryParameters: conditions(queryParams) }),
  };
}

function readTable(canary: Canary, found: KubeObject | undefined): Split | undefined {
  const [first] = (specOf(found)['routes'] ?? []) as readonly Route[];
  const { destinations = [] } = first?.routeAction?.multi ?? {};
  const weightOf = (side: Side) =>
    destinations.find((it) => it.destination?.upstream?.name === upstreamName(canary, side))
      ?.weight;
  return splitFrom(weightOf('primary'), weightOf('canary'));
}
