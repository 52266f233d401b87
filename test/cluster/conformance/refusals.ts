/** What the server does not know, not allow or not understand, it says in a way clients know. */
import assert from 'node:assert/strict';
import type { Answer } from './calls.ts';
import { assertLike, at } from './match.ts';
import { configMap, configMaps, deployment, deployments } from './paths.ts';
import type { Chapter, Ground } from './site.ts';

const noSuchPath = {
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message: 'the server could not find the requested resource',
  reason: 'NotFound',
  details: {},
  code: 404,
};
const notAllowed = {
  ...noSuchPath,
  message: 'the server does not allow this method on the requested resource',
  reason: 'MethodNotAllowed',
  code: 405,
};

async function send(ground: Ground, body: string, contentType = 'application/json') {
  return ground.calls.call('POST', configMaps('default'), { body, contentType });
}

function assertRefused(answer: Answer, code: number, reason: string, message?: string | RegExp) {
  assertLike(answer, { code, body: { kind: 'Status', status: 'Failure', reason, code } });
  const said = String(at(answer.body, 'message'));
  if (message instanceof RegExp) assert.match(said, message);
  else if (message !== undefined) assert.equal(said, message);
}

export const refusals: Chapter = {
  title: 'refusals',
  needsKubectl: false,
  tests: {
    'a path that is none is not found, in plain text': async ({ calls }) => {
      const { code, body } = await calls.get('/nothing/here');
      assert.deepEqual([code, String(body).trim()], [404, '404 page not found']);
    },
    'a kind that is none, in a group that is or is not': async ({ calls }) => {
      const paths = [
        '/api/v1/namespaces/default/frobs',
        '/apis/apps/v1/namespaces/default/frobs',
        '/apis/apps/v1/namespaces/default/frobs/a',
        '/api/v1/namespaces/default/configmaps/a/frob',
      ];
      for (const path of paths) {
        assert.deepEqual((await calls.get(path)).body, noSuchPath, path);
      }
      assert.equal((await calls.get('/apis/none.example.com/v1/frobs')).code, 404);
    },
    'a method that a path does not have': async ({ calls }) => {
      const one = configMaps('default');
      assert.deepEqual((await calls.replace(one, {})).body, notAllowed);
      assert.deepEqual((await calls.create(`${one}/a`, {})).body, notAllowed);
      assert.deepEqual((await calls.create('/api/v1/configmaps', {})).body, notAllowed);
      assert.deepEqual((await calls.delete('/api/v1/configmaps')).body, notAllowed);
      assert.deepEqual((await calls.patch('merge', one, {})).body, notAllowed);
    },
    'a body in a language that is not spoken': async (ground) => {
      assertRefused(
        await send(ground, 'x', 'text/plain'),
        415,
        'UnsupportedMediaType',
        /^the body of the request was in an unknown format - accepted media types include: application\/json, application\/yaml/,
      );
      const path = `${configMaps('default')}/a`;
      const patch = { body: '{}', contentType: 'text/plain' };
      assertRefused(await ground.calls.call('PATCH', path, patch), 415, 'UnsupportedMediaType');
    },
    'an answer in a language that is not spoken': async ({ calls }) => {
      const answer = await calls.call('GET', configMaps('default'), { accept: 'text/html' });
      assertRefused(answer, 406, 'NotAcceptable');
    },
    'a body that is no JSON, no object, or nothing': async (ground) => {
      for (const body of ['{bad', '', '[]', '"text"']) {
        assertRefused(await send(ground, body), 400, 'BadRequest');
      }
    },
    'YAML is read where it is said to be': async (ground) => {
      const name = ground.name('yaml');
      const yaml = `metadata:\n  name: ${name}\ndata:\n  x: "1"\n`;
      const { code, body } = await send(ground, yaml, 'application/yaml');
      assert.equal(code, 201);
      assertLike(body, { metadata: { name }, data: { x: '1' } });
    },
    'a body of another kind or version': async (ground) => {
      const secret = JSON.stringify({ ...configMap('a'), kind: 'Secret' });
      assertRefused(
        await send(ground, secret),
        400,
        'BadRequest',
        /^Secret in version "v1" cannot be handled as a ConfigMap: /,
      );
      const old = JSON.stringify({ ...deployment('a'), apiVersion: 'apps/v1beta1' });
      const path = deployments('default');
      const answer = await ground.calls.call('POST', path, { body: old });
      assertRefused(answer, 400, 'BadRequest');
    },
    'a value of another type': async (ground) => {
      const path = deployments('default');
      const body = deployment('a', { spec: { replicas: 'many' } });
      assertRefused(
        await ground.calls.create(path, body),
        400,
        'BadRequest',
        /^Deployment in version "v1" cannot be handled as a Deployment: /,
      );
    },
    'what a patch makes of an object must still be one': async (ground) => {
      const path = deployments(await ground.namespace());
      await ground.calls.create(path, deployment('a', { replicas: 0 }));
      const patch = { spec: { template: { spec: { containers: 'none' } } } };
      const refused = await ground.calls.patch('merge', `${path}/a`, patch);
      assertRefused(
        refused,
        422,
        'Invalid',
        /^ "" is invalid: patch: Invalid value: "\{.*\}": json: cannot unmarshal string into Go struct field PodSpec\.spec\.template\.spec\.containers of type \[\]v1\.Container$/,
      );
      assertLike(at(refused.body, 'details'), { causes: [{ field: 'patch' }] });
    },
    'numbers in queries must be numbers': async ({ calls }) => {
      const path = configMaps('default');
      const message = 'strconv.ParseInt: parsing "x": invalid syntax';
      assertRefused(await calls.get(path, { limit: 'x' }), 400, 'BadRequest', message);
      const watch = { watch: 'true', timeoutSeconds: 'x' };
      assertRefused(await calls.get(path, watch), 400, 'BadRequest', message);
      assertRefused(
        await calls.get(path, { resourceVersion: '-1' }),
        400,
        'BadRequest',
        'invalid resource version: resourceVersion: Invalid value: "-1": strconv.ParseUint: parsing "-1": invalid syntax',
      );
    },
    'a name in the body that is not the name in the path': async ({ calls }) => {
      assertRefused(
        await calls.replace(`${configMaps('default')}/none`, configMap('other')),
        400,
        'BadRequest',
        'the name of the object (other) does not match the name on the URL (none)',
      );
      const elsewhere = configMap('none', {}, { namespace: 'kube-system' });
      assertRefused(
        await calls.create(configMaps('default'), elsewhere),
        400,
        'BadRequest',
        'the namespace of the provided object does not match the namespace sent on the request',
      );
    },
    'what is not there cannot be replaced or patched': async ({ calls }) => {
      const path = `${configMaps('default')}/none`;
      const message = 'configmaps "none" not found';
      assertRefused(await calls.replace(path, configMap('none')), 404, 'NotFound', message);
      assertRefused(await calls.patch('merge', path, {}), 404, 'NotFound', message);
      assertRefused(await calls.patch('json', path, []), 404, 'NotFound', message);
    },
    'a name that is none': async ({ calls }) => {
      const refused = await calls.create(configMaps('default'), configMap('NOT VALID'));
      assertRefused(refused, 422, 'Invalid', /^ConfigMap "NOT VALID" is invalid: metadata\.name: /);
      assertLike(at(refused.body, 'details'), {
        name: 'NOT VALID',
        kind: 'ConfigMap',
        causes: [{ reason: 'FieldValueInvalid', field: 'metadata.name' }],
      });
      const nameless = await calls.create(configMaps('default'), { metadata: {} });
      assertRefused(
        nameless,
        422,
        'Invalid',
        'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
      );
    },
    'wrong fields are all told at once, each with its place': async ({ calls }) => {
      const body = deployment('wrong', {
        spec: {
          replicas: -1,
          template: {
            metadata: { labels: { app: 'other' } },
            spec: { containers: [{ name: 'Main', image: '' }] },
          },
        },
      });
      const refused = await calls.create(deployments('default'), body);
      assertRefused(refused, 422, 'Invalid', /^Deployment\.apps "wrong" is invalid: \[/);
      const causes = at(refused.body, 'details.causes') as readonly { readonly field: string }[];
      assert.deepEqual(causes.map(({ field }) => field).toSorted(), [
        'spec.replicas',
        'spec.template.metadata.labels',
        'spec.template.spec.containers[0].image',
        'spec.template.spec.containers[0].name',
      ]);
      assertLike(
        causes.find(({ field }) => field === 'spec.replicas'),
        {
          reason: 'FieldValueInvalid',
          message: 'Invalid value: -1: must be greater than or equal to 0',
        },
      );
    },
  },
};
