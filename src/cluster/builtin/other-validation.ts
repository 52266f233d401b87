/**
 * What is wrong with an object of a small kind: what is missing, out of range, or may not change.
 * Rules: Kubernetes, `pkg/apis/<group>/validation/validation.go`; the essential part of them.
 */
import type { Json } from '../../api/kubernetes.ts';
import { isEqual } from '../json.ts';
import { qualifiedNameErrors } from '../metadata.ts';
import type { ResourceType, StoredObject } from '../resource-type.ts';
import { forbidden, required } from '../schema/field-errors.ts';
import type { JsonObject } from './defaulting.ts';
import { isJsonObject, isList, objectOf, objectsIn, textOf } from './defaulting.ts';
import type { Errors } from './field-errors.ts';
import {
  atMostAll,
  countOrPercent,
  immutable,
  invalidValue,
  none,
  notNegative,
  unsupported,
} from './field-errors.ts';
import { selectorErrors } from './label-selectors.ts';
import { validatingSpec } from './workload-validation.ts';

type Validate = ResourceType['validate'];

/** Where the two groups call the same fields by other names. */
interface EventFields {
  readonly object: string;
  readonly controller: string;
}

/** Events that say when they were made are the newer ones, and have to say more. */
function eventErrors(event: StoredObject, { object, controller }: EventFields): Errors {
  const { namespace = '' } = event.metadata;
  const about = textOf(objectOf(event[object])['namespace']);
  const isNew = textOf(event['eventTime']) !== '';
  const homes = isNew ? ['default', 'kube-system'] : ['default'];
  const isHome = about === '' ? homes.includes(namespace) : isNew || about === namespace;
  const missing = ['reportingInstance', 'action', 'reason'].filter(
    (it) => isNew && textOf(event[it]) === '',
  );
  return [
    ...(isHome
      ? none
      : [invalidValue('involvedObject.namespace', about, 'does not match event.namespace')]),
    ...(isNew ? controllerErrors(controller, textOf(event[controller])) : none),
    ...missing.map((it) => required(it)),
  ];
}

const controllerErrors = (field: string, name: string): Errors => [
  ...(name === '' ? [required(field)] : none),
  ...qualifiedNameErrors(field, name),
];

export const validateEvent: Validate = (event, before) =>
  event === before
    ? none
    : eventErrors(event, { object: 'involvedObject', controller: 'reportingComponent' });

export const validateNewEvent: Validate = (event, before) => {
  if (before !== undefined) return none;
  const type = textOf(event['type']);
  const isKnown = type === 'Normal' || type === 'Warning';
  return [
    ...eventErrors(event, { object: 'regarding', controller: 'reportingController' }),
    ...(textOf(event['eventTime']) === '' ? [required('eventTime')] : none),
    ...(isKnown ? none : [invalidValue('type', '', `has invalid value: ${type}`)]),
  ];
};

export const validateClaim = validatingSpec(({ accessModes, resources }) => {
  const { storage } = objectOf(objectOf(resources)['requests']);
  return [
    ...(isList(accessModes) && accessModes.length > 0
      ? none
      : [required('spec.accessModes', 'at least 1 access mode is required')]),
    ...(storage === undefined ? [required('spec.resources[storage]')] : none),
  ];
});

export const validateControllerRevision: Validate = (object, before) => {
  const revision = object['revision'] as Json | undefined;
  const isSame = before === undefined || isEqual(before['data'], object['data']);
  return [
    ...notNegative('revision', revision),
    ...(isSame ? dataErrors(object['data']) : none),
    ...(isSame ? none : [immutable('data', (object['data'] ?? null) as Json)]),
  ];
};

function dataErrors(data: unknown): Errors {
  if (data === undefined) return [required('data', 'data is mandatory')];
  return isJsonObject(data) ? none : [required('data', 'data must be a valid JSON object')];
}

