/** Durations in the two or so digits that `kubectl` shows: `75s`, `5m30s`, `3h`, `2d4h`. */

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

/** Rules: k8s.io/apimachinery, `util/duration`, `HumanDuration`. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 2 * minute) return `${seconds}s`;
  if (seconds < 10 * minute) return two(seconds, [minute, 'm'], [1, 's']);
  if (seconds < 3 * hour) return one(seconds, [minute, 'm']);
  if (seconds < 8 * hour) return two(seconds, [hour, 'h'], [minute, 'm']);
  if (seconds < 2 * day) return one(seconds, [hour, 'h']);
  if (seconds < 8 * day) return two(seconds, [day, 'd'], [hour, 'h']);
  if (seconds < 2 * year) return one(seconds, [day, 'd']);
  if (seconds < 8 * year) return two(seconds, [year, 'y'], [day, 'd']);
  return one(seconds, [year, 'y']);
}

type Unit = readonly [seconds: number, letter: string];

const one = (seconds: number, [unit, letter]: Unit): string =>
  `${Math.floor(seconds / unit)}${letter}`;

function two(seconds: number, large: Unit, small: Unit): string {
  const rest = Math.floor((seconds % large[0]) / small[0]);
  return one(seconds, large) + (rest === 0 ? '' : `${rest}${small[1]}`);
}
