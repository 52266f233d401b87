/**
 * The functions that Kubernetes adds to CEL, as far as rules in the wild use them.
 * Functions: Kubernetes docs, "Common Expression Language in Kubernetes".
 */
import { isIP } from 'node:net';
import { Environment } from '@marcbachmann/cel-js';
import { durationFunction, matchesFunction } from './cel-dialect.ts';
import { isGoDuration } from './formats.ts';
import { compilePattern } from './patterns.ts';

export function addFunctions(environment: Environment): void {
  addDurations(environment);
  addStrings(environment);
  addLists(environment);
  addUrls(environment);
}

function addDurations(environment: Environment): void {
  const parse = new Environment({ unlistedVariablesAreDyn: true }).parse('duration(text)');
  environment.registerFunction(
    `${durationFunction}(string): google.protobuf.Duration`,
    (text: string): unknown => {
      if (!isGoDuration(text)) {
        throw new Error("type conversion error from 'string' to 'google.protobuf.Duration'");
      }
      return parse({ text });
    },
  );
}

function addStrings(environment: Environment): void {
  const patternOf = rememberedPatterns();
  const findAll = (text: string, pattern: string): readonly string[] => {
    const { source, flags } = patternOf(pattern);
    return [...text.matchAll(new RegExp(source, `g${flags}`))].map(([found]) => found);
  };
  environment
    .registerFunction(`string.${matchesFunction}(string): bool`, (text: string, pattern: string) =>
      patternOf(pattern).test(text),
    )
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

/** Most are written in the rule; what is beyond is compiled each time. */
const patternsMax = 1_000;

function rememberedPatterns(): (text: string) => RegExp {
  const known = new Map<string, RegExp>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const pattern = compilePattern(text);
    if (pattern === undefined) throw new Error(`invalid regular expression: ${text}`);
    if (known.size < patternsMax) known.set(text, pattern);
    return pattern;
  };
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
