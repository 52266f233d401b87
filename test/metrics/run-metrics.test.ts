/** The two passes of a verdict, and the availability of providers (`spec/03`, 1.1, 1.8 and 1.9). */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Canary, CanaryMetric } from '../../src/api/canary.ts';
import type { MetricTemplate } from '../../src/api/metric-template.ts';
import type { MetricsContext } from '../../src/metrics/run-metrics.ts';
import { checkAvailability, runMetrics } from '../../src/metrics/run-metrics.ts';
import type { Answer, Transport } from '../../src/metrics/transport.ts';

function canaryOf(metrics: readonly CanaryMetric[], spec: Partial<Canary['spec']> = {}): Canary {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'podinfo', namespace: 'test' },
    spec: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'app' },
      analysis: { metrics },
      ...spec,
    },
  };
}

function templateOf(
  name: string,
  query: string,
  provider: Partial<MetricTemplate['spec']['provider']> = {},
): MetricTemplate {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'MetricTemplate',
    metadata: { name, namespace: 'test' },
    spec: { provider: { type: 'prometheus', address: 'http://other:9090', ...provider }, query },
  };
}

interface Asked {
  readonly host: string;
  readonly query: string;
  readonly authorization?: string;
}

/** A world whose servers answer with the number that a query has behind its last blank. */
function worldOf(
  more: Partial<MetricsContext> = {},
  respond: (asked: Asked) => Promise<Partial<Answer>> | Partial<Answer> = answerOf,
): { readonly context: MetricsContext; readonly asked: Asked[] } {
  const asked: Asked[] = [];
  const transport: Transport = {
    close: () => Promise.resolve(),
    get: async (url, { headers }) => {
      const [authorization] = headers['Authorization'] ?? [];
      const one = {
        host: url.host,
        query: url.searchParams.get('query') ?? '',
        ...(authorization === undefined ? {} : { authorization }),
      };
      asked.push(one);
      return { status: 200, reason: 'OK', body: '{}', ...(await respond(one)) };
    },
  };
  const context: MetricsContext = {
    meshProvider: 'istio',
    metricsServer: 'http://prometheus:9090',
    template: () => undefined,
    secret: () => Promise.reject(new Error('no secrets here')),
    transport,
    signal: new AbortController().signal,
    ...more,
  };
  return { context, asked };
}

const vectorOf = (...values: string[]): Partial<Answer> => ({
  body: JSON.stringify({ data: { result: values.map((value) => ({ value: [1, value] })) } }),
});
const answerOf = ({ query }: Asked): Partial<Answer> => {
  if (query === 'vector(1)') return vectorOf('1');
  if (query.includes('istio_requests_total')) return vectorOf('99.5');
  return query.includes('histogram_quantile')
    ? vectorOf('120.7')
    : vectorOf(query.split(' ').at(-1) ?? '');
};

const successRate: CanaryMetric = { name: 'request-success-rate', threshold: 99 };
const duration: CanaryMetric = { name: 'request-duration', thresholdRange: { max: 500 } };
const warning = (message: string) => [{ type: 'Warning', message }];

