/**
 * What is wrong with a kind that says where requests go.
 * Rules: Kubernetes, `pkg/apis/{core,discovery,networking}/validation/validation.go`.
 */
import { isIP } from 'node:net';
import type { Json } from '../../api/kubernetes.ts';
import { isEqual } from '../json.ts';
import { labelNameErrors, qualifiedNameErrors, subdomainErrors } from '../metadata.ts';
import type { ResourceType } from '../resource-type.ts';
import { forbidden, required } from '../schema/field-errors.ts';
import type { JsonObject } from './defaulting.ts';
import { isJsonObject, isList, objectOf, objectsIn, textOf } from './defaulting.ts';
import type { Errors } from './field-errors.ts';
import {
  duplicate,
  immutable,
  invalidValue,
  none,
  oneOf,
  portName,
  portNumber,
} from './field-errors.ts';
import { validatingSpec } from './workload-validation.ts';

type Validate = ResourceType['validate'];

export const validateEndpoints: Validate = (object, before) =>
  before !== undefined && before['subsets'] === object['subsets']
    ? none
    : objectsIn(object['subsets']).flatMap((subset, index) =>
        subsetErrors(`subsets[${index}]`, subset),
      );

function subsetErrors(field: string, subset: JsonObject): Errors {
  const ports = objectsIn(subset['ports']);
  const addresses = ['addresses', 'notReadyAddresses'].flatMap((name) =>
    objectsIn(subset[name]).flatMap(({ ip }, index) =>
      endpointAddressErrors(`${field}.${name}[${index}].ip`, textOf(ip)),
    ),
  );
  return [
    ...addresses,
    ...ports.flatMap(({ name, port, protocol }, index) => {
      const at = `${field}.ports[${index}]`;
      const text = textOf(name);
      const isUnnamed = text === '' && ports.length > 1;
      return [
        ...(isUnnamed ? [required(`${at}.name`)] : none),
        ...(text === '' ? none : labelNameErrors(`${at}.name`, text)),
        ...portNumber(`${at}.port`, port),
        ...oneOf(`${at}.protocol`, protocol, ['SCTP', 'TCP', 'UDP']),
      ];
    }),
  ];
}

const addressWhy = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';

const addressErrors = (field: string, address: string): Errors =>
  isIP(address) === 0 ? [invalidValue(field, address, addressWhy)] : none;

/** Looked at twice, and so told twice. */
const endpointAddressErrors = (field: string, address: string): Errors =>
  isIP(address) === 0
    ? [...addressErrors(field, address), invalidValue(field, address, 'must be a valid IP address')]
    : placeErrors(field, address);

