/** The metric checks of a verdict, with the caches to look templates up in and a gauge for values. */
import type { CheckReport } from '../analysis/threshold.ts';
import type { Canary } from '../api/canary.ts';
import { displayName } from '../api/defaults.ts';
import type { Clock } from '../kube/clock.ts';
import type { Log } from '../kube/log.ts';
import type { MetricEvent, MetricsContext } from '../metrics/run-metrics.ts';
import { checkAvailability, runMetrics } from '../metrics/run-metrics.ts';
import { createTransport } from '../metrics/transport.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

export interface ChecksOptions extends Pick<
  MetricsContext,
  'meshProvider' | 'metricsServer' | 'template' | 'secret' | 'knativeRevision'
> {
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Pick<Telemetry, 'canaryMetric'>;
}

export interface ChecksOutcome {
  readonly passed: boolean;
  readonly events: readonly MetricEvent[];
  /** What was measured; absent where nothing is. */
  readonly reports?: readonly CheckReport[];
}

export interface Checks {
  /** Asks the canary's metric providers and judges their answers. */
  analyse(canary: Canary, signal: AbortSignal): Promise<ChecksOutcome>;
  /** Whether all metric providers can be asked. */
  probe(canary: Canary, signal: AbortSignal): Promise<ChecksOutcome>;
}

export function createChecks(options: ChecksOptions): Checks {
  const { clock, log, telemetry } = options;
  const transport = createTransport({ sleep: (ms, signal) => clock.sleep(ms, signal) });
  const context = (signal: AbortSignal): MetricsContext => ({ ...options, transport, signal });
  return {
    probe: (canary, signal) => checkAvailability(canary, context(signal)),
    analyse: async (canary, signal) => {
      const outcome = await runMetrics(canary, context(signal));
      const { namespace = '' } = canary.metadata;
      const key = { namespace, target: canary.spec.targetRef.name };
      for (const { metric, value, unit } of outcome.reports) {
        if (value === undefined) continue;
        telemetry.canaryMetric(key, metric, unit === 'ms' ? value / 1000 : value);
      }
      for (const warning of outcome.warnings) log.warn({ canary: displayName(canary) }, warning);
      return outcome;
    },
  };
}
