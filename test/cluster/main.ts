/** `build`, `up`, `down`, `env`: a control plane by hand. See `make cluster-up`. */
import { spawn } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../support/until.ts';
import { ask, hold } from './background.ts';
import { buildBinaries, cacheDirectory } from './binaries.ts';

const cache = cacheDirectory();
const socketPath = join(cache, 'cluster.sock');
const logPath = join(cache, 'cluster.log');
const startTimeoutMs = 120_000;

const commands: Readonly<Record<string, () => Promise<void>>> = {
  build,
  up,
  down,
  env,
  /** What `up` runs in the background. */
  hold: () => hold(socketPath),
};

const [name = ''] = process.argv.slice(2);
const command = commands[name];
if (command === undefined) {
  process.stderr.write('usage: node --import tsx test/cluster/main.ts build|up|down|env\n');
  process.exitCode = 2;
} else {
  await command().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}

async function build(): Promise<void> {
  await buildBinaries((line) => process.stderr.write(`${line}\n`));
}

async function up(): Promise<void> {
  await build();
  if ((await ask(socketPath, 'state')) === undefined) await startInBackground();
  await env();
}

async function down(): Promise<void> {
  const stopped = await ask(socketPath, 'stop');
  process.stdout.write(stopped === undefined ? 'none runs\n' : 'stopped\n');
}

async function env(): Promise<void> {
  const held = await ask(socketPath, 'state');
  if (held === undefined) throw new Error('none runs: `make cluster-up` starts one');
  process.stdout.write(`export KUBECONFIG=${held.kubeconfigPath}\n`);
}

async function startInBackground(): Promise<void> {
  await mkdir(cache, { recursive: true });
  const log = await open(logPath, 'w');
  const holder = spawn(process.execPath, [...process.execArgv, import.meta.filename, 'hold'], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  await log.close();
  holder.unref();
  const isUp = async (): Promise<boolean> => {
    if (holder.exitCode !== null) throw new Error(await readFile(logPath, 'utf8'));
    return (await ask(socketPath, 'state')) !== undefined;
  };
  await until('the control plane is up', isUp, { timeoutMs: startTimeoutMs, everyMs: 100 });
}
