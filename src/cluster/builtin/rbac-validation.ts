/** What is wrong with roles and their bindings. Rules: Kubernetes, `pkg/apis/rbac/validation`. */
import { isEqual } from '../json.ts';
import { subdomainErrors } from '../metadata.ts';
import type { ResourceType, StoredObject } from '../resource-type.ts';
import { required } from '../schema/field-errors.ts';
import type { JsonObject } from './defaulting.ts';
import { isList, objectOf, objectsIn, textOf } from './defaulting.ts';
import type { Errors } from './field-errors.ts';
import { invalidValue, none, oneOf, unsupported } from './field-errors.ts';

type Validate = ResourceType['validate'];

const group = 'rbac.authorization.k8s.io';

export const validateRole =
  (isNamespaced: boolean): Validate =>
  (object: StoredObject) =>
    objectsIn(object['rules']).flatMap((rule, index) =>
      ruleErrors(`rules[${index}]`, rule, isNamespaced),
    );

function ruleErrors(field: string, rule: JsonObject, isNamespaced: boolean): Errors {
  const isGiven = (name: string): boolean => {
    const values = rule[name];
    return isList(values) && values.length > 0;
  };
  const missing = (name: string, why: string): Errors =>
    isGiven(name) ? none : [required(`${field}.${name}`, why)];
  const urls = (why: string): Errors => [
    invalidValue(`${field}.nonResourceURLs`, rule['nonResourceURLs'], why),
  ];
  const verbs = missing('verbs', 'verbs must contain at least one value');
  if (!isGiven('nonResourceURLs')) {
    return [
      ...verbs,
      ...missing('apiGroups', 'resource rules must supply at least one api group'),
      ...missing('resources', 'resource rules must supply at least one resource'),
    ];
  }
  const isBoth = ['apiGroups', 'resources', 'resourceNames'].some(isGiven);
  return [
    ...verbs,
    ...(isNamespaced ? urls('namespaced rules cannot apply to non-resource URLs') : none),
    ...(isBoth ? urls('rules cannot apply to both regular resources and non-resource URLs') : none),
  ];
}

/** Of a binding in a namespace, or of one for all. */
export const validateBinding =
  (isNamespaced: boolean): Validate =>
  (object, before) => {
    const { apiGroup = '', kind = '', name = '' } = objectOf(object['roleRef']);
    const isSame = before === undefined || isEqual(before['roleRef'], object['roleRef']);
    // As the API server holds it.
    const shown = { APIGroup: apiGroup, Kind: kind, Name: name };
    const kinds = isNamespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
    return [
      ...oneOf('roleRef.apiGroup', apiGroup, [group]),
      ...oneOf('roleRef.kind', kind, kinds),
      ...(textOf(name) === '' ? [required('roleRef.name')] : none),
      ...objectsIn(object['subjects']).flatMap((it, index) =>
        subjectErrors(`subjects[${index}]`, it, isNamespaced),
      ),
      ...(isSame ? none : [invalidValue('roleRef', shown, 'cannot change roleRef')]),
    ];
  };

function subjectErrors(field: string, subject: JsonObject, isNamespaced: boolean): Errors {
  const { kind = '', apiGroup = '', namespace } = subject;
  const name = textOf(subject['name']);
  const unnamed = name === '' ? [required(`${field}.name`)] : none;
  if (kind === 'User' || kind === 'Group') {
    return [...unnamed, ...oneOf(`${field}.apiGroup`, apiGroup, [group])];
  }
  if (kind !== 'ServiceAccount') {
    const kinds = ['ServiceAccount', 'User', 'Group'];
    return [...unnamed, unsupported(`${field}.kind`, kind, kinds)];
  }
  return [
    ...unnamed,
    ...(name === '' ? none : subdomainErrors(`${field}.name`, name)),
    ...(apiGroup === '' ? none : [unsupported(`${field}.apiGroup`, apiGroup, [''])]),
    ...(!isNamespaced && textOf(namespace) === '' ? [required(`${field}.namespace`)] : none),
  ];
}
