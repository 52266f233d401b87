/**
 * Label selectors and field selectors, as they come in queries.
 * Grammar: k8s.io/apimachinery, `labels.Parse` and `fields.ParseSelector`.
 */
import type { StringMap } from '../api/kubernetes.ts';
import { badRequest } from './status-error.ts';

export type LabelMatch = (labels: StringMap) => boolean;

const requirement =
  /^\s*(?:(?<absent>!)\s*(?<no>[\w./-]+)|(?<key>[\w./-]+)\s*(?:(?<op>==|=|!=)\s*(?<value>[\w.-]*)|(?<cmp>[<>])\s*(?<number>-?\d+)|\s(?<set>in|notin)\s*\((?<values>[^)]*)\))?)\s*$/;

/** Parts between commas that are in no parentheses. */
function parts(text: string): readonly string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '(') depth += 1;
    if (char === ')') depth -= 1;
    if (char === ',' && depth === 0) {
      found.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...found, text.slice(start)];
}

/** Throws a `StatusError` (400) where the text is no selector. An empty one selects everything. */
export function parseLabelSelector(text: string): LabelMatch {
  if (text.trim() === '') return () => true;
  const matches = parts(text).map((part) => labelMatch(part, text));
  return (labels) => matches.every((match) => match(labels));
}

function labelMatch(part: string, whole: string): LabelMatch {
  const groups = requirement.exec(part)?.groups;
  if (groups === undefined) {
    throw badRequest(`unable to parse requirement: ${JSON.stringify(part)} in "${whole}"`);
  }
  const { absent, no = '', key = '', op, value = '', cmp, number, set, values = '' } = groups;
  if (absent !== undefined) return (labels) => !Object.hasOwn(labels, no);
  if (op === '!=') return (labels) => labels[key] !== value;
  if (op !== undefined) return (labels) => labels[key] === value;
  if (cmp !== undefined) {
    const bound = Number(number);
    return (labels) => {
      const found = Number(labels[key] ?? NaN);
      return cmp === '<' ? found < bound : found > bound;
    };
  }
  if (set === undefined) return (labels) => Object.hasOwn(labels, key);
  const wanted = new Set(values.split(',').map((it) => it.trim()));
  return set === 'in'
    ? (labels) => labels[key] !== undefined && wanted.has(labels[key])
    : (labels) => labels[key] === undefined || !wanted.has(labels[key]);
}

export interface FieldRequirement {
  readonly path: string;
  readonly value: string;
  readonly isEqual: boolean;
}

/** Throws a `StatusError` (400) where the text is no selector. */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  if (text.trim() === '') return [];
  return text.split(/(?<!\\),/).map((part) => {
    const found = /^(?<path>[^=!]+)(?<op>==|=|!=)(?<value>.*)$/s.exec(part)?.groups;
    if (found === undefined)
      throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
    const { path = '', op, value = '' } = found;
    return { path, value: value.replace(/\\([,=\\])/g, '$1'), isEqual: op !== '!=' };
  });
}

/** The field as selectors compare it: absent ones are empty. */
export function fieldOf(object: unknown, path: string): string {
  let found: unknown = object;
  for (const name of path.split('.')) {
    found =
      typeof found === 'object' && found !== null
        ? (found as Readonly<Record<string, unknown>>)[name]
        : undefined;
  }
  if (typeof found === 'number' || typeof found === 'boolean') return String(found);
  return typeof found === 'string' ? found : '';
}
