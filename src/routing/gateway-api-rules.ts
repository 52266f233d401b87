/**
 * The rules of an HTTPRoute for a split, and the split that rules express (`spec/02`, 6.5).
 *
 * Everything that a CustomResourceDefinition of the Gateway API would fill in is written out, so that
 * what is stored is what was meant.
 */
import { matchWithWeightsAnnotation } from '../api/annotations.ts';
import type {
  Canary,
  CanaryService,
  HeaderOperations,
  HttpMatch,
  StringMatch,
} from '../api/canary.ts';
import { parseDuration } from '../api/duration.ts';
import { analysisIntervalMs, serviceNames, strategyOf, totalWeight } from '../api/defaults.ts';
import type { StringMap } from '../api/kubernetes.ts';
import { product } from './http-matches.ts';
import type { Cookies, Split } from './provider.ts';
import {
  canaryCookie,
  cookiePattern,
  droppedCookie,
  isNamed,
  primaryCookie,
} from './session-cookies.ts';

interface NameValue {
  readonly name: string;
  readonly value: string;
}

interface ValueMatch extends NameValue {
  readonly type: 'Exact' | 'RegularExpression';
}

export interface RouteMatch {
  /** Always there in an HTTPRoute, never in a GRPCRoute. */
  readonly path?: { readonly type: string; readonly value: string };
  readonly method?: string | object;
  readonly headers?: readonly ValueMatch[];
  readonly queryParams?: readonly ValueMatch[];
}

interface Modifier {
  readonly add?: readonly NameValue[];
  readonly set?: readonly NameValue[];
  readonly remove?: readonly string[];
}

interface Backend {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly port?: number;
}

interface Filter {
  readonly type: string;
  readonly responseHeaderModifier?: Modifier;
  readonly requestMirror?: { readonly backendRef: Backend; readonly percent?: number };
  readonly [field: string]: unknown;
}

interface WeightedBackend extends Backend {
  readonly weight?: number;
  readonly filters?: readonly Filter[];
}

export interface RouteRule {
  readonly matches?: readonly RouteMatch[];
  readonly filters?: readonly Filter[];
  readonly backendRefs?: readonly WeightedBackend[];
  readonly timeouts?: { readonly request?: string; readonly backendRequest?: string };
}

/** `v1beta1` knows neither timeouts nor CORS. */
export type GatewayVersion = 'v1' | 'v1beta1';

/** The spec asks for what the Gateway API does not have. */
export class Inexpressible extends Error {}

const allPrimary: Split = { primary: totalWeight, canary: 0, mirrored: false };
const allCanary: Split = { primary: 0, canary: totalWeight, mirrored: false };
/** What the API fills in for `CORS`. */
const corsMaxAgeDefault = 5;

/** Throws `Inexpressible`, with the field and what to do. */
export function httpRules(
  canary: Canary,
  split: Split,
  cookies: Cookies,
  version: GatewayVersion,
): readonly RouteRule[] {
  const context: Context = { canary, version, matches: canary.spec.service?.match ?? [] };
  const rules =
    strategyOf(canary) === 'ab-testing'
      ? abTestRules(context, split)
      : canary.spec.analysis?.sessionAffinity === undefined
        ? [weightedRule(context, split)]
        : affinityRules(context, split, cookies);
  const all = [...openRules(context, split), ...rules];
  // The API takes a replaced prefix only where a rule matches exactly one.
  return isPrefixReplaced(canary) ? all.flatMap(onePerMatch) : all;
}

interface Context {
  readonly canary: Canary;
  readonly version: GatewayVersion;
  readonly matches: readonly HttpMatch[];
}

/** Users who match see the side that the split names; everybody else sees the primary. */
function abTestRules(context: Context, split: Split): readonly RouteRule[] {
  const users = context.canary.spec.analysis?.match ?? [];
  users.forEach(checkSelective);
  const matches = product(context.matches, users);
  return [
    { ...rule({ ...context, matches }), backendRefs: backends(context.canary, split) },
    { ...rule(context), backendRefs: backends(context.canary, allPrimary).slice(0, 1) },
  ];
}

