/** A rehearsal for people: what happened line by line, how it ended, and what to look at. */
import { formatDuration } from '../api/duration.ts';
import type { Colour, Paint } from './layout.ts';
import { clockTime, grouped, inAscii, wrap } from './layout.ts';
import type { Rehearsal, TimelineEntry, Verdict } from './timeline.ts';

export interface TextOptions {
  readonly paint: Paint;
  /** Whether signs beyond ASCII can be shown. */
  readonly unicode: boolean;
  /** Of a line; at least 60. */
  readonly columns: number;
  /** Shows each verdict, also where many are alike. */
  readonly full: boolean;
}

const columnsMin = 60;

export function renderText(rehearsal: Rehearsal, options: TextOptions): string {
  const { paint, unicode, columns, full } = options;
  const width = Math.max(columns, columnsMin);
  const sections = [
    heading(rehearsal, paint, width),
    timeline(full ? rehearsal.timeline : folded(rehearsal.timeline), paint, width),
    ending(rehearsal, paint, width),
    notes('The API server would warn on apply', rehearsal.admissionWarnings, paint, width),
    notes('Assumed', rehearsal.assumptions, paint, width),
    advice(rehearsal, paint, width),
  ];
  const filled = sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  const text = `${filled.join('\n\n')}\n`;
  return unicode ? text : inAscii(text);
}

function heading({ canary, scenario }: Rehearsal, paint: Paint, width: number): readonly string[] {
  const title = `Canary ${canary.name}.${canary.namespace}, scenario ${scenario.name}`;
  const about = scenario.description === '' ? [] : wrap(scenario.description, width);
  return [paint('bold', title), ...about];
}

/** Columns before the text of a line: time, weight, mark. */
const timeColumns = 8;
const weightColumns = 6;
const markColumns = 2;
const indent = timeColumns + weightColumns + markColumns;

interface Line {
  readonly mark: string;
  readonly colour: Colour | undefined;
  readonly text: string;
  /** On lines of their own below it. */
  readonly more?: readonly string[];
}

/** What has a line; or how many moments were left out, because they were like those around them. */
type Row = TimelineEntry | { readonly kind: 'Alike'; readonly count: number };

/** So many moments that are alike are shown before the rest of them is left out; and the last one. */
const alikeShown = 2;

function folded(entries: readonly TimelineEntry[]): readonly Row[] {
  const rows: Row[] = [];
  for (const run of runsAlike(momentsOf(entries))) {
    const left = run.slice(alikeShown, -1);
    // A line that says "2 are left out" is no shorter.
    if (left.length < alikeShown) rows.push(...run.flat());
    else {
      const end = run.at(-1) ?? [];
      rows.push(...run.slice(0, alikeShown).flat(), { kind: 'Alike', count: left.length }, ...end);
    }
  }
  return rows;
}

type MomentEntries = readonly TimelineEntry[];

/** What happened within one second. */
function momentsOf(entries: readonly TimelineEntry[]): readonly MomentEntries[] {
  const moments: TimelineEntry[][] = [];
  for (const entry of entries) {
    const last = moments.at(-1);
    const isSame = last?.[0] !== undefined && clockTime(last[0].atMs) === clockTime(entry.atMs);
    if (isSame) last.push(entry);
    else moments.push([entry]);
  }
  return moments;
}

function runsAlike(moments: readonly MomentEntries[]): readonly (readonly MomentEntries[])[] {
  const runs: MomentEntries[][] = [];
  let before = '';
  for (const moment of moments) {
    const kind = moment.map(likeness).join();
    if (kind === before) runs.at(-1)?.push(moment);
    else runs.push([moment]);
    before = kind;
  }
  return runs;
}

/** Two entries are alike where they differ in numbers only. */
function likeness(entry: TimelineEntry): string {
  switch (entry.kind) {
    case 'Check':
      return `${entry.metric} ${entry.verdict} ${entry.weight}`;
    case 'Hook':
      return `${entry.name} ${entry.reply} ${entry.message}`;
    case 'Alert':
    case 'Event':
      return entry.message.replaceAll(/\d+(\.\d+)?/g, '0');
    case 'Action':
    case 'Pods':
    case 'Phase':
    case 'Weight':
      return `${entry.kind} ${entry.atMs}`;
  }
}

