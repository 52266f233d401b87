import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import type { Canary, CanaryAnalysis } from '../../src/api/canary.ts';
import type { Deployment, HorizontalPodAutoscaler } from '../../src/api/kubernetes.ts';
import type { AdviceSubject } from '../../src/rehearsal/advice/advice.ts';
import { advise, adviceRules } from '../../src/rehearsal/advice/advice.ts';
import { readScenario } from '../../src/rehearsal/read-scenario.ts';

/** A Canary of which nothing is to be said, in a scenario that fits it. */
const goodAnalysis: CanaryAnalysis = {
  interval: '1m',
  threshold: 3,
  stepWeights: [5, 20, 50, 80],
  stepWeightPromotion: 25,
  metrics: [
    { name: 'request-success-rate', thresholdRange: { min: 99 }, interval: '1m' },
    { name: 'request-duration', thresholdRange: { max: 500 }, interval: '1m' },
  ],
};

const goodScenario = `
requestsPerSecond: 100
revisions: { v2: { pods: { readyAfter: 20s } } }
actions: [{ at: 0s, deploy: v2 }]
`;

interface Given {
  readonly analysis?: CanaryAnalysis;
  readonly spec?: Partial<Canary['spec']>;
  readonly scenario?: string;
  readonly deployment?: Deployment;
  readonly autoscaler?: HorizontalPodAutoscaler;
}

function subjectOf(given: Given): AdviceSubject {
  const read = readScenario('s', given.scenario ?? goodScenario, 's');
  assert.ok(read.ok, JSON.stringify(read));
  return {
    canary: {
      apiVersion: 'flagger.app/v1beta1',
      kind: 'Canary',
      metadata: { name: 'cart', namespace: 'shop' },
      spec: {
        targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'cart' },
        analysis: { ...goodAnalysis, ...given.analysis },
        ...given.spec,
      },
    },
    scenario: read.scenario,
    abilities: { weights: true, mirroring: true },
    deployment: given.deployment,
    autoscaler: given.autoscaler,
  };
}

const deploymentOf = (container: object, spec: Partial<Deployment['spec']> = {}): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'cart', namespace: 'shop' },
  spec: {
    selector: {},
    template: {
      spec: { containers: [{ name: 'app', ports: [{ containerPort: 80 }], ...container }] },
    },
    ...spec,
  },
});

const metrics = (...list: NonNullable<CanaryAnalysis['metrics']>): Given => ({
  analysis: { metrics: list },
});
const gate = { name: 'approval', type: 'confirm-promotion', url: 'http://gate' } as const;
const success = goodAnalysis.metrics?.[0] ?? { name: '' };
const duration = goodAnalysis.metrics?.[1] ?? { name: '' };

