import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Canary, CanaryAnalysis, CanaryService } from '../../src/api/canary.ts';
import type { Json, KubeObject } from '../../src/api/kubernetes.ts';
import { gatewayApi } from '../../src/routing/gateway-api.ts';
import type { Cookies, Split } from '../../src/routing/provider.ts';
import { canaryOf, liveOf, namespace, splitAt, stored } from './canaries.ts';

const gateway = gatewayApi('v1');
const gatewayRefs = [{ name: 'gateway', namespace: 'gateways' }];

const canaryWith = (service: Partial<CanaryService> = {}, analysis?: CanaryAnalysis): Canary =>
  canaryOf({ gatewayRefs, ...service }, analysis);

function specOf(
  canary: Canary,
  split: Split,
  cookies: Cookies = {},
  provider = gateway,
): Readonly<Record<string, Json>> {
  const answer = provider.render(canary, split, cookies, liveOf([]));
  assert.ok(answer.ok, answer.ok ? '' : answer.error);
  const [route] = answer.objects;
  assert.ok(route);
  const { spec } = stored(route) as unknown as { readonly spec: Readonly<Record<string, Json>> };
  return spec;
}

const backend = (side: 'primary' | 'canary', weight: number) => ({
  group: '',
  kind: 'Service',
  name: `podinfo-${side}`,
  port: 80,
  weight,
});
const both = (weight: number) => [backend('primary', 100 - weight), backend('canary', weight)];
const anywhere = { path: { type: 'PathPrefix', value: '/' } };
const cookieMatch = (value: string) => ({
  ...anywhere,
  headers: [{ name: 'Cookie', type: 'RegularExpression', value }],
});
const setCookie = (value: string) => ({
  type: 'ResponseHeaderModifier',
  responseHeaderModifier: { add: [{ name: 'Set-Cookie', value }] },
});

suite('rules of an HTTPRoute (spec/02, 6.5)', () => {
  const insiders = { headers: { 'x-canary': { exact: 'insider' } } };
  const abTest = { iterations: 10, match: [insiders] };
  const affinity = { stepWeight: 30, sessionAffinity: { cookieName: 'flagger-cookie' } };
  const cases: Record<string, readonly [Canary, Split, Cookies, Json]> = {
    'at the beginning': [
      canaryWith(),
      splitAt(0),
      {},
      [{ matches: [anywhere], backendRefs: both(0) }],
    ],
    'at weight 30': [
      canaryWith(),
      splitAt(30),
      {},
      [{ matches: [anywhere], backendRefs: both(30) }],
    ],
    'in an A/B test': [
      canaryWith({}, abTest),
      splitAt(100),
      {},
      [
        {
          matches: [
            { ...anywhere, headers: [{ name: 'x-canary', type: 'Exact', value: 'insider' }] },
          ],
          backendRefs: both(100),
        },
        { matches: [anywhere], backendRefs: [backend('primary', 100)] },
      ],
    ],
    'while requests are mirrored, with weights too (D35)': [
      canaryWith({}, { stepWeight: 30, mirrorWeight: 20 }),
      splitAt(0, true),
      {},
      [
        {
          matches: [anywhere],
          filters: [
            {
              type: 'RequestMirror',
              requestMirror: {
                backendRef: { group: '', kind: 'Service', name: 'podinfo-canary', port: 80 },
                percent: 20,
              },
            },
          ],
          backendRefs: both(0),
        },
      ],
    ],
    'with session affinity at weight 30': [
      canaryWith({}, affinity),
      splitAt(30),
      { canary: 'flagger-cookie=AbCdEfGhIj' },
      [
        {
          matches: [cookieMatch('.*flagger-cookie.*AbCdEfGhIj.*')],
          backendRefs: both(100),
        },
        {
          matches: [anywhere],
          backendRefs: [
            backend('primary', 70),
            {
              ...backend('canary', 30),
              filters: [setCookie('flagger-cookie=AbCdEfGhIj; Max-Age=86400')],
            },
          ],
        },
      ],
    ],
    'R3: after a run with session affinity, the response headers of the service kept': [
      canaryWith({ headers: { response: { add: { 'x-a': '1' } } } }, affinity),
      splitAt(0),
      { previous: 'flagger-cookie=Old' },
      [
        {
          matches: [cookieMatch('.*flagger-cookie.*Old.*')],
          filters: [
            {
              type: 'ResponseHeaderModifier',
              responseHeaderModifier: {
                add: [
                  { name: 'x-a', value: '1' },
                  { name: 'Set-Cookie', value: 'flagger-cookie=Old; Max-Age=-1' },
                ],
              },
            },
          ],
          backendRefs: both(0),
        },
        {
          matches: [anywhere],
          filters: [
            {
              type: 'ResponseHeaderModifier',
              responseHeaderModifier: { add: [{ name: 'x-a', value: '1' }] },
            },
          ],
          backendRefs: both(0),
        },
      ],
    ],
    'R3: for a service that answers to some requests only, sorted': [
      canaryWith({
        match: [
          { method: { exact: 'GET' }, headers: { b: { exact: '2' }, a: { regex: '1.*' } } },
          { uri: { prefix: '/api' }, queryParams: { q: { exact: 'x' } } },
        ],
      }),
      splitAt(0),
      {},
      [
        {
          matches: [
            {
              ...anywhere,
              method: 'GET',
              headers: [
                { name: 'a', type: 'RegularExpression', value: '1.*' },
                { name: 'b', type: 'Exact', value: '2' },
              ],
            },
            {
              path: { type: 'PathPrefix', value: '/api' },
              queryParams: [{ name: 'q', type: 'Exact', value: 'x' }],
            },
          ],
          backendRefs: both(0),
        },
      ],
    ],
    'with a replaced prefix, one for each match': [
      canaryWith({
        match: [{ uri: { prefix: '/a' } }, { uri: { prefix: '/b' } }],
        rewrite: { uri: '/', type: 'ReplacePrefixMatch' },
      }),
      splitAt(0),
      {},
      ['/a', '/b'].map((value) => ({
        matches: [{ path: { type: 'PathPrefix', value } }],
        filters: [
          {
            type: 'URLRewrite',
            urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } },
          },
        ],
        backendRefs: both(0),
      })),
    ],
    'R3: with CORS, timeouts and a mirror of the user’s own': [
      canaryWith({
        timeout: '15s',
        backendTimeout: '5s',
        mirror: [{ backendRef: { name: 'shadow', port: 80 } }],
        corsPolicy: { allowOrigin: ['https://a.io'], allowMethods: ['GET'] },
      }),
      splitAt(0),
      {},
      [
        {
          matches: [anywhere],
          filters: [
            {
              type: 'RequestMirror',
              requestMirror: {
                backendRef: { group: '', kind: 'Service', name: 'shadow', port: 80 },
              },
            },
            {
              type: 'CORS',
              cors: { allowOrigins: ['https://a.io'], allowMethods: ['GET'], maxAge: 5 },
            },
          ],
          timeouts: { request: '15s', backendRequest: '5s' },
          backendRefs: both(0),
        },
      ],
    ],
  };
  for (const [name, [canary, split, cookies, rules]] of Object.entries(cases)) {
    test(name, () => assert.deepEqual(specOf(canary, split, cookies)['rules'], rules));
  }
  test('of v1beta1 have no timeouts and no CORS', () => {
    const canary = canaryWith({ timeout: '15s', corsPolicy: { allowOrigin: ['*'] } });
    const { rules } = specOf(canary, splitAt(0), {}, gatewayApi('v1beta1'));
    assert.deepEqual(rules, [{ matches: [anywhere], backendRefs: both(0) }]);
  });
});

