/** How `aviary migrate` reaches the cluster: as whoever calls it, and no faster than kubectl. */
import type { Clock } from '../../kube/clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import { createKubeClient } from '../../kube/client.ts';
import { connect } from '../../kube/config.ts';
import type { Environment } from '../flags.ts';

const qps = 50;
const burst = 100;

/** Throws where there is no configuration. */
export function clientOf(
  kubeconfig: string,
  given: { readonly environment: Environment; readonly version: string; readonly clock: Clock },
): KubeClient {
  const { environment, version, clock } = given;
  const connection = connect({ kubeconfig, master: '', environment, clock });
  return createKubeClient(connection, {
    qps,
    burst,
    userAgent: `aviary-migrate/${version}`,
    clock,
    onCall: () => undefined,
  });
}
