/**
 * Numbers as Go prints them, because messages of the reference contain them: `%v` and `%.2f` of a
 * float64.
 */

/** `%v`: the shortest digits that read back the same; exponent form below 1e-4 and from 1e6 on. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [digits = '', exponentText = '0'] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 6) return String(value);
  const sign = exponent < 0 ? '-' : '+';
  return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** `%.2f`: so many decimals of the binary value, exact ties to even; never in exponent form. */
export function formatFixed(value: number, decimals = 2): string {
  if (!Number.isFinite(value)) return formatFloat(value);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const digits = String(scaled(Math.abs(value), decimals)).padStart(decimals + 1, '0');
  if (decimals === 0) return `${sign}${digits}`;
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** The value times ten to the power of `decimals`, rounded to even; exact, as floats are not. */
function scaled(value: number, decimals: number): bigint {
  const { mantissa, exponent } = partsOf(value);
  const numerator = mantissa * 10n ** BigInt(decimals);
  if (exponent >= 0) return numerator << BigInt(exponent);
  const denominator = 1n << BigInt(-exponent);
  const quotient = numerator / denominator;
  const twiceTheRest = (numerator % denominator) * 2n;
  const roundsUp =
    twiceTheRest > denominator || (twiceTheRest === denominator && quotient % 2n === 1n);
  return roundsUp ? quotient + 1n : quotient;
}

/** A positive float as `mantissa * 2 ** exponent` (IEEE 754, binary64). */
function partsOf(value: number): { readonly mantissa: bigint; readonly exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const fraction = bits & ((1n << 52n) - 1n);
  const biased = Number(bits >> 52n);
  if (biased === 0) return { mantissa: fraction, exponent: -1074 };
  return { mantissa: fraction | (1n << 52n), exponent: biased - 1075 };
}
