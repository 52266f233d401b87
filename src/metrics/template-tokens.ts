/**
 * The words of a query template: text, and what stands between `{{` and `}}`, as Go's text/template
 * reads them. What cannot be read becomes one last token that says so, because a mistake before it
 * is to be reported first.
 */

export interface Token {
  readonly kind:
    | 'text'
    | 'left delimiter'
    | 'right delimiter'
    | 'space'
    | 'word'
    /** `.key`; a lone dot is punctuation. */
    | 'field'
    /** `$name`. */
    | 'variable'
    | 'number'
    | 'string'
    /** `:=`, `=`, `|`, `(`, `)`, `.` or a character that means nothing. */
    | 'punctuation'
    | 'end'
    | 'unreadable';
  /** As written; of an unreadable one, what is wrong. */
  readonly text: string;
  /** Of texts after trimming, and of literals. Integers are big. */
  readonly value?: string | bigint | number;
  /** Where it begins, in UTF-16 units. */
  readonly at: number;
  /** The line on which it begins; the first is 1. */
  readonly line: number;
}

interface Reader {
  readonly source: string;
  readonly tokens: Token[];
  at: number;
  line: number;
  /** Parentheses that are open. */
  depth: number;
}

const spaces = ' \t\r\n';
const isSpace = (character: string | undefined): boolean =>
  character !== undefined && character !== '' && spaces.includes(character);

/** The last token is an `end` or an `unreadable`. */
export function tokenize(source: string): readonly Token[] {
  const reader: Reader = { source, tokens: [], at: 0, line: 1, depth: 0 };
  while (readText(reader) && readAction(reader));
  return reader.tokens;
}

function add(reader: Reader, kind: Token['kind'], length: number, value?: Token['value']): void {
  const text = reader.source.slice(reader.at, reader.at + length);
  const { at, line } = reader;
  reader.tokens.push({ kind, text, at, line, ...(value === undefined ? {} : { value }) });
  skip(reader, length);
}

function skip(reader: Reader, length: number): void {
  const { source, at } = reader;
  for (let index = at; index < at + length; index += 1) {
    if (source[index] === '\n') reader.line += 1;
  }
  reader.at += length;
}

/** Ends the reading. */
function refuse({ tokens, at, line }: Reader, text: string): false {
  tokens.push({ kind: 'unreadable', text, at, line });
  return false;
}

/** Text up to an action; false where no action follows. */
function readText(reader: Reader): boolean {
  const { source } = reader;
  for (;;) {
    const start = source.indexOf('{{', reader.at);
    const end = start === -1 ? source.length : start;
    const trims = start !== -1 && trimsLeft(source, start);
    const text = source.slice(reader.at, end);
    const kept = trims ? trimEnd(text) : text;
    if (kept === '') skip(reader, text.length);
    else add(reader, 'text', text.length, kept);
    if (start === -1) {
      add(reader, 'end', 0);
      return false;
    }
    const marked = trims ? 4 : 2;
    if (!source.startsWith('/*', start + marked)) {
      add(reader, 'left delimiter', 2);
      if (trims) skip(reader, 2);
      reader.depth = 0;
      return true;
    }
    if (!skipComment(reader, marked)) return false;
  }
}

const trimsLeft = (source: string, start: number): boolean =>
  source[start + 2] === '-' && isSpace(source[start + 3]);

function trimEnd(text: string): string {
  let end = text.length;
  while (isSpace(text[end - 1])) end -= 1;
  return text.slice(0, end);
}

function skipComment(reader: Reader, marked: number): boolean {
  const { source, at } = reader;
  const close = source.indexOf('*/', at + marked + 2);
  if (close === -1) return refuse(reader, 'unclosed comment');
  skip(reader, close + 2 - at);
  const delimiter = closing(reader);
  if (delimiter === undefined) return refuse(reader, 'comment ends before closing delimiter');
  skip(reader, delimiter.length);
  if (delimiter.trims) skipSpace(reader);
  return true;
}

/** What closes an action at this place: `}}`, or ` -}}`. */
function closing({ source, at }: Reader): { length: number; trims: boolean } | undefined {
  if (source.startsWith('}}', at)) return { length: 2, trims: false };
  const trims = isSpace(source[at]) && source.startsWith('-}}', at + 1);
  return trims ? { length: 4, trims } : undefined;
}

function skipSpace(reader: Reader): void {
  let length = 0;
  while (isSpace(reader.source[reader.at + length])) length += 1;
  skip(reader, length);
}

/** What stands in an action; false where it cannot be read. */
function readAction(reader: Reader): boolean {
  for (;;) {
    const delimiter = closing(reader);
    if (delimiter !== undefined) {
      if (reader.depth > 0) return refuse(reader, 'unclosed left paren');
      if (delimiter.trims) skip(reader, 2);
      add(reader, 'right delimiter', 2);
      if (delimiter.trims) skipSpace(reader);
      return true;
    }
    if (!readToken(reader)) return false;
  }
}

function readToken(reader: Reader): boolean {
  const { source, at } = reader;
  const character = String.fromCodePoint(source.codePointAt(at) ?? 0);
  if (at >= source.length) return refuse(reader, 'unclosed action');
  if (isSpace(character)) return readSpace(reader);
  if (character === '"' || character === '`' || character === "'") return readQuoted(reader);
  if (/[+\-\d]/.test(character) || /^\.\d/.test(source.slice(at, at + 2)))
    return readNumber(reader);
  if (character === '$' || character === '.' || /[\p{L}\p{Nd}_]/u.test(character)) {
    return readName(reader);
  }
  return readPunctuation(reader, character);
}

