/** `analysis.match` beside weights, by annotation: a door for testers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchWithWeightsAnnotation, routeKindAnnotation } from '../../src/api/annotations.ts';
import type { Canary, CanaryAnalysis, CanaryService } from '../../src/api/canary.ts';
import type { StringMap } from '../../src/api/kubernetes.ts';
import { gatewayApi } from '../../src/routing/gateway-api.ts';
import type { Rendered } from '../../src/routing/provider.ts';
import { canaryOf, liveOf, splitAt, stored } from './canaries.ts';
import { conform } from './conform.ts';

const gateway = gatewayApi('v1');
const enabled: StringMap = { [matchWithWeightsAnnotation]: 'enabled' };
const testers = [{ headers: { 'x-canary': { exact: 'insider' } } }];

const annotated = (canary: Canary, annotations: StringMap): Canary => ({
  ...canary,
  metadata: { ...canary.metadata, annotations },
});

conform({
  name: 'gatewayapi:v1, with a door for testers',
  routeKeys: (canary) => gateway.routeKeys(canary),
  render: (canary, ...given) => gateway.render(annotated(canary, enabled), ...given),
  read: (canary, live) => gateway.read(annotated(canary, enabled), live),
  revert: (canary, live) => gateway.revert(canary, live),
});

interface Given {
  readonly annotations?: StringMap;
  readonly analysis?: CanaryAnalysis;
  readonly service?: Partial<CanaryService>;
  readonly weight?: number;
}

function rendered({ annotations = enabled, analysis, service, weight = 30 }: Given): Rendered {
  const gatewayRefs = [{ name: 'public' }];
  const given = { stepWeight: 30, match: testers, ...analysis };
  const canary = annotated(canaryOf({ gatewayRefs, ...service }, given), annotations);
  return gateway.render(canary, splitAt(weight), { canary: 'sticky=a' }, liveOf([]));
}

/** For each rule the header that it asks for, and the weights behind it. */
function rulesOf(answer: Rendered): readonly string[] {
  assert.ok(answer.ok, answer.ok ? '' : answer.error);
  interface Rule {
    readonly matches: readonly { readonly headers?: readonly { readonly name: string }[] }[];
    readonly backendRefs: readonly { readonly weight: number }[];
  }
  return answer.objects.flatMap((route) => {
    const { spec } = stored(route) as unknown as { readonly spec: { readonly rules: Rule[] } };
    return spec.rules.map(({ matches, backendRefs }) => {
      const names = matches.flatMap(({ headers = [] }) => headers.map(({ name }) => name));
      return `${names.join('+') || 'all'} ${backendRefs.map(({ weight }) => weight).join(':')}`;
    });
  });
}

const cases: Record<string, readonly [Given, readonly string[]]> = {
  'testers see the canary, the others by weight': [{}, ['x-canary 0:100', 'all 70:30']],
  'not without the annotation': [{ annotations: {} }, ['all 70:30']],
  'not at weight 0': [{ weight: 0 }, ['all 100:0']],
  'testers come before bearers of a cookie': [
    { analysis: { sessionAffinity: { cookieName: 'sticky' } } },
    ['x-canary 0:100', 'Cookie 0:100', 'all 70:30'],
  ],
  'an A/B test has its own rules': [
    { analysis: { iterations: 5 }, weight: 100 },
    ['x-canary 0:100', 'all 100'],
  ],
};
for (const [name, [given, expected]] of Object.entries(cases)) {
  test(name, () => assert.deepEqual(rulesOf(rendered(given)), expected));
}

test('testers whom nothing tells apart are refused before anything moves', () => {
  const analysis = { match: [{ sourceLabels: { app: 'web' } }] };
  for (const weight of [0, 30]) {
    assert.deepEqual(rendered({ analysis, weight }), {
      ok: false,
      error: 'spec.analysis.match[0]: the Gateway API tells users by headers and queryParams only',
    });
    const annotations = { ...enabled, [routeKindAnnotation]: 'GRPCRoute' };
    assert.deepEqual(rendered({ annotations, analysis, weight }), {
      ok: false,
      error: 'spec.analysis.match[0]: a GRPCRoute tells users by headers only',
    });
  }
});
