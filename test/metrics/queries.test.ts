/** Built-in queries: the texts of `spec/03`, 1.5 as they go over the wire, and who gets which (1.4). */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Canary } from '../../src/api/canary.ts';
import { builtInQuery, metricsProviderOf } from '../../src/metrics/queries.ts';
import { renderQuery } from '../../src/metrics/template.ts';

const model = {
  name: 'cd',
  namespace: 'test',
  target: 'app',
  service: 'web',
  ingress: 'ing',
  route: 'rt',
  interval: '1m',
  variables: {},
};

function wireText(
  provider: string,
  metric: 'request-success-rate' | 'request-duration',
  kind?: string,
): string {
  const rendered = renderQuery(builtInQuery(provider, metric, kind).query, model);
  assert.ok(rendered.ok);
  return rendered.text;
}

const workload =
  'reporter="destination", destination_workload_namespace="test", destination_workload=~"app"';
const pods = 'kubernetes_namespace="test", kubernetes_pod_name=~"app-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)"';
const inbound = 'namespace="test", deployment=~"app"';
const osm = 'destination_namespace="test", destination_kind="Deployment", destination_name="app"';
const nginx = 'namespace="test", ingress="ing", canary!=""';
const route = 'route=~"test_rt-web-canary_.+"';
const traefik = 'service=~"test-web-canary-[0-9a-zA-Z-]+@kubernetescrd"';
const skipper = 'route=~"kube(ew)?_test__ing_canary__.*__web_canary(_[0-9]+)?"';
const envoyOf = (selector: string): [string, string] => [
  ` sum( rate( envoy_cluster_upstream_rq{ ${selector}, envoy_response_code!~"5.*" }[1m] ) ) / sum( rate( envoy_cluster_upstream_rq{ ${selector}, }[1m] ) ) * 100`,
  ` histogram_quantile( 0.99, sum( rate( envoy_cluster_upstream_rq_time_bucket{ ${selector}, }[1m] ) ) by (le) )`,
];

/** Success rate, then duration. */
const texts: Record<string, [string, string]> = {
  istio: [
    ` sum( rate( istio_requests_total{ ${workload}, response_code!~"5.*" }[1m] ) ) / sum( rate( istio_requests_total{ ${workload} }[1m] ) ) * 100`,
    ` histogram_quantile( 0.99, sum( rate( istio_request_duration_milliseconds_bucket{ ${workload} }[1m] ) ) by (le) )`,
  ],
  kubernetes: [
    ` sum( rate( http_request_duration_seconds_count{ ${pods}, status!~"5.*" }[1m] ) ) / sum( rate( http_request_duration_seconds_count{ ${pods} }[1m] ) ) * 100`,
    ` histogram_quantile( 0.99, sum( rate( http_request_duration_seconds_bucket{ ${pods} }[1m] ) ) by (le) )`,
  ],
  appmesh: [
    ` sum( rate( envoy_cluster_upstream_rq{ ${pods}, envoy_response_code!~"5.*" }[1m] ) ) / sum( rate( envoy_cluster_upstream_rq{ ${pods} }[1m] ) ) * 100`,
    ` histogram_quantile( 0.99, sum( rate( envoy_cluster_upstream_rq_time_bucket{ ${pods} }[1m] ) ) by (le) )`,
  ],
  contour: envoyOf('envoy_cluster_name=~"test_web-canary_[0-9a-zA-Z-]+"'),
  gloo: envoyOf('envoy_cluster_name=~"test-web-canaryupstream-[0-9a-zA-Z-]+_[0-9a-zA-Z-]+"'),
  kuma: envoyOf('service=~"web-canary_test_svc_[0-9a-zA-Z-]+"'),
  knative: envoyOf('envoy_cluster_name=~"test/rt"'),
  linkerd: [
    ` sum( rate( response_total{ ${inbound}, classification!="failure", direction="inbound" }[1m] ) ) / sum( rate( response_total{ ${inbound}, direction="inbound" }[1m] ) ) * 100`,
    ` histogram_quantile( 0.99, sum( rate( response_latency_ms_bucket{ ${inbound}, direction="inbound" }[1m] ) ) by (le) )`,
  ],
  osm: [
    ` sum( rate( osm_request_total{ ${osm}, response_code!~"5.*" }[1m] ) ) / sum( rate( osm_request_total{ ${osm} }[1m] ) ) * 100`,
    ` histogram_quantile( 0.99, sum( rate( osm_request_duration_ms_bucket{ ${osm} }[1m] ) ) by (le) )`,
  ],
  nginx: [
    ` sum( rate( nginx_ingress_controller_requests{ ${nginx}, status!~"5.*" }[1m] ) ) / sum( rate( nginx_ingress_controller_requests{ ${nginx} }[1m] ) ) * 100`,
    ` sum( rate( nginx_ingress_controller_response_duration_seconds_sum{ ${nginx} }[1m] ) ) / sum( rate( nginx_ingress_controller_response_duration_seconds_count{ ${nginx} }[1m] ) ) * 1000`,
  ],
  apisix: [
    ` sum( rate( apisix_http_status{ ${route}, code!~"5.." }[1m] ) ) / sum( rate( apisix_http_status{ ${route} }[1m] ) ) * 100`,
    ` histogram_quantile( 0.99, sum( rate( apisix_http_latency_bucket{ type=~"request", ${route} }[1m] ) ) by (le) )`,
  ],
  traefik: [
    ` sum( rate( traefik_service_request_duration_seconds_bucket{ ${traefik}, code!~"5..", le="+Inf" }[1m] ) ) / sum( rate( traefik_service_request_duration_seconds_bucket{ ${traefik}, le="+Inf" }[1m] ) ) * 100`,
    ` histogram_quantile( 0.99, sum( rate( traefik_service_request_duration_seconds_bucket{ ${traefik} }[1m] ) ) by (le) ) * 1000`,
  ],
  skipper: [
    ` sum(rate(skipper_response_duration_seconds_bucket{${skipper},code!~"5..",le="+Inf"}[1m])) / sum(rate(skipper_response_duration_seconds_bucket{${skipper},le="+Inf"}[1m])) * 100`,
    ` sum(rate(skipper_serve_route_duration_seconds_sum{${skipper}}[1m])) / sum(rate(skipper_serve_route_duration_seconds_count{${skipper}}[1m])) * 1000`,
  ],
};

