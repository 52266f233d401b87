/** For receivers of one's own: the alert as it is, and the same as a CloudEvent. */
import type { Alert } from './alert.ts';
import { titleOf } from './alert.ts';
import type { AlertProvider, Receiver } from './provider.ts';
import { json } from './provider.ts';

const payload = ({ severity, canary, message, fields }: Alert): object => ({
  severity,
  name: canary.name,
  namespace: canary.namespace,
  message,
  metadata: Object.fromEntries(fields.map(({ name, value }) => [name, value])),
});

const authorization = ({ token = '' }: Receiver): Readonly<Record<string, string>> =>
  token === '' ? {} : { authorization: `Bearer ${token}` };

export const generic: AlertProvider = {
  title: 'Webhook',
  addressTitle: 'webhook',
  needsChannel: false,
  render: (alert, receiver, url) => ({
    url,
    headers: { ...json, ...authorization(receiver) },
    body: payload(alert),
  }),
};

/**
 * CloudEvents 1.0, structured mode: https://github.com/cloudevents/spec, "HTTP Protocol Binding".
 * Whoever gets one twice knows it by its id.
 */
export const cloudEvents = (stamp: {
  readonly id: string;
  readonly time: string;
}): AlertProvider => ({
  title: 'CloudEvents',
  addressTitle: 'CloudEvents sink',
  needsChannel: false,
  render: (alert, receiver, url) => ({
    url,
    headers: {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      ...authorization(receiver),
    },
    body: {
      specversion: '1.0',
      id: stamp.id,
      source: `/apis/flagger.app/v1beta1/namespaces/${alert.canary.namespace}/canaries/${alert.canary.name}`,
      type: `dev.aviary.canary.${alert.severity}`,
      subject: titleOf(alert),
      time: stamp.time,
      datacontenttype: 'application/json',
      data: payload(alert),
    },
  }),
});
