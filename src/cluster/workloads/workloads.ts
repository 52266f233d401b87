/**
 * The controllers that a cluster brings along: what users write becomes pods, endpoints and, at its
 * end, nothing. Each works on its own queue; none waits for another.
 */
import type { Clock } from '../../kube/clock.ts';
import type { Log } from '../../kube/log.ts';
import type { ControllerApi } from '../controller-api.ts';
import type { Utilisation } from './autoscalers.ts';
import { autoscalerController } from './autoscalers.ts';
import { daemonSetController } from './daemon-sets.ts';
import { deploymentController } from './deployments.ts';
import { endpointSliceController } from './endpoint-slices.ts';
import { expireEvents } from './event-expiry.ts';
import { garbageCollector } from './garbage.ts';
import type { Pod, ReplicaSet } from './kinds.ts';
import { namespaceController } from './namespaces.ts';
import { addNodes } from './nodes.ts';
import { indexObjects } from './object-index.ts';
import { indexOwned } from './owned-index.ts';
import type { PlanPod } from './pods.ts';
import { createAddresses, podController } from './pods.ts';
import type { EventRecorder } from './recorder.ts';
import { createRecorder, recordNothing } from './recorder.ts';
import { replicaSetController } from './replica-sets.ts';
import { createScheduler } from './scheduler.ts';
import type { Controller } from './work-queue.ts';
import { runController } from './work-queue.ts';

export interface WorkloadOptions {
  /** How pods fare; ready after a second where absent. */
  readonly plan?: PlanPod;
  /** Names of the nodes; one where absent. */
  readonly nodes?: readonly string[];
  /** What autoscalers measure; nothing where absent. */
  readonly utilisation?: Utilisation;
  /** Whether namespaces get what every namespace has; they do where absent. */
  readonly isFurnished?: boolean;
  /** Whether controllers record Events of what they do; they do where absent. */
  readonly isTold?: boolean;
}

interface Surroundings extends WorkloadOptions {
  readonly api: ControllerApi;
  readonly clock: Clock;
  readonly log: Log;
}

const readyMsDefault = 1_000;

/** Answers how to stop. */
export function startWorkloads(options: Surroundings): () => void {
  const { api, clock, log, plan = () => ({ readyMs: readyMsDefault }), isTold = true } = options;
  const index = indexObjects(api);
  const podsOf = indexOwned<Pod>(api, 'pods');
  const setsOf = indexOwned<ReplicaSet>(api, 'replicasets.apps');
  const scheduler = createScheduler(api);
  const recorderOf = (component: string): EventRecorder =>
    isTold ? createRecorder({ api, clock, log, component }) : recordNothing;
  const controllers: readonly Controller[] = [
    podController({
      api,
      clock,
      plan,
      scheduler,
      addresses: createAddresses(),
      record: recorderOf('kubelet'),
    }),
    replicaSetController({
      api,
      clock,
      podsOf,
      scheduler,
      record: recorderOf('replicaset-controller'),
    }),
    deploymentController({
      api,
      clock,
      podsOf,
      setsOf,
      record: recorderOf('deployment-controller'),
    }),
    daemonSetController({ api, clock, podsOf, record: recorderOf('daemonset-controller') }),
    endpointSliceController(api),
    autoscalerController({
      api,
      clock,
      utilisation: options.utilisation,
      record: recorderOf('horizontal-pod-autoscaler'),
    }),
    garbageCollector(api, index),
    namespaceController({ api, clock, index, isFurnished: options.isFurnished ?? true }),
  ];
  const running = controllers.map((it) => runController(it, { api, clock, log }));
  const stopEvents = expireEvents({ api, clock, log });
  addNodes({ api, clock, log, names: options.nodes ?? ['node-1'] });
  return () => {
    stopEvents();
    for (const it of running) it.stop();
  };
}
