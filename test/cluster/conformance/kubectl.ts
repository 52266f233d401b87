/** The real kubectl, with nothing of the user's own configuration. */
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { KubectlResult } from '../kubectl.ts';
import { runKubectl } from '../kubectl.ts';
import { join } from 'node:path';
import { deployment } from './paths.ts';
import type { Ground } from './site.ts';
import { until } from '../../support/until.ts';

export interface Kubectl {
  /** Whatever its exit code is. `namespace`: empty for none. */
  try(namespace: string, args: readonly string[], input?: string): Promise<KubectlResult>;
  /** What it printed to stdout; rejects with what it said on stderr where it failed. */
  run(
    namespace: string,
    args: readonly string[],
    input?: string,
    environment?: Readonly<Record<string, string>>,
  ): Promise<string>;
  /** Of a command that goes on until it is stopped: `get -w`. */
  follow(namespace: string, args: readonly string[]): Following;
}

export interface Following {
  /** Waits until what it printed so far matches. Answers that. */
  printed(expected: RegExp): Promise<string>;
  /** All that it printed so far. */
  text(): string;
  stop(): void;
}

export function kubectlOn(site: {
  readonly path: string;
  readonly kubeconfigPath: string;
  readonly directory: string;
  readonly patienceMs: number;
}): Kubectl {
  const scoped = (namespace: string, args: readonly string[]): readonly string[] =>
    namespace === '' ? args : ['--namespace', namespace, ...args];
  const start = (
    namespace: string,
    args: readonly string[],
    input?: string,
    environment?: Readonly<Record<string, string>>,
  ): Promise<KubectlResult> =>
    runKubectl({
      ...site,
      args: scoped(namespace, args),
      input,
      ...(environment && { environment }),
    });
  return {
    try: start,
    run: async (namespace, args, input, environment) => {
      const { code, stdout, stderr } = await start(namespace, args, input, environment);
      if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}${stdout}`);
      return stdout;
    },
    follow: (namespace, args) => {
      const child = spawn(site.path, scoped(namespace, args), {
        env: {
          PATH: process.env['PATH'],
          KUBECONFIG: site.kubeconfigPath,
          KUBECACHEDIR: join(site.directory, 'kubectl-cache'),
        },
      });
      return following(child, site.patienceMs);
    },
  };
}

function following(child: ChildProcessWithoutNullStreams, timeoutMs: number): Following {
  let text = '';
  const add = (part: string): void => void (text += part);
  child.stdout.setEncoding('utf8').on('data', add);
  child.stderr.setEncoding('utf8').on('data', add);
  return {
    printed: (expected) =>
      until(`kubectl prints ${String(expected)}`, () => expected.test(text) && text, {
        timeoutMs,
        describe: () => text,
      }),
    text: () => text,
    stop: () => void child.kill('SIGTERM'),
  };
}

/** Columns without their padding; a line each. */
export const table = (text: string): readonly (readonly string[])[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/ {2,}/));

/** A Deployment in `default` that is available. Answers its name. */
export async function available({ kubectl, name }: Ground, replicas = 2): Promise<string> {
  const app = name('web');
  await kubectl.run('', ['apply', '-f', '-'], JSON.stringify(deployment(app, { replicas })));
  const progressed = 'jsonpath={.status.conditions[?(@.type=="Progressing")].reason}';
  await kubectl.run('', [
    'wait',
    `--for=${progressed}=NewReplicaSetAvailable`,
    `deployment/${app}`,
    '--timeout=20s',
  ]);
  return app;
}