function timeline(rows: readonly Row[], paint: Paint, width: number): readonly string[] {
  const head = `${'TIME'.padStart(timeColumns - 1)} ${'CANARY'.padEnd(weightColumns)}  WHAT HAPPENS`;
  const lines = [paint('dim', head)];
  let before = '';
  for (const row of rows) {
    if (row.kind === 'Alike') {
      lines.push(`${' '.repeat(indent)}${paint('dim', `… ${grouped(row.count)} more like these`)}`);
      continue;
    }
    const time = clockTime(row.atMs);
    const margin = `${(time === before ? '' : time).padStart(timeColumns - 1)} ${`${row.weight}%`.padStart(weightColumns - 1)} `;
    before = time;
    const { mark, colour, text, more = [] } = describe(row);
    const tint = (shade: string): string => (colour === undefined ? shade : paint(colour, shade));
    const [start = '', ...rest] = wrap(text, width - indent);
    lines.push(`${paint('dim', margin)}${tint(`${mark} ${start}`.trimEnd())}`);
    const below = [...rest, ...more.flatMap((each) => wrap(each, width - indent))];
    for (const line of below) lines.push(`${' '.repeat(indent)}${tint(line)}`);
  }
  return lines;
}

function describe(entry: TimelineEntry): Line {
  switch (entry.kind) {
    case 'Action':
      return {
        mark: '▸',
        colour: 'cyan',
        text: entry.text,
        more: entry.warnings.map((warning) => `Warning: ${warning}`),
      };
    case 'Pods':
      return describePods(entry);
    case 'Phase':
      return { mark: ' ', colour: 'bold', text: `phase ${entry.phase}` };
    case 'Weight': {
      const mirrored = entry.mirrored ? ', requests are mirrored to it' : '';
      return {
        mark: ' ',
        colour: undefined,
        text: `${bar(entry.canary)} ${entry.canary}% to the canary${mirrored}`,
      };
    }
    case 'Check':
      return describeCheck(entry);
    case 'Hook':
      return describeHook(entry);
    case 'Alert':
      return {
        mark: '✉',
        colour: 'cyan',
        text: `alert (${entry.severity}) to ${entry.to}: ${entry.message}`,
      };
    case 'Event':
      return entry.type === 'Warning'
        ? { mark: '!', colour: 'yellow', text: entry.message }
        : { mark: '·', colour: undefined, text: entry.message };
  }
}

function describePods({ side, areReady }: Extract<TimelineEntry, { kind: 'Pods' }>): Line {
  return areReady
    ? { mark: '✓', colour: undefined, text: `pods of the ${side} are ready` }
    : { mark: '✗', colour: 'red', text: `no pod of the ${side} is ready` };
}

const barColumns = 20;

const bar = (percent: number): string => {
  const full = Math.round((percent / 100) * barColumns);
  return `${'█'.repeat(full)}${'░'.repeat(barColumns - full)}`;
};

function describeCheck(entry: Extract<TimelineEntry, { kind: 'Check' }>): Line {
  const { metric, wanted, verdict } = entry;
  switch (verdict) {
    case 'Passed':
      return {
        mark: '✓',
        colour: 'green',
        text: `${metric} ${measuredIn(entry)}, wanted ${wanted}`,
      };
    case 'Failed':
      return { mark: '✗', colour: 'red', text: `${metric} ${measuredIn(entry)}, wanted ${wanted}` };
    case 'NoData':
      return { mark: '✗', colour: 'red', text: `${metric} has no data, wanted ${wanted}` };
    case 'Unmeasured':
      return { mark: '✗', colour: 'red', text: `${metric} cannot be asked, wanted ${wanted}` };
  }
}

function measuredIn({ value = 0, unit }: Extract<TimelineEntry, { kind: 'Check' }>): string {
  if (unit === 'ms') return formatDuration(value);
  const digits = Number.isInteger(value) ? 0 : 2;
  return `${value.toFixed(digits)}${unit}`;
}

