/** Admission webhooks are asked about what they registered for, and what they answer holds. */
import assert from 'node:assert/strict';
import { assertLike, at, textAt } from './match.ts';
import { configMap } from './paths.ts';
import type { Chapter } from './site.ts';
import type { Review, Verdict } from './webhook-server.ts';
import { adding, allow, idOf, nameIn, seriousOf, staged } from './webhook-stage.ts';

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
  },
};