export const validateAutoscaler = validatingSpec((spec) => {
  const { minReplicas = 1, maxReplicas = 0, metrics } = spec;
  const min = Number(minReplicas);
  const max = Number(maxReplicas);
  const field = 'spec.maxReplicas';
  return [
    ...(min < 1
      ? [invalidValue('spec.minReplicas', min, 'must be greater than or equal to 1')]
      : none),
    ...(max === 0 ? [required(field, 'must be set and greater than 0')] : none),
    ...(max < 0 ? [invalidValue(field, max, 'must be greater than or equal to 1')] : none),
    ...(max < min
      ? [invalidValue(field, max, 'must be greater than or equal to `minReplicas`')]
      : none),
    ...targetErrors('spec.scaleTargetRef', objectOf(spec['scaleTargetRef'])),
    ...metricErrors(objectsIn(metrics), min),
  ];
});

function targetErrors(field: string, { kind, name, apiVersion }: JsonObject): Errors {
  const hasGroup = textOf(apiVersion).includes('/') || textOf(kind) === 'ReplicationController';
  return [
    ...(textOf(kind) === '' ? [required(`${field}.kind`)] : none),
    ...(textOf(name) === '' ? [required(`${field}.name`)] : none),
    ...(hasGroup || textOf(apiVersion) === 'v1'
      ? none
      : [
          invalidValue(
            `${field}.apiVersion`,
            textOf(apiVersion),
            'apiVersion must specify API group',
          ),
        ]),
  ];
}

const metricTypes: Readonly<Record<string, string>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};

function metricErrors(metrics: readonly JsonObject[], min: number): Errors {
  const wakes = metrics.some(({ type }) => type === 'Object' || type === 'External');
  const asleep =
    'must specify at least one Object or External metric to support scaling to zero replicas';
  return [
    ...metrics.flatMap((metric, index) => {
      const field = `spec.metrics[${index}]`;
      const type = textOf(metric['type']);
      const source = metricTypes[type];
      if (source === undefined) {
        return [
          ...(type === ''
            ? [required(`${field}.type`, 'must specify a metric source type')]
            : none),
          unsupported(`${field}.type`, type, Object.keys(metricTypes)),
        ];
      }
      const why = `must populate information for the given metric source`;
      return metric[source] === undefined
        ? [required(`${field}.${source}`, why)]
        : sourceErrors(`${field}.${source}`, objectOf(metric[source]));
    }),
    ...(min === 0 && !wakes ? [forbidden('spec.metrics', asleep)] : none),
  ];
}

const targetTypes = ['Utilization', 'Value', 'AverageValue'];

/** What is measured, by name, and what it is to be. */
function sourceErrors(field: string, source: JsonObject): Errors {
  const { name, metric, target } = source;
  const { type = '' } = objectOf(target);
  const unnamed =
    metric === undefined
      ? textOf(name) === ''
        ? [required(`${field}.name`, 'must specify a resource name')]
        : none
      : textOf(objectOf(metric)['name']) === ''
        ? [required(`${field}.metric.name`, 'must specify a metric name')]
        : none;
  const why = 'must be either Utilization, Value, or AverageValue';
  if (type === '') {
    return [...unnamed, required(`${field}.target.type`, 'must specify a metric target type')];
  }
  return targetTypes.includes(textOf(type))
    ? unnamed
    : [...unnamed, invalidValue(`${field}.target.type`, type, why)];
}

export const validateDisruptionBudget = validatingSpec((spec) => {
  const { minAvailable, maxUnavailable, selector } = spec;
  // As the API server holds it.
  const shown = {
    MinAvailable: minAvailable ?? null,
    Selector: selector ?? null,
    MaxUnavailable: maxUnavailable ?? null,
    UnhealthyPodEvictionPolicy: spec['unhealthyPodEvictionPolicy'] ?? null,
  };
  const why = 'minAvailable and maxUnavailable cannot be both set';
  return [
    ...(minAvailable !== undefined && maxUnavailable !== undefined
      ? [invalidValue('spec', shown, why)]
      : none),
    ...['minAvailable', 'maxUnavailable'].flatMap((it) => [
      ...countOrPercent(`spec.${it}`, spec[it]),
      ...atMostAll(`spec.${it}`, spec[it]),
    ]),
    ...(isJsonObject(selector) ? selectorErrors('spec.selector', selector) : none),
  ];
});

export const validateLease = validatingSpec(({ leaseDurationSeconds, leaseTransitions }) => [
  ...(typeof leaseDurationSeconds === 'number' && leaseDurationSeconds <= 0
    ? [invalidValue('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0')]
    : none),
  ...notNegative('spec.leaseTransitions', leaseTransitions),
]);
