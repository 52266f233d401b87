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

/**
 * The fractions of which the half of a hundredth is exact, rounded to even: a binary fraction with
 * an odd number of two-hundredths is an odd number of eighths. JavaScript rounds such ties up.
 */
const ties: ReadonlyMap<number, string> = new Map([
  [0.125, '0.12'],
  [0.375, '0.38'],
  [0.625, '0.62'],
  [0.875, '0.88'],
]);

/** `%.2f`: two decimals of the binary value, exact ties to even; never in exponent form. */
export function formatFixed(value: number): string {
  if (!Number.isFinite(value)) return formatFloat(value);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const magnitude = Math.abs(value);
  const whole = Math.trunc(magnitude);
  const fraction = magnitude - whole;
  const [carry = '0', decimals = ''] = (ties.get(fraction) ?? fraction.toFixed(2)).split('.');
  return `${sign}${BigInt(whole) + BigInt(carry)}.${decimals}`;
}
