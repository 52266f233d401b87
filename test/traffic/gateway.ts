/** What carries users' requests: an Envoy, and the controller that drives it by what the cluster says. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Children } from '../cluster/children.ts';
import { superviseChildren } from '../cluster/children.ts';
import { until } from '../support/until.ts';
import type { TrafficProgram, TrafficPrograms } from './programs.ts';

export interface Gateway {
  /** Where users' requests arrive. */
  readonly address: string;
  readonly port: number;
  /** HOST:PORT of `/stats/prometheus`. */
  readonly stats: string;
  /** Rejects if one of its programs had ended by itself. */
  stop(): Promise<void>;
}

/** One kind of it. */
export interface GatewayKind {
  readonly name: string;
  /** Applied before it starts, in this order. */
  readonly crds: readonly TrafficProgram[];
  /** File of the objects that it serves, in `fixtures/`. */
  readonly fixture: string;
  /** Starts its programs, with all that they need in a directory of theirs. */
  start(children: Children, surroundings: Surroundings): Promise<void>;
}

export interface Surroundings {
  readonly programs: TrafficPrograms;
  readonly kubeconfig: string;
  readonly directory: string;
}

// In a network of its own every port is free.
export const loopback = '127.0.0.1';
export const xdsPort = 8001;
/** `/ready` and `/stats/prometheus` of Envoy. */
export const statsPort = 8002;
export const listenerPort = 8080;

/** Ready once Envoy has been told what to listen on. */
export async function startGateway(
  kind: GatewayKind,
  programs: TrafficPrograms,
  kubeconfig: string,
): Promise<Gateway> {
  const directory = await mkdtemp(join(tmpdir(), 'aviary-gateway-'));
  const children = superviseChildren(directory);
  const stats = `${loopback}:${statsPort}`;
  const stop = async (): Promise<void> => {
    const casualties = await children.casualties();
    await children.stop({ keepDirectory: false });
    if (casualties !== undefined) throw new Error(`ended before it was stopped: ${casualties}`);
  };
  try {
    await kind.start(children, { programs, kubeconfig, directory });
    await until(`Envoy is driven by ${kind.name}`, async () => {
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

export interface EnvoyOptions {
  readonly program: string;
  /** Path of its configuration. */
  readonly bootstrap: string;
  /** What its controller knows it by. */
  readonly node: string;
}

/** One worker: what is measured is not how fast it is. */
export async function startEnvoy(
  children: Children,
  { program, bootstrap, node }: EnvoyOptions,
): Promise<void> {
  const flags = {
    'config-path': bootstrap,
    'service-cluster': 'traffic',
    'service-node': node,
    concurrency: '1',
    'log-level': 'warning',
  };
  const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
  await children.start('envoy', program, [...args, '--disable-hot-restart']);
}
