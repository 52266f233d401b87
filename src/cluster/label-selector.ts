/**
 * Label selectors, as they come in queries: read as the API server reads them, refused in its words.
 * Grammar and texts: k8s.io/apimachinery, `labels.Parse`.
 */
import type { StringMap } from '../api/kubernetes.ts';
import { labelValueErrors, qualifiedNameErrors } from './metadata.ts';
import type { FieldError } from './status-error.ts';
import { badRequest } from './status-error.ts';

export type LabelMatch = (labels: StringMap) => boolean;

/** Throws a `StatusError` (400) where the text is no selector. An empty one selects everything. */
export function parseLabelSelector(text: string): LabelMatch {
  const tokens = createTokens(text);
  const matches: LabelMatch[] = [];
  if (tokens.next() === '') return () => true;
  for (;;) {
    const next = tokens.next();
    if (next !== '!' && isSymbol(next)) {
      throw unexpected(
        next,
        matches.length === 0 ? "!, identifier, or 'end of string'" : "identifier after ','",
      );
    }
    matches.push(requirement(tokens));
    const end = tokens.take();
    if (end === '') return (labels) => matches.every((match) => match(labels));
    if (end !== ',') throw unexpected(end, "',' or 'end of string'");
  }
}

const unexpected = (found: string, expected: string) =>
  badRequest(`found '${found}', expected: ${expected}`);
const unreadable = (why: string) => badRequest(`unable to parse requirement: ${why}`);
const missing = (found: string, expected: string) =>
  unreadable(`found '${found}', expected: ${expected}`);

interface Tokens {
  /** The empty text is the end. */
  next(): string;
  take(): string;
}

const tokenPattern = /\s*(?:(==|!=|[=!<>(),])|([^\s=!<>(),]+)|$)/y;

function createTokens(text: string): Tokens {
  const pattern = new RegExp(tokenPattern);
  const read = (): string => {
    const [, symbol, word] = pattern.exec(text) ?? [];
    return symbol ?? word ?? '';
  };
  let next = read();
  return {
    next: () => next,
    take: () => {
      const taken = next;
      next = next === '' ? '' : read();
      return taken;
    },
  };
}

/** Whether it is anything but a key or a value. */
const isSymbol = (token: string): boolean => token === '' || /^[=!<>(),]/.test(token);

function requirement(tokens: Tokens): LabelMatch {
  const isAbsent = tokens.next() === '!';
  if (isAbsent) tokens.take();
  const key = tokens.take();
  if (isSymbol(key)) throw missing(key, 'identifier');
  refuse(qualifiedNameErrors('<nil>', key));
  if (isAbsent) return (labels) => !Object.hasOwn(labels, key);
  if (tokens.next() === '' || tokens.next() === ',') return (labels) => Object.hasOwn(labels, key);
  return comparison(key, tokens);
}

function comparison(key: string, tokens: Tokens): LabelMatch {
  const operator = tokens.take();
  switch (operator) {
    case 'in':
    case 'notin': {
      const wanted = new Set(checked(key, valuesOf(tokens)));
      return operator === 'in'
        ? (labels) => labels[key] !== undefined && wanted.has(labels[key])
        : (labels) => labels[key] === undefined || !wanted.has(labels[key]);
    }
    case '=':
    case '==':
    case '!=': {
      const [value] = checked(key, [valueOf(tokens)]);
      return operator === '!='
        ? (labels) => labels[key] !== value
        : (labels) => labels[key] === value;
    }
    case '<':
    case '>':
      return order(key, operator, valueOf(tokens));
    default:
      throw missing(operator, 'in, notin, =, ==, !=, gt, lt');
  }
}

function order(key: string, operator: '<' | '>', value: string): LabelMatch {
  if (!/^[+-]?\d+$/.test(value)) {
    const why = "for 'Gt', 'Lt' operators, the value must be an integer";
    throw unreadable(`values[0]: Invalid value: ${JSON.stringify(value)}: ${why}`);
  }
  const bound = Number(value);
  return (labels) => {
    const found = Number(labels[key] ?? NaN);
    return operator === '<' ? found < bound : found > bound;
  };
}

/** The one of `=`, which may be empty. */
function valueOf(tokens: Tokens): string {
  if (tokens.next() === '' || tokens.next() === ',') return '';
  const value = tokens.take();
  if (isSymbol(value)) throw missing(value, 'identifier');
  return value;
}

/** Those in parentheses; what is left out is the empty one. */
function valuesOf(tokens: Tokens): readonly string[] {
  const open = tokens.take();
  if (open !== '(') throw unreadable(`found '${open}' expected: '('`);
  const values: string[] = [];
  let isOpen = true;
  while (isOpen) {
    const isEmpty = tokens.next() === ',' || tokens.next() === ')';
    const value = isEmpty ? '' : tokens.take();
    if (!isEmpty && isSymbol(value)) throw missing(value, "',', ')' or identifier");
    values.push(value);
    const end = tokens.take();
    if (end !== ',' && end !== ')') throw missing(end, "',' or ')'");
    isOpen = end === ',';
  }
  return values;
}

function checked(key: string, values: readonly string[]): readonly string[] {
  for (const [index, value] of values.entries()) {
    refuse(labelValueErrors(`values[${index}][${key}]`, value));
  }
  return values;
}

function refuse(errors: readonly FieldError[]): void {
  const [first] = errors;
  if (first !== undefined) throw unreadable(`${first.field}: ${first.message}`);
}
