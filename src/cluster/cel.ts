/**
 * The Common Expression Language as the API server has it: rules of custom resources
 * (`schema/rules.ts`) and match conditions of webhooks. The language is cel-js's, with functions
 * for strings, lists, regular expressions, URLs and addresses. Not here: quantities, semantic
 * versions, formats, sets, the authorizer, and comprehensions of two variables.
 */
import { Environment, EvaluationError, Optional, ParseError } from '@marcbachmann/cel-js';
import type { ParseResult } from '@marcbachmann/cel-js';
import { inDialect } from './schema/cel-dialect.ts';
import { addFunctions } from './schema/cel-functions.ts';

export interface Outcome {
  readonly value?: unknown;
  /** Why there is no value: what the expression ran into, or that it is none. */
  readonly error?: unknown;
}

export type Expression = (variables: Readonly<Record<string, unknown>>) => Outcome;

/** Nobody has more; what is above is compiled each time. */
const expressionsMax = 1_000;

/** Compiles each text once. Never throws: an expression that is none fails when it is asked. */
export function createCompiler(variables: readonly string[]): (text: string) => Expression {
  const compiled = new Map<string, Expression>();
  let environment: Environment | undefined;
  return (text) => {
    const known = compiled.get(text);
    if (known !== undefined) return known;
    environment ??= createEnvironment(variables);
    const expression = compile(environment, text);
    if (compiled.size < expressionsMax) compiled.set(text, expression);
    return expression;
  };
}

/** What is wrong with the text of an expression; undefined where it is one. */
export function syntaxProblem(text: string): string | undefined {
  try {
    createEnvironment([]).parse(inDialect(text));
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** In the words of Go's CEL, where they differ. */
export function reasonOf(error: unknown): string {
  const summary =
    error instanceof EvaluationError || error instanceof ParseError
      ? error.summary
      : String(error instanceof Error ? error.message : error);
  const outOfBounds = /index out of bounds, index (-?\d+)/.exec(summary);
  if (outOfBounds !== null) return `index out of bounds: ${outOfBounds[1]}`;
  if (/^(found no matching|no such) overload/.test(summary)) return 'no such overload';
  if (summary.startsWith('timestamp() requires')) {
    return "type conversion error from 'string' to 'google.protobuf.Timestamp'";
  }
  return summary.replace(/^No such key/, 'no such key');
}

export const optionalOf = (value: unknown): unknown =>
  value === undefined ? Optional.none() : Optional.of(value);

/**
 * A value of JSON of which nothing is known: whole numbers are integers. What has none comes back
 * as it is.
 */
export function plainValue(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value !== 'object' || value === null) return value ?? null;
  if (Array.isArray(value)) {
    const items = value.map(plainValue);
    return items.every((item, at) => item === value[at]) ? value : items;
  }
  let changed: Record<string, unknown> | undefined;
  for (const [name, before] of Object.entries(value)) {
    const after = plainValue(before);
    if (after === before) continue;
    changed ??= { ...value };
    changed[name] = after;
  }
  return changed ?? value;
}

/** As `plainValue` of objects, whose parts it remembers: most are shared from write to write. */
export function createPlainObjects(): (object: Readonly<Record<string, unknown>>) => unknown {
  const known = new WeakMap<object, unknown>();
  const plainPart = (part: unknown): unknown => {
    if (typeof part !== 'object' || part === null) return plainValue(part);
    let plain = known.get(part);
    if (plain === undefined) known.set(part, (plain = plainValue(part)));
    return plain;
  };
  return (object) => {
    const plain: Record<string, unknown> = {};
    for (const name in object) plain[name] = plainPart(object[name]);
    return plain;
  };
}

function compile(environment: Environment, text: string): Expression {
  let parsed: ParseResult;
  try {
    parsed = environment.parse(inDialect(text));
  } catch (error) {
    return () => ({ error });
  }
  return (variables) => {
    try {
      return { value: parsed(variables) };
    } catch (error) {
      return { error };
    }
  };
}

function createEnvironment(variables: readonly string[]): Environment {
  const environment = new Environment({
    enableOptionalTypes: true,
    homogeneousAggregateLiterals: false,
  });
  for (const name of variables) environment.registerVariable(name, 'dyn');
  addFunctions(environment);
  return environment;
}
