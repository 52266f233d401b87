/** The rules of a VirtualService for a split, and the split that rules express (`spec/02`, 6.1). */
import type {
  Canary,
  CanaryService,
  HeaderOperations,
  HttpMatch,
  SessionAffinity,
} from '../api/canary.ts';
import { analysisIntervalMs, serviceNames, strategyOf, totalWeight } from '../api/defaults.ts';
import { product } from './http-matches.ts';
import type { Cookies, Split } from './provider.ts';
import {
  canaryCookie,
  cookiePattern,
  droppedCookie,
  isNamed,
  literally,
  primaryCookie,
} from './session-cookies.ts';

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

/** Set-Cookie texts by the side that hands them out. */
interface SetCookies {
  readonly primary?: string;
  readonly canary?: string;
}

const allPrimary: Split = { primary: totalWeight, canary: 0, mirrored: false };
const allCanary: Split = { primary: 0, canary: totalWeight, mirrored: false };

/** Rules in the order in which they are tried; the first that matches decides. */
export function httpRules(canary: Canary, split: Split, cookies: Cookies): readonly HttpRoute[] {
  if (strategyOf(canary) === 'ab-testing') return abTestRules(canary, split);
  const affinity = canary.spec.analysis?.sessionAffinity;
  if (affinity === undefined) return [weightedRule(canary, split, {})];
  return split.canary > 0
    ? stickyRules(canary, split, cookies, affinity)
    : droppingRules(canary, split, cookies, affinity);
}

export function tcpRules(canary: Canary, split: Split): readonly TcpRoute[] {
  const ports = serviceMatch(canary).flatMap(({ port }) => (port === undefined ? [] : [{ port }]));
  return [{ ...(ports.length > 0 ? { match: ports } : {}), route: destinations(canary, split) }];
}

/** Users who match see the side that the split names; everybody else sees the primary. */
function abTestRules(canary: Canary, split: Split): readonly HttpRoute[] {
  const users = (canary.spec.analysis?.match ?? []).map(expressible);
  const matches = product(serviceMatch(canary), users);
  return [
    { ...settings(canary), ...matching(matches), route: destinations(canary, split) },
    {
      ...settings(canary),
      ...matching(serviceMatch(canary)),
      route: destinations(canary, allPrimary).slice(0, 1),
    },
  ];
}

/** The rule that splits, and that hands out cookies while some users are sent to the canary. */
function weightedRule(canary: Canary, split: Split, setCookies: SetCookies): HttpRoute {
  return {
    ...settings(canary),
    ...matching(serviceMatch(canary)),
    ...(split.mirrored ? mirrorTo(canary) : {}),
    route: destinations(canary, split, setCookies),
  };
}

/** Who has a cookie stays on its side; who has none is split, and gets one. */
function stickyRules(
  canary: Canary,
  split: Split,
  cookies: Cookies,
  affinity: SessionAffinity,
): readonly HttpRoute[] {
  const sticky: HttpRoute[] = [];
  const setCookies: { -readonly [side in keyof SetCookies]: string } = {};
  if (isNamed(cookies.canary)) {
    setCookies.canary = canaryCookie(cookies.canary, affinity);
    sticky.push(stickyRule(canary, cookies.canary, allCanary));
  }
  // The reference keeps a cookie without a name in the status where the spec names none.
  if (affinity.primaryCookieName && isNamed(cookies.primary)) {
    setCookies.primary = primaryCookie(cookies.primary, affinity, analysisIntervalMs(canary));
    sticky.push(stickyRule(canary, cookies.primary, allPrimary));
  }
  return [...sticky, weightedRule(canary, split, setCookies)];
}

function stickyRule(canary: Canary, cookie: string, split: Split): HttpRoute {
  const match = product(serviceMatch(canary), [bearing(cookie)]);
  return { ...settings(canary), ...matching(match), route: destinations(canary, split) };
}

/** Who still has the cookie of a former run is told to drop it. */
function droppingRules(
  canary: Canary,
  split: Split,
  cookies: Cookies,
  affinity: SessionAffinity,
): readonly HttpRoute[] {
  const weighted = weightedRule(canary, split, {});
  if (!isNamed(cookies.previous)) return [weighted];
  const { headers, ...others } = settings(canary);
  const dropped = { 'Set-Cookie': droppedCookie(cookies.previous, affinity) };
  const response = { ...headers?.response, add: { ...headers?.response?.add, ...dropped } };
  const dropping = {
    ...others,
    ...matching(product(serviceMatch(canary), [bearing(cookies.previous)])),
    headers: { ...headers, response },
    route: destinations(canary, split),
  };
  return [dropping, weighted];
}

