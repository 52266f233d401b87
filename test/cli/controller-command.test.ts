/** The command ends whole: whenever it is told to, or fails, no server of its own listens any more. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { runController } from '../../src/cli/controller-command.ts';
import { parseFlags } from '../../src/cli/flags.ts';
import { createCluster } from '../../src/cluster/cluster.ts';
import { serveCluster } from '../../src/cluster/http.ts';
import type { RestRequest } from '../../src/cluster/rest-request.ts';
import { StatusError } from '../../src/cluster/status-error.ts';
import { systemClock } from '../../src/kube/clock.ts';
import { quietLog } from '../../src/kube/quiet-log.ts';
import { ownTypes } from '../../src/rehearsal/own-kinds.ts';
import { freePorts } from '../support/ports.ts';

const token = 'let-me-in';
const user = { username: 'aviary', groups: ['system:masters'] };

interface Given {
  /** Told of each request before it is answered; what it throws is the answer. */
  readonly asked: (request: RestRequest, told: AbortController) => void;
}

/** Runs the command on a cluster of its own until it ends, and answers how, and who listens then. */
async function ending({ asked }: Given) {
  const told = new AbortController();
  const types = ownTypes();
  const cluster = createCluster({ clock: systemClock, random: Math.random, log: quietLog, types });
  const served = await serveCluster({
    rest: async (request) => {
      asked(request, told);
      return cluster.rest(request);
    },
    users: new Map([[token, user]]),
  });
  const folder = await mkdtemp(join(tmpdir(), 'aviary-command-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const [webhookPort = 0, port = 0] = await freePorts(2);
  try {
    await writeFile(kubeconfig, kubeconfigOf(served.url));
    const parsed = parseFlags(
      [
        `-kubeconfig=${kubeconfig}`,
        `-webhook-url=https://127.0.0.1:${webhookPort}`,
        `-webhook-port=${webhookPort}`,
        `-port=${port}`,
      ],
      {},
    );
    assert.equal(parsed.kind, 'Flags');
    const options = { environment: {}, version: 'test', log: quietLog, host: '127.0.0.1' };
    const failure = await runController({ ...options, flags: parsed.flags, signal: told.signal })
      .then(() => undefined)
      .catch((error: unknown) => String(error));
    return { failure, listening: [await listens(webhookPort), await listens(port)] };
  } finally {
    await served.close();
    cluster.stop();
    await rm(folder, { recursive: true });
  }
}

const kubeconfigOf = (server: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'it', cluster: { server } }],
    users: [{ name: 'it', user: { token } }],
    contexts: [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
    'current-context': 'it',
  });

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

const none = [false, false];

suite('aviary controller', () => {
  test('told to end while its webhook listens and is not registered yet, it ends', async () => {
    const ended = await ending({
      asked: ({ path }, told) => {
        if (path.endsWith('/selfsubjectreviews')) told.abort(new Error('told to end'));
      },
    });
    assert.deepEqual(ended, { failure: undefined, listening: none });
  });

  test('told to end when all is well, it ends', async () => {
    let renewals = 0;
    const ended = await ending({
      asked: ({ method, path }, told) => {
        if (method === 'PATCH' && path.includes('/leases/')) renewals += 1;
        if (renewals === 2) told.abort(new Error('told to end'));
      },
    });
    assert.deepEqual(ended, { failure: undefined, listening: none });
  });

  test('a part that fails ends all others, and is named', async () => {
    const { failure, listening } = await ending({
      asked: ({ path }) => {
        if (!path.endsWith('/selfsubjectreviews')) return;
        throw new StatusError('you may not ask', { code: 403, reason: 'Forbidden' });
      },
    });
    assert.equal(failure, 'Error: the webhook server failed');
    assert.deepEqual(listening, none);
  });
});
