import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Canary, CanaryMetric } from '../../src/api/canary.ts';
import type { MetricTemplate } from '../../src/api/metric-template.ts';
import { runMetrics } from '../../src/metrics/run-metrics.ts';
import type { MetricReply } from '../../src/rehearsal/scenario.ts';
import type { MetricQuestion } from '../../src/rehearsal/synthetic-prometheus.ts';
import { createSyntheticPrometheus } from '../../src/rehearsal/synthetic-prometheus.ts';

/** `spec/03`, 1.3: the names that have queries of their own, and one that has not. */
const providers = [
  'apisix',
  'appmesh:v1beta2',
  'contour',
  'gatewayapi:v1',
  'gloo',
  'istio',
  'knative',
  'kubernetes',
  'kuma',
  'linkerd',
  'nginx',
  'osm',
  'skipper',
  'smi:v1alpha1',
  'traefik',
];

const canaryOf = (
  metrics: readonly CanaryMetric[],
  more: Partial<Canary['spec']> = {},
): Canary => ({
  apiVersion: 'flagger.app/v1beta1',
  kind: 'Canary',
  metadata: { name: 'web-shop', namespace: 'test' },
  spec: {
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web-shop' },
    service: { port: 80 },
    analysis: { metrics },
    ...more,
  },
});

const template: MetricTemplate = {
  apiVersion: 'flagger.app/v1beta1',
  kind: 'MetricTemplate',
  metadata: { name: 'queue', namespace: 'test' },
  spec: {
    provider: { type: 'prometheus', address: 'http://other:9090/path' },
    query: 'max(\n  queue_length{ app="{{ target }}" }[{{ interval }}]\n)',
  },
};

async function measure(
  canary: Canary,
  oracle: (question: MetricQuestion) => MetricReply,
  meshProvider = 'istio',
) {
  const asked: MetricQuestion[] = [];
  const lookUp = (namespace: string, name: string) =>
    namespace === 'test' && name === 'queue' ? template : undefined;
  const { transport } = createSyntheticPrometheus({
    canaries: () => [canary],
    template: lookUp,
    meshProvider,
    oracle: (question) => {
      asked.push(question);
      return oracle(question);
    },
    nowMs: () => 1_700_000_000_000,
  });
  const outcome = await runMetrics(canary, {
    meshProvider,
    metricsServer: 'http://prometheus:9090',
    template: lookUp,
    secret: async () => ({}),
    transport,
    signal: new AbortController().signal,
  });
  return { ...outcome, asked };
}

const both: readonly CanaryMetric[] = [
  { name: 'request-success-rate', thresholdRange: { min: 99 }, interval: '1m' },
  { name: 'request-duration', thresholdRange: { max: 500 }, interval: '30s' },
];

suite('the controller’s own queries are recognised and answered in its units', () => {
  for (const provider of providers) {
    test(`of ${provider}`, async () => {
      const canary = canaryOf(both, { provider });
      const { passed, reports, asked } = await measure(canary, ({ asks }) =>
        asks.kind === 'BuiltIn' && asks.metric === 'request-success-rate' ? 99.5 : 250,
      );
      assert.equal(passed, true);
      assert.deepEqual(
        reports.map(({ metric, value, unit }) => [metric, value, unit]),
        [
          ['request-success-rate', 99.5, '%'],
          ['request-duration', 250, 'ms'],
        ],
      );
      assert.deepEqual(
        asked.map(({ windowMs }) => windowMs),
        [60_000, 30_000],
      );
    });
  }
});

suite('a query of the user’s own', () => {
  const own = { name: 'errors', query: 'sum(errors{ns="{{ namespace }}"})', threshold: 3 };

  test('is recognised as the metric that it is', async () => {
    const { asked, reports } = await measure(canaryOf([own]), () => 2);
    assert.deepEqual(asked[0]?.asks, { kind: 'Own' });
    assert.equal(asked[0].metric.name, 'errors');
    assert.equal(reports[0]?.value, 2);
  });

  test('of a template names the template, whatever its white space', async () => {
    const metric = { name: 'queue-length', templateRef: { name: 'queue' }, threshold: 3 };
    const { asked, passed } = await measure(canaryOf([metric]), () => 4);
    assert.deepEqual(asked[0]?.asks, { kind: 'Own', template: 'queue' });
    assert.equal(passed, false);
  });
});

suite('without a value', () => {
  const rate = canaryOf(both.slice(0, 1));
  test('the answer is empty', async () => {
    const { events } = await measure(rate, () => 'none');
    assert.match(events[0]?.message ?? '', /^Halt advancement no values found for istio metric/);
  });
  test('a server that is out of order cannot be asked', async () => {
    const { events } = await measure(rate, () => 'unavailable');
    assert.match(events[0]?.message ?? '', /^Prometheus query failed: .*Status 503/);
  });
});

suite('over HTTP', () => {
  const prometheus = createSyntheticPrometheus({
    canaries: () => [canaryOf(both)],
    template: () => undefined,
    meshProvider: 'istio',
    oracle: () => 1,
    nowMs: () => 1_700_000_000_500,
  });
  const get = (path: string) => prometheus.respond(new URL(path, 'http://prometheus:9090'));

  test('a sample is as Prometheus writes it', () => {
    const { status, body } = get('/api/v1/query?query=vector(1)');
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(body), {
      status: 'success',
      data: { resultType: 'vector', result: [{ metric: {}, value: [1_700_000_000.5, '1'] }] },
    });
  });

  test('what is no question of a canary has no series', () => {
    const { body } = get('/api/v1/query?query=up');
    assert.deepEqual((JSON.parse(body) as { data: unknown }).data, {
      resultType: 'vector',
      result: [],
    });
  });

  test('another path, or no query, is refused', () => {
    assert.equal(get('/metrics').status, 404);
    assert.equal(get('/api/v1/query').status, 400);
  });
});
