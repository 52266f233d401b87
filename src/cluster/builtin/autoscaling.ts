/** Kinds of autoscaling. Rules: Kubernetes, `pkg/apis/autoscaling/v2/defaults.go`. */
import type { Json, KubeObject } from '../../api/kubernetes.ts';
import { age, column } from './columns.ts';
import type { StoredObject } from '../resource-type.ts';
import { badRequest } from '../status-error.ts';
import type { JsonObject, Rule } from './defaulting.ts';
import { fill, inside, isJsonObject, isList, objectOf, objectsIn } from './defaulting.ts';
import type { Kind } from './kind.ts';
import { validateAutoscaler } from './other-validation.ts';

interface MetricValue {
  readonly value?: string;
  readonly averageValue?: string;
  readonly averageUtilization?: number;
}

interface Metric {
  readonly name?: string;
  readonly target?: MetricValue;
  readonly current?: MetricValue;
}

interface MetricSpec {
  readonly type?: string;
  readonly resource?: Metric;
  readonly containerResource?: Metric;
  readonly pods?: Metric;
  readonly object?: Metric;
  readonly external?: Metric;
}

interface Autoscaler extends KubeObject {
  readonly spec?: {
    readonly scaleTargetRef?: { readonly kind?: string; readonly name?: string };
    readonly minReplicas?: number;
    readonly maxReplicas?: number;
    readonly metrics?: readonly MetricSpec[];
    readonly targetCPUUtilizationPercentage?: number;
  };
  readonly status?: {
    readonly currentReplicas?: number;
    readonly currentMetrics?: readonly MetricSpec[] | null;
    readonly currentCPUUtilizationPercentage?: number;
  };
}

const sourceOf = (metric: MetricSpec | undefined): Metric => {
  const { resource, containerResource, pods, object, external } = metric ?? {};
  return resource ?? containerResource ?? pods ?? object ?? external ?? {};
};

function metricText(spec: MetricSpec, found: MetricSpec | undefined): string {
  const { name = '', target = {} } = sourceOf(spec);
  const { current = {} } = sourceOf(found);
  const percent = (value: number | undefined): string | undefined =>
    value === undefined ? undefined : `${value}%`;
  const { type = '' } = spec;
  switch (type) {
    case 'Resource':
    case 'ContainerResource':
      return target.averageValue === undefined
        ? `${name}: ${percent(current.averageUtilization) ?? '<unknown>'}/${percent(target.averageUtilization) ?? '<auto>'}`
        : `${name}: ${current.averageValue ?? '<unknown>'}/${target.averageValue}`;
    case 'Pods':
      return `${current.averageValue ?? '<unknown>'}/${target.averageValue ?? ''}`;
    case 'Object':
    case 'External':
      return target.averageValue === undefined
        ? `${current.value ?? '<unknown>'}/${target.value ?? ''}`
        : `${current.averageValue ?? '<unknown>'}/${target.averageValue} (avg)`;
    default:
      return '<unknown type>';
  }
}

const metricsShownMax = 2;

function targetsOf({ spec, status }: Autoscaler): string {
  const { metrics = versionOneMetrics(spec) } = spec ?? {};
  const found = status?.currentMetrics ?? versionOneStatus(status);
  if (metrics.length === 0) return '<none>';
  const texts = metrics.map((metric, index) => metricText(metric, found[index]));
  const more = texts.length - metricsShownMax;
  const shown = texts.slice(0, metricsShownMax).join(', ');
  return more > 0 ? `${shown} + ${more} more...` : shown;
}

function versionOneMetrics(spec: Autoscaler['spec']): readonly MetricSpec[] {
  const { targetCPUUtilizationPercentage: averageUtilization } = spec ?? {};
  if (averageUtilization === undefined) return [];
  return [{ type: 'Resource', resource: { name: 'cpu', target: { averageUtilization } } }];
}

function versionOneStatus(status: Autoscaler['status']): readonly MetricSpec[] {
  const { currentCPUUtilizationPercentage: averageUtilization } = status ?? {};
  if (averageUtilization === undefined) return [];
  return [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization } } }];
}

/** Percent of what the containers ask for. */
const cpuUtilizationDefault = 80;

const metrics: Json = [
  {
    type: 'Resource',
    resource: {
      name: 'cpu',
      target: { type: 'Utilization', averageUtilization: cpuUtilizationDefault },
    },
  },
];

const percentPolicy: Json = { type: 'Percent', value: 100, periodSeconds: 15 };
const podsPolicy: Json = { type: 'Pods', value: 4, periodSeconds: 15 };

const scaling =
  (defaults: Readonly<Record<string, Json>>): Rule =>
  (value) => {
    if (!isJsonObject(value)) return defaults;
    const isWhole = Object.keys(defaults).every((it) => value[it] !== undefined);
    return isWhole ? value : { ...defaults, ...value };
  };

