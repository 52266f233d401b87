/**
 * App Mesh, v1beta1 (`spec/02`, 6.3): a VirtualNode for the apex and for each side, and two
 * VirtualServices that hold their routes. They bear the names that clients resolve: `podinfo.test`
 * follows the split, `podinfo-canary.test` always leads to the canary.
 */
import type { Canary } from '../api/canary.ts';
import { serviceNames } from '../api/defaults.ts';
import type { KubeObject, ObjectMeta } from '../api/kubernetes.ts';
import type { OpaqueObject, Resource } from '../kube/resources.ts';
import { resource } from '../kube/resources.ts';
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
} from './appmesh-routes.ts';
import type { LiveRoutes, RenderedRoute, RouteKey, RoutingProvider, Split } from './provider.ts';
import { keepingOriginal, renderedRoute, reverted, specOf } from './rendered-route.ts';
import { apexMetadata } from './route-metadata.ts';

const apiVersion = 'appmesh.k8s.aws/v1beta1';
const virtualNodes: Resource<OpaqueObject> = resource(apiVersion, 'VirtualNode', 'virtualnodes');
const virtualServices: Resource<OpaqueObject> = resource(
  apiVersion,
  'VirtualService',
  'virtualservices',
);

const hostOf = ({ metadata }: Canary, name: string): string =>
  `${name}.${metadata.namespace ?? ''}`;

const serviceKey = (canary: Canary, name: string): RouteKey => ({
  resource: virtualServices,
  name: hostOf(canary, name),
});

export const appMesh: RoutingProvider = {
  name: 'appmesh',
  routeKeys: (canary) => {
    const { apex, primary, canary: other } = serviceNames(canary);
    return [
      { resource: virtualNodes, name: other },
      { resource: virtualNodes, name: primary },
      { resource: virtualNodes, name: apex },
      serviceKey(canary, other),
      serviceKey(canary, apex),
    ];
  },
  render: (canary, split, _cookies, live) => {
    const error = nameless(canary) ?? meshProblem(canary, split, 'appmesh');
    if (error !== undefined) return { ok: false, error };
    const { apex, primary, canary: other } = serviceNames(canary);
    const exposed = (base: Partial<ObjectMeta>) => {
      const found = live(serviceKey(canary, apex));
      const isSplit = readService(canary, found) !== undefined;
      const offered = { ...base, ...gatewayMetadata(canary, base) };
      return { ...offered, ...keepingOriginal(canary, found, isSplit, offered) };
    };
    return {
      ok: true,
      objects: [
        virtualNode(canary, { name: other, leadsTo: other }, live),
        virtualNode(canary, { name: primary, leadsTo: primary }, live),
        virtualNode(canary, { name: apex, leadsTo: primary }, live),
        virtualService(canary, { name: other, routes: canaryRoutes(canary) }, live),
        virtualService(
          canary,
          { name: apex, routes: apexRoutes(canary, split), metadata: exposed },
          live,
        ),
      ],
    };
  },
  read: (canary, live) => readService(canary, live(serviceKey(canary, serviceNames(canary).apex))),
  revert: (canary, live) => {
    const { apex } = serviceNames(canary);
    const keys = [serviceKey(canary, apex), { resource: virtualNodes, name: apex }];
    return keys.flatMap((key) => reverted(live, key));
  },
};

const nameless = ({ spec }: Canary): string | undefined =>
  spec.service?.meshName
    ? undefined
    : 'spec.service.meshName: provider appmesh needs the name of the Mesh, set it';

const portMapping = (canary: Canary) => ({
  port: canary.spec.service?.port ?? 0,
  protocol: protocolOf(canary),
});

interface Host {
  readonly hostName?: string;
}

interface Node {
  readonly name: string;
  readonly leadsTo: string;
}

function virtualNode(canary: Canary, { name, leadsTo }: Node, live: LiveRoutes): RenderedRoute {
  const key = { resource: virtualNodes, name };
  const found = specOf(live(key));
  const { meshName, backends = [] } = canary.spec.service ?? {};
  const spec = {
    meshName,
    listeners: [{ ...firstListener(found['listeners']), portMapping: portMapping(canary) }],
    serviceDiscovery: { dns: { hostName: hostOf(canary, leadsTo) } },
    backends:
      backends.length === 0
        ? undefined
        : backends.map((it) => ({ virtualService: { virtualServiceName: it } })),
    logging: loggingOf(canary, found['logging']),
  };
  const { dns } = (found['serviceDiscovery'] ?? {}) as { readonly dns?: Host };
  const isSplit = dns?.hostName === hostOf(canary, leadsTo);
  const metadata = (base: Partial<ObjectMeta>) => {
    const ours = { ...base, ...apexMetadata(canary, base) };
    const isApex = name === serviceNames(canary).apex;
    return { ...ours, ...keepingOriginal(canary, live(key), isSplit || !isApex, ours) };
  };
  return { ...renderedRoute(canary, live, { ...key, spec, metadata }), beforePods: true };
}

interface Service {
  readonly name: string;
  readonly routes: readonly MeshRoute[];
  readonly metadata?: (base: Partial<ObjectMeta>) => Partial<ObjectMeta>;
}

function virtualService(
  canary: Canary,
  { name, routes, metadata }: Service,
  live: LiveRoutes,
): RenderedRoute {
  const spec = {
    meshName: canary.spec.service?.meshName,
    virtualRouter: { name, listeners: [{ portMapping: portMapping(canary) }] },
    routes: routes.map((route) => routeOf(canary, route)),
  };
  const key = serviceKey(canary, name);
  return renderedRoute(canary, live, { ...key, spec, ...(metadata && { metadata }) });
}

function routeOf(canary: Canary, { name, priority, match, targets }: MeshRoute) {
  const retries = retriesOf(canary);
  const weightedTargets = targets.map(({ node, weight }) => ({ virtualNodeName: node, weight }));
  return {
    name,
    [protocolOf(canary)]: {
      ...(priority !== undefined && { priority }),
      match,
      action: { weightedTargets },
      ...(retries !== undefined && {
        retryPolicy: {
          perRetryTimeoutMillis: retries.perRetryMs,
          maxRetries: retries.maxRetries,
          httpRetryEvents: retries.httpRetryEvents,
        },
      }),
    },
  };
}

interface FoundRoute {
  readonly action?: {
    readonly weightedTargets?: readonly {
      readonly virtualNodeName?: string;
      readonly weight: number;
    }[];
  };
}

interface FoundRoutes {
  readonly http?: FoundRoute;
  readonly grpc?: FoundRoute;
}

function readService(canary: Canary, found: KubeObject | undefined): Split | undefined {
  const [first] = (specOf(found)['routes'] ?? []) as readonly FoundRoutes[];
  const { weightedTargets = [] } = (first?.http ?? first?.grpc)?.action ?? {};
  return splitOfTargets(
    canary,
    weightedTargets.map(({ virtualNodeName = '', weight }) => ({ node: virtualNodeName, weight })),
  );
}
