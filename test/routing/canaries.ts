/** Canaries for tests of routing: one to vary by hand, and arbitrary ones for laws. */
import * as fc from 'fast-check';
import type { Canary, CanaryAnalysis, CanaryService, HttpMatch } from '../../src/api/canary.ts';
import { strategyOf } from '../../src/api/defaults.ts';
import type { KubeObject } from '../../src/api/kubernetes.ts';
import type { Cookies, LiveRoutes, RenderedRoute, Split } from '../../src/routing/provider.ts';

export const namespace = 'test';

export function canaryOf(
  service: Partial<CanaryService> = {},
  analysis: CanaryAnalysis = { stepWeight: 30 },
): Canary {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'podinfo', namespace, uid: 'c0ffee' },
    spec: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo' },
      service: { port: 80, ...service },
      analysis: { interval: '1m', threshold: 5, ...analysis },
    },
  };
}

export const splitAt = (canary: number, mirrored = false): Split => ({
  primary: 100 - canary,
  canary,
  mirrored,
});

/** Finds objects by kind and name, as the controller does in its caches. */
export function liveOf(objects: readonly KubeObject[]): LiveRoutes {
  return ({ resource, name }) =>
    objects.find((object) => object.kind === resource.kind && object.metadata.name === name);
}

/** What the API server answers to a write: JSON, with metadata of its own and no empty maps. */
export function stored(route: RenderedRoute, resourceVersion = '1'): KubeObject {
  const object = structuredClone(route.wanted);
  const { labels = {}, annotations = {}, ...metadata } = object.metadata;
  const kept = {
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
  };
  const own = { uid: 'a5c11', resourceVersion, creationTimestamp: '2026-11-23T08:00:00Z' };
  return { ...object, metadata: { ...own, ...metadata, ...kept } };
}

const name = fc.constantFrom('a', 'x-canary', 'cookie', 'Cookie', 'user');
const text = fc.constantFrom('1', 'insider', 'a.b*c', '/api');
const condition = fc.oneof(
  fc.record({ exact: text }),
  fc.record({ prefix: text }),
  fc.record({ regex: text }),
);
const conditions = fc.dictionary(name, condition, { minKeys: 1, maxKeys: 3 });
const userCondition = fc.oneof(condition, fc.record({ suffix: text }));
const userMatch: fc.Arbitrary<HttpMatch> = fc.oneof(
  fc.record({ headers: fc.dictionary(name, userCondition, { minKeys: 1, maxKeys: 3 }) }),
  fc.record({ queryParams: conditions }),
  fc.record({ sourceLabels: fc.dictionary(name, text, { minKeys: 1, maxKeys: 2 }) }),
);
const serviceMatch: fc.Arbitrary<HttpMatch> = fc.record(
  { uri: condition, headers: conditions, queryParams: conditions, port: fc.nat(65_535) },
  { requiredKeys: [] },
);
const headers = fc.dictionary(name, text, { maxKeys: 2 });
const operations = fc.record({ add: headers, set: headers }, { requiredKeys: [] });

const service: fc.Arbitrary<Partial<CanaryService>> = fc.record(
  {
    name: fc.constant('shop'),
    appProtocol: fc.constantFrom('http', 'TCP'),
    portDiscovery: fc.boolean(),
    hosts: fc.subarray(['podinfo', '*', 'app.example.com']),
    gateways: fc.subarray(['mesh', 'istio-system/public'], { minLength: 0 }),
    gatewayRefs: fc.constant([{ name: 'public', namespace: 'gateways' }]),
    match: fc.array(serviceMatch, { maxLength: 2 }),
    rewrite: fc.record({ uri: text, type: text }, { requiredKeys: [] }),
    timeout: fc.constant('5s'),
    retries: fc.record({ attempts: fc.nat(5) }),
    headers: fc.record({ request: operations, response: operations }, { requiredKeys: [] }),
    corsPolicy: fc.record({ allowMethods: fc.constant(['GET']) }),
    trafficPolicy: fc.record({ tls: fc.constant({ mode: 'DISABLE' }) }),
    apex: fc.record({ labels: headers, annotations: headers }, { requiredKeys: [] }),
  },
  { requiredKeys: ['gatewayRefs'] },
);
const affinity = fc.record(
  { cookieName: fc.constantFrom('sticky', 'a+b.c'), primaryCookieName: fc.constant('stay') },
  { requiredKeys: ['cookieName'] },
);
const analysis: fc.Arbitrary<CanaryAnalysis> = fc.record(
  {
    iterations: fc.constantFrom(0, 10),
    match: fc.array(userMatch, { minLength: 1, maxLength: 2 }),
    mirrorWeight: fc.constantFrom(0, 50),
    sessionAffinity: affinity,
  },
  { requiredKeys: [] },
);

export interface Case {
  readonly canary: Canary;
  readonly split: Split;
  readonly cookies: Cookies;
}

const cookies: fc.Arbitrary<Cookies> = fc.record(
  {
    canary: fc.constant('sticky=AbCdEfGhIj'),
    primary: fc.constantFrom('stay=KlMnOpQrSt', '=nameless'),
    previous: fc.constant('sticky=UvWxYzAbCd'),
  },
  { requiredKeys: [] },
);

/** A split that the core asks for: requests are mirrored only while all of them go to the primary. */
function splitOf(canary: Canary, weight: number, mirrored: boolean): Split {
  const isTcp = canary.spec.service?.appProtocol === 'TCP';
  const mirrors = !isTcp && strategyOf(canary) !== 'ab-testing' && weight === 0;
  return splitAt(weight, mirrors && mirrored);
}

export const arbitraryCase: fc.Arbitrary<Case> = fc
  .tuple(service, analysis, fc.nat(100), fc.boolean(), cookies)
  .map(([service, analysis, weight, mirrored, cookies]) => {
    const canary = canaryOf(service, analysis);
    return { canary, split: splitOf(canary, weight, mirrored), cookies };
  });

/** Two moments of one canary. */
export const arbitraryChange: fc.Arbitrary<{ readonly before: Case; readonly after: Case }> = fc
  .tuple(arbitraryCase, fc.nat(100), fc.boolean(), cookies)
  .map(([before, weight, mirrored, cookies]) => {
    const { canary } = before;
    return { before, after: { canary, split: splitOf(canary, weight, mirrored), cookies } };
  });