suite('a verdict', () => {
  test('without metrics is good, and nobody is asked', async () => {
    const { context, asked } = worldOf();
    const { passed, events, reports } = await runMetrics(canaryOf([]), context);
    assert.deepEqual([passed, events, reports, asked], [true, [], [], []]);
  });

  test('is good when all checks are, with a report of each', async () => {
    const { context, asked } = worldOf({ template: (_, name) => templateOf(name, 'custom 3') });
    const { passed, events, reports } = await runMetrics(
      canaryOf([
        { name: 'custom', templateRef: { name: 'custom' }, thresholdRange: { max: 5 } },
        successRate,
        { ...duration, interval: '30s' },
        {
          name: 'inline',
          query: 'inline {{ target }} {{ interval }} 4',
          thresholdRange: { min: 4 },
        },
      ]),
      context,
    );
    assert.equal(passed, true);
    assert.deepEqual(events, []);
    assert.deepEqual(
      reports.map(({ metric, value, unit, threshold }) => ({ metric, value, unit, threshold })),
      [
        { metric: 'request-success-rate', value: 99.5, unit: '%', threshold: '>= 99%' },
        { metric: 'request-duration', value: 120, unit: 'ms', threshold: '<= 500ms' },
        { metric: 'inline', value: 4, unit: '', threshold: '>= 4' },
        { metric: 'custom', value: 3, unit: '', threshold: '<= 5' },
      ],
    );
    assert.deepEqual(
      asked.map(({ host }) => host),
      ['prometheus:9090', 'prometheus:9090', 'prometheus:9090', 'other:9090'],
    );
    assert.match(asked[0]?.query ?? '', /destination_workload=~"app".*\[1m\]/);
    assert.match(asked[1]?.query ?? '', /\[30s\]/);
    assert.equal(asked[2]?.query, 'inline app 1m 4');
  });

  test('ends with the first check that is not good, whichever answers first', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { context } = worldOf({}, async (one) => {
      if (one.query.includes('istio_requests_total')) await held;
      else release();
      return answerOf(one);
    });
    const { passed, events, reports } = await runMetrics(
      canaryOf([
        { ...successRate, threshold: 99.9 },
        { name: 'inline', query: 'inline 4', threshold: 1 },
      ]),
      context,
    );
    assert.equal(passed, false);
    assert.deepEqual(events, warning('Halt podinfo.test advancement success rate 99.50% < 99.9%'));
    assert.deepEqual(
      reports.map(({ metric, verdict }) => [metric, verdict.kind]),
      [['request-success-rate', 'Failed']],
    );
  });

  test('asks no template once a built-in or inline check is not good', async () => {
    const { context, asked } = worldOf({ template: (_, name) => templateOf(name, 'custom 3') });
    const { events } = await runMetrics(
      canaryOf([
        { name: 'custom', templateRef: { name: 'custom' }, threshold: 1 },
        { name: 'inline', query: 'inline 4', threshold: 1 },
      ]),
      context,
    );
    assert.deepEqual(events, warning('Halt podinfo.test advancement inline 4.00 > 1'));
    assert.deepEqual(
      asked.map(({ query }) => query),
      ['inline 4'],
    );
  });

  test('may ask three times for one entry', async () => {
    const { context, asked } = worldOf({ template: (_, name) => templateOf(name, 'custom 3') });
    const { passed } = await runMetrics(
      canaryOf([
        {
          name: 'request-success-rate',
          query: 'inline 99.9',
          templateRef: { name: 'custom' },
          thresholdRange: { min: 2 },
        },
      ]),
      context,
    );
    assert.equal(passed, true);
    assert.equal(asked.length, 3);
  });

  test('says of answers that are odd what is odd', async () => {
    const { context } = worldOf({}, () => vectorOf('1', '2'));
    const { passed, warnings } = await runMetrics(
      canaryOf([{ name: 'inline', query: 'x', threshold: 5 }]),
      context,
    );
    assert.equal(passed, true);
    assert.deepEqual(warnings, [
      'metric inline: the query returned 2 series, of which the last one was judged',
    ]);
  });

  test('of generic application metrics is in seconds, and names their provider', async () => {
    const { context } = worldOf({ meshProvider: 'kubernetes' }, ({ query }) =>
      query.includes('histogram_quantile') ? vectorOf('1.9996') : vectorOf(),
    );
    const slow = await runMetrics(canaryOf([duration]), context);
    assert.deepEqual(
      slow.events,
      warning('Halt podinfo.test advancement request duration 1.999s > 500ms'),
    );
    const idle = await runMetrics(canaryOf([successRate]), context);
    assert.deepEqual(
      idle.events,
      warning(
        'Halt advancement no values found for kubernetes metric request-success-rate probably ' +
          'app.test is not receiving traffic: no values found',
      ),
    );
  });

  test('of Skipper has underscores for what is no word in names', async () => {
    const { context, asked } = worldOf({ meshProvider: 'skipper' });
    await runMetrics(canaryOf([successRate], { service: { name: 'my-svc.x', port: 80 } }), context);
    assert.match(asked[0]?.query ?? '', /kube\(ew\)\?_test__app_canary__\.\*__my_svc_x_canary/);
  });

  test('is asked of the canary’s own server', async () => {
    const { context, asked } = worldOf();
    await runMetrics(canaryOf([successRate], { metricsServer: 'http://own:9090' }), context);
    assert.equal(asked[0]?.host, 'own:9090');
  });

  test('rejects when nobody waits any more', async () => {
    const stopping = new AbortController();
    const { context } = worldOf({ signal: stopping.signal }, () => {
      stopping.abort(new Error('the controller stops'));
      return vectorOf('1');
    });
    await assert.rejects(runMetrics(canaryOf([successRate]), context), /the controller stops/);
  });
});

