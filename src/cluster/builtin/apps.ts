/** Kinds of apps/v1, and ReplicationController. Rules: Kubernetes, `pkg/apis/apps/v1/defaults.go`. */
import type { KubeObject, StringMap } from '../../api/kubernetes.ts';
import type { Column, StoredObject } from '../resource-type.ts';
import {
  age,
  column,
  containerImages,
  containerNames,
  integer,
  selector,
  shownLabels,
  wide,
} from './columns.ts';
import { isEqual } from '../json.ts';
import { each, fill, filled, inside, isJsonObject, when } from './defaulting.ts';
import type { Rule } from './defaulting.ts';
import type { Kind } from './kind.ts';
import { persistentVolumeClaimSpec, podTemplate } from './pod-defaults.ts';
import { validateControllerRevision } from './other-validation.ts';
import type { TemplateValidation } from './pod-validation.ts';
import { createTemplateValidation } from './pod-validation.ts';
import {
  validateDaemonSet,
  validateDeployment,
  validateReplicaSet,
  validateReplicationController,
  validateStatefulSet,
} from './workload-validation.ts';

const apps = { group: 'apps', version: 'v1', hasStatus: true, categories: ['all'] } as const;
const definition = (kind: string): string => `io.k8s.api.apps.v1.${kind}`;

interface Workload extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: { readonly spec?: { readonly nodeSelector?: Record<string, string> } };
  };
  readonly status?: {
    readonly replicas?: number;
    readonly readyReplicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
    readonly desiredNumberScheduled?: number;
    readonly currentNumberScheduled?: number;
    readonly numberReady?: number;
    readonly updatedNumberScheduled?: number;
    readonly numberAvailable?: number;
  };
}

const scale = {
  specReplicas: '.spec.replicas',
  statusReplicas: '.status.replicas',
  labelSelector: '.spec.selector',
};

const rollingUpdate = (fields: Readonly<Record<string, Rule>>): Rule =>
  filled({
    type: fill('RollingUpdate'),
    rollingUpdate: when((strategy) => strategy['type'] === 'RollingUpdate', filled(fields)),
  });

const ready: Column = column<Workload>(
  'Ready',
  ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
);

const deployment = ({ template, templates }: Templates): Kind => ({
  validate: validateDeployment(templates),
  ...apps,
  definition: definition('Deployment'),
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  scale,
  columns: [
    ready,
    column<Workload>('Up-to-date', ({ status }) => status?.updatedReplicas ?? 0),
    column<Workload>('Available', ({ status }) => status?.availableReplicas ?? 0),
    age,
    containerNames,
    containerImages,
    selector,
  ],
  defaults: {
    spec: inside({
      replicas: fill(1),
      template,
      strategy: rollingUpdate({ maxUnavailable: fill('25%'), maxSurge: fill('25%') }),
      revisionHistoryLimit: fill(10),
      progressDeadlineSeconds: fill(600),
    }),
  },
});

const number = (name: string, cell: (object: Workload) => number | undefined): Column =>
  column<Workload>(name, (object) => cell(object) ?? 0, integer);

const replicaSet = ({ template, templates }: Templates): Kind => ({
  validate: validateReplicaSet(templates),
  ...apps,
  definition: definition('ReplicaSet'),
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  scale,
  selectableFields: ['status.replicas'],
  columns: [
    number('Desired', ({ spec }) => spec?.replicas),
    number('Current', ({ status }) => status?.replicas),
    number('Ready', ({ status }) => status?.readyReplicas),
    age,
    containerNames,
    containerImages,
    selector,
  ],
  defaults: { spec: inside({ replicas: fill(1), template }) },
});

const daemonSet = ({ template, templates }: Templates): Kind => ({
  validate: validateDaemonSet(templates),
  ...apps,
  definition: definition('DaemonSet'),
  kind: 'DaemonSet',
  plural: 'daemonsets',
  shortNames: ['ds'],
  columns: [
    number('Desired', ({ status }) => status?.desiredNumberScheduled),
    number('Current', ({ status }) => status?.currentNumberScheduled),
    number('Ready', ({ status }) => status?.numberReady),
    number('Up-to-date', ({ status }) => status?.updatedNumberScheduled),
    number('Available', ({ status }) => status?.numberAvailable),
    column<Workload>('Node Selector', ({ spec }) =>
      shownLabels(spec?.template?.spec?.nodeSelector),
    ),
    age,
    containerNames,
    containerImages,
    selector,
  ],
  defaults: {
    spec: inside({
      template,
      updateStrategy: rollingUpdate({ maxUnavailable: fill(1), maxSurge: fill(0) }),
      revisionHistoryLimit: fill(10),
    }),
  },
  prepare: withTemplateGeneration,
});

const templateGeneration = 'deprecated.daemonset.template.generation';

