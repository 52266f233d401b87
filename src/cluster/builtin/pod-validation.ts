/**
 * What is wrong with a pod, or with a template of pods.
 * Rules: Kubernetes, `pkg/apis/core/validation/validation.go`; the essential part of them.
 */
import type { Json } from '../../api/kubernetes.ts';
import { isEqual } from '../json.ts';
import { labelErrors, labelNameErrors, qualifiedNameErrors } from '../metadata.ts';
import type { StoredObject } from '../resource-type.ts';
import { forbidden, required } from '../schema/field-errors.ts';
import { containerErrors, initContainerErrors } from './container-validation.ts';
import type { JsonObject } from './defaulting.ts';
import { objectOf, objectsIn, textOf } from './defaulting.ts';
import type { Errors } from './field-errors.ts';
import { duplicate, invalidValue, none, oneOf, unsupported } from './field-errors.ts';

export interface TemplateValidation {
  /** Of a `PodTemplateSpec` at that path. The same template is not looked at twice. */
  errorsOf(field: string, template: JsonObject): Errors;
}

export function createTemplateValidation(): TemplateValidation {
  const known = new WeakMap<object, { readonly field: string; readonly errors: Errors }>();
  return {
    errorsOf: (field, template) => {
      const found = known.get(template);
      if (found?.field === field) return found.errors;
      const errors = templateErrors(field, template);
      known.set(template, { field, errors });
      return errors;
    },
  };
}

function templateErrors(field: string, template: JsonObject): Errors {
  const { labels } = objectOf(template['metadata']);
  return [
    ...labelErrors(`${field}.labels`, objectOf(labels)),
    ...podSpecErrors(`${field}.spec`, objectOf(template['spec'])),
  ];
}

const restartPolicies = ['Always', 'OnFailure', 'Never'];
const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];

export function validatePod({ spec }: StoredObject, before: StoredObject | undefined): Errors {
  if (before !== undefined && before.spec === spec) return none;
  const after = objectOf(spec);
  return [
    ...podSpecErrors('spec', after),
    ...(before === undefined ? none : changeErrors(after, objectOf(before.spec))),
  ];
}

/** Fields of a pod that runs which may be written; of its containers, the image. */
const changeable = ['activeDeadlineSeconds', 'tolerations', 'schedulingGates', 'nodeName'];
const changeWhy =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

function changeErrors(after: JsonObject, before: JsonObject): Errors {
  const numberOf = (it: JsonObject): number => objectsIn(it['containers']).length;
  if (numberOf(after) !== numberOf(before)) {
    return [forbidden('spec.containers', 'pod updates may not add or remove containers')];
  }
  const isSame = isEqual(fixedPart(after), fixedPart(before));
  return isSame ? none : [forbidden('spec', changeWhy)];
}

const fixedPart = (spec: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(spec).flatMap(([name, value]): readonly (readonly [string, Json])[] => {
      if (changeable.includes(name)) return [];
      if (name !== 'containers' && name !== 'initContainers') return [[name, value]];
      return [[name, objectsIn(value).map((it) => ({ ...it, image: '' }))]];
    }),
  );

export function podSpecErrors(field: string, spec: JsonObject): Errors {
  const { names, errors } = volumeErrors(`${field}.volumes`, objectsIn(spec['volumes']));
  const containers = objectsIn(spec['containers']);
  const nodeSelector = objectOf(spec['nodeSelector']);
  return [
    ...errors,
    ...containerErrors(`${field}.containers`, containers, names),
    ...initContainerErrors(
      `${field}.initContainers`,
      objectsIn(spec['initContainers']),
      containers.map(({ name }) => textOf(name)),
      names,
    ),
    ...oneOf(`${field}.restartPolicy`, spec['restartPolicy'], restartPolicies),
    ...oneOf(`${field}.dnsPolicy`, spec['dnsPolicy'], dnsPolicies),
    ...labelErrors(`${field}.nodeSelector`, nodeSelector),
    ...spreadErrors(
      `${field}.topologySpreadConstraints`,
      objectsIn(spec['topologySpreadConstraints']),
    ),
    ...objectsIn(spec['tolerations']).flatMap((it, index) =>
      tolerationErrors(`${field}.tolerations[${index}]`, it),
    ),
  ];
}

