/**
 * What is wrong with the containers of a pod.
 * Rules: Kubernetes, `pkg/apis/core/validation/validation.go`; the essential part of them.
 */
import type { Json } from '../../api/kubernetes.ts';
import { forbidden, required } from '../schema/field-errors.ts';
import { labelNameErrors, subdomainErrors } from '../metadata.ts';
import type { JsonObject } from './defaulting.ts';
import { isJsonObject, isList, objectOf, objectsIn, textOf } from './defaulting.ts';
import type { Errors } from './field-errors.ts';
import {
  duplicate,
  invalidValue,
  none,
  notFoundValue,
  notNegative,
  oneOf,
  portName,
  portNumber,
  portOrName,
  validConfigKey,
} from './field-errors.ts';
import { nanosOf } from './quantity.ts';

export function containerErrors(
  field: string,
  containers: readonly JsonObject[],
  volumes: ReadonlySet<string>,
): Errors {
  if (containers.length === 0) return [required(field)];
  const names = new Set<string>();
  return containers.flatMap((container, index) => {
    const path = `${field}[${index}]`;
    const name = textOf(container['name']);
    const isTaken = names.has(name);
    names.add(name);
    return [
      ...commonErrors(path, container, volumes),
      ...(isTaken ? [duplicate(`${path}.name`, name)] : none),
      ...probeErrors(`${path}.livenessProbe`, container['livenessProbe'], true),
      ...probeErrors(`${path}.readinessProbe`, container['readinessProbe'], false),
      ...probeErrors(`${path}.startupProbe`, container['startupProbe'], true),
    ];
  });
}

const notOfInit = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'];

export function initContainerErrors(
  field: string,
  containers: readonly JsonObject[],
  others: readonly string[],
  volumes: ReadonlySet<string>,
): Errors {
  const names = new Set(others);
  return containers.flatMap((container, index) => {
    const path = `${field}[${index}]`;
    const name = textOf(container['name']);
    const isTaken = names.has(name);
    if (name !== '') names.add(name);
    const isSidecar = container['restartPolicy'] === 'Always';
    const why = 'may not be set for init containers without restartPolicy=Always';
    return [
      ...commonErrors(path, container, volumes),
      ...(isTaken ? [duplicate(`${path}.name`, name)] : none),
      ...notOfInit
        .filter((it) => !isSidecar && container[it] !== undefined)
        .map((it) => forbidden(`${path}.${it}`, why)),
    ];
  });
}

function commonErrors(field: string, container: JsonObject, volumes: ReadonlySet<string>): Errors {
  const name = textOf(container['name']);
  return [
    ...(name === '' ? [required(`${field}.name`)] : labelNameErrors(`${field}.name`, name)),
    ...(textOf(container['image']) === '' ? [required(`${field}.image`)] : none),
    ...oneOf(`${field}.terminationMessagePolicy`, container['terminationMessagePolicy'], [
      'File',
      'FallbackToLogsOnError',
    ]),
    ...portErrors(`${field}.ports`, objectsIn(container['ports'])),
    ...environmentErrors(field, container),
    ...mountErrors(`${field}.volumeMounts`, objectsIn(container['volumeMounts']), volumes),
    ...oneOf(`${field}.imagePullPolicy`, container['imagePullPolicy'], [
      'Always',
      'IfNotPresent',
      'Never',
    ]),
    ...resourceErrors(`${field}.resources`, objectOf(container['resources'])),
  ];
}

function portErrors(field: string, ports: readonly JsonObject[]): Errors {
  const names = new Set<string>();
  return ports.flatMap((port, index) => {
    const path = `${field}[${index}]`;
    const { containerPort, hostPort = 0 } = port;
    const name = textOf(port['name']);
    const wrong = name === '' ? none : portName(`${path}.name`, name);
    const isTaken = name !== '' && names.has(name);
    if (wrong.length === 0) names.add(name);
    return [
      ...wrong,
      ...(isTaken ? [duplicate(`${path}.name`, name)] : none),
      ...(containerPort === undefined || containerPort === 0
        ? [required(`${path}.containerPort`)]
        : portNumber(`${path}.containerPort`, containerPort)),
      ...(hostPort === 0 ? none : portNumber(`${path}.hostPort`, hostPort)),
      ...oneOf(`${path}.protocol`, port['protocol'], ['SCTP', 'TCP', 'UDP']),
    ];
  });
}

const variableName = /^[ -<>-~]+$/;
const variableWhy =
  "a valid environment variable name must consist only of printable ASCII characters other than '='";
const valueSources = [
  'fieldRef',
  'resourceFieldRef',
  'configMapKeyRef',
  'secretKeyRef',
  'fileKeyRef',
];

