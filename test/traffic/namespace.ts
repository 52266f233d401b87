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

const network = ['--net'];
/** With this, what is left over in there is killed by the kernel; a container may refuse it. */
const processes = ['--pid', '--fork', '--mount-proc', '--kill-child=SIGKILL'];
/** Who is not root, or is it in a container only, becomes root of a user namespace. */
const user = ['--user', '--map-root-user'];

/** Arguments of unshare, the best first. */
const ways = [
  [...network, ...processes],
  [...user, ...network, ...processes],
  network,
  [...user, ...network],
];

export type Way =
  | { readonly found: true; readonly flags: readonly string[] }
  /** In the words of who refused each of them. */
  | { readonly found: false; readonly reason: string };

const inside = (flags: readonly string[], command: readonly string[]): readonly string[] => [
  ...flags,
  '--',
  'sh',
  '-c',
  script,
  'traffic',
  ...command,
];

/** Looks for a way to make such a network here. */
export async function findWay(): Promise<Way> {
  const refusals = new Set<string>();
  for (const flags of ways) {
    try {
      await promisify(execFile)('unshare', inside(flags, ['true']));
      return { found: true, flags };
    } catch (error) {
      const { stderr = '', message } = error as Error & { readonly stderr?: string };
      refusals.add((stderr === '' ? message : stderr).trim());
    }
  }
  const needs = 'needs to make network namespaces: root, or user namespaces, unshare and ip';
  return { found: false, reason: `${needs} (${[...refusals].join('; ')})` };
}

/** Runs a command in a network of its own; answers its exit code. */
export async function runInside(
  flags: readonly string[],
  command: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  const child = spawn('unshare', inside(flags, command), {
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
