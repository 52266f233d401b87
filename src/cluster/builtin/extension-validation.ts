/**
 * What is wrong with a webhook configuration.
 * Rules: Kubernetes, `pkg/apis/admissionregistration/validation/validation.go`.
 */
import type { Json } from '../../api/kubernetes.ts';
import { syntaxProblem } from '../cel.ts';
import { qualifiedNameErrors, subdomainErrors } from '../metadata.ts';
import type { StoredObject } from '../resource-type.ts';
import type { FieldError } from '../status-error.ts';
import { required, tooMany } from '../schema/field-errors.ts';
import type { JsonObject } from './defaulting.ts';
import { isJsonObject, isList, objectOf, objectsIn, textOf } from './defaulting.ts';
import type { Errors } from './field-errors.ts';
import { duplicate, invalidValue, none, oneOf, portNumber } from './field-errors.ts';
import { selectorErrors } from './label-selectors.ts';

const timeoutSecondsMax = 30;
/** Of AdmissionReview, those that API servers speak. */
const reviewVersions = ['v1', 'v1beta1'];

function versionErrors(field: string, versions: Json | undefined): Errors {
  const given = textsIn(versions);
  const all = reviewVersions.join(', ');
  if (given.length === 0) return [required(field, `must specify one of ${all}`)];
  const twice = given.flatMap((it, index) =>
    given.indexOf(it) < index
      ? [invalidValue(`${field}[${index}]`, it, 'duplicate version')]
      : none,
  );
  const isSpoken = given.some((it) => reviewVersions.includes(it));
  const why = `must include at least one of ${all}`;
  return [...twice, ...(isSpoken ? none : [invalidValue(field, versions, why)])];
}

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
      ...versionErrors(`${field}.admissionReviewVersions`, versions),
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
    ...conditionErrors(`${field}.matchConditions`, objectsIn(webhook['matchConditions'])),
  ];
}

function nameErrors(field: string, name: string): Errors {
  if (name === '') return [required(field)];
  const wrong = subdomainErrors(field, name);
  if (wrong.length > 0) return wrong;
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

const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];

function ruleErrors(field: string, rule: JsonObject): Errors {
  const { scope } = rule;
  return [
    ...listErrors(`${field}.operations`, rule['operations'], 'operations'),
    ...textsIn(rule['operations']).flatMap((it, index) =>
      oneOf(`${field}.operations[${index}]`, it, operations),
    ),
    ...listErrors(`${field}.apiGroups`, rule['apiGroups'], 'API groups'),
    ...listErrors(`${field}.apiVersions`, rule['apiVersions'], 'API versions'),
    ...textsIn(rule['apiVersions']).flatMap((it, index) =>
      it === '' ? [required(`${field}.apiVersions[${index}]`)] : none,
    ),
    ...resourceErrors(`${field}.resources`, textsIn(rule['resources'])),
    ...(scope === undefined
      ? none
      : oneOf(`${field}.scope`, scope, ['*', 'Cluster', 'Namespaced'])),
  ];
}

const textsIn = (value: Json | undefined): readonly string[] =>
  isList(value) ? value.map(textOf) : [];

/** All, or some, and never none. */
function listErrors(field: string, value: Json | undefined, what: string): Errors {
  const texts = textsIn(value);
  if (texts.length === 0) return [required(field)];
  return texts.length > 1 && texts.includes('*')
    ? [invalidValue(field, value, `if '*' is present, must not specify other ${what}`)]
    : none;
}

function resourceErrors(field: string, resources: readonly string[]): Errors {
  if (resources.length === 0) return [required(field)];
  const wholes = new Set<string>();
  const parts = new Set<string>();
  const errors = resources.flatMap((it, index) => {
    if (it === '') return [required(`${field}[${index}]`)];
    const slash = it.indexOf('/');
    if (slash === -1) return none;
    const [resource, part] = [it.slice(0, slash), it.slice(slash + 1)];
    const clash = (all: string): FieldError =>
      invalidValue(`${field}[${index}]`, it, `if '${all}' is present, must not specify ${it}`);
    const found = [
      ...(wholes.has(resource) ? [clash(`${resource}/*`)] : none),
      ...(parts.has(part) ? [clash(`*/${part}`)] : none),
    ];
    if (part === '*') wholes.add(resource);
    if (resource === '*') parts.add(part);
    return found;
  });
  const isPlain = resources.filter((it) => !it.includes('/')).at(-1) ?? '*';
  const all = "if '*/*' is present, must not specify other resources";
  const some = "if '*' is present, must not specify other resources without subresources";
  return [
    ...errors,
    ...(resources.length > 1 && resources.includes('*/*')
      ? [invalidValue(field, resources, all)]
      : none),
    ...(resources.includes('*') && isPlain !== '*' ? [invalidValue(field, resources, some)] : none),
  ];
}

