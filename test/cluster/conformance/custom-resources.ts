/** Kinds that users define: served, completed, pruned and validated as their schema says. */
import assert from 'node:assert/strict';
import type { Answer } from './calls.ts';
import { assertLike, at, namesOf, textAt } from './match.ts';
import { definitions } from './paths.ts';
import type { Chapter, Ground } from './site.ts';
import type { Widgets } from './widgets.ts';
import { definitionOf, defineWidgets, established } from './widgets.ts';

const entry = {
  type: 'object',
  required: ['key'],
  properties: { key: { type: 'string' }, value: { type: 'string', default: 'none' } },
};

const schema = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 1, maximum: 10 },
        color: { type: 'string', enum: ['red', 'green'], default: 'red' },
        name: { type: 'string', pattern: '^[a-z]+$' },
        short: { type: 'string', maxLength: 5 },
        interval: { type: 'string', format: 'duration' },
        port: { 'x-kubernetes-int-or-string': true },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        nullable: { type: 'string', nullable: true },
        entries: {
          type: 'array',
          maxItems: 3,
          items: entry,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['key'],
        },
        range: {
          type: 'object',
          properties: { from: { type: 'integer' }, to: { type: 'integer' } },
          'x-kubernetes-validations': [
            { rule: 'self.from <= self.to', message: 'from must not be above to' },
          ],
        },
      },
    },
    status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  },
};

async function strictWidgets(ground: Ground): Promise<Widgets> {
  return defineWidgets(ground, await ground.namespace(), { schema, subresources: { status: {} } });
}

interface Cause {
  readonly field: string;
  readonly message: string;
}

/** What is wrong, by field; without the remark that there was no time for more. */
function causesOf({ body }: Answer): readonly string[] {
  const causes = (at(body, 'details.causes') ?? []) as readonly Cause[];
  return causes
    .filter(({ field }) => field !== '<nil>')
    .map(({ field, message }) => `${field}: ${message}`)
    .toSorted();
}

const wrong: Readonly<Record<string, readonly [object, readonly string[]]>> = {
  'below and above bounds': [
    { size: 30 },
    ['spec.size: Invalid value: 30: spec.size in body should be less than or equal to 10'],
  ],
  missing: [{}, ['spec.size: Required value']],
  'not one of those': [
    { size: 1, color: 'blue' },
    ['spec.color: Unsupported value: "blue": supported values: "red", "green"'],
  ],
  'not of the pattern': [
    { size: 1, name: 'NO' },
    [`spec.name: Invalid value: "NO": spec.name in body should match '^[a-z]+$'`],
  ],
  'too long': [
    { size: 1, short: 'abcdef' },
    ['spec.short: Too long: may not be more than 5 bytes'],
  ],
  'of another type': [
    { size: 'big' },
    ['spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"'],
  ],
  'neither number nor text': [
    { size: 1, port: true },
    [
      'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
    ],
  ],
  'twice in a list of keys': [
    { size: 1, entries: [{ key: 'a' }, { key: 'a' }] },
    ['spec.entries[1]: Duplicate value: {"key":"a"}'],
  ],
  'without its key, and too many': [
    { size: 1, entries: [{ key: 'a' }, { key: 'b' }, { key: 'c' }, {}] },
    ['spec.entries: Too many: 4: must have at most 3 items', 'spec.entries[3].key: Required value'],
  ],
  'against a rule of its own': [
    { size: 1, range: { from: 2, to: 1 } },
    ['spec.range: Invalid value: from must not be above to'],
  ],
};

