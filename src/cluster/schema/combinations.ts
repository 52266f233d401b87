/**
 * Schemas made of others: all of them, any, exactly one, not that one.
 * Rules and wording: k8s.io/kube-openapi, `validation/validate/schema_props.go`. Of alternatives
 * that all fail, the one that got furthest is shown.
 */
import type { FieldError } from '../status-error.ts';
import type { CompiledSchema } from './compiled.ts';
import { invalid, noPath } from './field-errors.ts';
import type { Walk } from './walk.ts';
import { here, report } from './walk.ts';

/** What came of holding the value against one of the schemas. */
export interface Attempt {
  readonly errors: readonly FieldError[];
  readonly matches: number;
}

type Attempting = (schema: CompiledSchema) => Attempt;

export function checkCombinations(
  { anyOf, oneOf, allOf, not }: CompiledSchema,
  walk: Walk,
  attempt: Attempting,
): void {
  if (anyOf.length > 0) checkAnyOf(anyOf, attempt, walk);
  if (oneOf.length > 0) checkOneOf(oneOf, attempt, walk);
  if (allOf.length > 0) checkAllOf(allOf, attempt, walk);
  if (not !== undefined && attempt(not).errors.length === 0) {
    wrong(walk, 'must not validate the schema (not)');
  }
}

function take(walk: Walk, { errors, matches }: Attempt): void {
  for (const error of errors) report(walk, error);
  walk.matches += matches;
}

/** These errors have no path of their own. */
function wrong(walk: Walk, what: string): void {
  report(walk, invalid(noPath, '', `${JSON.stringify(here(walk))} ${what}`));
}

const betterOf = (best: Attempt | undefined, made: Attempt): Attempt =>
  best === undefined || made.matches > best.matches ? made : best;

function checkAnyOf(anyOf: readonly CompiledSchema[], attempt: Attempting, walk: Walk): void {
  let best: Attempt | undefined;
  for (const alternative of anyOf) {
    const made = attempt(alternative);
    if (made.errors.length === 0) {
      take(walk, made);
      return;
    }
    best = betterOf(best, made);
  }
  wrong(walk, 'must validate at least one schema (anyOf)');
  if (best !== undefined) take(walk, best);
}

function checkOneOf(oneOf: readonly CompiledSchema[], attempt: Attempting, walk: Walk): void {
  let best: Attempt | undefined;
  const right: Attempt[] = [];
  for (const alternative of oneOf) {
    const made = attempt(alternative);
    if (made.errors.length === 0) right.push(made);
    else best = betterOf(best, made);
  }
  const [only] = right;
  if (right.length === 1 && only !== undefined) {
    take(walk, only);
    return;
  }
  const found =
    right.length === 0 ? 'Found none valid' : `Found ${right.length} valid alternatives`;
  wrong(walk, `must validate one and only one schema (oneOf). ${found}`);
  if (right.length === 0 && best !== undefined) take(walk, best);
}

function checkAllOf(allOf: readonly CompiledSchema[], attempt: Attempting, walk: Walk): void {
  let right = 0;
  for (const part of allOf) {
    const made = attempt(part);
    if (made.errors.length === 0) right += 1;
    take(walk, made);
  }
  if (right === allOf.length) return;
  wrong(walk, `must validate all the schemas (allOf)${right === 0 ? '. None validated' : ''}`);
}
