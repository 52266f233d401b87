/**
 * The processes of one control plane. None outlives the process that started them, however that one
 * ends: a watchdog reads their pids from a pipe, and when the pipe closes it kills them.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logPath: string;
  /** Why it is over; undefined while it runs. */
  ended(): string | undefined;
}

export interface Children {
  /** Starts a program with stdout and stderr in `<directory>/<name>.log`. Rejects if it cannot be started. */
  start(name: string, path: string, args: readonly string[]): Promise<Child>;
  /** The children that ended by themselves, each with the end of its log; undefined while all run. */
  casualties(): Promise<string | undefined>;
  /** Kills all that run and resolves when they are gone. Their directory goes, too, unless kept. */
  stop(options: { readonly keepDirectory: boolean }): Promise<void>;
}

// `sh` because it must outlive this process. A pid is forgotten as soon as its process has ended, so
// that the kill cannot hit another process that was given the same number.
const watchdogScript = `
pids=' '
keep=false
while read -r word pid; do
  case $word in
    started) pids="$pids$pid " ;;
    ended) pids="\${pids%% $pid *} \${pids#* $pid }" ;;
    keep) keep=true ;;
  esac
done
for pid in $pids; do kill -9 "$pid"; done
if [ $keep = false ]; then rm -rf -- "$1"; fi
`;

const logLinesShown = 15;

/** `directory` belongs to the children from now on: it is removed with them. */
export function superviseChildren(directory: string): Children {
  const watchdog = spawn('sh', ['-c', watchdogScript, 'watchdog', directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const watchdogOver = once(watchdog, 'exit');
  watchdog.unref();
  const tell = (line: string): void => void watchdog.stdin.write(`${line}\n`);
  const running = new Map<ChildProcess, Promise<unknown>>();
  const all: Child[] = [];

  return {
    start: async (name, path, args) => {
      const logPath = join(directory, `${name}.log`);
      const child = await spawnLogged(path, args, { logPath, home: directory });
      const pid = child.pid ?? 0;
      tell(`started ${pid}`);
      let end: string | undefined;
      const started: Child = { name, pid, logPath, ended: () => end };
      const over = once(child, 'exit').then(([code, signal]) => {
        end = code === null ? `was killed by ${String(signal)}` : `ended with code ${String(code)}`;
        tell(`ended ${pid}`);
        running.delete(child);
      });
      running.set(child, over);
      all.push(started);
      return started;
    },
    casualties: async () => {
      const lines = all.filter((child) => child.ended() !== undefined).map(describeEnd);
      return lines.length === 0 ? undefined : (await Promise.all(lines)).join('\n');
    },
    stop: async ({ keepDirectory }) => {
      const overs = [...running.values()];
      for (const child of [watchdog, ...running.keys()]) child.ref();
      if (keepDirectory) tell('keep');
      watchdog.stdin.end();
      await Promise.all([...overs, watchdogOver]);
    },
  };
}

async function spawnLogged(
  path: string,
  args: readonly string[],
  { logPath, home }: { readonly logPath: string; readonly home: string },
): Promise<ChildProcess> {
  const log = openSync(logPath, 'a');
  try {
    const child = spawn(path, args, {
      stdio: ['ignore', log, log],
      // None of the user's own configuration, be it in the environment or at home.
      env: { PATH: process.env['PATH'], HOME: home },
      // A process group of its own: a Ctrl-C in the terminal must not reach it before its owner.
      detached: true,
    });
    await once(child, 'spawn');
    child.unref();
    return child;
  } catch (cause) {
    throw new Error(`start ${path}`, { cause });
  } finally {
    closeSync(log);
  }
}

async function describeEnd(child: Child): Promise<string> {
  const lines = (await readFile(child.logPath, 'utf8')).trimEnd().split('\n');
  const tail = lines.slice(-logLinesShown).join('\n  ');
  return `${child.name} ${child.ended() ?? 'runs'}; its log, ${child.logPath}, ends:\n  ${tail}`;
}
