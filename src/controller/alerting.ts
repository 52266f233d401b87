/**
 * Alerts about canaries: whom each goes to, and what it says (`spec/03`, 4). The global receiver of
 * the flags hears of canaries that name no provider of their own; it has no severity filter.
 */
import type { Alert } from '../alerts/alert.ts';
import { receives } from '../alerts/alert.ts';
import type { Delivery, Outbox } from '../alerts/outbox.ts';
import type { Receiver } from '../alerts/provider.ts';
import type { AlertProvider } from '../api/alert-provider.ts';
import type { Canary, CanaryAlert } from '../api/canary.ts';
import { failureThreshold, progressDeadlineMs, strategyOf } from '../api/defaults.ts';
import type { NamespacedName, StringMap } from '../api/kubernetes.ts';
import type { AlertText } from '../canary/observation.ts';

export interface AlertingOptions {
  readonly outbox: Pick<Outbox, 'add'>;
  /** Shown on every alert where it is not empty. */
  readonly clusterName: string;
  readonly noCrossNamespaceRefs: boolean;
  /** Hears of canaries without alerts of their own. */
  readonly fallback: Receiver | undefined;
  readonly provider: (key: NamespacedName) => AlertProvider | undefined;
  /** Decoded data of a Secret; rejects where it cannot be read. */
  readonly secret: (namespace: string, name: string) => Promise<StringMap>;
  readonly uuid: () => string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export type SendAlert = (canary: Canary, text: AlertText) => void;

const channelDefault = 'general';
const usernameDefault = 'flagger';

export function createAlerting(options: AlertingOptions): SendAlert {
  const { outbox, fallback, uuid, now } = options;
  return (canary, text) => {
    const alert = alertOf(canary, text, options.clusterName);
    const post = (receiver: string, resolve: Delivery['resolve']): void => {
      const stamp = { id: uuid(), time: new Date(now()).toISOString() };
      outbox.add({ alert, stamp, receiver, resolve });
    };
    const own = canary.spec.analysis?.alerts ?? [];
    if (own.length === 0 && fallback !== undefined) {
      post('the global receiver', async () => ({ ok: true, receiver: fallback }));
    }
    for (const wanted of own.filter(({ severity }) => receives(severity, text.severity))) {
      const key = providerKey(canary, wanted);
      post(`${key.name}.${key.namespace}`, () => resolve(canary, key, options));
    }
  };
}

const providerKey = ({ metadata }: Canary, { providerRef }: CanaryAlert): NamespacedName => ({
  namespace: providerRef.namespace || (metadata.namespace ?? ''),
  name: providerRef.name,
});

async function resolve(
  { metadata }: Canary,
  key: NamespacedName,
  { provider, secret, noCrossNamespaceRefs }: AlertingOptions,
): ReturnType<Delivery['resolve']> {
  if (noCrossNamespaceRefs && key.namespace !== metadata.namespace) {
    const error = `can't access alert provider ${key.name}.${key.namespace}, cross-namespace references are blocked`;
    return { ok: false, error };
  }
  const found = provider(key);
  if (found === undefined) {
    return { ok: false, error: `alert provider ${key.name}.${key.namespace} not found` };
  }
  const { type, secretRef, proxy, channel, username } = found.spec;
  const data = secretRef === undefined ? undefined : await secret(key.namespace, secretRef.name);
  if (data !== undefined && data['address'] === undefined) {
    return { ok: false, error: 'secret does not contain an address' };
  }
  const { address = found.spec.address ?? '', token } = data ?? {};
  return {
    ok: true,
    receiver: {
      type,
      address: address.trim(),
      channel: channel || channelDefault,
      username: username || usernameDefault,
      ...(token !== undefined && { token: token.trim() }),
      ...(proxy !== undefined && { proxy }),
    },
  };
}

function alertOf(canary: Canary, text: AlertText, clusterName: string): Alert {
  const { name, namespace = '' } = canary.metadata;
  const cluster = clusterName === '' ? [] : [{ name: 'Cluster', value: clusterName }];
  return {
    severity: text.severity,
    canary: { namespace, name },
    message: text.message,
    fields: [...cluster, ...(text.hasSettings ? settingsOf(canary) : [])],
  };
}

function settingsOf(canary: Canary) {
  const { targetRef } = canary.spec;
  const target = `${targetRef.kind}/${targetRef.name}.${canary.metadata.namespace ?? ''}`;
  const routing = trafficRouting(canary);
  return [
    { name: 'Target', value: target },
    { name: 'Failed checks threshold', value: String(failureThreshold(canary)) },
    { name: 'Progress deadline', value: `${progressDeadlineMs(canary) / 1000}s` },
    ...(routing === undefined ? [] : [{ name: 'Traffic routing', value: routing }]),
  ];
}

function trafficRouting(canary: Canary): string | undefined {
  const { stepWeight = 0, stepWeights = [], maxWeight = 0 } = canary.spec.analysis ?? {};
  switch (strategyOf(canary)) {
    case 'ab-testing':
      return 'A/B Testing';
    case 'blue-green':
      return 'Blue/Green';
    case 'canary':
      if (stepWeight > 0) return `Weight step: ${stepWeight} max: ${maxWeight}`;
      if (stepWeights.length === 0) return undefined;
      return `Weight steps: ${stepWeights.join(',')} max: ${maxWeight}`;
  }
}
