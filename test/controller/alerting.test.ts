import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Delivery } from '../../src/alerts/outbox.ts';
import type { Receiver } from '../../src/alerts/provider.ts';
import type { AlertProvider } from '../../src/api/alert-provider.ts';
import type { Canary, CanaryAnalysis } from '../../src/api/canary.ts';
import type { StringMap } from '../../src/api/kubernetes.ts';
import type { AlertText } from '../../src/canary/observation.ts';
import { createAlerting } from '../../src/controller/alerting.ts';

const signal = new AbortController().signal;
const text: AlertText = { severity: 'warn', message: 'hello', hasSettings: true };
const global: Receiver = { type: 'slack', address: 'https://g.test', channel: 'c', username: 'u' };
const onCall = { name: 'on-call', providerRef: { name: 'on-call' } };

function send(
  analysis: CanaryAnalysis,
  given: {
    readonly spec?: Partial<AlertProvider['spec']>;
    readonly secret?: StringMap;
    readonly fallback?: Receiver;
    readonly text?: AlertText;
    readonly noCrossNamespaceRefs?: boolean;
  } = {},
): readonly Delivery[] {
  const deliveries: Delivery[] = [];
  const canary: Canary = {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'podinfo', namespace: 'test' },
    spec: { targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, analysis },
  };
  const alerting = createAlerting({
    outbox: { add: (delivery) => void deliveries.push(delivery) },
    clusterName: 'c1',
    noCrossNamespaceRefs: given.noCrossNamespaceRefs ?? false,
    fallback: given.fallback,
    provider: ({ name, namespace }) =>
      name === 'none'
        ? undefined
        : {
            apiVersion: 'flagger.app/v1beta1',
            kind: 'AlertProvider',
            metadata: { name, namespace },
            spec: { type: 'slack', address: 'https://own.test', ...given.spec },
          },
    secret: async () => given.secret ?? {},
    uuid: () => 'uuid',
    now: () => Date.UTC(2026, 0, 1),
  });
  alerting(canary, given.text ?? text);
  return deliveries;
}

const only = (deliveries: readonly Delivery[]): Delivery => {
  const [first, ...others] = deliveries;
  assert.deepEqual(others, []);
  assert.ok(first);
  return first;
};

suite('what an alert says (spec/03, 4.4)', () => {
  const facts = ['Cluster', 'Target', 'Failed checks threshold', 'Progress deadline'];
  const routings: Readonly<Record<string, readonly [CanaryAnalysis, string | undefined]>> = {
    'steps of one size': [{ stepWeight: 5, maxWeight: 50 }, 'Weight step: 5 max: 50'],
    'steps of their own': [{ stepWeights: [1, 5, 10] }, 'Weight steps: 1,5,10 max: 0'],
    'A/B testing': [{ iterations: 2, match: [{ headers: {} }] }, 'A/B Testing'],
    'blue/green': [{ iterations: 2 }, 'Blue/Green'],
    'no steps': [{}, undefined],
  };
  for (const [name, [analysis, routing]] of Object.entries(routings)) {
    test(name, () => {
      const { alert } = only(send(analysis, { fallback: global }));
      assert.deepEqual(
        alert.fields.map((it) => it.name),
        routing === undefined ? facts : [...facts, 'Traffic routing'],
      );
      assert.deepEqual(
        alert.fields.slice(0, 4).map((it) => it.value),
        ['c1', 'Deployment/web.test', '1', '600s'],
      );
      assert.equal(alert.fields[4]?.value, routing);
    });
  }
  test('without the settings, only the cluster', () => {
    const { alert } = only(send({}, { fallback: global, text: { ...text, hasSettings: false } }));
    assert.deepEqual(alert.fields, [{ name: 'Cluster', value: 'c1' }]);
  });
});

function assertReceiver(
  found: Awaited<ReturnType<Delivery['resolve']>>,
  expected: Partial<Receiver>,
): void {
  assert.ok(found.ok);
  assert.deepEqual({ ...found.receiver, ...expected }, found.receiver);
}

suite('who is told', () => {
  test('the global receiver, of every severity, where the canary names none', async () => {
    const { resolve } = only(send({}, { fallback: global }));
    assert.deepEqual(await resolve(signal), { ok: true, receiver: global });
  });
  test('nobody, where there is neither', () => assert.deepEqual(send({}), []));
  test('not the global receiver, where the canary names one that does not ask for this', () => {
    const alerts = [{ ...onCall, severity: 'error' as const }];
    assert.deepEqual(send({ alerts }, { fallback: global }), []);
  });
  test('a provider that names no severity, of everything (D6, M-15)', () =>
    assert.equal(only(send({ alerts: [onCall] })).receiver, 'on-call.test'));

  const addresses: Readonly<
    Record<string, readonly [Parameters<typeof send>[1], Partial<Receiver> | string]>
  > = {
    'its address': [{}, { address: 'https://own.test', channel: 'general', username: 'flagger' }],
    'the address and the token of its Secret (M-14)': [
      { spec: { secretRef: { name: 's' } }, secret: { address: 'https://s.test\n', token: 't\n' } },
      { address: 'https://s.test', token: 't' },
    ],
    'a Secret without an address': [
      { spec: { secretRef: { name: 's' } }, secret: { token: 't' } },
      'secret does not contain an address',
    ],
    'its proxy and its channel': [
      { spec: { proxy: 'http://p.test', channel: 'ops', username: 'bot' } },
      { proxy: 'http://p.test', channel: 'ops', username: 'bot' },
    ],
  };
  for (const [name, [given, expected]] of Object.entries(addresses)) {
    test(`a provider, by ${name}`, async () => {
      const found = await only(send({ alerts: [onCall] }, given)).resolve(signal);
      if (typeof expected === 'string') assert.deepEqual(found, { ok: false, error: expected });
      else assertReceiver(found, expected);
    });
  }
  test('a provider that does not exist is said to be missing', async () => {
    const alerts = [{ name: 'a', providerRef: { name: 'none', namespace: 'ops' } }];
    const found = await only(send({ alerts })).resolve(signal);
    assert.deepEqual(found, { ok: false, error: 'alert provider none.ops not found' });
  });
  test('a provider of another namespace is out of reach where that is not allowed', async () => {
    const alerts = [{ name: 'a', providerRef: { name: 'x', namespace: 'ops' } }];
    const found = await only(send({ alerts }, { noCrossNamespaceRefs: true })).resolve(signal);
    assert.deepEqual(found, {
      ok: false,
      error: "can't access alert provider x.ops, cross-namespace references are blocked",
    });
  });
});
