/**
 * App Mesh, v1beta2 (`spec/02`, 6.4): a VirtualNode for each side, and a VirtualService with its
 * VirtualRouter for the apex and for the canary. The canary's always leads to the canary.
 *
 * Pods get their proxy only if a VirtualNode selects them when they start: the nodes are written
 * before there are pods. They select what the Services of the sides select.
 */
import type { Canary } from '../api/canary.ts';
import { serviceNames } from '../api/defaults.ts';
import type { KubeObject, ObjectMeta, Service } from '../api/kubernetes.ts';
import type { OpaqueObject, Resource } from '../kube/resources.ts';
import { resource, services } from '../kube/resources.ts';
import type { MeshRoute } from './appmesh-routes.ts';
import {
  apexRoutes,
  canaryRoutes,
  firstListener,
  gatewayMetadata,
  loggingOf,
  meshProblem,
  protocolOf,
  retriesOf,
  splitOfTargets,
  timeoutMsOf,
} from './appmesh-routes.ts';
import { confirmByConditions } from './condition-status.ts';
import type { LiveRoutes, RenderedRoute, RouteKey, RoutingProvider, Split } from './provider.ts';
import { keepingOriginal, renderedRoute, reverted, specOf } from './rendered-route.ts';
import { apexMetadata } from './route-metadata.ts';

const apiVersion = 'appmesh.k8s.aws/v1beta2';
const kind = (name: string, plural: string): Resource<OpaqueObject> =>
  resource(apiVersion, name, plural);

const virtualNodes = kind('VirtualNode', 'virtualnodes');
const virtualRouters = kind('VirtualRouter', 'virtualrouters');
const virtualServices = kind('VirtualService', 'virtualservices');

const routerKey = (name: string): RouteKey => ({ resource: virtualRouters, name });

export const appMeshV1beta2: RoutingProvider = {
  name: 'appmesh:v1beta2',
  routeKeys: (canary) => {
    const { apex, primary, canary: other } = serviceNames(canary);
    return [
      { resource: virtualNodes, name: other },
      { resource: virtualNodes, name: primary },
      routerKey(other),
      { resource: virtualServices, name: other },
      routerKey(apex),
      { resource: virtualServices, name: apex },
    ];
  },
  render: (canary, split, _cookies, live) => {
    const error = meshProblem(canary, split, 'appmesh:v1beta2');
    if (error !== undefined) return { ok: false, error };
    const { apex, primary, canary: other } = serviceNames(canary);
    return {
      ok: true,
      objects: [
        virtualNode(canary, other, live),
        virtualNode(canary, primary, live),
        virtualRouter(canary, { name: other, routes: canaryRoutes(canary) }, live),
        virtualService(canary, other, live),
        virtualRouter(canary, { name: apex, routes: apexRoutes(canary, split) }, live, (base) => {
          const found = live(routerKey(apex));
          const isSplit = readRouter(canary, found) !== undefined;
          return keepingOriginal(canary, found, isSplit, base);
        }),
        virtualService(canary, apex, live, (base) => {
          const found = live({ resource: virtualServices, name: apex });
          const offered = { ...base, ...gatewayMetadata(canary, base) };
          const isSplit = routerOf(found) === apex;
          return { ...offered, ...keepingOriginal(canary, found, isSplit, offered) };
        }),
      ],
    };
  },
  read: (canary, live) => readRouter(canary, live(routerKey(serviceNames(canary).apex))),
  confirm: (canary, live) => {
    const { apex } = serviceNames(canary);
    return confirmByConditions(live(routerKey(apex)), {
      route: `VirtualRouter ${apex}`,
      controller: 'App Mesh',
      types: ['VirtualRouterActive'],
    });
  },
  revert: (canary, live) => {
    const { apex } = serviceNames(canary);
    const keys = [{ resource: virtualServices, name: apex }, routerKey(apex)];
    return keys.flatMap((key) => reverted(live, key));
  },
};

const milliseconds = (value: number) => ({ unit: 'ms', value });

function portMapping(canary: Canary) {
  const { port = 0, targetPort } = canary.spec.service ?? {};
  const isNumber = typeof targetPort === 'number' && targetPort > 0;
  return { port: isNumber ? targetPort : port, protocol: protocolOf(canary) };
}

