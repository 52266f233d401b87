import assert from 'node:assert/strict';
import { beforeEach, suite, test } from 'node:test';
import type { RegistrationOptions, WebhookAddress } from '../../src/admission/registration.ts';
import {
  ensureRegistration,
  renderMutatingConfiguration,
  renderValidatingConfiguration,
} from '../../src/admission/registration.ts';
import { ApiError } from '../../src/kube/api-error.ts';
import type { OpenObject } from '../../src/kube/resources.ts';
import type { ObjectStore } from '../support/object-store.ts';
import { createObjectStore } from '../support/object-store.ts';

const { signal } = new AbortController();
const service: WebhookAddress = {
  kind: 'Service',
  namespace: 'aviary-system',
  name: 'aviary',
  port: 443,
};
const url: WebhookAddress = { kind: 'Url', url: 'https://127.0.0.1:9443/' };
const inCluster: RegistrationOptions = { address: service, user: 'controller', caBundle: 'CA 1' };
const outside: RegistrationOptions = { ...inCluster, address: url };

const plurals = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'] as const;

let store: ObjectStore;
beforeEach(() => {
  store = createObjectStore();
});

type Webhook = Readonly<Record<string, unknown>>;

function webhooksOf(configuration: unknown): readonly Webhook[] {
  return (configuration as OpenObject)['webhooks'] as readonly Webhook[];
}
const live = (plural: string): readonly Webhook[] => webhooksOf(store.read(plural, 'aviary'));

/** What the API server makes of what is not said (admissionregistration.k8s.io/v1). */
function addDefaults(): void {
  for (const plural of plurals) {
    const found = store.read(plural, 'aviary');
    if (found === undefined) continue;
    const webhooks = webhooksOf(found).map((webhook) => ({ objectSelector: {}, ...webhook }));
    store.write(plural, { ...found, webhooks } as OpenObject);
  }
}

const writes = (): readonly string[] => store.calls.filter((call) => !call.startsWith('get'));

suite('the address', () => {
  const rows: Record<string, [WebhookAddress, object]> = {
    'is a URL outside of the cluster': [url, { url: 'https://127.0.0.1:9443/mutate' }],
    'is a Service inside': [
      service,
      { service: { namespace: 'aviary-system', name: 'aviary', path: '/mutate', port: 443 } },
    ],
  };
  for (const [sentence, [address, expected]] of Object.entries(rows)) {
    test(sentence, () => {
      const [webhook] = webhooksOf(renderMutatingConfiguration({ address, user: 'controller' }));
      assert.deepEqual(webhook?.['clientConfig'], expected);
    });
  }

  test('comes with the CA where it is known, in base64', () => {
    const [webhook] = webhooksOf(renderValidatingConfiguration(outside));
    assert.deepEqual(webhook?.['clientConfig'], {
      url: 'https://127.0.0.1:9443/validate',
      caBundle: Buffer.from('CA 1').toString('base64'),
    });
  });
});

test('a user name cannot end the expression that it stands in', () => {
  const [webhook] = webhooksOf(renderMutatingConfiguration({ ...inCluster, user: 'a" || "b\\' }));
  const conditions = webhook?.['matchConditions'] as { name: string; expression: string }[];
  const { expression } = conditions.find(({ name }) => name === 'not-aviary') ?? assert.fail();
  assert.equal(expression, String.raw`request.userInfo.username != "a\" || \"b\\"`);
});

test('a controller of one namespace is asked about that one only', () => {
  for (const [namespace, expected] of [
    ['shop', { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } }],
    ['', {}],
  ] as const) {
    for (const render of [renderMutatingConfiguration, renderValidatingConfiguration]) {
      const [webhook] = webhooksOf(render({ ...inCluster, namespace }));
      assert.deepEqual(webhook?.['namespaceSelector'], expected);
    }
  }
});

