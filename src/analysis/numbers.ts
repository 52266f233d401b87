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

/** `%.2f`: two decimals of the binary value, exact ties to even. */
export function formatFixed(value: number): string {
  if (!Number.isFinite(value)) return formatFloat(value);
  // JavaScript rounds exact ties up; only multiples of an eighth can be such ties.
  const eighths = value * 8;
  const isTie = Number.isInteger(eighths) && eighths % 2 !== 0;
  if (!isTie) return value.toFixed(2);
  const hundredths = Math.floor(value * 100);
  return ((hundredths % 2 === 0 ? hundredths : hundredths + 1) / 100).toFixed(2);
}
