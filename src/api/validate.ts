/**
 * What is wrong with a Canary beyond what its schema can say.
 *
 * An error is what can never work, so it is refused; a warning is what works otherwise than it
 * seems. The first errors are the reference's, in its order and words (`spec/01`, 1.7). Pure, and
 * no input makes it throw: it is also given objects that no schema has checked.
 */
import { analysisChecks } from './validate-analysis.ts';
import { compatibilityChecks } from './validate-compatibility.ts';
import { dependencyChecks } from './validate-dependencies.ts';
import { readSpec } from './validate-input.ts';
import type { Finding, Subject, ValidationOptions } from './validate-input.ts';
import { routeChecks } from './validate-routes.ts';
import { serviceChecks } from './validate-service.ts';
import { targetChecks } from './validate-target.ts';

export type { ValidationOptions } from './validate-input.ts';

export interface SpecProblem {
  /** As `kubectl explain` writes it, with indices: `spec.analysis.stepWeights[2]`. */
  readonly path: string;
  readonly message: string;
}

export interface Validation {
  readonly errors: readonly SpecProblem[];
  /** One line each, path first. */
  readonly warnings: readonly string[];
}

/** Findings of each sort beyond this help nobody. */
const findingsMax = 50;

const checks: readonly ((subject: Subject) => Iterable<Finding>)[] = [
  ...compatibilityChecks,
  ...targetChecks,
  ...serviceChecks,
  ...analysisChecks,
  ...dependencyChecks,
  ...routeChecks,
];

export function validateCanary(canary: unknown, options: ValidationOptions): Validation {
  const subject = readSpec(canary, options);
  const errors: SpecProblem[] = [];
  const warnings: string[] = [];
  for (const check of checks) {
    for (const { severity, path, message } of check(subject)) {
      if (severity === 'Error') errors.push({ path, message });
      else warnings.push(`${path}: ${message}`);
    }
  }
  return { errors: errors.slice(0, findingsMax), warnings: warnings.slice(0, findingsMax) };
}

/** All errors on one line, for a condition or an answer of admission. */
export function describeProblems(problems: readonly SpecProblem[]): string {
  return problems.map(({ path, message }) => `${path}: ${message}`).join('; ');
}