function virtualNode(canary: Canary, name: string, live: LiveRoutes): RenderedRoute {
  const key = { resource: virtualNodes, name };
  const { namespace = '' } = canary.metadata;
  const found = specOf(live(key));
  // Before there is a Service, nothing is written.
  const service = live({ resource: services, name }) as Service | undefined;
  const matchLabels = service?.spec.selector;
  const perRequest = timeoutMsOf(canary);
  const { timeout: _, ...listener } = firstListener(found['listeners']);
  const timeout = { [protocolOf(canary)]: { perRequest: milliseconds(perRequest ?? 0) } };
  const { backends = [] } = canary.spec.service ?? {};
  const spec = {
    podSelector: matchLabels === undefined ? found['podSelector'] : { matchLabels },
    listeners: [
      {
        ...listener,
        portMapping: portMapping(canary),
        ...(perRequest !== undefined && { timeout }),
      },
    ],
    serviceDiscovery: { dns: { hostname: `${name}.${namespace}.svc.cluster.local.` } },
    backends: backends.length === 0 ? undefined : backends.map((it) => backend(it)),
    logging: loggingOf(canary, found['logging']),
  };
  const metadata = (base: Partial<ObjectMeta>) => apexMetadata(canary, base);
  return { ...renderedRoute(canary, live, { ...key, spec, metadata }), beforePods: true };
}

const backend = (name: string) => ({
  virtualService: name.startsWith('arn:aws')
    ? { virtualServiceARN: name }
    : { virtualServiceRef: { name } },
});

interface Router {
  readonly name: string;
  readonly routes: readonly MeshRoute[];
}

function virtualRouter(
  canary: Canary,
  { name, routes }: Router,
  live: LiveRoutes,
  metadata?: (base: Partial<ObjectMeta>) => Partial<ObjectMeta>,
): RenderedRoute {
  const spec = {
    listeners: [{ portMapping: portMapping(canary) }],
    routes: routes.map((route) => routeOf(canary, route)),
  };
  return renderedRoute(canary, live, { ...routerKey(name), spec, ...(metadata && { metadata }) });
}

function routeOf(canary: Canary, { name, priority, match, targets }: MeshRoute) {
  const retries = retriesOf(canary);
  const timeoutMs = timeoutMsOf(canary);
  const weightedTargets = targets.map(({ node, weight }) => ({
    virtualNodeRef: { name: node },
    weight,
  }));
  return {
    name,
    ...(priority !== undefined && { priority }),
    [`${protocolOf(canary)}Route`]: {
      match,
      action: { weightedTargets },
      ...(timeoutMs !== undefined && { timeout: { perRequest: milliseconds(timeoutMs) } }),
      ...(retries !== undefined && {
        retryPolicy: {
          maxRetries: retries.maxRetries,
          perRetryTimeout: milliseconds(retries.perRetryMs),
          httpRetryEvents: retries.httpRetryEvents,
        },
      }),
    },
  };
}

interface FoundProvider {
  readonly virtualRouter?: { readonly virtualRouterRef?: { readonly name?: string } };
}

const routerOf = (found: KubeObject | undefined): string | undefined =>
  (specOf(found)['provider'] as FoundProvider | undefined)?.virtualRouter?.virtualRouterRef?.name;

const leadingTo = (name: string) => ({
  provider: { virtualRouter: { virtualRouterRef: { name } } },
});

function virtualService(
  canary: Canary,
  name: string,
  live: LiveRoutes,
  metadata?: (base: Partial<ObjectMeta>) => Partial<ObjectMeta>,
): RenderedRoute {
  const spec = leadingTo(name);
  const key = { resource: virtualServices, name };
  return renderedRoute(canary, live, { ...key, spec, ...(metadata && { metadata }) });
}

interface FoundRoute {
  readonly action?: {
    readonly weightedTargets?: readonly {
      readonly virtualNodeRef?: { readonly name: string };
      readonly weight: number;
    }[];
  };
}

interface FoundRouter {
  readonly httpRoute?: FoundRoute;
  readonly grpcRoute?: FoundRoute;
}

function readRouter(canary: Canary, found: KubeObject | undefined): Split | undefined {
  const [first] = (specOf(found)['routes'] ?? []) as readonly FoundRouter[];
  const { weightedTargets = [] } = (first?.httpRoute ?? first?.grpcRoute)?.action ?? {};
  return splitOfTargets(
    canary,
    weightedTargets.map(({ virtualNodeRef, weight }) => ({
      node: virtualNodeRef?.name ?? '',
      weight,
    })),
  );
}
