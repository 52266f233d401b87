/** Hooks and metrics that were asked, as the journal keeps them. */
import { formatFloat } from '../analysis/numbers.ts';
import type { CheckReport } from '../analysis/threshold.ts';
import type { Canary, CheckRecord, HookType } from '../api/canary.ts';
import { hooksOf } from '../api/defaults.ts';
import type { HooksOutcome } from '../hooks/run-hooks.ts';

/** Hooks of one type in their order, up to the one that refused: those after it were not called. */
export function hookRecords(
  canary: Canary,
  type: HookType,
  { refusedBy }: Pick<HooksOutcome, 'refusedBy'>,
): readonly CheckRecord[] {
  const hooks = hooksOf(canary, type);
  const called = refusedBy === undefined ? hooks : hooks.slice(0, hooks.indexOf(refusedBy) + 1);
  return called.map((hook) => ({
    name: hook.name,
    verdict: hook === refusedBy ? 'Refused' : 'Passed',
  }));
}

/** Enough to tell what failed from what did not; the event has them all. */
const digits = 6;

export function metricRecord({
  metric,
  value,
  unit,
  threshold,
  verdict,
}: CheckReport): CheckRecord {
  const { kind } = verdict;
  return {
    name: metric,
    ...(value === undefined ? {} : { value: `${formatFloat(rounded(value))}${unit}` }),
    ...(kind === 'Passed' ? {} : { threshold }),
    verdict: kind,
  };
}

/** Significant digits behind the point only: large numbers stay whole. */
function rounded(value: number): number {
  if (!Number.isFinite(value) || value === 0) return value;
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value))));
  return Number(value.toFixed(Math.min(decimals, 20)));
}
