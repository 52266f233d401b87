/** What a pod's status says of its state, as kubelets write it. Pure. */
import type { Condition } from '../../api/kubernetes.ts';
import { timestamp } from '../metadata.ts';
import type { ContainerState, ContainerStatus, Pod } from './kinds.ts';
import { podCondition } from './kinds.ts';
import type { PodPlan, PodState } from './pod-plan.ts';
import { backOffMs } from './pod-plan.ts';

export interface Moment {
  readonly plan: PodPlan;
  readonly state: PodState;
  /** When the pod came, and now: milliseconds since the epoch. */
  readonly bornMs: number;
  readonly nowMs: number;
  readonly podIP: string;
  readonly hostIP: string;
}

export function podStatus(pod: Pod, moment: Moment): NonNullable<Pod['status']> {
  const { state, bornMs, podIP, hostIP } = moment;
  const names = pod.spec.containers.map(({ name }) => name).join(' ');
  const lack = {
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${names}]`,
  };
  const isReady = state.kind === 'Ready';
  const say = (type: string, holds: boolean): Condition =>
    dated(pod, moment, { type, status: holds ? 'True' : 'False', ...(holds ? {} : lack) });
  return {
    ...pod.status,
    phase: state.kind === 'Waiting' ? 'Pending' : 'Running',
    hostIP,
    hostIPs: [{ ip: hostIP }],
    podIP,
    podIPs: [{ ip: podIP }],
    startTime: pod.status?.startTime ?? timestamp(bornMs),
    conditions: [
      say('PodReadyToStartContainers', true),
      say('Initialized', true),
      say('Ready', isReady),
      say('ContainersReady', isReady),
      say('PodScheduled', true),
    ],
    containerStatuses: pod.spec.containers.map(({ name, image = '' }, at) =>
      containerStatus(pod, moment, { name, image, serial: at }),
    ),
  };
}

/** The status of a pod that no node takes. */
export function unscheduledStatus(pod: Pod, nowMs: number): NonNullable<Pod['status']> {
  const message = 'no node matches the node selector of the pod';
  const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
  return {
    ...pod.status,
    phase: 'Pending',
    conditions: [dated(pod, { nowMs }, condition as Condition)],
  };
}

/** The time is that of the last change. */
function dated(pod: Pod, { nowMs }: Pick<Moment, 'nowMs'>, condition: Condition): Condition {
  const known = podCondition(pod, condition.type);
  const time = timestamp(nowMs);
  const isSame = known?.status === condition.status;
  return { ...condition, lastTransitionTime: isSame ? (known.lastTransitionTime ?? time) : time };
}

interface ContainerOf {
  readonly name: string;
  readonly image: string;
  readonly serial: number;
}

function containerStatus(
  pod: Pod,
  moment: Moment,
  { name, image, serial }: ContainerOf,
): ContainerStatus {
  const { state, plan, bornMs } = moment;
  const { kind, restarts, crash } = state;
  const isReady = kind === 'Ready';
  const isRunning = isReady || kind === 'Running';
  const at = (ageMs: number): string => timestamp(bornMs + ageMs);
  const containerID = (run: number): string => containerIdOf(pod, serial, run);
  const lastState: ContainerState =
    crash === undefined
      ? {}
      : {
          terminated: {
            exitCode: 1,
            reason: 'Error',
            startedAt: at(crash.startedMs),
            finishedAt: at(crash.atMs),
            containerID: containerID(kind === 'BackOff' ? restarts : restarts - 1),
          },
        };
  return {
    name,
    image,
    imageID: kind === 'Waiting' ? '' : image,
    ...(kind !== 'Waiting' && { containerID: containerID(restarts) }),
    ready: isReady,
    started: isRunning,
    restartCount: restarts,
    state: isRunning
      ? { running: { startedAt: at(state.startedMs) } }
      : { waiting: waitingFor(pod, { name, image, state, plan }) },
    lastState,
  };
}

function waitingFor(
  { metadata }: Pod,
  of: Pick<ContainerOf, 'name' | 'image'> & Pick<Moment, 'state' | 'plan'>,
) {
  const { name, image, state, plan } = of;
  if (state.kind === 'BackOff') {
    const seconds = backOffMs(state.restarts + 1) / 1_000;
    const whose = `${metadata.name}_${metadata.namespace ?? ''}(${metadata.uid ?? ''})`;
    const message = `back-off ${goSeconds(seconds)} restarting failed container=${name} pod=${whose}`;
    return { reason: 'CrashLoopBackOff', message };
  }
  const { waitingReason: reason = 'ContainerCreating' } = plan;
  const pull = `Back-off pulling image "${image}"`;
  return reason === 'ImagePullBackOff' ? { reason, message: pull } : { reason };
}

/** As Go prints durations: `40s`, `2m40s`, `5m0s`. */
const goSeconds = (seconds: number): string =>
  seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;

/** 64 digits that are the same each time. */
function containerIdOf({ metadata }: Pod, serial: number, run: number): string {
  const digits = `${(metadata.uid ?? '').replaceAll('-', '')}${serial.toString(16)}${run.toString(16)}`;
  return `containerd://${digits.padStart(64, digits)}`;
}
