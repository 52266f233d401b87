/** Admission webhooks, as a real API server asks them (`webhooks/record.ts`). */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { builtInTypes } from '../../src/cluster/builtin/types.ts';
import { createRandom } from '../../src/cluster/random.ts';
import type { ResourceType, StoredObject } from '../../src/cluster/resource-type.ts';
import { withReplicas } from '../../src/cluster/scale.ts';
import { StatusError } from '../../src/cluster/status-error.ts';
import type { WebhookClient } from '../../src/cluster/webhook-client.ts';
import { createWebhookClient } from '../../src/cluster/webhook-client.ts';
import type { Webhook, WebhookConfiguration } from '../../src/cluster/webhook-configuration.ts';
import type { AdmissionChain, AdmissionChainOptions } from '../../src/cluster/webhooks.ts';
import { createAdmissionChain } from '../../src/cluster/webhooks.ts';
import type { AdmissionRequest } from '../../src/cluster/writing.ts';
import { freePorts } from '../support/ports.ts';
import type { Authority } from './identity.ts';
import { createAuthority } from './identity.ts';
import { cases, namespaceLabels, objectOf, otherNamespace, webhooksOf } from './webhooks/cases.ts';
import type { Script, Write } from './webhooks/cases.ts';
import { lasting, portless, readGolden } from './webhooks/golden.ts';
import type { WebhookServer } from './webhooks/server.ts';
import { startWebhooks } from './webhooks/server.ts';

const golden = readGolden();
const types = builtInTypes();

function typeOf(kind: string): ResourceType {
  const type = types.find((it) => it.kind === kind);
  assert.ok(type);
  return type;
}

const configurationOf = (label: string, webhooks: readonly Webhook[]): WebhookConfiguration => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'any',
  metadata: { name: `${webhooks[0]?.name}.${label}` },
  webhooks,
});

function requestOf(name: string, it: Partial<Write>): AdmissionRequest {
  const { verb = 'create', kind = 'ConfigMap', dryRun = false, namespace = 'default' } = it;
  const type = typeOf(kind);
  const stored = type.withDefaults(objectOf(name, it) as StoredObject);
  const user = { username: 'kubernetes-admin', groups: ['system:masters'] };
  const options = (of: string) => ({ kind: of, apiVersion: 'meta.k8s.io/v1' });
  const common = { type, subresource: '', namespace, name, user, dryRun };
  switch (verb) {
    case 'create':
      return {
        ...common,
        operation: 'CREATE',
        object: stored,
        oldObject: undefined,
        options: options('CreateOptions'),
      };
    case 'update': {
      const object = { ...stored, data: { here: 'y' } };
      const asked = { object, oldObject: stored, options: options('UpdateOptions') };
      return { ...common, ...asked, operation: 'UPDATE' };
    }
    case 'delete': {
      const asked = { object: undefined, oldObject: stored, options: options('DeleteOptions') };
      return { ...common, ...asked, operation: 'DELETE' };
    }
    case 'scale': {
      const object = withReplicas(type, stored, { spec: { replicas: 3 } });
      const asked = { object, oldObject: stored, options: options('UpdateOptions') };
      return { ...common, ...asked, operation: 'UPDATE', subresource: 'scale' };
    }
  }
}

interface Outcome {
  readonly warnings: readonly string[];
  readonly object?: StoredObject | undefined;
  readonly refusal?: StatusError;
}

/** What the API server does with a write that concerns webhooks. */
async function admit(chain: AdmissionChain, request: AdmissionRequest): Promise<Outcome> {
  const warnings: string[] = [];
  const warn = (text: string): void => void warnings.push(text);
  const { type, operation, subresource } = request;
  try {
    if (!chain.concerns(type, operation, subresource)) return { warnings, object: request.object };
    const object = operation === 'DELETE' ? undefined : await chain.mutate(request, warn);
    await chain.validate({ ...request, object }, warn);
    return { warnings, object };
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    return { warnings, refusal: error };
  }
}

/** Deadlines come soon, and only to those who wait for them. */
const clock = {
  after: (ms: number, callback: () => void): (() => void) => {
    const timer = setTimeout(callback, Math.min(ms, 5_000) / 10);
    return () => clearTimeout(timer);
  },
};

const chainOptions = (changes: Partial<AdmissionChainOptions>): AdmissionChainOptions => ({
  call: () => Promise.reject(new Error('nobody is to be asked')),
  random: createRandom(1, 'webhooks'),
  labelsOf: (namespace) => (namespace === otherNamespace ? namespaceLabels : {}),
  versionsOf: () => [],
  ...changes,
});

