/** What metrics say in a rehearsal: the scenario's word, or what the traffic would show. */
import type { CanaryMetric } from '../api/canary.ts';
import type { MetricReply, Scenario } from './scenario.ts';
import { valueAt } from './series.ts';
import type { MetricOracle } from './synthetic-prometheus.ts';
import type { Traffic } from './traffic.ts';

export interface OracleOptions {
  readonly scenario: Scenario;
  readonly traffic: () => Traffic;
  /** Since the beginning of the scenario. */
  readonly scenarioMs: () => number;
}

export function createOracle({ scenario, traffic, scenarioMs }: OracleOptions): MetricOracle {
  return ({ metric, asks, windowMs }) => {
    const template = asks.kind === 'Own' ? asks.template : undefined;
    const { canary } = traffic().current();
    const names = [metric.name, ...(template === undefined ? [] : [template])];
    const own = scenario.revisions.get(canary.revision)?.metrics;
    for (const name of names) {
      const ofRevision = own?.get(name);
      if (ofRevision !== undefined) return valueAt(ofRevision, scenarioMs() - canary.deployedAtMs);
      const general = scenario.metrics.get(name);
      if (general !== undefined) return valueAt(general, scenarioMs());
    }
    if (asks.kind === 'Own') return passingValue(metric);
    const measured = traffic().measureCanary(windowMs, scenarioMs());
    const isRate = asks.metric === 'request-success-rate';
    return (isRate ? measured.successRate : measured.latencyMs) ?? 'none';
  };
}

/** Whether the scenario says what a metric of the user's own has for values. */
export function isForetold(scenario: Scenario, { name, templateRef }: CanaryMetric): boolean {
  const sources = [scenario.metrics, ...[...scenario.revisions.values()].map((it) => it.metrics)];
  const template = templateRef?.name ?? name;
  return sources.some((source) => source.has(name) || source.has(template));
}

/** A value that is within the bounds. */
function passingValue({ threshold = 0, thresholdRange }: CanaryMetric): MetricReply {
  const { min, max } = thresholdRange ?? { max: threshold };
  return min ?? Math.min(0, max ?? 0);
}
