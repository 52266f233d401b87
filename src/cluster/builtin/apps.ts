/** Kinds of apps/v1. Rules: Kubernetes, `pkg/apis/apps/v1/defaults.go`. */
import type { KubeObject } from '../../api/kubernetes.ts';
import type { Column } from '../resource-type.ts';
import {
  age,
  column,
  containerImages,
  containerNames,
  integer,
  selector,
  shownLabels,
} from './columns.ts';
import { fill, filled, inside, when } from './defaulting.ts';
import type { Rule } from './defaulting.ts';
import type { Kind } from './kind.ts';
import { podTemplate } from './pod-defaults.ts';

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
  'Number of the pod with ready state',
  ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
);

const deployment = (template: Rule): Kind => ({
  ...apps,
  definition: definition('Deployment'),
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  scale,
  columns: [
    ready,
    column<Workload>('Up-to-date', '', ({ status }) => status?.updatedReplicas ?? 0),
    column<Workload>('Available', '', ({ status }) => status?.availableReplicas ?? 0),
    age,
    containerNames,
    containerImages,
    selector(''),
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
  column<Workload>(name, '', (object) => cell(object) ?? 0, integer);

const replicaSet = (template: Rule): Kind => ({
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
    selector(''),
  ],
  defaults: { spec: inside({ replicas: fill(1), template }) },
  firstStatus: { replicas: 0 },
});

const daemonSet = (template: Rule): Kind => ({
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
    column<Workload>('Node Selector', '', ({ spec }) =>
      shownLabels(spec?.template?.spec?.nodeSelector),
    ),
    age,
    containerNames,
    containerImages,
    selector(''),
  ],
  defaults: {
    spec: inside({
      template,
      updateStrategy: rollingUpdate({ maxUnavailable: fill(1), maxSurge: fill(0) }),
      revisionHistoryLimit: fill(10),
    }),
  },
  firstStatus: {
    currentNumberScheduled: 0,
    numberMisscheduled: 0,
    desiredNumberScheduled: 0,
    numberReady: 0,
  },
});

export function appsKinds(): readonly Kind[] {
  const template = podTemplate();
  return [deployment(template), replicaSet(template), daemonSet(template)];
}
