/** Contour and the Envoy that it drives by xDS, as two processes. */
import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { superviseChildren } from '../cluster/children.ts';
import { until } from '../support/until.ts';
import type { TrafficPrograms } from './programs.ts';

export interface Gateway {
  /** Where users' requests arrive. */
  readonly address: string;
  readonly port: number;
  /** HOST:PORT of `/stats/prometheus`. */
  readonly stats: string;
  /** Rejects if one of the two had ended by itself. */
  stop(): Promise<void>;
}

// In a network of its own every port is free.
const loopback = '127.0.0.1';
const xdsPort = 8001;
const statsPort = 8002;
const contourPorts = { http: 8003, health: 8004, debug: 8005 };
/** Contour adds 8000 to the ports of listeners below 1024. */
const listenerPort = 8080;

const configuration = { gateway: { gatewayRef: { namespace: 'projectcontour', name: 'contour' } } };

/** The Gateway of `fixtures/projectcontour.yaml` must be there, and the CRDs of both. */
export async function startGateway(
  programs: TrafficPrograms,
  kubeconfig: string,
): Promise<Gateway> {
  const directory = await mkdtemp(join(tmpdir(), 'aviary-gateway-'));
  const children = superviseChildren(directory);
  const bootstrap = join(directory, 'envoy.json');
  const configPath = join(directory, 'contour.yaml');
  // JSON is YAML.
  await writeFile(configPath, JSON.stringify(configuration));
  await promisify(execFile)(programs.contour, [
    'bootstrap',
    bootstrap,
    `--xds-address=${loopback}`,
    `--xds-port=${xdsPort}`,
    `--admin-address=${join(directory, 'admin.sock')}`,
  ]);
  await children.start('contour', programs.contour, contourArguments(kubeconfig, configPath));
  await children.start(
    'envoy',
    programs.envoy,
    [
      `--config-path=${bootstrap}`,
      '--service-cluster=traffic',
      '--service-node=envoy-0',
      '--concurrency=1',
      '--disable-hot-restart',
      '--log-level=warning',
    ].flatMap((flag) => flag.split('=')),
  );

  const stats = `${loopback}:${statsPort}`;
  const stop = async (): Promise<void> => {
    const casualties = await children.casualties();
    await children.stop({ keepDirectory: false });
    if (casualties !== undefined) throw new Error(`ended before it was stopped: ${casualties}`);
  };
  try {
    await until('Envoy is driven by Contour', async () => {
      const casualties = await children.casualties();
      if (casualties !== undefined) throw new Error(casualties);
      return fetch(`http://${stats}/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
    });
  } catch (cause) {
    await children.stop({ keepDirectory: true });
    throw new Error(`the gateway did not start; logs: ${directory}`, { cause });
  }
  return { address: loopback, port: listenerPort, stats, stop };
}

const contourArguments = (kubeconfig: string, configPath: string): readonly string[] => [
  'serve',
  '--insecure',
  '--disable-leader-election',
  `--kubeconfig=${kubeconfig}`,
  `--config-path=${configPath}`,
  `--xds-address=${loopback}`,
  `--xds-port=${xdsPort}`,
  `--stats-address=${loopback}`,
  `--stats-port=${statsPort}`,
  `--http-address=${loopback}`,
  `--http-port=${contourPorts.http}`,
  `--health-address=${loopback}`,
  `--health-port=${contourPorts.health}`,
  `--debug-http-address=${loopback}`,
  `--debug-http-port=${contourPorts.debug}`,
];