suite('a check that cannot be made fails, and says why', () => {
  const templates: MetricsContext['template'] = (namespace, name) => {
    const found = {
      'test/broken': templateOf('broken', '{{ nope }}'),
      'test/secret': templateOf('secret', 'custom 3', { secretRef: { name: 'keys' } }),
      'test/datadog': templateOf('datadog', 'q', { type: 'datadog' }),
      'test/nowhere': templateOf('nowhere', 'q', { address: '' }),
      'shared/far': templateOf('far', 'custom'),
    };
    return Object.entries(found).find(([key]) => key === `${namespace}/${name}`)?.[1];
  };
  const custom = (name: string, namespace?: string): CanaryMetric => ({
    name: 'custom',
    templateRef: { name, ...(namespace === undefined ? {} : { namespace }) },
    threshold: 1,
  });
  const cases: Record<string, [CanaryMetric, string, Partial<Canary['spec']>?]> = {
    'without a template of that name': [
      custom('gone'),
      'Metric template gone.test error: metrictemplate.flagger.app "gone" not found',
    ],
    'without a template of that name there': [
      custom('gone', 'shared'),
      'Metric template gone.shared error: metrictemplate.flagger.app "gone" not found',
    ],
    'without the secret': [
      custom('secret'),
      'Metric template secret.test secret keys error: no secrets here',
    ],
    'with a provider that this version does not have': [
      custom('datadog'),
      'Metric template datadog.test provider datadog error: ' +
        'this version does not support datadog, only prometheus',
    ],
    'with a provider that has no address': [
      custom('nowhere'),
      'Metric template nowhere.test provider prometheus error: ' +
        'prometheus address  is not a valid URL',
    ],
    'with a template that cannot be read': [
      custom('broken'),
      'Metric template broken.test query render error: ' +
        'template parsing failed: template: tmpl:1: function "nope" not defined',
    ],
    'without a value': [
      custom('far', 'shared'),
      'Halt advancement no values found for custom metric: custom: no values found',
    ],
    'with an inline query that cannot be read (M-05)': [
      { name: 'inline', query: '{{ nope }}' },
      'Prometheus query failed for inline: ' +
        'template parsing failed: template: tmpl:1: function "nope" not defined',
    ],
    'without anything to ask': [
      { name: 'custom' },
      'Metric query failed for no usable metrics template and query were configured',
    ],
    'with a server that is no URL': [
      successRate,
      'Error building Prometheus client for nonsense prometheus address nonsense is not a valid URL',
      { metricsServer: 'nonsense' },
    ],
  };
  for (const [name, [metric, message, spec]] of Object.entries(cases)) {
    test(name, async () => {
      const { context } = worldOf({ template: templates }, () => vectorOf());
      const { passed, events } = await runMetrics(canaryOf([metric], spec), context);
      assert.equal(passed, false);
      assert.deepEqual(events, warning(message));
    });
  }

  test('when the server is down', async () => {
    const { context } = worldOf({}, () => Promise.reject(new Error('connect ECONNREFUSED')));
    const inline = await runMetrics(canaryOf([{ name: 'inline', query: 'x' }]), context);
    assert.deepEqual(
      inline.events,
      warning('Prometheus query failed for inline: request failed: connect ECONNREFUSED'),
    );
    const builtIn = await runMetrics(canaryOf([duration]), context);
    assert.deepEqual(
      builtIn.events,
      warning(
        'Prometheus query failed: running query failed: request failed: connect ECONNREFUSED',
      ),
    );
  });
});

