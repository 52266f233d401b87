/**
 * Contour (`spec/02`, 7.1): an HTTPProxy without a virtual host, which users include from a root of
 * theirs. The routes are ours; other fields of the spec stay as others wrote them.
 *
 *   by weight        one route
 *   in an A/B test   one route for each item of `analysis.match`; the last is everybody else's
 *
 * Headers of one item must all match, and each route says its prefix once (R13).
 */
import type { Canary, HttpMatch } from '../api/canary.ts';
import { serviceNames, strategyOf } from '../api/defaults.ts';
import type { KubeObject } from '../api/kubernetes.ts';
import type { OpaqueObject, Resource } from '../kube/resources.ts';
import { resource } from '../kube/resources.ts';
import { exactOrWhole, sorted, sourceProblem } from './http-matches.ts';
import { inexpressible } from './inexpressible.ts';
import type { Confirmation, RoutingProvider, Split } from './provider.ts';
import { apexRoute, reverted, specOf, splitFrom } from './rendered-route.ts';

const httpProxies: Resource<OpaqueObject> = resource(
  'projectcontour.io/v1',
  'HTTPProxy',
  'httpproxies',
);

interface Route {
  readonly services?: readonly { readonly name: string; readonly weight?: number }[];
}

const keyOf = (canary: Canary) => ({ resource: httpProxies, name: serviceNames(canary).apex });

export interface ContourOptions {
  /** Written to the proxies where it is not empty. */
  readonly ingressClass: string;
}

export const contour = ({ ingressClass }: ContourOptions): RoutingProvider => ({
  name: 'contour',
  routeKeys: (canary) => [keyOf(canary)],
  render: (canary, split, _cookies, live) => {
    const error =
      inexpressible(canary, split, { provider: 'contour', abTesting: true }) ??
      sourceProblem(canary, 'an HTTPProxy');
    if (error !== undefined) return { ok: false, error };
    const spec = {
      ...(ingressClass !== '' && { ingressClassName: ingressClass }),
      routes: routesOf(canary, split),
    };
    const isSplit = (found: KubeObject): boolean => readRoutes(canary, found) !== undefined;
    return {
      ok: true,
      objects: [apexRoute(canary, live, { ...keyOf(canary), spec }, isSplit)],
    };
  },
  read: (canary, live) => readRoutes(canary, live(keyOf(canary))),
  confirm: (canary, live) => confirmProxy(serviceNames(canary).apex, live(keyOf(canary))),
  revert: (canary, live) => reverted(live, keyOf(canary)),
});

function routesOf(canary: Canary, split: Split) {
  const { match = [] } = canary.spec.analysis ?? {};
  if (strategyOf(canary) !== 'ab-testing') return [routeOf(canary, split, [])];
  const others = { primary: 100, canary: 0 };
  return [
    ...match.map((item) => routeOf(canary, split, conditionsOf(item))),
    routeOf(canary, others, []),
  ];
}

type Weights = Pick<Split, 'primary' | 'canary'>;

function routeOf(canary: Canary, { primary, canary: other }: Weights, added: readonly object[]) {
  const { match = [], timeout, retries } = canary.spec.service ?? {};
  const names = serviceNames(canary);
  const prefix = match[0]?.uri?.prefix ?? '/';
  const [first = {}, ...more] = added;
  return {
    conditions: [{ prefix, ...first }, ...more],
    services: [serviceOf(canary, names.primary, primary), serviceOf(canary, names.canary, other)],
    ...(timeout !== undefined && { timeoutPolicy: { response: timeout, idle: '5m' } }),
    ...(retries !== undefined && { retryPolicy: retryPolicyOf(retries) }),
  };
}

/** Contour takes a weight that is missing for 0 beside one that is not. */
function serviceOf(canary: Canary, name: string, weight: number) {
  const port = canary.spec.service?.port ?? 0;
  const value = `${name}.${canary.metadata.namespace ?? ''}.svc.cluster.local:${port}`;
  return {
    name,
    port,
    ...(weight > 0 && { weight }),
    // Where Linkerd meshes the proxy, this tells it the destination.
    requestHeadersPolicy: { set: [{ name: 'l5d-dst-override', value }] },
  };
}

type Retries = NonNullable<NonNullable<Canary['spec']['service']>['retries']>;

/** The count is written out: the API server would fill it in, and it would differ for ever. */
function retryPolicyOf({ attempts = 1, perTryTimeout, retryOn = '' }: Retries) {
  const conditions = retryOn
    .split(',')
    .map((it) => it.trim())
    .filter((it) => it !== '');
  return {
    count: attempts,
    ...(perTryTimeout !== undefined && { perTryTimeout }),
    ...(conditions.length > 0 && { retryOn: conditions }),
  };
}

const conditionsOf = ({ headers, queryParams }: HttpMatch): readonly object[] => [
  ...sorted(headers).map(([name, it]) => ({ header: { name, ...exactOrWhole(it) } })),
  ...sorted(queryParams).map(([name, it]) => ({ queryParameter: { name, ...exactOrWhole(it) } })),
];

function readRoutes(canary: Canary, found: KubeObject | undefined): Split | undefined {
  const [first] = (specOf(found)['routes'] ?? []) as readonly Route[];
  const names = serviceNames(canary);
  const weightOf = (name: string) => first?.services?.find((it) => it.name === name)?.weight;
  return splitFrom(weightOf(names.primary), weightOf(names.canary));
}

interface ProxyStatus {
  readonly currentStatus?: string;
  readonly description?: string;
  readonly conditions?: readonly {
    readonly type: string;
    readonly observedGeneration?: number;
    readonly errors?: readonly { readonly reason?: string; readonly message?: string }[];
  }[];
}

/**
 * `valid`, `invalid`, or `orphaned`: no root of the user's includes it. That is how every canary
 * begins, since its root is made when its proxy is there; nobody's requests go astray meanwhile.
 */
function confirmProxy(name: string, found: KubeObject | undefined): Confirmation {
  const route = `HTTPProxy ${name}`;
  if (found === undefined) return { state: 'pending', why: `${route} is not there yet` };
  const { status = {} } = found as KubeObject & { readonly status?: ProxyStatus };
  const { currentStatus = '', description = '', conditions = [] } = status;
  if (currentStatus === '' || currentStatus === 'NotReconciled') {
    return { state: 'unreported', route };
  }
  const valid = conditions.find(({ type }) => type === 'Valid');
  const { generation = 0 } = found.metadata;
  if ((valid?.observedGeneration ?? generation) < generation) {
    return { state: 'pending', why: `${route} waits for Contour: it has not taken it in yet` };
  }
  if (currentStatus === 'valid' || currentStatus === 'orphaned') return { state: 'confirmed' };
  const words = (valid?.errors ?? []).map(({ message = '' }) => message).filter(Boolean);
  const told = [description, ...words].filter(Boolean).join(': ');
  return { state: 'refused', message: `${route} refused by Contour: ${currentStatus} ${told}` };
}
