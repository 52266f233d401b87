/**
 * A network of its own for a test: only loopback, and on it every address of the pods, so that each
 * pod is a process that listens on its own. Nothing in it reaches the outer network, and when what was
 * started in it ends, the kernel kills the rest and takes routes and namespaces away.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';

/** Addresses of pods. The API server refuses endpoints on 127.0.0.0/8. */
export const podRange = '10.244.0.0/16';

/** Never given to a pod. */
const spareAddress = '10.244.255.254';

const prepare = `ip link set lo up && ip route add local ${podRange} dev lo`;

/** Not `exec`: the first process of a namespace takes no default action on signals, a shell passes on. */
const script = `${prepare} || exit 125; "$@"; exit $?`;

function unshareArguments(command: readonly string[]): readonly string[] {
  // Who is not root becomes root of a user namespace, where the machine allows that.
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const kinds = ['--net', '--pid', '--fork', '--mount-proc', '--kill-child=SIGKILL'];
  return [...user, ...kinds, '--', 'sh', '-c', script, 'traffic', ...command];
}

/** Runs a command in a network of its own; answers its exit code. */
export async function runInside(
  command: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  const child = spawn('unshare', unshareArguments(command), {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: environment,
  });
  const kill = (): void => void child.kill('SIGKILL');
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.once(signal, kill);
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    return code ?? 1;
  } finally {
    for (const signal of signals) process.removeListener(signal, kill);
  }
}

/** `false` if such a network can be made here, else why not, in the words of who refused it. */
export async function namespaceOrSkip(): Promise<string | false> {
  try {
    await promisify(execFile)('unshare', unshareArguments(['true']));
    return false;
  } catch (error) {
    const { stderr = '', message } = error as Error & { readonly stderr?: string };
    const said = (stderr === '' ? message : stderr).trim();
    return `needs to make network namespaces: root, or user namespaces, unshare and ip (${said})`;
  }
}

/** `false` if this process is in such a network, else what to do. */
export async function insideOrSkip(): Promise<string | false> {
  const alone = Object.keys(networkInterfaces()).every((name) => name === 'lo');
  return alone && (await canListenOn(spareAddress)) ? false : 'run by `make e2e-traffic`';
}

function canListenOn(address: string): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(0, address, () => server.close(() => resolve(true)));
  });
}
