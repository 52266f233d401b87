/** Which configuration counts, and what of it. The reference's vectors: `reference-hash.test.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { ConfigMap, Secret, StringMap } from '../../src/api/kubernetes.ts';
import {
  configChecksum,
  configKey,
  isTracked,
  referenceChecksums,
} from '../../src/revision/checksum.ts';

const configMap = (fields: Partial<ConfigMap>): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'podinfo-config' },
  ...fields,
});
const secret = (type?: string): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'podinfo-secret' },
  ...(type === undefined ? {} : { type }),
});
const annotated = (value: string) =>
  configMap({
    metadata: { name: 'any', annotations: { 'flagger.app/config-tracking': value } },
  });

test('objects are remembered by kind and name', () => {
  assert.equal(configKey('ConfigMap', 'podinfo-config'), 'configmap/podinfo-config');
  assert.equal(configKey('Secret', 'podinfo-secret'), 'secret/podinfo-secret');
});

const tracked: Record<string, [ConfigMap | Secret, boolean]> = {
  'a ConfigMap is tracked': [configMap({}), true],
  'a ConfigMap that opts out is not': [annotated('disabled'), false],
  'nor is one that opts out in the short form': [annotated('disable'), false],
  'any other value does not opt out': [annotated('enabled'), true],
  'an Opaque Secret is tracked': [secret('Opaque'), true],
  'a Secret without a type is Opaque': [secret(), true],
  'basic auth is tracked': [secret('kubernetes.io/basic-auth'), true],
  'an SSH key is tracked': [secret('kubernetes.io/ssh-auth'), true],
  'a TLS certificate is tracked': [secret('kubernetes.io/tls'), true],
  'a service account token is not': [secret('kubernetes.io/service-account-token'), false],
  'an image pull secret is not': [secret('kubernetes.io/dockerconfigjson'), false],
  'a type of somebody else’s is not': [secret('helm.sh/release.v1'), false],
};
for (const [name, [object, expected]] of Object.entries(tracked)) {
  test(name, () => assert.equal(isTracked(object), expected));
}

test('binary data changes our checksum, and not the reference’s', () => {
  const plain = configMap({ data: { color: 'red' } });
  const one = configMap({ data: { color: 'red' }, binaryData: { logo: 'AQ==' } });
  const other = configMap({ data: { color: 'red' }, binaryData: { logo: 'Ag==' } });
  assert.equal(new Set([plain, one, other].map(configChecksum)).size, 3);
  // The vector of `{"color":"red"}` in the spec.
  assert.equal(configChecksum(plain), '241889ca0604e333');
  for (const object of [plain, one, other]) {
    assert.deepEqual(referenceChecksums([{ kind: 'ConfigMap', object }]), {
      'configmap/podinfo-config': '241889ca0604e333',
    });
  }
});

test('no binary data at all is the same as none given', () => {
  const data = { color: 'red' };
  assert.equal(
    configChecksum(configMap({ data, binaryData: {} })),
    configChecksum(configMap({ data })),
  );
});

test('a key that moves between text and binary data changes the checksum', () => {
  const text = configMap({ data: { a: 'AQ==' } });
  const binary = configMap({ binaryData: { a: 'AQ==' } });
  assert.notEqual(configChecksum(text), configChecksum(binary));
});

const strings = fc.dictionary(fc.string(), fc.string());
const reversed = (map: StringMap): StringMap =>
  Object.fromEntries(Object.entries(map).toReversed());

test('the order of keys does not matter', () => {
  fc.assert(
    fc.property(strings, strings, (data, binaryData) => {
      assert.equal(
        configChecksum(configMap({ data, binaryData })),
        configChecksum(configMap({ data: reversed(data), binaryData: reversed(binaryData) })),
      );
    }),
  );
});
