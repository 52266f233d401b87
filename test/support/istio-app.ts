/** An application under traffic, as Istio's proxies report it: counters that grow with the clock. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface IstioApp {
  /** HOST:PORT, for a scrape configuration. */
  readonly address: string;
  /** Share of requests that fail from now on. */
  failing(ratio: number): void;
  close(): Promise<void>;
}

const requestsPerSecond = 50;

export async function startIstioApp(namespace: string, workload: string): Promise<IstioApp> {
  let ratio = 0;
  let countedMs = performance.now();
  const totals = { good: 0, bad: 0 };
  const count = (): void => {
    const nowMs = performance.now();
    const requests = ((nowMs - countedMs) / 1000) * requestsPerSecond;
    countedMs = nowMs;
    totals.good += requests * (1 - ratio);
    totals.bad += requests * ratio;
  };
  const labels = `reporter="destination",destination_workload_namespace="${namespace}",destination_workload="${workload}"`;
  const server = createServer((_, response) => {
    count();
    const all = totals.good + totals.bad;
    const bucket = (le: string, value: number): string =>
      `istio_request_duration_milliseconds_bucket{${labels},le="${le}"} ${value}`;
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(
      [
        '# TYPE istio_requests_total counter',
        `istio_requests_total{${labels},response_code="200"} ${totals.good}`,
        `istio_requests_total{${labels},response_code="500"} ${totals.bad}`,
        '# TYPE istio_request_duration_milliseconds histogram',
        bucket('50', all * 0.9),
        bucket('100', all),
        bucket('+Inf', all),
        '',
      ].join('\n'),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    failing: (share) => {
      count();
      ratio = share;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
