/**
 * A pod of a DaemonSet for one node: bound to it, and content with whatever is wrong with it. Pure.
 * Rules: k8s.io/kubernetes, `pkg/controller/daemon/util/daemonset_util.go`.
 */
import { daemonHashLabel } from './daemon-placement.ts';
import type { DaemonSet, Pod } from './kinds.ts';
import { controlledBy } from './kinds.ts';

const generationAnnotation = 'deprecated.daemonset.template.generation';
const generationLabel = 'pod-template-generation';

const conditions = ['disk-pressure', 'memory-pressure', 'pid-pressure', 'unschedulable'];

const tolerations = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  ...conditions.map((name) => ({
    key: `node.kubernetes.io/${name}`,
    operator: 'Exists',
    effect: 'NoSchedule',
  })),
];

export function daemonPod(
  set: DaemonSet,
  { hash, node }: { readonly hash: string; readonly node: string },
): Pod {
  const { template } = set.spec;
  const { namespace = '', name, annotations } = set.metadata;
  const generation = annotations?.[generationAnnotation];
  const spec = template.spec as Pod['spec'] & { readonly tolerations?: readonly object[] };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...template.metadata,
      labels: {
        ...template.metadata?.labels,
        [daemonHashLabel]: hash,
        ...(generation !== undefined && { [generationLabel]: generation }),
      },
      name: '',
      generateName: `${name}-`,
      namespace,
      ownerReferences: [controlledBy(set)],
    },
    spec: {
      ...spec,
      affinity: { ...spec.affinity, nodeAffinity: only(node) },
      tolerations: [...(spec.tolerations ?? []), ...tolerations],
      nodeName: node,
    } as Pod['spec'],
  };
}

const only = (node: string): object => ({
  requiredDuringSchedulingIgnoredDuringExecution: {
    nodeSelectorTerms: [
      { matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] },
    ],
  },
});
