/** What a quantity is over time: points, each holding until the next, or climbing to it. */

export interface Point<T> {
  readonly atMs: number;
  readonly value: T;
  /** Reached in a straight line from the point before, where both are numbers. */
  readonly gradually: boolean;
}

/** At least one point, in order of time. Before the first point its value holds. */
export type Series<T> = readonly [Point<T>, ...Point<T>[]];

export const constant = <T>(value: T): Series<T> => [{ atMs: 0, value, gradually: false }];

export function valueAt<T>(series: Series<T>, ms: number): T {
  let current = series[0];
  for (const point of series) {
    if (point.atMs > ms) {
      const between = interpolated(current, point, ms);
      return between ?? current.value;
    }
    current = point;
  }
  return current.value;
}

/** Undefined where the point is not reached in a straight line. */
function interpolated<T>(from: Point<T>, to: Point<T>, ms: number): T | undefined {
  if (!to.gradually || ms < from.atMs || to.atMs === from.atMs) return undefined;
  if (typeof from.value !== 'number' || typeof to.value !== 'number') return undefined;
  const part = (ms - from.atMs) / (to.atMs - from.atMs);
  // Only numbers come here, so T is a type of numbers.
  return (from.value + part * (to.value - from.value)) as T;
}

/** The times at which the series bends or jumps. */
export const turnsOf = (series: Series<unknown>): readonly number[] =>
  series.map(({ atMs }) => atMs);

/**
 * The integral over time of a function that is smooth between its turns, per second. Exact for
 * products of up to three straight lines (Simpson's rule).
 */
export function integrate(
  value: (ms: number) => number,
  turns: readonly number[],
  fromMs: number,
  toMs: number,
): number {
  const inner = turns.filter((turn) => turn > fromMs && turn < toMs).toSorted((a, b) => a - b);
  let sum = 0;
  let startMs = fromMs;
  for (const endMs of [...inner, toMs]) {
    const lengthMs = endMs - startMs;
    if (lengthMs <= 0) continue;
    // A jump lies exactly at a turn: it is looked at from inside.
    const nearly = Math.min(lengthMs / 4, 1e-6);
    const [first, middle, last] = [startMs, startMs + lengthMs / 2, endMs - nearly].map(value);
    sum += ((lengthMs / 1000) * ((first ?? 0) + 4 * (middle ?? 0) + (last ?? 0))) / 6;
    startMs = endMs;
  }
  return sum;
}