/** Each row: what is given, and the path at which the rule finds it; undefined: it finds nothing. */
const cases: Record<string, readonly [string, Given, string | undefined]> = {
  'a success rate of at least 0': [
    'threshold-never-trips',
    metrics({ ...success, thresholdRange: { min: 0 } }),
    'spec.analysis.metrics[0]',
  ],
  'a duration that the timeout keeps below its bound': [
    'threshold-never-trips',
    { spec: { service: { port: 80, timeout: '500ms' } } },
    'spec.analysis.metrics[1]',
  ],
  'a duration whose bound is below the timeout': [
    'threshold-never-trips',
    { spec: { service: { port: 80, timeout: '5s' } } },
    undefined,
  ],
  'a range without ends': [
    'threshold-never-trips',
    metrics(success, { name: 'x', query: 'y', thresholdRange: {} }),
    'spec.analysis.metrics[1]',
  ],
  'a metric of one’s own without a threshold': [
    'metric-without-threshold',
    metrics(success, { name: 'x', query: 'y' }),
    'spec.analysis.metrics[1]',
  ],
  'a threshold of half a millisecond': [
    'duration-looks-like-seconds',
    metrics(success, { name: 'request-duration', threshold: 0.5 }),
    'spec.analysis.metrics[1]',
  ],
  'latency alone': ['errors-not-judged', metrics(duration), 'spec.analysis.metrics'],
  'latency and a query of one’s own': [
    'errors-not-judged',
    metrics(duration, { name: 'errors', query: 'x', threshold: 1 }),
    undefined,
  ],
  'more failures allowed than there are verdicts': [
    'threshold-above-verdicts',
    { analysis: { threshold: 5 } },
    'spec.analysis.threshold',
  ],
  'as many failures as verdicts': [
    'threshold-above-verdicts',
    { analysis: { threshold: 4 } },
    undefined,
  ],
  'no failure allowed': [
    'one-failure-rolls-back',
    { analysis: { threshold: 1 } },
    'spec.analysis.threshold',
  ],
  'a window of one scrape and a half': [
    'window-below-two-scrapes',
    metrics({ ...success, interval: '20s' }),
    'spec.analysis.metrics[0].interval',
  ],
  'verdicts faster than scrapes': [
    'interval-below-scrape',
    { analysis: { interval: '10s' } },
    'spec.analysis.interval',
  ],
  'a window of several steps': [
    'window-above-interval',
    metrics({ ...success, interval: '3m' }),
    'spec.analysis.metrics[0].interval',
  ],
  'a window longer than all steps': [
    'analysis-below-window',
    metrics({ ...success, interval: '10m' }),
    'spec.analysis.metrics[0].interval',
  ],
  'blue/green without a load test': [
    'no-traffic-before-switch',
    { analysis: { stepWeights: [], iterations: 4 } },
    'spec.analysis.webhooks',
  ],
  'blue/green with a load test': [
    'no-traffic-before-switch',
    {
      analysis: {
        stepWeights: [],
        iterations: 4,
        webhooks: [{ name: 'load-test', url: 'http://x' }],
      },
    },
    undefined,
  ],
  'a first step with 30 requests a minute': [
    'too-few-requests',
    { scenario: goodScenario.replace('100', '10') },
    'spec.analysis.metrics[0]',
  ],
  'pods that take longer than the Canary waits': [
    'deadline-before-readiness',
    { spec: { progressDeadlineSeconds: 15 } },
    'spec.progressDeadlineSeconds',
  ],
  'pods that must be ready for a while before they count': [
    'deadline-before-readiness',
    {
      spec: { progressDeadlineSeconds: 45 },
      deployment: deploymentOf({ readinessProbe: {} }, { minReadySeconds: 30 }),
    },
    'spec.progressDeadlineSeconds',
  ],
  'a container with a port and no probe': [
    'no-readiness-probe',
    { deployment: deploymentOf({}) },
    'spec.template.spec.containers[0]',
  ],
  'a container with a probe': [
    'no-readiness-probe',
    { deployment: deploymentOf({ readinessProbe: { httpGet: {} } }) },
    undefined,
  ],
  'a gate of which the scenario says nothing': [
    'gate-unanswered',
    { analysis: { webhooks: [gate] } },
    'spec.analysis.webhooks[0]',
  ],
  'a gate that nobody opens': [
    'gate-unanswered',
    { analysis: { webhooks: [gate] }, scenario: `${goodScenario}hooks: { approval: refuses }` },
    'spec.analysis.webhooks[0]',
  ],
  'a gate that is opened': [
    'gate-unanswered',
    { analysis: { webhooks: [gate] }, scenario: `${goodScenario}hooks: { approval: accepts }` },
    undefined,
  ],
  'a test that may take longer than an interval': [
    'hook-above-interval',
    { analysis: { webhooks: [{ name: 'test', url: 'http://x', timeout: '2m' }] } },
    'spec.analysis.webhooks[0]',
  ],
  'a first step of a half': [
    'first-step-is-big',
    { analysis: { stepWeights: [50, 100] } },
    'spec.analysis.stepWeights[0]',
  ],
  'a promotion in one jump': [
    'promoted-in-one-jump',
    { analysis: { stepWeightPromotion: 0 } },
    'spec.analysis.stepWeightPromotion',
  ],
  'a blue/green rollout, which has no weights': [
    'promoted-in-one-jump',
    { analysis: { stepWeightPromotion: 0, stepWeights: [], iterations: 5 } },
    undefined,
  ],
  'a revision that comes too early': [
    'rollout-outlasts-next-revision',
    {
      scenario:
        'revisions: { a: {}, b: {} }\nactions: [{ at: 0s, deploy: a }, { at: 3m, deploy: b }]',
    },
    'spec.analysis',
  ],
  'a rollout of half a day': [
    'rollout-takes-long',
    { analysis: { interval: '3h' } },
    'spec.analysis',
  ],
  'an autoscaler that the Canary does not name': [
    'autoscaler-not-referenced',
    {
      autoscaler: {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'cart', namespace: 'shop' },
        spec: { scaleTargetRef: { kind: 'Deployment', name: 'cart' }, maxReplicas: 4 },
      },
    },
    'spec.autoscalerRef',
  ],
};

suite('advice is given', () => {
  for (const [name, [id, given, path]] of Object.entries(cases)) {
    test(`${id}: ${path === undefined ? 'not for ' : ''}${name}`, () => {
      const found = advise(subjectOf(given)).filter((advice) => advice.id === id);
      assert.deepEqual(
        found.map((advice) => advice.path),
        path === undefined ? [] : [path],
        JSON.stringify(found),
      );
    });
  }

  test('of nothing where there is nothing', () => {
    assert.deepEqual(advise(subjectOf({})), []);
  });

  test('by rules that are all tried here, with ids of their own and words that end', () => {
    const ids = adviceRules.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(
      new Set(Object.values(cases).flatMap(([id, , path]) => (path === undefined ? [] : [id]))),
      new Set(ids),
    );
    for (const { means, todo } of adviceRules)
      assert.match(`${means} ${todo}`, /^[a-zA-Z].*\. [A-Z].*\.$/);
  });
});

test('docs/rehearsal.md explains each rule', () => {
  const docs = readFileSync(new URL('../../docs/rehearsal.md', import.meta.url), 'utf8');
  for (const { id, means, todo } of adviceRules) {
    const row = docs.split('\n').find((line) => line.startsWith(`| \`${id}\``)) ?? '';
    assert.ok(row.includes(means) && row.includes(todo), id);
  }
});
