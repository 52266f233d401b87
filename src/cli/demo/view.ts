/**
 * The demo's screen as a pure function: a scene and a size go in, lines come out, never more or
 * wider than the terminal has. What matters least gives way first: older entries of the feed.
 */
import type { Phase } from '../../api/canary.ts';
import type { Check, FeedEntry, Rollout, Scene, Side } from './scene.ts';
import type { Line, Span, Tone } from './styled-line.ts';
import {
  accent,
  bad,
  clip,
  faint,
  good,
  pad,
  plain,
  printable,
  span,
  strong,
  warning,
  widthOf,
  wrap,
} from './styled-line.ts';

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** The characters that are not ASCII. */
export interface Glyphs {
  readonly full: string;
  readonly empty: string;
  readonly rule: string;
  readonly arrow: string;
  readonly passed: string;
  readonly failed: string;
  readonly open: string;
  readonly ellipsis: string;
}

export const unicodeGlyphs: Glyphs = {
  full: '█',
  empty: '░',
  rule: '─',
  arrow: '›',
  passed: '✓',
  failed: '✗',
  open: '·',
  ellipsis: '…',
};

/** For terminals that do not speak UTF-8. */
export const asciiGlyphs: Glyphs = {
  full: '#',
  empty: '.',
  rule: '-',
  arrow: '>',
  passed: '+',
  failed: 'x',
  open: ' ',
  ellipsis: '~',
};

/** Longer lines are hard to read. */
const columnsMax = 110;
const feedRowsMin = 3;
/** On a screen of fewer rows the feed is worth more than air. */
const airyRowsMin = 30;
const keys = {
  change: [
    ['g', 'good release'],
    ['b', 'bad release'],
    ['c', 'config change'],
  ],
  quit: [['q', 'quit']],
};

export function render(scene: Scene, size: ScreenSize, glyphs: Glyphs): readonly Line[] {
  const columns = Math.min(size.columns, columnsMax);
  const isAiry = size.rows >= airyRowsMin;
  const air = (line: Line): boolean => isAiry || line.length > 0;
  const head = [...header(scene, columns, glyphs), ...body(scene, columns, glyphs)].filter(air);
  const foot = footer(scene, columns, glyphs).filter(air);
  const room = Math.max(size.rows - head.length - foot.length - 1, feedRowsMin);
  const feed = scene.feed
    .slice(-room)
    .flatMap((entry) => feedLines(entry, columns))
    .slice(-room);
  const blank = Array.from({ length: room - feed.length }, (): Line => []);
  return [...head, rule('what happens', columns, glyphs), ...feed, ...blank, ...foot]
    .slice(0, size.rows)
    .map((line) => clip(line, columns, glyphs.ellipsis));
}

