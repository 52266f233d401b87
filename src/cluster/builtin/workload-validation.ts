/**
 * What is wrong with a workload. Rules: Kubernetes, `pkg/apis/apps/validation/validation.go`,
 * `pkg/apis/batch/validation/validation.go`; the essential part of them.
 */
import type { Json } from '../../api/kubernetes.ts';
import { isEqual } from '../json.ts';
import type { ResourceType } from '../resource-type.ts';
import { forbidden, invalid, required } from '../schema/field-errors.ts';
import { labelNameErrors } from '../metadata.ts';
import type { JsonObject } from './defaulting.ts';
import { isJsonObject, objectOf, objectsIn, textOf } from './defaulting.ts';
import type { Errors } from './field-errors.ts';
import {
  amountOf,
  atMostAll,
  countOrPercent,
  immutable,
  invalidValue,
  none,
  notNegative,
  oneOf,
  unsupported,
} from './field-errors.ts';
import { isEmptySelector, isUsableSelector, selectorErrors, selects } from './label-selectors.ts';
import type { TemplateValidation } from './pod-validation.ts';

type Validate = ResourceType['validate'];
type SpecErrors = (spec: JsonObject, templates: TemplateValidation) => Errors;

/** Nothing of a spec that is the one that was stored: it was right then. */
export const validatingSpec =
  (errorsOf: (spec: JsonObject, before: JsonObject | undefined) => Errors): Validate =>
  (object, before) =>
    before !== undefined && before.spec === object.spec
      ? none
      : errorsOf(objectOf(object.spec), before === undefined ? undefined : objectOf(before.spec));

const labelsOf = (spec: JsonObject): Json | undefined =>
  objectOf(objectOf(spec['template'])['metadata'])['labels'];

const doesNotMatch = (spec: JsonObject): Errors => {
  const why = '`selector` does not match template `labels`';
  return [invalid('spec.template.metadata.labels', labelsOf(spec) ?? null, why)];
};

const isMatching = (spec: JsonObject): boolean =>
  isJsonObject(spec['selector']) && selects(spec['selector'], objectOf(labelsOf(spec)));

function ownSelectorErrors({ selector }: JsonObject, kind: string): Errors {
  const field = 'spec.selector';
  if (!isJsonObject(selector)) return [required(field)];
  const why = `empty selector is invalid for ${kind}`;
  return [
    ...selectorErrors(field, selector),
    ...(isEmptySelector(selector) ? [invalidValue(field, selector, why)] : none),
  ];
}

function templateErrors(spec: JsonObject, templates: TemplateValidation, kind: string): Errors {
  const template = objectOf(spec['template']);
  const { restartPolicy, activeDeadlineSeconds } = objectOf(template['spec']);
  const field = 'spec.template.spec';
  const why = `activeDeadlineSeconds in ${kind} is not Supported`;
  return [
    ...templates.errorsOf('spec.template', template),
    ...(restartPolicy === 'Always'
      ? none
      : [unsupported(`${field}.restartPolicy`, restartPolicy, ['Always'])]),
    ...(activeDeadlineSeconds === undefined
      ? none
      : [forbidden(`${field}.activeDeadlineSeconds`, why)]),
  ];
}

/** Of kinds that keep a number of pods: nothing more is said where the selector is unusable. */
function selectedTemplateErrors(
  spec: JsonObject,
  templates: TemplateValidation,
  kind: string,
): Errors {
  const { selector } = spec;
  if (isJsonObject(selector) && !isUsableSelector(selector)) {
    return [invalidValue('spec.selector', selector, 'invalid label selector')];
  }
  const isAll = isJsonObject(selector) && isEmptySelector(selector);
  return [
    ...(isAll || isMatching(spec) ? none : doesNotMatch(spec)),
    ...templateErrors(spec, templates, kind),
  ];
}

const deploymentErrors: SpecErrors = (spec, templates) => [
  ...notNegative('spec.replicas', spec['replicas']),
  ...ownSelectorErrors(spec, 'deployment'),
  ...selectedTemplateErrors(spec, templates, 'ReplicaSet'),
  ...strategyErrors('spec.strategy', objectOf(spec['strategy'])),
  ...notNegative('spec.minReadySeconds', spec['minReadySeconds']),
  ...notNegative('spec.revisionHistoryLimit', spec['revisionHistoryLimit']),
  ...deadlineErrors(spec),
];

function deadlineErrors({ progressDeadlineSeconds, minReadySeconds }: JsonObject): Errors {
  const field = 'spec.progressDeadlineSeconds';
  if (typeof progressDeadlineSeconds !== 'number') return none;
  const ready = typeof minReadySeconds === 'number' ? minReadySeconds : 0;
  return [
    ...notNegative(field, progressDeadlineSeconds),
    ...(progressDeadlineSeconds > ready
      ? none
      : [invalidValue(field, progressDeadlineSeconds, 'must be greater than minReadySeconds')]),
  ];
}

