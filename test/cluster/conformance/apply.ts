/** Server-side apply: many write one object, each their own fields, and nobody by accident. */
import assert from 'node:assert/strict';
import type { Answer } from './calls.ts';
import { assertLike, at, textAt } from './match.ts';
import { configMap, configMaps, deployment, deployments, service, services } from './paths.ts';
import type { Chapter, Ground } from './site.ts';

type Apply = (manager: string, body: object, force?: boolean) => Promise<Answer>;

interface Applied {
  readonly path: string;
  readonly apply: Apply;
}

async function configMapOf({ calls, namespace }: Ground): Promise<Applied> {
  const path = `${configMaps(await namespace())}/a`;
  return { path, apply: applyTo({ calls }, path) };
}

const applyTo =
  ({ calls }: Pick<Ground, 'calls'>, path: string): Apply =>
  (fieldManager, body, force = false) =>
    calls.patch('apply', path, body, { fieldManager, ...(force && { force: 'true' }) });

const withData = (data: Readonly<Record<string, string>>): object => configMap('a', data);

function managersOf({ body }: Answer): readonly string[] {
  const entries = at(body, 'metadata.managedFields') as readonly {
    readonly manager: string;
    readonly operation: string;
    readonly subresource?: string;
  }[];
  return entries.map(({ manager, operation }) => `${manager} ${operation}`);
}

