/**
 * The built-in queries: one row for each way in which traffic is measured, and which row a canary's
 * metrics provider selects (`spec/03`, 1.3 to 1.5).
 *
 * The texts are the reference's to the byte, but for what it got wrong: the pods of DaemonSets
 * (M-02), and routes that are named after the service, not the target (M-03).
 */
import type { Canary } from '../api/canary.ts';

export type BuiltInMetric = 'request-success-rate' | 'request-duration';

export const isBuiltIn = (name: string): name is BuiltInMetric =>
  name === 'request-success-rate' || name === 'request-duration';

export interface BuiltInQuery {
  /** A query template. */
  readonly query: string;
  /** Makes the unit of the result: percent, or milliseconds. */
  readonly factor: number;
  /** Whether names in the series hold only letters, digits and `_`: all else of them is `_`. */
  readonly namesAreWords: boolean;
  /** Whether a failure is told without the words `running query failed`. */
  readonly failsPlainly: boolean;
}

/** The 99th percentile, or the mean where the series has no histogram of use. */
interface Observer {
  readonly successRate: string;
  readonly duration: string;
  readonly durationUnit: 's' | 'ms';
  readonly namesAreWords?: boolean;
  readonly successRateFailsPlainly?: boolean;
}

const sum = (series: string, selector: string): string =>
  `sum( rate( ${series}{ ${selector} }[{{ interval }}] ) )`;

/** The good among all, in percent. */
const share = (series: string, good: string, all: string): string =>
  ` ${sum(series, good)} / ${sum(series, all)} * 100`;

const percentile99 = (series: string, selector: string): string =>
  ` histogram_quantile( 0.99, ${sum(series, selector).replace(/\)$/, ') by (le)')} )`;

/** Envoy as most meshes run it. The comma before the brace is the reference's, and legal. */
const envoy = (selector: string): Observer => ({
  successRate: share(
    'envoy_cluster_upstream_rq',
    `${selector}, envoy_response_code!~"5.*"`,
    `${selector},`,
  ),
  duration: percentile99('envoy_cluster_upstream_rq_time_bucket', `${selector},`),
  durationUnit: 'ms',
});

/** Pods of a Deployment have two segments after its name, pods of a DaemonSet have one. */
const podsByKind = (kind: string): string => {
  const segments = kind === 'DaemonSet' ? '-[0-9a-zA-Z]+' : '-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)';
  return `kubernetes_namespace="{{ namespace }}", kubernetes_pod_name=~"{{ target }}${segments}"`;
};

const workload =
  'reporter="destination", destination_workload_namespace="{{ namespace }}", ' +
  'destination_workload=~"{{ target }}"';
const inbound = (more: string): string =>
  `namespace="{{ namespace }}", deployment=~"{{ target }}", ${more}direction="inbound"`;
const osmWorkload =
  'destination_namespace="{{ namespace }}", destination_kind="Deployment", ' +
  'destination_name="{{ target }}"';
const ingress = 'namespace="{{ namespace }}", ingress="{{ ingress }}", canary!=""';
const apisixRoute = 'route=~"{{ namespace }}_{{ route }}-{{ service }}-canary_.+"';
const traefikService =
  'service=~"{{ namespace }}-{{ service }}-canary-[0-9a-zA-Z-]+@kubernetescrd"';
const skipperRoute =
  'route=~"kube(ew)?_{{ namespace }}__{{ ingress }}_canary__.*__{{ service }}_canary(_[0-9]+)?"';
/** As `sum`, in the spacing of Skipper's queries. */
const skipperSum = (series: string, more = ''): string =>
  `sum(rate(skipper_${series}{${skipperRoute}${more}}[{{ interval }}]))`;

const istio: Observer = {
  successRate: share('istio_requests_total', `${workload}, response_code!~"5.*"`, workload),
  duration: percentile99('istio_request_duration_milliseconds_bucket', workload),
  durationUnit: 'ms',
};

const http = (kind: string): Observer => ({
  successRate: share(
    'http_request_duration_seconds_count',
    `${podsByKind(kind)}, status!~"5.*"`,
    podsByKind(kind),
  ),
  duration: percentile99('http_request_duration_seconds_bucket', podsByKind(kind)),
  durationUnit: 's',
  successRateFailsPlainly: true,
});

const appMesh = (kind: string): Observer => ({
  successRate: share(
    'envoy_cluster_upstream_rq',
    `${podsByKind(kind)}, envoy_response_code!~"5.*"`,
    podsByKind(kind),
  ),
  duration: percentile99('envoy_cluster_upstream_rq_time_bucket', podsByKind(kind)),
  durationUnit: 'ms',
});

const linkerd: Observer = {
  successRate: share('response_total', inbound('classification!="failure", '), inbound('')),
  duration: percentile99('response_latency_ms_bucket', inbound('')),
  durationUnit: 'ms',
};

