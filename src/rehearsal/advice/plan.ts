/** What a Canary plans to do, if every verdict is good. */
import type { Canary } from '../../api/canary.ts';
import { analysisIntervalMs, skipsAnalysis } from '../../api/defaults.ts';
import { maxWeight, nextWeight, planOf } from '../../canary/plan.ts';
import type { AdviceSubject } from './advice.ts';

/** The weights that a rollout passes through, in percent; empty where it is not led by weights. */
export function plannedWeights({ canary, abilities }: AdviceSubject): readonly number[] {
  if (skipsAnalysis(canary) || planOf(canary, abilities).kind !== 'Weights') return [];
  const weights: number[] = [];
  const highest = maxWeight(canary);
  for (let weight = 0; weight < highest;) {
    const next = nextWeight(canary, weight);
    if (next === undefined || next <= weight) break;
    weights.push(next);
    weight = next;
  }
  return weights;
}

/** Verdicts between the first step and the promotion. */
export function plannedVerdicts(subject: AdviceSubject): number {
  const plan = planOf(subject.canary, subject.abilities);
  if (skipsAnalysis(subject.canary)) return 0;
  return plan.kind === 'Weights' ? plannedWeights(subject).length : plan.count;
}

/** From the first step to the promotion. */
export const plannedMs = (subject: AdviceSubject): number =>
  plannedVerdicts(subject) * analysisIntervalMs(subject.canary);

export const metricsOf = ({ spec }: Canary) => spec.analysis?.metrics ?? [];

export const metricPath = (index: number): string => `spec.analysis.metrics[${index}]`;
