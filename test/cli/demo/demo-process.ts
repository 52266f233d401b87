/** The demo as a process of its own, in a folder of its own, without a terminal. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../../support/until.ts';

const program = fileURLToPath(new URL('../../../src/aviary.ts', import.meta.url));

export interface DemoProcess {
  /** Everything that it wrote to stdout, by line. */
  readonly lines: readonly string[];
  readonly stderr: () => string;
  /** The first line that fits; fails where the process ends without it, or takes too long. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** The exit code, once it has ended; undefined for a signal that it did not handle. */
  ended(): Promise<number | undefined>;
  signal(name: NodeJS.Signals): void;
  /** Closes the pipe that it writes to, as `head` does when it has seen enough. */
  stopReading(): void;
  /** What it left in the folder for temporary files. */
  leftovers(): Promise<readonly string[]>;
  /** Ends it, if it has not ended, and removes its folders. */
  dispose(): Promise<void>;
}

/** Three of them side by side on two cores take some 30 s. */
const endMsMax = 120_000;

export async function startDemo(
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<DemoProcess> {
  const [directory = '', temporary = ''] = await Promise.all(
    ['cwd', 'tmp'].map((name) => mkdtemp(join(tmpdir(), `aviary-${name}-`))),
  );
  // tsx is found from here, not from the working directory.
  const loader = import.meta.resolve('tsx');
  const child = spawn(process.execPath, ['--import', loader, program, 'demo', ...argv], {
    cwd: directory,
    env: { PATH: process.env['PATH'] ?? '', TMPDIR: temporary, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (output.stderr += text));
  let code: number | null | undefined;
  const exited = once(child, 'close').then(([given]) => void (code = given as number | null));
  const linesOf = (): readonly string[] => output.stdout.split('\n');
  const describe = (): string => `${output.stdout}${output.stderr}`;
  return {
    get lines() {
      return linesOf();
    },
    stderr: () => output.stderr,
    says: (pattern) =>
      until(
        `the demo says ${String(pattern)}`,
        () => {
          const found = linesOf()
            .map((line) => pattern.exec(line))
            .find((it) => it !== null);
          if (found === undefined && code !== undefined) {
            throw new Error(`it ended without saying ${String(pattern)}:\n${describe()}`);
          }
          return found;
        },
        { timeoutMs: endMsMax, describe },
      ),
    ended: async () => {
      await until('the demo ends', () => code !== undefined, { timeoutMs: endMsMax, describe });
      return code ?? undefined;
    },
    signal: (name) => void child.kill(name),
    stopReading: () => void child.stdout.destroy(),
    leftovers: async () =>
      (await readdir(temporary)).filter((name) => name.startsWith('aviary-demo-')),
    dispose: async () => {
      kill();
      await exited;
      process.removeListener('exit', kill);
      await Promise.all([directory, temporary].map((it) => rm(it, { recursive: true })));
    },
  };
}
