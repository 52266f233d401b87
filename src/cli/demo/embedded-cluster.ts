/** The embedded cluster over HTTPS on loopback, with a CA and tokens that live as long as it does. */
import { randomBytes } from 'node:crypto';
import { issueLeaf, makeAuthority } from '../../certs/x509.ts';
import { createCluster } from '../../cluster/cluster.ts';
import { serveCluster } from '../../cluster/http.ts';
import type { User } from '../../cluster/resource-type.ts';
import { systemClock } from '../../kube/clock.ts';
import type { DemoUser, StartCluster } from './demo-cluster.ts';
import { kubeconfigText } from './demo-cluster.ts';

const host = '127.0.0.1';
const tokenBytes = 24;
/** How long a pod starts: the demo is to be watched, not waited for. */
const readyMs = 400;

export const startEmbeddedCluster: StartCluster = async ({ port, log }) => {
  const nowMs = systemClock.now();
  const authority = await makeAuthority(nowMs);
  const { certificate, key } = await issueLeaf(authority, [host, 'localhost'], nowMs);
  const tokens: Readonly<Record<DemoUser, string>> = { developer: newToken(), aviary: newToken() };
  const workloads = { plan: () => ({ readyMs }) };
  const cluster = createCluster({ clock: systemClock, random: Math.random, log, workloads });
  const served = await serveCluster({
    rest: cluster.rest,
    users: new Map(Object.entries(tokens).map(([name, token]) => [token, userOf(name)])),
    tls: { certificate, key },
    host,
    port,
  });
  return {
    url: served.url,
    kubeconfig: (user, namespace) =>
      kubeconfigText({
        url: served.url,
        authority: authority.certificate,
        token: tokens[user],
        namespace,
      }),
    stop: async () => {
      cluster.stop();
      await served.close();
    },
  };
};

const newToken = (): string => randomBytes(tokenBytes).toString('base64url');

const userOf = (username: string): User => ({ username, groups: ['system:masters'] });
