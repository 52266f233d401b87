/** The server as the controller sees it: through the provider that asks real ones. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { servePrometheus } from '../../../src/cli/demo/prometheus-server.ts';
import type { PrometheusServer } from '../../../src/cli/demo/prometheus-server.ts';
import { canaryObject, sample } from '../../../src/cli/demo/sample-app.ts';
import { systemClock } from '../../../src/kube/clock.ts';
import { routeName, renderBuiltInQuery } from '../../../src/metrics/canary-queries.ts';
import { createPrometheus } from '../../../src/metrics/prometheus.ts';
import type { BuiltInMetric } from '../../../src/metrics/queries.ts';
import { createTransport } from '../../../src/metrics/transport.ts';

const signal = new AbortController().signal;
const transport = createTransport({ sleep: (ms, until) => systemClock.sleep(ms, until) });

suite('the Prometheus of the demo', () => {
  let server: PrometheusServer;
  const asked: [string, number][] = [];
  before(async () => {
    server = await servePrometheus({
      canaries: () => [canaryObject],
      traffic: {
        measured: (workload, windowMs) => {
          asked.push([workload, windowMs]);
          return { requests: 200, perSecond: 20, successRate: 69.17, latencyMs: undefined };
        },
      },
      nowMs: () => 1_700_000_000_000,
    });
  });
  after(async () => {
    transport.close();
    await server.close();
  });

  const providerOf = () => {
    const made = createPrometheus({ address: server.url, transport });
    assert.ok(made.ok);
    return made.provider;
  };
  const ask = (name: BuiltInMetric) => {
    const metric = { name, interval: '10s' };
    const { rendered } = renderBuiltInQuery('istio', canaryObject, metric, routeName(canaryObject));
    assert.ok(rendered.ok);
    return providerOf().query(rendered.text, { signal });
  };

  test('passes the probe of a provider', async () => {
    assert.equal(await providerOf().probe({ signal }), undefined);
  });

  test('answers from the traffic to the target, over the window of the metric', async () => {
    assert.deepEqual(await ask('request-success-rate'), { kind: 'Value', value: 69.17 });
    assert.deepEqual(asked.at(-1), [sample.name, 10_000]);
  });

  test('has no value where nothing was measured, or nothing is known', async () => {
    const unknown = await providerOf().query('up', { signal });
    for (const answer of [await ask('request-duration'), unknown]) {
      assert.notEqual(answer.kind, 'Value');
    }
  });
});
