/** The kinds that the cluster's own controllers work on, with the fields that they look at. */
import type {
  Condition,
  KubeObject,
  LabelSelector,
  OwnerReference,
  PodSpec,
  PodTemplateSpec,
  StringMap,
} from '../../api/kubernetes.ts';
import { resource } from '../../kube/resources.ts';
import { isRecord } from '../json.ts';

export interface Pod extends KubeObject {
  readonly spec: PodSpec & {
    readonly nodeName?: string;
    readonly nodeSelector?: StringMap;
    readonly terminationGracePeriodSeconds?: number;
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly hostIP?: string;
    readonly hostIPs?: readonly { readonly ip: string }[];
    readonly startTime?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export interface ContainerState {
  readonly running?: { readonly startedAt: string };
  readonly waiting?: { readonly reason: string; readonly message?: string };
  readonly terminated?: {
    readonly exitCode: number;
    readonly reason: string;
    readonly startedAt: string;
    readonly finishedAt: string;
    readonly containerID: string;
  };
}

export interface ContainerStatus {
  readonly name: string;
  readonly image: string;
  readonly imageID: string;
  readonly ready: boolean;
  readonly started: boolean;
  readonly restartCount: number;
  readonly containerID?: string;
  readonly state: ContainerState;
  readonly lastState: ContainerState;
}

export interface ReplicaSet extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly minReadySeconds?: number;
    readonly selector: LabelSelector;
    readonly template: PodTemplateSpec;
  };
  readonly status?: {
    readonly replicas?: number;
    readonly fullyLabeledReplicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
    readonly terminatingReplicas?: number;
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
  };
}

export interface DaemonSet extends KubeObject {
  readonly spec: {
    readonly selector: LabelSelector;
    readonly template: PodTemplateSpec;
    readonly minReadySeconds?: number;
    readonly revisionHistoryLimit?: number;
    readonly updateStrategy?: {
      readonly type?: string;
      readonly rollingUpdate?: {
        readonly maxUnavailable?: number | string;
        readonly maxSurge?: number | string;
      };
    };
  };
  readonly status?: object;
}

export interface ControllerRevision extends KubeObject {
  readonly revision: number;
  readonly data?: unknown;
}

export interface Node extends KubeObject {
  readonly spec?: { readonly unschedulable?: boolean };
  readonly status?: object;
}

export interface EndpointSlice extends KubeObject {
  readonly addressType: string;
  /** Null where there are none, as Go writes it. */
  readonly endpoints: readonly object[] | null;
  readonly ports: readonly object[] | null;
}

export const pods = resource<Pod>('v1', 'Pod', 'pods');
export const nodes = resource<Node>('v1', 'Node', 'nodes', 'Cluster');
export const serviceAccounts = resource<KubeObject>('v1', 'ServiceAccount', 'serviceaccounts');
export const replicaSets = resource<ReplicaSet>('apps/v1', 'ReplicaSet', 'replicasets');
export const daemonSets = resource<DaemonSet>('apps/v1', 'DaemonSet', 'daemonsets');
export const controllerRevisions = resource<ControllerRevision>(
  'apps/v1',
  'ControllerRevision',
  'controllerrevisions',
);
export const endpointSlices = resource<EndpointSlice>(
  'discovery.k8s.io/v1',
  'EndpointSlice',
  'endpointslices',
);

/** The reference of the object that manages another. */
export const controllerOf = ({ metadata }: KubeObject): OwnerReference | undefined =>
  metadata.ownerReferences?.find(({ controller }) => controller === true);

export const controlledBy = ({ apiVersion, kind, metadata }: KubeObject): OwnerReference => ({
  apiVersion,
  kind,
  name: metadata.name,
  uid: metadata.uid ?? '',
  controller: true,
  blockOwnerDeletion: true,
});

export const isGoing = ({ metadata }: KubeObject): boolean =>
  metadata.deletionTimestamp !== undefined;

/** Ended by itself, and started no more. */
export const isOver = ({ status }: Pod): boolean =>
  status?.phase === 'Succeeded' || status?.phase === 'Failed';

export function selects(selector: LabelSelector | undefined, labels: StringMap = {}): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const found = labels[key];
      switch (operator) {
        case 'In':
          return found !== undefined && values.includes(found);
        case 'NotIn':
          return found === undefined || !values.includes(found);
        case 'Exists':
          return found !== undefined;
        default:
          return found === undefined;
      }
    })
  );
}

/** A number, or a share of a whole in percent, rounded as told. */
export function shareOf(
  value: number | string | undefined,
  whole: number,
  round: (share: number) => number,
): number {
  if (typeof value === 'number') return value;
  return value === undefined ? 0 : round((Number.parseInt(value, 10) * whole) / 100);
}

/**
 * Tells templates apart. The API server completes what it stores, so equal templates are equal but
 * for the order of their fields. FNV-1a, in the letters that Kubernetes writes digits with; what it
 * is taken of differs from Kubernetes, so the names do, too.
 */
export function templateHash(template: PodTemplateSpec, collisions?: number): string {
  const text = `${JSON.stringify(template, inOrder)}${collisions ?? ''}`;
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return Array.from(String(hash >>> 0), (it) => '456789bcdf'[Number(it)] ?? '').join('');
}

/** A replacer: the fields of objects in alphabetical order. */
const inOrder = (_: string, value: unknown): unknown =>
  isRecord(value)
    ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
    : value;

export const podCondition = (pod: Pod, type: string): Condition | undefined =>
  pod.status?.conditions?.find((it) => it.type === type);

export const isReady = (pod: Pod): boolean => podCondition(pod, 'Ready')?.status === 'True';

/** Milliseconds until a pod counts as available; 0 if it does, undefined while it is not ready. */
export function availableInMs(
  pod: Pod,
  minReadySeconds: number,
  nowMs: number,
): number | undefined {
  const ready = podCondition(pod, 'Ready');
  if (ready?.status !== 'True') return undefined;
  const sinceMs = nowMs - Date.parse(ready.lastTransitionTime ?? '');
  return Math.max(0, minReadySeconds * 1000 - sinceMs);
}
