/** A resource.Quantity as Go prints its fields after it was parsed from text (`spec/01`, 3.12). */

const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

const decimalExponents: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};

interface Parsed {
  readonly value: bigint;
  readonly scale: number;
  /** The text that the value keeps; empty where Go would print it otherwise. */
  readonly text: string;
  readonly format: string;
}

export function dumpQuantity(value: unknown): string {
  const { value: number, scale, text, format } = parse(value);
  return (
    `{i:(resource.int64Amount){value:(int64)${number} scale:(resource.Scale)${scale}} ` +
    `d:(resource.infDecAmount){Dec:(*inf.Dec)<nil>} s:(string)${text} Format:(resource.Format)${format}}`
  );
}

function parse(value: unknown): Parsed {
  if (value === undefined || value === null) return { value: 0n, scale: 0, text: '', format: '' };
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (text === '0') return { value: 0n, scale: 0, text, format: 'DecimalSI' };
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(.*)$/.exec(text);
  const [, sign = '', whole = '', fraction = '', suffix = ''] = match ?? [];
  const digits = BigInt(`${whole}${fraction}` || '0') * (sign === '-' ? -1n : 1n);
  const power = binarySuffixes.indexOf(suffix);
  if (power > 0 && fraction === '') {
    const shifted = digits * 2n ** BigInt(10 * power);
    return { value: shifted, scale: 0, text: (digits & 7n) === 0n ? '' : text, format: 'BinarySI' };
  }
  const exponent = /^[eE]([+-]?\d+)$/.exec(suffix);
  const scale =
    (exponent === null ? (decimalExponents[suffix] ?? 0) : Number(exponent[1])) - fraction.length;
  const plain = `${whole}${fraction}`;
  const kept = scale % 3 === 0 && !plain.endsWith('000') && !plain.startsWith('0');
  return {
    value: digits,
    scale,
    text: kept ? text : '',
    format: exponent === null ? 'DecimalSI' : 'DecimalExponent',
  };
}