function clientErrors(field: string, config: unknown): Errors {
  const { url, service } = objectOf(config);
  if ((url === undefined) === (service === undefined)) {
    return [required(field, 'exactly one of url or service is required')];
  }
  return url === undefined
    ? serviceErrors(`${field}.service`, objectOf(service))
    : urlErrors(`${field}.url`, textOf(url));
}

function serviceErrors(field: string, service: JsonObject): Errors {
  const { port = 443 } = service;
  // The API server takes one for the other here.
  const swapped = { name: textOf(service['namespace']), namespace: textOf(service['name']) };
  const isPort = portNumber('', port).length === 0;
  const why = 'port is not valid: must be between 1 and 65535, inclusive';
  const path = textOf(service['path']);
  return [
    ...(swapped.name === '' ? [required(`${field}.name`)] : none),
    ...(swapped.namespace === '' ? [required(`${field}.namespace`)] : none),
    ...(isPort ? none : [invalidValue(`${field}.port`, port, why)]),
    ...pathErrors(`${field}.path`, path),
  ];
}

function pathErrors(field: string, path: string): Errors {
  if (path === '' || path === '/') return none;
  const segments = path.slice(1).replace(/\/$/, '').split('/');
  return [
    ...(path.startsWith('/') ? none : [invalidValue(field, path, "must start with a '/'")]),
    ...segments.flatMap((it, index) =>
      it === '' ? [invalidValue(field, path, `segment[${index}] may not be empty`)] : none,
    ),
  ];
}

function urlErrors(field: string, text: string): Errors {
  const form = 'desired format: https://host[/path]';
  if (!URL.canParse(text)) return [required(field, `url must be a valid URL; ${form}`)];
  const { protocol, host, hash, search, username } = new URL(text);
  const scheme = protocol.slice(0, -1);
  return [
    ...(scheme === 'https'
      ? none
      : [invalidValue(field, scheme, `'https' is the only allowed URL scheme; ${form}`)]),
    ...(host === '' ? [invalidValue(field, host, `host must be specified; ${form}`)] : none),
    ...(username === ''
      ? none
      : [invalidValue(field, username, 'user information is not permitted in the URL')]),
    ...(hash === ''
      ? none
      : [invalidValue(field, hash.slice(1), 'fragments are not permitted in the URL')]),
    ...(search === ''
      ? none
      : [invalidValue(field, search.slice(1), 'query parameters are not permitted in the URL')]),
  ];
}

const conditionsMax = 64;

function conditionErrors(field: string, conditions: readonly JsonObject[]): Errors {
  const names = new Set<string>();
  const errors = conditions.flatMap((condition, index) => {
    const at = `${field}[${index}]`;
    const name = textOf(condition['name']);
    const expression = textOf(condition['expression']).trim();
    const problem = expression === '' ? undefined : syntaxProblem(expression);
    const isTaken = name !== '' && names.has(name);
    names.add(name);
    return [
      ...(expression === '' ? [required(`${at}.expression`)] : none),
      ...(problem === undefined
        ? none
        : [invalidValue(`${at}.expression`, expression, `compilation failed: ${problem}`)]),
      ...(name === '' ? [required(`${at}.name`)] : qualifiedNameErrors(`${at}.name`, name)),
      ...(isTaken ? [duplicate(`${at}.name`, name)] : none),
    ];
  });
  return conditions.length > conditionsMax
    ? [tooMany(field, conditions.length, conditionsMax), ...errors]
    : errors;
}
