/**
 * Istio's pilot, and an Envoy that it drives as an ingress gateway by plain gRPC. That Envoy is not
 * Istio's build: it lacks the filters that count `istio_requests_total` and tell peers apart, so pilot
 * is told to do without, and Envoy's own statistics are named as Istio's proxies name them.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GatewayKind } from './gateway.ts';
import { loopback, startEnvoy, statsPort, xdsPort } from './gateway.ts';

const ports = { http: 8003, monitoring: 8004 };
const namespace = 'istio-system';
/** Nobody calls it there, but pilot knows its proxies by address. */
const gatewayAddress = '10.244.255.251';

const node = `router~${gatewayAddress}~envoy-0.${namespace}~${namespace}.svc.cluster.local`;

const environment = {
  POD_NAMESPACE: namespace,
  POD_NAME: 'istiod',
  ENABLE_LEADER_ELECTION: 'false',
  // No certificates, no sidecars, no webhooks: there is one gateway, and it trusts its network.
  ENABLE_CA_SERVER: 'false',
  PILOT_CERT_PROVIDER: 'none',
  INJECT_ENABLED: 'false',
  VALIDATION_WEBHOOK_CONFIG_NAME: '',
  PILOT_ENABLE_GATEWAY_API: 'false',
  // What only Istio's build of Envoy has.
  PILOT_ENABLE_METADATA_EXCHANGE: 'false',
  PILOT_ENABLE_ALPN_FILTER: 'false',
};

export const istio: GatewayKind = {
  name: 'istio',
  crds: ['istio-crds.yaml'],
  fixture: 'istio-system.yaml',
  start: async (children, { programs, kubeconfig, directory }) => {
    const meshConfig = join(directory, 'mesh.yaml');
    const bootstrap = join(directory, 'envoy.json');
    // JSON is YAML.
    await writeFile(meshConfig, JSON.stringify({ enableAutoMtls: false }));
    await writeFile(bootstrap, JSON.stringify(envoyBootstrap));
    await children.start('istiod', 'env', [
      ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      programs['pilot-discovery'],
      'discovery',
      `--kubeconfig=${kubeconfig}`,
      `--meshConfig=${meshConfig}`,
      `--grpcAddr=${loopback}:${xdsPort}`,
      '--secureGRPCAddr=',
      `--httpAddr=${loopback}:${ports.http}`,
      '--httpsAddr=',
      `--monitoringAddr=${loopback}:${ports.monitoring}`,
    ]);
    await startEnvoy(children, { program: programs.envoy, bootstrap, node });
  },
};

const loopbackPort = (port: number): object => ({
  address: { socket_address: { address: loopback, port_value: port } },
});

const http2 = {
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
    explicit_http_config: { http2_protocol_options: {} },
  },
};

const pilotCluster = {
  name: 'xds-grpc',
  type: 'STATIC',
  connect_timeout: '1s',
  typed_extension_protocol_options: http2,
  load_assignment: {
    cluster_name: 'xds-grpc',
    endpoints: [{ lb_endpoints: [{ endpoint: loopbackPort(xdsPort) }] }],
  },
};

const fromPilot = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' };

const envoyBootstrap = {
  node: {
    metadata: {
      NAMESPACE: namespace,
      CLUSTER_ID: 'Kubernetes',
      ISTIO_VERSION: '1.31.0',
      LABELS: { istio: 'ingressgateway' },
    },
  },
  admin: loopbackPort(statsPort),
  stats_config: {
    use_all_default_tags: false,
    // As the bootstrap of Istio's proxies has them.
    stats_tags: [
      { tag_name: 'cluster_name', regex: String.raw`^cluster(\.(.+);)` },
      { tag_name: 'response_code', regex: String.raw`_rq(_(\d{3}))$` },
    ],
  },
  dynamic_resources: {
    lds_config: fromPilot,
    cds_config: fromPilot,
    ads_config: {
      api_type: 'GRPC',
      transport_api_version: 'V3',
      set_node_on_first_message_only: true,
      grpc_services: [{ envoy_grpc: { cluster_name: pilotCluster.name } }],
    },
  },
  static_resources: { clusters: [pilotCluster] },
};
