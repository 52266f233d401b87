/**
 * `aviary demo`: builds the site, shows it, plays the script, and then leaves the stage to whoever
 * watches. Ends when told to, or with the script if so asked, and leaves nothing behind.
 */
import { onAbort } from '../../kube/abort.ts';
import { systemClock } from '../../kube/clock.ts';
import { createLogger } from '../../telemetry/log.ts';
import type { StartCluster } from './demo-cluster.ts';
import type { DemoFlags } from './demo-flags.ts';
import { demoUsage, parseDemoFlags } from './demo-flags.ts';
import { commandsOf, createDirector } from './director.ts';
import { createFolder } from './folder.ts';
import type { DemoFolder } from './folder.ts';
import { createLines, createScreen } from './presenter.ts';
import { startSite } from './site.ts';
import type { Site } from './site.ts';
import { setStage } from './stage.ts';
import type { Stage } from './stage.ts';
import type { Terminal } from './terminal.ts';

export interface DemoCommand {
  /** Without the program and the command. */
  readonly argv: readonly string[];
  readonly version: string;
  readonly terminal: Terminal;
  readonly startCluster: StartCluster;
  /** Aborts when the process is told to end. */
  readonly signal: AbortSignal;
  /** Tells the process to end, as Ctrl-C does where keys are read one by one. */
  readonly stop: () => void;
  /** Has something done in the last moment of the process, whatever ends it. */
  readonly atExit: (clean: () => void) => void;
}

/** As Go's `flag` package and shells have them. */
const exitCodes = { done: 0, failed: 1, misused: 2, interrupted: 130 } as const;

/** Told again when the live view is gone. */
const recapEntriesMax = 40;
/** Of the controller's log, when the demo fails. */
const logLinesMax = 10;

/** Resolves with the exit code. */
export async function runDemo(command: DemoCommand): Promise<number> {
  const { terminal } = command;
  const parsed = parseDemoFlags(command.argv);
  switch (parsed.kind) {
    case 'Help':
      terminal.write(demoUsage);
      return exitCodes.done;
    case 'Refused':
      terminal.complain(`${parsed.message}\n\n${demoUsage}`);
      return exitCodes.misused;
    case 'Flags':
      return show(command, parsed.flags);
  }
}

async function show(command: DemoCommand, flags: DemoFlags): Promise<number> {
  const { terminal, signal } = command;
  const isLive = terminal.isInteractive && !flags.plain;
  terminal.onLost(command.stop);
  const presenter = isLive ? createScreen(terminal) : createLines(terminal);
  const folder = createFolder();
  command.atExit(() => {
    presenter.close();
    folder.remove();
  });
  const stage = setStage({ speed: flags.speed, presenter, stop: command.stop });
  const keys = isLive ? terminal.onKey((key) => stage.pressed(key)) : () => undefined;
  onAbort(signal, () => stage.narrate('Ending.'));
  const complaints: string[] = [];
  let failure: unknown;
  try {
    await perform(command, flags, { folder, stage, complaints });
  } catch (error) {
    failure = error;
  }
  const told = stage.close();
  keys();
  folder.remove();
  // What was on the other screen is gone with it.
  if (isLive) terminal.write(`${told.slice(-recapEntriesMax).join('\n')}\n`);
  if (signal.aborted) return flags.exits ? exitCodes.interrupted : exitCodes.done;
  if (failure === undefined) return exitCodes.done;
  terminal.complain(`the demo failed: ${explain(failure, flags)}\n${complaints.join('')}`);
  return exitCodes.failed;
}

interface Props {
  readonly folder: DemoFolder;
  readonly stage: Stage;
  /** The last warnings and errors of the controller's log. */
  readonly complaints: string[];
}

async function perform(
  command: DemoCommand,
  flags: DemoFlags,
  { folder, stage, complaints }: Props,
): Promise<void> {
  const ending = new AbortController();
  const until = AbortSignal.any([command.signal, ending.signal]);
  const site = await startSite({
    ...flags,
    kubeconfig: flags.kubeconfig,
    startCluster: command.startCluster,
    folder,
    version: command.version,
    traffic: stage.traffic,
    log: createLogger({
      level: 'warn',
      encoding: 'console',
      write: (line) => {
        complaints.push(line);
        if (complaints.length > logLinesMax) complaints.shift();
      },
      now: () => systemClock.now(),
    }),
    tell: (text) => stage.add('Note', text),
    warned: (text) => stage.add('Answer', `Warning: ${text}`),
    watches: (onlooker) => stage.watch(onlooker),
    signal: until,
  });
  try {
    await Promise.race([site.ended, direct(flags, site, stage, until)]);
  } finally {
    ending.abort(new Error('the demo ends'));
    await Promise.allSettled([site.ended]);
    await site.close();
  }
}

async function direct(
  flags: DemoFlags,
  site: Site,
  stage: Stage,
  signal: AbortSignal,
): Promise<void> {
  const director = createDirector({
    flags,
    site,
    clock: systemClock,
    add: (kind, text) => stage.add(kind, text),
    tell: (text) => stage.narrate(text),
    handOver: (text) => stage.handOver(text),
    signal,
  });
  stage.direct(director, () => (flags.exits ? [] : commandsOf(site)));
  await director.play();
}

function explain(error: unknown, { port, kubeconfig }: DemoFlags): string {
  const { code, message, cause } = error as NodeJS.ErrnoException & { readonly cause?: unknown };
  if (code === 'EADDRINUSE' && port !== 0) {
    return `port ${port} is taken by another program: give another one, or none for a free one`;
  }
  if (code === 'EACCES' && port !== 0) return `port ${port} needs rights that you do not have`;
  if (code === 'EEXIST') return `there is a file ${kubeconfig} already, which is left as it is`;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
