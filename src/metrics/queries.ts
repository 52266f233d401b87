/**
 * The built-in queries: one row for each way that traffic is measured (`spec/03`, 1.4 and 1.5).
 * A row gives the two series and how a canary's are selected; the queries are made of them.
 */

export type BuiltInMetric = 'request-success-rate' | 'request-duration';

export const builtInMetrics: readonly BuiltInMetric[] = [
  'request-success-rate',
  'request-duration',
];

export const isBuiltIn = (name: string): name is BuiltInMetric =>
  builtInMetrics.some((metric) => metric === name);

export interface BuiltInQuery {
  /** A query template. */
  readonly query: string;
  /** Makes the unit of the result: percent, or milliseconds. */
  readonly factor: number;
}

interface Observer {
  readonly requests: string;
  readonly selector: string;
  /** Excludes failed requests. */
  readonly good: string;
  /** A histogram of latencies. */
  readonly latency: { readonly series: string; readonly unit: 's' | 'ms' };
}

const pods =
  'kubernetes_namespace="{{ namespace }}", kubernetes_pod_name=~"{{ target }}-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)"';
const not5xx = (label: string): string => `${label}!~"5.*"`;

const istio: Observer = {
  requests: 'istio_requests_total',
  selector:
    'reporter="destination", destination_workload_namespace="{{ namespace }}", destination_workload=~"{{ target }}"',
  good: not5xx('response_code'),
  latency: { series: 'istio_request_duration_milliseconds', unit: 'ms' },
};

const http: Observer = {
  requests: 'http_request_duration_seconds_count',
  selector: pods,
  good: not5xx('status'),
  latency: { series: 'http_request_duration_seconds', unit: 's' },
};

/** Query set by metrics provider; what is not named here is measured as Istio does. */
const observers: Readonly<Record<string, Observer>> = { istio, kubernetes: http };

/** The query of a built-in metric for a metrics provider (`spec/03`, 1.3). */
export function builtInQuery(provider: string, metric: BuiltInMetric): BuiltInQuery {
  // A Service as the target changes nothing about how its mesh measures (M-01).
  const name = provider.replace(/:service$/, '');
  const observer = observers[name] ?? istio;
  return metric === 'request-success-rate' ? successRate(observer) : duration(observer);
}

function successRate({ requests, selector, good }: Observer): BuiltInQuery {
  const rate = (selected: string): string =>
    ` sum( rate( ${requests}{ ${selected} }[{{ interval }}] ) )`;
  return { query: `${rate(`${selector}, ${good}`)} /${rate(selector)} * 100`, factor: 1 };
}

/** The 99th percentile. */
function duration({ latency, selector }: Observer): BuiltInQuery {
  const rate = `sum( rate( ${latency.series}_bucket{ ${selector} }[{{ interval }}] ) )`;
  return {
    query: ` histogram_quantile( 0.99, ${rate} by (le) )`,
    factor: latency.unit === 's' ? 1000 : 1,
  };
}
