/**
 * The application of the tests under real traffic: what runs in each pod. Serves on the pod's own
 * address, says in headers which pod of which revision answered, and counts as web frameworks do.
 *
 * SIGTERM: takes no new connection, finishes what it has begun, ends.
 */
import { createServer } from 'node:http';

const {
  POD_IP: host,
  HOSTNAME: pod = '',
  REVISION: revision = '',
  FAILING: failing = '0',
} = process.env;
/** Not a port that Envoy takes on every address, those of the pods among them. */
const port = 3000;
/** Share of requests that fail. */
const failingRatio = Number(failing);
/** As long as an application of some use needs. */
const workMs = 5;

const bucketsSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1] as const;

interface Series {
  count: number;
  sumSeconds: number;
  readonly buckets: number[];
}

const seriesByStatus = new Map<number, Series>();

function count(status: number, seconds: number): void {
  const zeros = bucketsSeconds.map(() => 0);
  const series = seriesByStatus.get(status) ?? { count: 0, sumSeconds: 0, buckets: zeros };
  seriesByStatus.set(status, series);
  series.count += 1;
  series.sumSeconds += seconds;
  bucketsSeconds.forEach((bound, index) => {
    if (seconds <= bound) series.buckets[index] = (series.buckets[index] ?? 0) + 1;
  });
}

function exposition(): string {
  const name = 'http_request_duration_seconds';
  const lines = [`# TYPE ${name} histogram`];
  for (const [status, series] of seriesByStatus) {
    const label = `status="${status}"`;
    bucketsSeconds.forEach((bound, index) => {
      lines.push(`${name}_bucket{${label},le="${bound}"} ${series.buckets[index] ?? 0}`);
    });
    lines.push(`${name}_bucket{${label},le="+Inf"} ${series.count}`);
    lines.push(
      `${name}_sum{${label}} ${series.sumSeconds}`,
      `${name}_count{${label}} ${series.count}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

const server = createServer((request, response) => {
  response.setHeader('x-revision', revision);
  response.setHeader('x-pod', pod);
  if (request.url === '/healthz') {
    response.end('ok\n');
    return;
  }
  if (request.url === '/metrics') {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(exposition());
    return;
  }
  const startedMs = performance.now();
  setTimeout(() => {
    response.statusCode = Math.random() < failingRatio ? 500 : 200;
    response.end(`${revision}\n`);
    count(response.statusCode, (performance.now() - startedMs) / 1000);
  }, workMs);
});

server.keepAliveTimeout = 120_000;
server.listen(port, host);
process.once('SIGTERM', () => {
  server.close(() => process.exit(0));
  // `close` ends the connections that are idle now, but not those that become so.
  setInterval(() => server.closeIdleConnections(), 50);
});
