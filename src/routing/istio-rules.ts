/** The rules of a VirtualService for a split, and the split that rules express (`spec/02`, 6.1). */
import type {
  Canary,
  CanaryService,
  HeaderOperations,
  HttpMatch,
  SessionAffinity,
} from '../api/canary.ts';
import { analysisIntervalMs, serviceNames, strategyOf, totalWeight } from '../api/defaults.ts';
import type { Cookies, Split } from './provider.ts';
import { canaryCookie, cookiePattern, droppedCookie, primaryCookie } from './session-cookies.ts';

interface Headers {
  readonly request?: HeaderOperations;
  readonly response?: HeaderOperations;
}

interface Destination {
  readonly destination: { readonly host: string; readonly port?: { readonly number: number } };
  readonly weight?: number;
  readonly headers?: Headers;
}

export interface HttpRoute {
  readonly match?: readonly HttpMatch[];
  readonly route?: readonly Destination[];
  readonly headers?: Headers;
  readonly mirror?: { readonly host?: string };
}

export interface TcpRoute {
  readonly match?: readonly { readonly port?: number }[];
  readonly route?: readonly Destination[];
}

export function httpRules(canary: Canary, split: Split, cookies: Cookies): readonly HttpRoute[] {
  if (strategyOf(canary) === 'ab-testing') return abTestRules(canary, split);
  const affinity = canary.spec.analysis?.sessionAffinity;
  const weighted = { ...settings(canary), ...matching(serviceMatch(canary)) };
  const route = destinations(canary, split);
  const mirror = split.mirrored ? mirrorTo(canary) : {};
  if (affinity === undefined) return [{ ...weighted, ...mirror, route }];
  if (split.canary > 0) return stickyRules(canary, split, cookies, affinity);
  const dropping = cookies.previous && [droppingRule(canary, route, cookies.previous, affinity)];
  return [...(dropping || []), { ...weighted, ...mirror, route }];
}

export function tcpRules(canary: Canary, split: Split): readonly TcpRoute[] {
  const ports = (canary.spec.service?.match ?? []).flatMap(({ port }) =>
    port === undefined ? [] : [{ port }],
  );
  return [{ ...(ports.length > 0 ? { match: ports } : {}), route: destinations(canary, split) }];
}

/** Users who match see the side that the split names; everybody else sees the primary. */
function abTestRules(canary: Canary, split: Split): readonly HttpRoute[] {
  const [primaryOnly] = destinations(canary, { primary: totalWeight, canary: 0, mirrored: false });
  const matches = product(serviceMatch(canary), canary.spec.analysis?.match ?? []);
  return [
    { ...settings(canary), ...matching(matches), route: destinations(canary, split) },
    {
      ...settings(canary),
      ...matching(serviceMatch(canary)),
      route: primaryOnly === undefined ? [] : [primaryOnly],
    },
  ];
}

function stickyRules(
  canary: Canary,
  split: Split,
  cookies: Cookies,
  affinity: SessionAffinity,
): readonly HttpRoute[] {
  const rules: HttpRoute[] = [];
  const setCookies: { primary?: string; canary?: string } = {};
  if (cookies.canary !== undefined) {
    setCookies.canary = canaryCookie(cookies.canary, affinity);
    const sticky = { primary: 0, canary: totalWeight, mirrored: false };
    rules.push(stickyRule(canary, cookies.canary, sticky));
  }
  if (cookies.primary !== undefined) {
    setCookies.primary = primaryCookie(cookies.primary, affinity, analysisIntervalMs(canary));
    const sticky = { primary: totalWeight, canary: 0, mirrored: false };
    rules.push(stickyRule(canary, cookies.primary, sticky));
  }
  const route = destinations(canary, split, setCookies);
  return [...rules, { ...settings(canary), ...matching(serviceMatch(canary)), route }];
}

function stickyRule(canary: Canary, cookie: string, split: Split): HttpRoute {
  const match = product(serviceMatch(canary), [bearing(cookie)]);
  return { ...settings(canary), ...matching(match), route: destinations(canary, split) };
}

function droppingRule(
  canary: Canary,
  route: readonly Destination[],
  cookie: string,
  affinity: SessionAffinity,
): HttpRoute {
  const { headers, ...rest } = settings(canary);
  const dropped = { 'Set-Cookie': droppedCookie(cookie, affinity) };
  const response = { ...headers?.response, add: { ...headers?.response?.add, ...dropped } };
  const match = product(serviceMatch(canary), [bearing(cookie)]);
  return { ...rest, ...matching(match), headers: { ...headers, response }, route };
}

