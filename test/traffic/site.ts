/**
 * Everything that a rollout under real traffic needs: a control plane, pods that are processes, a
 * gateway, a Prometheus that scrapes both, and the built program under the rights of its manifests.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { kubectlOf, repository } from '../e2e/kubectl.ts';
import type { AviaryProcess } from '../support/aviary-process.ts';
import { startAviary } from '../support/aviary-process.ts';
import { freePorts } from '../support/ports.ts';
import type { RealPrometheus } from '../support/real-prometheus.ts';
import { startRealPrometheus } from '../support/real-prometheus.ts';
import { apiOf } from './api.ts';
import type { Discovery } from './discovery.ts';
import { startDiscovery } from './discovery.ts';
import type { Gateway, GatewayKind } from './gateway.ts';
import { startGateway } from './gateway.ts';
import type { Images, Kubelet } from './kubelet.ts';
import { startKubelet } from './kubelet.ts';
import { findTrafficPrograms } from './programs.ts';

export interface TrafficSite {
  readonly cluster: ControlPlane;
  readonly gateway: Gateway;
  readonly kubelet: Kubelet;
  readonly prometheus: RealPrometheus;
  readonly aviary: AviaryProcess;
  stop(): Promise<void>;
}

export const trafficFixture = (name: string): string => repository(`test/traffic/fixtures/${name}`);

export async function startTrafficSite(kind: GatewayKind, images: Images): Promise<TrafficSite> {
  const search = await findTrafficPrograms();
  if (!search.found) throw new Error(`${search.missing.join(', ')}: run \`make traffic-build\``);
  const { programs } = search;
  // What was started last is stopped first, whether or not all could be started.
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const undo of stops.splice(0).toReversed()) {
      await undo().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw new AggregateError(failures, 'stop the site');
  };
  try {
    // It would look for a default route, which there is none of.
    const extraApiServerArgs = ['--advertise-address=10.244.255.252'];
    const cluster = await startControlPlane({ nodes: 0, extraApiServerArgs });
    stops.push(() => cluster.stop());
    await applyAll(
      cluster,
      kind.crds.map((name) => programs[name]),
    );
    await kubectlOf(cluster)(['apply', '-f', trafficFixture(kind.fixture)]);

    const directory = await mkdtemp(join(tmpdir(), 'aviary-pods-'));
    stops.push(() => rm(directory, { recursive: true, force: true }));
    const api = await apiOf(cluster);
    stops.push(async () => api.close());
    const kubelet = await startKubelet({ api, images, program: await bundleApp(directory) });
    stops.push(() => kubelet.stop());

    const gateway = await startGateway(kind, programs, cluster.kubeconfigPath);
    stops.push(() => gateway.stop());
    const discovery = await startDiscovery(api);
    stops.push(() => discovery.close());
    const [port = 0, webhookPort = 0] = await freePorts(2);
    const targets = [`127.0.0.1:${port}`];
    const prometheus = await startRealPrometheus(targets, scrapeConfigs(gateway, discovery));
    stops.push(() => prometheus.stop());

    const aviary = await startController(cluster, prometheus, port, webhookPort);
    stops.push(() => aviary.end('SIGTERM'));
    return { cluster, gateway, kubelet, prometheus, aviary, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function applyAll(cluster: ControlPlane, crds: readonly string[]): Promise<void> {
  const kubectl = kubectlOf(cluster);
  const files = crds.flatMap((path) => ['-f', path]);
  await kubectl(['apply', '--server-side', ...files]);
  await kubectl(['apply', '-k', repository('manifests')]);
  await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
}

/** A process that starts in 50 ms, where one that compiles at its start needs half a second. */
async function bundleApp(directory: string): Promise<string> {
  const outfile = join(directory, 'app.mjs');
  const entryPoints = [join(import.meta.dirname, 'app.ts')];
  await build({ entryPoints, outfile, platform: 'node', format: 'esm', bundle: true });
  return outfile;
}

/** Envoy and all pods. */
const scrapeConfigs = (gateway: Gateway, discovery: Discovery): readonly object[] => [
  {
    job_name: 'envoy',
    metrics_path: '/stats/prometheus',
    static_configs: [{ targets: [gateway.stats] }],
  },
  { job_name: 'pods', http_sd_configs: [{ url: discovery.url, refresh_interval: '1s' }] },
];

async function startController(
  cluster: ControlPlane,
  prometheus: RealPrometheus,
  port: number,
  webhookPort: number,
): Promise<AviaryProcess> {
  const account = { namespace: 'aviary-system', name: 'aviary' };
  return startAviary({
    kubeconfig: await cluster.kubeconfigFor(account),
    port,
    webhookPort,
    flags: [
      `--webhook-url=https://127.0.0.1:${webhookPort}`,
      `--metrics-server=${prometheus.url}`,
      '--log-level=info',
    ],
    env: { POD_NAMESPACE: account.namespace },
  });
}
