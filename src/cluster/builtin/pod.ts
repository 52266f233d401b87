/** v1 Pod: its defaults, and what `kubectl get pods` says of it. */
import type { KubeObject } from '../../api/kubernetes.ts';
import type { StoredObject } from '../resource-type.ts';
import { ageOf } from '../table.ts';
import { age, column, wide } from './columns.ts';
import type { JsonObject } from './defaulting.ts';
import { isJsonObject, isList } from './defaulting.ts';
import type { Kind } from './kind.ts';
import { podSpecOfPod } from './pod-defaults.ts';
import { validatePod } from './pod-validation.ts';

interface ContainerState {
  readonly waiting?: { readonly reason?: string };
  readonly running?: object;
  readonly terminated?: {
    readonly reason?: string;
    readonly signal?: number;
    readonly exitCode?: number;
    readonly finishedAt?: string;
  };
}

interface ContainerStatus {
  readonly name?: string;
  readonly ready?: boolean;
  readonly started?: boolean;
  readonly restartCount?: number;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}

interface Pod extends KubeObject {
  readonly spec?: {
    readonly nodeName?: string;
    readonly containers?: readonly { readonly name?: string }[];
    readonly initContainers?: readonly {
      readonly name?: string;
      readonly restartPolicy?: string;
    }[];
    readonly readinessGates?: readonly { readonly conditionType?: string }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly podIPs?: readonly { readonly ip?: string }[];
    readonly nominatedNodeName?: string;
    readonly conditions?: readonly {
      readonly type?: string;
      readonly status?: string;
      readonly reason?: string;
    }[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

interface Summary {
  readonly ready: string;
  readonly status: string;
  readonly restarts: number;
  readonly lastRestart: string;
}

const hasCondition = ({ status }: Pod, type: string): boolean =>
  (status?.conditions ?? []).some((it) => it.type === type && it.status === 'True');

const finishedAt = ({ lastState }: ContainerStatus): string =>
  lastState?.terminated?.finishedAt ?? '';

const later = (one: string, other: string): string => (one > other ? one : other);

/** Init containers that go on beside the others. */
const sidecarsOf = ({ spec }: Pod): ReadonlySet<string> =>
  new Set(
    (spec?.initContainers ?? []).flatMap(({ name = '', restartPolicy }) =>
      restartPolicy === 'Always' ? [name] : [],
    ),
  );

function summaryOf(pod: Pod): Summary {
  const sidecars = sidecarsOf(pod);
  const total = (pod.spec?.containers ?? []).length + sidecars.size;
  const first = initSummary(pod, sidecars);
  const isStarting = first.status !== undefined && !hasCondition(pod, 'Initialized');
  const main = isStarting ? undefined : mainSummary(pod, first.status ?? phaseOf(pod));
  const ready = first.ready + (main?.ready ?? 0);
  const restarts = main === undefined ? first.restarts : first.sidecarRestarts + main.restarts;
  return {
    ready: `${ready}/${total}`,
    status: endingOf(pod) ?? main?.status ?? first.status ?? '',
    restarts,
    lastRestart:
      main === undefined ? first.lastRestart : later(first.lastSidecarRestart, main.lastRestart),
  };
}

function phaseOf({ status }: Pod): string {
  const { phase = '', reason = '', conditions = [] } = status ?? {};
  const isGated = conditions.some(
    (it) => it.type === 'PodScheduled' && it.reason === 'SchedulingGated',
  );
  if (isGated) return 'SchedulingGated';
  return reason === '' ? phase : reason;
}

function endingOf({ metadata, status }: Pod): string | undefined {
  const { phase, reason } = status ?? {};
  if (metadata.deletionTimestamp === undefined) return undefined;
  if (reason === 'NodeLost') return 'Unknown';
  return phase === 'Succeeded' || phase === 'Failed' ? undefined : 'Terminating';
}

interface InitSummary {
  /** Undefined where all of them are through. */
  readonly status: string | undefined;
  readonly ready: number;
  readonly restarts: number;
  readonly lastRestart: string;
  readonly sidecarRestarts: number;
  readonly lastSidecarRestart: string;
}

function initSummary(pod: Pod, sidecars: ReadonlySet<string>): InitSummary {
  let found = {
    ready: 0,
    restarts: 0,
    lastRestart: '',
    sidecarRestarts: 0,
    lastSidecarRestart: '',
  };
  const { initContainerStatuses = [] } = pod.status ?? {};
  for (const [index, container] of initContainerStatuses.entries()) {
    const isSidecar = sidecars.has(container.name ?? '');
    const { restartCount = 0 } = container;
    found = {
      ...found,
      restarts: found.restarts + restartCount,
      lastRestart: later(found.lastRestart, finishedAt(container)),
      ...(isSidecar && {
        sidecarRestarts: found.sidecarRestarts + restartCount,
        lastSidecarRestart: later(found.lastSidecarRestart, finishedAt(container)),
      }),
    };
    const { terminated, waiting } = container.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (isSidecar && container.started === true) {
      if (container.ready === true) found = { ...found, ready: found.ready + 1 };
      continue;
    }
    const { reason = '' } = waiting ?? {};
    const count = (pod.spec?.initContainers ?? []).length;
    const status =
      terminated === undefined
        ? reason !== '' && reason !== 'PodInitializing'
          ? reason
          : `${index}/${count}`
        : terminationOf(terminated);
    return { ...found, status: `Init:${status}` };
  }
  return { ...found, status: undefined };
}

type Termination = NonNullable<ContainerState['terminated']>;

function terminationOf({ reason = '', signal = 0, exitCode = 0 }: Termination): string {
  if (reason !== '') return reason;
  return signal === 0 ? `ExitCode:${exitCode}` : `Signal:${signal}`;
}

function mainSummary(
  pod: Pod,
  phase: string,
): { readonly status: string; ready: number; restarts: number; lastRestart: string } {
  let status = phase;
  let failure = '';
  let ready = 0;
  let restarts = 0;
  let lastRestart = '';
  for (const container of (pod.status?.containerStatuses ?? []).toReversed()) {
    const { restartCount = 0, state = {} } = container;
    restarts += restartCount;
    lastRestart = later(lastRestart, finishedAt(container));
    const { waiting, terminated, running } = state;
    if (waiting?.reason !== undefined && waiting.reason !== '') {
      status = waiting.reason;
    } else if (terminated !== undefined) {
      status = terminationOf(terminated);
      if ((terminated.exitCode ?? 0) !== 0) failure = status;
    } else if (container.ready === true && running !== undefined) {
      ready += 1;
    }
  }
  if (status === 'Completed') {
    const isRunning = ready > 0;
    if (isRunning && hasCondition(pod, 'Ready')) status = 'Running';
    else if (failure !== '') status = failure;
    else if (isRunning) status = 'NotReady';
  }
  return { status, ready, restarts, lastRestart };
}

function restartsText(pod: Pod, nowMs: number): string {
  const { restarts, lastRestart } = summaryOf(pod);
  if (restarts === 0 || lastRestart === '') return String(restarts);
  return `${restarts} (${ageOf(lastRestart, nowMs)} ago)`;
}

function readinessGates(pod: Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  const open = gates.filter(({ conditionType = '' }) => hasCondition(pod, conditionType));
  return `${open.length}/${gates.length}`;
}

/** What admission plugins of every API server add: an account, and patience with broken nodes. */
const tolerations = ['not-ready', 'unreachable'].map((taint) => ({
  key: `node.kubernetes.io/${taint}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 300,
}));

function tolerant(spec: JsonObject): JsonObject {
  const given = isList(spec['tolerations']) ? spec['tolerations'] : [];
  const added = tolerations.filter(
    ({ key }) => !given.some((it) => isJsonObject(it) && (it['key'] ?? key) === key),
  );
  return added.length === 0 ? spec : { ...spec, tolerations: [...given, ...added] };
}

function admitted(given: JsonObject): JsonObject {
  const spec = tolerant(given);
  const account = spec['serviceAccountName'] ?? 'default';
  return {
    ...spec,
    serviceAccountName: account,
    serviceAccount: account,
    priority: spec['priority'] ?? 0,
    preemptionPolicy: spec['preemptionPolicy'] ?? 'PreemptLowerPriority',
  };
}

const resourcesOf = (spec: JsonObject): readonly JsonObject[] =>
  ['containers', 'initContainers']
    .flatMap((field) => (isList(spec[field]) ? spec[field] : []))
    .map((it) => (isJsonObject(it) && isJsonObject(it['resources']) ? it['resources'] : {}));

/** By the requests and limits of CPU and memory: Guaranteed, Burstable or BestEffort. */
function qosClassOf(spec: JsonObject): string {
  const all = resourcesOf(spec).map(({ requests, limits }) => ({
    requests: isJsonObject(requests) ? requests : {},
    limits: isJsonObject(limits) ? limits : {},
  }));
  const names = ['cpu', 'memory'];
  const isBare = all.every(({ requests, limits }) =>
    names.every((it) => requests[it] === undefined && limits[it] === undefined),
  );
  if (isBare) return 'BestEffort';
  const isFixed = all.every(({ requests, limits }) =>
    names.every((it) => limits[it] !== undefined && requests[it] === limits[it]),
  );
  return isFixed ? 'Guaranteed' : 'Burstable';
}

export const podKind: Kind = {
  definition: 'io.k8s.api.core.v1.Pod',
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  hasStatus: true,
  selectableFields: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  columns: [
    column<Pod>('Ready', (pod) => summaryOf(pod).ready),
    column<Pod>('Status', (pod) => summaryOf(pod).status),
    column<Pod>('Restarts', restartsText),
    age,
    column<Pod>('IP', ({ status }) => status?.podIPs?.[0]?.ip ?? '<none>', wide),
    column<Pod>('Node', ({ spec }) => spec?.nodeName ?? '<none>', wide),
    column<Pod>('Nominated Node', ({ status }) => status?.nominatedNodeName ?? '<none>', wide),
    column<Pod>('Readiness Gates', readinessGates, wide),
  ],
  defaults: { spec: podSpecOfPod },
  validate: validatePod,
  prepare: (object: StoredObject, before: StoredObject | undefined) => {
    if (!isJsonObject(object.spec) || before?.spec === object.spec) return object;
    if (before !== undefined) {
      const spec = tolerant(object.spec);
      return spec === object.spec ? object : { ...object, spec };
    }
    const spec = admitted(object.spec);
    return { ...object, spec, status: { phase: 'Pending', qosClass: qosClassOf(spec) } };
  },
};
