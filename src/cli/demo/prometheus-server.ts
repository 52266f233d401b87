/**
 * What the controller takes for Prometheus: its instant queries over HTTP on loopback, answered from
 * the synthetic traffic. It is asked what a rehearsal is asked, and knows no more.
 */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Canary } from '../../api/canary.ts';
import { createSyntheticPrometheus } from '../../rehearsal/synthetic-prometheus.ts';
import type { MetricOracle } from '../../rehearsal/synthetic-prometheus.ts';
import type { Traffic } from './traffic.ts';

export interface PrometheusServer {
  readonly url: string;
  close(): Promise<void>;
}

export interface PrometheusServerOptions {
  readonly canaries: () => readonly Canary[];
  readonly traffic: Pick<Traffic, 'measured'>;
  readonly nowMs: () => number;
}

const host = '127.0.0.1';

/** Listens on a free port of loopback. */
export async function servePrometheus(options: PrometheusServerOptions): Promise<PrometheusServer> {
  const prometheus = createSyntheticPrometheus({
    canaries: options.canaries,
    template: () => undefined,
    meshProvider: 'istio',
    oracle: oracleOf(options.traffic),
    nowMs: options.nowMs,
  });
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', `http://${host}`);
    const { status, body } = prometheus.respond(url);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://${host}:${port}`, close: () => close(server) };
}

/** What the target's pods did, as the traffic has it; nothing is known of a user's own queries. */
function oracleOf(traffic: Pick<Traffic, 'measured'>): MetricOracle {
  return ({ canary, asks, windowMs }) => {
    if (asks.kind === 'Own') return 'none';
    const measured = traffic.measured(canary.spec.targetRef.name, windowMs);
    const isRate = asks.metric === 'request-success-rate';
    return (isRate ? measured.successRate : measured.latencyMs) ?? 'none';
  };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
