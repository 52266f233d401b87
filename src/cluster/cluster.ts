/**
 * The embedded cluster: an API server in memory, and the controllers that a rollout needs. On the
 * system's clock it serves kubectl; on a virtual one an hour of it takes a moment.
 *
 *   in-process.ts, http.ts ──> rest.ts ──> api-server.ts ──> object-store.ts
 *                                               ^                  │
 *                        workloads/, custom resources <── changes ─┘
 *
 * What it imitates is checked by one suite that a real API server passes, too
 * (`test/cluster/conformance`). It has no RBAC, no quotas, no kubelets and no network: pods become
 * ready because their plan says so.
 */
import type { Clock } from '../kube/clock.ts';
import type { Log } from '../kube/log.ts';
import { namespaces } from '../kube/resources.ts';
import type { Transport } from '../kube/transport.ts';
import { createAdmission } from './admission.ts';
import type { ApiServer } from './api-server.ts';
import { createApiServer } from './api-server.ts';
import { builtInTypes } from './builtin/types.ts';
import type { ControllerApi } from './controller-api.ts';
import { keepCustomResources } from './custom-resources.ts';
import { documents, leanDocuments } from './documents.ts';
import type { InProcessOptions } from './in-process.ts';
import { createInProcessTransport } from './in-process.ts';
import { createLocalApi } from './local-api.ts';
import type { ObjectStore } from './object-store.ts';
import { createObjectStore } from './object-store.ts';
import { createPresentation } from './presentation.ts';
import type { ResourceRegistry } from './registry.ts';
import { createResourceRegistry } from './registry.ts';
import type { ResourceType } from './resource-type.ts';
import type { Rest } from './rest.ts';
import { createRest } from './rest.ts';
import { createWebhookClient } from './webhook-client.ts';
import type { CallWebhook } from './webhooks.ts';
import type { WorkloadOptions } from './workloads/workloads.ts';
import { startWorkloads } from './workloads/workloads.ts';

export interface ClusterOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  /** Resources beside the built-in ones, from the start. */
  readonly types?: readonly ResourceType[];
  /** How reviews reach admission webhooks; over HTTPS where absent. */
  readonly callWebhook?: CallWebhook;
  /** Leaves out what only people look at: who owns which field, which fields are unknown. */
  readonly isLean?: boolean;
  /** How pods fare, what autoscalers measure; absent, nothing controls workloads here. */
  readonly workloads?: WorkloadOptions;
}

export interface Cluster {
  readonly store: ObjectStore;
  readonly registry: ResourceRegistry;
  readonly server: ApiServer;
  readonly rest: Rest;
  /** Everything may be done with it. */
  readonly api: ControllerApi;
  /** The way of a client in this process. */
  connect(client: Omit<InProcessOptions, 'clock'> & { readonly clock?: Clock }): Transport;
  /** Ends its controllers. */
  stop(): void;
}

/** Those that every cluster has. */
const ownNamespaces = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];

export function createCluster(options: ClusterOptions): Cluster {
  const { clock, random, log, types = [], isLean = false } = options;
  const client = createWebhookClient({ clock, resolveService: () => undefined });
  const call = options.callWebhook ?? client.call;
  const store = createObjectStore();
  const registry = createResourceRegistry([...builtInTypes(), ...types]);
  const server = createApiServer({
    clock,
    random,
    store,
    admission: createAdmission({ store, registry, call, random, log }),
    documents: isLean ? leanDocuments : documents,
  });
  const presentation = createPresentation(clock, registry);
  const rest = createRest({ clock, store, registry, server, presentation });
  const api = createLocalApi({ store, registry, server, name: 'kube-controller-manager' });
  const stops = [keepCustomResources({ api, registry, clock, log })];
  const { workloads } = options;
  if (workloads !== undefined) stops.push(startWorkloads({ api, clock, log, ...workloads }));
  for (const name of ownNamespaces) {
    void api.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  return {
    store,
    registry,
    server,
    rest,
    api,
    connect: (client) => createInProcessTransport(rest, { clock, ...client }),
    stop: () => {
      client.close();
      for (const stop of stops) stop();
    },
  };
}
