/** The entry: reads the command, hands it what the process has, and turns its end into an exit code. */
import { setMaxListeners } from 'node:events';
import process from 'node:process';
import packageFile from '../package.json' with { type: 'json' };
import { runController } from './cli/controller-command.ts';
import { parseFlags, usage } from './cli/flags.ts';
import type { Clock } from './kube/clock.ts';
import { createLogger } from './telemetry/log.ts';

const { version } = packageFile;

/** Exit codes as Go's `flag` package has them for wrong usage. */
const exitCodes = { done: 0, failed: 1, misused: 2 } as const;

const help = `Aviary ${version}: progressive delivery for Kubernetes

  aviary controller [flags]   runs the webhook and the controller
  aviary demo [flags]         shows a good and a bad release on a cluster in this process
  aviary rehearse -f FILE     runs a Canary against a scenario in virtual time
  aviary migrate --check      says what would change if Aviary took over from Flagger
  aviary journal [CANARY]     shows the last rollouts: who, what, each step, how it ended
  aviary version              prints the version

${usage()}`;

async function main(argv: readonly string[]): Promise<number> {
  const [command = '', ...rest] = argv;
  if (command === 'version') {
    process.stdout.write(`${version}\n`);
    return exitCodes.done;
  }
  if (command === 'demo') return demo(rest);
  if (command === 'rehearse') return rehearse(rest);
  if (command === 'migrate') return migrate(rest);
  if (command === 'journal') return journal(rest);
  // A Deployment of the reference gives flags and no command.
  const flagsOnly = command === '' || command.startsWith('-');
  if (command !== 'controller' && !flagsOnly) {
    process.stderr.write(`unknown command "${command}"\n\n${help}\n`);
    return exitCodes.misused;
  }
  const parsed = parseFlags(flagsOnly ? argv : rest, process.env);
  switch (parsed.kind) {
    case 'Version':
      process.stdout.write(`Aviary version ${version}\n`);
      return exitCodes.done;
    case 'Help':
      process.stdout.write(`${help}\n`);
      return exitCodes.done;
    case 'Refused':
      process.stderr.write(`${parsed.message}\n\n${usage()}\n`);
      return exitCodes.misused;
    case 'Flags':
      return control(parsed);
  }
}

async function control({
  flags,
  warnings,
}: Extract<ReturnType<typeof parseFlags>, { kind: 'Flags' }>) {
  const write = (line: string): void => void process.stderr.write(line);
  const { logLevel: level, zapEncoding: encoding } = flags;
  const log = createLogger({ level, encoding, write, now: () => Date.now() });
  for (const warning of warnings) log.warn({}, warning);
  const stop = stoppedBy(['SIGTERM', 'SIGINT'], (signal) => log.info({ signal }, 'told to end'));
  log.info({ version, meshProvider: flags.meshProvider }, 'starting');
  try {
    await runController({ flags, environment: process.env, version, log, signal: stop.signal });
    return exitCodes.done;
  } catch (error) {
    const { cause, message } = error as Error;
    const reason = cause instanceof Error ? `${message}: ${cause.message}` : message;
    log.error({ error: reason, stack: (error as Error).stack }, 'ended by a failure');
    return exitCodes.failed;
  }
}

/** Loaded when it is asked for: the controller needs neither the demo nor a cluster of its own. */
async function demo(argv: readonly string[]): Promise<number> {
  const [{ runDemo }, { terminalOf }, { startEmbeddedCluster }] = await Promise.all([
    import('./cli/demo/demo-command.ts'),
    import('./cli/demo/terminal.ts'),
    import('./cli/demo/embedded-cluster.ts'),
  ]);
  const stop = stoppedBy(['SIGTERM', 'SIGINT', 'SIGHUP']);
  return runDemo({
    argv,
    version,
    terminal: terminalOf(process, process.env),
    startCluster: startEmbeddedCluster,
    signal: stop.signal,
    stop: () => stop.abort(new Error('told to end')),
    atExit: (clean) => void process.once('exit', clean),
  });
}

/** Loaded when it is asked for, as the demo is. */
async function rehearse(argv: readonly string[]): Promise<number> {
  const [{ runRehearse }, { terminalOf }, { text }] = await Promise.all([
    import('./cli/rehearse.ts'),
    import('./cli/demo/terminal.ts'),
    import('node:stream/consumers'),
  ]);
  const terminal = terminalOf(process, process.env);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Who reads may have seen enough (`| head`): the verdict stands.
    if (error.code !== 'EPIPE') throw error;
  });
  return runRehearse({
    argv,
    write: (it) => terminal.write(it),
    complain: (it) => terminal.complain(it),
    readInput: () => text(process.stdin),
    colours: terminal.colours,
    unicode: terminal.unicode,
    columns: process.stdout.isTTY ? terminal.size().columns : columnsOfFiles,
  });
}

async function migrate(argv: readonly string[]): Promise<number> {
  const [{ runMigrate }, { systemClock }] = await Promise.all([
    import('./cli/migrate/migrate-command.ts'),
    import('./kube/clock.ts'),
  ]);
  return runMigrate(lookingWith(argv, systemClock));
}

async function journal(argv: readonly string[]): Promise<number> {
  const [{ runJournal }, { systemClock }] = await Promise.all([
    import('./cli/journal/journal-command.ts'),
    import('./kube/clock.ts'),
  ]);
  return runJournal(lookingWith(argv, systemClock));
}

/** What commands that only look at a cluster are given. */
const lookingWith = (argv: readonly string[], clock: Clock) => ({
  argv,
  environment: process.env,
  version,
  clock,
  write: (text: string) => void process.stdout.write(text),
  complain: (text: string) => void process.stderr.write(text),
});

/** Of text that nobody sees on a terminal. */
const columnsOfFiles = 100;

/** Aborts at the first of these signals. */
function stoppedBy(
  signals: readonly NodeJS.Signals[],
  told: (signal: string) => void = () => undefined,
): AbortController {
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  for (const name of signals) {
    process.on(name, () => {
      // The second signal is from somebody who does not want to wait.
      if (stop.signal.aborted) process.exit(exitCodes.failed);
      told(name);
      stop.abort(new Error(name));
    });
  }
  return stop;
}

process.exitCode = await main(process.argv.slice(2));
