/**
 * `aviary rehearse`: reads Canaries and scenarios, rehearses each with each, and tells the outcome to
 * a person, a program or a CI pipeline.
 */
import { promises } from 'node:fs';
import { join } from 'node:path';
import type { RehearsalInput } from '../rehearsal/input.ts';
import { readInputs } from '../rehearsal/input.ts';
import { painted, plain } from '../rehearsal/layout.ts';
import { readScenario } from '../rehearsal/read-scenario.ts';
import { RehearsalRefused } from '../rehearsal/refused.ts';
import { rehearse } from '../rehearsal/rehearse.ts';
import { renderJson } from '../rehearsal/render-json.ts';
import { renderJunit } from '../rehearsal/render-junit.ts';
import { renderText } from '../rehearsal/render-text.ts';
import type { Scenario } from '../rehearsal/scenario.ts';
import {
  readShippedScenario,
  shippedScenarioNames,
  shippedScenarioSource,
} from '../rehearsal/shipped-scenarios.ts';
import type { Rehearsal, Verdict } from '../rehearsal/timeline.ts';
import type { Problem, SourceDocument } from '../rehearsal/yaml-source.ts';
import { parseSource, showProblem } from '../rehearsal/yaml-source.ts';
import type { RehearseFlags } from './rehearse-flags.ts';
import { parseRehearseFlags, rehearseUsage } from './rehearse-flags.ts';

export interface RehearseCommand {
  /** Without the program and the command. */
  readonly argv: readonly string[];
  readonly write: (text: string) => void;
  readonly complain: (text: string) => void;
  /** All that is piped in. */
  readonly readInput: () => Promise<string>;
  readonly colours: boolean;
  readonly unicode: boolean;
  readonly columns: number;
}

export const rehearseExitCodes = {
  promoted: 0,
  'rolled-back': 1,
  misused: 2,
  unfinished: 3,
} as const;

/** Wider lines are hard to read. */
const columnsMax = 120;
/** A manifest of more than this is none. */
const fileBytesMax = 8 * 1024 * 1024;

/** Resolves with the exit code. */
export async function runRehearse(command: RehearseCommand): Promise<number> {
  const { argv, write, complain } = command;
  const parsed = parseRehearseFlags(argv);
  switch (parsed.kind) {
    case 'Help':
      write(rehearseUsage);
      return 0;
    case 'ListScenarios':
      write(scenarioList());
      return 0;
    case 'ShowScenario':
      return showScenario(parsed.name, command);
    case 'Refused':
      complain(`${parsed.message}\n\n${rehearseUsage}`);
      return rehearseExitCodes.misused;
    case 'Flags':
      try {
        return await rehearseAll(parsed.flags, command);
      } catch (error) {
        if (!(error instanceof RehearsalRefused)) throw error;
        complain(`${error.message}\n`);
        return rehearseExitCodes.misused;
      }
  }
}

function scenarioList(): string {
  const width = Math.max(...shippedScenarioNames.map(({ length }) => length));
  const lines = shippedScenarioNames.map((name) => {
    const read = readShippedScenario(name);
    return `${name.padEnd(width)}  ${read?.ok === true ? read.scenario.description : ''}\n`;
  });
  return lines.join('');
}

function showScenario(name: string, { write, complain }: RehearseCommand): number {
  const source = shippedScenarioSource(name);
  if (source === undefined) {
    complain(`${noScenario(name)}\n`);
    return rehearseExitCodes.misused;
  }
  write(source);
  return 0;
}

const noScenario = (name: string): string =>
  `no scenario ${name}: there are ${shippedScenarioNames.join(', ')}, or name a file`;

async function rehearseAll(flags: RehearseFlags, command: RehearseCommand): Promise<number> {
  const scenarios: Scenario[] = [];
  for (const name of flags.scenarios) scenarios.push(await scenarioOf(name));
  const inputs = await inputsOf(flags, command);
  const { seed, timeoutMs, meshProvider } = flags;
  const rehearsals: Rehearsal[] = [];
  for (const input of inputs) {
    for (const scenario of scenarios) {
      rehearsals.push(await rehearse({ input, scenario, seed, timeoutMs, meshProvider }));
    }
  }
  command.write(rendered(rehearsals, flags, command));
  return Math.max(...rehearsals.map(({ verdict }) => exitCodeOf(verdict, flags)));
}

