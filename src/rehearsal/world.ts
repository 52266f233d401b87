/**
 * A world in virtual time: an embedded cluster, any number of processes of the controller on it, and
 * nothing real but the code. The same seed makes the same world.
 */
import {
  renderMutatingConfiguration,
  renderValidatingConfiguration,
} from '../admission/registration.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { createCluster } from '../cluster/cluster.ts';
import { openType } from '../cluster/open-type.ts';
import { createRandom } from '../cluster/random.ts';
import type { ResourceType } from '../cluster/resource-type.ts';
import { createVirtualClock } from '../cluster/virtual-clock.ts';
import type { CallWebhook } from '../cluster/webhooks.ts';
import type { WorkloadOptions } from '../cluster/workloads/workloads.ts';
import type { VirtualClock } from '../cluster/virtual-clock.ts';
import type { KubeObject, NamespacedName } from '../api/kubernetes.ts';
import type { Log } from '../kube/log.ts';
import type { Resource } from '../kube/resources.ts';
import {
  alertProviders,
  canaries,
  destinationRules,
  metricTemplates,
  mutatingWebhookConfigurations,
  namespaces,
  validatingWebhookConfigurations,
  virtualServices,
} from '../kube/resources.ts';
import type { Transport } from '../kube/transport.ts';
import { createTelemetry } from '../telemetry/metrics.ts';
import type { ControllerProcess, ProcessOptions } from './controller-process.ts';
import { controllerUser, startControllerProcess } from './controller-process.ts';

export interface WorldOptions {
  readonly seed: number | string;
  readonly log: Log;
  readonly clock?: VirtualClock;
  /** Resources that are there beside the built-in ones; by default those that canaries need. */
  readonly types?: readonly ResourceType[];
  /** How pods fare; absent, nothing controls workloads but who builds the world. */
  readonly workloads?: WorkloadOptions;
  /** Whether objects say who set their fields; false if absent, which is faster. */
  readonly keepsManagers?: boolean;
}

export interface StartOptions extends Partial<
  Pick<ProcessOptions, 'clock' | 'log' | 'telemetry' | 'settings' | 'isAlone' | 'answers'>
> {
  /** Unique in the world, ever. */
  readonly name: string;
  /** What goes wrong on the way to the API server. */
  readonly faults?: (transport: Transport) => Transport;
}

export interface World {
  readonly clock: VirtualClock;
  readonly cluster: Cluster;
  /** All that were ever started. */
  readonly processes: readonly ControllerProcess[];
  start(options: StartOptions): ControllerProcess;
  read<T extends KubeObject>(resource: Resource<T>, key: NamespacedName): T | undefined;
}

/** From the sending of a request to its answer: what a loopback takes. */
const answerMs = 2;

/** Whatever it leads to, some process of the world answers. */
const webhookAddress = { kind: 'Url', url: 'https://aviary.invalid' } as const;
const untilTheEnd = new AbortController().signal;

const defaultTypes = (): readonly ResourceType[] =>
  [canaries, metricTemplates, alertProviders, virtualServices, destinationRules].map(openType);

export async function createWorld(options: WorldOptions): Promise<World> {
  const { seed, log, clock = createVirtualClock(), types = defaultTypes() } = options;
  const cluster = createCluster({
    clock,
    log,
    random: createRandom(seed, 'cluster'),
    types,
    isLean: options.keepsManagers !== true,
    callWebhook: (client, review, timeoutMs) => ask(client, review, timeoutMs),
    ...(options.workloads !== undefined && { workloads: options.workloads }),
  });
  const processes: ControllerProcess[] = [];
  const ask: CallWebhook = async ({ url = '' }, review) => {
    await clock.sleep(answerMs / 2, untilTheEnd);
    const [alive] = processes.filter((it) => it.isAlive());
    if (alive === undefined) throw new Error('connect ECONNREFUSED');
    const { body } = alive.review(url.endsWith('/mutate') ? 'mutate' : 'validate', review);
    await clock.sleep(answerMs / 2, untilTheEnd);
    return body;
  };
  const metadata = { name: 'aviary-system' };
  await cluster.api.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata });
  const registration = { address: webhookAddress, user: controllerUser.username };
  await cluster.api.create(
    mutatingWebhookConfigurations,
    renderMutatingConfiguration(registration),
  );
  await cluster.api.create(
    validatingWebhookConfigurations,
    renderValidatingConfiguration(registration),
  );
  return {
    clock,
    cluster,
    processes,
    read: (resource, key) => cluster.api.get(resource, key),
    start: ({ name, faults = (it) => it, clock: own = clock, ...others }) => {
      const wire = cluster.connect({ user: controllerUser, userAgent: 'aviary', answerMs });
      const process = startControllerProcess({
        name,
        transport: faults(wire),
        clock: own,
        random: createRandom(seed, name),
        log,
        telemetry: createTelemetry({ version: 'rehearsal', meshProvider: 'istio' }),
        ...others,
      });
      processes.push(process);
      return process;
    },
  };
}
