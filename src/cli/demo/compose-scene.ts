/** Makes the scene of what is seen, measured and told. */
import type { CanaryMetric } from '../../api/canary.ts';
import { parseDuration } from '../../api/duration.ts';
import type { Onlooker, SideSeen } from './onlooker.ts';
import { sample } from './sample-app.ts';
import type { Check, Scene, Side } from './scene.ts';
import type { Traffic } from './traffic.ts';

export type Told = Omit<Scene, 'rollout' | 'sides' | 'checks' | 'requests'>;

/** Rates are those of the last so long, by the clock of the analysis. */
const rateWindowMs = 5_000;

export function composeScene(
  told: Told,
  onlooker: Pick<Onlooker, 'rollout' | 'sides' | 'canary'> | undefined,
  traffic: Traffic,
): Scene {
  const sides = onlooker?.sides() ?? [];
  const metrics = onlooker?.canary()?.spec.analysis?.metrics ?? [];
  const isJudged = sides.some(({ name, weight }) => name === 'canary' && weight > 0);
  return {
    ...told,
    rollout: onlooker?.rollout(),
    sides: sides.map((side) => measuredSide(side, traffic)),
    checks: metrics.map((metric) => checkOf(metric, isJudged ? traffic : undefined)),
    requests: { ...traffic.totals },
  };
}

function measuredSide(seen: SideSeen, traffic: Traffic): Side {
  const { behaviour: _, workload, ...side } = seen;
  const { perSecond, successRate, latencyMs } = traffic.measured(workload, rateWindowMs);
  // A window that reaches back to when there was traffic is of no interest where there is none.
  const isServed = side.weight > 0;
  return {
    ...side,
    perSecond: isServed ? perSecond : 0,
    successRate: isServed ? successRate : undefined,
    latencyMs: isServed ? latencyMs : undefined,
  };
}

function checkOf(metric: CanaryMetric, traffic: Traffic | undefined): Check {
  const { name, thresholdRange = {}, interval = '1m' } = metric;
  const window = parseDuration(interval);
  const measured = window.ok ? traffic?.measured(sample.name, window.ms) : undefined;
  const isDuration = name === 'request-duration';
  return {
    name,
    value: isDuration ? measured?.latencyMs : measured?.successRate,
    unit: isDuration ? 'ms' : '%',
    min: thresholdRange.min,
    max: thresholdRange.max,
  };
}
