/**
 * The main job, as its users do it: real kubectl, real API server, the built program under exactly
 * the RBAC of `manifests/`. Each test has a namespace of its own and they run side by side.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { controlPlaneOrSkip } from '../cluster/require.ts';
import { watchCanary } from '../support/canary-watch.ts';
import { until } from '../support/until.ts';
import type { Kubectl } from './kubectl.ts';
import {
  eventsOf,
  fixture,
  getJson,
  imageOf,
  inNamespace,
  scaledTo,
  weightsOf,
} from './kubectl.ts';
import type { Site } from './site.ts';
import { startSite } from './site.ts';

const skip = await controlPlaneOrSkip();

/** Only revisions in the namespace `bad` fail requests. */
function answer(query: string): number {
  if (query.includes('histogram_quantile')) return 98.4;
  return query.includes('destination_workload_namespace="bad"') ? 69.17 : 100;
}

describe('a rollout on a real API server', { skip, concurrency: 8, timeout: 600_000 }, () => {
  let site: Site;
  const enter = async (namespace: string) => {
    const kubectl: Kubectl = await inNamespace(site.cluster, namespace);
    return { kubectl, watch: watchCanary(site.cluster, namespace, 'podinfo') };
  };

  before(async () => {
    site = await startSite({ answer });
  });
  after(() => site?.stop());

  test('kubectl set image: seen in under a second, 10, 20, 30 at the interval, promoted', async () => {
    const { kubectl, watch } = await enter('good');
    await kubectl(['apply', '-f', fixture('podinfo.yaml'), '-f', fixture('canary.yaml')]);
    await watch.sees('Initialized');
    await scaledTo(kubectl, 'podinfo', 0);

    const { stderr } = await kubectl([
      'set',
      'image',
      'deployment/podinfo',
      'podinfod=podinfo:6.0.1',
    ]);
    const changedAtMs = performance.now();
    assert.match(stderr, /Warning: .*podinfo/);

    const progressing = await watch.sees('Progressing');
    assert.ok(progressing.atMs - changedAtMs < 1_000, 'Progressing in under a second');
    const [ten, twenty, thirty] = [
      await watch.sees('Progressing', { weight: 10 }),
      await watch.sees('Progressing', { weight: 20 }),
      await watch.sees('Progressing', { weight: 30 }),
    ];
    for (const gapMs of [twenty.atMs - ten.atMs, thirty.atMs - twenty.atMs]) {
      assert.ok(gapMs > 9_500 && gapMs < 11_500, `a step every 10 s, not after ${gapMs} ms`);
    }
    await watch.sees('Succeeded');
    watch.stop();

    await scaledTo(kubectl, 'podinfo', 0);
    assert.equal(await imageOf(kubectl, 'podinfo-primary'), 'podinfo:6.0.1');
    assert.deepEqual(await eventsOf(kubectl, 'podinfo', /Promotion completed/), [
      'Normal all the metrics providers are available!',
      'Normal Initialization done! podinfo.good',
      'Normal New revision detected! Scaling up podinfo.good',
      'Normal Starting canary analysis for podinfo.good',
      'Normal Advance podinfo.good canary weight 10',
      'Normal Advance podinfo.good canary weight 20',
      'Normal Advance podinfo.good canary weight 30',
      'Normal Copying podinfo.good template spec to podinfo-primary.good',
      'Normal Routing all traffic to primary',
      'Normal Promotion completed! Scaling down podinfo.good',
    ]);
    const { stdout } = await kubectl(['get', 'canaries']);
    assert.match(
      stdout,
      /^NAME\s+STATUS\s+WEIGHT\s+LASTTRANSITIONTIME\s*\npodinfo\s+Succeeded\s+0\s+/,
    );
  });

  test('a bad revision is rolled back with the events of the reference', async () => {
    const { kubectl, watch } = await enter('bad');
    await kubectl(['apply', '-f', fixture('podinfo.yaml'), '-f', fixture('canary.yaml')]);
    await watch.sees('Initialized');
    await kubectl(['set', 'image', 'deployment/podinfo', 'podinfod=podinfo:6.0.2']);
    await watch.sees('Failed');
    watch.stop();
    await scaledTo(kubectl, 'podinfo', 0);
    assert.deepEqual(await weightsOf(kubectl), [100, 0]);
    assert.match((await imageOf(kubectl, 'podinfo-primary')) ?? '', /podinfo:6\.0\.0$/);
    const events = await eventsOf(kubectl, 'podinfo', /Canary failed/);
    assert.deepEqual(events.slice(events.findIndex((text) => text.includes('Starting'))), [
      'Normal Starting canary analysis for podinfo.bad',
      'Normal Advance podinfo.bad canary weight 10',
      'Warning Halt podinfo.bad advancement success rate 69.17% < 99%',
      'Warning Halt podinfo.bad advancement success rate 69.17% < 99%',
      'Warning Rolling back podinfo.bad failed checks threshold reached 2',
      'Warning Canary failed! Scaling down podinfo.bad',
    ]);
  });

  test('a changed ConfigMap, then a changed Secret, is a revision', async () => {
    const { kubectl, watch } = await enter('configs');
    await kubectl(['apply', '-f', fixture('podinfo.yaml'), '-f', fixture('canary.yaml')]);
    await watch.sees('Initialized');
    const copied = await getJson(kubectl, 'configmap/podinfo-config-primary');
    assert.deepEqual(copied['data'], { color: 'blue' });

    const configAtMs = performance.now();
    await kubectl(['patch', 'configmap/podinfo-config', '-p', '{"data":{"color":"green"}}']);
    await watch.sees('Progressing', { sinceMs: configAtMs });
    const promoted = await watch.sees('Succeeded', { sinceMs: configAtMs, timeoutMs: 120_000 });
    const green = await getJson(kubectl, 'configmap/podinfo-config-primary');
    assert.deepEqual(green['data'], { color: 'green' });

    const two = Buffer.from('two').toString('base64');
    await kubectl(['patch', 'secret/podinfo-secret', '-p', `{"data":{"value":"${two}"}}`]);
    await watch.sees('Progressing', { sinceMs: promoted.atMs + 1 });
    await watch.sees('Succeeded', { sinceMs: promoted.atMs + 1_000, timeoutMs: 120_000 });
    watch.stop();
    const secret = await getJson(kubectl, 'secret/podinfo-secret-primary');
    assert.deepEqual(secret['data'], { value: two });
  });

  test('a bad Canary is refused, or says what to do, and stops nobody else', async () => {
    const { kubectl, watch } = await enter('typos');
    const canary = await readFile(fixture('canary.yaml'), 'utf8');
    const refused = async (change: (yaml: string) => string, reason: RegExp): Promise<void> => {
      await assert.rejects(kubectl(['apply', '-f', '-'], change(canary)), reason);
    };
    await refused(
      (yaml) => yaml.replace('provider: istio', 'provider: isto'),
      /Unsupported value: "isto"/,
    );
    await refused((yaml) => yaml.replace('interval: 10s', 'interval: 10min'), /interval/);
    await refused((yaml) => yaml.replace('stepWeight: 10', 'stepWeights: [20, 10]'), /stepWeights/);

    await kubectl(['apply', '-f', '-'], canary);
    const stalled = await until('a condition says what is missing', async () => {
      const { status } = await getJson(kubectl, 'canary/podinfo');
      const { conditions = [] } = (status ?? {}) as {
        conditions?: { type: string; message: string }[];
      };
      return conditions.find(({ type }) => type === 'Stalled');
    });
    assert.match(stalled.message, /deployment podinfo\.typos .*not found/);

    await kubectl(['apply', '-f', fixture('podinfo.yaml')]);
    await watch.sees('Initialized');
    watch.stop();
    const second = canary.replace('name: podinfo\n', 'name: podinfo-too\n');
    await assert.rejects(kubectl(['apply', '-f', '-'], second), /podinfo.*already/);
  });
});
