/**
 * A control plane that outlives the command that started it. One process holds it, and is spoken to
 * through a socket in the cache directory: no pid is recorded, so none can be mistaken for another.
 */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { ControlPlane } from './control-plane.ts';
import { startControlPlane } from './control-plane.ts';

export interface Held {
  readonly kubeconfigPath: string;
  readonly auditLogPath: string | undefined;
}

/** `state` waits until it is ready; `stop` until it is gone. */
type Request = 'state' | 'stop';

/** Undefined if nobody holds a control plane there. */
export async function ask(socketPath: string, request: Request): Promise<Held | undefined> {
  const socket = connect(socketPath);
  try {
    await once(socket, 'connect');
  } catch (error) {
    if (['ENOENT', 'ECONNREFUSED'].includes((error as NodeJS.ErrnoException).code ?? '')) {
      return undefined;
    }
    throw error;
  }
  socket.write(request);
  const answer = (await socket.setEncoding('utf8').toArray()).join('');
  return answer === '' ? undefined : (JSON.parse(answer) as Held);
}

/** Starts a control plane and holds it until somebody asks to stop it. */
export async function hold(socketPath: string): Promise<void> {
  if ((await ask(socketPath, 'state')) !== undefined) throw new Error('one runs already');
  await rm(socketPath, { force: true });
  const starting = startControlPlane({ audit: true });
  const server = createServer();
  const stopped = new Promise<void>((resolve) => {
    server.on('connection', (socket) => {
      const gone = (): void => void socket.destroy();
      converse(socket, starting).then((isStop) => isStop && resolve(), gone);
    });
  });
  server.listen(socketPath);
  try {
    await Promise.all([starting, stopped]);
  } finally {
    server.close();
  }
}

/** True if the control plane was stopped. Rejects if whoever asks goes away before it has asked. */
async function converse(socket: Socket, starting: Promise<ControlPlane>): Promise<boolean> {
  const [request] = (await once(socket.setEncoding('utf8'), 'data')) as [Request];
  socket.on('error', () => undefined);
  const cluster = await starting;
  if (request === 'stop') await cluster.stop().catch(report);
  const { kubeconfigPath, auditLogPath } = cluster;
  socket.end(JSON.stringify({ kubeconfigPath, auditLogPath } satisfies Held));
  return request === 'stop';
}

const report = (error: unknown): void => void process.stderr.write(`${String(error)}\n`);
