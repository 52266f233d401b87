/** The journal as a table, and one canary's rollouts step by step. Pure. */
import type { Canary, CheckRecord, RolloutRecord, StepRecord } from '../../api/canary.ts';

export interface Entry {
  readonly namespace: string;
  readonly name: string;
  readonly rollout: RolloutRecord;
}

/** Oldest first: the last line is the latest. */
export function entriesOf(canaries: readonly Canary[], sinceMs: number): readonly Entry[] {
  return canaries
    .flatMap(({ metadata: { namespace = '', name }, status }) =>
      (status?.journal ?? []).map((rollout) => ({ namespace, name, rollout })),
    )
    .filter(({ rollout }) => Date.parse(rollout.startedAt) >= sinceMs)
    .toSorted((one, other) => (one.rollout.startedAt < other.rollout.startedAt ? -1 : 1));
}

const columns = ['STARTED', 'TOOK', 'CANARY', 'OUTCOME', 'BY', 'WHAT'] as const;

export function renderTable(entries: readonly Entry[], nowMs: number): string {
  if (entries.length === 0) return 'no rollout in any journal\n';
  const rows = entries.map(({ namespace, name, rollout }) => [
    rollout.startedAt,
    tookOf(rollout, nowMs),
    `${namespace}/${name}`,
    rollout.outcome ?? 'under way',
    rollout.by ?? '-',
    rollout.cause ?? rollout.revision,
  ]);
  const widths = columns.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return `${[line(columns), ...rows.map(line)].join('\n')}\n`;
}

export function renderSteps(entries: readonly Entry[], nowMs: number): string {
  if (entries.length === 0) return 'no rollout in its journal\n';
  return entries.map(({ rollout }) => stepsOf(rollout, nowMs).join('\n')).join('\n\n') + '\n';
}

function stepsOf(rollout: RolloutRecord, nowMs: number): readonly string[] {
  const { revision, by, cause, outcome, why, startedAt, steps = [], folded } = rollout;
  const made = [by === undefined ? [] : `by ${by}`, cause ?? []].flat().join(': ');
  const end = outcome === undefined ? 'under way' : outcome;
  return [
    `${startedAt}  revision ${revision}${made === '' ? '' : `, ${made}`}`,
    ...steps.flatMap(stepLines),
    ...(folded === undefined ? [] : [`  ${folded} steps were left out`]),
    `  ${end} after ${tookOf(rollout, nowMs)}${why === undefined ? '' : `: ${why}`}`,
  ];
}

function stepLines({ at, event, weight, iteration, checks = [], why }: StepRecord) {
  const where = iteration === undefined ? `weight ${weight}` : `iteration ${iteration}`;
  return [
    `  ${at.slice(11, 19)}  ${event.padEnd(10)} ${where}${why === undefined ? '' : `: ${why}`}`,
    ...checks.map((check) => `            ${checkText(check)}`),
  ];
}

function checkText({ name, value, threshold, verdict }: CheckRecord): string {
  const measured = value === undefined ? '' : ` ${value}`;
  const wanted = threshold === undefined ? '' : ` (wanted ${threshold})`;
  return `${name}${measured} ${verdict}${wanted}`;
}

/** `3m20s`, of a rollout that is under way until now. */
function tookOf({ startedAt, endedAt }: RolloutRecord, nowMs: number): string {
  const endMs = endedAt === undefined ? nowMs : Date.parse(endedAt);
  const seconds = Math.max(0, Math.round((endMs - Date.parse(startedAt)) / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${hours}h${minutes}m`;
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}