const osm: Observer = {
  successRate: share('osm_request_total', `${osmWorkload}, response_code!~"5.*"`, osmWorkload),
  duration: percentile99('osm_request_duration_ms_bucket', osmWorkload),
  durationUnit: 'ms',
};

const nginx: Observer = {
  successRate: share('nginx_ingress_controller_requests', `${ingress}, status!~"5.*"`, ingress),
  duration:
    ` ${sum('nginx_ingress_controller_response_duration_seconds_sum', ingress)}` +
    ` / ${sum('nginx_ingress_controller_response_duration_seconds_count', ingress)} * 1000`,
  durationUnit: 'ms',
};

const apisix: Observer = {
  successRate: share('apisix_http_status', `${apisixRoute}, code!~"5.."`, apisixRoute),
  duration: percentile99('apisix_http_latency_bucket', `type=~"request", ${apisixRoute}`),
  durationUnit: 'ms',
};

const traefik: Observer = {
  successRate: share(
    'traefik_service_request_duration_seconds_bucket',
    `${traefikService}, code!~"5..", le="+Inf"`,
    `${traefikService}, le="+Inf"`,
  ),
  duration: `${percentile99('traefik_service_request_duration_seconds_bucket', traefikService)} * 1000`,
  durationUnit: 'ms',
};

const skipper: Observer = {
  successRate:
    ` ${skipperSum('response_duration_seconds_bucket', ',code!~"5..",le="+Inf"')}` +
    ` / ${skipperSum('response_duration_seconds_bucket', ',le="+Inf"')} * 100`,
  duration:
    ` ${skipperSum('serve_route_duration_seconds_sum')}` +
    ` / ${skipperSum('serve_route_duration_seconds_count')} * 1000`,
  durationUnit: 'ms',
  namesAreWords: true,
};

interface Row {
  /** Names of metrics providers; one that ends in `*` stands for all that begin so. */
  readonly provider: readonly string[];
  readonly observer: (targetKind: string) => Observer;
}

/** The first row that fits a provider's name; what fits none is measured as Istio does. */
const rows: readonly Row[] = [
  { provider: ['appmesh*'], observer: appMesh },
  { provider: ['linkerd'], observer: () => linkerd },
  { provider: ['istio'], observer: () => istio },
  {
    provider: ['contour'],
    observer: () =>
      envoy('envoy_cluster_name=~"{{ namespace }}_{{ service }}-canary_[0-9a-zA-Z-]+"'),
  },
  {
    provider: ['gloo*'],
    observer: () =>
      envoy(
        'envoy_cluster_name=~' +
          '"{{ namespace }}-{{ service }}-canaryupstream-[0-9a-zA-Z-]+_[0-9a-zA-Z-]+"',
      ),
  },
  { provider: ['nginx'], observer: () => nginx },
  { provider: ['kubernetes', 'gatewayapi*'], observer: http },
  { provider: ['skipper'], observer: () => skipper },
  { provider: ['traefik'], observer: () => traefik },
  { provider: ['osm'], observer: () => osm },
  {
    provider: ['kuma'],
    observer: () => envoy('service=~"{{ service }}-canary_{{ namespace }}_svc_[0-9a-zA-Z-]+"'),
  },
  { provider: ['apisix'], observer: () => apisix },
  {
    provider: ['knative'],
    observer: () => envoy('envoy_cluster_name=~"{{ namespace }}/{{ route }}"'),
  },
];

/**
 * The metrics provider of a canary, as the message that there was no value names it. `global` is the
 * controller's own mesh provider.
 */
export function metricsProviderOf({ spec }: Canary, global: string): string {
  const { provider, targetRef } = spec;
  const inherited = global.includes('crossover') ? 'crossover' : global;
  const own = provider && (global.includes('linkerd') ? 'linkerd' : provider);
  const isService =
    targetRef.kind === 'Service' && targetRef.apiVersion !== 'serving.knative.dev/v1';
  return `${own || inherited}${isService ? ':service' : ''}`;
}

/** The query of a built-in metric for a metrics provider and the kind of the canary's target. */
export function builtInQuery(
  provider: string,
  metric: BuiltInMetric,
  targetKind = 'Deployment',
): BuiltInQuery {
  const observer = observerOf(provider)(targetKind);
  const namesAreWords = observer.namesAreWords === true;
  switch (metric) {
    case 'request-success-rate':
      return {
        query: observer.successRate,
        factor: 1,
        namesAreWords,
        failsPlainly: observer.successRateFailsPlainly === true,
      };
    case 'request-duration':
      return {
        query: observer.duration,
        factor: observer.durationUnit === 's' ? 1000 : 1,
        namesAreWords,
        failsPlainly: false,
      };
  }
}

function observerOf(provider: string): Row['observer'] {
  // A Service as the target changes nothing about how its mesh measures (M-01).
  const name = provider.replace(/:service$/, '');
  const fits = (pattern: string): boolean =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
  return rows.find((row) => row.provider.some(fits))?.observer ?? (() => istio);
}
