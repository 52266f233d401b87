/** What the demo asks of a cluster: to be there, and to let its people in. */

import type { Log } from '../../kube/log.ts';

/** Each has rights to everything; admission tells them apart by their names. */
export type DemoUser = 'developer' | 'aviary';

export interface DemoCluster {
  /** `https://127.0.0.1:6443`. */
  readonly url: string;
  /** Text of a kubeconfig file that needs no other file beside it. */
  kubeconfig(user: DemoUser, namespace: string): string;
  stop(): Promise<void>;
}

export interface DemoClusterOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly log: Log;
}

/** Rejects with code `EADDRINUSE` where the port is taken. */
export type StartCluster = (options: DemoClusterOptions) => Promise<DemoCluster>;

/** A kubeconfig of one cluster and one user, as JSON, which is YAML. */
export function kubeconfigText(options: {
  readonly url: string;
  /** PEM. */
  readonly authority: string;
  readonly token: string;
  readonly namespace: string;
}): string {
  const { url: server, authority, token, namespace } = options;
  const name = 'aviary-demo';
  const certificate = Buffer.from(authority).toString('base64');
  const document = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': certificate } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace } }],
    'current-context': name,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