/** `1:04`. */
export function minutes(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function header(
  { speed, elapsedMs }: Scene,
  columns: number,
  { arrow, ellipsis }: Glyphs,
): readonly Line[] {
  const pace =
    speed === 1 ? 'in real time' : `where 10 s take ${Number((10 / speed).toFixed(1))} s`;
  const left = [strong(' Aviary demo'), faint(` ${arrow} a cluster in this process, ${pace}`)];
  const time = ` ${minutes(elapsedMs)} `;
  const title = clip(left, columns - time.length, ellipsis);
  const gap = Math.max(columns - widthOf(title) - time.length, 0);
  return [[...title, plain(`${' '.repeat(gap)}${time}`)], []];
}

function body(scene: Scene, columns: number, glyphs: Glyphs): readonly Line[] {
  const { rollout, sides, checks, requests } = scene;
  if (rollout === undefined) return [];
  const { answered, failed } = requests;
  return [
    phaseLine(rollout, glyphs),
    stepLine(rollout, glyphs),
    [],
    ...sides.map((side) => sideLine(side, columns, glyphs)),
    [
      faint(pad(' requests', labelColumns)),
      plain(`${grouped(answered)} answered, `),
      (failed === 0 ? plain : bad)(`${grouped(failed)} failed`),
    ],
    [],
    ...checks.map((check) => checkLine(check, glyphs)),
    [],
  ];
}

const labelColumns = 11;

/** The way of a rollout that goes well. */
const goodWay: readonly Phase[] = [
  'Initialized',
  'Progressing',
  'Promoting',
  'Finalising',
  'Succeeded',
];

function phaseLine({ name, phase }: Rollout, { arrow }: Glyphs): Line {
  const way = wayOf(phase);
  const shown = way.flatMap((it, index): Span[] => [
    ...(index === 0 ? [] : [faint(` ${arrow} `)]),
    it === phase ? span(toneOf(phase))(it) : faint(it),
  ]);
  return [strong(` ${name}  `), ...shown];
}

function wayOf(phase: Phase): readonly Phase[] {
  if (goodWay.includes(phase)) return goodWay;
  if (phase === 'Failed') return ['Initialized', 'Progressing', 'Failed'];
  if (phase === 'Waiting') return ['Waiting', 'Progressing', 'Promoting', 'Succeeded'];
  return phase === '' ? ['Initializing'] : [phase];
}

function toneOf(phase: Phase): Tone {
  if (phase === 'Failed') return 'bad';
  return phase === 'Succeeded' || phase === 'Initialized' ? 'good' : 'accent';
}

function stepLine(rollout: Rollout, { passed, open, arrow }: Glyphs): Line {
  const { phase, steps, weight, failedChecks, threshold } = rollout;
  const isOver = phase === 'Promoting' || phase === 'Finalising' || phase === 'Succeeded';
  const shown = steps.flatMap((step): Span[] => {
    if (isOver || step < weight) return [good(` ${passed}${step}`)];
    return step === weight && phase === 'Progressing'
      ? [accent(` ${arrow}${step}`)]
      : [faint(` ${open}${step}`)];
  });
  const failures = `failed checks ${failedChecks} of ${threshold}`;
  return [
    faint(pad(' weights', labelColumns - 1)),
    ...shown,
    faint(' % '),
    plain('  '),
    failedChecks === 0 ? faint(failures) : warning(failures),
  ];
}

const barColumnsMax = 40;
/** What stands on the line of a side beside its bar. */
const sideColumns = 63;

function sideLine(side: Side, columns: number, { full, empty }: Glyphs): Line {
  const { name, tag, ready, wanted, weight, perSecond } = side;
  const bar = Math.max(10, Math.min(columns - sideColumns, barColumnsMax));
  const filled = Math.round((weight / 100) * bar);
  const isIdle = weight === 0 && wanted === 0;
  const text = isIdle ? faint : plain;
  return [
    strong(pad(` ${name}`, labelColumns)),
    (isIdle ? faint : accent)(pad(clipped(tag, 10), 11)),
    text(pad(`${ready}/${wanted} ready`, 10)),
    (name === 'primary' ? good : warning)(full.repeat(filled)),
    faint(empty.repeat(bar - filled)),
    text(`${String(weight).padStart(4)} %${grouped(perSecond).padStart(6)}/s`),
    ...measured(side),
  ];
}

function measured({ successRate, latencyMs, perSecond }: Side): readonly Span[] {
  if (perSecond === 0 || successRate === undefined) return [];
  const rate = `${successRate.toFixed(1).padStart(7)} %`;
  const latency = latencyMs === undefined ? '' : `${latencyMs.toFixed(0).padStart(5)} ms`;
  return [(successRate < 99 ? bad : plain)(rate), plain(latency)];
}

const clipped = (text: string, columns: number): string =>
  text.length <= columns ? text : text.slice(0, columns);

export function isPassed({ value, min, max }: Check): boolean {
  return value !== undefined && value >= (min ?? -Infinity) && value <= (max ?? Infinity);
}

function checkLine(check: Check, { passed, failed, open }: Glyphs): Line {
  const { name, value, unit, min, max } = check;
  const bounds = [
    ...(min === undefined ? [] : [`at least ${min} ${unit}`]),
    ...(max === undefined ? [] : [`at most ${max} ${unit}`]),
  ].join(', ');
  const sign = value === undefined ? faint(open) : isPassed(check) ? good(passed) : bad(failed);
  const shown = value === undefined ? 'no traffic' : `${Number(value.toFixed(1))} ${unit}`;
  const text = value === undefined ? faint : isPassed(check) ? plain : bad;
  return [
    faint(pad(' check', labelColumns)),
    sign,
    plain(` ${pad(name, 22)}`),
    text(pad(shown, 12)),
    faint(bounds),
  ];
}

function rule(title: string, columns: number, { rule: stroke }: Glyphs): Line {
  const text = ` ${title} `;
  return [
    faint(`${stroke.repeat(2)}${text}${stroke.repeat(Math.max(columns - text.length - 2, 0))}`),
  ];
}

const timeColumns = 8;

const feedTones: Readonly<Record<FeedEntry['kind'], Tone>> = {
  Command: 'accent',
  Answer: 'plain',
  Event: 'plain',
  Warning: 'warning',
  Note: 'faint',
};

/** What is longer than a line goes on below, under its beginning. */
function feedLines({ atMs, kind, text }: FeedEntry, columns: number): readonly Line[] {
  const toned = span(feedTones[kind]);
  const shown = printable(kind === 'Command' ? `$ ${text}` : text);
  return wrap(shown, columns - timeColumns).map((part, index) => [
    faint(pad(index === 0 ? minutes(atMs).padStart(6) : '', timeColumns)),
    toned(part),
  ]);
}

function footer(scene: Scene, columns: number, glyphs: Glyphs): readonly Line[] {
  const { narration, commands } = scene;
  const told = wrap(narration, columns - 2).map((text): Line => [strong(` ${text}`)]);
  const now = [rule('now', columns, glyphs), ...told];
  if (commands.length === 0) return [...now, [], keysLine(keys.quit)];
  return [
    ...now,
    rule('from another terminal', columns, glyphs),
    ...commands.flatMap((command) => commandLines(command, columns)),
    [],
    keysLine([...keys.change, ...keys.quit]),
  ];
}

const keysLine = (lines: readonly (readonly string[])[]): Line =>
  lines.flatMap(([key = '', meaning = '']) => [accent(` ${key} `), plain(`${meaning}  `)]);

/** A command is never cut short, for it is to be copied. */
function commandLines(command: string, columns: number): readonly Line[] {
  const count = Math.ceil(command.length / (columns - 1));
  return Array.from({ length: count }, (_, at): Line => {
    return [plain(` ${command.slice(at * (columns - 1), (at + 1) * (columns - 1))}`)];
  });
}

const grouped = (count: number): string =>
  String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
