/** How commands that only look reach a cluster: as whoever calls them, and no faster than kubectl. */
import type { Clock } from '../kube/clock.ts';
import type { KubeClient } from '../kube/client.ts';
import { createKubeClient } from '../kube/client.ts';
import { connect } from '../kube/config.ts';
import type { Environment } from './flags.ts';

const qps = 50;
const burst = 100;

export interface ReaderOptions {
  /** Empty means what the environment says. */
  readonly kubeconfig: string;
  readonly environment: Environment;
  /** Names the command in the audit log: `aviary-migrate/1.0.0`. */
  readonly userAgent: string;
  readonly clock: Clock;
}

export interface Reader {
  readonly kube: KubeClient;
  /** That of the context; absent where it names none. */
  readonly namespace: string | undefined;
}

/** Throws where there is no configuration. */
export function createReader({ kubeconfig, environment, userAgent, clock }: ReaderOptions): Reader {
  const connection = connect({ kubeconfig, master: '', environment, clock });
  const kube = createKubeClient(connection, {
    qps,
    burst,
    userAgent,
    clock,
    onCall: () => undefined,
  });
  return { kube, namespace: connection.namespace };
}