function describeHook(entry: Extract<TimelineEntry, { kind: 'Hook' }>): Line {
  const { name, type, reply, message } = entry;
  const asksForRollback = type === 'rollback';
  const reason = message === '' ? '' : `: ${message}`;
  switch (reply) {
    case 'Accepts':
      return asksForRollback
        ? { mark: '✗', colour: 'red', text: `hook ${name} asks for a rollback` }
        : { mark: '✓', colour: 'green', text: `hook ${name} (${type}) accepts` };
    case 'Refuses':
      return asksForRollback
        ? { mark: '✓', colour: 'green', text: `hook ${name} asks for no rollback` }
        : { mark: '✗', colour: 'red', text: `hook ${name} (${type}) refuses${reason}` };
    case 'Silent':
      return { mark: '✗', colour: 'red', text: `hook ${name} (${type}) does not answer` };
  }
}

const endings: Readonly<Record<Verdict, { readonly text: string; readonly colour: Colour }>> = {
  promoted: { text: 'PROMOTED', colour: 'green' },
  'rolled-back': { text: 'ROLLED BACK', colour: 'red' },
  unfinished: { text: 'NOT FINISHED', colour: 'yellow' },
};

const inSeconds = (ms: number): string => formatDuration(Math.floor(ms / 1000) * 1000);

function ending(rehearsal: Rehearsal, paint: Paint, width: number): readonly string[] {
  const { verdict, because, durationMs, rollouts } = rehearsal;
  const { text, colour } = endings[verdict];
  const after = `${verdict === 'unfinished' ? 'in' : 'after'} ${inSeconds(durationMs)}`;
  const lines = [`${paint(colour, text)} ${after}`, ...wrap(because, width)];
  if (rollouts.length > 1) lines.push(...rollouts.map(describeRollout));
  return rollouts.length === 0 ? lines : [...lines, '', ...requests(rehearsal, width)];
}

function describeRollout({
  revision,
  outcome,
  startedAtMs,
  endedAtMs,
  weightMax,
}: Rehearsal['rollouts'][number]) {
  const how = {
    Promoted: 'promoted',
    RolledBack: 'rolled back',
    Replaced: 'replaced by the next revision',
    Unfinished: 'not finished',
  }[outcome];
  return `  ${revision}: ${how}, ${clockTime(startedAtMs)} to ${clockTime(endedAtMs)}, up to ${weightMax}%`;
}

function requests({ requests: counted, durationMs }: Rehearsal, width: number): readonly string[] {
  const { all, byNew, failed, failedByNew, failedAllAtOnce } = counted;
  const share = all === 0 ? 0 : (100 * byNew) / all;
  const text =
    `Of ${grouped(all)} requests in ${inSeconds(durationMs)}, ${grouped(byNew)} (${share.toFixed(1)}%) were answered ` +
    `by a new revision, which failed ${grouped(failedByNew)} of them; ${grouped(failed)} failed in ` +
    `all. Deployed to everybody at once, it would have failed ${grouped(failedAllAtOnce)}.`;
  return wrap(text, width);
}

function notes(
  title: string,
  texts: readonly string[],
  paint: Paint,
  width: number,
): readonly string[] {
  if (texts.length === 0) return [];
  return [paint('bold', `${title}:`), ...texts.flatMap((text) => item('-', text, width))];
}

function item(mark: string, text: string, width: number): readonly string[] {
  const [first = '', ...rest] = wrap(text, width - 4);
  return [`  ${mark} ${first}`, ...rest.map((line) => `    ${line}`)];
}

function advice({ advice: found }: Rehearsal, paint: Paint, width: number): readonly string[] {
  if (found.length === 0) return [];
  const count = found.length === 1 ? '1 setting' : `${found.length} settings`;
  const lines = [paint('bold', `${count} to look at:`)];
  for (const id of new Set(found.map((each) => each.id))) {
    const alike = found.filter((each) => each.id === id);
    lines.push(`  ${paint('yellow', id)}`);
    for (const { path, found: what } of alike) {
      const [first = '', ...rest] = wrap(`${path}: ${what}`, width - 6);
      lines.push(`    ${first}`, ...rest.map((line) => `      ${line}`));
    }
    for (const { means, todo } of alike.slice(0, 1)) {
      lines.push(...wrap(`${means} ${todo}`, width - 4).map((line) => paint('dim', `    ${line}`)));
    }
  }
  return lines;
}
