/**
 * Canaries by the hundred: each with a Deployment of one pod, steps of 10, 20 and 30, provider istio
 * and the two built-in metrics, fifty to a namespace.
 */
import type { Canary } from '../../src/api/canary.ts';
import type { Deployment, NamespacedName } from '../../src/api/kubernetes.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { canaries, deployments, namespaces } from '../../src/kube/resources.ts';
import { until } from '../support/until.ts';
import { eachOf } from './api.ts';
import type { CanaryLedger } from './ledger.ts';

const canariesPerNamespace = 50;

export interface Fleet {
  readonly names: readonly NamespacedName[];
  /**
   * Changes the image of all Deployments one after the other, and tells of each when
   * the answer was there.
   */
  change(revision: string, changed: (name: NamespacedName, atMs: number) => void): Promise<void>;
  /** Resolves when every target is scaled to zero. */
  scaledDown(): Promise<void>;
}

/** Creates them all and waits until each is initialized. */
export async function launchFleet(
  kube: KubeClient,
  count: number,
  ledger: CanaryLedger,
  signal: AbortSignal,
): Promise<Fleet> {
  const names = Array.from({ length: count }, (_, index) => ({
    namespace: `bench-${Math.floor(index / canariesPerNamespace)}`,
    name: `app-${index}`,
  }));
  await eachOf([...new Set(names.map(({ namespace }) => namespace))], async (name) => {
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    await kube.create(namespaces, object, { signal });
  });
  await eachOf(names, async (name) => {
    await kube.create(deployments, deploymentOf(name), { signal });
    await kube.create(canaries, canaryOf(name), { signal });
  });
  await ledger.all('Initialized', names, { timeoutMs: 300_000 });

  const fleet: Fleet = {
    names,
    change: async (revision, changed) => {
      const container = { name: 'podinfod', image: `podinfo:${revision}`, ports };
      const body = { spec: { template: { spec: { containers: [container] } } } };
      // One after the other: several at once only wait for each other in the API server.
      for (const name of names) {
        await kube.patch(deployments, name, { type: 'merge', body }, { signal });
        changed(name, performance.now());
      }
    },
    scaledDown: () => scaledDown(kube, names, signal),
  };
  await fleet.scaledDown();
  return fleet;
}

async function scaledDown(
  kube: KubeClient,
  names: readonly NamespacedName[],
  signal: AbortSignal,
): Promise<void> {
  const targets = new Set(names.map(({ namespace, name }) => `${namespace}/${name}`));
  await until(
    'all targets are scaled to zero',
    async () => {
      const { items } = await kube.list(deployments, { signal });
      return items.every(
        ({ metadata, spec }) =>
          spec.replicas === 0 || !targets.has(`${metadata.namespace ?? ''}/${metadata.name}`),
      );
    },
    { timeoutMs: 120_000, everyMs: 1_000 },
  );
}

const ports = [
  { name: 'http', containerPort: 9898 },
  { name: 'http-metrics', containerPort: 9797 },
];

export function deploymentOf({ namespace, name }: NamespacedName): Deployment {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'podinfod', image: 'podinfo:6.0.0', ports }] },
      },
    },
  };
}

export function canaryOf({ namespace, name }: NamespacedName): Canary {
  const interval = '1m';
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { namespace, name },
    spec: {
      provider: 'istio',
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      progressDeadlineSeconds: 120,
      service: { port: 80, targetPort: 'http' },
      analysis: {
        interval: '10s',
        threshold: 2,
        maxWeight: 30,
        stepWeight: 10,
        metrics: [
          { name: 'request-success-rate', thresholdRange: { min: 99 }, interval },
          { name: 'request-duration', thresholdRange: { max: 500 }, interval },
        ],
      },
    },
  };
}
