/**
 * The controllers that a cluster brings along: what users write becomes pods, endpoints and, at its
 * end, nothing. Each works on its own queue; none waits for another.
 */
import type { Clock } from '../../kube/clock.ts';
import type { Log } from '../../kube/log.ts';
import { events } from '../../kube/resources.ts';
import type { ControllerApi } from '../controller-api.ts';
import type { Utilisation } from './autoscalers.ts';
import { autoscalerController } from './autoscalers.ts';
import { daemonSetController } from './daemon-sets.ts';
import { deploymentController } from './deployments.ts';
import { endpointSliceController } from './endpoint-slices.ts';
import { garbageCollector } from './garbage.ts';
import type { Pod, ReplicaSet } from './kinds.ts';
import { nodes } from './kinds.ts';
import { namespaceController } from './namespaces.ts';
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
/** As API servers keep events. */
const eventMs = 3_600_000;

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
  const stopEvents = expireEvents(api, clock);
  for (const name of options.nodes ?? ['node-1']) addNode(api, name);
  return () => {
    stopEvents();
    for (const it of running) it.stop();
  };
}

function addNode(api: ControllerApi, name: string): void {
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'KubeletReady',
    message: 'there is no kubelet',
  };
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
  };
  void api
    .create(nodes, node)
    .then((made) =>
      api.update(nodes, { ...made, status: { conditions: [ready] } } as never, 'status'),
    );
}

/** Events are told for an hour. */
function expireEvents(api: ControllerApi, clock: Clock): () => void {
  const told: { readonly atMs: number; readonly namespace: string; readonly name: string }[] = [];
  let cancel: (() => void) | undefined;
  const sweep = (): void => {
    cancel = undefined;
    const nowMs = clock.monotonic();
    for (let [first] = told; first !== undefined && first.atMs <= nowMs; [first] = told) {
      told.shift();
      api.delete(events, first).catch(() => undefined);
    }
    arm();
  };
  const arm = (): void => {
    const [first] = told;
    if (first !== undefined) cancel ??= clock.after(first.atMs - clock.monotonic(), sweep);
  };
  const unsubscribe = api.onChange(({ groupResource, before, after }) => {
    if (groupResource !== 'events' || before !== undefined || after === undefined) return;
    const { namespace = '', name } = after.metadata;
    told.push({ atMs: clock.monotonic() + eventMs, namespace, name });
    arm();
  });
  return () => {
    unsubscribe();
    cancel?.();
  };
}
