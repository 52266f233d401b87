/** Laws of all built-in types, and what their parts promise. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { createSchemas } from '../../../src/cluster/builtin/schemas.ts';
import { createServiceAddresses } from '../../../src/cluster/builtin/service-addresses.ts';
import { builtInTypes } from '../../../src/cluster/builtin/types.ts';
import type { ResourceType, StoredObject } from '../../../src/cluster/resource-type.ts';
import { apiVersionOf } from '../../../src/cluster/resource-type.ts';
import type { Schema } from '../../../src/cluster/schema/schema.ts';
import { StatusError } from '../../../src/cluster/status-error.ts';
import { cases } from './cases.ts';
import { readGolden } from './golden.ts';

const types = builtInTypes();
const golden = readGolden();

const typeOf = ({ apiVersion, kind }: { apiVersion: unknown; kind: unknown }): ResourceType => {
  const type = types.find((it) => apiVersionOf(it) === apiVersion && it.kind === kind);
  assert.ok(type);
  return type;
};

const stored = Object.values(golden.cases)
  .filter(({ created }) => created.code === 201)
  .map(({ created }) => created.body as unknown as StoredObject);

const deepFreeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
};

suite('every built-in type', () => {
  test('has what a real API server stored as it is, and shares it', () => {
    for (const object of stored) {
      const type = typeOf(object);
      const found = type.withDefaults(object);
      assert.deepEqual(found, object);
      assert.equal(type.withDefaults(found), found);
    }
  });

  test('finds nothing wrong with it, and nothing that was changed', () => {
    for (const object of stored) {
      const type = typeOf(object);
      const found = type.withDefaults(object);
      assert.deepEqual(type.validate(found, undefined), []);
      assert.deepEqual(type.validate(found, found), []);
      assert.equal(type.prepare?.(found, found) ?? found, found);
    }
  });

  test('never changes what it is given', () => {
    for (const { create } of Object.values(cases)) {
      const object = deepFreeze(structuredClone(create)) as unknown as StoredObject;
      const type = typeOf(object);
      try {
        const found = deepFreeze(type.withDefaults(object));
        type.validate(deepFreeze(type.prepare?.(found, undefined) ?? found), undefined);
      } catch (error) {
        assert.ok(error instanceof StatusError);
      }
    }
  });

  test('takes any JSON for a spec, or refuses it as bad or as wrong', () => {
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.jsonValue(), (type, spec) => {
        const given = { apiVersion: apiVersionOf(type), kind: type.kind, metadata: { name: 'a' } };
        try {
          const object = type.withDefaults({ ...given, spec: spec as never });
          type.validate(type.prepare?.(object, undefined) ?? object, undefined);
        } catch (error) {
          assert.ok(error instanceof StatusError, String(error));
        }
      }),
    );
  });

  test('is described by a schema of its own fields', () => {
    for (const { schema } of types) {
      assert.ok(schema.properties?.['metadata']?.properties?.['labels']);
    }
  });
});

suite('schemas', () => {
  const schemas = createSchemas();
  const pod = schemas.schemaOf('io.k8s.api.core.v1.Pod');
  const at = (schema: Schema | undefined, path: string): Schema | undefined =>
    path.split('.').reduce((found, it) => {
      const next = found?.properties?.[it];
      return next?.items ?? next;
    }, schema);

  test('are linked: a container of a pod is a container', () => {
    const container = at(pod, 'spec.containers');
    assert.equal(container, schemas.schemaOf('io.k8s.api.core.v1.Container'));
  });

  test('keep the words that stand beside a reference', () => {
    const deployment = schemas.schemaOf('io.k8s.api.apps.v1.Deployment');
    const strategy = at(deployment, 'spec.strategy');
    assert.equal(strategy?.['x-kubernetes-patch-strategy'], 'retainKeys');
    assert.ok(strategy.properties?.['rollingUpdate']);
  });

  test('may contain themselves', () => {
    const schema = schemas.schemaOf(
      'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps',
    );
    assert.equal(schema.properties?.['not'], schema);
  });

  test('take numbers and text where Kubernetes takes both', () => {
    const port = at(pod, 'spec.containers.livenessProbe.httpGet.port');
    assert.equal(port?.['x-kubernetes-int-or-string'], true);
  });
});

suite('addresses of Services', () => {
  test('are given in order, each once', () => {
    const addresses = createServiceAddresses();
    const given = Array.from({ length: 300 }, () => addresses.clusterIp(undefined));
    assert.deepEqual(given.slice(0, 2), ['10.96.0.2', '10.96.0.3']);
    assert.equal(given[254], '10.96.1.0');
    assert.equal(new Set(given).size, given.length);
  });

  test('that somebody wanted are given to nobody else', () => {
    const addresses = createServiceAddresses();
    assert.equal(addresses.clusterIp('10.96.0.3'), '10.96.0.3');
    const given = [addresses.clusterIp(undefined), addresses.clusterIp(undefined)];
    assert.deepEqual(given, ['10.96.0.2', '10.96.0.4']);
  });

  test('two clusters give the same', () => {
    const service = (all: readonly ResourceType[]): ResourceType =>
      all.find(({ plural }) => plural === 'services') as ResourceType;
    const object = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' } };
    const made = [builtInTypes(), builtInTypes()].map((all) => {
      const type = service(all);
      const spec = { type: 'NodePort', ports: [{ port: 80 }] };
      return type.prepare?.(type.withDefaults({ ...object, spec }), undefined);
    });
    assert.deepEqual(made[0], made[1]);
    const { ports } = (made[0]?.spec ?? {}) as { readonly ports?: readonly object[] };
    assert.deepEqual(ports, [{ port: 80, protocol: 'TCP', targetPort: 80, nodePort: 30_000 }]);
  });
});
