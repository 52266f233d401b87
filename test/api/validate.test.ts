import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import {
  effectiveProvider,
  supportedAutoscalerKinds,
  supportedProviders,
  supportedTargetKinds,
} from '../../src/api/providers.ts';
import { describeProblems, validateCanary } from '../../src/api/validate.ts';
import type { Validation, ValidationOptions } from '../../src/api/validate.ts';

const options: ValidationOptions = {
  providers: supportedProviders,
  targetKinds: supportedTargetKinds,
  autoscalerKinds: supportedAutoscalerKinds,
  noCrossNamespaceRefs: false,
  meshProvider: 'istio',
};

type Fields = Record<string, unknown>;

const analysis: Fields = {
  interval: '1m',
  threshold: 5,
  maxWeight: 50,
  stepWeight: 10,
  metrics: [{ name: 'request-success-rate', interval: '1m', thresholdRange: { min: 99 } }],
};
const spec: Fields = {
  targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo' },
  service: { port: 80, targetPort: 9898 },
  analysis,
};

/** The good canary, with changes; a key given as undefined is left out. */
function canary(changes: { spec?: Fields; service?: Fields; analysis?: Fields }): unknown {
  const changed: Fields = {
    ...spec,
    service: { port: 80, targetPort: 9898, ...changes.service },
    analysis: { ...analysis, ...changes.analysis },
    ...changes.spec,
  };
  const metadata = { name: 'podinfo', namespace: 'shop' };
  return JSON.parse(JSON.stringify({ metadata, spec: changed })) as unknown;
}

const validate = (changes: Parameters<typeof canary>[0], more = {}): Validation =>
  validateCanary(canary(changes), { ...options, ...more });

const noSteps = { stepWeight: undefined, maxWeight: undefined };
const match = [{ headers: { 'x-user': { exact: 'tester' } } }];

test('a good canary has neither errors nor warnings', () => {
  assert.deepEqual(validate({}), { errors: [], warnings: [] });
});

suite("the reference's refusals, by its words (spec/01, 1.7)", () => {
  const noCrossNamespaceRefs = true;
  const knative = { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'podinfo' };
  const upstreamRef = { apiVersion: 'gloo.solo.io/v1', kind: 'Upstream', name: 'up' };
  const cases: Record<string, [Parameters<typeof canary>[0], string, string]> = {
    'an upstream of another namespace': [
      { spec: { upstreamRef: { ...upstreamRef, namespace: 'gloo' } } },
      'spec.upstreamRef',
      "can't access gloo upstream up.gloo, cross-namespace references are blocked",
    ],
    'a metric template of another namespace': [
      { analysis: { metrics: [{ name: 'm', templateRef: { name: 't', namespace: 'ops' } }] } },
      'spec.analysis.metrics[0].templateRef',
      "can't access metric template t.ops, cross-namespace references are blocked",
    ],
    'an alert provider of another namespace': [
      { analysis: { alerts: [{ name: 'a', providerRef: { name: 'p', namespace: 'ops' } }] } },
      'spec.analysis.alerts[0].providerRef',
      "can't access alert provider p.ops, cross-namespace references are blocked",
    ],
    'a Knative target with another provider': [
      { spec: { targetRef: knative, provider: 'istio' } },
      'spec.provider',
      "can't use istio provider with Knative Service as target",
    ],
    'the Knative provider with another target': [
      { spec: { provider: 'knative' } },
      'spec.targetRef',
      "can't use apps/v1/Deployment as target if provider is set to knative",
    ],
    'a Knative target with an autoscaler': [
      {
        spec: {
          targetRef: knative,
          provider: 'knative',
          autoscalerRef: { apiVersion: 'a/v2', kind: 'HorizontalPodAutoscaler', name: 'h' },
        },
      },
      'spec.autoscalerRef',
      "can't use autoscaler with Knative Service",
    ],
    'one cookie name for both': [
      { analysis: { sessionAffinity: { cookieName: 'c', primaryCookieName: 'c' } } },
      'spec.analysis.sessionAffinity.cookieName',
      "can't use the same cookie name for both primary and cookie name; please update them to be different",
    ],
    'no cookie name for either': [
      { analysis: { sessionAffinity: { cookieName: '' } } },
      'spec.analysis.sessionAffinity.cookieName',
      "can't use the same cookie name for both primary and cookie name; please update them to be different",
    ],
  };
  for (const [name, [changes, path, message]] of Object.entries(cases)) {
    test(name, () => {
      const [first] = validate(changes, { noCrossNamespaceRefs }).errors;
      assert.deepEqual(first, { path, message });
    });
  }

  test('a target that the provider of the flag has nothing to route to', () => {
    const [first] = validate({}, { meshProvider: 'knative' }).errors;
    const message = "can't use apps/v1/Deployment as target if provider is set to knative";
    assert.deepEqual(first, { path: 'spec.targetRef', message });
  });

  test('references to other namespaces are fine without the flag', () => {
    const metrics = [{ name: 'm', threshold: 1, templateRef: { name: 't', namespace: 'ops' } }];
    assert.deepEqual(validate({ analysis: { metrics } }), { errors: [], warnings: [] });
  });

  test('references to the own namespace are fine with it', () => {
    const metrics = [{ name: 'm', threshold: 1, templateRef: { name: 't', namespace: 'shop' } }];
    const found = validate({ analysis: { metrics } }, { noCrossNamespaceRefs });
    assert.deepEqual(found.errors, []);
  });
});

