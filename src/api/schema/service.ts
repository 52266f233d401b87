/** `spec.service`: the Services and routes that the controller makes. */
import type { Properties } from './builders.ts';
import {
  array,
  boolean,
  enumOf,
  exactlyOne,
  int32,
  number,
  object,
  string,
  stringMap,
  strings,
} from './builders.ts';
import { serviceMatch } from './http-match.ts';
import { trafficPolicy } from './traffic-policy.ts';

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const namePattern = `^${label}$`;
const subdomainPattern = `^${label}(\\.${label})*$`;
const groupPattern = `^$|${subdomainPattern}`;
const kindPattern = '^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$';

/** References of the Gateway API, with its defaults and bounds. */
const gatewayApiReference = (group: string, kind: string): Properties => ({
  group: string('Group of the object.', { default: group, maxLength: 253, pattern: groupPattern }),
  kind: string('Kind of the object.', {
    default: kind,
    minLength: 1,
    maxLength: 63,
    pattern: kindPattern,
  }),
  name: string('Name of the object.', { minLength: 1, maxLength: 253 }),
  namespace: string("Namespace of the object; the canary's where not given.", {
    minLength: 1,
    maxLength: 63,
    pattern: namePattern,
  }),
  port: int32('Port of the object.', { minimum: 1, maximum: 65_535 }),
});

const gatewayRefs = array(
  'Gateways that the route is attached to (Gateway API).',
  object(
    'One Gateway, or one of its listeners.',
    {
      ...gatewayApiReference('gateway.networking.k8s.io', 'Gateway'),
      sectionName: string('Name of the listener.', {
        minLength: 1,
        maxLength: 253,
        pattern: subdomainPattern,
      }),
    },
    ['name'],
  ),
  { maxItems: 32 },
);

const mirror = array(
  'Backends that get a copy of each request (Gateway API); not the mirroring of an analysis.',
  object('One backend.', {
    backendRef: object('The backend.', gatewayApiReference('', 'Service'), ['name'], {
      'x-kubernetes-validations': [
        {
          message: 'Must have port for Service reference',
          rule: "(size(self.group) == 0 && self.kind == 'Service') ? has(self.port) : true",
        },
      ],
    }),
  }),
);

const headerOperations = (description: string) =>
  object(description, {
    add: stringMap('Headers to add, by name.'),
    set: stringMap('Headers to set, by name.'),
    remove: strings('Names of headers to remove.'),
  });

const corsPolicy = object('Cross-origin resource sharing.', {
  allowOrigin: strings('Origins that are allowed; deprecated, use allowOrigins.'),
  allowOrigins: array(
    'Conditions on origins that are allowed.',
    object(
      'Condition on the origin.',
      {
        exact: string('The origin is this text.'),
        prefix: string('The origin begins with this text.'),
        regex: string('The origin matches this RE2 expression.'),
      },
      [],
      exactlyOne(['exact'], ['prefix'], ['regex']),
    ),
  ),
  allowMethods: strings('HTTP methods that are allowed.'),
  allowHeaders: strings('Headers that are allowed.'),
  exposeHeaders: strings('Headers that scripts may read.'),
  allowCredentials: boolean('Whether credentials may be sent.'),
  maxAge: string('How long an answer to a preflight request may be kept.'),
});

const metadata = (which: string) =>
  object(`Metadata of the ${which} Service.`, {
    labels: stringMap('Labels to add.'),
    annotations: stringMap('Annotations to add.'),
  });

export const service = object(
  'The Services and routes to make.',
  {
    name: string('Name of the Service that users call; the name of the target where not given.'),
    port: number('Port of the Services.'),
    portName: string('Name of that port; http where not given.'),
    targetPort: {
      description: "Port of the container, by number or name; the Services' port where not given.",
      'x-kubernetes-int-or-string': true,
    },
    appProtocol: string('Application protocol of the port; tcp makes routes of plain TCP.'),
    trafficDistribution: enumOf('Which pods are preferred.', [
      'PreferClose',
      'PreferSameZone',
      'PreferSameNode',
    ]),
    portDiscovery: boolean("Adds the container's other ports to the Services."),
    headless: boolean('Makes headless Services.'),
    timeout: string('Timeout of a request.'),
    backendTimeout: string('Timeout of a request to one backend (Gateway API).'),
    gateways: strings('Istio gateways; mesh where not given.'),
    gatewayRefs,
    hosts: strings('Host names of the route.'),
    delegation: boolean(
      'Makes a VirtualService that others delegate to, without hosts of its own.',
    ),
    trafficPolicy,
    match: serviceMatch,
    rewrite: object('Rewrites requests.', {
      uri: string('Path, or prefix of it, to put in place.'),
      authority: string('Authority to put in place.'),
      type: string('ReplacePrefixMatch replaces the prefix, anything else the path (Gateway API).'),
    }),
    retries: object('Retries of requests.', {
      attempts: int32('Number of retries.'),
      perTryTimeout: string('Timeout of each.'),
      retryOn: string('What is retried.'),
    }),
    headers: object('Header operations.', {
      request: headerOperations('On requests.'),
      response: headerOperations('On responses.'),
    }),
    mirror,
    corsPolicy,
    meshName: string('Name of the mesh (App Mesh).'),
    backends: strings('Backends that pods call (App Mesh).'),
    apex: metadata('apex'),
    primary: metadata('primary'),
    canary: metadata('canary'),
    unmanagedMetadata: object('Keys of Services that the controller leaves as they are.', {
      annotations: strings('Keys of annotations.'),
      labels: strings('Keys of labels.'),
    }),
  },
  ['port'],
);
