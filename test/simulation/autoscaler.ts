/**
 * A stand-in for the controller of HorizontalPodAutoscalers: as if load came and went, it wants some
 * replicas between the bounds, now and then. Like the real one it leaves alone what has none
 * (https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/).
 */
import type { HorizontalPodAutoscaler } from '../../src/api/kubernetes.ts';
import type { Cluster } from '../../src/cluster/cluster.ts';
import type { Random } from '../../src/cluster/random.ts';
import type { VirtualClock } from '../../src/cluster/virtual-clock.ts';
import { clientOver } from '../../src/kube/client.ts';
import { deployments, horizontalPodAutoscalers } from '../../src/kube/resources.ts';
import { namespace } from './scene.ts';

const lookMs = 15_000;

export interface AutoscalerOptions {
  readonly cluster: Cluster;
  readonly clock: VirtualClock;
  readonly random: Random;
  /** From then on load stays as it is. */
  readonly calmAtMs: number;
}

export function playAutoscalers({ cluster, clock, random, calmAtMs }: AutoscalerOptions): void {
  const user = {
    username: 'system:serviceaccount:kube-system:horizontal-pod-autoscaler',
    groups: ['system:authenticated'],
  };
  const wire = cluster.connect({ user, userAgent: 'horizontal-pod-autoscaler', answerMs: 2 });
  const kube = clientOver(wire, { qps: 0, burst: 0, clock });
  const { signal } = new AbortController();
  const scale = async ({ spec }: HorizontalPodAutoscaler): Promise<void> => {
    const { scaleTargetRef, minReplicas = 1, maxReplicas } = spec;
    const key = { namespace, name: scaleTargetRef.name };
    const workload = cluster.api.get(deployments, key);
    if (workload === undefined || (workload.spec.replicas ?? 1) === 0) return;
    const replicas = minReplicas + Math.floor(random() * (maxReplicas - minReplicas + 1));
    const { resourceVersion } = workload.metadata;
    const body = { metadata: { resourceVersion }, spec: { replicas } };
    const patch = { type: 'merge', body } as const;
    // Somebody wrote in between, or it is gone: at the next look.
    await kube.patch(deployments, key, patch, { signal, subresource: 'scale' }).catch(() => null);
  };
  const look = (): void => {
    for (const each of cluster.api.list(horizontalPodAutoscalers, namespace)) void scale(each);
    if (clock.monotonic() < calmAtMs) clock.after(lookMs, look);
  };
  clock.after(lookMs, look);
}
