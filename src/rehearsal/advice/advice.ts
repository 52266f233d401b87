/**
 * What is odd about a Canary's settings, seen together with a scenario: one pure rule each. A rule
 * says what it found; its id, what that means and what to do about it stay the same, so that people
 * can look them up and machines can leave them out.
 */
import type { Canary } from '../../api/canary.ts';
import type { Deployment, HorizontalPodAutoscaler } from '../../api/kubernetes.ts';
import type { RoutingAbilities } from '../../canary/observation.ts';
import type { Scenario } from '../scenario.ts';
import { dataRules } from './data.ts';
import { judgementRules } from './judgement.ts';
import { rolloutRules } from './rollout.ts';

export interface AdviceSubject {
  readonly canary: Canary;
  readonly scenario: Scenario;
  readonly abilities: RoutingAbilities;
  /** Absent where nobody gave it. */
  readonly deployment: Deployment | undefined;
  /** Of the target, whether or not the Canary names it. */
  readonly autoscaler: HorizontalPodAutoscaler | undefined;
}

export interface AdviceFinding {
  /** As `kubectl explain` writes it, with indices. */
  readonly path: string;
  /** What was found there, with its numbers. */
  readonly found: string;
}

export interface AdviceRule {
  readonly id: string;
  /** What comes of it. */
  readonly means: string;
  readonly todo: string;
  readonly check: (subject: AdviceSubject) => Iterable<AdviceFinding>;
}

export interface Advice extends AdviceFinding {
  readonly id: string;
  readonly means: string;
  readonly todo: string;
}

export const adviceRules: readonly AdviceRule[] = [
  ...judgementRules,
  ...dataRules,
  ...rolloutRules,
];

/** In the order of the rules. */
export function advise(subject: AdviceSubject): readonly Advice[] {
  return adviceRules.flatMap(({ id, means, todo, check }) =>
    [...check(subject)].map((finding) => ({ id, means, todo, ...finding })),
  );
}
