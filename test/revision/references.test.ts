/** The ConfigMaps and Secrets of a pod template: every place that counts, and every one that does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { PodTemplateSpec } from '../../src/api/kubernetes.ts';
import type { ConfigReference } from '../../src/revision/references.ts';
import { referencedConfigs, renameReferences } from '../../src/revision/references.ts';

type Found = readonly ConfigReference[];

/** Fields of a pod spec that our types do not name are part of the cases. */
const template = (spec: object): PodTemplateSpec => ({
  spec: { containers: [], ...spec },
});
const inContainer = (fields: object): object => ({ containers: [{ name: 'app', ...fields }] });
const configMap = (name: string, optional = false) =>
  ({ kind: 'ConfigMap', name, optional }) as const;
const secret = (name: string, optional = false) => ({ kind: 'Secret', name, optional }) as const;

const cases: Record<string, [object, Found]> = {
  'a template without references': [inContainer({}), []],
  'a ConfigMap volume': [{ volumes: [{ name: 'v', configMap: { name: 'a' } }] }, [configMap('a')]],
  'a Secret volume': [{ volumes: [{ name: 'v', secret: { secretName: 'a' } }] }, [secret('a')]],
  'optional volumes': [
    {
      volumes: [
        { name: 'v', configMap: { name: 'a', optional: true } },
        { name: 'w', secret: { secretName: 'b', optional: true } },
      ],
    },
    [configMap('a', true), secret('b', true)],
  ],
  'projected sources': [
    {
      volumes: [
        {
          name: 'v',
          projected: {
            sources: [
              { configMap: { name: 'a' } },
              { secret: { name: 'b' } },
              { serviceAccountToken: { path: 'token' } },
            ],
          },
        },
      ],
    },
    [configMap('a'), secret('b')],
  ],
  'variables of a container': [
    inContainer({
      env: [
        { name: 'PLAIN', value: 'x' },
        { name: 'A', valueFrom: { configMapKeyRef: { name: 'a', key: 'k' } } },
        { name: 'B', valueFrom: { secretKeyRef: { name: 'b', key: 'k', optional: true } } },
        { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      ],
    }),
    [configMap('a'), secret('b', true)],
  ],
  'all variables of an object': [
    inContainer({ envFrom: [{ configMapRef: { name: 'a' } }, { secretRef: { name: 'b' } }] }),
    [configMap('a'), secret('b')],
  ],
  'init containers': [
    { initContainers: [{ name: 'init', envFrom: [{ secretRef: { name: 'b' } }] }] },
    [secret('b')],
  ],
  'a ConfigMap and a Secret of one name': [
    inContainer({ envFrom: [{ configMapRef: { name: 'a' } }, { secretRef: { name: 'a' } }] }),
    [configMap('a'), secret('a')],
  ],
  'the last reference decides whether it is optional': [
    {
      volumes: [{ name: 'v', configMap: { name: 'a' } }],
      ...inContainer({ envFrom: [{ configMapRef: { name: 'a', optional: true } }] }),
    },
    [configMap('a', true)],
  ],
  'init containers are visited last': [
    {
      initContainers: [{ name: 'init', envFrom: [{ configMapRef: { name: 'a' } }] }],
      ...inContainer({ envFrom: [{ configMapRef: { name: 'a', optional: true } }] }),
    },
    [configMap('a')],
  ],
  'what is not the application’s own is not looked at': [
    {
      imagePullSecrets: [{ name: 'registry' }],
      ephemeralContainers: [{ name: 'debug', envFrom: [{ secretRef: { name: 'b' } }] }],
      volumes: [
        { name: 'v', csi: { driver: 'x', nodePublishSecretRef: { name: 'c' } } },
        { name: 'w', configMap: { name: '' } },
      ],
    },
    [],
  ],
};

for (const [name, [spec, expected]] of Object.entries(cases)) {
  test(`finds ${name}`, () => assert.deepEqual(referencedConfigs(template(spec)), expected));
}

const specs = fc.constantFrom(...Object.values(cases).map(([spec]) => template(spec).spec));

test('renaming reaches every reference that was found, and no other', () => {
  fc.assert(
    fc.property(specs, (spec) => {
      const renamed = renameReferences(spec, (kind, name) => `${name}-${kind}`);
      const found = referencedConfigs({ spec });
      assert.deepEqual(
        referencedConfigs({ spec: renamed }),
        found.map((it) => ({ ...it, name: `${it.name}-${it.kind}` })),
      );
    }),
  );
});

test('renaming to the same name leaves the spec as it is', () => {
  fc.assert(
    fc.property(specs, (spec) => {
      assert.deepEqual(
        renameReferences(spec, (_, name) => name),
        spec,
      );
    }),
  );
});