suite('what is asked', () => {
  for (const [provider, [successRate, duration]] of Object.entries(texts)) {
    test(`of ${provider}`, () => {
      assert.equal(wireText(provider, 'request-success-rate'), successRate);
      assert.equal(wireText(provider, 'request-duration'), duration);
    });
  }

  test('of the pods of a DaemonSet, which have one segment, so that its primary has no part (M-02)', () => {
    const text = wireText('kubernetes', 'request-success-rate', 'DaemonSet');
    const pattern = /kubernetes_pod_name=~"([^"]+)"/.exec(text)?.[1];
    assert.ok(pattern !== undefined);
    const selects = (pod: string): boolean => new RegExp(`^(?:${pattern})$`).test(pod);
    assert.deepEqual(['app-x7k2p', 'app-primary-x7k2p', 'app-5d9c-x7k2p'].map(selects), [
      true,
      false,
      false,
    ]);
  });
});

for (const provider of ['gloo', 'kuma', 'traefik', 'apisix']) {
  test(`${provider} is asked by the Service where its name is not that of the target (M-03, R15)`, () => {
    for (const metric of ['request-success-rate', 'request-duration'] as const) {
      const text = wireText(provider, metric);
      assert.match(text, /web/);
      assert.doesNotMatch(text, /app/);
    }
  });
}

suite('who is asked', () => {
  const rows: Record<string, string> = {
    '': 'istio',
    istio: 'istio',
    'istio:service': 'istio',
    'smi:linkerd': 'istio',
    crossover: 'istio',
    'appmesh:v1beta2': 'appmesh',
    'gloo:v1': 'gloo',
    'gatewayapi:v1': 'kubernetes',
    'gatewayapi:v1:service': 'kubernetes',
    'kubernetes:service': 'kubernetes',
    'linkerd:service': 'linkerd',
    'nginx:service': 'nginx',
    nginxx: 'istio',
    'osm:service': 'osm',
  };
  for (const [provider, asked] of Object.entries(rows)) {
    test(`'${provider}' is measured as ${asked} (M-01)`, () => {
      assert.equal(wireText(provider, 'request-success-rate'), texts[asked]?.[0]);
    });
  }

  test('only the generic application metrics are in seconds', () => {
    const inSeconds = [...Object.keys(texts), 'gatewayapi:v1'].filter(
      (provider) => builtInQuery(provider, 'request-duration').factor === 1000,
    );
    assert.deepEqual(inSeconds, ['kubernetes', 'gatewayapi:v1']);
  });
});

suite('the metrics provider of a canary', () => {
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'app' };
  const service = { apiVersion: 'v1', kind: 'Service', name: 'app' };
  const knative = { ...service, apiVersion: 'serving.knative.dev/v1' };
  const cases: Record<string, [string | undefined, string, Canary['spec']['targetRef'], string]> = {
    'is the global one': [undefined, 'istio', deployment, 'istio'],
    'is its own': ['nginx', 'istio', deployment, 'nginx'],
    'is the global one where its own is empty': ['', 'istio', deployment, 'istio'],
    'is linkerd where that is the global one': ['gatewayapi:v1', 'linkerd', deployment, 'linkerd'],
    'keeps an old global linkerd': [undefined, 'smi:linkerd', deployment, 'smi:linkerd'],
    'is crossover': [undefined, 'smi:crossover', deployment, 'crossover'],
    'says that the target is a Service': [undefined, 'istio', service, 'istio:service'],
    'does not say it of Knative': ['knative', 'istio', knative, 'knative'],
  };
  for (const [name, [own, global, targetRef, expected]] of Object.entries(cases)) {
    test(name, () => {
      const spec = { targetRef, ...(own === undefined ? {} : { provider: own }) };
      const canary: Canary = {
        apiVersion: 'flagger.app/v1beta1',
        kind: 'Canary',
        metadata: { name: 'app', namespace: 'test' },
        spec,
      };
      assert.equal(metricsProviderOf(canary, global), expected);
    });
  }
});
