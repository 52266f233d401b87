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

const defaultPlan: PlanPod = () => ({ readyMs: 1_000 });

/** Sees what changes from now on: start it before anything is stored. Answers how to stop. */
export function startWorkloads(surroundings: Surroundings): () => void {
  const { clock, log } = surroundings;
  const stops: (() => void)[] = [];
  const onChange: ControllerApi['onChange'] = (listener) => {
    const stop = surroundings.api.onChange(listener);
    stops.push(stop);
    return stop;
  };
  const api = { ...surroundings.api, onChange };
  for (const controller of controllersOf({ ...surroundings, api })) {
    const running = runController(controller, { api, clock, log });
    stops.push(() => running.stop());
  }
  stops.push(expireEvents({ api, clock, log }));
  addNodes({ api, clock, log, names: surroundings.nodes ?? ['node-1'] });
  return () => {
    for (const stop of stops) stop();
  };
}

function controllersOf(surroundings: Surroundings): readonly Controller[] {
  const { api, clock, log, plan = defaultPlan, utilisation } = surroundings;
  const { isTold = true, isFurnished = true } = surroundings;
  const index = indexObjects(api);
  const podsOf = indexOwned<Pod>(api, 'pods');
  const setsOf = indexOwned<ReplicaSet>(api, 'replicasets.apps');
  const scheduler = createScheduler(api);
  const addresses = createAddresses();
  const as = (component: string) => ({
    api,
    clock,
    record: isTold ? createRecorder({ api, clock, log, component }) : recordNothing,
  });
  return [
    podController({ ...as('kubelet'), plan, scheduler, addresses }),
    replicaSetController({ ...as('replicaset-controller'), podsOf, scheduler }),
    deploymentController({ ...as('deployment-controller'), podsOf, setsOf }),
    daemonSetController({ ...as('daemonset-controller'), podsOf }),
    endpointSliceController(api),
    autoscalerController({ ...as('horizontal-pod-autoscaler'), utilisation }),
    garbageCollector(api, index),
    namespaceController({ api, clock, index, isFurnished }),
  ];
}