const bearing = (cookie: string): HttpMatch => ({
  headers: { Cookie: { regex: cookiePattern(cookie) } },
});

const serviceMatch = (canary: Canary): readonly HttpMatch[] => canary.spec.service?.match ?? [];

/**
 * Istio knows no suffix of a header. The API server would drop it in silence, and everybody who
 * sends the header, whatever it says, would see the canary.
 */
function expressible({ headers, ...others }: HttpMatch): HttpMatch {
  if (headers === undefined) return others;
  const conditions = Object.entries(headers).map(([name, { suffix, ...condition }]) => [
    name,
    suffix === undefined ? condition : { regex: `.*${literally(suffix)}` },
  ]);
  return { ...others, headers: Object.fromEntries(conditions) as HttpMatch['headers'] & object };
}

const matching = (match: readonly HttpMatch[]): Pick<HttpRoute, 'match'> =>
  match.length > 0 ? { match } : {};

/** What every rule has in common. */
function settings(canary: Canary) {
  const { rewrite, timeout, retries, corsPolicy, headers }: Partial<CanaryService> =
    canary.spec.service ?? {};
  // `type` is for the Gateway API; Istio refuses a rewrite of nothing.
  const { uri, authority } = rewrite ?? {};
  const rewritten = { ...(uri ? { uri } : {}), ...(authority ? { authority } : {}) };
  return {
    ...(uri || authority ? { rewrite: rewritten } : {}),
    ...(timeout ? { timeout } : {}),
    ...(retries === undefined ? {} : { retries }),
    ...(corsPolicy === undefined ? {} : { corsPolicy }),
    ...(headers === undefined ? {} : { headers }),
  };
}

function mirrorTo(canary: Canary) {
  const weight = canary.spec.analysis?.mirrorWeight ?? 0;
  return {
    mirror: { host: serviceNames(canary).canary, ...portOf(canary) },
    // Absent, everything is mirrored.
    ...(weight > 0 ? { mirrorPercentage: { value: weight } } : {}),
  };
}

/** Primary first, canary second, a weight of 0 written out. */
function destinations(
  canary: Canary,
  split: Split,
  setCookies: SetCookies = {},
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

/**
 * The split for users without a cookie, whose rule is the last; in an A/B test that for the users
 * who match, whose rule is the first. Rules that lead elsewhere are nobody's of ours.
 */
export function readHttp(canary: Canary, rules: readonly HttpRoute[] = []): Split | undefined {
  const ours = rules.filter((rule) => isOurs(canary, rule));
  const rule = strategyOf(canary) === 'ab-testing' ? ours[0] : ours.at(-1);
  const split = rule && splitOf(canary, rule);
  return split && { ...split, mirrored: rule?.mirror?.host === serviceNames(canary).canary };
}

export function readTcp(canary: Canary, rules: readonly TcpRoute[] = []): Split | undefined {
  const rule = rules.findLast((candidate) => isOurs(canary, candidate));
  return rule && splitOf(canary, rule);
}

interface Routes {
  readonly route?: readonly Destination[];
}

function isOurs(canary: Canary, { route = [] }: Routes): boolean {
  const names = serviceNames(canary);
  const hosts = [names.primary, names.canary];
  return route.some(({ destination }) => hosts.includes(destination.host));
}

/** Undefined where all weights are 0. */
function splitOf(canary: Canary, { route = [] }: Routes): Split | undefined {
  const { canary: host } = serviceNames(canary);
  const found = route.find(({ destination }) => destination.host === host);
  // A destination that is alone gets everything, whatever its weight.
  if (route.length === 1) return found === undefined ? allPrimary : allCanary;
  const sum = route.reduce((before, { weight = 0 }) => before + weight, 0);
  if (sum === 0) return undefined;
  // Weights written by hand may sum to anything; a share that is not 0 must not look like 0.
  const weight = Math.ceil(((found?.weight ?? 0) * totalWeight) / sum);
  return { primary: totalWeight - weight, canary: weight, mirrored: false };
}
