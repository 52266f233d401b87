/** A real Prometheus scrapes an application and the controller, and its answers decide a rollout. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { controlPlaneOrSkip } from '../cluster/require.ts';
import { watchCanary } from '../support/canary-watch.ts';
import { startIstioApp } from '../support/istio-app.ts';
import { prometheusOrSkip, startRealPrometheus } from '../support/real-prometheus.ts';
import { until } from '../support/until.ts';
import { eventsOf, fixture, inNamespace } from './kubectl.ts';
import { startSite } from './site.ts';

const skip = (await controlPlaneOrSkip()) || (await prometheusOrSkip());

describe('a rollout judged by a real Prometheus', { skip, timeout: 300_000 }, () => {
  test('advances while requests succeed, and is rolled back when a third of them fails', async () => {
    const app = await startIstioApp('test', 'podinfo');
    const site = await startSite({
      metricsServer: (controller) => startRealPrometheus([app.address, controller]),
    });
    const { metrics } = site;
    try {
      const kubectl = await inNamespace(site.cluster, 'test');
      await kubectl(['apply', '-f', fixture('podinfo.yaml'), '-f', fixture('canary.yaml')]);
      const watch = watchCanary(site.cluster, 'test', 'podinfo');
      await watch.sees('Initialized');
      await until('requests are counted', async () => {
        const [rate = 0] = await metrics.query('sum(rate(istio_requests_total[1m]))');
        return rate > 0;
      });
      await kubectl(['set', 'image', 'deployment/podinfo', 'podinfod=podinfo:6.0.1']);
      await watch.sees('Progressing', { weight: 20 });
      app.failing(0.33);
      await until('the controller shows what it does', async () => {
        const weights = await metrics.query('flagger_canary_weight{workload="podinfo"}');
        return weights.length === 1 && weights[0] === 20;
      });
      await watch.sees('Failed', { timeoutMs: 60_000 });
      watch.stop();
      const events = await eventsOf(kubectl, 'podinfo', /Canary failed/);
      const halts = events.filter((event) => event.includes('advancement success rate'));
      assert.equal(halts.length, 2);
      assert.match(
        halts[0] ?? '',
        /^Warning Halt podinfo\.test advancement success rate \d\d\.\d\d% < 99%$/,
      );
      await until('the failure is counted', async () => {
        const failures = await metrics.query('flagger_canary_failures_total{name="podinfo"}');
        return failures[0] === 1;
      });
    } finally {
      await site.stop();
      await app.close();
    }
  });
});