function environmentErrors(field: string, container: JsonObject): Errors {
  const variables = objectsIn(container['env']).flatMap((variable, index) => {
    const path = `${field}.env[${index}]`;
    const name = textOf(variable['name']);
    const wrong =
      name === ''
        ? [required(`${path}.name`)]
        : variableName.test(name)
          ? none
          : [invalidValue(`${path}.name`, name, variableWhy)];
    return [...wrong, ...valueFromErrors(`${path}.valueFrom`, variable)];
  });
  const sources = objectsIn(container['envFrom']).flatMap(({ configMapRef, secretRef }) => {
    if (configMapRef === undefined && secretRef === undefined) {
      const why = 'must specify one of: `configMapRef` or `secretRef`';
      return [invalidValue(`${field}.envFrom`, '', why)];
    }
    return configMapRef === undefined || secretRef === undefined
      ? none
      : [invalidValue(`${field}.envFrom`, '', moreThanOne)];
  });
  return [...variables, ...sources];
}

const moreThanOne = 'may not have more than one field specified at a time';

function valueFromErrors(field: string, { value, valueFrom }: JsonObject): Errors {
  if (!isJsonObject(valueFrom)) return none;
  const count = valueSources.filter((it) => valueFrom[it] !== undefined).length;
  if (count === 0) {
    const why =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    return [invalidValue(field, '', why)];
  }
  const references = ['configMapKeyRef', 'secretKeyRef'].flatMap((it) =>
    valueFrom[it] === undefined ? none : keyErrors(`${field}.${it}`, objectOf(valueFrom[it])),
  );
  if (textOf(value) !== '') {
    const why = 'may not be specified when `value` is not empty';
    return [...references, invalidValue(field, '', why)];
  }
  return count > 1 ? [...references, invalidValue(field, '', moreThanOne)] : references;
}

function keyErrors(field: string, { name, key }: JsonObject): Errors {
  const text = textOf(key);
  return [
    ...subdomainErrors(`${field}.name`, textOf(name)),
    ...(text === '' ? [required(`${field}.key`)] : validConfigKey(`${field}.key`, text)),
  ];
}

function mountErrors(
  field: string,
  mounts: readonly JsonObject[],
  volumes: ReadonlySet<string>,
): Errors {
  const paths = new Set<string>();
  return mounts.flatMap((mount, index) => {
    const at = `${field}[${index}]`;
    const name = textOf(mount['name']);
    const path = textOf(mount['mountPath']);
    const isTaken = paths.has(path);
    paths.add(path);
    return [
      ...(name === '' ? [required(`${at}.name`)] : none),
      ...(volumes.has(name) ? none : [notFoundValue(`${at}.name`, name)]),
      ...(path === '' ? [required(`${at}.mountPath`)] : none),
      ...(isTaken ? [invalidValue(`${at}.mountPath`, path, 'must be unique')] : none),
    ];
  });
}

function resourceErrors(field: string, resources: JsonObject): Errors {
  const limits = objectOf(resources['limits']);
  const requests = objectOf(resources['requests']);
  const tooMuch = Object.entries(requests).flatMap(([name, value]) => {
    const limit = limits[name];
    const errors = quantityErrors(`${field}.requests[${name}]`, value);
    if (limit === undefined || (nanosOf(textOf(value)) ?? 0n) <= (nanosOf(textOf(limit)) ?? 0n)) {
      return errors;
    }
    const why = `must be less than or equal to ${name} limit of ${textOf(limit)}`;
    return [...errors, invalidValue(`${field}.requests`, value, why)];
  });
  const wrong = Object.entries(limits).flatMap(([name, value]) =>
    quantityErrors(`${field}.limits[${name}]`, value),
  );
  return [...wrong, ...tooMuch];
}

const quantityErrors = (field: string, value: Json): Errors =>
  (nanosOf(textOf(value)) ?? 0n) < 0n
    ? [invalidValue(field, value, 'must be greater than or equal to 0')]
    : none;

const probeNumbers = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
];

function probeErrors(field: string, probe: Json | undefined, succeedsOnce: boolean): Errors {
  if (!isJsonObject(probe)) return none;
  const { successThreshold } = probe;
  return [
    ...actionErrors(field, probe),
    ...probeNumbers.flatMap((it) => notNegative(`${field}.${it}`, probe[it])),
    ...(succeedsOnce && successThreshold !== 1
      ? [invalidValue(`${field}.successThreshold`, successThreshold, 'must be 1')]
      : none),
  ];
}

const actions: Readonly<Record<string, (field: string, action: JsonObject) => Errors>> = {
  exec: (field, { command }) =>
    isList(command) && command.length > 0 ? none : [required(`${field}.command`)],
  httpGet: (field, { port, scheme }) => [
    ...portOrName(`${field}.port`, port),
    ...oneOf(`${field}.scheme`, scheme, ['HTTP', 'HTTPS']),
  ],
  tcpSocket: (field, { port }) => portOrName(`${field}.port`, port),
  grpc: (field, { port }) => portNumber(`${field}.port`, port),
};

function actionErrors(field: string, probe: JsonObject): Errors {
  const [first, ...others] = Object.keys(actions).filter((it) => probe[it] !== undefined);
  if (first === undefined) return [required(field, 'must specify a handler type')];
  return [
    ...(actions[first]?.(`${field}.${first}`, objectOf(probe[first])) ?? none),
    ...others.map((it) => forbidden(`${field}.${it}`, 'may not specify more than 1 handler type')),
  ];
}
