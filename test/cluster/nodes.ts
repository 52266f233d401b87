/** Fake nodes, large enough that what tests create always fits, on which KWOK plays the kubelet. */

const allocatable = { cpu: '10k', memory: '100Ti', 'ephemeral-storage': '100Ti', pods: '50000' };

/** The most that the address ranges below have room for. */
export const nodesMax = 64;

/** Node number `index`, from 0: ready as soon as it is created. */
export function fakeNode(index: number): object {
  const name = `node-${index}`;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
      },
    },
    // KWOK takes the addresses of pods from here; outside of the range of the Services.
    spec: { podCIDR: `10.${128 + index}.0.0/16`, podCIDRs: [`10.${128 + index}.0.0/16`] },
    status: {
      allocatable,
      capacity: allocatable,
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }],
      addresses: [{ type: 'InternalIP', address: `10.127.0.${index + 1}` }],
    },
  };
}