/** Space up to the next token, or to the one before `-}}`. */
function readSpace(reader: Reader): boolean {
  const { source, at } = reader;
  let length = 1;
  while (isSpace(source[at + length])) length += 1;
  if (source.startsWith('-}}', at + length)) length -= 1;
  add(reader, 'space', length);
  return true;
}

const quoted: Readonly<Record<string, readonly [pattern: RegExp, name: string]>> = {
  '"': [/"(?:[^"\\\n]|\\[^\n])*"/y, 'quoted string'],
  '`': [/`[^`]*`/y, 'raw quoted string'],
  "'": [/'(?:[^'\\\n]|\\[^\n])*'/y, 'character constant'],
};

function readQuoted(reader: Reader): boolean {
  const [pattern, name] = quoted[reader.source[reader.at] ?? ''] ?? [/(?!)/y, ''];
  const text = match(reader, pattern);
  if (text === undefined) return refuse(reader, `unterminated ${name}`);
  const inner = text.slice(1, -1);
  const value = text.startsWith('`') ? inner : unescape(inner);
  if (value === undefined) return refuse(reader, 'invalid syntax');
  if (!text.startsWith("'")) {
    add(reader, 'string', text.length, value);
    return true;
  }
  const code = value.codePointAt(0);
  if (code === undefined) return refuse(reader, 'invalid syntax');
  if (value !== String.fromCodePoint(code)) {
    return refuse(reader, `malformed character constant: ${text}`);
  }
  add(reader, 'number', text.length, BigInt(code));
  return true;
}

const escapes: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/** The characters that escapes stand for; undefined where one is not Go's. */
function unescape(text: string): string | undefined {
  let isValid = true;
  const pattern = /\\(?:x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8})|([0-7]{3})|([^]))/gi;
  const value = text.replaceAll(pattern, (_, ...groups: (string | undefined)[]) => {
    const [x, u, U, octal, letter = ''] = groups;
    const hexadecimal = x ?? u ?? U;
    const code = hexadecimal === undefined ? parseInt(octal ?? '', 8) : parseInt(hexadecimal, 16);
    const found = Number.isNaN(code) ? escapes[letter] : undefined;
    if (found !== undefined) return found;
    if (code <= 0x10ffff) return String.fromCodePoint(code);
    isValid = false;
    return '';
  });
  return isValid ? value : undefined;
}

const numberLike =
  /[+-]?(?:0[xX][\da-fA-F_]*|0[oO][0-7_]*|0[bB][01_]*|[\d_]*)(?:\.[\d_]*)?(?:[eE][+-]?[\d_]*)?/y;
const integer = /^[+-]?(?:0x[\da-f_]+|0o[0-7_]+|0b[01_]+|\d[\d_]*)$/i;
const float = /^[+-]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:e[+-]?\d+)?$/i;

function readNumber(reader: Reader): boolean {
  const text = match(reader, numberLike) ?? '';
  const next = reader.source.codePointAt(reader.at + text.length);
  const follows = next === undefined ? '' : String.fromCodePoint(next);
  if (/[\p{L}\p{Nd}_]/u.test(follows)) {
    return refuse(reader, `bad number syntax: ${JSON.stringify(`${text}${follows}`)}`);
  }
  if (!integer.test(text) && !float.test(text)) {
    return refuse(reader, `illegal number syntax: ${JSON.stringify(text)}`);
  }
  const digits = text.replaceAll('_', '');
  add(reader, 'number', text.length, integer.test(text) ? bigOf(digits) : Number(digits));
  return true;
}

function bigOf(digits: string): bigint {
  const magnitude = digits.replace(/^[+-]/, '');
  // A leading zero alone makes an octal of it.
  const isOctal = /^0[0-7]+$/.test(magnitude);
  const value = BigInt(isOctal ? `0o${magnitude.slice(1)}` : magnitude);
  return digits.startsWith('-') ? -value : value;
}

/** A word, a field or a variable. Something else may only follow it where it ends. */
function readName(reader: Reader): boolean {
  const { source, at } = reader;
  const text = match(reader, /[.$]?[\p{L}\p{Nd}_]*/uy) ?? '';
  const next = source.slice(at + text.length);
  if (text === '.') {
    add(reader, 'punctuation', 1);
    return true;
  }
  if (next !== '' && !isSpace(next[0]) && !/^(?:[.,|:()]|\}\})/.test(next)) {
    skip(reader, text.length);
    return refuse(reader, `bad character ${describe(next)}`);
  }
  add(reader, kindOfName(text), text.length);
  return true;
}

function kindOfName(text: string): 'field' | 'variable' | 'word' {
  if (text.startsWith('.')) return 'field';
  return text.startsWith('$') ? 'variable' : 'word';
}

function readPunctuation(reader: Reader, character: string): boolean {
  if (character === ':' && reader.source[reader.at + 1] !== '=') {
    return refuse(reader, 'expected :=');
  }
  if (!/[\x21-\x7e]/.test(character)) {
    return refuse(reader, `unrecognized character in action: ${describe(character)}`);
  }
  if (character === '(') reader.depth += 1;
  if (character === ')') {
    reader.depth -= 1;
    if (reader.depth < 0) return refuse(reader, 'unexpected right paren');
  }
  add(reader, 'punctuation', character === ':' ? 2 : 1);
  return true;
}

/** The first character of a text, as Go prints it: `U+002D '-'`. */
function describe(text: string): string {
  const code = text.codePointAt(0) ?? 0;
  const number = code.toString(16).toUpperCase().padStart(4, '0');
  const character = String.fromCodePoint(code);
  return /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character)
    ? `U+${number} '${character}'`
    : `U+${number}`;
}

/** What a sticky pattern finds at this place. */
function match({ source, at }: Reader, pattern: RegExp): string | undefined {
  const sticky = new RegExp(pattern);
  sticky.lastIndex = at;
  return sticky.exec(source)?.[0];
}