suite('refused', () => {
  const cases: Record<string, [Parameters<typeof canary>[0], string, RegExp]> = {
    'a provider of a later version': [
      { spec: { provider: 'gatewayapi:v1alpha2' } },
      'spec.provider',
      /^provider gatewayapi:v1alpha2 is not supported by this version: use .*\bistio\b.*\bkubernetes$/,
    ],
    'NGINX without an Ingress': [
      { spec: { provider: 'nginx' } },
      'spec.ingressRef',
      /^provider nginx needs the name of your Ingress$/,
    ],
    'App Mesh v1beta1 without a Mesh': [
      { spec: { provider: 'appmesh' } },
      'spec.service.meshName',
      /^provider appmesh needs the name of your Mesh$/,
    ],
    'an A/B test behind Kuma': [
      { spec: { provider: 'kuma' }, analysis: { ...noSteps, iterations: 5, match } },
      'spec.analysis.match',
      /^A\/B testing is not supported by/,
    ],
    'query parameters behind App Mesh': [
      {
        spec: { provider: 'appmesh:v1beta2' },
        analysis: { ...noSteps, iterations: 5, match: [{ queryParams: { a: { exact: '1' } } }] },
      },
      'spec.analysis.match[0].queryParams["a"].exact',
      /^the provider cannot express it: use headers$/,
    ],
    'APISIX without a route': [
      { spec: { provider: 'apisix' } },
      'spec.routeRef',
      /^provider apisix needs the name of your ApisixRoute$/,
    ],
    'an A/B test with a provider that cannot tell users apart (R2)': [
      {
        spec: { provider: 'traefik' },
        analysis: { iterations: 5, match: [{ headers: { user: { exact: 'x' } } }] },
      },
      'spec.analysis.match',
      /traefik/,
    ],
    'a target kind that there is not': [
      { spec: { targetRef: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'podinfo' } } },
      'spec.targetRef.kind',
      /^"StatefulSet" is not supported by this version: use Deployment, DaemonSet, Service$/,
    ],
    'a Service as the target that users would call by another name': [
      {
        spec: {
          targetRef: { apiVersion: 'v1', kind: 'Service', name: 'podinfo' },
          service: { name: 'shop', port: 80 },
        },
      },
      'spec.service.name',
      /^is "shop", but a Service that is the target is what users call/,
    ],
    'an autoscaler of another kind': [
      { spec: { autoscalerRef: { apiVersion: 'x/v1', kind: 'OtherScaler', name: 's' } } },
      'spec.autoscalerRef.kind',
      /"OtherScaler" is not supported by this version: use HorizontalPodAutoscaler, ScaledObject/,
    ],
    'a target whose primary has no room in a label': [
      { spec: { targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'p'.repeat(56) } } },
      'spec.targetRef.name',
      /56 characters/,
    ],
    'a missing service': [{ spec: { service: undefined } }, 'spec.service.port', /is required/],
    'a port that is none': [{ service: { port: 70_000 } }, 'spec.service.port', /70000 is no port/],
    'half a port': [{ service: { port: 80.5 } }, 'spec.service.port', /80.5 is no port/],
    'a target port that is none': [
      { service: { targetPort: 'HTTP!' } },
      'spec.service.targetPort',
      /"HTTP!" is neither a port nor the name/,
    ],
    'a port name that is none': [
      { service: { portName: 'a b' } },
      'spec.service.portName',
      /"a b"/,
    ],
    'a service name that is none': [
      { service: { name: '0podinfo' } },
      'spec.service.name',
      /"0podinfo" cannot name Services/,
    ],
    'a delegate with hosts': [
      { service: { delegation: true, hosts: ['a'] } },
      'spec.service.hosts',
      /excludes delegation/,
    ],
    'a request timeout that is no duration': [
      { service: { timeout: '15 seconds' } },
      'spec.service.timeout',
      /"15 seconds" is no duration: write numbers with units/,
    ],
    'a retry timeout that is no duration': [
      { service: { retries: { attempts: 3, perTryTimeout: '1' } } },
      'spec.service.retries.perTryTimeout',
      /"1" is no duration/,
    ],
    'an interval that the pattern lets through': [
      { analysis: { interval: '1min' } },
      'spec.analysis.interval',
      /"1min" is no duration: write numbers with units, as 30s, 5m or 1m30s/,
    ],
    'an interval that goes back': [
      { analysis: { interval: '-1m' } },
      'spec.analysis.interval',
      /no duration/,
    ],
    'a metric interval that is no duration': [
      { analysis: { metrics: [{ name: 'request-duration', interval: '1mn', threshold: 500 }] } },
      'spec.analysis.metrics[0].interval',
      /"1mn" is no duration/,
    ],
    'a hook timeout that is no duration': [
      { analysis: { webhooks: [{ name: 'w', url: 'http://w', timeout: '5sec' }] } },
      'spec.analysis.webhooks[0].timeout',
      /"5sec" is no duration/,
    ],
    'a hook without a scheme': [
      { analysis: { webhooks: [{ name: 'w', url: 'loadtester.test/' }] } },
      'spec.analysis.webhooks[0].url',
      /no http or https URL/,
    ],
    'a rollback window that is no duration': [
      { analysis: { rollbackWindow: '1day' } },
      'spec.analysis.rollbackWindow',
      /"1day" is no duration/,
    ],
    'a test without a URL': [
      { analysis: { webhooks: [{ name: 'g', type: 'confirm-rollout' }, { name: 'w' }] } },
      'spec.analysis.webhooks[1].url',
      /is missing: only confirm and rollback hooks can do without, rollout has to be called/,
    ],
    'a gate that no annotation can name': [
      { analysis: { webhooks: [{ name: 'ship, then', type: 'confirm-promotion' }] } },
      'spec.analysis.webhooks[0].name',
      /cannot be named in an annotation: no comma, no @/,
    ],
    'an empty URL, though of a gate': [
      { analysis: { webhooks: [{ name: 'w', type: 'confirm-promotion', url: '' }] } },
      'spec.analysis.webhooks[0].url',
      /no http or https URL/,
    ],
    'half a retry': [
      { analysis: { webhooks: [{ name: 'w', url: 'http://w', retries: 0.5 }] } },
      'spec.analysis.webhooks[0].retries',
      /0.5 is not a whole number/,
    ],
    'steps that go down': [
      { analysis: { ...noSteps, stepWeights: [10, 30, 20] } },
      'spec.analysis.stepWeights[2]',
      /^20 is no step up after 30: weights must rise$/,
    ],
    'steps that repeat (D12)': [
      { analysis: { ...noSteps, stepWeights: [10, 10, 80] } },
      'spec.analysis.stepWeights[1]',
      /^10 is no step up after 10/,
    ],
    'steps that begin at nothing': [
      { analysis: { ...noSteps, stepWeights: [0, 10] } },
      'spec.analysis.stepWeights[0]',
      /^0 is no step up where every rollout starts/,
    ],
    'half a step': [
      { analysis: { ...noSteps, stepWeights: [10.5, 20] } },
      'spec.analysis.stepWeights[0]',
      /10.5 is not a whole number/,
    ],
    'a step below nothing': [
      { analysis: { ...noSteps, stepWeights: [-5, 20] } },
      'spec.analysis.stepWeights[0]',
      /-5 is below 0/,
    ],
    'no step at all': [
      { analysis: { stepWeight: 0 } },
      'spec.analysis.stepWeight',
      /would never advance: set stepWeight, stepWeights or iterations/,
    ],
    'an empty list of steps': [
      { analysis: { ...noSteps, stepWeights: [] } },
      'spec.analysis.stepWeight',
      /would never advance/,
    ],
    'no iterations': [
      { analysis: { ...noSteps, iterations: 0 } },
      'spec.analysis.stepWeight',
      /would never advance/,
    ],
    'half a threshold': [{ analysis: { threshold: 1.5 } }, 'spec.analysis.threshold', /1.5 is not/],
    'a negative step': [
      { analysis: { stepWeight: -1 } },
      'spec.analysis.stepWeight',
      /-1 is below/,
    ],
    'a maximum that is never reached': [
      { analysis: { maxWeight: 150 } },
      'spec.analysis.maxWeight',
      /150 is above 100/,
    ],
    'pods that are never ready enough': [
      { analysis: { canaryReadyThreshold: 101 } },
      'spec.analysis.canaryReadyThreshold',
      /101 is above 100/,
    ],
    'a metric that nothing measures': [
      { analysis: { metrics: [{ name: 'request-sucess-rate', thresholdRange: { min: 99 } }] } },
      'spec.analysis.metrics[0]',
      /"request-sucess-rate" is not built in .* would fail every check/,
    ],
    'a range that is empty': [
      { analysis: { metrics: [{ name: 'request-duration', thresholdRange: { min: 2, max: 1 } }] } },
      'spec.analysis.metrics[0].thresholdRange',
      /min 2 is above max 1/,
    ],
    'a success rate beyond all': [
      { analysis: { metrics: [{ name: 'request-success-rate', thresholdRange: { min: 101 } }] } },
      'spec.analysis.metrics[0].thresholdRange',
      /no success rate reaches 101/,
    ],
    'A/B testing of plain TCP': [
      { service: { appProtocol: 'TCP' }, analysis: { ...noSteps, iterations: 5, match } },
      'spec.analysis.match',
      /not supported by provider istio with appProtocol tcp/,
    ],
    'an A/B test that matches everybody': [
      { analysis: { ...noSteps, iterations: 5, match: [...match, {}] } },
      'spec.analysis.match[1]',
      /would send everybody to the canary/,
    ],
    'an operator that the provider lacks': [
      {
        analysis: {
          ...noSteps,
          iterations: 5,
          match: [{ queryParams: { user: { suffix: 'x' } } }],
        },
      },
      'spec.analysis.match[0].queryParams["user"].suffix',
      /cannot express it: use exact, prefix, regex/,
    ],
  };
  for (const [name, [changes, path, message]] of Object.entries(cases)) {
    test(name, () => {
      const { errors } = validate(changes);
      const found = errors.find((error) => error.path === path);
      assert.ok(found !== undefined, JSON.stringify(errors));
      assert.match(found.message, message);
      const paths = errors.filter((error) => error.path === path);
      assert.equal(paths.length, 1, describeProblems(errors));
    });
  }

  test('a provider of a later version that only the flag names', () => {
    const [first] = validate({}, { meshProvider: 'gatewayapi:v1alpha2' }).errors;
    assert.match(
      first?.message ?? '',
      /gatewayapi:v1alpha2, which -mesh-provider asks for, is not/,
    );
  });
});

