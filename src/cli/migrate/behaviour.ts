/**
 * Where a canary's spec makes Aviary behave otherwise than the reference, on purpose: rows of the
 * defect tables (`spec/01`, 7; `spec/02`, 9; `spec/03`, 8) that concern this object. Pure.
 */
import type { Canary } from '../../api/canary.ts';
import type { Facts, MetricTemplateSource } from './canary-facts.ts';
import { factsOf } from './canary-facts.ts';
import type { Finding } from './report.ts';
import { note } from './report.ts';

interface Row {
  /** The row, and its twin in another table. */
  readonly code: string;
  readonly concerns: (facts: Facts) => boolean;
  readonly message: string;
}

const rows: readonly Row[] = [
  {
    code: 'D1',
    concerns: ({ status }) => status.phase === 'Failed' && status.canaryWeight === 100,
    message: 'after its failed promotion a fix is analysed with the traffic left on the canary',
  },
  {
    code: 'D6',
    concerns: ({ alerts }) => alerts.some(({ severity }) => !severity),
    message: 'alerts without a severity are sent from info on; they never were',
  },
  {
    code: 'D12',
    concerns: ({ stepWeights }) =>
      stepWeights.some((weight, at) => at > 0 && weight <= (stepWeights[at - 1] ?? 0)),
    message: 'stepWeights that do not rise are skipped; they stalled the rollout',
  },
  {
    code: 'D13',
    concerns: ({ hooks }) => hooks.has('confirm-promotion'),
    message: 'the promotion gate is asked once an interval, and weight and iterations are kept',
  },
  {
    code: 'D15',
    concerns: ({ hooks }) => hooks.has('rollback') && hooks.has('confirm-rollout'),
    message: 'rollback hooks are called while a rollout waits for approval, too',
  },
  {
    code: 'D18',
    concerns: ({ analysis }) => analysis.sessionAffinity?.primaryCookieName !== undefined,
    message: 'the primary cookie is new in each rollout',
  },
  {
    code: 'D19',
    concerns: ({ metrics }) => metrics.some((it) => it.templateRef && !it.interval),
    message: 'metrics of a template without an interval are asked over 1m',
  },
  {
    code: 'D20',
    concerns: ({ hooks }) => hooks.size > 0,
    message: 'each answer of 2xx to a hook passes, 204 among them',
  },
  {
    code: 'D34',
    concerns: ({ spec }) => spec.skipAnalysis === true,
    message: 'skipAnalysis waits until the primary is ready before the target is scaled down',
  },
  {
    code: 'D35',
    concerns: ({ analysis, abilities }) =>
      analysis.mirror === true && (analysis.iterations ?? 0) <= 0 && !abilities.mirroring,
    message: 'the mirror stage is left out with a warning; the rollout hung at weight 0',
  },
  {
    code: 'M-08',
    concerns: ({ providers }) =>
      ['datadog', 'dynatrace', 'stackdriver'].some((it) => providers.has(it)),
    message: 'a metric without a value is no value; it was read as 0',
  },
  {
    code: 'M-09',
    concerns: ({ providers }) => providers.has('influxdb'),
    message: 'a query without rows is no value; it was read as 0',
  },
];

export const behaviourNotes = (
  canary: Canary,
  meshProvider: string,
  templates: MetricTemplateSource,
): readonly Finding[] => {
  const facts = factsOf(canary, meshProvider, templates);
  return rows.filter((row) => row.concerns(facts)).map(({ code, message }) => note(code, message));
};
