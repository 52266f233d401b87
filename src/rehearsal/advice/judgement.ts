/** Whether the checks of an analysis can tell a bad revision from a good one. */
import type { CanaryMetric } from '../../api/canary.ts';
import { failureThreshold, skipsAnalysis } from '../../api/defaults.ts';
import { formatDuration, parseDuration } from '../../api/duration.ts';
import type { AdviceFinding, AdviceRule, AdviceSubject } from './advice.ts';
import { metricPath, metricsOf, plannedVerdicts } from './plan.ts';

export const judgementRules: readonly AdviceRule[] = [
  {
    id: 'threshold-never-trips',
    means: 'No value that this metric can have fails the check: it looks like a guard and is none.',
    todo: 'Set a bound that a bad revision would cross, or take the metric out.',
    check: neverTrips,
  },
  {
    id: 'metric-without-threshold',
    means: 'An absent threshold counts as 0, a maximum: every value above 0 fails the check.',
    todo: 'Set thresholdRange with max, min or both.',
    check: withoutThreshold,
  },
  {
    id: 'duration-looks-like-seconds',
    means: 'request-duration is held against milliseconds, so hardly any request is fast enough.',
    todo: 'Write milliseconds: 500 for half a second.',
    check: looksLikeSeconds,
  },
  {
    id: 'errors-not-judged',
    means: 'A revision that fails each request, and fails it fast, is promoted.',
    todo: 'Add request-success-rate with thresholdRange.min, such as 99.',
    check: errorsNotJudged,
  },
  {
    id: 'threshold-above-verdicts',
    means:
      'Failed checks are counted and never forgiven, but more of them are allowed than the whole ' +
      'rollout has verdicts: a revision that fails every other check is promoted.',
    todo: 'Set analysis.threshold to less than the number of verdicts, such as 2 to 5.',
    check: thresholdAboveVerdicts,
  },
  {
    id: 'one-failure-rolls-back',
    means: 'One bad sample, or one moment without data, ends the rollout.',
    todo: 'Set analysis.threshold to 2 or more, unless that is what you want.',
    check: oneFailure,
  },
];

function* neverTrips({ canary }: AdviceSubject): Iterable<AdviceFinding> {
  const timeout = parseDuration(canary.spec.service?.timeout ?? '');
  for (const [index, metric] of metricsOf(canary).entries()) {
    const { min, max } = boundsOf(metric);
    const path = metricPath(index);
    if (metric.name === 'request-success-rate') {
      if ((min ?? 0) > 0 || (max ?? 100) < 100) continue;
      yield { path, found: 'every success rate from 0 to 100 passes' };
    } else if (min === undefined && max === undefined) {
      yield { path, found: 'thresholdRange has neither min nor max' };
    } else if (metric.name === 'request-duration' && timeout.ok && timeout.ms > 0) {
      if (max === undefined || max < timeout.ms || min !== undefined) continue;
      const found = `no request takes longer than service.timeout, ${formatDuration(timeout.ms)}, and up to ${formatDuration(max)} passes`;
      yield { path, found };
    }
  }
}

/** A range has the say; a single threshold is a minimum of the success rate, else a maximum. */
function boundsOf({ name, threshold, thresholdRange }: CanaryMetric) {
  if (thresholdRange !== undefined) return thresholdRange;
  const single = threshold ?? 0;
  return name === 'request-success-rate' ? { min: single } : { max: single };
}

function* withoutThreshold({ canary }: AdviceSubject): Iterable<AdviceFinding> {
  for (const [index, metric] of metricsOf(canary).entries()) {
    const { name, threshold, thresholdRange } = metric;
    if (threshold !== undefined || thresholdRange !== undefined) continue;
    if (name === 'request-success-rate') continue;
    yield { path: metricPath(index), found: `${name} has neither threshold nor thresholdRange` };
  }
}

/** No service over a network answers its slowest percent so fast. */
const plausibleMsMin = 5;

function* looksLikeSeconds({ canary }: AdviceSubject): Iterable<AdviceFinding> {
  for (const [index, metric] of metricsOf(canary).entries()) {
    const { max } = boundsOf(metric);
    if (metric.name !== 'request-duration' || max === undefined) continue;
    if (max <= 0 || max >= plausibleMsMin) continue;
    yield { path: metricPath(index), found: `the bound is ${max} ms` };
  }
}

function* errorsNotJudged({ canary }: AdviceSubject): Iterable<AdviceFinding> {
  const metrics = metricsOf(canary);
  if (metrics.length === 0 || !metrics.every(({ name }) => name === 'request-duration')) return;
  if (metrics.some(({ query, templateRef }) => query || templateRef !== undefined)) return;
  yield { path: 'spec.analysis.metrics', found: 'request-duration is the only metric' };
}

function* thresholdAboveVerdicts(subject: AdviceSubject): Iterable<AdviceFinding> {
  const verdicts = plannedVerdicts(subject);
  const threshold = failureThreshold(subject.canary);
  if (verdicts === 0 || threshold <= verdicts) return;
  const found = `${threshold} failed checks end a rollout of ${verdicts} verdicts`;
  yield { path: 'spec.analysis.threshold', found };
}

function* oneFailure({ canary }: AdviceSubject): Iterable<AdviceFinding> {
  if (skipsAnalysis(canary) || failureThreshold(canary) > 1) return;
  if (metricsOf(canary).length === 0) return;
  yield { path: 'spec.analysis.threshold', found: 'the first failed check ends a rollout' };
}