/** Counts the changes of the template, in an annotation that nobody else may write. */
function withTemplateGeneration(
  object: StoredObject,
  before: StoredObject | undefined,
): StoredObject {
  const templateOf = (it: StoredObject | undefined): unknown =>
    isJsonObject(it?.spec) ? it.spec['template'] : undefined;
  const old = Number(before?.metadata.annotations?.[templateGeneration] ?? 0);
  const isSame = before !== undefined && isEqual(templateOf(before), templateOf(object));
  const generation = String(isSame ? old : old + 1);
  const { annotations } = object.metadata;
  if (annotations?.[templateGeneration] === generation) return object;
  const metadata = {
    ...object.metadata,
    annotations: { ...annotations, [templateGeneration]: generation },
  };
  return { ...object, metadata };
}

const statefulSet = ({ template, templates }: Templates): Kind => ({
  validate: validateStatefulSet(templates),
  ...apps,
  definition: definition('StatefulSet'),
  kind: 'StatefulSet',
  plural: 'statefulsets',
  shortNames: ['sts'],
  scale,
  columns: [ready, age, containerNames, containerImages],
  defaults: {
    spec: inside({
      podManagementPolicy: fill('OrderedReady'),
      updateStrategy: statefulSetStrategy,
      persistentVolumeClaimRetentionPolicy: filled({
        whenDeleted: fill('Retain'),
        whenScaled: fill('Retain'),
      }),
      replicas: fill(1),
      revisionHistoryLimit: fill(10),
      template,
      volumeClaimTemplates: each(volumeClaimTemplate),
    }),
  },
});

/** As it is stored, a template says of what kind it is. */
const volumeClaimTemplate = inside({
  kind: fill('PersistentVolumeClaim'),
  apiVersion: fill('v1'),
  spec: persistentVolumeClaimSpec,
  status: filled({ phase: fill('Pending') }),
});

const statefulSetStrategy: Rule = (value, parent) => {
  const isGiven = isJsonObject(value) && value['type'] !== undefined;
  const partition = inside({ rollingUpdate: inside({ partition: fill(0) }) });
  if (isGiven) return value['type'] === 'RollingUpdate' ? partition(value, parent) : value;
  return partition({ rollingUpdate: {}, ...(value as object), type: 'RollingUpdate' }, parent);
};

interface ControllerRevision extends KubeObject {
  readonly revision?: number;
}

function controllerOf({ metadata: { ownerReferences = [] } }: KubeObject): string {
  const owner = ownerReferences.find(({ controller }) => controller === true);
  if (owner === undefined) return '<none>';
  const [group = ''] = owner.apiVersion.includes('/') ? owner.apiVersion.split('/') : [''];
  const kind = group === '' ? owner.kind : `${owner.kind}.${group}`;
  return `${kind.toLowerCase()}/${owner.name}`;
}

const controllerRevision: Kind = {
  group: 'apps',
  version: 'v1',
  definition: definition('ControllerRevision'),
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  validate: validateControllerRevision,
  columns: [
    column<ControllerRevision>('Controller', controllerOf),
    column<ControllerRevision>('Revision', ({ revision = 0 }) => revision),
    age,
  ],
};

/** Of the core group, and older than all of these. */
const replicationController = ({ template, templates }: Templates): Kind => ({
  validate: validateReplicationController(templates),
  definition: 'io.k8s.api.core.v1.ReplicationController',
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  shortNames: ['rc'],
  categories: ['all'],
  hasStatus: true,
  scale,
  selectableFields: ['status.replicas'],
  columns: [
    number('Desired', ({ spec }) => spec?.replicas),
    number('Current', ({ status }) => status?.replicas),
    number('Ready', ({ status }) => status?.readyReplicas),
    age,
    containerNames,
    containerImages,
    column<ReplicationController>('Selector', ({ spec }) => shownLabels(spec?.selector), wide),
  ],
  defaults: { spec: inside({ replicas: fill(1), template }) },
  complete: withLabelsOfTemplate,
});

interface ReplicationController extends KubeObject {
  readonly spec?: { readonly selector?: StringMap };
}

function withLabelsOfTemplate(object: StoredObject): StoredObject {
  const spec = isJsonObject(object.spec) ? object.spec : {};
  const template = isJsonObject(spec['template']) ? spec['template'] : {};
  const metadata = isJsonObject(template['metadata']) ? template['metadata'] : {};
  const labels = metadata['labels'];
  if (!isJsonObject(labels)) return object;
  let found = object;
  if (spec['selector'] === undefined) found = { ...found, spec: { ...spec, selector: labels } };
  if (Object.keys(object.metadata.labels ?? {}).length > 0) return found;
  return { ...found, metadata: { ...found.metadata, labels: labels as StringMap } };
}

interface Templates {
  readonly template: Rule;
  readonly templates: TemplateValidation;
}

export function appsKinds(): readonly Kind[] {
  const shared = { template: podTemplate(), templates: createTemplateValidation() };
  return [
    deployment(shared),
    replicaSet(shared),
    daemonSet(shared),
    statefulSet(shared),
    controllerRevision,
    replicationController(shared),
  ];
}