export const customResources: Chapter = {
  title: 'custom resources',
  needsKubectl: false,
  tests: {
    'a definition is accepted, and says when its kind is served': async (ground) => {
      const group = `${ground.name('g')}.conformance.test`;
      const definition = definitionOf(group, { shortNames: ['wd'], categories: ['all'] });
      const created = await ground.calls.create(definitions, definition);
      assertLike(created, {
        code: 201,
        body: {
          metadata: { generation: 1 },
          spec: {
            names: { kind: 'Widget', listKind: 'WidgetList', plural: 'widgets' },
            conversion: { strategy: 'None' },
          },
          status: { storedVersions: ['v1'] },
        },
      });
      const live = await established(ground, `widgets.${group}`);
      assertLike(at(live, 'status'), {
        acceptedNames: {
          kind: 'Widget',
          listKind: 'WidgetList',
          plural: 'widgets',
          singular: 'widget',
          shortNames: ['wd'],
          categories: ['all'],
        },
        conditions: [
          { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts' },
          { type: 'Established', status: 'True', reason: 'InitialNamesAccepted' },
        ],
      });
    },
    'a definition that is wrong is refused': async (ground) => {
      const group = `${ground.name('g')}.conformance.test`;
      const definition = definitionOf(group) as { readonly metadata: object };
      const misnamed = { ...definition, metadata: { name: `other.${group}` } };
      const refused = await ground.calls.create(definitions, misnamed);
      assertLike(refused, { code: 422, body: { reason: 'Invalid' } });
      assert.match(textAt(refused.body, 'message'), /metadata\.name: Invalid value: /);
    },
    'defaults are filled in, also in lists; what no schema knows is pruned': async (ground) => {
      const { calls } = ground;
      const { path, widget } = await strictWidgets(ground);
      const spec = { size: 1, unknown: 1, entries: [{ key: 'a' }], free: { kept: true } };
      const { code, body, warnings } = await calls.create(path, widget('a', { spec, more: 1 }));
      assert.equal(code, 201);
      assert.deepEqual(at(body, 'spec'), {
        size: 1,
        color: 'red',
        entries: [{ key: 'a', value: 'none' }],
        free: { kept: true },
      });
      assert.equal(at(body, 'more'), undefined);
      assert.deepEqual([...warnings].toSorted(), [
        'unknown field "more"',
        'unknown field "spec.unknown"',
      ]);
    },
    'Strict refuses what no schema knows': async (ground) => {
      const { path, widget } = await strictWidgets(ground);
      const fields = { spec: { size: 1, unknown: 1 } };
      const query = { fieldValidation: 'Strict' };
      const refused = await ground.calls.create(path, widget('a', fields), query);
      const message =
        'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.unknown"';
      assertLike(refused, { code: 400, body: { reason: 'BadRequest', message } });
    },
    'a null is dropped where there is a default, and kept where it is allowed': async (ground) => {
      const { calls } = ground;
      const { path, widget } = await strictWidgets(ground);
      const spec = { size: 1, color: null, nullable: null };
      const { body } = await calls.create(path, widget('a', { spec }));
      assert.deepEqual(at(body, 'spec'), { size: 1, color: 'red', nullable: null });
    },
    'what a schema forbids is refused, in these words': async (ground) => {
      const { path, widget } = await strictWidgets(ground);
      for (const [sentence, [spec, expected]] of Object.entries(wrong)) {
        const refused = await ground.calls.create(path, widget('a', { spec }));
        assertLike(refused, { code: 422, body: { reason: 'Invalid' } }, sentence);
        assert.deepEqual(causesOf(refused), expected, sentence);
      }
      const refused = await ground.calls.create(path, widget('a'));
      assert.deepEqual(causesOf(refused), ['spec: Required value']);
    },
    'one thing wrong is told in one sentence': async (ground) => {
      const { path, widget, group } = await strictWidgets(ground);
      const spec = { size: 1, range: { from: 2, to: 1 } };
      const { body } = await ground.calls.create(path, widget('a', { spec }));
      assertLike(body, {
        message: `Widget.${group} "a" is invalid: spec.range: Invalid value: from must not be above to`,
        details: { name: 'a', group, kind: 'Widget' },
      });
    },
    'what is valid stays valid when it is patched, or is refused': async (ground) => {
      const { calls } = ground;
      const { path, widget } = await strictWidgets(ground);
      await calls.create(path, widget('a', { spec: { size: 1 } }));
      const patched = await calls.patch('merge', `${path}/a`, { spec: { size: 11 } });
      assert.deepEqual(causesOf(patched), [
        'spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10',
      ]);
      const grown = await calls.patch('merge', `${path}/a`, { spec: { size: 10, color: null } });
      assertLike(grown, { code: 200, body: { spec: { size: 10, color: 'red' } } });
    },
    'a replacement must say its version, and the body its kind': async (ground) => {
      const { calls } = ground;
      const { path, widget, group, apiVersion } = await strictWidgets(ground);
      await calls.create(path, widget('a', { spec: { size: 1 } }));
      const refused = await calls.replace(`${path}/a`, widget('a', { spec: { size: 2 } }));
      const why = 'Invalid value: 0: must be specified for an update';
      assertLike(refused, {
        code: 422,
        body: {
          message: `widgets.${group} "a" is invalid: metadata.resourceVersion: ${why}`,
          details: { name: 'a', group, kind: 'widgets' },
        },
      });
      const bare = await calls.create(path, { kind: 'Widget', metadata: { name: 'b' } });
      const message = `the API version in the data () does not match the expected API version (${apiVersion})`;
      assertLike(bare, { code: 400, body: { message } });
    },
    'strategic merge patches are of built-in kinds only': async (ground) => {
      const { calls } = ground;
      const { path, widget } = await strictWidgets(ground);
      await calls.create(path, widget('a', { spec: { size: 1 } }));
      assertLike(await calls.patch('strategic', `${path}/a`, { spec: { size: 2 } }), {
        code: 415,
        body: {
          message:
            'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
          reason: 'UnsupportedMediaType',
        },
      });
    },
    'the generation counts changes of anything but metadata and status': async (ground) => {
      const { calls } = ground;
      const { path, widget } = await strictWidgets(ground);
      const fields = { spec: { size: 1 }, status: { ignored: true } };
      const created = await calls.create(path, widget('a', fields));
      assertLike(created.body, { metadata: { generation: 1 }, status: undefined });
      const labelled = await calls.patch('merge', `${path}/a`, {
        metadata: { labels: { x: 'y' } },
        status: { ignored: true },
      });
      assertLike(labelled.body, { metadata: { generation: 1 }, status: undefined });
      const grown = await calls.patch('merge', `${path}/a`, { spec: { size: 2 } });
      assertLike(grown.body, { metadata: { generation: 2 } });
    },
    'selected by fields that the definition names': async (ground) => {
      const { calls } = ground;
      const version = { selectableFields: [{ jsonPath: '.spec.color' }] };
      const namespace = await ground.namespace();
      const { path, widget } = await defineWidgets(ground, namespace, { schema, version });
      await calls.create(path, widget('a', { spec: { size: 1 } }));
      await calls.create(path, widget('b', { spec: { size: 1, color: 'green' } }));
      const selected = await calls.get(path, { fieldSelector: 'spec.color=green' });
      assert.deepEqual(namesOf(selected.body), ['b']);
      const refused = await calls.get(path, { fieldSelector: 'spec.size=1' });
      const message = 'field label not supported: spec.size';
      assertLike(refused, { code: 400, body: { message } });
    },
    'server-side apply merges lists by the keys of the schema': async (ground) => {
      const { calls } = ground;
      const { path, widget } = await strictWidgets(ground);
      const apply = (fieldManager: string, spec: object) =>
        calls.patch('apply', `${path}/a`, widget('a', { spec }), { fieldManager });
      await apply('one', { size: 1, entries: [{ key: 'a', value: '1' }] });
      const both = await apply('two', { size: 1, entries: [{ key: 'b', value: '2' }] });
      assert.deepEqual(at(both.body, 'spec.entries'), [
        { key: 'a', value: '1' },
        { key: 'b', value: '2' },
      ]);
      const refused = await apply('two', { size: 1, entries: [{ key: 'a', value: '3' }] });
      assert.match(
        textAt(refused.body, 'message'),
        /^Apply failed with 1 conflict: conflict with "one": \.spec\.entries\[key="a"\]\.value$/,
      );
    },
  },
};
