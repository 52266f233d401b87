/** What was measured, beside what the reference needs and what we aim at. */
import type { CallCounts } from './calls.ts';
import { readsOf, workOf } from './calls.ts';
import { quantile } from './quantile.ts';
import type { FleetReport, Stretch } from './rollouts.ts';
import type { UpdateTimes } from './updates.ts';

export interface Row {
  readonly what: string;
  /** Measured with the reference on two cores; '' where it was not. */
  readonly reference: string;
  readonly target: string;
  readonly measured: string;
  /** Undefined where there is no target. */
  readonly met?: boolean;
}

/** The reference's figures are for these sizes; from the larger one on its limits show. */
const largeFleet = 300;

interface Reference {
  readonly idleCallsPerSecond: string;
  readonly toProgressing: string;
  readonly betweenSteps: string;
  readonly rollout: string;
}

const references: Readonly<Record<'small' | 'large', Reference>> = {
  small: {
    idleCallsPerSecond: '83',
    toProgressing: '9.1 s / 9.5 s',
    betweenSteps: '10.0 s / 11.3 s',
    rollout: '68 s',
  },
  large: {
    idleCallsPerSecond: '153',
    toProgressing: '32.6 s / 42.2 s',
    betweenSteps: '30.1 s',
    rollout: '250 s',
  },
};

export function fleetRows({ canaries, idle, rollouts }: FleetReport): readonly Row[] {
  const reference = references[canaries < largeFleet ? 'small' : 'large'];
  const idleRate = workOf(idle.audited) / idle.load.seconds;
  const perRollout = workOf(rollouts.audited) / canaries;
  const reads = readsOf(rollouts.audited);
  const progressing = fiftyAndLast(rollouts.toProgressing);
  const steps = fiftyAndLast(rollouts.betweenSteps);
  const whole = fiftyAndLast(rollouts.toSucceeded);
  const { residentMiB, peakMiB } = rollouts.memory;
  const row = (
    what: string,
    [reference, target, measured]: readonly [string, string, string],
    met?: boolean,
  ): Row => ({ what, reference, target, measured, ...(met === undefined ? {} : { met }) });
  return [
    row(
      'API calls a second, idle',
      [reference.idleCallsPerSecond, '0', idleRate.toFixed(2)],
      workOf(idle.audited) === 0,
    ),
    row('CPU, idle', ['', '', percent(idle, 'aviary')]),
    row('API calls a rollout', ['156 to 162', '25', perRollout.toFixed(1)], perRollout <= 25),
    row('of these reads', ['', '0', (reads / canaries).toFixed(2)], reads === 0),
    row(
      'change to Progressing, p50 / p99',
      [reference.toProgressing, '0.1 s / 0.5 s', inSeconds(progressing, 3)],
      progressing[0] < 100 && progressing[1] < 500,
    ),
    row(
      'between two steps, p50 / p99',
      [reference.betweenSteps, '10.0 s / 10.2 s', inSeconds(steps, 2)],
      Math.abs(steps[0] - 10_000) < 50 && steps[1] <= 10_200,
    ),
    row(
      'a rollout, p50 / p99',
      [reference.rollout, '50 s', inSeconds(whole, 1)],
      whole[0] <= 50_000,
    ),
    row('CPU a rollout', ['', '', `${perCanaryMs(rollouts, canaries)} ms`]),
    row(
      'memory, resident / peak',
      ['90 MiB', '200 MiB', `${residentMiB.toFixed(0)} MiB / ${peakMiB.toFixed(0)} MiB`],
      peakMiB < 200,
    ),
  ];
}