suite('a template', () => {
  test('is asked with its secret, its variables and a minute where no interval is given (D19, M-04)', async () => {
    const { context, asked } = worldOf({
      template: (_, name) =>
        templateOf(name, 'x {{ interval }} {{ variables.v }}', { secretRef: { name: 'keys' } }),
      secret: (namespace, name) => Promise.resolve({ token: `${namespace}/${name}` }),
    });
    const { passed } = await runMetrics(
      canaryOf([
        {
          name: 'custom',
          templateRef: { name: 'custom' },
          templateVariables: { v: '7' },
          threshold: 7,
        },
      ]),
      context,
    );
    assert.equal(passed, true);
    assert.deepEqual(asked, [
      { host: 'other:9090', query: 'x 1m 7', authorization: 'Bearer test/keys' },
    ]);
  });
});

suite('of Knative', () => {
  const knative = canaryOf([successRate], { provider: 'knative' });

  test('the route is the revision that was created last', async () => {
    const { context, asked } = worldOf({
      knativeRevision: (namespace, name) => Promise.resolve(`${namespace}-${name}-00002`),
    });
    await runMetrics(knative, context);
    assert.match(asked[0]?.query ?? '', /envoy_cluster_name=~"test\/test-app-00002"/);
  });

  test('a service that cannot be read fails the check', async () => {
    const { context } = worldOf({ knativeRevision: () => Promise.reject(new Error('not found')) });
    const { passed, events } = await runMetrics(knative, context);
    assert.equal(passed, false);
    assert.deepEqual(events, warning('Error fetching Knative service test/app not found'));
  });
});

suite('availability', () => {
  const fine = {
    passed: true,
    events: [{ type: 'Normal', message: 'all the metrics providers are available!' }],
  };

  test('is given without metrics', async () => {
    assert.deepEqual(await checkAvailability(canaryOf([]), worldOf().context), fine);
  });

  test('asks each provider, and not for inline queries', async () => {
    const { context, asked } = worldOf({ template: (_, name) => templateOf(name, 'custom') });
    const canary = canaryOf([
      successRate,
      { name: 'inline', query: 'x' },
      { name: 'custom', templateRef: { name: 'custom' } },
    ]);
    assert.deepEqual(await checkAvailability(canary, context), fine);
    assert.deepEqual(asked, [
      { host: 'prometheus:9090', query: 'vector(1)' },
      { host: 'other:9090', query: 'vector(1)' },
    ]);
  });

  const cases: Record<string, [CanaryMetric, Partial<MetricsContext>, string]> = {
    'of a server that is no URL': [
      successRate,
      { metricsServer: 'nonsense' },
      'error building Prometheus client for nonsense prometheus address nonsense is not a valid URL',
    ],
    'of a server that has no value': [
      successRate,
      {},
      'prometheus not avaiable: running query failed: no values found',
    ],
    'of a template that is not there': [
      { name: 'custom', templateRef: { name: 'gone' } },
      {},
      'metric template gone.test error: metrictemplate.flagger.app "gone" not found',
    ],
    'of a template without its secret': [
      { name: 'custom', templateRef: { name: 't' } },
      { template: (_, name) => templateOf(name, 'q', { secretRef: { name: 'keys' } }) },
      'metric template t.test secret keys error: no secrets here',
    ],
    'of a template of another type': [
      { name: 'custom', templateRef: { name: 't' } },
      { template: (_, name) => templateOf(name, 'q', { type: 'graphite' }) },
      'metric template t.test provider graphite error: ' +
        'this version does not support graphite, only prometheus',
    ],
    'of a template whose server has no value': [
      { name: 'custom', templateRef: { name: 't' } },
      { template: (_, name) => templateOf(name, 'q') },
      'prometheus in metric template t.test not avaiable: running query failed: no values found',
    ],
  };
  for (const [name, [metric, more, text]] of Object.entries(cases)) {
    test(`is not given ${name}`, async () => {
      const { context } = worldOf(more, () => vectorOf());
      assert.deepEqual(await checkAvailability(canaryOf([metric]), context), {
        passed: false,
        events: warning(`Error checking metric providers: ${text}`),
      });
    });
  }
});
