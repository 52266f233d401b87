/**
 * The part of JSONPath that columns and selectable fields of custom resources use: `.a.b`,
 * `['a']`, `[0]`, `[-1]`, `[*]`, and filters like `[?(@.type=="Ready")]`.
 * Grammar: Kubernetes docs, "JSONPath Support". Ranges, unions and `..` are not known here.
 */
import type { Json } from '../../api/kubernetes.ts';
import { isRecord } from '../json.ts';

/** The values at the path; none where there is nothing. */
export type JsonPath = (root: unknown) => readonly Json[];

type Selector = (value: unknown) => readonly unknown[];

/** Undefined where the text is no such path. */
export function compileJsonPath(text: string): JsonPath | undefined {
  const selectors = parsed(text);
  if (selectors === undefined) return undefined;
  return (root) => {
    let found: readonly unknown[] = [root];
    for (const select of selectors) found = found.flatMap(select);
    return found as readonly Json[];
  };
}

const step =
  /\.(?<name>(?:\\.|[^.[\]\\])+)|\[\s*(?:(?<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?<index>-?\d+)|(?<all>\*)|\?\((?<filter>(?:"[^"]*"|'[^']*'|[^"'])*?)\))\s*\]/y;

function parsed(text: string): readonly Selector[] | undefined {
  const path = text.replace(/^\$/, '');
  if (path === '.' || path === '') return [];
  const selectors: Selector[] = [];
  const pattern = new RegExp(step);
  while (pattern.lastIndex < path.length) {
    const groups = pattern.exec(path)?.groups;
    const selector = groups === undefined ? undefined : selectorOf(groups);
    if (selector === undefined) return undefined;
    selectors.push(selector);
  }
  return selectors;
}

function selectorOf(groups: Readonly<Record<string, string | undefined>>): Selector | undefined {
  const { name, quoted, index, filter } = groups;
  if (name !== undefined) return name === '*' ? every : field(unescaped(name));
  if (quoted !== undefined) return field(unescaped(quoted.slice(1, -1)));
  if (index !== undefined) return item(Number(index));
  return filter === undefined ? every : filtering(filter);
}

const unescaped = (text: string): string => text.replaceAll(/\\(.)/g, '$1');

const field =
  (name: string): Selector =>
  (value) =>
    isRecord(value) && value[name] !== undefined ? [value[name]] : [];

const item =
  (index: number): Selector =>
  (value) => {
    const found: unknown = Array.isArray(value) ? value.at(index) : undefined;
    return found === undefined ? [] : [found];
  };

const every: Selector = (value) => {
  if (Array.isArray(value)) return value as readonly unknown[];
  return isRecord(value) ? Object.values(value) : [];
};

const comparison = /^(?<left>.+?)\s*(?<operator>==|!=|<=|>=|<|>)\s*(?<right>.+)$/s;

type Operand = (item: unknown) => unknown;

function filtering(text: string): Selector | undefined {
  const groups = comparison.exec(text.trim())?.groups;
  const left = operand(groups?.['left'] ?? text);
  if (left === undefined) return undefined;
  if (groups === undefined) {
    return (value) => items(value).filter((it) => left(it) !== undefined);
  }
  const right = operand(groups['right'] ?? '');
  const { operator = '' } = groups;
  if (right === undefined) return undefined;
  return (value) => items(value).filter((it) => holds(left(it), operator, right(it)));
}

const items = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function operand(text: string): Operand | undefined {
  const literal = text.trim();
  if (literal.startsWith('@')) {
    const path = compileJsonPath(literal.slice(1));
    return path === undefined ? undefined : (it) => path(it)[0];
  }
  const quoted = /^(?:"(?<double>.*)"|'(?<single>.*)')$/s.exec(literal)?.groups;
  if (quoted !== undefined) {
    const value = unescaped(quoted['double'] ?? quoted['single'] ?? '');
    return () => value;
  }
  if (literal === 'true' || literal === 'false') return () => literal === 'true';
  const number = Number(literal);
  return literal === '' || Number.isNaN(number) ? undefined : () => number;
}

function holds(left: unknown, operator: string, right: unknown): boolean {
  if (left === undefined || right === undefined) return false;
  switch (operator) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    default:
      return typeof left === typeof right && isOrdered(left as number, operator, right as number);
  }
}

function isOrdered(left: number, operator: string, right: number): boolean {
  switch (operator) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    default:
      return left >= right;
  }
}
