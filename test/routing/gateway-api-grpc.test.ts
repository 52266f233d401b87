/** GRPCRoutes: the laws of all providers, and what a GRPCRoute does not have. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { routeKindAnnotation } from '../../src/api/annotations.ts';
import type { Canary, CanaryAnalysis, CanaryService } from '../../src/api/canary.ts';
import { gatewayApi } from '../../src/routing/gateway-api.ts';
import type { RoutingProvider } from '../../src/routing/provider.ts';
import { canaryOf, liveOf, splitAt } from './canaries.ts';
import { conform } from './conform.ts';

const gateway = gatewayApi('v1');

const annotated = (canary: Canary, kind = 'GRPCRoute'): Canary => ({
  ...canary,
  metadata: { ...canary.metadata, annotations: { [routeKindAnnotation]: kind } },
});

/** What of an arbitrary canary gRPC has words for. */
function spoken({ spec, ...canary }: Canary): Canary {
  const { hosts, headers, apex, name, gatewayRefs, match } = spec.service ?? {};
  const { sessionAffinity: _, match: users, ...analysis } = spec.analysis ?? {};
  const called = match?.map((__, at) => ({ uri: { exact: `/shop.Cart/Add${at}` } }));
  const told = users?.map((__, at) => ({ headers: { user: { exact: `${at}` } } }));
  const service = compact({ port: 9000, hosts, headers, apex, name, gatewayRefs, match: called });
  return annotated({
    ...canary,
    spec: { ...spec, service, analysis: { ...analysis, ...compact({ match: told }) } },
  } as Canary);
}

const compact = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const asGrpc: RoutingProvider = {
  name: 'gatewayapi:v1, as GRPCRoute',
  routeKeys: (canary) => gateway.routeKeys(spoken(canary)),
  render: (canary, ...given) => gateway.render(spoken(canary), ...given),
  read: (canary, live) => gateway.read(spoken(canary), live),
  revert: (canary, live) => gateway.revert(spoken(canary), live),
};

conform(asGrpc);

suite('what a GRPCRoute cannot say is refused by its field', () => {
  const match = (condition: object): Partial<CanaryService> => ({ match: [condition] });
  const uri = 'knows exact /package.Service/Method and prefix /package.Service/';
  const cases: Record<string, readonly [Partial<CanaryService>, CanaryAnalysis, string]> = {
    rewrites: [
      { rewrite: { uri: '/' } },
      {},
      'spec.service.rewrite: a GRPCRoute has no such thing',
    ],
    timeouts: [{ timeout: '5s' }, {}, 'spec.service.timeout: a GRPCRoute has no such thing'],
    CORS: [{ corsPolicy: {} }, {}, 'spec.service.corsPolicy: a GRPCRoute has no such thing'],
    cookies: [
      {},
      { sessionAffinity: { cookieName: 'sticky' } },
      'spec.analysis.sessionAffinity: a GRPCRoute has no such thing',
    ],
    'HTTP methods': [
      match({ method: { exact: 'POST' } }),
      {},
      'match.method: gRPC knows one HTTP method, name the gRPC method in uri',
    ],
    'query parameters': [
      match({ queryParams: { q: { exact: 'a' } } }),
      {},
      'match.queryParams: gRPC has none, use headers',
    ],
    'part of the name of a service': [
      match({ uri: { prefix: '/shop' } }),
      {},
      `match.uri: a GRPCRoute ${uri}`,
    ],
    'expressions in paths': [
      match({ uri: { regex: '/shop.*' } }),
      {},
      `match.uri: a GRPCRoute ${uri}`,
    ],
    'users told by nothing': [
      {},
      { iterations: 5, match: [{ sourceLabels: { app: 'web' } }] },
      'spec.analysis.match[0]: a GRPCRoute tells users by headers only',
    ],
  };
  for (const [name, [service, analysis, error]] of Object.entries(cases)) {
    test(name, () => {
      const gatewayRefs = [{ name: 'public' }];
      const canary = annotated(canaryOf({ gatewayRefs, ...service }, analysis));
      const rendered = gateway.render(canary, splitAt(0), {}, liveOf([]));
      assert.deepEqual(rendered, { ok: false, error });
    });
  }
});

test('a path of everything is no condition, and makes others void', () => {
  const match = [{ uri: { prefix: '/' } }, { uri: { prefix: '/shop.Cart/' } }];
  const canary = annotated(canaryOf({ gatewayRefs: [{ name: 'public' }], match }));
  const rendered = gateway.render(canary, splitAt(0), {}, liveOf([]));
  assert.ok(rendered.ok);
  const [route] = rendered.objects.map(
    ({ wanted }) => wanted as unknown as { readonly spec: { readonly rules: readonly object[] } },
  );
  assert.deepEqual(
    route?.spec.rules.map((rule) => Object.keys(rule)),
    [['backendRefs']],
  );
});

test('a kind that there is not, and a version without GRPCRoute, are refused', () => {
  const field = `metadata.annotations.${routeKindAnnotation}`;
  const canary = canaryOf({ gatewayRefs: [{ name: 'public' }] });
  const errorOf = (provider: RoutingProvider, kind: string): string => {
    const rendered = provider.render(annotated(canary, kind), splitAt(0), {}, liveOf([]));
    return rendered.ok ? 'none' : rendered.error;
  };
  assert.equal(errorOf(gateway, 'TCPRoute'), `${field}: say HTTPRoute or GRPCRoute`);
  assert.equal(
    errorOf(gatewayApi('v1beta1'), 'GRPCRoute'),
    `${field}: GRPCRoute needs provider gatewayapi:v1`,
  );
  assert.equal(errorOf(gateway, 'HTTPRoute'), 'none');
});