/** As the API server holds a strategy. */
function heldStrategy(type: Json, rollingUpdate: Json | undefined): Json {
  if (!isJsonObject(rollingUpdate)) return { Type: type, RollingUpdate: null };
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate;
  return { Type: type, RollingUpdate: { MaxUnavailable: maxUnavailable, MaxSurge: maxSurge } };
}

function strategyErrors(field: string, strategy: JsonObject): Errors {
  const { type = '', rollingUpdate } = strategy;
  const inner = `${field}.rollingUpdate`;
  if (type === 'Recreate') {
    const why = "may not be specified when strategy `type` is 'Recreate'";
    return rollingUpdate === undefined ? none : [forbidden(inner, why)];
  }
  if (type !== 'RollingUpdate') {
    return [unsupported(field, heldStrategy(type, rollingUpdate), ['Recreate', 'RollingUpdate'])];
  }
  const { maxUnavailable, maxSurge } = objectOf(rollingUpdate);
  const why = 'may not be 0 when `maxSurge` is 0';
  const isStuck = amountOf(maxUnavailable) === 0 && amountOf(maxSurge) === 0;
  return [
    ...countOrPercent(`${inner}.maxUnavailable`, maxUnavailable),
    ...countOrPercent(`${inner}.maxSurge`, maxSurge),
    ...(isStuck ? [invalidValue(`${inner}.maxUnavailable`, maxUnavailable, why)] : none),
    ...atMostAll(`${inner}.maxUnavailable`, maxUnavailable),
  ];
}

const replicaSetErrors: SpecErrors = (spec, templates) => [
  ...notNegative('spec.replicas', spec['replicas']),
  ...notNegative('spec.minReadySeconds', spec['minReadySeconds']),
  ...ownSelectorErrors(spec, 'deployment'),
  ...selectedTemplateErrors(spec, templates, 'ReplicaSet'),
];

const daemonSetErrors: SpecErrors = (spec, templates) => {
  const selector = isJsonObject(spec['selector']) ? spec['selector'] : undefined;
  const isUsable = selector === undefined || isUsableSelector(selector);
  const why = 'empty selector is invalid for daemonset';
  return [
    ...(selector === undefined ? none : selectorErrors('spec.selector', selector)),
    ...(isUsable && !isMatching(spec) ? doesNotMatch(spec) : none),
    ...(selector !== undefined && isEmptySelector(selector)
      ? [invalidValue('spec.selector', selector, why)]
      : none),
    ...templateErrors(spec, templates, 'DaemonSet'),
    ...notNegative('spec.minReadySeconds', spec['minReadySeconds']),
    ...daemonStrategyErrors('spec.updateStrategy', objectOf(spec['updateStrategy'])),
    ...notNegative('spec.revisionHistoryLimit', spec['revisionHistoryLimit']),
  ];
};

function daemonStrategyErrors(field: string, { type = '', rollingUpdate }: JsonObject): Errors {
  if (type === 'OnDelete') return none;
  if (type !== 'RollingUpdate') {
    return [unsupported(field, heldStrategy(type, rollingUpdate), ['RollingUpdate', 'OnDelete'])];
  }
  const inner = `${field}.rollingUpdate`;
  const { maxUnavailable, maxSurge } = objectOf(rollingUpdate);
  const isDown = amountOf(maxUnavailable) !== 0;
  const isUp = amountOf(maxSurge) !== 0;
  const why = 'may not be set when maxUnavailable is non-zero';
  return [
    ...countOrPercent(`${inner}.maxUnavailable`, maxUnavailable),
    ...countOrPercent(`${inner}.maxSurge`, maxSurge),
    ...atMostAll(`${inner}.maxUnavailable`, maxUnavailable),
    ...atMostAll(`${inner}.maxSurge`, maxSurge),
    ...(isDown && isUp ? [invalidValue(`${inner}.maxSurge`, maxSurge, why)] : none),
    ...(isDown || isUp
      ? none
      : [required(`${inner}.maxUnavailable`, 'cannot be 0 when maxSurge is 0')]),
  ];
}

const statefulSetErrors: SpecErrors = (spec, templates) => {
  const { podManagementPolicy, serviceName } = spec;
  const isKnown = podManagementPolicy === 'OrderedReady' || podManagementPolicy === 'Parallel';
  const why = "must be 'OrderedReady' or 'Parallel'";
  const name = textOf(serviceName);
  const retention = objectOf(spec['persistentVolumeClaimRetentionPolicy']);
  return [
    ...(isKnown ? none : [invalidValue('spec.podManagementPolicy', podManagementPolicy, why)]),
    ...updateStrategyErrors('spec.updateStrategy', objectOf(spec['updateStrategy'])),
    ...['whenDeleted', 'whenScaled'].flatMap((it) =>
      oneOf(`spec.persistentVolumeClaimRetentionPolicy.${it}`, retention[it], ['Retain', 'Delete']),
    ),
    ...notNegative('spec.replicas', spec['replicas']),
    ...notNegative('spec.minReadySeconds', spec['minReadySeconds']),
    ...(name === '' ? none : labelNameErrors('spec.serviceName', name)),
    ...ownSelectorErrors(spec, 'statefulset'),
    ...(isMatching(spec) ? none : doesNotMatch(spec)),
    ...templateErrors(withClaims(spec), templates, 'StatefulSet'),
  ];
};

