/**
 * What is wrong with a webhook configuration.
 * Rules: Kubernetes, `pkg/apis/admissionregistration/validation/validation.go`.
 */
import type { StoredObject } from '../resource-type.ts';
import { required } from '../schema/field-errors.ts';
import type { JsonObject } from './defaulting.ts';
import { isJsonObject, isList, objectsIn, textOf } from './defaulting.ts';
import type { Errors } from './field-errors.ts';
import { duplicate, invalidValue, none, oneOf } from './field-errors.ts';
import { selectorErrors } from './label-selectors.ts';

const timeoutSecondsMax = 30;
const reviewVersions = 'must specify one of v1, v1beta1';

export function validateWebhooks(after: StoredObject, before: StoredObject | undefined): Errors {
  if (before !== undefined && before['webhooks'] === after['webhooks']) return none;
  const names = new Set<string>();
  return objectsIn(after['webhooks']).flatMap((webhook, index) => {
    const field = `webhooks[${index}]`;
    const name = textOf(webhook['name']);
    const isTaken = names.has(name);
    names.add(name);
    const { admissionReviewVersions: versions } = webhook;
    return [
      ...webhookErrors(field, webhook),
      ...(isList(versions) && versions.length > 0
        ? none
        : [required(`${field}.admissionReviewVersions`, reviewVersions)]),
      ...(isTaken ? [duplicate(`${field}.name`, name)] : none),
    ];
  });
}

function webhookErrors(field: string, webhook: JsonObject): Errors {
  const { sideEffects, timeoutSeconds = 1, reinvocationPolicy } = webhook;
  const isTimely =
    typeof timeoutSeconds === 'number' &&
    timeoutSeconds >= 1 &&
    timeoutSeconds <= timeoutSecondsMax;
  const why = `the timeout value must be between 1 and ${timeoutSecondsMax} seconds`;
  const harmless = ['None', 'NoneOnDryRun'];
  return [
    ...nameErrors(`${field}.name`, textOf(webhook['name'])),
    ...objectsIn(webhook['rules']).flatMap((it, index) =>
      ruleErrors(`${field}.rules[${index}]`, it),
    ),
    ...oneOf(`${field}.failurePolicy`, webhook['failurePolicy'], ['Fail', 'Ignore']),
    ...oneOf(`${field}.matchPolicy`, webhook['matchPolicy'], ['Equivalent', 'Exact']),
    ...((sideEffects ?? null) === null
      ? [required(`${field}.sideEffects`, `must specify one of ${harmless.join(', ')}`)]
      : oneOf(`${field}.sideEffects`, sideEffects, harmless)),
    ...(isTimely ? none : [invalidValue(`${field}.timeoutSeconds`, timeoutSeconds, why)]),
    ...['namespaceSelector', 'objectSelector'].flatMap((it) => {
      const selector = webhook[it];
      return isJsonObject(selector) ? selectorErrors(`${field}.${it}`, selector) : none;
    }),
    ...(reinvocationPolicy === undefined
      ? none
      : oneOf(`${field}.reinvocationPolicy`, reinvocationPolicy, ['IfNeeded', 'Never'])),
    ...clientErrors(`${field}.clientConfig`, webhook['clientConfig']),
  ];
}

function nameErrors(field: string, name: string): Errors {
  if (name === '') return [required(field)];
  return name.split('.').length >= 3
    ? none
    : [
        invalidValue(
          field,
          name,
          'should be a domain with at least three segments separated by dots',
        ),
      ];
}

function ruleErrors(field: string, rule: JsonObject): Errors {
  return ['apiGroups', 'apiVersions', 'operations', 'resources'].flatMap((it) => {
    const values = rule[it];
    return isList(values) && values.length > 0 ? none : [required(`${field}.${it}`)];
  });
}

function clientErrors(field: string, config: unknown): Errors {
  const { url, service } = isJsonObject(config) ? config : {};
  if ((url === undefined) === (service === undefined)) {
    return [required(field, 'exactly one of url or service is required')];
  }
  if (url !== undefined) return urlErrors(`${field}.url`, textOf(url));
  const { name, namespace } = isJsonObject(service) ? service : {};
  return [
    ...(textOf(name) === ''
      ? [required(`${field}.service.name`, 'service name is required')]
      : none),
    ...(textOf(namespace) === ''
      ? [required(`${field}.service.namespace`, 'service namespace is required')]
      : none),
  ];
}

function urlErrors(field: string, url: string): Errors {
  const scheme = /^([a-z]+):/.exec(url)?.[1] ?? '';
  const why = "'https' is the only allowed URL scheme; desired format: https://host[/path]";
  return scheme === 'https' ? none : [invalidValue(field, scheme, why)];
}
