/**
 * Series that belong to one canary, and go when it goes.
 *
 * prom-client removes a series only by its exact labels, so each series that was written is
 * remembered under its canary. What is kept is bounded by what `/metrics` prints.
 */
import type { Registry } from 'prom-client';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Phase, Strategy } from '../api/canary.ts';
import type { CanaryKey, Guard, Telemetry } from './telemetry.ts';

type Labels = Readonly<Record<string, string>>;
type CanarySeries = Pick<
  Telemetry,
  | 'canaryPhase'
  | 'canaryWeights'
  | 'canaryTick'
  | 'canaryMetric'
  | 'canarySucceeded'
  | 'canaryFailed'
  | 'canaryTotal'
  | 'canaryForgotten'
>;

export function createCanarySeries(registry: Registry, guard: Guard): CanarySeries {
  const series = createSeries(registry);
  const remembered = createMemory();
  const total = new Gauge({
    name: 'flagger_canary_total',
    help: 'Total number of canary object',
    labelNames: ['namespace'],
    registers: [registry],
  });
  const count = (counter: Counter, key: CanaryKey, strategy: Strategy, status: string): void => {
    const labels = {
      ...named(key),
      deployment_strategy: strategy,
      analysis_status: status,
    };
    remembered.add(key, counter, labels).inc(labels);
  };
  const phases = new Map<string, Phase>();

  return {
    canaryPhase: guard((key: CanaryKey, phase: Phase) => {
      const labels = named(key);
      remembered.add(key, series.status, labels).set(labels, statusValue(phase));
      const before = phases.get(idOf(key));
      if (before !== undefined && before !== phase) {
        remembered.remove(key, series.phase, { ...labels, phase: before });
      }
      phases.set(idOf(key), phase);
      remembered.add(key, series.phase, { ...labels, phase }).set({ ...labels, phase }, 1);
    }),
    canaryWeights: guard((key: CanaryKey, split: { primary: number; canary: number }) => {
      const primary = { workload: `${key.target}-primary`, namespace: key.namespace };
      const canary = { workload: key.target, namespace: key.namespace };
      remembered.add(key, series.weight, primary).set(primary, split.primary);
      remembered.add(key, series.weight, canary).set(canary, split.canary);
    }),
    canaryTick: guard((key: CanaryKey, seconds: number) => {
      remembered.add(key, series.duration, named(key)).observe(named(key), seconds);
    }),
    canaryMetric: guard((key: CanaryKey, metric: string, value: number) => {
      const labels = { ...named(key), metric };
      remembered.add(key, series.analysis, labels).set(labels, value);
    }),
    canarySucceeded: guard((key: CanaryKey, strategy: Strategy, status: string) => {
      count(series.successes, key, strategy, status);
    }),
    canaryFailed: guard((key: CanaryKey, strategy: Strategy) => {
      count(series.failures, key, strategy, 'completed');
    }),
    canaryTotal: guard((namespace: string, canaries: number) => {
      if (canaries > 0) total.set({ namespace }, canaries);
      else total.remove({ namespace });
    }),
    canaryForgotten: guard((key: CanaryKey) => {
      phases.delete(idOf(key));
      remembered.forget(key);
    }),
  };
}

/** The reference's encoding: everything that neither runs nor failed is a success (D32). */
function statusValue(phase: Phase): number {
  if (phase === 'Progressing') return 0;
  return phase === 'Failed' ? 2 : 1;
}

const named = (key: CanaryKey) => ({ name: key.target, namespace: key.namespace });
const idOf = (key: CanaryKey): string => `${key.namespace}/${key.target}`;

function createSeries(registry: Registry) {
  const registers = [registry];
  const labelNames = ['name', 'namespace'];
  const outcomeLabels = [...labelNames, 'deployment_strategy', 'analysis_status'];
  return {
    status: new Gauge({
      name: 'flagger_canary_status',
      help: 'Last canary analysis result',
      labelNames,
      registers,
    }),
    phase: new Gauge({
      name: 'aviary_canary_phase',
      help: '1 for the phase that a canary is in',
      labelNames: [...labelNames, 'phase'],
      registers,
    }),
    weight: new Gauge({
      name: 'flagger_canary_weight',
      help: 'The virtual service destination weight current value',
      labelNames: ['workload', 'namespace'],
      registers,
    }),
    duration: new Histogram({
      name: 'flagger_canary_duration_seconds',
      help: 'Seconds spent performing canary analysis.',
      labelNames,
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    analysis: new Gauge({
      name: 'flagger_canary_metric_analysis',
      help: 'Last canary analysis result per metric',
      labelNames: [...labelNames, 'metric'],
      registers,
    }),
    successes: new Counter({
      name: 'flagger_canary_successes_total',
      help: 'Total number of canary successes',
      labelNames: outcomeLabels,
      registers,
    }),
    failures: new Counter({
      name: 'flagger_canary_failures_total',
      help: 'Total number of canary failures',
      labelNames: outcomeLabels,
      registers,
    }),
  };
}

interface Removable {
  remove(labels: Labels): void;
}

function createMemory() {
  const byCanary = new Map<string, Map<string, () => void>>();
  // One family and its label values name a series; the separator is in no Kubernetes name.
  const families = new Map<Removable, number>();
  const seriesId = (family: Removable, labels: Labels): string => {
    const number = families.get(family) ?? families.size;
    families.set(family, number);
    return [number, ...Object.values(labels)].join('\u0000');
  };
  return {
    add<Family extends Removable>(key: CanaryKey, family: Family, labels: Labels): Family {
      const written = byCanary.get(idOf(key)) ?? new Map<string, () => void>();
      byCanary.set(idOf(key), written);
      const id = seriesId(family, labels);
      if (!written.has(id)) written.set(id, () => family.remove(labels));
      return family;
    },
    remove(key: CanaryKey, family: Removable, labels: Labels): void {
      family.remove(labels);
      byCanary.get(idOf(key))?.delete(seriesId(family, labels));
    },
    forget(key: CanaryKey): void {
      for (const remove of byCanary.get(idOf(key))?.values() ?? []) remove();
      byCanary.delete(idOf(key));
    },
  };
}
