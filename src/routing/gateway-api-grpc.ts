/**
 * The rules of a GRPCRoute for a split: those of an HTTPRoute, in gRPC's own words. Paths are
 * services and methods, and what gRPC does not have (rewrites, query parameters, cookies, CORS,
 * timeouts of the route) is refused by its field, because left out it would be missed.
 */
import type { Canary, CanaryService, HttpMatch } from '../api/canary.ts';
import { strategyOf, totalWeight } from '../api/defaults.ts';
import { grpcLacks } from '../api/validate-routes.ts';
import type { RouteRule } from './gateway-api-rules.ts';
import {
  backends,
  headerFilters,
  Inexpressible,
  mirrorFilters,
  mirrorTo,
  testersOf,
  valueMatches,
} from './gateway-api-rules.ts';
import { product } from './http-matches.ts';
import type { Split } from './provider.ts';

const allPrimary: Split = { primary: totalWeight, canary: 0, mirrored: false };
const allCanary: Split = { primary: 0, canary: totalWeight, mirrored: false };

/** Throws `Inexpressible`, with the field and what to do. */
export function grpcRules(canary: Canary, split: Split): readonly RouteRule[] {
  const { service = {}, analysis = {} } = canary.spec;
  refuse(canary);
  const { match = [] } = service as Partial<CanaryService>;
  const both = backends(canary, split);
  const canaryAlone = backends(canary, allCanary);
  if (strategyOf(canary) !== 'ab-testing') {
    const testers = testersOf(canary);
    testers.forEach(checkSelective);
    const open = { ...rule(canary, product(match, testers), false), backendRefs: canaryAlone };
    const weighted = { ...rule(canary, match, split.mirrored), backendRefs: both };
    return testers.length === 0 || split.canary === 0 ? [weighted] : [open, weighted];
  }
  const { match: users = [] } = analysis;
  users.forEach(checkSelective);
  return [
    { ...rule(canary, product(match, users), false), backendRefs: both },
    { ...rule(canary, match, false), backendRefs: backends(canary, allPrimary).slice(0, 1) },
  ];
}

/** What would be left out, by the field that asks for it. */
function refuse({ spec }: Canary): void {
  const asked = (fields: object, place: string, names: readonly string[]) =>
    names.filter((name) => name in fields).map((name) => `spec.${place}.${name}`);
  const [found] = [
    ...asked(spec.service ?? {}, 'service', grpcLacks.service),
    ...asked(spec.analysis ?? {}, 'analysis', grpcLacks.analysis),
  ];
  if (found !== undefined) throw new Inexpressible(`${found}: a GRPCRoute has no such thing`);
}

/** Everybody would see the canary. */
function checkSelective({ headers = {} }: HttpMatch, at: number): void {
  if (Object.keys(headers).length > 0) return;
  throw new Inexpressible(`spec.analysis.match[${at}]: a GRPCRoute tells users by headers only`);
}

function rule(canary: Canary, matches: readonly HttpMatch[], isMirrored: boolean): RouteRule {
  const service: Partial<CanaryService> = canary.spec.service ?? {};
  const filters = [
    ...headerFilters(service),
    ...mirrorFilters(service),
    ...(isMirrored ? [mirrorTo(canary)] : []),
  ];
  const conditions = matches.map(grpcMatch);
  // A condition that says nothing makes all others void.
  const isSelective = conditions.length > 0 && conditions.every((it) => Object.keys(it).length > 0);
  return { ...(isSelective && { matches: conditions }), ...(filters.length > 0 && { filters }) };
}

function grpcMatch({ uri, method, headers, queryParams }: HttpMatch) {
  if (method !== undefined) {
    throw new Inexpressible(
      'match.method: gRPC knows one HTTP method, name the gRPC method in uri',
    );
  }
  if (queryParams !== undefined) {
    throw new Inexpressible('match.queryParams: gRPC has none, use headers');
  }
  const called = uri === undefined ? undefined : methodMatch(uri);
  return {
    ...(called !== undefined && { method: called }),
    ...(headers !== undefined && { headers: valueMatches('headers', headers) }),
  };
}

/** `/package.Service/Method` exactly, or `/package.Service/` as a prefix; `/` is everything. */
function methodMatch({ exact, prefix }: NonNullable<HttpMatch['uri']>) {
  const [, service = '', method = '', ...rest] = (exact ?? prefix ?? '').split('/');
  const isWhole = exact !== undefined && service !== '' && method !== '' && rest.length === 0;
  if (isWhole) return { type: 'Exact', service, method };
  if (prefix === '/') return undefined;
  if (prefix !== undefined && prefix === `/${service}/`) return { type: 'Exact', service };
  throw new Inexpressible(
    'match.uri: a GRPCRoute knows exact /package.Service/Method and prefix /package.Service/',
  );
}
