/**
 * `printf` of query templates: Go's verbs, flags, widths and precisions for the values that a
 * template can have. A wrong verb is shown as Go shows it, because that is how authors find it.
 */
import { formatFixed, formatFloat } from '../analysis/numbers.ts';
import { append, entriesOf, refuse, show, typeOf } from './template-values.ts';
import type { Value } from './template-values.ts';

interface Verb {
  readonly letter: string;
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
}

/** Beyond it Go itself gives up. */
const widthMax = 10_000;
/** Digits after the point: a float64 has no more than this many. */
const precisionMax = 1_100;

const verbs = /%(?<flags>[-+# 0]*)(?<width>\d*)(?<dot>\.\d*)?(?<letter>[^]?)/gu;

export function formatAll(format: string, args: readonly Value[]): string {
  let text = '';
  let next = 0;
  let end = 0;
  for (const found of format.matchAll(verbs)) {
    const { flags = '', width = '', dot, letter = '' } = found.groups ?? {};
    text = append(text, format.slice(end, found.index));
    end = found.index + found[0].length;
    if (letter === '%' || letter === '') {
      text = append(text, letter === '%' ? '%' : '%!(NOVERB)');
      continue;
    }
    const verb: Verb = {
      letter,
      flags,
      width: bounded(Number(width), widthMax),
      precision: dot === undefined ? undefined : bounded(Number(dot.slice(1)), precisionMax),
    };
    text = append(text, next < args.length ? formatOne(verb, args[next]) : `%!${letter}(MISSING)`);
    next += 1;
  }
  text = append(text, format.slice(end));
  if (next >= args.length) return text;
  const extra = args
    .slice(next)
    .map((value) => (value === undefined ? '<nil>' : `${typeOf(value)}=${show(value)}`));
  return append(text, `%!(EXTRA ${extra.join(', ')})`);
}

const bounded = (amount: number, max: number): number =>
  amount > max ? refuse(`a width or precision of more than ${max}`) : amount;

function formatOne(verb: Verb, value: Value): string {
  if (value === undefined)
    return verb.letter === 'v' ? pad(verb, '<nil>') : `%!${verb.letter}(<nil>)`;
  if (verb.letter === 'T') return pad(verb, typeOf(value));
  if (typeof value === 'string') return formatString(verb, value);
  if (typeof value === 'bigint') return formatInteger(verb, value);
  if (typeof value === 'number') return formatNumber(verb, value);
  if (typeof value === 'boolean') {
    return /[vt]/.test(verb.letter) ? pad(verb, String(value)) : wrong(verb, value);
  }
  const entries = entriesOf(value).map(
    ([key, item]) => `${formatString(verb, key)}:${formatString(verb, item)}`,
  );
  return `map[${entries.join(' ')}]`;
}

const wrong = ({ letter }: Verb, value: Value): string =>
  `%!${letter}(${typeOf(value)}=${show(value)})`;

function formatString(verb: Verb, value: string): string {
  const { letter, flags, precision } = verb;
  const kept = precision === undefined ? value : Array.from(value).slice(0, precision).join('');
  switch (letter) {
    case 'v':
      return pad(verb, flags.includes('#') ? quote(kept) : kept);
    case 's':
      return pad(verb, kept);
    case 'q':
      return pad(verb, quote(kept));
    case 'x':
    case 'X': {
      const hexadecimal = Buffer.from(value).subarray(0, precision).toString('hex');
      return pad(verb, letter === 'x' ? hexadecimal : hexadecimal.toUpperCase());
    }
    default:
      return wrong(verb, value);
  }
}

const radixes: Readonly<Record<string, number>> = { v: 10, d: 10, b: 2, o: 8, x: 16, X: 16 };

function formatInteger(verb: Verb, value: bigint): string {
  const { letter, flags, precision } = verb;
  if (letter === 'c') return pad(verb, characterOf(value));
  if (letter === 'q') return pad(verb, quote(characterOf(value), "'"));
  if (letter === 'U') {
    const code = value.toString(16).toUpperCase().padStart(4, '0');
    return pad(verb, `U+${code}`);
  }
  const radix = radixes[letter];
  if (radix === undefined) return wrong(verb, value);
  const magnitude = (value < 0n ? -value : value).toString(radix).padStart(precision ?? 1, '0');
  const prefix = flags.includes('#') ? ({ b: '0b', o: '0', x: '0x', X: '0X' }[letter] ?? '') : '';
  const digits = letter === 'X' ? magnitude.toUpperCase() : magnitude;
  return padNumber(verb, signOf(verb, value < 0n), `${prefix}${digits}`, precision === undefined);
}

function characterOf(value: bigint): string {
  return value >= 0n && value <= 0x10ffffn ? String.fromCodePoint(Number(value)) : '\ufffd';
}

function formatNumber(verb: Verb, value: number): string {
  const { letter, precision } = verb;
  const magnitude = Math.abs(value);
  const sign = signOf(verb, value < 0 || Object.is(value, -0));
  if (!/[vgGeEfF]/.test(letter)) return wrong(verb, value);
  // Go pads what is no number with spaces.
  if (!Number.isFinite(value)) return padNumber(verb, '', formatFloat(value), false);
  switch (letter.toLowerCase()) {
    case 'f':
      return padNumber(verb, sign, formatFixed(magnitude, precision ?? 6), true);
    case 'e':
      return padNumber(verb, sign, exponential(verb, magnitude, precision ?? 6), true);
    default:
      return padNumber(verb, sign, general(verb, magnitude), true);
  }
}

/** One digit before the point, at least two in the exponent. */
function exponential({ letter }: Verb, magnitude: number, decimals: number): string {
  const [digits = '', exponent = ''] = magnitude.toExponential(Math.min(decimals, 100)).split('e');
  const e = letter === letter.toUpperCase() ? 'E' : 'e';
  return `${digits}${e}${exponent.slice(0, 1)}${exponent.slice(1).padStart(2, '0')}`;
}

/** The shorter of both forms, without zeros that say nothing. */
function general(verb: Verb, magnitude: number): string {
  if (verb.precision === undefined) return cased(verb, formatFloat(magnitude));
  const digitsMax = Math.max(1, Math.min(verb.precision, 100));
  const text = magnitude.toExponential(digitsMax - 1);
  const exponent = Number(text.slice(text.indexOf('e') + 1));
  const trimmed = (digits: string): string =>
    digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
  if (magnitude !== 0 && (exponent < -4 || exponent >= digitsMax)) {
    const [digits = '', rest = ''] = exponential(verb, magnitude, digitsMax - 1).split(/(?=[eE])/);
    return `${trimmed(digits)}${rest}`;
  }
  return trimmed(formatFixed(magnitude, Math.max(0, digitsMax - 1 - exponent)));
}

const cased = ({ letter }: Verb, text: string): string =>
  letter === 'G' ? text.toUpperCase() : text;

function signOf({ flags }: Verb, isNegative: boolean): string {
  if (isNegative) return '-';
  if (flags.includes('+')) return '+';
  return flags.includes(' ') ? ' ' : '';
}

/** Zeros go between the sign and the digits. */
function padNumber(verb: Verb, sign: string, digits: string, takesZeros: boolean): string {
  const fills = takesZeros && verb.flags.includes('0') && !verb.flags.includes('-');
  if (!fills) return pad({ ...verb, flags: verb.flags.replaceAll('0', '') }, `${sign}${digits}`);
  return `${sign}${digits.padStart(verb.width - sign.length, '0')}`;
}

function pad({ flags, width }: Verb, text: string): string {
  const missing = width - Array.from(text).length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return `${text}${' '.repeat(missing)}`;
  return `${(flags.includes('0') ? '0' : ' ').repeat(missing)}${text}`;
}

const named: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};

/** A Go literal of the text. */
export function quote(text: string, mark: '"' | "'" = '"'): string {
  const characters = Array.from(text, (character) => {
    if (character === mark) return `\\${mark}`;
    const short = named[character];
    if (short !== undefined) return short;
    if (/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character)) return character;
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
    return code > 0xffff
      ? `\\U${code.toString(16).padStart(8, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
  return `${mark}${characters.join('')}${mark}`;
}