export const apply: Chapter = {
  title: 'server-side apply',
  needsKubectl: false,
  tests: {
    'creates what is not there, and says that it did': async (ground) => {
      const { apply } = await configMapOf(ground);
      const created = await apply('one', withData({ x: '1' }));
      assert.equal(created.code, 201);
      assertLike(at(created.body, 'metadata.managedFields'), [
        {
          manager: 'one',
          operation: 'Apply',
          apiVersion: 'v1',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:data': { 'f:x': {} } },
        },
      ]);
      const again = await apply('one', withData({ x: '1' }));
      assert.equal(again.code, 200);
      assert.deepEqual(again.body, created.body);
    },
    'is read as YAML too': async (ground) => {
      const { path } = await configMapOf(ground);
      const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: "1"}\n';
      const contentType = 'application/apply-patch+yaml';
      const query = { fieldManager: 'one' };
      const { code } = await ground.calls.call('PATCH', path, { body, contentType, query });
      assert.equal(code, 201);
    },
    'wants to know who writes': async (ground) => {
      const { path } = await configMapOf(ground);
      const answer = await ground.calls.patch('apply', path, withData({}));
      const why = 'fieldManager: Required value: is required for apply patch';
      assertLike(answer, {
        code: 422,
        body: { reason: 'Invalid', message: `PatchOptions.meta.k8s.io "" is invalid: ${why}` },
      });
    },
    'what its schema does not know is refused': async (ground) => {
      const { apply } = await configMapOf(ground);
      const answer = await apply('one', { ...withData({}), more: 1 });
      assertLike(answer, {
        code: 500,
        body: {
          message:
            'failed to create typed patch object (/a; /v1, Kind=ConfigMap): .more: field not declared in schema',
        },
      });
    },
    'wants to know of what kind the object is': async (ground) => {
      const { apply } = await configMapOf(ground);
      const answer = await apply('one', { metadata: { name: 'a' }, data: {} });
      assert.equal(answer.code, 400);
    },
    'takes away what its manager no longer wants, and nothing else': async (ground) => {
      const { apply } = await configMapOf(ground);
      await apply('one', withData({ x: '1', y: '1' }));
      await apply('two', withData({ z: '2' }));
      const { body } = await apply('one', withData({ x: '1' }));
      assert.deepEqual(at(body, 'data'), { x: '1', z: '2' });
    },
    'what two want alike, both own; it goes when neither wants it': async (ground) => {
      const { apply } = await configMapOf(ground);
      await apply('one', withData({ x: '1', y: '1' }));
      const both = await apply('two', withData({ x: '1' }));
      assert.equal(both.code, 200);
      assert.deepEqual(managersOf(both).toSorted(), ['one Apply', 'two Apply']);
      const still = await apply('one', withData({ y: '1' }));
      assert.deepEqual(at(still.body, 'data'), { x: '1', y: '1' });
      const gone = await apply('two', withData({}));
      assert.deepEqual(at(gone.body, 'data'), { y: '1' });
    },
    'a field of another is a conflict, said field by field': async (ground) => {
      const { apply } = await configMapOf(ground);
      await apply('one', withData({ x: '1', y: '1' }));
      const refused = await apply('two', withData({ x: '2', y: '2' }));
      assert.equal(refused.code, 409);
      assert.deepEqual(refused.body, {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: 'Apply failed with 2 conflicts: conflicts with "one":\n- .data.x\n- .data.y',
        reason: 'Conflict',
        details: {
          causes: [
            { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.x' },
            { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.y' },
          ],
        },
        code: 409,
      });
    },
    'force takes a field over': async (ground) => {
      const { apply } = await configMapOf(ground);
      await apply('one', withData({ x: '1', y: '1' }));
      const forced = await apply('two', withData({ x: '2' }), true);
      assert.equal(forced.code, 200);
      assert.deepEqual(at(forced.body, 'data'), { x: '2', y: '1' });
      assertLike(at(forced.body, 'metadata.managedFields'), [
        { manager: 'one', fieldsV1: { 'f:data': { 'f:y': {} } } },
        { manager: 'two', fieldsV1: { 'f:data': { 'f:x': {} } } },
      ]);
    },
    'an update by another takes the fields that it changes': async (ground) => {
      const { path, apply } = await configMapOf(ground);
      await apply('one', withData({ x: '1', y: '1' }));
      const second = { fieldManager: 'second' };
      await ground.calls.patch('merge', path, { data: { x: '2' } }, second);
      const refused = await apply('one', withData({ x: '1', y: '1' }));
      assert.equal(refused.code, 409);
      assert.match(
        textAt(refused.body, 'message'),
        /^Apply failed with 1 conflict: conflict with "second" using v1( at .*)?: \.data\.x$/,
      );
    },
    'elements of lists are owned by their keys': async (ground) => {
      const path = `${deployments(await ground.namespace())}/a`;
      const apply = applyTo(ground, path);
      await apply('one', deployment('a', { replicas: 0 }));
      const sidecar = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'a' },
        spec: { template: { spec: { containers: [{ name: 'sidecar', image: 'sidecar:1' }] } } },
      };
      const added = await apply('two', sidecar);
      assert.equal(added.code, 200, textAt(added.body, 'message'));
      assertLike(at(added.body, 'spec.template.spec.containers'), [
        { name: 'main', image: 'podinfo:6.0.0' },
        { name: 'sidecar', image: 'sidecar:1' },
      ]);
      const image = deployment('a', { replicas: 0, image: 'podinfo:6.0.1' });
      const updated = await apply('one', image);
      assertLike(at(updated.body, 'spec.template.spec.containers'), [
        { name: 'main', image: 'podinfo:6.0.1' },
        { name: 'sidecar', image: 'sidecar:1' },
      ]);
      const refused = await apply('two', deployment('a', { replicas: 0, image: 'other:1' }));
      assert.match(
        textAt(refused.body, 'message'),
        /^Apply failed with 1 conflict: conflict with "one": \.spec\.template\.spec\.containers\[name="main"\]\.image$/,
      );
    },
    'ports are owned by number and protocol': async (ground) => {
      const path = `${services(await ground.namespace())}/a`;
      const apply = applyTo(ground, path);
      await apply('one', service('a', { ports: [{ port: 80, name: 'http' }] }));
      const ports = [{ port: 443, name: 'tls', protocol: 'TCP' }];
      const body = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: { ports } };
      const both = await apply('two', body);
      assertLike(at(both.body, 'spec.ports'), [
        { port: 80, protocol: 'TCP' },
        { port: 443, protocol: 'TCP' },
      ]);
      const first = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' } };
      const left = await apply('one', { ...first, spec: { selector: { app: 'a' } } });
      assertLike(at(left.body, 'spec.ports'), [{ port: 443 }]);
    },
    'the version that is told must be the live one': async (ground) => {
      const { apply } = await configMapOf(ground);
      await apply('one', withData({ x: '1' }));
      const stale = configMap('a', { x: '2' }, { resourceVersion: '1' });
      assertLike(await apply('one', stale), { code: 409, body: { reason: 'Conflict' } });
    },
    'what others own is not to be written down by anybody': async (ground) => {
      const { apply } = await configMapOf(ground);
      const managedFields = [{ manager: 'x', operation: 'Apply', apiVersion: 'v1' }];
      const answer = await apply('one', configMap('a', {}, { managedFields }));
      assertLike(answer, {
        code: 400,
        body: { message: 'metadata.managedFields must be nil' },
      });
    },
    'who owns what may be forgotten': async (ground) => {
      const { path, apply } = await configMapOf(ground);
      await apply('one', withData({ x: '1' }));
      const patch = { metadata: { managedFields: [{}] } };
      const { body } = await ground.calls.patch('merge', path, patch);
      assert.equal(at(body, 'metadata.managedFields'), undefined);
    },
  },
};
