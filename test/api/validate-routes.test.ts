/** What admission says to the annotations that choose routes of the Gateway API. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  supportedAutoscalerKinds,
  supportedProviders,
  supportedTargetKinds,
} from '../../src/api/providers.ts';
import { describeProblems, validateCanary } from '../../src/api/validate.ts';

const kind = 'aviary.dev/route-kind';
const testers = 'aviary.dev/match-with-weights';
const gatewayRefs = [{ name: 'public' }];
const steps = {
  interval: '1m',
  threshold: 5,
  stepWeight: 10,
  maxWeight: 50,
  metrics: [{ name: 'request-success-rate', interval: '1m', thresholdRange: { min: 99 } }],
};
const insiders = [{ headers: { 'x-canary': { exact: 'insider' } } }];

interface Given {
  readonly provider?: string;
  readonly annotations?: Readonly<Record<string, unknown>>;
  readonly service?: object;
  readonly analysis?: object;
}

function said({ provider = 'gatewayapi:v1', annotations, service, analysis }: Given) {
  const canary = {
    metadata: { name: 'podinfo', namespace: 'shop', annotations },
    spec: {
      provider,
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo' },
      service: { port: 80, targetPort: 9898, gatewayRefs, ...service },
      analysis: { ...steps, ...analysis },
    },
  };
  const { errors, warnings } = validateCanary(canary, {
    providers: supportedProviders,
    targetKinds: supportedTargetKinds,
    autoscalerKinds: supportedAutoscalerKinds,
    noCrossNamespaceRefs: false,
    meshProvider: 'istio',
  });
  return [...(errors.length > 0 ? [`refused: ${describeProblems(errors)}`] : []), ...warnings];
}

const grpc = { [kind]: 'GRPCRoute' };
const open = { [testers]: 'enabled' };
const cases: Record<string, readonly [Given, readonly string[]]> = {
  'a GRPCRoute': [{ annotations: grpc }, []],
  'an HTTPRoute': [{ annotations: { [kind]: 'HTTPRoute' } }, []],
  'another kind': [
    { annotations: { [kind]: 'TCPRoute' } },
    [`refused: metadata.annotations[${kind}]: say HTTPRoute or GRPCRoute`],
  ],
  'a GRPCRoute of v1beta1': [
    { annotations: grpc, provider: 'gatewayapi:v1beta1' },
    [`refused: metadata.annotations[${kind}]: GRPCRoute needs provider gatewayapi:v1`],
  ],
  'what a GRPCRoute does not have': [
    {
      annotations: grpc,
      service: { timeout: '5s', match: [{ queryParams: { q: { exact: '1' } } }] },
      analysis: { sessionAffinity: { cookieName: 'sticky' } },
    },
    [
      'refused: spec.service.timeout: a GRPCRoute has no such thing; ' +
        'spec.analysis.sessionAffinity: a GRPCRoute has no such thing; ' +
        'spec.service.match[0].queryParams: gRPC has none, use headers',
    ],
  ],
  'testers beside weights': [{ annotations: open, analysis: { match: insiders } }, []],
  'testers whom the provider cannot tell apart': [
    { annotations: open, analysis: { match: [{ headers: { 'x-canary': { prefix: 'in' } } }] } },
    [
      'refused: spec.analysis.match[0].headers["x-canary"].prefix: ' +
        'the provider cannot express it: use exact, regex',
    ],
  ],
};

for (const [name, [given, expected]] of Object.entries(cases)) {
  test(name, () => assert.deepEqual(said(given), expected));
}

test('what has no effect is said', () => {
  const ignored: readonly (readonly [Given, RegExp])[] = [
    [{ provider: 'istio', annotations: grpc }, /provider istio has no kinds of routes/],
    [{ provider: 'istio', annotations: open }, /the Gateway API has/],
    [{ annotations: { [testers]: 'yes' } }, /yes is not enabled/],
    [{ annotations: open }, /analysis\.match names nobody/],
    [{ analysis: { match: insiders } }, /A\/B testing needs iterations above 0/],
  ];
  for (const [given, expected] of ignored) {
    const [line = '', ...more] = said(given);
    assert.match(line, expected);
    assert.deepEqual(more, []);
  }
});
