/** `build`, `up`, `down`, `env`: a control plane by hand. See `make cluster-up`. */
import { spawn } from 'node:child_process';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../support/until.ts';
import { buildBinaries, cacheDirectory } from './binaries.ts';
import { startControlPlane } from './control-plane.ts';
import { isAlive } from './lock.ts';

/** What runs in the background: one process, which owns all the others. */
interface Running {
  readonly pid: number;
  readonly kubeconfigPath: string;
  readonly auditLogPath?: string | undefined;
}

const cache = cacheDirectory();
const statePath = join(cache, 'cluster.json');
const logPath = join(cache, 'cluster.log');
const startTimeoutMs = 120_000;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const commands: Readonly<Record<string, () => Promise<void>>> = { build, up, down, env, hold };

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
  if ((await running()) === undefined) {
    await build();
    await startInBackground();
  }
  await env();
}

async function down(): Promise<void> {
  const cluster = await running();
  if (cluster === undefined) {
    print('no control plane runs');
    return;
  }
  process.kill(cluster.pid, 'SIGTERM');
  await until('the control plane is gone', () => !isAlive(cluster.pid));
}

async function env(): Promise<void> {
  const cluster = await running();
  if (cluster === undefined) throw new Error('no control plane runs: `make cluster-up` starts one');
  print(`export KUBECONFIG=${cluster.kubeconfigPath}`);
}

/** Stays in the foreground until SIGTERM or SIGINT; what `up` runs in the background. */
async function hold(): Promise<void> {
  const cluster = await startControlPlane({ audit: true });
  const { kubeconfigPath, auditLogPath } = cluster;
  await writeFile(statePath, JSON.stringify({ pid: process.pid, kubeconfigPath, auditLogPath }));
  const asked = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => asked.abort());
  const aYearMs = 2 ** 31 - 1;
  while (!asked.signal.aborted) {
    await sleep(aYearMs, undefined, { signal: asked.signal }).catch(() => undefined);
  }
  await rm(statePath, { force: true });
  await cluster.stop();
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
    return (await running()) !== undefined;
  };
  await until('the control plane is up', isUp, { timeoutMs: startTimeoutMs, everyMs: 100 });
}

/** The one of the state file, if its process is alive. */
async function running(): Promise<Running | undefined> {
  const text = await readFile(statePath, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const state = JSON.parse(text) as Running;
  return isAlive(state.pid) ? state : undefined;
}
