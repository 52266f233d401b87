/**
 * The process' own Prometheus series: the reference's by its names, labels and help texts
 * (`spec/01`, 5.1), and Aviary's own. `docs/metrics.md` explains each to operators.
 *
 * Recording cannot fail its caller: what cannot be recorded is counted and dropped. Series of a
 * canary that is gone are removed, which the reference does not do (D10, M-24).
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { createCanarySeries } from './canary-series.ts';
import type { AdmissionRecord, Guard, QueueReading, Telemetry } from './telemetry.ts';

export interface TelemetryOptions {
  readonly version: string;
  /** The `-mesh-provider` flag. */
  readonly meshProvider: string;
  /** Adds `process_*` and `nodejs_*`; observers of the runtime live as long as the process. */
  readonly runtime?: boolean;
}

export function createTelemetry(options: TelemetryOptions): Telemetry {
  const registry = new Registry();
  if (options.runtime === true) collectDefaultMetrics({ register: registry });
  const failures = new Counter({
    name: 'aviary_telemetry_errors_total',
    help: 'Values that could not be recorded',
    registers: [registry],
  });
  /** Nothing that is measured may stop because measuring failed. */
  const guard: Guard =
    (record) =>
    (...values) => {
      try {
        record(...values);
      } catch {
        failures.inc();
      }
    };

  new Gauge({
    name: 'flagger_info',
    help: 'Flagger version and mesh provider information',
    labelNames: ['version', 'mesh_provider'],
    registers: [registry],
  }).set({ version: options.version, mesh_provider: options.meshProvider }, 1);

  return {
    contentType: registry.contentType,
    expose: () => registry.metrics(),
    ...createCanarySeries(registry, guard),
    ...createWebhookSeries(registry, guard),
    ...createLoopSeries(registry, guard),
    ...createApiSeries(registry, guard),
  };
}

/** A webhook call costs a few milliseconds at most, and the API server gives up after seconds. */
const admissionBucketsSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 3];

function createWebhookSeries(
  registry: Registry,
  guard: Guard,
): Pick<Telemetry, 'admission' | 'certificateExpiry'> {
  const registers = [registry];
  const duration = new Histogram({
    name: 'aviary_admission_duration_seconds',
    help: 'Time to answer an admission review',
    labelNames: ['webhook'],
    buckets: admissionBucketsSeconds,
    registers,
  });
  const requests = new Counter({
    name: 'aviary_admission_requests_total',
    help: 'Admission reviews by outcome',
    labelNames: ['webhook', 'kind', 'outcome'],
    registers,
  });
  const expiry = new Gauge({
    name: 'aviary_certificate_expiry_timestamp_seconds',
    help: 'When the certificate of the webhook, or its CA, ends',
    labelNames: ['certificate'],
    registers,
  });
  return {
    admission: guard(({ webhook, kind, outcome, seconds }: AdmissionRecord) => {
      requests.inc({ webhook, kind, outcome });
      duration.observe({ webhook }, seconds);
    }),
    certificateExpiry: guard((certificate: string, epochSeconds: number) => {
      expiry.set({ certificate }, epochSeconds);
    }),
  };
}

const latenessBucketsSeconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

function createLoopSeries(
  registry: Registry,
  guard: Guard,
): Pick<Telemetry, 'watchQueue' | 'tickLateness' | 'leader' | 'eventDropped' | 'alert'> {
  const registers = [registry];
  let readQueue = (): QueueReading => ({ depth: 0, oldestSeconds: 0 });
  const sampled = (name: string, help: string, read: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        guard(() => this.set(read()))();
      },
    });
  sampled('aviary_queue_depth', 'Canaries that wait to be looked at', () => readQueue().depth);
  sampled(
    'aviary_queue_oldest_seconds',
    'How long the oldest canary in the queue has waited',
    () => readQueue().oldestSeconds,
  );
  const lateness = new Histogram({
    name: 'aviary_tick_lateness_seconds',
    help: 'How long after it was due a tick of a canary began',
    buckets: latenessBucketsSeconds,
    registers,
  });
  const leader = new Gauge({
    name: 'aviary_leader',
    help: '1 on the replica that holds the lease, else 0',
    registers,
  });
  const alerts = new Counter({
    name: 'aviary_alerts_total',
    help: 'Alerts by receiver and by what became of them',
    labelNames: ['receiver', 'outcome'],
    registers,
  });
  const dropped = new Counter({
    name: 'aviary_events_dropped_total',
    help: 'Kubernetes events that could not be written',
    labelNames: ['reason'],
    registers,
  });
  return {
    watchQueue: (read) => {
      readQueue = read;
    },
    tickLateness: guard((seconds: number) => lateness.observe(seconds)),
    leader: guard((isLeader: boolean) => leader.set(isLeader ? 1 : 0)),
    eventDropped: guard((reason: string) => dropped.inc({ reason })),
    alert: guard((receiver: string, outcome: string) => alerts.inc({ receiver, outcome })),
  };
}

const apiBucketsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30];

function createApiSeries(
  registry: Registry,
  guard: Guard,
): Pick<Telemetry, 'apiCall' | 'watchState'> {
  const registers = [registry];
  const calls = new Counter({
    name: 'aviary_api_requests_total',
    help: 'Calls to the Kubernetes API; a watch counts when it ends',
    labelNames: ['verb', 'resource', 'code'],
    registers,
  });
  const duration = new Histogram({
    name: 'aviary_api_request_duration_seconds',
    help: 'Time of a call to the Kubernetes API, watches aside',
    labelNames: ['verb', 'resource'],
    buckets: apiBucketsSeconds,
    registers,
  });
  const watches = new Gauge({
    name: 'aviary_watch_state',
    help: '1 for the state that the watch of a resource is in',
    labelNames: ['resource', 'state'],
    registers,
  });
  const states = new Map<string, string>();
  return {
    apiCall: guard((verb: string, resource: string, code: number | string, seconds: number) => {
      calls.inc({ verb, resource, code });
      if (verb !== 'watch') duration.observe({ verb, resource }, seconds);
    }),
    watchState: guard((resource: string, state: string) => {
      const before = states.get(resource);
      if (before !== undefined && before !== state) watches.remove({ resource, state: before });
      states.set(resource, state);
      watches.set({ resource, state }, 1);
    }),
  };
}
