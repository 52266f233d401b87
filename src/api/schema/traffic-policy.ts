/** `service.trafficPolicy`: what is copied to Istio's DestinationRules. */
import {
  array,
  boolean,
  enumOf,
  exactlyOne,
  int32,
  integer,
  mapOf,
  object,
  string,
  strings,
} from './builders.ts';

const http = object('Limits on HTTP connections.', {
  h2UpgradePolicy: enumOf('Whether connections are upgraded to HTTP/2.', [
    'DEFAULT',
    'DO_NOT_UPGRADE',
    'UPGRADE',
  ]),
  http1MaxPendingRequests: int32('Requests that may wait for a connection.'),
  http2MaxRequests: int32('Requests that may be active at once.'),
  idleTimeout: string('How long a connection may be idle.'),
  maxRequestsPerConnection: int32('Requests that a connection may carry.'),
  maxRetries: int32('Retries that may be active at once.'),
});

const hashKeys = ['httpHeaderName', 'httpCookie', 'useSourceIp', 'httpQueryParameterName'];

const consistentHash = object('Balances by a hash of the request.', {
  httpHeaderName: string('Hash of this header.'),
  httpCookie: object('Hash of a cookie.', {
    name: string('Name of the cookie.'),
    path: string('Path that is set for the cookie.'),
    ttl: string('Lifetime of the cookie.'),
  }),
  useSourceIp: boolean('Hash of the source address.'),
  httpQueryParameterName: string('Hash of this query parameter.'),
  minimumRingSize: integer('Virtual nodes of the hash ring, at least.'),
});

const localityLbSetting = object('Balances by locality.', {
  distribute: array(
    'Shares by locality; excludes failover.',
    object('Shares of one origin.', {
      from: string('Origin, as REGION/ZONE/SUB-ZONE.'),
      to: mapOf('Shares by destination.', { type: 'integer' }),
    }),
  ),
  failover: array(
    'Where traffic goes when a region fails; excludes distribute.',
    object('One region.', {
      from: string('Region that fails.'),
      to: string('Region that takes over.'),
    }),
  ),
  enabled: boolean('Overrides the setting of the mesh.'),
});

const loadBalancer = object(
  'How requests are spread over pods.',
  {
    simple: enumOf('One of the simple algorithms.', [
      'ROUND_ROBIN',
      'LEAST_CONN',
      'RANDOM',
      'PASSTHROUGH',
      'LEAST_REQUEST',
    ]),
    consistentHash,
    localityLbSetting,
    warmupDurationSecs: string('How long a new pod gets less than its share.'),
  },
  [],
  {
    oneOf: [
      { required: ['simple'] },
      {
        required: ['consistentHash'],
        properties: { consistentHash: exactlyOne(...hashKeys.map((key) => [key])) },
      },
    ],
  },
);

const outlierDetection = object('When unhealthy pods are taken out.', {
  baseEjectionTime: string('How long a pod is taken out, at least.'),
  consecutive5xxErrors: integer('5xx answers in a row.'),
  consecutiveErrors: int32('Errors in a row.'),
  consecutiveGatewayErrors: int32('Gateway errors in a row.'),
  consecutiveLocalOriginFailures: int32(
    'Failures to connect in a row; needs splitExternalLocalOriginErrors.',
  ),
  interval: string('How often pods are looked at.'),
  maxEjectionPercent: int32('Share of pods that may be taken out, in percent.'),
  minHealthPercent: int32('Share of healthy pods below which nothing is taken out, in percent.'),
  splitExternalLocalOriginErrors: boolean('Tells failures to connect from errors that pods send.'),
});

const tls = object('TLS to the pods.', {
  mode: enumOf('Kind of TLS.', ['DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL']),
  clientCertificate: string('File of the certificate; required for MUTUAL.'),
  privateKey: string('File of the key; required for MUTUAL.'),
  caCertificates: string('File of the CAs.'),
  sni: string('Server name that is sent.'),
  subjectAltNames: strings('Names that the certificate may have.'),
});

export const trafficPolicy = object('Traffic policy of both DestinationRules (Istio).', {
  connectionPool: object('Limits on connections.', { http }),
  loadBalancer,
  outlierDetection,
  tls,
});
