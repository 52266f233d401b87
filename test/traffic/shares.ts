/** What users saw of each weight, and how far off that is from what was intended. */
import type { Answer } from './load.ts';

/** A weight of the canary, in percent, and when it was written. */
export interface WeightSighting {
  readonly atMs: number;
  readonly weight: number;
}

/** One weight, for as long as it was in effect. */
export interface Share extends WeightSighting {
  readonly untilMs: number;
  readonly requests: number;
  readonly canary: number;
  /** In percent. */
  readonly share: number;
  /** How far the share is from the weight, in standard deviations of a binomial. 0 if both are equal. */
  readonly sigmas: number;
}

/**
 * Between the write of a weight and its effect: the controller gathers changes for up to half a
 * second, then Envoy is told. Requests of that time belong to no weight.
 */
export const settleMs = 1000;

/** Before the next weight was seen, it may have been written. */
const marginMs = 100;

/** A share for each weight that lasted long enough to be measured, in their order. */
export function sharesOf(
  answers: readonly Answer[],
  weights: readonly WeightSighting[],
  isCanary: (answer: Answer) => boolean,
  endMs: number,
): readonly Share[] {
  return weights.flatMap((sighting, index) => {
    const untilMs = weights[index + 1]?.atMs ?? endMs;
    const from = sighting.atMs + settleMs;
    const seen = answers.filter(({ atMs }) => atMs >= from && atMs < untilMs - marginMs);
    if (seen.length === 0) return [];
    const canary = seen.filter(isCanary).length;
    return [{ ...sighting, untilMs, ...measured(seen.length, canary, sighting.weight) }];
  });
}

function measured(requests: number, canary: number, weight: number) {
  const expected = weight / 100;
  const observed = canary / requests;
  const deviation = Math.sqrt((expected * (1 - expected)) / requests);
  const distance = Math.abs(observed - expected);
  return {
    requests,
    canary,
    share: observed * 100,
    sigmas: distance === 0 ? 0 : distance / deviation,
  };
}