test('the route is attached to the gateways, for the hosts of the spec', () => {
  const { parentRefs, hostnames } = specOf(canaryWith({ hosts: ['app.example.com'] }), splitAt(0));
  assert.deepEqual(parentRefs, [
    {
      group: 'gateway.networking.k8s.io',
      kind: 'Gateway',
      name: 'gateway',
      namespace: 'gateways',
    },
  ]);
  assert.deepEqual(hostnames, ['app.example.com']);
});

suite('what the Gateway API cannot say is refused, and said by the field', () => {
  const refused: Record<string, readonly [Canary, RegExp]> = {
    'no gateway': [canaryOf(), /^spec\.service\.gatewayRefs: /],
    'a prefix of a header in an A/B test, which would match everybody': [
      canaryWith({}, { iterations: 1, match: [{ headers: { 'x-a': { prefix: 'b' } } }] }),
      /^match\.headers\.x-a: .*exact and regex/,
    ],
    'users by the labels of their pods, which would match everybody': [
      canaryWith({}, { iterations: 1, match: [{ sourceLabels: { app: 'a' } }] }),
      /^spec\.analysis\.match\[0\]: /,
    ],
    'patterns of origins': [
      canaryWith({ corsPolicy: { allowOrigins: [{ regex: '.*' }] } }),
      /^spec\.service\.corsPolicy\.allowOrigins: /,
    ],
  };
  for (const [name, [canary, error]] of Object.entries(refused)) {
    test(name, () => {
      const answer = gateway.render(canary, splitAt(0), {}, liveOf([]));
      assert.match(answer.ok ? '' : answer.error, error);
    });
  }
});

suite('a route that was somebody else’s', () => {
  const theirs: KubeObject & { readonly spec: Json } = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'podinfo', namespace, annotations: { note: 'mine' } },
    spec: { rules: [{ backendRefs: [{ name: 'podinfo', port: 80 }] }] },
  };
  const [taken] = (() => {
    const answer = gateway.render(canaryWith(), splitAt(0), {}, liveOf([theirs]));
    return answer.ok ? answer.objects : [];
  })();
  test('keeps its annotations, and gets no owner', () => {
    assert.ok(taken);
    const { annotations, ownerReferences } = taken.wanted.metadata;
    assert.equal(annotations?.['note'], 'mine');
    assert.equal(ownerReferences, undefined);
  });
  test('is given back as it was', () => {
    assert.ok(taken);
    const [back] = gateway.revert(canaryWith(), liveOf([stored(taken)]));
    assert.deepEqual((back?.wanted as typeof theirs | undefined)?.spec, theirs.spec);
  });
});

suite('the split that is read', () => {
  const route = (rules: Json): KubeObject => {
    const spec = { rules };
    const object = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'podinfo', namespace },
      spec,
    };
    return object;
  };
  const cases: Record<string, readonly [Json, Split | undefined]> = {
    'counts absent weights as 1': [
      [{ backendRefs: [{ name: 'podinfo-primary' }, { name: 'podinfo-canary' }] }],
      splitAt(50),
    ],
    'is none where all weights are 0': [
      [{ backendRefs: [{ ...backend('primary', 0) }, { ...backend('canary', 0) }] }],
      undefined,
    ],
    'is none of rules that lead elsewhere': [[{ backendRefs: [{ name: 'other' }] }], undefined],
    'is of the last rule of ours': [
      [{ backendRefs: both(100) }, { backendRefs: both(30) }, { backendRefs: [{ name: 'x' }] }],
      splitAt(30),
    ],
  };
  for (const [name, [rules, expected]] of Object.entries(cases)) {
    test(name, () =>
      assert.deepEqual(gateway.read(canaryWith(), liveOf([route(rules)])), expected),
    );
  }
});
