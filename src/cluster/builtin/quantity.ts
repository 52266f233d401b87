/**
 * Quantities (`500m`, `1Gi`) in the one way in which the API server writes each.
 * Rules: k8s.io/apimachinery, `api/resource/quantity.go`, "Serialization Format".
 */

/** Nothing is finer than a billionth: what is, is rounded away from zero. */
const nanosPerUnit = 1_000_000_000n;

const binaryPowers: Readonly<Record<string, number>> = {
  Ki: 1,
  Mi: 2,
  Gi: 3,
  Ti: 4,
  Pi: 5,
  Ei: 6,
};

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

const grammar =
  /^(?<sign>[+-]?)(?<whole>\d*)(?:\.(?<fraction>\d*))?(?<suffix>[KMGTPE]i|[numkMGTPE]?|[eE][+-]?\d+)$/;

type Format = 'binary' | 'decimal' | 'exponent';

interface Quantity {
  /** In billionths. */
  readonly nanos: bigint;
  readonly format: Format;
}

/** Undefined where the text is no quantity. */
export function canonicalQuantity(text: string): string | undefined {
  const parsed = parse(text);
  return parsed === undefined ? undefined : written(parsed);
}

/** Undefined where the text is no quantity. In billionths of the unit. */
export function nanosOf(text: string): bigint | undefined {
  return parse(text)?.nanos;
}

function parse(text: string): Quantity | undefined {
  const groups = grammar.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const { sign = '', whole = '', fraction = '', suffix = '' } = groups;
  if (whole === '' && fraction === '') return undefined;
  const digits = BigInt(whole + fraction);
  const binary = binaryPowers[suffix];
  const scale = decimalExponents[suffix] ?? (binary === undefined ? Number(suffix.slice(1)) : 0);
  const factor = binary === undefined ? 1n : 1024n ** BigInt(binary);
  const power = scale - fraction.length + 9;
  const nanos =
    power >= 0
      ? digits * factor * 10n ** BigInt(power)
      : roundedUp(digits * factor, 10n ** BigInt(-power));
  const isExponent = /^[eE][+-]?\d/.test(suffix);
  const format = binary === undefined ? (isExponent ? 'exponent' : 'decimal') : 'binary';
  return { nanos: sign === '-' ? -nanos : nanos, format };
}

const roundedUp = (value: bigint, divisor: bigint): bigint => (value + divisor - 1n) / divisor;

function written({ nanos, format }: Quantity): string {
  if (nanos === 0n) return '0';
  const sign = nanos < 0n ? '-' : '';
  const size = nanos < 0n ? -nanos : nanos;
  // Small numbers of bytes are written without a suffix.
  if (format === 'binary' && size >= 1024n * nanosPerUnit) return sign + inBinary(size);
  let value = size;
  let exponent = -9;
  while (exponent < 18 && value % 1000n === 0n) {
    value /= 1000n;
    exponent += 3;
  }
  if (format === 'exponent') {
    return `${sign}${value}${exponent === 0 ? '' : `e${exponent}`}`;
  }
  const suffix = Object.entries(decimalExponents).find(([, it]) => it === exponent)?.[0] ?? '';
  return sign + String(value) + suffix;
}

function inBinary(nanos: bigint): string {
  let value = roundedUp(nanos, nanosPerUnit);
  let power = 0;
  while (power < 6 && value % 1024n === 0n) {
    value /= 1024n;
    power += 1;
  }
  const suffix = Object.entries(binaryPowers).find(([, it]) => it === power)?.[0] ?? '';
  return String(value) + suffix;
}
