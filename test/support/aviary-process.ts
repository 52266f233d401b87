/** The built program as a process of its own, as a person would start it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { until } from './until.ts';

/** As the image's entry point has them: 45 MiB are in use at 300 canaries, and V8 would hold 200. */
const nodeFlags = ['--optimize-for-size', '--max-semi-space-size=2'];
const program = fileURLToPath(new URL('../../dist/aviary.js', import.meta.url));

export interface AviaryProcess {
  readonly pid: number;
  /** Base address of /metrics, /healthz and /readyz. */
  readonly url: string;
  /** Everything that it wrote to stderr, by line. */
  readonly log: readonly string[];
  /** The exit code once it has ended. */
  readonly exited: Promise<number | null>;
  /** Sends a signal and waits for the end. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

export interface AviaryOptions {
  readonly kubeconfig: string;
  readonly port: number;
  readonly webhookPort: number;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the controller; resolves when it is ready, rejects with its log where it is not. */
export async function startAviary(options: AviaryOptions): Promise<AviaryProcess> {
  const { kubeconfig, port, webhookPort, flags = [], env = {} } = options;
  const child = spawn(
    process.execPath,
    [
      ...nodeFlags,
      program,
      'controller',
      `--kubeconfig=${kubeconfig}`,
      `--port=${port}`,
      `--webhook-port=${webhookPort}`,
      ...flags,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env['PATH'] ?? '', ...env } },
  );
  const log: string[] = [];
  let rest = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    log.push(...lines);
  });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  let over = false;
  void exited.then(() => (over = true));
  const stop = (): boolean => child.kill('SIGKILL');
  process.once('exit', stop);
  void exited.then(() => process.removeListener('exit', stop));

  const url = `http://127.0.0.1:${port}`;
  const isReady = async (): Promise<boolean> => {
    if (over) throw new Error(`aviary ended:\n${log.slice(-20).join('\n')}`);
    return fetch(`${url}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
  };
  await until('aviary is ready', isReady, { describe: () => log.slice(-20).join('\n') });
  return {
    pid: child.pid ?? 0,
    url,
    log,
    exited,
    end: (signal) => {
      child.kill(signal);
      return exited;
    },
  };
}
