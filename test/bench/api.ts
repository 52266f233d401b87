/** The bench's own calls, as the administrator: kept connections, no limit on the rate. */
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/client.ts';
import { systemClock } from '../../src/kube/clock.ts';
import { connect } from '../../src/kube/config.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';

export function administrator({ kubeconfigPath }: ControlPlane): KubeClient {
  const connection = connect({
    kubeconfig: kubeconfigPath,
    master: '',
    environment: {},
    clock: systemClock,
  });
  return createKubeClient(connection, {
    qps: 0,
    burst: 0,
    userAgent: 'aviary-bench',
    clock: systemClock,
    onCall: () => undefined,
  });
}

/** Calls `act` for every item, some side by side, and waits for all. */
export async function eachOf<T>(
  items: readonly T[],
  act: (item: T) => Promise<void>,
  sideBySide = 8,
): Promise<void> {
  const rest = items.values();
  const worker = async (): Promise<void> => {
    // One iterator for all of them: each item is taken once.
    for (const item of rest) await act(item);
  };
  await Promise.all(Array.from({ length: sideBySide }, worker));
}