suite('webhooks, as the API server asks them', () => {
  const scripts = new Map<string, Script>();
  let authority: Authority;
  let server: WebhookServer;
  let client: WebhookClient;
  let closedPort = 0;
  before(async () => {
    authority = await createAuthority();
    server = await startWebhooks(await authority.issueServing(), scripts);
    client = createWebhookClient({ clock, resolveService: () => undefined });
    [closedPort = 0] = await freePorts(1);
  });
  after(async () => {
    client.close();
    await server.close();
  });

  for (const [at, [title, it]] of Object.entries(cases).entries()) {
    test(title, async () => {
      const label = `case-${at}`;
      const place = {
        label,
        caBundle: Buffer.from(authority.certificatePem).toString('base64'),
        urlOf: (name: string, script: Script) => {
          const path = `/${label}/${name}`;
          scripts.set(path, script);
          return `https://127.0.0.1:${script.kind === 'closed' ? closedPort : server.port}${path}`;
        },
      };
      const chain = createAdmissionChain(chainOptions({ call: client.call }));
      chain.configure(
        webhooksOf(it.mutating, place).map((hooks) => configurationOf(label, hooks)),
        webhooksOf(it.validating, place).map((hooks) => configurationOf(label, hooks)),
      );
      server.questions.length = 0;
      const { warnings, object, refusal } = await admit(chain, requestOf(label, it.write ?? {}));

      const expected = golden[title];
      assert.ok(expected);
      assert.deepEqual(warnings, expected.warnings);
      const asked = server.questions.map(({ path, review }) => ({
        name: path.replace(/^.*\//, ''),
        request: lasting(review.request),
      }));
      assert.deepEqual(asked, expected.asked);
      if (refusal === undefined) {
        assert.ok(expected.status < 300, JSON.stringify(expected.body));
        assert.deepEqual(shown(object, it.write), expected.body);
        return;
      }
      const status = JSON.parse(portless(JSON.stringify(refusal.toStatus()))) as Said;
      assert.deepEqual(saidBy(status), saidBy(expected.body as Said));
    });
  }
});

interface Said {
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What is empty, the API server leaves out. */
function saidBy({ message, reason = '', code, details = {} }: Said): object {
  const known = Object.entries(details).filter(([, value]) => value !== '');
  return { message, reason, code, details: Object.fromEntries(known) };
}

function shown(object: StoredObject | undefined, write: Write | undefined): unknown {
  if (object === undefined) return {};
  const { data, spec } = object as {
    readonly data?: unknown;
    readonly spec?: { readonly replicas?: number };
  };
  return write?.verb === 'scale' ? { spec: { replicas: spec?.replicas } } : { data };
}

suite('what concerns nobody', () => {
  const configMaps = typeOf('ConfigMap');
  const asking = (webhook: Partial<Webhook>): AdmissionChain => {
    const chain = createAdmissionChain(chainOptions({}));
    const rules = [
      { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*', '*/*'] },
    ];
    const clientConfig = { url: 'https://nobody.test' };
    const hook: Webhook = { name: 'a.test.io', clientConfig, rules, ...webhook };
    chain.configure([], [configurationOf('x', [hook])]);
    return chain;
  };

  test('is what no webhook is configured for', () => {
    const chain = createAdmissionChain(chainOptions({}));
    assert.equal(chain.concerns(configMaps, 'CREATE', ''), false);
    chain.configure([], []);
    assert.equal(chain.concerns(configMaps, 'CREATE', ''), false);
  });
  test('ends with the next configuration', () => {
    const chain = asking({});
    assert.equal(chain.concerns(configMaps, 'CREATE', ''), true);
    chain.configure([], []);
    assert.equal(chain.concerns(configMaps, 'CREATE', ''), false);
  });
  test('is the configurations themselves: they could not be removed again', () => {
    const type = typeOf('ValidatingWebhookConfiguration');
    assert.equal(asking({}).concerns(type, 'DELETE', ''), false);
  });

  const versions: Readonly<Record<string, readonly [Partial<Webhook>, boolean]>> = {
    'another version will do': [{ matchPolicy: 'Equivalent' }, true],
    'another version will do unless it is said': [{}, true],
    'only that very version will do': [{ matchPolicy: 'Exact' }, false],
  };
  for (const [title, [webhook, expected]] of Object.entries(versions)) {
    test(title, () => {
      const older: ResourceType = { ...configMaps, version: 'v1beta1' };
      const chain = createAdmissionChain(chainOptions({ versionsOf: () => [older] }));
      const rules = [
        { operations: ['*'], apiGroups: [''], apiVersions: ['v1beta1'], resources: ['configmaps'] },
      ];
      const hook = { name: 'a.test.io', clientConfig: {}, rules, ...webhook };
      chain.configure([], [configurationOf('x', [hook])]);
      assert.equal(chain.concerns(configMaps, 'CREATE', ''), expected);
    });
  }
});

interface Shown {
  readonly kind: { readonly version: string };
  readonly requestKind: { readonly version: string };
  readonly object: StoredObject;
}

test('an equivalent version is shown in the version that was asked for', async () => {
  const configMaps = typeOf('ConfigMap');
  const reviews: object[] = [];
  const chain = createAdmissionChain(
    chainOptions({
      versionsOf: () => [{ ...configMaps, version: 'v1beta1' }],
      call: async (_, review) => {
        reviews.push(review.request);
        const { uid } = review.request;
        const patch = Buffer.from('[{"op":"add","path":"/data/a","value":"b"}]').toString('base64');
        const response = { uid, allowed: true, patchType: 'JSONPatch', patch };
        return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response };
      },
    }),
  );
  const rules = [
    { operations: ['*'], apiGroups: [''], apiVersions: ['v1beta1'], resources: ['configmaps'] },
  ];
  chain.configure([configurationOf('x', [{ name: 'a.io', clientConfig: {}, rules }])], []);
  const object = await chain.mutate(requestOf('it', {}), () => undefined);
  const [request] = reviews as [Shown];
  assert.equal(request.kind.version, 'v1beta1');
  assert.equal(request.requestKind.version, 'v1');
  assert.equal(request.object.apiVersion, 'v1beta1');
  assert.equal(object.apiVersion, 'v1');
  assert.deepEqual(object['data'], { here: 'x', a: 'b' });
});

test('a dry run does not reach webhooks with side effects', async () => {
  const chain = createAdmissionChain(chainOptions({}));
  const rules = [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] }];
  const hook: Webhook = { name: 'a.io', clientConfig: {}, rules, sideEffects: 'Some' };
  chain.configure([], [configurationOf('x', [hook])]);
  const { refusal } = await admit(chain, requestOf('it', { dryRun: true }));
  assert.equal(refusal?.message, 'admission webhook "a.io" does not support dry run');
  assert.equal(refusal?.code, 400);
});

suite('the way to a webhook', () => {
  const review = {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: { uid: 'u' },
  } as const;
  let authority: Authority;
  let server: WebhookServer;
  before(async () => {
    authority = await createAuthority();
    server = await startWebhooks(await authority.issueServing(), new Map());
  });
  after(() => server.close());
  const bundle = (): string => Buffer.from(authority.certificatePem).toString('base64');

  test('one connection serves many questions', async () => {
    const client = createWebhookClient({ clock, resolveService: () => undefined });
    const before = server.connections();
    const url = `https://127.0.0.1:${server.port}/any`;
    for (let at = 0; at < 5; at += 1) {
      const answer = await client.call({ url, caBundle: bundle() }, review, 1_000);
      assert.equal((answer as { readonly kind?: string }).kind, 'AdmissionReview');
    }
    client.close();
    assert.equal(server.connections() - before, 1);
  });
  test('a certificate of somebody else is not trusted', async () => {
    const client = createWebhookClient({ clock, resolveService: () => undefined });
    const other = Buffer.from((await createAuthority()).certificatePem).toString('base64');
    const url = `https://127.0.0.1:${server.port}/any`;
    await assert.rejects(
      client.call({ url, caBundle: other }, review, 1_000),
      /: tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
    );
    client.close();
  });
  test('a certificate must be for the name of the Service', async () => {
    const asked: unknown[] = [];
    const client = createWebhookClient({
      clock,
      resolveService: (...service) => {
        asked.push(service);
        return { host: '127.0.0.1', port: server.port };
      },
    });
    const service = { namespace: 'shop', name: 'hook', path: '/x', port: 8443 };
    await assert.rejects(
      client.call({ service, caBundle: bundle() }, review, 1_000),
      /^Error: Post "https:\/\/hook\.shop\.svc:8443\/x\?timeout=1s": tls: failed to verify/,
    );
    assert.deepEqual(asked, [['shop', 'hook', 8443]]);
    client.close();
  });
  test('a Service that is not there', async () => {
    const client = createWebhookClient({ clock, resolveService: () => undefined });
    const service = { namespace: 'shop', name: 'hook' };
    await assert.rejects(
      client.call({ service }, review, 10_000),
      /^Error: Post "https:\/\/hook\.shop\.svc:443\?timeout=10s": service "hook" not found$/,
    );
  });
});