const behavior = inside({
  scaleUp: scaling({
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [podsPolicy, percentPolicy],
  }),
  scaleDown: scaling({ selectPolicy: 'Max', policies: [percentPolicy] }),
});

const autoscaler = {
  group: 'autoscaling',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  validate: validateAutoscaler,
  shortNames: ['hpa'],
  categories: ['all'],
  hasStatus: true,
  hasGeneration: false,
  columns: [
    column<Autoscaler>('Reference', ({ spec }) => {
      const { kind = '', name = '' } = spec?.scaleTargetRef ?? {};
      return `${kind}/${name}`;
    }),
    column<Autoscaler>('Targets', targetsOf),
    column<Autoscaler>('MinPods', ({ spec }) => String(spec?.minReplicas ?? '<unset>')),
    column<Autoscaler>('MaxPods', ({ spec }) => spec?.maxReplicas ?? 0),
    column<Autoscaler>('Replicas', ({ status }) => status?.currentReplicas ?? 0),
    age,
  ],
} as const;

/** Version 1 knows one metric; what else version 2 has travels in annotations. */
const annotation = (field: string): string => `autoscaling.alpha.kubernetes.io/${field}`;
const carried = ['metrics', 'behavior'];

const isCpuTarget = (metric: JsonObject): boolean => {
  const { name, target } = objectOf(metric['resource']);
  return (
    metric['type'] === 'Resource' && name === 'cpu' && objectOf(target)['type'] === 'Utilization'
  );
};

function inVersion1(object: StoredObject): StoredObject {
  const { metrics, behavior, ...spec } = objectOf(object.spec);
  const { currentMetrics, ...status } = objectOf(object.status);
  const all = objectsIn(metrics);
  const cpu = all.find(isCpuTarget);
  const { averageUtilization } = objectOf(objectOf(objectOf(cpu)['resource'])['target']);
  const current = objectsIn(currentMetrics).find(
    (it) => objectOf(it['resource'])['name'] === 'cpu',
  );
  const found = objectOf(objectOf(objectOf(current)['resource'])['current'])['averageUtilization'];
  const others = all.filter((it) => it !== cpu);
  const annotations = {
    ...object.metadata.annotations,
    ...(others.length > 0 && { [annotation('metrics')]: JSON.stringify(others) }),
    ...(behavior !== undefined && { [annotation('behavior')]: JSON.stringify(behavior) }),
  };
  return {
    ...object,
    apiVersion: 'autoscaling/v1',
    metadata: { ...object.metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec: {
      ...spec,
      ...(averageUtilization !== undefined && {
        targetCPUUtilizationPercentage: averageUtilization,
      }),
    },
    status: { ...status, ...(found !== undefined && { currentCPUUtilizationPercentage: found }) },
  };
}

function inVersion2(object: StoredObject): StoredObject {
  const { targetCPUUtilizationPercentage: cpu, ...spec } = objectOf(object.spec);
  const { currentCPUUtilizationPercentage: current, ...status } = objectOf(object.status);
  const { annotations = {} } = object.metadata;
  const kept = Object.entries(annotations).filter(
    ([name]) => !carried.some((it) => name === annotation(it)),
  );
  const others = parsed(annotations[annotation('metrics')]);
  const metrics: Json = [
    ...(cpu === undefined ? [] : [cpuMetric('target', { type: 'Utilization' }, cpu)]),
    ...(isList(others) ? others : []),
  ];
  const behavior = parsed(annotations[annotation('behavior')]);
  const { annotations: _, ...metadata } = object.metadata;
  return {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata: { ...metadata, ...(kept.length > 0 && { annotations: Object.fromEntries(kept) }) },
    spec: { ...spec, metrics, ...(behavior !== undefined && { behavior }) },
    status: {
      ...status,
      currentMetrics: current === undefined ? null : [cpuMetric('current', {}, current)],
    },
  };
}

const cpuMetric = (field: string, value: JsonObject, averageUtilization: Json): Json => ({
  type: 'Resource',
  resource: { name: 'cpu', [field]: { ...value, averageUtilization } },
});

/** Of an annotation that anybody may have written. */
function parsed(text: string | undefined): Json | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw badRequest(`not JSON: ${text}`);
  }
}

export const autoscalingKinds = (): readonly Kind[] => [
  {
    ...autoscaler,
    definition: 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler',
    version: 'v2',
    defaults: { spec: inside({ minReplicas: fill(1), metrics: fill(metrics), behavior }) },
  },
  {
    ...autoscaler,
    definition: 'io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler',
    version: 'v1',
    storage: {
      groupResource: 'horizontalpodautoscalers.autoscaling',
      toStored: inVersion2,
      fromStored: inVersion1,
    },
    defaults: {
      spec: inside({
        minReplicas: fill(1),
        targetCPUUtilizationPercentage: fill(cpuUtilizationDefault),
      }),
    },
  },
];
