/**
 * Go durations (`1m30s`): parsed and printed as Go's `time` package does, because users write them
 * and messages contain them.
 */

const nanosecondsPerUnit: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

export type ParsedDuration =
  { readonly ok: true; readonly ms: number } | { readonly ok: false; readonly error: string };

const refuse = (error: string): ParsedDuration => ({ ok: false, error: `time: ${error}` });

/** Parses a Go duration to milliseconds (fractions kept). Error texts are Go's. */
export function parseDuration(text: string): ParsedDuration {
  const quoted = JSON.stringify(text);
  const sign = text.startsWith('-') ? -1 : 1;
  let rest = text.replace(/^[+-]/, '');
  if (rest === '0') return { ok: true, ms: 0 };
  if (rest === '') return refuse(`invalid duration ${quoted}`);
  let nanoseconds = 0;
  while (rest !== '') {
    const amount = /^(\d+\.?\d*|\.\d+)/.exec(rest)?.[0];
    if (amount === undefined) return refuse(`invalid duration ${quoted}`);
    rest = rest.slice(amount.length);
    const unit = /^[^\d.]+/.exec(rest)?.[0];
    if (unit === undefined) return refuse(`missing unit in duration ${quoted}`);
    const scale = nanosecondsPerUnit[unit];
    if (scale === undefined)
      return refuse(`unknown unit ${JSON.stringify(unit)} in duration ${quoted}`);
    nanoseconds += Number(amount) * scale;
    rest = rest.slice(unit.length);
  }
  return { ok: true, ms: (sign * nanoseconds) / 1e6 };
}

/** Prints whole milliseconds as Go prints a Duration: `0s`, `98ms`, `1.515s`, `1m0s`, `1h0m0s`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return ms > 0 ? '+Inf' : ms < 0 ? '-Inf' : 'NaN';
  if (ms < 0) return `-${formatDuration(-ms)}`;
  const whole = Math.trunc(ms);
  if (whole === 0) return '0s';
  if (whole < 1000) return `${whole}ms`;
  const hours = Math.floor(whole / 3_600_000);
  const minutes = Math.floor((whole % 3_600_000) / 60_000);
  const seconds = `${(whole % 60_000) / 1000}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
