/** Rehearsals as JUnit's XML: one test case for each, which fails where it ended otherwise than expected. */
import type { Rehearsal, Verdict } from './timeline.ts';

export interface JunitCase {
  readonly rehearsal: Rehearsal;
  /** Absent where it is as expected, or where nothing is. */
  readonly failure?: string;
  /** The same as text. */
  readonly log: string;
}

export function renderJunit(cases: readonly JunitCase[]): string {
  const failures = cases.filter(({ failure }) => failure !== undefined).length;
  const seconds = cases.reduce((sum, { rehearsal }) => sum + rehearsal.durationMs / 1000, 0);
  const totals = `tests="${cases.length}" failures="${failures}" errors="0"`;
  const suite = `name="aviary rehearse" ${totals} time="${seconds.toFixed(3)}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${suite}>`,
    `  <testsuite ${suite} skipped="0">`,
    ...cases.map(renderCase),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function renderCase({ rehearsal, failure, log }: JunitCase): string {
  const { canary, scenario, durationMs, verdict } = rehearsal;
  const name = escape(scenario.name);
  const className = escape(`${canary.namespace}.${canary.name}`);
  const time = (durationMs / 1000).toFixed(3);
  return [
    `    <testcase name="${name}" classname="${className}" time="${time}">`,
    ...(failure === undefined ? [] : [failed(failure, verdict, rehearsal.because)]),
    `      <system-out>${escape(log)}</system-out>`,
    '    </testcase>',
  ].join('\n');
}

const failed = (message: string, verdict: Verdict, because: string): string =>
  `      <failure message="${escape(message)}" type="${verdict}">${escape(because)}</failure>`;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** XML 1.0 has no place for control characters but tab and line ends. */
function escape(text: string): string {
  const legal = text
    .toWellFormed()
    .replaceAll(/[^\t\n\r\u{20}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '?');
  return legal.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}
