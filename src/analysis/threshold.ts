/**
 * Fixed thresholds: whether one value is good, and the words in which the reference says that it is
 * not (`spec/03`, 1.6 and 1.7). "No data" is a verdict of its own, never zero.
 */
import type { CanaryMetric, ThresholdRange } from '../api/canary.ts';
import { formatDuration } from '../api/duration.ts';
import { formatFixed, formatFloat } from './numbers.ts';

export type Measurement =
  | {
      readonly kind: 'Value';
      readonly value: number;
      /** What is odd about the answer, though it has a value; for the log. */
      readonly warnings?: readonly string[];
    }
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

/** Whatever is not `Passed` is said as an event of type Warning. */
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
  /** Whether a failure is told as the provider tells it, as one query set of the reference does. */
  readonly failsPlainly?: boolean;
}

/** One check and how it ended, as gauges and records show it. */
export interface CheckReport {
  /** The metric's name in the analysis. */
  readonly metric: string;
  readonly measured: Measured;
  /** In `unit`; undefined where there was none. Durations are whole milliseconds. */
  readonly value: number | undefined;
  readonly unit: '%' | 'ms' | '';
  /** What was accepted: `>= 99%`, `<= 500ms`, `>= 1 and <= 5`, `anything`. */
  readonly threshold: string;
  readonly verdict: Verdict;
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

/** Judges, and keeps what was judged. */
export function report(check: Check, measurement: Measurement): CheckReport {
  const { metric, measured } = check;
  return {
    metric: metric.name,
    measured,
    value: measurement.kind === 'Value' ? inUnit(measured, measurement.value) : undefined,
    unit: units[measured],
    threshold: describeBounds(check),
    verdict: judge(check, measurement),
  };
}

const units: Readonly<Record<Measured, CheckReport['unit']>> = {
  'success rate': '%',
  duration: 'ms',
  query: '',
};

/** Durations are compared as whole milliseconds, bounds as well as values. */
function inUnit(measured: Measured, amount: number): number {
  return measured === 'duration' ? Math.trunc(amount) : amount;
}

function judgeValue(check: Check, measured: number): Verdict {
  const value = inUnit(check.measured, measured);
  const { min, max } = boundsOf(check);
  if (min !== undefined && value < min) return failed(check, value, '<', min);
  if (max !== undefined && value > max) return failed(check, value, '>', max);
  return { kind: 'Passed' };
}

/** A range takes precedence; a missing threshold counts as 0. */
function boundsOf({ metric, measured }: Check): ThresholdRange {
  const { thresholdRange, threshold = 0 } = metric;
  const single = measured === 'success rate' ? { min: threshold } : { max: threshold };
  const { min, max } = thresholdRange ?? single;
  return {
    ...(min === undefined ? {} : { min: inUnit(measured, min) }),
    ...(max === undefined ? {} : { max: inUnit(measured, max) }),
  };
}

function describeBounds(check: Check): string {
  const { min, max } = boundsOf(check);
  const show = (bound: number): string =>
    check.measured === 'duration'
      ? formatDuration(bound)
      : `${formatFloat(bound)}${units[check.measured]}`;
  const bounds = [
    ...(min === undefined ? [] : [`>= ${show(min)}`]),
    ...(max === undefined ? [] : [`<= ${show(max)}`]),
  ];
  return bounds.length === 0 ? 'anything' : bounds.join(' and ');
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

function noValues(check: Check, error: string): string {
  const { target, provider, metric, measured, templated } = check;
  const halt = 'Halt advancement no values found for';
  if (templated) return `${halt} custom metric: ${metric.name}: ${error}`;
  const idle = `metric ${metric.name} probably ${target} is not receiving traffic`;
  switch (measured) {
    case 'success rate':
      return `${halt} ${provider} ${idle}: ${builtInFailure(check, error)}`;
    case 'duration':
      return `${halt} ${provider} ${idle}`;
    case 'query':
      return `${halt} metric: ${metric.name}`;
  }
}

function unmeasured(check: Check, error: string): string {
  const { metric, measured, templated } = check;
  if (templated) return `Metric query failed for ${metric.name}: ${error}`;
  if (measured === 'query') return `Prometheus query failed for ${metric.name}: ${error}`;
  return `Prometheus query failed: ${builtInFailure(check, error)}`;
}

const builtInFailure = ({ failsPlainly }: Check, error: string): string =>
  failsPlainly === true ? error : `running query failed: ${error}`;
