/**
 * Fixed thresholds: whether one value is good, and the words in which the reference says that it is
 * not (`spec/03`, 1.6 and 1.7). "No data" is a verdict of its own, never zero.
 */
import type { CanaryMetric, ThresholdRange } from '../api/canary.ts';
import { formatDuration } from '../api/duration.ts';
import { formatFixed, formatFloat } from './numbers.ts';

export type Measurement =
  | { readonly kind: 'Value'; readonly value: number }
  /** The provider answered, and had nothing to say. */
  | { readonly kind: 'NoValues'; readonly error: string }
  | { readonly kind: 'Error'; readonly error: string };

/** What is measured, which decides the unit and what a single threshold means. */
export type Measured =
  /** Percent; a threshold is a minimum. */
  | 'success rate'
  /** Milliseconds; a threshold is a maximum. */
  | 'duration'
  /** Anything; a threshold is a maximum. */
  | 'query';

export type Verdict =
  | { readonly kind: 'Passed' }
  | { readonly kind: 'Failed'; readonly message: string }
  | { readonly kind: 'NoData'; readonly message: string }
  | { readonly kind: 'Unmeasured'; readonly message: string };

export interface Check {
  /** The canary as messages name it. */
  readonly canary: string;
  /** The target as messages name it. */
  readonly target: string;
  /** Names the query set in the message that there was no value. */
  readonly provider: string;
  readonly metric: CanaryMetric;
  readonly measured: Measured;
  /** Whether the query is a MetricTemplate's; it has messages of its own. */
  readonly templated: boolean;
}

export function judge(check: Check, measurement: Measurement): Verdict {
  switch (measurement.kind) {
    case 'Value':
      return judgeValue(check, measurement.value);
    case 'NoValues':
      return { kind: 'NoData', message: noValues(check, measurement.error) };
    case 'Error':
      return { kind: 'Unmeasured', message: unmeasured(check, measurement.error) };
  }
}

function judgeValue(check: Check, measured: number): Verdict {
  const whole = (bound: number): number =>
    check.measured === 'duration' && Number.isFinite(bound) ? Math.trunc(bound) : bound;
  const value = whole(measured);
  const { min, max } = boundsOf(check);
  if (min !== undefined && value < whole(min)) return failed(check, value, '<', whole(min));
  if (max !== undefined && value > whole(max)) return failed(check, value, '>', whole(max));
  return { kind: 'Passed' };
}

/** A range takes precedence; a missing threshold counts as 0. */
function boundsOf({ metric, measured }: Check): ThresholdRange {
  if (metric.thresholdRange !== undefined) return metric.thresholdRange;
  const bound = metric.threshold ?? 0;
  return measured === 'success rate' ? { min: bound } : { max: bound };
}

function failed(check: Check, value: number, relation: '<' | '>', bound: number): Verdict {
  const { canary, metric, measured } = check;
  const texts: Record<Measured, string> = {
    'success rate': `success rate ${formatFixed(value)}% ${relation} ${formatFloat(bound)}%`,
    duration: `request duration ${formatDuration(value)} ${relation} ${formatDuration(bound)}`,
    query: `${metric.name} ${formatFixed(value)} ${relation} ${formatFloat(bound)}`,
  };
  return { kind: 'Failed', message: `Halt ${canary} advancement ${texts[measured]}` };
}

function noValues({ target, provider, metric, measured, templated }: Check, error: string): string {
  const halt = 'Halt advancement no values found for';
  if (templated) return `${halt} custom metric: ${metric.name}: ${error}`;
  const idle = `metric ${metric.name} probably ${target} is not receiving traffic`;
  switch (measured) {
    case 'success rate':
      return `${halt} ${provider} ${idle}: ${error}`;
    case 'duration':
      return `${halt} ${provider} ${idle}`;
    case 'query':
      return `${halt} metric: ${metric.name}`;
  }
}

function unmeasured({ metric, measured, templated }: Check, error: string): string {
  if (templated) return `Metric query failed for ${metric.name}: ${error}`;
  if (measured === 'query') return `Prometheus query failed for ${metric.name}: ${error}`;
  return `Prometheus query failed: ${error}`;
}
