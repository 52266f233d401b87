/** Dry runs change nothing; unknown fields are refused, told or dropped, as it is wished. */
import assert from 'node:assert/strict';
import { assertLike, at, namesOf, textAt } from './match.ts';
import { configMap, configMaps, deployment, deployments } from './paths.ts';
import type { Chapter } from './site.ts';

const dryRun = { dryRun: 'All' };
const withUnknown = deployment('a', { replicas: 0, spec: { replics: 3 } });

export const trials: Chapter = {
  title: 'dry runs and unknown fields',
  needsKubectl: false,
  tests: {
    'a dry run answers what would be, and nothing is': async (ground) => {
      const { calls } = ground;
      const path = configMaps(await ground.namespace());
      const created = await calls.create(path, configMap('a'), dryRun);
      assertLike(created, {
        code: 201,
        body: { metadata: { name: 'a', resourceVersion: undefined } },
      });
      assert.notEqual(at(created.body, 'metadata.uid'), undefined);
      assert.equal((await calls.get(`${path}/a`)).code, 404);

      const { body: live } = await calls.create(path, configMap('a', { x: '1' }));
      const patched = await calls.patch('merge', `${path}/a`, { data: { x: '2' } }, dryRun);
      assertLike(patched, { code: 200, body: { data: { x: '2' } } });
      const replaced = await calls.replace(`${path}/a`, configMap('a', { x: '3' }), dryRun);
      assertLike(replaced, { code: 200, body: { data: { x: '3' } } });
      const deleted = await calls.delete(`${path}/a`, undefined, dryRun);
      assert.equal(deleted.code, 200);
      const told = await calls.delete(`${path}/a`, { dryRun: ['All'] });
      assert.equal(told.code, 200);
      assert.deepEqual((await calls.get(`${path}/a`)).body, live);
    },
    'a dry run is refused as the real one would be': async (ground) => {
      const { calls } = ground;
      const path = configMaps(await ground.namespace());
      await calls.create(path, configMap('a'));
      assert.equal((await calls.create(path, configMap('a'), dryRun)).code, 409);
      assert.equal((await calls.create(path, configMap('NOT VALID'), dryRun)).code, 422);
      assert.equal((await calls.delete(`${path}/none`, undefined, dryRun)).code, 404);
    },
    'a dry run of a collection deletes nothing': async (ground) => {
      const { calls } = ground;
      const path = configMaps(await ground.namespace());
      await calls.create(path, configMap('a', {}, { labels: { x: 'y' } }));
      const selected = { labelSelector: 'x=y' };
      const { body } = await calls.delete(path, undefined, { ...selected, ...dryRun });
      assert.deepEqual(namesOf(body), ['a']);
      assert.deepEqual(namesOf((await calls.get(path, selected)).body), ['a']);
    },
    'a dry run of another kind is refused': async ({ calls }) => {
      const answer = await calls.create(configMaps('default'), configMap('a'), { dryRun: 'Some' });
      assertLike(answer, { code: 422, body: { reason: 'Invalid' } });
      assert.match(textAt(answer.body, 'message'), /dryRun: Unsupported value: /);
    },
    'unknown fields are told, in a warning, and dropped': async (ground) => {
      const path = deployments(await ground.namespace());
      const { code, warnings, body } = await ground.calls.create(path, withUnknown);
      assert.equal(code, 201);
      assert.deepEqual(warnings, ['unknown field "spec.replics"']);
      assert.equal(at(body, 'spec.replics'), undefined);
    },
    'Strict refuses them': async (ground) => {
      const path = deployments(await ground.namespace());
      const refused = await ground.calls.create(path, withUnknown, { fieldValidation: 'Strict' });
      assertLike(refused, {
        code: 400,
        body: {
          message:
            'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replics"',
          reason: 'BadRequest',
        },
      });
    },
    'Ignore drops them in silence': async (ground) => {
      const path = deployments(await ground.namespace());
      const query = { fieldValidation: 'Ignore' };
      const { code, warnings } = await ground.calls.create(path, withUnknown, query);
      assert.deepEqual([code, warnings], [201, []]);
    },
    'patches are looked at in the same way': async (ground) => {
      const { calls } = ground;
      const path = deployments(await ground.namespace());
      await calls.create(path, deployment('a', { replicas: 0 }));
      const patch = { spec: { replics: 3 } };
      for (const type of ['merge', 'strategic'] as const) {
        const told = await calls.patch(type, `${path}/a`, patch);
        assert.deepEqual([told.code, told.warnings], [200, ['unknown field "spec.replics"']], type);
        const strict = { fieldValidation: 'Strict' };
        const refused = await calls.patch(type, `${path}/a`, patch, strict);
        assert.equal(refused.code, 422, type);
      }
    },
    'server-side apply refuses what its schema does not know': async (ground) => {
      const { calls } = ground;
      const path = `${deployments(await ground.namespace())}/a`;
      const query = { fieldManager: 'one' };
      const refused = await calls.patch('apply', path, withUnknown, query);
      assert.ok(refused.code >= 400, String(refused.code));
      assert.match(
        textAt(refused.body, 'message'),
        /\.spec\.replics: field not declared in schema/,
      );
    },
    'a way of validation that is none': async ({ calls }) => {
      const query = { fieldValidation: 'Sometimes' };
      const answer = await calls.create(configMaps('default'), configMap('a'), query);
      assertLike(answer, { code: 422, body: { reason: 'Invalid' } });
    },
  },
};
