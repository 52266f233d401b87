/** Webhooks are spared what is none of their business, and their failures are bounded. */
import assert from 'node:assert/strict';
import { assertLike, textAt } from './match.ts';
import { configMap, deployment, deployments } from './paths.ts';
import type { Chapter } from './site.ts';
import type { Review, Verdict } from './webhook-server.ts';
import { allow, collections, idOf, nameIn, rule, seriousOf, staged } from './webhook-stage.ts';

export const webhookLimits: Chapter = {
  title: 'limits of admission webhooks',
  needsKubectl: false,
  tests: {
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
        // Twice where a controller wrote in between: the server tries a patch again.
        const found = seriousOf(server.reviewsOf(id)).map(
          (it) => `${textAt(it, 'operation')} ${nameIn(it)}/${textAt(it, 'subResource')}`,
        );
        assert.deepEqual([...new Set(found)], ['UPDATE a/scale']);
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