suite('warned about', () => {
  const webhooks = [{ name: 'gate', type: 'confirm-rollout', url: 'http://gate.test' }];
  const cases: Record<string, [Parameters<typeof canary>[0], RegExp]> = {
    'an interval below the shortest': [
      { analysis: { interval: '5s' } },
      /^spec.analysis.interval: 5s is raised to 10s/,
    ],
    'a threshold of nothing': [{ analysis: { threshold: 0 } }, /threshold: 0 acts as 1/],
    'a threshold below nothing': [{ analysis: { threshold: -3 } }, /threshold: -3 acts as 1/],
    'a last step beyond all traffic': [
      { analysis: { ...noSteps, stepWeights: [1, 2, 10, 200] } },
      /stepWeights\[3\]: 200 acts as 100/,
    ],
    'a step beyond all traffic': [
      { analysis: { stepWeight: 110, maxWeight: undefined } },
      /stepWeight: 110 acts as 100/,
    ],
    'a maximum that is overshot': [
      { analysis: { stepWeight: 20 } },
      /maxWeight: 50 is no multiple of stepWeight 20: the last step is 60/,
    ],
    'a maximum beside a list of steps': [
      { analysis: { stepWeight: undefined, stepWeights: [1, 2] } },
      /maxWeight: is ignored: stepWeights says/,
    ],
    'a promotion in steps without routes': [
      { spec: { provider: 'kubernetes' }, analysis: { stepWeightPromotion: 20 } },
      /stepWeightPromotion: is ignored: provider kubernetes does not split traffic/,
    ],
    'a promotion in steps behind Knative': [
      {
        spec: {
          provider: 'knative',
          targetRef: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'podinfo' },
        },
        analysis: { stepWeightPromotion: 20 },
      },
      /stepWeightPromotion: is ignored: the canary is the primary from the moment/,
    ],
    'a match without iterations': [
      { analysis: { match } },
      /match: is ignored: A\/B testing needs iterations above 0/,
    ],
    'A/B testing without routes': [
      { spec: { provider: 'kubernetes' }, analysis: { ...noSteps, iterations: 5, match } },
      /match: A\/B testing is not supported when using the kubernetes provider/,
    ],
    'weights without routes': [
      { spec: { provider: 'kubernetes' } },
      /Progressive traffic is not supported when using the kubernetes provider: .* 10 iterations/,
    ],
    'mirroring where it cannot be seen (D35)': [
      { spec: { provider: 'kubernetes' }, analysis: { mirror: true } },
      /mirror: is skipped: provider kubernetes does not mirror traffic/,
    ],
    'mirroring of plain TCP': [
      { service: { appProtocol: 'tcp' }, analysis: { mirror: true } },
      /mirror: is skipped: provider istio with appProtocol tcp/,
    ],
    'a share of no mirror': [{ analysis: { mirrorWeight: 10 } }, /mirrorWeight: is ignored/],
    'session affinity without routes': [
      { spec: { provider: 'kubernetes' }, analysis: { sessionAffinity: { cookieName: 'c' } } },
      /sessionAffinity: is ignored: provider kubernetes does not support it/,
    ],
    'an old version of Deployment': [
      { spec: { targetRef: { apiVersion: 'apps/v1beta2', kind: 'Deployment', name: 'podinfo' } } },
      /apiVersion: "apps\/v1beta2" is read as apps\/v1/,
    ],
    'a target that is a primary': [
      { spec: { targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a-primary' } } },
      /named like a primary/,
    ],
    'a deadline of nothing': [
      { spec: { progressDeadlineSeconds: 0 } },
      /progressDeadlineSeconds: 0 fails each rollout/,
    ],
    'an analysis that nothing can fail': [
      { analysis: { metrics: [], webhooks } },
      /nothing can fail: without metrics and test webhooks/,
    ],
    'a success rate that always passes': [
      { analysis: { metrics: [{ name: 'request-success-rate', thresholdRange: { max: 100 } }] } },
      /every success rate passes: set min/,
    ],
    'a success rate without a threshold': [
      { analysis: { metrics: [{ name: 'request-success-rate' }] } },
      /every success rate passes/,
    ],
    'a share where percent are meant': [
      { analysis: { metrics: [{ name: 'request-success-rate', thresholdRange: { min: 0.99 } }] } },
      /0.99 is 0.99 percent, not a share of one: did you mean 99\?/,
    ],
    'a duration without a threshold': [
      { analysis: { metrics: [{ name: 'request-duration' }] } },
      /metrics\[0\]: has no threshold: any value above 0 fails/,
    ],
    'a range without bounds': [
      { analysis: { metrics: [{ name: 'request-duration', thresholdRange: {} }] } },
      /neither min nor max: the check passes whatever the value/,
    ],
  };
  for (const [name, [changes, warning]] of Object.entries(cases)) {
    test(name, () => {
      const { errors, warnings } = validate(changes);
      assert.deepEqual(errors, []);
      assert.equal(warnings.filter((text) => warning.test(text)).length, 1, warnings.join('\n'));
      for (const text of warnings) assert.match(text, /^spec\.[\w.[\]]+: [^\n]+$/);
    });
  }

  test('a flag that nobody knows, in the words of the reference', () => {
    const { errors, warnings } = validate({}, { meshProvider: 'crossover' });
    assert.deepEqual(errors, []);
    const message = "unknown mesh router provider 'crossover', using istio";
    assert.deepEqual(warnings, [`spec.provider: ${message}`]);
  });
});

suite('fine', () => {
  const cases: Record<string, Parameters<typeof canary>[0]> = {
    'an A/B test': { analysis: { ...noSteps, iterations: 5, match } },
    'blue/green without routes': {
      spec: { provider: 'kubernetes' },
      analysis: { ...noSteps, iterations: 5 },
    },
    'a named target port': { service: { targetPort: 'http' } },
    'the port itself as target': { service: { targetPort: '0' } },
    'a number in quotes': { service: { targetPort: '9898' } },
    'steps that rise': { analysis: { ...noSteps, stepWeights: [1, 2, 10, 80] } },
    'a template': {
      analysis: { metrics: [{ name: 'm', threshold: 1, templateRef: { name: 't' } }] },
    },
    'a load test as the only check': {
      analysis: { metrics: [], webhooks: [{ name: 'w', url: 'http://loadtester.test/' }] },
    },
    'no checks where the analysis is skipped': {
      spec: { skipAnalysis: true },
      analysis: { metrics: [] },
    },
    'an autoscaler': {
      spec: { autoscalerRef: { apiVersion: 'a/v2', kind: 'HorizontalPodAutoscaler', name: 'h' } },
    },
    'a timeout without routes that nobody reads': {
      spec: { provider: 'kubernetes' },
      service: { timeout: 'soon' },
      analysis: { ...noSteps, iterations: 5 },
    },
  };
  for (const [name, changes] of Object.entries(cases)) {
    test(name, () => assert.deepEqual(validate(changes), { errors: [], warnings: [] }));
  }
});

const providers: readonly (readonly [string | undefined, string, string])[] = [
  [undefined, 'istio', 'istio'],
  ['', 'kubernetes', 'kubernetes'],
  ['kubernetes', 'istio', 'kubernetes'],
  [undefined, 'gatewayapi', 'istio'],
  [undefined, '', 'istio'],
  [undefined, 'smi:v1alpha2:linkerd', 'smi:v1alpha2'],
  [undefined, 'gatewayapi:v1', 'gatewayapi:v1'],
];
for (const [own, flag, expected] of providers) {
  test(`provider ${own ?? '(none)'} under flag "${flag}" is ${expected}`, () => {
    assert.equal(effectiveProvider(own, flag), expected);
  });
}

test('every stepping of weights is accepted exactly if it rises within 1 to 100', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -5, max: 105 }), { minLength: 1 }), (weights) => {
      const { errors } = validate({ analysis: { ...noSteps, stepWeights: weights } });
      const rises = weights.every((weight, index) => weight > (weights[index - 1] ?? 0));
      assert.equal(errors.length === 0, rises);
    }),
  );
});

test('whatever it is given, validation answers', () => {
  const anything = fc.anything();
  const hostile = fc.oneof(
    anything,
    fc.record({ spec: anything }),
    fc.record({
      spec: fc.record({
        targetRef: anything,
        service: fc.dictionary(fc.constantFrom('port', 'timeout', 'retries', 'name'), anything),
        analysis: fc.dictionary(
          fc.constantFrom('metrics', 'webhooks', 'match', 'stepWeights', 'interval', 'iterations'),
          fc.oneof(anything, fc.array(anything)),
        ),
      }),
    }),
  );
  fc.assert(
    fc.property(hostile, (canary) => {
      const { errors, warnings } = validateCanary(canary, options);
      for (const text of [...errors.map(({ message }) => message), ...warnings]) {
        assert.ok(text.length < 500, text);
      }
    }),
  );
});
