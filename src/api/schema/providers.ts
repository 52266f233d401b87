/** The schemas of MetricTemplate and AlertProvider. */
import { array, boolean, enumOf, mapOf, object, string } from './builders.ts';

const secretRef = (description: string) =>
  object(description, { name: string('Name of the Secret.') }, ['name']);

const metricTemplateSpec = object(
  'Where to ask, and what.',
  {
    provider: object(
      'Metric provider to ask.',
      {
        type: enumOf('Kind of provider.', [
          'prometheus',
          'influxdb',
          'datadog',
          'externalmetrics',
          'stackdriver',
          'cloudwatch',
          'newrelic',
          'graphite',
          'dynatrace',
          'keptn',
          'splunk',
        ]),
        address: string('URL of the provider.'),
        headers: mapOf('Headers to send.', array('Values of one header.', { type: 'string' })),
        secretRef: secretRef("Secret with credentials, in the template's namespace."),
        region: string('Region (CloudWatch).'),
        insecureSkipVerify: boolean("Leaves the provider's certificate unchecked."),
      },
      ['type'],
    ),
    query: string('Query, as a Go template.'),
  },
  ['provider', 'query'],
);

const alertProviderSpec = object(
  'Where to send alerts.',
  {
    type: enumOf('Kind of receiver.', [
      'slack',
      'msteams',
      'discord',
      'rocket',
      'gchat',
      'webhook',
      'cloudevents',
    ]),
    channel: string('Channel; general where not given.'),
    username: string('User name; flagger where not given.'),
    address: string('URL of the hook.'),
    proxy: string('URL of the HTTP proxy.'),
    secretRef: secretRef("Secret whose key address is the hook's URL, in the same namespace."),
  },
  [],
  // The reference's oneOf refuses what its own examples do: to give both (M-14).
  { anyOf: [{ required: ['type', 'address'] }, { required: ['type', 'secretRef'] }] },
);

export const metricTemplateSchema = {
  description: 'A query that canaries share.',
  spec: metricTemplateSpec,
};

export const alertProviderSchema = {
  description: 'A receiver of alerts that canaries share.',
  spec: alertProviderSpec,
};
