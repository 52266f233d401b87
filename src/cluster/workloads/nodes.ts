/** The nodes of the cluster: always ready, with room for everybody. */
import type { Clock } from '../../kube/clock.ts';
import type { Log } from '../../kube/log.ts';
import type { ControllerApi } from '../controller-api.ts';
import { timestamp } from '../metadata.ts';
import type { Node } from './kinds.ts';
import { nodes } from './kinds.ts';

export interface NodesOptions {
  readonly api: ControllerApi;
  readonly clock: Clock;
  readonly log: Log;
  readonly names: readonly string[];
}

/** Of all nodes: there is but one machine. */
export const hostIP = '10.0.0.1';

const kubeletVersion = 'v1.36.3';
const room = { cpu: '64', memory: '256Gi', pods: '10000' };

/** Begins to add them; those that cannot be added are told of. */
export function addNodes({ api, clock, log, names }: NodesOptions): void {
  const add = async (name: string): Promise<void> => {
    const made = await api.create(nodes, nodeOf(name));
    await api.update(nodes, { ...made, status: statusOf(name, clock.now()) }, 'status');
  };
  for (const name of names) {
    add(name).catch((error: unknown) => {
      log.error({ node: name, error: String(error) }, 'a node was not added');
    });
  }
}

const nodeOf = (name: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name,
    labels: {
      'kubernetes.io/arch': 'amd64',
      'kubernetes.io/hostname': name,
      'kubernetes.io/os': 'linux',
    },
  },
});

function statusOf(name: string, nowMs: number): NonNullable<Node['status']> {
  const time = timestamp(nowMs);
  return {
    capacity: room,
    allocatable: room,
    addresses: [
      { type: 'InternalIP', address: hostIP },
      { type: 'Hostname', address: name },
    ],
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'KubeletReady',
        message: 'pods do as their plans say',
        lastHeartbeatTime: time,
        lastTransitionTime: time,
      },
    ],
    nodeInfo: {
      kubeletVersion,
      kubeProxyVersion: '',
      containerRuntimeVersion: 'none://0',
      osImage: 'Aviary',
      operatingSystem: 'linux',
      architecture: 'amd64',
      kernelVersion: '0',
      machineID: '',
      systemUUID: '',
      bootID: '',
    },
  };
}
