import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import type { Phase } from '../../src/api/canary.ts';
import type { Log } from '../../src/kube/log.ts';
import type { CallListener } from '../../src/kube/transport.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { createTelemetry } from '../../src/telemetry/metrics.ts';
import type { Telemetry } from '../../src/telemetry/telemetry.ts';

const podinfo = { namespace: 'shop', target: 'podinfo' };
const create = (): Telemetry => createTelemetry({ version: '1.2.3', meshProvider: 'istio' });

/** The samples (no comments) of every family whose name starts with a prefix. */
async function samples(telemetry: Telemetry, prefix: string): Promise<readonly string[]> {
  const text = await telemetry.expose();
  return text.split('\n').filter((line) => line.startsWith(prefix));
}

suite('the series of the reference (spec/01, 5.1)', () => {
  const recorded: Record<string, [(telemetry: Telemetry) => void, string, readonly string[]]> = {
    'say the version and the provider': [
      () => undefined,
      'flagger_info',
      ['flagger_info{version="1.2.3",mesh_provider="istio"} 1'],
    ],
    'count canaries by namespace': [
      (telemetry) => telemetry.canaryTotal('shop', 3),
      'flagger_canary_total',
      ['flagger_canary_total{namespace="shop"} 3'],
    ],
    'forget a namespace that lost its last canary': [
      (telemetry) => {
        telemetry.canaryTotal('shop', 3);
        telemetry.canaryTotal('shop', 0);
      },
      'flagger_canary_total',
      [],
    ],
    'name a weight by its workload': [
      (telemetry) => telemetry.canaryWeights(podinfo, { primary: 70, canary: 30 }),
      'flagger_canary_weight',
      [
        'flagger_canary_weight{workload="podinfo-primary",namespace="shop"} 70',
        'flagger_canary_weight{workload="podinfo",namespace="shop"} 30',
      ],
    ],
    'keep the last value of each metric': [
      (telemetry) => {
        telemetry.canaryMetric(podinfo, 'request-success-rate', 69.17);
        telemetry.canaryMetric(podinfo, 'request-success-rate', 99.5);
      },
      'flagger_canary_metric_analysis',
      [
        'flagger_canary_metric_analysis{name="podinfo",namespace="shop",metric="request-success-rate"} 99.5',
      ],
    ],
    'count a success by strategy and by what became of the analysis': [
      (telemetry) => telemetry.canarySucceeded(podinfo, 'blue-green', 'skipped'),
      'flagger_canary_successes_total',
      [
        'flagger_canary_successes_total{name="podinfo",namespace="shop",deployment_strategy="blue-green",analysis_status="skipped"} 1',
      ],
    ],
    'count a failure as completed, always': [
      (telemetry) => telemetry.canaryFailed(podinfo, 'canary'),
      'flagger_canary_failures_total',
      [
        'flagger_canary_failures_total{name="podinfo",namespace="shop",deployment_strategy="canary",analysis_status="completed"} 1',
      ],
    ],
  };
  for (const [name, [record, family, expected]] of Object.entries(recorded)) {
    test(name, async () => {
      const telemetry = create();
      record(telemetry);
      assert.deepEqual(await samples(telemetry, family), expected);
    });
  }

  const statuses: readonly (readonly [Phase, number])[] = [
    ['Progressing', 0],
    ['Failed', 2],
    ['Initializing', 1],
    ['Initialized', 1],
    ['Waiting', 1],
    ['WaitingPromotion', 1],
    ['Promoting', 1],
    ['Finalising', 1],
    ['Succeeded', 1],
  ];
  for (const [phase, value] of statuses) {
    test(`phase ${phase} is status ${value}`, async () => {
      const telemetry = create();
      telemetry.canaryPhase(podinfo, phase);
      assert.deepEqual(await samples(telemetry, 'flagger_canary_status'), [
        `flagger_canary_status{name="podinfo",namespace="shop"} ${value}`,
      ]);
    });
  }

  test('have the help texts and types that dashboards show', async () => {
    const text = await create().expose();
    const expected: Record<string, [string, string]> = {
      flagger_info: ['gauge', 'Flagger version and mesh provider information'],
      flagger_canary_duration_seconds: ['histogram', 'Seconds spent performing canary analysis.'],
      flagger_canary_total: ['gauge', 'Total number of canary object'],
      flagger_canary_status: ['gauge', 'Last canary analysis result'],
      flagger_canary_weight: ['gauge', 'The virtual service destination weight current value'],
      flagger_canary_metric_analysis: ['gauge', 'Last canary analysis result per metric'],
      flagger_canary_successes_total: ['counter', 'Total number of canary successes'],
      flagger_canary_failures_total: ['counter', 'Total number of canary failures'],
    };
    for (const [name, [type, help]] of Object.entries(expected)) {
      assert.ok(text.includes(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`), name);
    }
  });

  test('bucket the duration of a tick as Prometheus does by default', async () => {
    const telemetry = create();
    telemetry.canaryTick(podinfo, 0.3);
    const lines = await samples(telemetry, 'flagger_canary_duration_seconds_bucket');
    const bounds = lines.map((line) => /le="([^"]+)"/.exec(line)?.[1]);
    const expected = '0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 +Inf'.split(' ');
    assert.deepEqual(bounds, expected);
    const counts = lines.map((line) => Number(line.split(' ').at(-1)));
    assert.deepEqual(counts, [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
  });
});

suite('the series of Aviary', () => {
  test('show one phase of a canary at a time', async () => {
    const telemetry = create();
    telemetry.canaryPhase(podinfo, 'Initialized');
    telemetry.canaryPhase(podinfo, 'WaitingPromotion');
    assert.deepEqual(await samples(telemetry, 'aviary_canary_phase'), [
      'aviary_canary_phase{name="podinfo",namespace="shop",phase="WaitingPromotion"} 1',
    ]);
  });

  test('count admission by outcome and time it by webhook', async () => {
    const telemetry = create();
    const record = { webhook: 'mutate', kind: 'Deployment', outcome: 'patched' } as const;
    telemetry.admission({ ...record, seconds: 0.002 });
    const [requests] = await samples(telemetry, 'aviary_admission_requests_total');
    const labels = 'webhook="mutate",kind="Deployment",outcome="patched"';
    assert.equal(requests, `aviary_admission_requests_total{${labels}} 1`);
    const buckets = await samples(telemetry, 'aviary_admission_duration_seconds_bucket');
    assert.ok(buckets.some((line) => /le="0.0025".* 1$/.test(line)));
  });

  test('read the queue at each scrape', async () => {
    const telemetry = create();
    let depth = 2;
    telemetry.watchQueue(() => ({ depth, oldestSeconds: 1.5 }));
    assert.deepEqual(await samples(telemetry, 'aviary_queue'), [
      'aviary_queue_depth 2',
      'aviary_queue_oldest_seconds 1.5',
    ]);
    depth = 7;
    assert.deepEqual(await samples(telemetry, 'aviary_queue_depth'), ['aviary_queue_depth 7']);
  });

  test('show one state of a watch at a time', async () => {
    const telemetry = create();
    telemetry.watchState('canaries', 'paging');
    telemetry.watchState('canaries', 'watching');
    assert.deepEqual(await samples(telemetry, 'aviary_watch_state'), [
      'aviary_watch_state{resource="canaries",state="watching"} 1',
    ]);
  });

  test('count API calls by code, and do not time watches, which last by design', async () => {
    const telemetry = create();
    telemetry.apiCall('patch', 'canaries/status', 409, 0.01);
    telemetry.apiCall('watch', 'canaries', 200, 290);
    assert.deepEqual(await samples(telemetry, 'aviary_api_requests_total'), [
      'aviary_api_requests_total{verb="patch",resource="canaries/status",code="409"} 1',
      'aviary_api_requests_total{verb="watch",resource="canaries",code="200"} 1',
    ]);
    assert.deepEqual(await samples(telemetry, 'aviary_api_request_duration_seconds_count'), [
      'aviary_api_request_duration_seconds_count{verb="patch",resource="canaries/status"} 1',
    ]);
  });

  test('say who leads, when certificates end, how late ticks are, what was dropped', async () => {
    const telemetry = create();
    telemetry.leader(true);
    telemetry.certificateExpiry('serving', 1_800_000_000);
    telemetry.tickLateness(0.02);
    telemetry.eventDropped('full');
    telemetry.alert('on-call.prod', 'lost');
    const text = await telemetry.expose();
    for (const line of [
      'aviary_leader 1',
      'aviary_certificate_expiry_timestamp_seconds{certificate="serving"} 1800000000',
      'aviary_tick_lateness_seconds_bucket{le="0.05"} 1',
      'aviary_events_dropped_total{reason="full"} 1',
      'aviary_alerts_total{receiver="on-call.prod",outcome="lost"} 1',
    ]) {
      assert.ok(text.includes(`\n${line}\n`), line);
    }
  });
});

test('no series of a canary outlives it, and its neighbours keep theirs', async () => {
  const telemetry = create();
  const neighbour = { namespace: 'shop', target: 'podinfo-2' };
  for (const key of [podinfo, neighbour]) {
    telemetry.canaryPhase(key, 'Progressing');
    telemetry.canaryPhase(key, 'Failed');
    telemetry.canaryWeights(key, { primary: 100, canary: 0 });
    telemetry.canaryTick(key, 1);
    telemetry.canaryMetric(key, 'a', 1);
    telemetry.canaryMetric(key, 'b', 1);
    telemetry.canarySucceeded(key, 'canary', 'completed');
    telemetry.canaryFailed(key, 'canary');
  }
  telemetry.canaryForgotten(podinfo);
  const text = await telemetry.expose();
  assert.ok(!/"podinfo(-primary)?"/.test(text), text);
  assert.equal((await samples(telemetry, 'flagger_canary_metric_analysis')).length, 2);

  telemetry.canaryPhase(podinfo, 'Initializing');
  assert.equal((await samples(telemetry, 'aviary_canary_phase')).length, 2);
});

test('a value that cannot be recorded is counted, and fails nobody', async () => {
  const telemetry = create();
  const key = podinfo;
  telemetry.canaryMetric(key, 'm', 'nonsense' as unknown as number);
  telemetry.canaryWeights(undefined as unknown as typeof podinfo, { primary: 1, canary: 1 });
  telemetry.watchQueue(() => {
    throw new Error('the queue is gone');
  });
  await telemetry.expose();
  // Two recordings, and both gauges of the queue at the scrape before this one.
  const [line] = await samples(telemetry, 'aviary_telemetry_errors_total');
  assert.ok(Number(line?.split(' ')[1]) >= 4, line);
});

test('the runtime is reported when asked for', async () => {
  const telemetry = createTelemetry({ version: '1', meshProvider: '', runtime: true });
  assert.match(await telemetry.expose(), /process_resident_memory_bytes \d+/);
});

test('fits what kube/ asks for', () => {
  const listener: CallListener = create().apiCall;
  listener('get', 'leases', 'timeout', 30);
  const lines: string[] = [];
  const log: Log = createLogger({
    level: 'info',
    encoding: 'json',
    write: (line) => void lines.push(line),
    now: () => 0,
  });
  log.info({ resource: 'leases' }, 'gave up');
  assert.equal(lines.length, 1);
});

test('docs/metrics.md lists every series with its type and labels, and no other', async () => {
  const rows = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => /^\| `(flagger|aviary)_/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));
  const documented = rows.map(([, name, type]) => `${name} ${type}`);
  const text = await create().expose();
  const exposed = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(
    ([, name, type]) => `${name} ${type}`,
  );
  assert.deepEqual(documented.toSorted(), exposed.toSorted());
});