function exitCodeOf(verdict: Verdict, { expected }: RehearseFlags): number {
  if (expected === undefined || verdict === 'unfinished') return rehearseExitCodes[verdict];
  return verdict === expected ? 0 : 1;
}

function rendered(
  rehearsals: readonly Rehearsal[],
  { output, full, expected }: RehearseFlags,
  { colours, unicode, columns }: RehearseCommand,
): string {
  const text = (rehearsal: Rehearsal, paint: typeof plain): string =>
    renderText(rehearsal, { paint, unicode, columns: Math.min(columns, columnsMax), full });
  switch (output) {
    case 'json':
      return renderJson(rehearsals);
    case 'junit':
      return renderJunit(
        rehearsals.map((rehearsal) => ({
          rehearsal,
          log: text(rehearsal, plain),
          ...failureOf(rehearsal, expected),
        })),
      );
    case 'text':
      return rehearsals.map((it) => text(it, colours ? painted : plain)).join('\n');
  }
}

/** A test of JUnit passes where the revision is promoted, unless something else was expected. */
function failureOf({ verdict }: Rehearsal, expected: RehearseFlags['expected'] = 'promoted') {
  return verdict === expected ? {} : { failure: `expected ${expected}, was ${verdict}` };
}

/** A file where there is one, else a shipped one. */
async function scenarioOf(name: string): Promise<Scenario> {
  const read =
    readShippedScenario(name) ?? readScenario(name, await scenarioFile(name), plainName(name));
  if (!read.ok) throw refusedBy(read.problems);
  return read.scenario;
}

async function scenarioFile(name: string): Promise<string> {
  try {
    return await textOf(name);
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (isMissing && !/[./\\]/.test(name)) throw new RehearsalRefused(noScenario(name));
    throw unreadable(name, error);
  }
}

const plainName = (path: string): string =>
  path
    .replace(/^.*[/\\]/, '')
    .replace(/\.[^.]*$/, '')
    .replaceAll(/[^\w.-]/g, '-');

async function inputsOf(
  flags: RehearseFlags,
  command: RehearseCommand,
): Promise<readonly RehearsalInput[]> {
  const documents: SourceDocument[] = [];
  const problems: Problem[] = [];
  for (const { file, text } of await sourcesOf(flags.filenames, command)) {
    const parsed = parseSource(file, text);
    if (parsed.ok) documents.push(...parsed.documents);
    else problems.push(...parsed.problems);
  }
  if (problems.length > 0) throw refusedBy(problems);
  const read = readInputs(documents, flags);
  if (!read.ok) throw refusedBy(read.problems);
  if (read.inputs.length === 0) {
    throw new RehearsalRefused(`no Canary in ${flags.filenames.join(', ')}`);
  }
  return read.inputs;
}

const refusedBy = (problems: readonly Problem[]): RehearsalRefused =>
  new RehearsalRefused(problems.map(showProblem).join('\n'));

interface Source {
  readonly file: string;
  readonly text: string;
}

async function sourcesOf(
  filenames: readonly string[],
  { readInput }: RehearseCommand,
): Promise<readonly Source[]> {
  const sources: Source[] = [];
  for (const name of filenames) {
    if (name === '-') {
      sources.push({ file: '<stdin>', text: await readInput() });
      continue;
    }
    try {
      for (const file of await filesIn(name)) sources.push({ file, text: await textOf(file) });
    } catch (error) {
      throw unreadable(name, error);
    }
  }
  return sources;
}

/** The manifests of a folder, not of those in it, as `kubectl -f` has it; or the file itself. */
async function filesIn(path: string): Promise<readonly string[]> {
  if (!(await promises.stat(path)).isDirectory()) return [path];
  const names = (await promises.readdir(path)).filter((name) => /\.(ya?ml|json)$/.test(name));
  return names.toSorted().map((name) => join(path, name));
}

async function textOf(path: string): Promise<string> {
  const { size } = await promises.stat(path);
  if (size > fileBytesMax) throw new Error(`${path} has more than ${fileBytesMax} bytes`);
  return await promises.readFile(path, 'utf8');
}

function unreadable(path: string, error: unknown): RehearsalRefused {
  const { code, message } = error as NodeJS.ErrnoException;
  return new RehearsalRefused(code === 'ENOENT' ? `${path}: no such file or folder` : message);
}
