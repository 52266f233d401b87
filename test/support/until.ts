/** Waiting for a condition, with a bound: what tests do instead of sleeping. */

export interface UntilOptions {
  readonly timeoutMs?: number;
  readonly everyMs?: number;
  /** Said when the bound is reached: what was seen last. */
  readonly describe?: () => string;
}

/** The first defined value that `probe` returns. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  options: UntilOptions = {},
): Promise<T> {
  const { timeoutMs = 30_000, everyMs = 20, describe } = options;
  const endsAt = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > endsAt) {
      throw new Error(`${what}: not so after ${timeoutMs} ms. ${describe?.() ?? ''}`);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
