/**
 * What is wrong with an object of a small kind: what is missing, out of range, or may not change.
 * Rules: Kubernetes, `pkg/apis/<group>/validation/validation.go`; the essential part of them.
 */
import type { Json } from '../../api/kubernetes.ts';
import { isEqual } from '../json.ts';
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
  oneOf,
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
  const missing = [controller, 'reportingInstance', 'action', 'reason'].filter(
    (it) => isNew && textOf(event[it]) === '',
  );
  return [
    ...(isHome
      ? none
      : [invalidValue('involvedObject.namespace', about, 'does not match event.namespace')]),
    ...missing.map((it) => required(it)),
  ];
}

export const validateEvent: Validate = (event, before) =>
  before === undefined
    ? eventErrors(event, { object: 'involvedObject', controller: 'reportingComponent' })
    : none;

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

export const validateEndpoints: Validate = (object) =>
  objectsIn(object['subsets']).flatMap((subset, index) => {
    const ports = objectsIn(subset['ports']);
    return ports.flatMap(({ name }, at) =>
      ports.length > 1 && textOf(name) === ''
        ? [required(`subsets[${index}].ports[${at}].name`)]
        : none,
    );
  });

const addressTypes = ['FQDN', 'IPv4', 'IPv6'];

export const validateEndpointSlice: Validate = (object, before) => {
  const addressType = object['addressType'] as Json | undefined;
  if (before !== undefined && before['addressType'] !== addressType) {
    return [immutable('addressType', addressType)];
  }
  return textOf(addressType) === ''
    ? [required('addressType')]
    : oneOf('addressType', addressType, addressTypes);
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
    ...(isSame ? none : [immutable('data', (object['data'] ?? null) as Json)]),
  ];
};

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
      if (type === '') return [required(`${field}.type`, 'must specify a metric source type')];
      if (source === undefined) {
        return [unsupported(`${field}.type`, type, Object.keys(metricTypes))];
      }
      const why = `must populate information for the given metric source`;
      return metric[source] === undefined ? [required(`${field}.${source}`, why)] : none;
    }),
    ...(min === 0 && !wakes ? [forbidden('spec.metrics', asleep)] : none),
  ];
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

export const validateIngress = validatingSpec((spec) => {
  const { defaultBackend } = spec;
  const rules = objectsIn(spec['rules']);
  const why = 'either `defaultBackend` or `rules` must be specified';
  return [
    ...(rules.length === 0 && defaultBackend === undefined
      ? [invalidValue('spec', null, why)]
      : none),
    ...(defaultBackend === undefined
      ? none
      : backendErrors('spec.defaultBackend', objectOf(defaultBackend))),
    ...rules.flatMap(({ http }, index) =>
      objectsIn(objectOf(http)['paths']).flatMap((path, at) =>
        pathErrors(`spec.rules[${index}].http.paths[${at}]`, path),
      ),
    ),
  ];
});

const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix'];

function pathErrors(field: string, { path, pathType, backend }: JsonObject): Errors {
  if ((pathType ?? null) === null)
    return [required(`${field}.pathType`, 'pathType must be specified')];
  const text = textOf(path);
  const isAbsolute = text.startsWith('/') || (text === '' && pathType === 'ImplementationSpecific');
  return [
    ...(pathTypes.includes(textOf(pathType)) && !isAbsolute
      ? [invalidValue(`${field}.path`, text, 'must be an absolute path')]
      : none),
    ...oneOf(`${field}.pathType`, pathType, pathTypes),
    ...backendErrors(`${field}.backend`, objectOf(backend)),
  ];
}

function backendErrors(field: string, { service, resource }: JsonObject): Errors {
  if (resource !== undefined && service !== undefined) {
    const why = 'cannot set both resource and service backends';
    return [invalidValue(field, '', why)];
  }
  if (resource !== undefined) return none;
  if (service === undefined) return [required(field, 'resource or service backend is required')];
  const { name, port } = objectOf(service);
  const { number, name: portName } = objectOf(port);
  const inner = `${field}.service`;
  return [
    ...(textOf(name) === '' ? [required(`${inner}.name`)] : none),
    ...(number === undefined && portName === undefined
      ? [required(inner, 'port name or number is required')]
      : none),
  ];
}

export const validateLease = validatingSpec(({ leaseDurationSeconds, leaseTransitions }) => [
  ...(typeof leaseDurationSeconds === 'number' && leaseDurationSeconds <= 0
    ? [invalidValue('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0')]
    : none),
  ...notNegative('spec.leaseTransitions', leaseTransitions),
]);

export const validateRole: Validate = (object: StoredObject) =>
  objectsIn(object['rules']).flatMap((rule, index) => {
    const field = `rules[${index}]`;
    const isGiven = (name: string): boolean => {
      const values = rule[name];
      return isList(values) && values.length > 0;
    };
    const missing = (name: string, why: string): Errors =>
      isGiven(name) ? none : [required(`${field}.${name}`, why)];
    return [
      ...missing('verbs', 'verbs must contain at least one value'),
      ...(isGiven('nonResourceURLs')
        ? none
        : [
            ...missing('apiGroups', 'resource rules must supply at least one api group'),
            ...missing('resources', 'resource rules must supply at least one resource'),
          ]),
    ];
  });

export const validateBinding: Validate = (object, before) => {
  const { apiGroup = '', kind = '', name = '' } = objectOf(object['roleRef']);
  const isSame = before === undefined || isEqual(before['roleRef'], object['roleRef']);
  const shown = { APIGroup: apiGroup, Kind: kind, Name: name };
  return [
    ...(textOf(name) === '' ? [required('roleRef.name')] : none),
    ...(isSame ? none : [invalidValue('roleRef', shown, 'cannot change roleRef')]),
  ];
};
