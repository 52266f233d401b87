/** v1 Node. */
import type { KubeObject } from '../../api/kubernetes.ts';
import { age, column, wide } from './columns.ts';
import { isJsonObject } from './defaulting.ts';
import type { Kind } from './kind.ts';

interface Node extends KubeObject {
  readonly spec?: { readonly unschedulable?: boolean };
  readonly status?: {
    readonly conditions?: readonly { readonly type?: string; readonly status?: string }[];
    readonly addresses?: readonly { readonly type?: string; readonly address?: string }[];
    readonly nodeInfo?: {
      readonly kubeletVersion?: string;
      readonly osImage?: string;
      readonly kernelVersion?: string;
      readonly containerRuntimeVersion?: string;
      readonly architecture?: string;
    };
  };
}

const rolePrefix = 'node-role.kubernetes.io/';
const roleLabel = 'kubernetes.io/role';

function statusOf({ spec, status }: Node): string {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const state = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return spec?.unschedulable === true ? `${state},SchedulingDisabled` : state;
}

function rolesOf({ metadata: { labels = {} } }: Node): string {
  const roles = Object.entries(labels).flatMap(([key, value]) => {
    if (key.startsWith(rolePrefix)) return [key.slice(rolePrefix.length)];
    return key === roleLabel ? [value] : [];
  });
  const found = [...new Set(roles)].filter((it) => it !== '').toSorted();
  return found.length === 0 ? '<none>' : found.join(',');
}

const addressOf = ({ status }: Node, wanted: string): string =>
  status?.addresses?.find(({ type }) => type === wanted)?.address ?? '<none>';

const orUnknown = (text: string | undefined): string =>
  text === undefined || text === '' ? '<unknown>' : text;

function kernelOf({ status }: Node): string {
  const { kernelVersion, architecture = '' } = status?.nodeInfo ?? {};
  return architecture === ''
    ? orUnknown(kernelVersion)
    : `${orUnknown(kernelVersion)} (${architecture})`;
}

export const nodeKind: Kind = {
  definition: 'io.k8s.api.core.v1.Node',
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  namespaced: false,
  hasStatus: true,
  hasGeneration: false,
  selectableFields: ['spec.unschedulable'],
  columns: [
    column<Node>('Status', statusOf),
    column<Node>('Roles', rolesOf),
    age,
    column<Node>('Version', ({ status }) => status?.nodeInfo?.kubeletVersion ?? ''),
    column<Node>('Internal-IP', (node) => addressOf(node, 'InternalIP'), wide),
    column<Node>('External-IP', (node) => addressOf(node, 'ExternalIP'), wide),
    column<Node>('OS-Image', ({ status }) => orUnknown(status?.nodeInfo?.osImage), wide),
    column<Node>('Kernel-Version', kernelOf, wide),
    column<Node>(
      'Container-Runtime',
      ({ status }) => orUnknown(status?.nodeInfo?.containerRuntimeVersion),
      wide,
    ),
  ],
  complete: (object) => {
    const { status } = object;
    if (!isJsonObject(status) || status['allocatable'] !== undefined) return object;
    const { capacity } = status;
    if (capacity === undefined) return object;
    return { ...object, status: { ...status, allocatable: capacity } };
  },
};
