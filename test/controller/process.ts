/** One process of the controller on the fake cluster: everything real but the wire and the clock. */
import { createController } from '../../src/controller/controller.ts';
import type { Controller } from '../../src/controller/controller.ts';
import type { Checks, ChecksOutcome } from '../../src/controller/checks.ts';
import type { Settings } from '../../src/controller/settings.ts';
import { createEventRecorder } from '../../src/kube/events.ts';
import { createInformers } from '../../src/kube/informers.ts';
import type { Log } from '../../src/kube/log.ts';
import type { Telemetry } from '../../src/telemetry/telemetry.ts';
import type { FakeCluster, Faults } from '../support/fake-cluster.ts';
import type { VirtualClock } from '../support/virtual-clock.ts';

export interface Process {
  readonly controller: Controller;
  /** What was logged as an error. */
  readonly errors: readonly string[];
  /** Looks at canaries that ended, well or badly. */
  readonly looks: () => number;
  /** Dies as with SIGKILL: nothing that is under way ends. */
  kill(): void;
  /** Ends in good order, unless it is dead. */
  stop(): Promise<void>;
}

export interface ProcessOptions {
  readonly name?: string;
  /** Whether it has the lease; it has where absent. */
  readonly leads?: boolean;
  readonly faults?: Faults;
  readonly settings?: Partial<Settings>;
  /** The verdict of a canary's metrics; good where absent. */
  readonly verdict?: (canary: string) => ChecksOutcome | Promise<ChecksOutcome>;
}

const settings: Settings = {
  meshProvider: 'istio',
  metricsServer: 'http://127.0.0.1:9',
  selectorLabels: ['app', 'name', 'app.kubernetes.io/name'],
  includeLabelPrefix: '',
  configTracking: true,
  ingressClass: '',
  ingressAnnotationsPrefix: 'nginx.ingress.kubernetes.io',
  noCrossNamespaceRefs: false,
  maxProgressing: 0,
  maxProgressingPerNamespace: 0,
  eventWebhook: '',
  clusterName: '',
};

/** For what is in hand, and the events of it. */
const finishMs = 1_000;

const good: ChecksOutcome = { passed: true, events: [] };

export function startProcess(
  cluster: FakeCluster,
  clock: VirtualClock,
  options: ProcessOptions = {},
): Process {
  const { name = 'aviary', faults, verdict = () => good } = options;
  const connection = cluster.connect(name, faults);
  const { client } = connection;
  const ended = new AbortController();
  const errors: string[] = [];
  const log = logOf(errors);
  const random = randomOf(4711);
  let looks = 0;
  let serial = 0;
  const randomHex = (digits: number): string => {
    serial += 1;
    return `${name}${serial}`.padStart(digits, '0');
  };
  const recorder = createEventRecorder({
    client,
    clock,
    random,
    randomHex,
    log,
    onDrop: (reason) => void errors.push(`event dropped: ${reason}`),
  });
  const checks: Checks = {
    analyse: async ({ metadata }) => verdict(metadata.name),
    probe: async () => good,
  };
  const controller: Controller = createController({
    settings: { ...settings, ...options.settings },
    kube: client,
    informers: createInformers({
      client,
      clock,
      random,
      log,
      onState: (plural, state) => controller.watchChanged(plural, state),
    }),
    recorder,
    checks,
    clock,
    random,
    log,
    telemetry: telemetryOf(() => (looks += 1)),
    uuid: () => `uuid-${name}-${(serial += 1)}`,
    workers: 8,
    signal: ended.signal,
  });
  const watching = controller.watch(ended.signal);
  const lead = async (): Promise<void> => {
    await controller.synced();
    if (options.leads !== false) await controller.lead(ended.signal, new AbortController().signal);
  };
  const leading = lead();
  return {
    controller,
    errors,
    looks: () => looks,
    kill: () => {
      connection.cut();
      ended.abort();
    },
    stop: async () => {
      if (ended.signal.aborted) return;
      ended.abort();
      const done = Promise.all([watching, leading]).then(() =>
        recorder.flush(new AbortController().signal),
      );
      await clock.advance(finishMs);
      await done;
    },
  };
}

function logOf(errors: string[]): Log {
  const quiet = (): void => undefined;
  const error: Log['error'] = (fields, message) =>
    void errors.push(`${message} ${JSON.stringify(fields)}`);
  return { debug: quiet, info: quiet, warn: quiet, error };
}

/** Each look that comes to its end records the phase. */
function telemetryOf(looked: () => void): Telemetry {
  const quiet = (): void => undefined;
  const series: Partial<Telemetry> = { canaryPhase: looked };
  return new Proxy(series as Telemetry, {
    get: (known, method: keyof Telemetry) => known[method] ?? quiet,
  });
}

/** From 0 to below 1, the same in every run (Lehmer's generator). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 0x7fff_ffff;
    return state / 0x7fff_ffff;
  };
}