const bearing = (cookie: string): HttpMatch => ({
  headers: { Cookie: { regex: cookiePattern(cookie) } },
});

const serviceMatch = (canary: Canary): readonly HttpMatch[] => canary.spec.service?.match ?? [];

/** A request matches one of the service's conditions and one of the others at once. */
function product(base: readonly HttpMatch[], added: readonly HttpMatch[]): readonly HttpMatch[] {
  if (base.length === 0) return added;
  return base.flatMap((left) =>
    added.map((right) => ({
      ...left,
      ...right,
      ...merged(left.headers, right.headers, 'headers'),
      ...merged(left.queryParams, right.queryParams, 'queryParams'),
      ...merged(left.sourceLabels, right.sourceLabels, 'sourceLabels'),
    })),
  );
}

function merged(left: object | undefined, right: object | undefined, key: string): object {
  return left === undefined && right === undefined ? {} : { [key]: { ...left, ...right } };
}

const matching = (match: readonly HttpMatch[]): Pick<HttpRoute, 'match'> =>
  match.length > 0 ? { match } : {};

/** What every rule has in common. */
function settings(canary: Canary) {
  const { rewrite, timeout, retries, corsPolicy, headers }: Partial<CanaryService> =
    canary.spec.service ?? {};
  const { type: _, ...rewritten } = rewrite ?? {};
  return {
    ...(rewrite === undefined ? {} : { rewrite: rewritten }),
    ...(timeout ? { timeout } : {}),
    ...(retries === undefined ? {} : { retries }),
    ...(corsPolicy === undefined ? {} : { corsPolicy }),
    ...(headers === undefined ? {} : { headers }),
  };
}

function mirrorTo(canary: Canary) {
  const weight = canary.spec.analysis?.mirrorWeight ?? 0;
  return {
    mirror: { host: serviceNames(canary).canary },
    ...(weight > 0 ? { mirrorPercentage: { value: weight } } : {}),
  };
}

/** Primary first, canary second, a weight of 0 written out. */
function destinations(
  canary: Canary,
  split: Split,
  setCookies: { readonly primary?: string; readonly canary?: string } = {},
): readonly Destination[] {
  const names = serviceNames(canary);
  return (['primary', 'canary'] as const).map((side) => {
    const cookie = setCookies[side];
    return {
      destination: { host: names[side], ...portOf(canary) },
      weight: split[side],
      ...(cookie === undefined ? {} : { headers: { response: { add: { 'Set-Cookie': cookie } } } }),
    };
  });
}

/** Outside of the mesh a Service of several ports is ambiguous. */
function portOf(canary: Canary) {
  const { port, portDiscovery, gateways = [], delegation } = canary.spec.service ?? {};
  const outside = (gateways.length > 0 && gateways[0] !== 'mesh') || delegation === true;
  return portDiscovery === true && outside && port !== undefined ? { port: { number: port } } : {};
}

export function readHttp(canary: Canary, rules: readonly HttpRoute[] = []): Split | undefined {
  if (strategyOf(canary) === 'ab-testing') {
    // The first rule is that of the test users; the others go to the primary for good.
    const [testUsers] = rules.filter((rule) => splitOf(canary, rule.route) !== undefined);
    return splitOf(canary, testUsers?.route);
  }
  // The weighted rule stands behind those that recognise cookies.
  const weighted = rules.findLast((rule) => splitOf(canary, rule.route) !== undefined);
  const split = splitOf(canary, weighted?.route);
  return split && { ...split, mirrored: weighted?.mirror?.host !== undefined };
}

export function readTcp(canary: Canary, rules: readonly TcpRoute[] = []): Split | undefined {
  const weighted = rules.findLast((rule) => splitOf(canary, rule.route) !== undefined);
  return splitOf(canary, weighted?.route);
}

/** Undefined where the rule has no destination of the canary, or no weight anywhere. */
function splitOf(canary: Canary, route: readonly Destination[] | undefined): Split | undefined {
  const names = serviceNames(canary);
  const weightOf = (host: string): number | undefined => {
    const found = route?.find(({ destination }) => destination.host === host);
    return found && (found.weight ?? 0);
  };
  const [primary = 0, canaryWeight] = [weightOf(names.primary), weightOf(names.canary)];
  if (canaryWeight === undefined || primary + canaryWeight === 0) return undefined;
  return { primary, canary: canaryWeight, mirrored: false };
}
