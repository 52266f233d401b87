/** Contour, and Envoy as its manifests run it. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { GatewayKind } from './gateway.ts';
import { loopback, startEnvoy, statsPort, xdsPort } from './gateway.ts';

const ports = { http: 8003, health: 8004, debug: 8005 };

const configuration = { gateway: { gatewayRef: { namespace: 'projectcontour', name: 'contour' } } };

export const contour: GatewayKind = {
  name: 'contour',
  crds: ['contour-crds.yaml', 'gateway-api-crds.yaml'],
  fixture: 'projectcontour.yaml',
  start: async (children, { programs, kubeconfig, directory }) => {
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
    await children.start('contour', programs.contour, serveArguments(kubeconfig, configPath));
    await startEnvoy(children, { program: programs.envoy, bootstrap, node: 'envoy-0' });
  },
};

/** Contour adds 8000 to the ports of listeners below 1024: port 80 is `listenerPort`. */
const serveArguments = (kubeconfig: string, configPath: string): readonly string[] => [
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
  `--http-port=${ports.http}`,
  `--health-address=${loopback}`,
  `--health-port=${ports.health}`,
  `--debug-http-address=${loopback}`,
  `--debug-http-port=${ports.debug}`,
];
