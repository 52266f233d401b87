/**
 * Everything that an end-to-end test works on: a control plane with `manifests/` applied, Istio's
 * CRDs, a Prometheus whose answers the test dictates, and the built program outside of the cluster
 * under exactly the rights of the ServiceAccount that the manifests give it.
 */
import type { ControlPlane } from '../cluster/control-plane.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import type { AviaryProcess } from '../support/aviary-process.ts';
import { startAviary } from '../support/aviary-process.ts';
import { freePorts } from '../support/ports.ts';
import type { PrometheusAnswer } from '../support/prometheus.ts';
import { startPrometheus } from '../support/prometheus.ts';
import { kubectlOf, repository } from './kubectl.ts';

/** What judges: the stand-in, or a real server. */
export interface MetricsServer {
  readonly url: string;
  /** Values of an instant query; of a real server only. */
  query(text: string): Promise<readonly number[]>;
  stop(): Promise<void>;
}

export interface Site {
  readonly cluster: ControlPlane;
  readonly metrics: MetricsServer;
  /** The process that runs now. */
  readonly aviary: () => AviaryProcess;
  /** Starts another process in place of one that has ended. */
  start(): Promise<AviaryProcess>;
  stop(): Promise<void>;
}

export interface SiteOptions {
  readonly answer?: (query: string) => PrometheusAnswer;
  /** In place of the address that the program listens on. */
  readonly webhookUrl?: string;
  readonly nodes?: number;
  /** In place of the stand-in; is told the address at which the program's own metrics are. */
  readonly metricsServer?: (controller: string) => Promise<MetricsServer>;
  readonly flags?: readonly string[];
}

const healthy = (query: string): number => (query.includes('histogram_quantile') ? 98.4 : 100);

const standIn =
  ({ answer }: SiteOptions) =>
  async (): Promise<MetricsServer> => {
    const prometheus = await startPrometheus(answer ?? healthy);
    return {
      url: prometheus.url,
      query: () => Promise.reject(new Error('the stand-in only answers what it was told')),
      stop: () => prometheus.close(),
    };
  };

export async function startSite(options: SiteOptions = {}): Promise<Site> {
  const cluster = await startControlPlane({ audit: true, nodes: options.nodes ?? 1 });
  const kubectl = kubectlOf(cluster);
  await kubectl(['apply', '--server-side', '-f', repository('test/crds/istio')]);
  await kubectl(['apply', '-k', repository('manifests')]);
  await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
  const kubeconfig = await cluster.kubeconfigFor({ namespace: 'aviary-system', name: 'aviary' });

  const [port = 0, webhookPort = 0] = await freePorts(2);
  const metrics = await (options.metricsServer ?? standIn(options))(`127.0.0.1:${port}`);
  const flags = [
    `--webhook-url=${options.webhookUrl ?? `https://127.0.0.1:${webhookPort}`}`,
    `--metrics-server=${metrics.url}`,
    '--log-level=info',
    ...(options.flags ?? []),
  ];
  const env = { POD_NAMESPACE: 'aviary-system' };
  const launch = () => startAviary({ kubeconfig, port, webhookPort, flags, env });
  let aviary = await launch();
  return {
    cluster,
    metrics,
    aviary: () => aviary,
    start: async () => {
      aviary = await launch();
      return aviary;
    },
    stop: async () => {
      await aviary.end('SIGTERM');
      await metrics.stop();
      await cluster.stop();
    },
  };
}
