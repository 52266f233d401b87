/**
 * Expressions as cel-js takes them.
 *
 * `has(a[0].b)` is beyond it: its `has` follows names only. Said with optional values it is
 * `(a[0].?b).hasValue()`, which means the same. And its `matches` takes JavaScript's regular
 * expressions instead of RE2's, its `duration` takes `s` for one: functions of our own go in their
 * places.
 */

/** Texts in quotes, triple ones first, so that nothing in them is taken for code. */
const quoted = /r?"""[^]*?"""|r?'''[^]*?'''|r"[^"]*"|r'[^']*'|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/;
const token = new RegExp(`${quoted.source}|(?<![\\w.])has\\s*\\(|[()[\\].]`, 'g');
const replaced = new RegExp(
  `${quoted.source}|\\.\\s*matches(?=\\s*\\()|(?<![\\w.])duration(?=\\s*\\()`,
  'g',
);

/** What `matches` is called here. */
export const matchesFunction = 'matchesPattern';
/** What `duration` is called here. */
export const durationFunction = 'parseDuration';

export function inDialect(text: string): string {
  return withPresenceTests(text).replaceAll(replaced, (found) => {
    if (found === 'duration') return durationFunction;
    return found.startsWith('.') ? `.${matchesFunction}` : found;
  });
}

function withPresenceTests(text: string): string {
  if (!/\bhas\s*\([^)]*[[(]/.test(text)) return text;
  let rewritten = '';
  let from = 0;
  const pattern = new RegExp(token);
  for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
    if (!found[0].startsWith('has')) continue;
    const start = pattern.lastIndex;
    const argument = argumentAt(text, start);
    if (argument === undefined) break;
    rewritten += text.slice(from, found.index) + presenceTest(argument, found[0]);
    from = start + argument.text.length + 1;
    pattern.lastIndex = from;
  }
  return rewritten + text.slice(from);
}

interface Argument {
  readonly text: string;
  /** Where its last selection begins; undefined where it follows names only. */
  readonly dot: number | undefined;
}

function argumentAt(text: string, start: number): Argument | undefined {
  const pattern = new RegExp(token);
  pattern.lastIndex = start;
  let depth = 0;
  let dot: number | undefined;
  for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
    const [symbol] = found;
    if (symbol === '.' && depth === 0) dot = found.index - start;
    if (symbol === ')' && depth === 0) {
      const argument = text.slice(start, found.index);
      return { text: argument, dot: /[[(]/.test(argument) ? dot : undefined };
    }
    if (symbol === '[' || symbol.endsWith('(')) depth += 1;
    if (symbol === ']' || symbol === ')') depth -= 1;
  }
  return undefined;
}

function presenceTest({ text, dot }: Argument, call: string): string {
  if (dot === undefined) return `${call}${text})`;
  return `(${withPresenceTests(text.slice(0, dot))}.?${text.slice(dot + 1)}).hasValue()`;
}
