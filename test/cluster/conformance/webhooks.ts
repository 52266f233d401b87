/** Admission webhooks are asked about what they registered for, and what they answer holds. */
import assert from 'node:assert/strict';
import { assertLike, at, textAt } from './match.ts';
import { configMap, configMaps, deployment, deployments } from './paths.ts';
import type { Chapter, Ground } from './site.ts';
import type { Review, Verdict, WebhookServer } from './webhook-server.ts';
import { startWebhookServer } from './webhook-server.ts';

const api = '/apis/admissionregistration.k8s.io/v1';
const collections = {
  Mutating: `${api}/mutatingwebhookconfigurations`,
  Validating: `${api}/validatingwebhookconfigurations`,
};

interface Hook {
  readonly kind?: keyof typeof collections;
  readonly answer: (review: Review) => Verdict;
  /** Over what is registered otherwise. */
  readonly webhook?: object;
}

interface Stage {
  readonly ground: Ground;
  readonly namespace: string;
  /** ConfigMaps in it, for which the webhooks are asked. */
  readonly path: string;
  readonly server: WebhookServer;
  /** Resolves when the API server asks it. Answers its name in messages. */
  readonly register: (hook: Hook) => Promise<string>;
}

/** A namespace with webhooks of its own. All are gone at the end. */
async function staged(ground: Ground, play: (stage: Stage) => Promise<void>): Promise<void> {
  const server = await startWebhookServer();
  const namespace = await ground.namespace();
  const path = configMaps(namespace);
  const registered: string[] = [];
  const register: Stage['register'] = async ({ kind = 'Mutating', answer, webhook = {} }) => {
    const id = ground.name('hook');
    const name = `${id}.conformance.test`;
    const url = server.urlOf(id, answer);
    const created = await ground.calls.create(collections[kind], {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: `${kind}WebhookConfiguration`,
      metadata: { name: id },
      webhooks: [
        {
          name,
          clientConfig: { url, caBundle: server.caBundle },
          rules: [rule('', 'configmaps', ['CREATE', 'UPDATE', 'DELETE'])],
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          timeoutSeconds: 5,
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
          ...webhook,
        },
      ],
    });
    assert.equal(created.code, 201, textAt(created.body, 'message'));
    registered.push(`${collections[kind]}/${id}`);
    await ground.until(`${id} is asked`, async () => {
      const { code } = await ground.calls.create(path, configMap('probe'), { dryRun: 'All' });
      return server.reviewsOf(id).length > 0 || code >= 500;
    });
    return name;
  };
  try {
    await play({ ground, namespace, path, server, register });
  } finally {
    for (const path of registered) await ground.calls.delete(path);
    await server.close();
  }
}

const rule = (group: string, resource: string, operations: readonly string[]): object => ({
  operations,
  apiGroups: [group],
  apiVersions: ['v1'],
  resources: [resource],
});

const allow = (): Verdict => ({ allowed: true });
const adding = (key: string, value: string) => (): Verdict => ({
  allowed: true,
  patch: [{ op: 'add', path: '/data', value: { [key]: value } }],
});
const nameIn = (review: Review): string => textAt(review, 'name');
/** Of a webhook: the reviews about what the test did, not those of the registration. */
const seriousOf = (reviews: readonly Review[]): readonly Review[] =>
  reviews.filter((review) => nameIn(review) !== 'probe');
const idOf = (name: string): string => name.split('.')[0] ?? '';

