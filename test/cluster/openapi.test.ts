/** The documents of OpenAPI hold what clients look for in them. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { builtInTypes } from '../../src/cluster/builtin/types.ts';
import { createOpenapi } from '../../src/cluster/openapi.ts';
import type { ResourceType } from '../../src/cluster/resource-type.ts';

const types = builtInTypes();

interface Operation {
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: object };
  readonly 'x-kubernetes-group-version-kind': object;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

const documentOf = (path: string, of: readonly ResourceType[] = types): Document =>
  JSON.parse(createOpenapi()(path, undefined, of)?.body ?? '') as Document;

const widget = {
  ...types[0],
  ...({ group: 'example.com', version: 'v1', kind: 'Widget', listKind: 'WidgetList' } as const),
  plural: 'widgets',
  isCustom: true,
  schema: {
    type: 'object',
    properties: { metadata: { type: 'object' }, size: { type: 'integer', default: 1 } },
  },
} as ResourceType;

suite('OpenAPI', () => {
  test('the index leads to a document of each group and version', () => {
    const { paths } = documentOf('/openapi/v3') as unknown as {
      readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>>;
    };
    const roots = new Set(types.map(({ group, version }) => `${group}/${version}`));
    assert.equal(Object.keys(paths).length, roots.size);
    assert.match(
      paths['apis/apps/v1']?.serverRelativeURL ?? '',
      /^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{64}$/,
    );
    assert.ok(paths['api/v1']);
  });

  test('every kind that is patched says that its fields can be validated, and how it is patched', () => {
    for (const type of types) {
      const { group, version, kind, plural, namespaced } = type;
      if (type.answer !== undefined) continue;
      const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
      const home = namespaced ? `${root}/namespaces/{namespace}` : root;
      const { patch } = documentOf(`/openapi/v3${root}`).paths[`${home}/${plural}/{name}`] ?? {};
      assert.deepEqual(patch?.['x-kubernetes-group-version-kind'], { group, version, kind });
      assert.ok(patch.parameters.some((it) => it.name === 'fieldValidation' && it.in === 'query'));
      const forms = Object.keys(patch.requestBody?.content ?? {});
      assert.ok(forms.includes('application/strategic-merge-patch+json'));
    }
  });

  test('no reference of a document leads out of it', () => {
    const roots = new Set(
      types.map((it) =>
        it.group === '' ? `/api/${it.version}` : `/apis/${it.group}/${it.version}`,
      ),
    );
    for (const root of roots) {
      const document = documentOf(`/openapi/v3${root}`);
      const text = JSON.stringify(document);
      for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
        assert.ok(document.components.schemas[name], `${root}: ${name}`);
      }
    }
  });

  test('lists tell their items apart as the real schemas say', () => {
    const { schemas } = documentOf('/openapi/v3/apis/apps/v1').components;
    const spec = schemas['io.k8s.api.core.v1.PodSpec'] as {
      readonly properties: { readonly containers: Readonly<Record<string, unknown>> };
    };
    assert.equal(spec.properties.containers['x-kubernetes-patch-merge-key'], 'name');
    assert.equal(spec.properties.containers['x-kubernetes-list-type'], 'map');
  });

  test('custom kinds are in it, without a strategic merge patch, and go when they go', () => {
    const openapi = createOpenapi();
    assert.equal(openapi('/openapi/v3/apis/example.com/v1', undefined, types), undefined);
    const { paths, components } = documentOf('/openapi/v3/apis/example.com/v1', [...types, widget]);
    const patch = paths['/apis/example.com/v1/widgets/{name}']?.['patch'];
    assert.ok(!JSON.stringify(patch?.requestBody).includes('strategic'));
    const schema = components.schemas['com.example.v1.Widget'] as {
      readonly properties: Readonly<Record<string, object>>;
    };
    assert.deepEqual(schema.properties['size'], { type: 'integer', default: 1 });
    assert.deepEqual(schema.properties['metadata'], {
      $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
    });
  });

  test('the same types get the same text, other types another', () => {
    const openapi = createOpenapi();
    const path = '/openapi/v3/apis/apps/v1';
    const first = openapi(path, undefined, types)?.body;
    assert.equal(openapi(path, undefined, types)?.body, first);
    const some = types.filter(({ plural }) => plural !== 'daemonsets');
    assert.notEqual(openapi(path, undefined, some)?.body, first);
  });

  test('the older version has all definitions', () => {
    const { definitions } = documentOf('/openapi/v2') as unknown as { definitions: object };
    assert.ok('io.k8s.api.apps.v1.Deployment' in definitions);
  });

  test('other paths are none of its', () => {
    assert.equal(createOpenapi()('/openapi/v3/apis/nope/v1', undefined, types), undefined);
    assert.equal(createOpenapi()('/api', undefined, types), undefined);
  });
});