function spreadErrors(field: string, constraints: readonly JsonObject[]): Errors {
  return constraints.flatMap((constraint, index) => {
    const { maxSkew = 0, topologyKey, whenUnsatisfiable } = constraint;
    const path = `${field}[${index}]`;
    const kindOf = (it: JsonObject): string =>
      `{${textOf(it['topologyKey'])}, ${textOf(it['whenUnsatisfiable'])}}`;
    const isRepeated = constraints.slice(index + 1).some((it) => kindOf(it) === kindOf(constraint));
    const isPositive = typeof maxSkew === 'number' && maxSkew > 0;
    return [
      ...(isPositive
        ? none
        : [invalidValue(`${path}.maxSkew`, maxSkew, 'must be greater than zero')]),
      ...(textOf(topologyKey) === ''
        ? [required(`${path}.topologyKey`, 'can not be empty')]
        : none),
      ...oneOf(`${path}.whenUnsatisfiable`, whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway']),
      ...(isRepeated
        ? [duplicate(`${path}.{topologyKey, whenUnsatisfiable}`, kindOf(constraint))]
        : none),
    ];
  });
}

const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

function tolerationErrors(field: string, toleration: JsonObject): Errors {
  const { key = '', operator = '', value = '', effect = '', tolerationSeconds } = toleration;
  const everything =
    'operator must be Exists when `key` is empty, which means "match all values and all keys"';
  const timed = "effect must be 'NoExecute' when `tolerationSeconds` is set";
  const isKnown = ['', 'Equal', 'Exists'].includes(textOf(operator));
  return [
    ...(key === '' ? none : qualifiedNameErrors(`${field}.key`, textOf(key))),
    ...(key === '' && operator !== 'Exists'
      ? [invalidValue(`${field}.operator`, operator, everything)]
      : none),
    ...(tolerationSeconds !== undefined && effect !== 'NoExecute'
      ? [invalidValue(`${field}.effect`, effect, timed)]
      : none),
    ...(isKnown ? none : [unsupported(`${field}.operator`, operator, ['Equal', 'Exists'])]),
    ...(operator === 'Exists' && value !== ''
      ? [
          invalidValue(
            `${field}.operator`,
            value,
            "value must be empty when `operator` is 'Exists'",
          ),
        ]
      : none),
    ...(effect === '' ? none : oneOf(`${field}.effect`, effect, taintEffects)),
  ];
}

interface VolumeErrors {
  /** Of the volumes that are right: only those can be mounted. */
  readonly names: ReadonlySet<string>;
  readonly errors: Errors;
}

function volumeErrors(field: string, volumes: readonly JsonObject[]): VolumeErrors {
  const names = new Set<string>();
  const errors = volumes.flatMap((volume, index) => {
    const path = `${field}[${index}]`;
    const name = textOf(volume['name']);
    const found = [
      ...sourceErrors(path, volume),
      ...(name === '' ? [required(`${path}.name`)] : labelNameErrors(`${path}.name`, name)),
      ...(names.has(name) ? [duplicate(`${path}.name`, name)] : none),
    ];
    if (found.length === 0) names.add(name);
    return found;
  });
  return { names, errors };
}

/** In the order in which the API server looks for them. */
const volumeSources = [
  'emptyDir',
  'hostPath',
  'gitRepo',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'flocker',
  'persistentVolumeClaim',
  'rbd',
  'cinder',
  'cephfs',
  'quobyte',
  'downwardAPI',
  'fc',
  'configMap',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'storageos',
  'projected',
  'scaleIO',
  'csi',
  'ephemeral',
  'image',
];

const requiredOfSource: Readonly<Record<string, string>> = {
  secret: 'secretName',
  configMap: 'name',
  persistentVolumeClaim: 'claimName',
  hostPath: 'path',
};

function sourceErrors(field: string, volume: JsonObject): Errors {
  const [first, ...others] = volumeSources.filter((it) => volume[it] !== undefined);
  if (first === undefined) return [required(field, 'must specify a volume type')];
  const name = requiredOfSource[first];
  const isMissing = name !== undefined && textOf(objectOf(volume[first])[name]) === '';
  return [
    ...(isMissing ? [required(`${field}.${first}.${name}`)] : none),
    ...others.map((it) => forbidden(`${field}.${it}`, 'may not specify more than 1 volume type')),
  ];
}
