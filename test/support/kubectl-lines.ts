/** A `kubectl ... --watch` that runs until it is stopped, or until this process ends; line by line. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { ControlPlane } from '../cluster/control-plane.ts';

export type Kubectl = Pick<ControlPlane, 'kubectlPath' | 'kubeconfigPath'>;

const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill()));

/** Answers how to stop. */
export function kubectlLines(
  { kubectlPath, kubeconfigPath }: Kubectl,
  args: readonly string[],
  onLine: (line: string) => void,
): () => void {
  const child = spawn(kubectlPath, ['--kubeconfig', kubeconfigPath, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(onLine);
  });
  return () => void child.kill();
}