export const webhooks: Chapter = {
  title: 'admission webhooks',
  needsKubectl: false,
  tests: {
    'are asked what is to be done, by whom, to what': (ground) =>
      staged(ground, async ({ path, namespace, server, register }) => {
        const { calls } = ground;
        const id = idOf(await register({ answer: allow }));
        const query = { fieldManager: 'someone' };
        await calls.create(path, configMap('a', { x: '1' }), query);
        await calls.replace(`${path}/a`, configMap('a', { x: '2' }), query);
        await calls.delete(`${path}/a`);
        const [created, updated, deleted, ...more] = seriousOf(server.reviewsOf(id));
        assert.deepEqual(more, []);
        const resource = { group: '', version: 'v1', resource: 'configmaps' };
        const kind = { group: '', version: 'v1', kind: 'ConfigMap' };
        assertLike(created, {
          kind,
          resource,
          requestKind: kind,
          requestResource: resource,
          name: 'a',
          namespace,
          operation: 'CREATE',
          object: {
            kind: 'ConfigMap',
            apiVersion: 'v1',
            metadata: { name: 'a', namespace },
            data: { x: '1' },
          },
          oldObject: null,
          dryRun: false,
          options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'someone' },
        });
        assert.ok(textAt(created, 'userInfo.username') !== '');
        assert.ok((at(created, 'userInfo.groups') as readonly string[]).includes('system:masters'));
        assertLike(updated, {
          operation: 'UPDATE',
          object: { data: { x: '2' } },
          oldObject: { kind: 'ConfigMap', apiVersion: 'v1', data: { x: '1' } },
          options: { kind: 'UpdateOptions' },
        });
        assertLike(deleted, {
          operation: 'DELETE',
          object: null,
          oldObject: { data: { x: '2' } },
          options: { kind: 'DeleteOptions' },
        });
      }),
    'change what is stored': (ground) =>
      staged(ground, async ({ path, register }) => {
        await register({ answer: adding('y', '2') });
        const created = await ground.calls.create(path, configMap('a', { x: '1' }));
        assertLike(created, { code: 201, body: { data: { x: undefined, y: '2' } } });
        const { body } = await ground.calls.get(`${path}/a`);
        assert.deepEqual(at(body, 'data'), { y: '2' });
      }),
    'are asked in the order of their names, each after what the one before did': (ground) =>
      staged(ground, async ({ path, server, register }) => {
        await register({ answer: adding('first', '1') });
        const second = idOf(await register({ answer: allow }));
        const last = idOf(await register({ kind: 'Validating', answer: allow }));
        await ground.calls.create(path, configMap('a', { x: '1' }));
        for (const id of [second, last]) {
          const [review] = seriousOf(server.reviewsOf(id));
          assert.deepEqual(at(review, 'object.data'), { first: '1' }, id);
        }
      }),
    'what they made of it must be valid': (ground) =>
      staged(ground, async ({ path, register }) => {
        const value = { 'not valid': '1' };
        await register({
          answer: () => ({ allowed: true, patch: [{ op: 'replace', path: '/data', value }] }),
        });
        const refused = await ground.calls.create(path, configMap('a'));
        assertLike(refused, { code: 422, body: { reason: 'Invalid' } });
      }),
    'refuse, in their own words': (ground) =>
      staged(ground, async ({ path, register }) => {
        const verdicts: Readonly<Record<string, Verdict>> = {
          plain: { allowed: false },
          said: { allowed: false, status: { message: 'not today' } },
          coded: {
            allowed: false,
            status: { message: 'too big', code: 422, reason: 'Invalid' },
          },
        };
        const answer = (review: Review): Verdict => verdicts[nameIn(review)] ?? allow();
        const name = await register({ kind: 'Validating', answer });
        const refusal = async (of: string): Promise<unknown> => {
          const { code, body } = await ground.calls.create(path, configMap(of));
          return [code, at(body, 'reason'), at(body, 'message')];
        };
        const denied = `admission webhook "${name}" denied the request`;
        assert.deepEqual(await refusal('plain'), [400, undefined, `${denied} without explanation`]);
        assert.deepEqual(await refusal('said'), [400, undefined, `${denied}: not today`]);
        assert.deepEqual(await refusal('coded'), [422, 'Invalid', `${denied}: too big`]);
        assert.equal((await ground.calls.get(`${path}/plain`)).code, 404);
      }),
    'refuse updates and deletions, too': (ground) =>
      staged(ground, async ({ path, register }) => {
        const answer = ({ operation }: Review): Verdict => ({ allowed: operation === 'CREATE' });
        await register({ kind: 'Validating', answer });
        await ground.calls.create(path, configMap('a'));
        assert.equal(
          (await ground.calls.patch('merge', `${path}/a`, { data: { x: '1' } })).code,
          400,
        );
        assert.equal((await ground.calls.delete(`${path}/a`)).code, 400);
        assert.equal((await ground.calls.get(`${path}/a`)).code, 200);
      }),
    warn: (ground) =>
      staged(ground, async ({ path, register }) => {
        const warnings = ['mind the "gap"', 'and the step'];
        await register({ answer: () => ({ allowed: true, warnings }) });
        const created = await ground.calls.create(path, configMap('a'));
        assert.equal(created.code, 201);
        assert.deepEqual(created.warnings, warnings);
      }),
    'hear of dry runs, unless they cannot tell them apart': (ground) =>
      staged(ground, async ({ path, server, register }) => {
        const id = idOf(await register({ answer: allow }));
        await ground.calls.create(path, configMap('a'), { dryRun: 'All' });
        assertLike(seriousOf(server.reviewsOf(id)), [{ dryRun: true }]);
      }),
    'matchConditions spare them what is none of their business': (ground) =>
      staged(ground, async ({ path, server, register }) => {
        const matchConditions = [
          {
            name: 'not-skipped',
            expression: "object == null || object.metadata.name != 'skipped'",
          },
          {
            name: 'when-data-changes',
            expression:
              "request.operation != 'UPDATE' || object.?data.orValue({}) != oldObject.?data.orValue({})",
          },
          { name: 'not-by-itself', expression: "request.userInfo.username != 'itself'" },
        ];
        const id = idOf(await register({ answer: allow, webhook: { matchConditions } }));
        const { calls } = ground;
        await calls.create(path, configMap('skipped'));
        await calls.create(path, configMap('a', { x: '1' }));
        await calls.patch('merge', `${path}/a`, { metadata: { labels: { x: 'y' } } });
        await calls.patch('merge', `${path}/a`, { data: { x: '2' } });
        assert.deepEqual(
          seriousOf(server.reviewsOf(id)).map((it) => `${textAt(it, 'operation')} ${nameIn(it)}`),
          ['CREATE a', 'UPDATE a'],
        );
      }),
    'a match condition that is no CEL is refused': async ({ calls, name }) => {
      const id = name('hook');
      const refused = await calls.create(collections.Mutating, {
        metadata: { name: id },
        webhooks: [
          {
            name: `${id}.conformance.test`,
            clientConfig: { url: 'https://127.0.0.1:1/' },
            admissionReviewVersions: ['v1'],
            sideEffects: 'None',
            matchConditions: [{ name: 'broken', expression: 'object.' }],
          },
        ],
      });
      assertLike(refused, { code: 422, body: { reason: 'Invalid' } });
      assert.match(
        textAt(refused.body, 'message'),
        /webhooks\[0\]\.matchConditions\[0\]\.expression: Invalid value: "object\.": compilation failed: /,
      );
    },
    'objectSelector: by the labels of the object, before or after': (ground) =>
      staged(ground, async ({ path, server, register }) => {
        const objectSelector = { matchExpressions: [{ key: 'skip', operator: 'DoesNotExist' }] };
        const id = idOf(await register({ answer: allow, webhook: { objectSelector } }));
        await ground.calls.create(path, configMap('a', {}, { labels: { skip: 'me' } }));
        await ground.calls.create(path, configMap('b'));
        assert.deepEqual(seriousOf(server.reviewsOf(id)).map(nameIn), ['b']);
      }),
    'one that fails is a failure, or as if it were not there': (ground) =>
      staged(ground, async ({ path, register }) => {
        const answer = (review: Review): Verdict =>
          nameIn(review) === 'probe' ? allow() : { raw: 500 };
        const { calls } = ground;
        await register({ answer, webhook: { failurePolicy: 'Ignore' } });
        assert.equal((await calls.create(path, configMap('a'))).code, 201);
        const name = await register({ answer, webhook: { failurePolicy: 'Fail' } });
        const refused = await calls.create(path, configMap('b'));
        assertLike(refused, { code: 500, body: { reason: 'InternalError' } });
        const start = `Internal error occurred: failed calling webhook "${name}": `;
        assert.equal(textAt(refused.body, 'message').slice(0, start.length), start);
      }),
    'one that does not answer in time has failed': (ground) =>
      staged(ground, async ({ path, register }) => {
        const answer = (review: Review): Verdict =>
          nameIn(review) === 'probe' ? allow() : { raw: 'never' };
        const name = await register({ answer, webhook: { timeoutSeconds: 1 } });
        const refused = await ground.calls.create(path, configMap('a'));
        assertLike(refused, { code: 500, body: { reason: 'InternalError' } });
        const message = textAt(refused.body, 'message');
        assert.ok(message.includes(`failed calling webhook "${name}": failed to call webhook: `));
        assert.match(message, /context deadline exceeded/);
      }),
    'one that answers about something else has failed': (ground) =>
      staged(ground, async ({ path, register }) => {
        const answer = (review: Review): Verdict =>
          nameIn(review) === 'probe' ? allow() : { allowed: true, uid: 'other' };
        await register({ answer });
        const refused = await ground.calls.create(path, configMap('a'));
        assertLike(refused, { code: 500, body: { reason: 'InternalError' } });
        assert.match(textAt(refused.body, 'message'), /expected response\.uid=/);
      }),
    'are asked about subresources only where they say so': (ground) =>
      staged(ground, async ({ namespace, server, register }) => {
        const operations = ['CREATE', 'UPDATE'];
        const rules = [
          rule('', 'configmaps', operations),
          rule('apps', 'deployments/scale', operations),
        ];
        const id = idOf(await register({ answer: allow, webhook: { rules } }));
        const path = deployments(namespace);
        const { calls } = ground;
        await calls.create(path, deployment('a', { replicas: 0, spec: { paused: true } }));
        await calls.patch('merge', `${path}/a/scale`, { spec: { replicas: 1 } });
        assertLike(seriousOf(server.reviewsOf(id)), [
          { subResource: 'scale', name: 'a', operation: 'UPDATE', object: { kind: 'Scale' } },
        ]);
      }),
    'a configuration comes back complete': async ({ calls, name }) => {
      const id = name('hook');
      const webhook = {
        name: `${id}.conformance.test`,
        clientConfig: { service: { name: 'aviary', namespace: 'aviary' } },
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
      };
      const created = await calls.create(
        collections.Mutating,
        { metadata: { name: id }, webhooks: [webhook] },
        { dryRun: 'All' },
      );
      assertLike(created, {
        code: 201,
        body: {
          webhooks: [
            {
              ...webhook,
              clientConfig: { service: { ...webhook.clientConfig.service, port: 443 } },
              failurePolicy: 'Fail',
              matchPolicy: 'Equivalent',
              namespaceSelector: {},
              objectSelector: {},
              timeoutSeconds: 10,
              reinvocationPolicy: 'Never',
            },
          ],
        },
      });
    },
  },
};
