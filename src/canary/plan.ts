/**
 * The strategy as a plan of steps: what the next step is, and when all are done.
 *
 *   weights     0 ─> w1 ─> w2 ─> ... ─> max ─> promote       (a mirror stage may precede w1)
 *   A/B         1/N ─> ... ─> N/N ─> promote                 (matching users see the canary)
 *   blue/green  1/N ─> ... ─> N/N ─> all traffic ─> promote  (no switch without routes)
 */
import type { Canary, CanaryStatus } from '../api/canary.ts';
import { strategyOf, totalWeight } from '../api/defaults.ts';
import type { RoutingAbilities, Split } from './observation.ts';

/** Iterations of a canary whose provider has no weights, where it names none (`spec/01`, 2.4). */
const iterationsDefault = 10;

export type Plan =
  | { readonly kind: 'Weights'; readonly mirrors: boolean }
  | { readonly kind: 'Iterations'; readonly count: number; readonly abTesting: boolean }
  | { readonly kind: 'Unrouted'; readonly count: number };

export function planOf(canary: Canary, abilities: RoutingAbilities): Plan {
  const { iterations = 0, mirror = false } = canary.spec.analysis ?? {};
  if (!abilities.weights) {
    return { kind: 'Unrouted', count: iterations >= 1 ? iterations : iterationsDefault };
  }
  const strategy = strategyOf(canary);
  if (strategy === 'canary') return { kind: 'Weights', mirrors: mirror && abilities.mirroring };
  return { kind: 'Iterations', count: iterations, abTesting: strategy === 'ab-testing' };
}

export function maxWeight(canary: Canary): number {
  const { stepWeights = [], maxWeight: max = 0 } = canary.spec.analysis ?? {};
  const last = stepWeights.at(-1);
  if (last !== undefined) return Math.min(totalWeight, last);
  return max > 0 ? max : totalWeight;
}

/** The weight after `weight`; undefined where the spec names no step that would raise it. */
export function nextWeight(canary: Canary, weight: number): number | undefined {
  const { stepWeight = 0, stepWeights = [] } = canary.spec.analysis ?? {};
  if (stepWeight > 0) return Math.min(totalWeight, weight + stepWeight);
  const step = stepWeights.find((candidate) => candidate > weight);
  return step === undefined ? undefined : Math.min(totalWeight, step);
}

export const splitAt = (canaryWeight: number, mirrored = false): Split => ({
  primary: totalWeight - canaryWeight,
  canary: canaryWeight,
  mirrored,
});

/** The split that the status stands for: what routes must say unless a step is being taken. */
function splitOf(plan: Plan, status: CanaryStatus, live: Split | undefined): Split {
  const { phase, iterations, canaryWeight } = status;
  if (phase === 'Finalising' || plan.kind === 'Unrouted') return splitAt(0);
  if (!isUnderway(phase) || plan.kind === 'Weights' || canaryWeight > 0) {
    const mirrored = canaryWeight === 0 && phase === 'Progressing' && live?.mirrored === true;
    return splitAt(canaryWeight, mirrored && plan.kind === 'Weights' && plan.mirrors);
  }
  if (plan.abTesting) return splitAt(iterations > 0 ? totalWeight : 0);
  // The switch of blue/green is remembered as one iteration more than there are.
  if (iterations > plan.count || phase === 'Promoting') return live ?? splitAt(totalWeight);
  return splitAt(0, live?.mirrored === true);
}

/**
 * The split to keep while no step is taken. Less traffic on the canary than there should be was
 * taken away by somebody, or by a process that ended before it could say so: it stays away.
 */
export function keptSplit(plan: Plan, status: CanaryStatus, live: Split | undefined): Split {
  const wanted = splitOf(plan, status, live);
  return live !== undefined && live.canary < wanted.canary ? live : wanted;
}

function isUnderway(phase: CanaryStatus['phase']): boolean {
  return phase === 'Progressing' || phase === 'WaitingPromotion' || phase === 'Promoting';
}
