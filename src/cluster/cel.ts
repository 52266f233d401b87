/**
 * The Common Expression Language as the API server has it: rules of custom resources
 * (`schema/rules.ts`) and match conditions of webhooks. The language is cel-js's; here are the
 * functions that Kubernetes adds to it, as far as rules in the wild use them: strings, lists,
 * regular expressions, URLs, addresses. Not here: quantities, semantic versions, formats, the
 * authorizer, and comprehensions of two variables.
 * Functions: Kubernetes docs, "Common Expression Language in Kubernetes".
 */
import { isIP } from 'node:net';
import { Environment, EvaluationError, Optional, ParseError } from '@marcbachmann/cel-js';
import type { ParseResult } from '@marcbachmann/cel-js';
import { compilePattern } from './schema/patterns.ts';

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
    createEnvironment([]).parse(text);
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
  if (summary.startsWith('found no matching overload')) return 'no such overload';
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

function compile(environment: Environment, text: string): Expression {
  let parsed: ParseResult;
  try {
    parsed = environment.parse(text);
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
  addStrings(environment);
  addLists(environment);
  addUrls(environment);
  return environment;
}

function addStrings(environment: Environment): void {
  const patternOf = (text: string): RegExp => {
    const pattern = compilePattern(text);
    if (pattern === undefined) throw new Error(`invalid regular expression: ${text}`);
    return pattern;
  };
  const findAll = (text: string, pattern: string): readonly string[] => {
    const { source, flags } = patternOf(pattern);
    return [...text.matchAll(new RegExp(source, `g${flags}`))].map(([found]) => found);
  };
  environment
    .registerFunction('string.charAt(int): string', (text: string, at: bigint) =>
      text.charAt(Number(at)),
    )
    .registerFunction(
      'string.replace(string, string): string',
      (text: string, from: string, to: string) => text.replaceAll(from, () => to),
    )
    .registerFunction(
      'string.replace(string, string, int): string',
      (text: string, from: string, to: string, times: bigint) =>
        replaceSome(text, { from, to, times: Number(times) }),
    )
    .registerFunction('string.reverse(): string', (text: string) =>
      Array.from(text).toReversed().join(''),
    )
    .registerFunction(
      'string.find(string): string',
      (text: string, pattern: string) => patternOf(pattern).exec(text)?.[0] ?? '',
    )
    .registerFunction('string.findAll(string): list<string>', findAll)
    .registerFunction(
      'string.findAll(string, int): list<string>',
      (text: string, pattern: string, max: bigint) => {
        const found = findAll(text, pattern);
        return max < 0n ? found : found.slice(0, Number(max));
      },
    )
    .registerFunction('isIP(string): bool', (text: string) => isIP(text) !== 0);
}

function replaceSome(
  text: string,
  { from, to, times }: { readonly from: string; readonly to: string; readonly times: number },
): string {
  if (times < 0) return text.replaceAll(from, () => to);
  let replaced = text;
  let start = 0;
  for (let time = 0; time < times; time += 1) {
    const at = replaced.indexOf(from, start);
    if (at === -1) break;
    replaced = replaced.slice(0, at) + to + replaced.slice(at + from.length);
    start = at + to.length;
  }
  return replaced;
}

type Ordered = string | number | bigint | Date;

function extreme(
  list: readonly Ordered[],
  name: string,
  isBetter: (one: Ordered, best: Ordered) => boolean,
): Ordered {
  const [first, ...others] = list;
  if (first === undefined) throw new Error(`${name} called on empty list`);
  return others.reduce((best, it) => (isBetter(it, best) ? it : best), first);
}

function addLists(environment: Environment): void {
  const same = (one: unknown, other: unknown): boolean =>
    one === other || JSON.stringify(one, bigInts) === JSON.stringify(other, bigInts);
  environment
    .registerFunction('list.isSorted(): bool', (list: readonly Ordered[]) =>
      list.every((it, at) => at === 0 || (list[at - 1] ?? it) <= it),
    )
    .registerFunction('list.sum(): dyn', (list: readonly (number | bigint)[]) =>
      list.every((it) => typeof it === 'bigint')
        ? list.reduce((sum: bigint, it) => sum + it, 0n)
        : list.reduce((sum: number, it) => sum + Number(it), 0),
    )
    .registerFunction('list.min(): dyn', (list: readonly Ordered[]) =>
      extreme(list, 'min', (one, best) => one < best),
    )
    .registerFunction('list.max(): dyn', (list: readonly Ordered[]) =>
      extreme(list, 'max', (one, best) => one > best),
    )
    .registerFunction('list.indexOf(dyn): int', (list: readonly unknown[], item: unknown) =>
      BigInt(list.findIndex((it) => same(it, item))),
    )
    .registerFunction('list.lastIndexOf(dyn): int', (list: readonly unknown[], item: unknown) =>
      BigInt(list.findLastIndex((it) => same(it, item))),
    );
}

const bigInts = (_: string, value: unknown): unknown =>
  typeof value === 'bigint' ? `int ${value}` : value;

/** What a rule sees of a URL, or of an absolute path. */
class UrlValue {
  readonly scheme: string;
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  readonly path: string;

  constructor(text: string) {
    const url = new URL(text, text.startsWith('/') ? 'path://' : undefined);
    const isPath = text.startsWith('/');
    this.scheme = isPath ? '' : url.protocol.replace(/:$/, '');
    // JavaScript leaves out a port that the scheme implies; Go does not.
    this.port = /^[^/]*\/\/[^/?#]*:(\d+)(?:[/?#]|$)/.exec(text)?.[1] ?? '';
    this.hostname = url.hostname.replaceAll(/^\[|\]$/g, '');
    this.host = this.port === '' ? url.hostname : `${url.hostname}:${this.port}`;
    this.path = url.pathname;
  }
}

function isUrl(text: string): boolean {
  return text.startsWith('/') || (/^[a-z][a-z0-9+.-]*:/i.test(text) && URL.canParse(text));
}

function addUrls(environment: Environment): void {
  environment
    .registerType('URL', UrlValue)
    .registerFunction('isURL(string): bool', isUrl)
    .registerFunction('url(string): URL', (text: string) => {
      if (!isUrl(text)) throw new Error(`URL parse error during conversion from string: ${text}`);
      return new UrlValue(text);
    })
    .registerFunction('URL.getScheme(): string', ({ scheme }: UrlValue) => scheme)
    .registerFunction('URL.getHost(): string', ({ host }: UrlValue) => host)
    .registerFunction('URL.getHostname(): string', ({ hostname }: UrlValue) => hostname)
    .registerFunction('URL.getPort(): string', ({ port }: UrlValue) => port)
    .registerFunction('URL.getEscapedPath(): string', ({ path }: UrlValue) => path);
}