/** Addresses that are not the same from everywhere. */
const places: readonly (readonly [RegExp, string])[] = [
  [/^(?:0\.0\.0\.0|::)$/, 'may not be unspecified'],
  [/^(?:127\.|::1$)/, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  [
    /^(?:169\.254\.|fe[89ab][0-9a-f]:)/i,
    'may not be in the link-local range (169.254.0.0/16, fe80::/10)',
  ],
  [
    /^(?:224\.0\.0\.|ff02:)/i,
    'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
  ],
];

const placeErrors = (field: string, address: string): Errors =>
  places
    .filter(([pattern]) => pattern.test(address))
    .map(([, why]) =>
      invalidValue(field, address, why.endsWith('unspecified') ? `${why} (${address})` : why),
    );

const addressTypes = ['FQDN', 'IPv4', 'IPv6'];

export const validateEndpointSlice: Validate = (object, before) => {
  const addressType = object['addressType'] as Json | undefined;
  if (before !== undefined && before['addressType'] !== addressType) {
    return [immutable('addressType', addressType)];
  }
  if (before?.['endpoints'] === object['endpoints'] && before?.['ports'] === object['ports']) {
    return none;
  }
  const type = textOf(addressType);
  return [
    ...(type === '' ? [required('addressType')] : oneOf('addressType', addressType, addressTypes)),
    ...slicePortErrors(objectsIn(object['ports'])),
    ...objectsIn(object['endpoints']).flatMap((it, index) =>
      endpointErrors(`endpoints[${index}]`, it, type),
    ),
  ];
};

function slicePortErrors(ports: readonly JsonObject[]): Errors {
  const names = new Set<string>();
  return ports.flatMap(({ name, protocol, appProtocol }, index) => {
    const field = `ports[${index}]`;
    const text = textOf(name);
    const isTaken = names.has(text);
    names.add(text);
    return [
      ...(text === '' ? none : labelNameErrors(`${field}.name`, text)),
      ...(isTaken ? [duplicate(`${field}.name`, text)] : none),
      ...oneOf(`${field}.protocol`, protocol, ['SCTP', 'TCP', 'UDP']),
      ...(appProtocol === undefined
        ? none
        : qualifiedNameErrors(`${field}.appProtocol`, textOf(appProtocol))),
    ];
  });
}

function endpointErrors(field: string, endpoint: JsonObject, type: string): Errors {
  const { addresses, hostname } = endpoint;
  const given = isList(addresses) ? addresses.map(textOf) : [];
  const isOfType = { IPv4: 4, IPv6: 6 }[type];
  return [
    ...(given.length === 0
      ? [required(`${field}.addresses`, 'must contain at least 1 address')]
      : none),
    ...given.flatMap((it, index) => {
      if (isOfType === undefined) return none;
      const version = isIP(it);
      if (version === 0) return addressErrors(`${field}.addresses[${index}]`, it);
      return [
        ...(version === isOfType
          ? none
          : [invalidValue(`${field}.addresses`, it, `must be an ${type} address`)]),
        ...placeErrors(`${field}.addresses[${index}]`, it),
      ];
    }),
    ...(hostname === undefined ? none : labelNameErrors(`${field}.hostname`, textOf(hostname))),
  ];
}

export const validateIngress = validatingSpec((spec) => {
  const { defaultBackend, ingressClassName } = spec;
  const rules = objectsIn(spec['rules']);
  const why = 'either `defaultBackend` or `rules` must be specified';
  const isNothing = rules.length === 0 && defaultBackend === undefined;
  return [
    ...(isNothing ? [invalidValue('spec', null, why)] : none),
    ...(defaultBackend === undefined
      ? none
      : backendErrors('spec.defaultBackend', objectOf(defaultBackend))),
    ...rules.flatMap((rule, index) => ruleErrors(`spec.rules[${index}]`, rule)),
    ...objectsIn(spec['tls']).flatMap((tls, index) => tlsErrors(`spec.tls[${index}]`, tls)),
    ...(ingressClassName === undefined
      ? none
      : subdomainErrors('spec.ingressClassName', textOf(ingressClassName))),
  ];
});

function hostErrors(field: string, host: string): Errors {
  // One label may be a star.
  return subdomainErrors(field, host.startsWith('*.') ? host.slice(2) : host);
}

function tlsErrors(field: string, { hosts, secretName }: JsonObject): Errors {
  const all = isList(hosts) ? hosts.map(textOf) : [];
  const secret = textOf(secretName);
  return [
    ...all.flatMap((it, index) => hostErrors(`${field}.hosts[${index}]`, it)),
    ...(secret === '' ? none : subdomainErrors(`${field}.secretName`, secret)),
  ];
}

function ruleErrors(field: string, { host, http }: JsonObject): Errors {
  const name = textOf(host);
  const isAddress = isIP(name) !== 0;
  const why = 'must be a DNS name, not an IP address';
  const paths = isJsonObject(http) ? objectsIn(http['paths']) : undefined;
  return [
    ...(isAddress ? [invalidValue(`${field}.host`, name, why)] : none),
    ...(name === '' ? none : hostErrors(`${field}.host`, name)),
    ...(paths?.length === 0 ? [required(`${field}.http.paths`)] : none),
    ...(paths ?? []).flatMap((it, index) => pathErrors(`${field}.http.paths[${index}]`, it)),
  ];
}

const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix'];
const notInPath = ['//', '/./', '/../', '%2f', '%2F'];
const notAtEnd = ['/..', '/.'];

function pathErrors(field: string, { path, pathType, backend }: JsonObject): Errors {
  const type = textOf(pathType);
  if ((pathType ?? null) === null) {
    return [required(`${field}.pathType`, 'pathType must be specified')];
  }
  const text = textOf(path);
  const isLoose = type === 'ImplementationSpecific';
  const isAbsolute = text.startsWith('/') || (text === '' && isLoose);
  const wrong = (why: string) => invalidValue(`${field}.path`, text, why);
  return [
    ...(pathTypes.includes(type) && !isAbsolute ? [wrong('must be an absolute path')] : none),
    ...(type === 'Exact' || type === 'Prefix'
      ? [
          ...notInPath
            .filter((it) => text.includes(it))
            .map((it) => wrong(`must not contain '${it}'`)),
          ...notAtEnd
            .filter((it) => text.endsWith(it))
            .map((it) => wrong(`cannot end with '${it}'`)),
        ]
      : none),
    ...oneOf(`${field}.pathType`, pathType, pathTypes),
    ...backendErrors(`${field}.backend`, objectOf(backend)),
  ];
}

function backendErrors(field: string, { service, resource }: JsonObject): Errors {
  if (resource !== undefined) {
    const why = 'cannot set both resource and service backends';
    return service === undefined ? none : [invalidValue(field, '', why)];
  }
  if (service === undefined) {
    return [invalidValue(field, '', 'resource or service backend is required')];
  }
  const { name, port } = objectOf(service);
  const text = textOf(name);
  const inner = `${field}.service`;
  return [
    ...(text === '' ? [required(`${inner}.name`)] : labelNameErrors(`${inner}.name`, text)),
    ...backendPortErrors(field, objectOf(port)),
  ];
}

function backendPortErrors(field: string, { number = 0, name }: JsonObject): Errors {
  const text = textOf(name);
  if (text !== '' && number !== 0) {
    return [invalidValue(field, '', 'cannot set both port name & port number')];
  }
  if (text !== '') return portName(`${field}.service.port.name`, text);
  return number === 0
    ? [required(field, 'port name or number is required')]
    : portNumber(`${field}.service.port.number`, number);
}

export const validateIngressClass = validatingSpec((spec, before) => {
  const { controller, parameters } = spec;
  const isSame = before === undefined || isEqual(before['controller'], controller);
  return [
    ...(textOf(controller) === '' ? [required('spec.controller')] : none),
    ...(isJsonObject(parameters) ? parameterErrors('spec.parameters', parameters) : none),
    ...(isSame ? none : [immutable('spec.controller', controller)]),
  ];
});

function parameterErrors(field: string, { kind, name, scope, namespace }: JsonObject): Errors {
  const isNamespaced = scope === 'Namespace';
  return [
    ...(textOf(kind) === '' ? [required(`${field}.kind`)] : none),
    ...(textOf(name) === '' ? [required(`${field}.name`)] : none),
    ...oneOf(`${field}.scope`, scope, ['Cluster', 'Namespace']),
    ...(isNamespaced && namespace === undefined
      ? [required(`${field}.namespace`, "`parameters.scope` is set to 'Namespace'")]
      : none),
    ...(scope === 'Cluster' && namespace !== undefined
      ? [forbidden(`${field}.namespace`, "`parameters.scope` is set to 'Cluster'")]
      : none),
  ];
}

/** Peers in a policy are of some kind. */
export const validateNetworkPolicy = validatingSpec((spec) =>
  [
    { rules: 'ingress', peers: 'from' },
    { rules: 'egress', peers: 'to' },
  ].flatMap(({ rules, peers }) =>
    objectsIn(spec[rules]).flatMap((rule, index) =>
      objectsIn(rule[peers]).flatMap((peer, at) =>
        peerErrors(`spec.${rules}[${index}].${peers}[${at}]`, peer),
      ),
    ),
  ),
);

function peerErrors(field: string, peer: JsonObject): Errors {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  const hasSelector = podSelector !== undefined || namespaceSelector !== undefined;
  if (!hasSelector && ipBlock === undefined) return [required(field, 'must specify a peer')];
  return hasSelector && ipBlock !== undefined
    ? [forbidden(field, 'may not specify both ipBlock and another peer')]
    : none;
}
