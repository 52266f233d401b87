/** Whether metrics have enough to look at when they are asked. */
import {
  analysisIntervalMs,
  failureThreshold,
  hooksOf,
  skipsAnalysis,
} from '../../api/defaults.ts';
import { formatDuration } from '../../api/duration.ts';
import { planOf } from '../../canary/plan.ts';
import { valueAt } from '../series.ts';
import { windowOf } from '../synthetic-prometheus.ts';
import type { AdviceFinding, AdviceRule, AdviceSubject } from './advice.ts';
import { metricPath, metricsOf, plannedMs, plannedVerdicts, plannedWeights } from './plan.ts';

export const dataRules: readonly AdviceRule[] = [
  {
    id: 'window-below-two-scrapes',
    means: 'A rate needs two samples: this query has no data, now and then or always.',
    todo: 'Set the metric’s interval to at least twice the scrape interval; four times is usual.',
    check: windowBelowTwoScrapes,
  },
  {
    id: 'interval-below-scrape',
    means: 'Verdicts come faster than samples: several of them judge the same numbers.',
    todo: 'Set analysis.interval to at least the scrape interval.',
    check: intervalBelowScrape,
  },
  {
    id: 'window-above-interval',
    means:
      'A check right after a step still looks at the time before it: a revision that fails under ' +
      'more traffic gets the next steps before it shows.',
    todo: 'Set the metric’s interval to analysis.interval or less.',
    check: windowAboveInterval,
  },
  {
    id: 'analysis-below-window',
    means: 'The whole analysis is shorter than the time over which the metric is averaged.',
    todo: 'Take smaller steps or a longer analysis.interval, or shorten the metric’s interval.',
    check: analysisBelowWindow,
  },
  {
    id: 'no-traffic-before-switch',
    means:
      'No user’s request reaches the canary before the switch, so metrics have no data, and no ' +
      'data is a failed check.',
    todo: 'Add a rollout webhook that sends a load test, or set analysis.mirror.',
    check: noTrafficBeforeSwitch,
  },
  {
    id: 'too-few-requests',
    means:
      'So few requests reach the canary at its first step that a single failed one fails the ' +
      'check: verdicts are a matter of luck.',
    todo: 'Begin with a greater weight, widen the metric’s interval, or add a load test webhook.',
    check: tooFewRequests,
  },
];

function* windowBelowTwoScrapes({ canary, scenario }: AdviceSubject): Iterable<AdviceFinding> {
  const { scrapeIntervalMs } = scenario;
  for (const [index, metric] of metricsOf(canary).entries()) {
    const windowMs = windowOf(metric);
    if (windowMs >= 2 * scrapeIntervalMs) continue;
    const found = `looks back ${formatDuration(windowMs)}, samples come every ${formatDuration(scrapeIntervalMs)}`;
    yield { path: `${metricPath(index)}.interval`, found };
  }
}

function* intervalBelowScrape({ canary, scenario }: AdviceSubject): Iterable<AdviceFinding> {
  const { scrapeIntervalMs } = scenario;
  const intervalMs = analysisIntervalMs(canary);
  if (metricsOf(canary).length === 0 || intervalMs >= scrapeIntervalMs) return;
  const found = `a verdict every ${formatDuration(intervalMs)}, a sample every ${formatDuration(scrapeIntervalMs)}`;
  yield { path: 'spec.analysis.interval', found };
}

function* windowAboveInterval(subject: AdviceSubject): Iterable<AdviceFinding> {
  const intervalMs = analysisIntervalMs(subject.canary);
  if (plannedWeights(subject).length < 2) return;
  for (const [index, metric] of metricsOf(subject.canary).entries()) {
    const windowMs = windowOf(metric);
    if (windowMs <= intervalMs || windowMs >= plannedMs(subject)) continue;
    const found = `looks back ${formatDuration(windowMs)}, a step is taken every ${formatDuration(intervalMs)}`;
    yield { path: `${metricPath(index)}.interval`, found };
  }
}

function* analysisBelowWindow(subject: AdviceSubject): Iterable<AdviceFinding> {
  const wholeMs = plannedMs(subject);
  if (plannedVerdicts(subject) === 0) return;
  for (const [index, metric] of metricsOf(subject.canary).entries()) {
    const windowMs = windowOf(metric);
    if (windowMs < wholeMs || windowMs <= analysisIntervalMs(subject.canary)) continue;
    const found = `looks back ${formatDuration(windowMs)}, all steps take ${formatDuration(wholeMs)}`;
    yield { path: `${metricPath(index)}.interval`, found };
  }
}

function* tooFewRequests(subject: AdviceSubject): Iterable<AdviceFinding> {
  const { canary, scenario } = subject;
  const firstWeight = plannedWeights(subject)[0];
  const perSecond = valueAt(scenario.requestsPerSecond, 0);
  // One failure that is one too many is forgiven where several failed checks are.
  if (firstWeight === undefined || perSecond === 0 || failureThreshold(canary) > 3) return;
  for (const [index, metric] of metricsOf(canary).entries()) {
    if (metric.name !== 'request-success-rate') continue;
    const least = metric.thresholdRange?.min ?? metric.threshold ?? 0;
    const seconds = windowOf(metric) / 1000;
    const requests = perSecond * (firstWeight / 100) * seconds;
    if (least >= 100 || 100 / requests <= 100 - least) continue;
    const found =
      `at weight ${firstWeight} and ${perSecond} requests a second, ${seconds}s hold ` +
      `${Math.floor(requests)} requests: one failure is below ${least}%`;
    yield { path: metricPath(index), found };
  }
}

function* noTrafficBeforeSwitch({ canary, abilities }: AdviceSubject): Iterable<AdviceFinding> {
  const plan = planOf(canary, abilities);
  const isBlueGreen = plan.kind === 'Unrouted' || (plan.kind === 'Iterations' && !plan.abTesting);
  if (!isBlueGreen || skipsAnalysis(canary) || metricsOf(canary).length === 0) return;
  if (canary.spec.analysis?.mirror === true && abilities.mirroring) return;
  if (hooksOf(canary, 'rollout').length + hooksOf(canary, 'pre-rollout').length > 0) return;
  yield { path: 'spec.analysis.webhooks', found: 'blue/green, with metrics and no load test' };
}