function updateStrategyErrors(field: string, { type = '', rollingUpdate }: JsonObject): Errors {
  if (type === 'RollingUpdate') {
    return notNegative(`${field}.rollingUpdate.partition`, objectOf(rollingUpdate)['partition']);
  }
  if (type !== 'OnDelete') {
    const shown = { Type: type, RollingUpdate: rollingUpdate ?? null };
    return [invalidValue(field, shown, "must be 'RollingUpdate' or 'OnDelete'")];
  }
  const why = "only allowed for updateStrategy 'RollingUpdate'";
  return rollingUpdate === undefined
    ? none
    : [invalidValue(`${field}.rollingUpdate`, rollingUpdate, why)];
}

/** Claims are volumes of the pods, by their names. */
function withClaims(spec: JsonObject): JsonObject {
  const claims = objectsIn(spec['volumeClaimTemplates']);
  if (claims.length === 0) return spec;
  const template = objectOf(spec['template']);
  const pod = objectOf(template['spec']);
  const volumes = claims.map(({ metadata }): Json => {
    const name = textOf(objectOf(metadata)['name']);
    return { name, persistentVolumeClaim: { claimName: name } };
  });
  const others = objectsIn(pod['volumes']);
  return { ...spec, template: { ...template, spec: { ...pod, volumes: [...volumes, ...others] } } };
}

const changeable = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];

const without = (spec: JsonObject, fields: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(spec).filter(([name]) => !fields.includes(name)));

const withFixedSelector = (errorsOf: SpecErrors, templates: TemplateValidation): Validate =>
  validatingSpec((spec, before) => [
    ...errorsOf(spec, templates),
    ...selectorChanges(spec, before),
  ]);

const selectorChanges = (spec: JsonObject, before: JsonObject | undefined): Errors =>
  before === undefined || isEqual(before['selector'], spec['selector'])
    ? none
    : [immutable('spec.selector', spec['selector'])];

export const validateDeployment = (templates: TemplateValidation): Validate =>
  withFixedSelector(deploymentErrors, templates);

export const validateReplicaSet = (templates: TemplateValidation): Validate =>
  withFixedSelector(replicaSetErrors, templates);

/** Here, what may not change comes first. */
export const validateDaemonSet = (templates: TemplateValidation): Validate =>
  validatingSpec((spec, before) => [
    ...selectorChanges(spec, before),
    ...daemonSetErrors(spec, templates),
  ]);

export const validateStatefulSet = (templates: TemplateValidation): Validate =>
  validatingSpec((spec, before) => {
    const isSame =
      before === undefined || isEqual(without(spec, changeable), without(before, changeable));
    const why =
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
    return [...statefulSetErrors(spec, templates), ...(isSame ? none : [forbidden('spec', why)])];
  });

export const validateReplicationController = (templates: TemplateValidation): Validate =>
  validatingSpec((spec) => {
    const selector = objectOf(spec['selector']);
    const template = spec['template'];
    const isEmpty = Object.keys(selector).length === 0;
    const isRight = isEmpty || selects({ matchLabels: selector }, objectOf(labelsOf(spec)));
    return [
      ...notNegative('spec.minReadySeconds', spec['minReadySeconds']),
      ...(isEmpty ? [required('spec.selector')] : none),
      ...notNegative('spec.replicas', spec['replicas']),
      ...(isJsonObject(template)
        ? [
            ...(isRight ? none : doesNotMatch(spec)),
            ...templateErrors(spec, templates, 'ReplicationController'),
          ]
        : [required('spec.template')]),
    ];
  });

function jobErrors(field: string, spec: JsonObject, templates: TemplateValidation): Errors {
  const template = objectOf(spec['template']);
  const { restartPolicy } = objectOf(template['spec']);
  const inner = `${field}.template.spec.restartPolicy`;
  const allowed = ['OnFailure', 'Never'];
  const isAllowed = allowed.includes(textOf(restartPolicy));
  const isUnsaid = restartPolicy === undefined || restartPolicy === 'Always';
  const counts = ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit'];
  return [
    ...counts.flatMap((it) => notNegative(`${field}.${it}`, spec[it])),
    ...notNegative(`${field}.ttlSecondsAfterFinished`, spec['ttlSecondsAfterFinished']),
    ...templates.errorsOf(`${field}.template`, template),
    ...(isAllowed
      ? none
      : isUnsaid
        ? [required(inner, 'valid values: "OnFailure", "Never"')]
        : [unsupported(inner, restartPolicy, allowed)]),
  ];
}

export const validateJob = (templates: TemplateValidation): Validate =>
  validatingSpec((spec) => jobErrors('spec', spec, templates));

export const validateCronJob = (templates: TemplateValidation): Validate =>
  validatingSpec((spec) => [
    ...(textOf(spec['schedule']) === '' ? [required('spec.schedule')] : none),
    ...jobErrors(
      'spec.jobTemplate.spec',
      objectOf(objectOf(spec['jobTemplate'])['spec']),
      templates,
    ),
  ]);