/** What the Gateway API cannot say would be left out, and everybody would see the canary. */
function checkSelective({ headers = {}, queryParams = {} }: HttpMatch, at: number): void {
  if (Object.keys(headers).length + Object.keys(queryParams).length > 0) return;
  throw new Inexpressible(
    `spec.analysis.match[${at}]: the Gateway API tells users by headers and queryParams only`,
  );
}

/**
 * Testers see the canary as soon as anybody does; everybody else is split by weight. At weight 0
 * there is no door: the canary may have no pods.
 */
function openRules(context: Context, split: Split): readonly RouteRule[] {
  const { canary } = context;
  const users = testersOf(canary);
  users.forEach(checkSelective);
  if (users.length === 0 || split.canary === 0) return [];
  const matches = product(context.matches, users);
  return [{ ...rule({ ...context, matches }), backendRefs: backends(canary, allCanary) }];
}

/** Who sees the canary whatever its weight. */
export function testersOf(canary: Canary): readonly HttpMatch[] {
  const { annotations = {} } = canary.metadata;
  const isOpen = annotations[matchWithWeightsAnnotation] === 'enabled';
  return isOpen && strategyOf(canary) === 'canary' ? (canary.spec.analysis?.match ?? []) : [];
}

function weightedRule(
  context: Context,
  split: Split,
  setCookies: { readonly primary?: string; readonly canary?: string } = {},
): RouteRule {
  const { canary } = context;
  const base = rule(context, split.mirrored ? [mirrorTo(canary)] : []);
  const refs = backends(canary, split).map((backend, at) => {
    const cookie = at === 0 ? setCookies.primary : setCookies.canary;
    return cookie === undefined ? backend : { ...backend, filters: [settingCookie(cookie)] };
  });
  return { ...base, backendRefs: refs };
}

const settingCookie = (value: string): Filter => ({
  type: 'ResponseHeaderModifier',
  responseHeaderModifier: { add: [{ name: 'Set-Cookie', value }] },
});

function affinityRules(context: Context, split: Split, cookies: Cookies): readonly RouteRule[] {
  const { canary, matches } = context;
  const affinity = canary.spec.analysis?.sessionAffinity;
  if (affinity === undefined) return [];
  const bearers = (cookie: string): Context => ({
    ...context,
    matches: product(matches, [{ headers: { Cookie: { regex: cookiePattern(cookie) } } }]),
  });
  if (split.canary === 0) {
    const weighted = weightedRule(context, split);
    if (!isNamed(cookies.previous)) return [weighted];
    const dropped = droppedCookie(cookies.previous, affinity);
    const { filters, ...dropping } = rule(bearers(cookies.previous));
    const backendRefs = backends(canary, split);
    return [{ ...dropping, filters: withCookie(filters, dropped), backendRefs }, weighted];
  }
  const sticky: RouteRule[] = [];
  const setCookies: { canary?: string; primary?: string } = {};
  if (isNamed(cookies.canary)) {
    setCookies.canary = canaryCookie(cookies.canary, affinity);
    sticky.push({ ...rule(bearers(cookies.canary)), backendRefs: backends(canary, allCanary) });
  }
  if (affinity.primaryCookieName && isNamed(cookies.primary)) {
    setCookies.primary = primaryCookie(cookies.primary, affinity, analysisIntervalMs(canary));
    sticky.push({ ...rule(bearers(cookies.primary)), backendRefs: backends(canary, allPrimary) });
  }
  return [...sticky, weightedRule(context, split, setCookies)];
}

/** A rule takes one filter of a type: a cookie joins the response headers that there are. */
function withCookie(filters: readonly Filter[] = [], value: string): readonly Filter[] {
  const cookie = { name: 'Set-Cookie', value };
  const found = filters.find(({ type }) => type === 'ResponseHeaderModifier');
  if (found === undefined) return [...filters, settingCookie(value)];
  const modifier = found.responseHeaderModifier ?? {};
  const joined: Filter = {
    ...found,
    responseHeaderModifier: { ...modifier, add: [...(modifier.add ?? []), cookie] },
  };
  return filters.map((it) => (it === found ? joined : it));
}