suite('registering', () => {
  test('creates what is missing', async () => {
    await ensureRegistration(store, inCluster, signal);
    assert.deepEqual(
      writes(),
      plurals.map((plural) => `create ${plural}`),
    );
    assert.deepEqual(live(plurals[0]), webhooksOf(renderMutatingConfiguration(inCluster)));
  });

  test('writes nothing where nothing differs but the defaults of the API server', async () => {
    await ensureRegistration(store, inCluster, signal);
    addDefaults();
    const before = store.calls.length;
    await ensureRegistration(store, inCluster, signal);
    assert.deepEqual(
      store.calls.slice(before),
      plurals.map((plural) => `get ${plural}`),
    );
  });

  const changes: Record<string, (webhook: Webhook) => Webhook> = {
    'a caBundle that somebody removed': ({ clientConfig, ...rest }) => {
      const { caBundle: _, ...address } = clientConfig as Record<string, unknown>;
      return { ...rest, clientConfig: address };
    },
    'another failure policy': (webhook) => ({ ...webhook, failurePolicy: 'Fail' }),
    'a condition that is gone': (webhook) => ({ ...webhook, matchConditions: [] }),
    'a rule too many': (webhook) => ({
      ...webhook,
      rules: [...(webhook['rules'] as object[]), { resources: ['pods'] }],
    }),
    'a selector of namespaces': (webhook) => ({
      ...webhook,
      namespaceSelector: { matchLabels: { team: 'a' } },
    }),
  };
  for (const [what, change] of Object.entries(changes)) {
    test(`puts right ${what}`, async () => {
      await ensureRegistration(store, inCluster, signal);
      const [plural] = plurals;
      const found = store.read(plural, 'aviary') ?? assert.fail();
      const webhooks = webhooksOf(found).map(change);
      store.write(plural, { ...found, webhooks } as OpenObject);
      await ensureRegistration(store, inCluster, signal);
      assert.equal(writes().at(-1), `patch ${plural}`);
      assert.deepEqual(live(plural), webhooksOf(renderMutatingConfiguration(inCluster)));
    });
  }

  test('takes the manifest as it was applied, and adds the CA', async () => {
    const { caBundle: _, ...manifest } = inCluster;
    await ensureRegistration(store, manifest, signal);
    await ensureRegistration(store, inCluster, signal);
    assert.deepEqual(
      writes().slice(2),
      plurals.map((plural) => `patch ${plural}`),
    );
  });

  for (const [name, from, to] of [
    ['a Service to a URL', inCluster, outside],
    ['a URL to a Service', outside, inCluster],
  ] as const) {
    test(`from ${name}, nothing is left of the former address`, async () => {
      await ensureRegistration(store, from, signal);
      await ensureRegistration(store, to, signal);
      assert.deepEqual(live(plurals[0]), webhooksOf(renderMutatingConfiguration(to)));
      assert.deepEqual(live(plurals[1]), webhooksOf(renderValidatingConfiguration(to)));
    });
  }

  test('of replicas that start together ends well, whoever was first', async () => {
    await Promise.all([1, 2, 3].map(() => ensureRegistration(store, inCluster, signal)));
    assert.deepEqual(live(plurals[0]), webhooksOf(renderMutatingConfiguration(inCluster)));
  });

  test('looks again where somebody wrote, or deleted it, between the look and the patch', async () => {
    await ensureRegistration(store, inCluster, signal);
    const [plural] = plurals;
    const found = store.read(plural, 'aviary') ?? assert.fail();
    const interruptions = [
      () => store.write(plural, { ...found, webhooks: [] } as OpenObject),
      () => store.remove(plural, 'aviary'),
    ];
    for (const [index, interrupt] of interruptions.entries()) {
      const caBundle = `CA ${index + 2}`;
      store.before = (call) => {
        if (call !== `patch ${plural}`) return;
        store.before = () => undefined;
        interrupt();
      };
      await ensureRegistration(store, { ...inCluster, caBundle }, signal);
      const expected = renderMutatingConfiguration({ ...inCluster, caBundle });
      assert.deepEqual(live(plural), webhooksOf(expected));
    }
  });

  test('gives up after five conflicts, and at once where it may not', async () => {
    for (const [code, reason, tries] of [
      [409, 'AlreadyExists', 5],
      [403, 'Forbidden', 1],
    ] as const) {
      let creations = 0;
      store.before = (call) => {
        if (call.startsWith('get')) return;
        creations += 1;
        throw new ApiError('create', { code, reason });
      };
      await assert.rejects(ensureRegistration(store, inCluster, signal), { reason });
      assert.equal(creations, tries);
    }
  });
});
