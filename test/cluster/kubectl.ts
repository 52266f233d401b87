/** Runs kubectl against one control plane, with nothing of the user's own configuration. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface KubectlCall {
  readonly path: string;
  readonly kubeconfigPath: string;
  /** Its cache goes here. */
  readonly directory: string;
  readonly args: readonly string[];
  /** What it reads on stdin. */
  readonly input?: string | undefined;
  /** Beside what it needs. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Above any `--timeout` that a test gives to `kubectl wait`. */
const deadlineMs = 600_000;

/** Rejects if kubectl cannot be started or is killed; its failure is a result. */
export async function runKubectl(call: KubectlCall): Promise<KubectlResult> {
  const child = spawn(call.path, call.args, {
    env: {
      ...call.environment,
      PATH: process.env['PATH'],
      KUBECONFIG: call.kubeconfigPath,
      KUBECACHEDIR: join(call.directory, 'kubectl-cache'),
    },
    timeout: deadlineMs,
  });
  // It may end without having read everything; its exit code says whether that matters.
  child.stdin.on('error', () => undefined);
  child.stdin.end(call.input ?? '');
  const [stdout, stderr, [code, signal]] = await Promise.all([
    child.stdout.setEncoding('utf8').toArray() as Promise<string[]>,
    child.stderr.setEncoding('utf8').toArray() as Promise<string[]>,
    once(child, 'close') as Promise<[number | null, string | null]>,
  ]);
  if (code === null) throw new Error(`kubectl ${call.args.join(' ')} was killed by ${signal}`);
  return { code, stdout: stdout.join(''), stderr: stderr.join('') };
}