const isPrefixReplaced = ({ spec }: Canary): boolean =>
  spec.service?.rewrite?.type === 'ReplacePrefixMatch' && !!spec.service.rewrite.uri;

const onePerMatch = (whole: RouteRule): readonly RouteRule[] =>
  (whole.matches ?? []).map((match) => ({ ...whole, matches: [match] }));

/** What every rule has in common. */
function rule({ canary, version, matches }: Context, more: readonly Filter[] = []): RouteRule {
  const service: Partial<CanaryService> = canary.spec.service ?? {};
  const filters = [...filtersOf(service, version), ...more];
  const { timeout, backendTimeout } = service;
  const timeouts = {
    ...(timeout && { request: timeout }),
    ...(backendTimeout && { backendRequest: backendTimeout }),
  };
  return {
    matches: matches.length === 0 ? [routeMatch({})] : matches.map(routeMatch),
    ...(filters.length > 0 && { filters }),
    ...(version === 'v1' && Object.keys(timeouts).length > 0 && { timeouts }),
  };
}

/** Everything is a prefix of `/`: what the API fills in where a match names no path. */
function routeMatch({ uri, method, headers, queryParams }: HttpMatch): RouteMatch {
  return {
    path: uri === undefined ? { type: 'PathPrefix', value: '/' } : pathMatch(uri),
    ...(method?.exact !== undefined && { method: method.exact }),
    ...(headers !== undefined && { headers: valueMatches('headers', headers) }),
    ...(queryParams !== undefined && { queryParams: valueMatches('queryParams', queryParams) }),
  };
}

function pathMatch({ exact, prefix, regex }: StringMatch): NonNullable<RouteMatch['path']> {
  if (regex !== undefined) return { type: 'RegularExpression', value: regex };
  if (exact !== undefined) return { type: 'Exact', value: exact };
  if (prefix !== undefined) return { type: 'PathPrefix', value: prefix };
  throw new Inexpressible('match.uri: the Gateway API knows exact, prefix and regex, no suffix');
}

/** Sorted: the order of a map is nobody's intention. */
export function valueMatches(
  field: string,
  conditions: Readonly<Record<string, StringMatch>>,
): readonly ValueMatch[] {
  return Object.entries(conditions)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, { exact, regex }]) => {
      if (exact !== undefined) return { name, type: 'Exact', value: exact };
      if (regex !== undefined) return { name, type: 'RegularExpression', value: regex };
      throw new Inexpressible(
        `match.${field}.${name}: the Gateway API knows exact and regex, use one of these`,
      );
    });
}

function filtersOf(service: Partial<CanaryService>, version: GatewayVersion): readonly Filter[] {
  const { rewrite, corsPolicy } = service;
  return [
    ...headerFilters(service),
    ...(rewrite?.uri || rewrite?.authority ? [rewriteFilter(rewrite)] : []),
    ...mirrorFilters(service),
    ...(corsPolicy !== undefined && version === 'v1' ? [corsFilter(corsPolicy)] : []),
  ];
}

export function headerFilters({ headers }: Partial<CanaryService>): readonly Filter[] {
  const request = modifierOf(headers?.request);
  const response = modifierOf(headers?.response);
  return [
    ...(request ? [{ type: 'RequestHeaderModifier', requestHeaderModifier: request }] : []),
    ...(response ? [{ type: 'ResponseHeaderModifier', responseHeaderModifier: response }] : []),
  ];
}

/** Mirrors that the user asks for, which are there at any split. */
export function mirrorFilters({ mirror = [] }: Partial<CanaryService>): readonly Filter[] {
  return mirror.flatMap(({ backendRef }) => {
    if (backendRef === undefined) return [];
    const requestMirror = { backendRef: { group: '', kind: 'Service', ...backendRef } };
    return [{ type: 'RequestMirror', requestMirror }];
  });
}

function modifierOf(operations: HeaderOperations | undefined): Modifier | undefined {
  const { add, set, remove } = operations ?? {};
  const modifier = {
    ...(add !== undefined && Object.keys(add).length > 0 && { add: pairs(add) }),
    ...(set !== undefined && Object.keys(set).length > 0 && { set: pairs(set) }),
    ...(remove !== undefined && remove.length > 0 && { remove }),
  };
  return Object.keys(modifier).length === 0 ? undefined : modifier;
}