/** What a sceptic asks for. */
export function fleetDetails({ canaries, idle, rollouts }: FleetReport): readonly string[] {
  const { changingMs, benchBlindMs, betweenSteps, toProgressing, stages } = rollouts;
  return [
    `calls while idle: ${words(idle.audited)} (by its own counters: ${words(idle.counted)})`,
    `calls in ${canaries} rollouts: ${words(rollouts.audited)} (by its own counters: ${words(rollouts.counted)})`,
    `of one rollout: ${words(rollouts.objects, canaries)}`,
    `${canaries} changes in ${seconds(changingMs, 2)}: ${((canaries * 1000) / changingMs).toFixed(0)} a second`,
    `change to Progressing, longest: ${seconds(Math.max(...toProgressing), 2)}; ` +
      `between two steps, shortest and longest: ${seconds(Math.min(...betweenSteps), 2)}, ${seconds(Math.max(...betweenSteps), 2)}`,
    `from stage to stage, p50 / p99: ${Object.entries(stages)
      .map(([name, values]) => `${name} ${inSeconds(fiftyAndLast(values), 2)}`)
      .join(', ')}`,
    `cores in use while idle: ${cores(idle)}`,
    `cores in use in the rollouts, on average of ${seconds(rollouts.load.seconds * 1000, 0)}: ${cores(rollouts)}`,
    `memory while idle: ${idle.memory.residentMiB.toFixed(0)} MiB`,
    `the bench itself looked away for ${benchBlindMs.toFixed(0)} ms at most`,
  ];
}

export function updateRows(times: UpdateTimes): readonly Row[] {
  const base = fiftyAndLast(times.none);
  const unmatched = fiftyAndLast(times.unmatched);
  const matched = fiftyAndLast(times.matched);
  const nothing = fiftyAndLast(times.nothing);
  const patching = fiftyAndLast(times.patching);
  const added = ([p50]: Pair): string => `${(p50 - base[0]).toFixed(2)} ms added`;
  const measured = (pair: Pair): string => `${pair.map((ms) => ms.toFixed(2)).join(' / ')} ms`;
  return [
    {
      what: 'without webhooks, p50 / p99',
      reference: 'the same',
      target: '',
      measured: measured(base),
    },
    {
      what: 'ours, not matched',
      reference: 'no webhook',
      target: '0.5 ms added',
      measured: `${measured(unmatched)}, ${added(unmatched)}`,
      met: unmatched[0] - base[0] <= 0.5,
    },
    {
      what: 'ours, matched',
      reference: 'no webhook',
      target: `as one that does nothing`,
      measured: `${measured(matched)}, ${added(matched)}`,
      met: matched[0] <= nothing[0],
    },
    {
      what: 'one that does nothing',
      reference: '',
      target: '',
      measured: `${measured(nothing)}, ${added(nothing)}`,
    },
    {
      what: 'one that only sets an annotation',
      reference: '',
      target: '',
      measured: `${measured(patching)}, ${added(patching)}`,
    },
  ];
}

export function printTable(rows: readonly Row[], print: (line: string) => void): void {
  const cells = rows.map(({ what, reference, target, measured, met }) => [
    what,
    reference,
    target,
    measured,
    met === undefined ? '' : met ? 'met' : 'NOT MET',
  ]);
  const head = ['', 'reference', 'target', 'measured', ''];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((line) => line[column]?.length ?? 0)),
  );
  const line = (texts: readonly string[]): string =>
    `| ${texts.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  print(line(head));
  print(line(widths.map((width) => '-'.repeat(width))));
  for (const texts of cells) print(line(texts));
  print('');
}

/** The 50th and 99th percentile, in milliseconds. */
type Pair = readonly [number, number];

const fiftyAndLast = (values: readonly number[]): Pair => [
  quantile(values, 0.5),
  quantile(values, 0.99),
];

const seconds = (ms: number, digits: number): string => `${(ms / 1000).toFixed(digits)} s`;
const inSeconds = (pair: Pair, digits: number): string =>
  pair.map((ms) => seconds(ms, digits)).join(' / ');

const percent = ({ load }: Stretch, process: string): string =>
  `${(((load.cpu[process] ?? 0) / load.seconds) * 100).toFixed(1)} %`;

const perCanaryMs = ({ load }: Stretch, canaries: number): string =>
  (((load.cpu['aviary'] ?? 0) * 1000) / canaries).toFixed(0);

const cores = ({ load }: Stretch): string =>
  Object.entries(load.cpu)
    .map(([name, cpu]) => `${name} ${(cpu / load.seconds).toFixed(2)}`)
    .join(', ');

function words(counts: CallCounts, among = 1): string {
  const entries = Object.entries(counts).toSorted(([, left], [, right]) => right - left);
  if (entries.length === 0) return 'none';
  return entries
    .map(([name, count]) => `${name} ${among === 1 ? count : (count / among).toFixed(2)}`)
    .join(', ');
}