const pairs = (values: StringMap): readonly NameValue[] =>
  Object.entries(values)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => ({ name, value }));

function rewriteFilter({ uri, authority, type }: NonNullable<CanaryService['rewrite']>): Filter {
  const path =
    type === 'ReplacePrefixMatch'
      ? { type, replacePrefixMatch: uri }
      : { type: 'ReplaceFullPath', replaceFullPath: uri };
  return {
    type: 'URLRewrite',
    urlRewrite: { ...(authority && { hostname: authority }), ...(uri && { path }) },
  };
}

function corsFilter(policy: NonNullable<CanaryService['corsPolicy']>): Filter {
  const { allowOrigin = [], allowOrigins = [], maxAge = '' } = policy;
  const origins = allowOrigins.map(({ exact }) => {
    if (exact !== undefined) return exact;
    throw new Inexpressible(
      'spec.service.corsPolicy.allowOrigins: the Gateway API knows exact origins only',
    );
  });
  const parsed = parseDuration(maxAge);
  const { allowMethods, allowHeaders, exposeHeaders, allowCredentials } = policy;
  return {
    type: 'CORS',
    cors: {
      ...(allowOrigin.length + origins.length > 0 && {
        allowOrigins: [...allowOrigin, ...origins],
      }),
      ...(allowMethods !== undefined && { allowMethods }),
      ...(allowHeaders !== undefined && { allowHeaders }),
      ...(exposeHeaders !== undefined && { exposeHeaders }),
      ...(allowCredentials !== undefined && { allowCredentials }),
      maxAge: parsed.ok && parsed.ms > 0 ? Math.trunc(parsed.ms / 1000) : corsMaxAgeDefault,
    },
  };
}

export function mirrorTo(canary: Canary): Filter {
  const percent = canary.spec.analysis?.mirrorWeight ?? 0;
  const backendRef = backend(canary, serviceNames(canary).canary);
  // Absent, everything is mirrored.
  return { type: 'RequestMirror', requestMirror: { backendRef, ...(percent > 0 && { percent }) } };
}

function backend({ spec }: Canary, name: string): Backend {
  const port = spec.service?.port;
  return { group: '', kind: 'Service', name, ...(port !== undefined && { port }) };
}

/** Primary first, canary second, a weight of 0 written out. */
export function backends(canary: Canary, split: Split): readonly WeightedBackend[] {
  const names = serviceNames(canary);
  return (['primary', 'canary'] as const).map((side) => ({
    ...backend(canary, names[side]),
    weight: split[side],
  }));
}

/**
 * The split for users without a cookie, whose rule is the last; in an A/B test that for the users
 * who match, whose rule is the first. Rules that lead elsewhere are nobody's of ours.
 */
export function readRules(canary: Canary, rules: readonly RouteRule[] = []): Split | undefined {
  const names = serviceNames(canary);
  const ours = rules.filter(({ backendRefs = [] }) =>
    backendRefs.some(({ name }) => name === names.primary || name === names.canary),
  );
  const found = strategyOf(canary) === 'ab-testing' ? ours[0] : ours.at(-1);
  const { backendRefs: refs = [], filters = [] } = found ?? {};
  const split = splitOf(refs, names.canary);
  const mirrored = filters.some(
    ({ requestMirror }) => requestMirror?.backendRef.name === names.canary,
  );
  return split && { ...split, mirrored };
}

/** Undefined where there are no backends, or all weights are 0. */
function splitOf(refs: readonly WeightedBackend[], canaryName: string): Split | undefined {
  const sum = refs.reduce((before, { weight = 1 }) => before + weight, 0);
  if (sum === 0) return undefined;
  const { weight: found = 1 } = refs.find(({ name }) => name === canaryName) ?? { weight: 0 };
  // Weights written by hand may sum to anything; a share that is not 0 must not look like 0.
  const weight = Math.ceil((found * totalWeight) / sum);
  return { primary: totalWeight - weight, canary: weight, mirrored: false };
}
