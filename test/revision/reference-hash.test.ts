/** The reference's hashes, against the vectors that were observed of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigMap } from '../../src/api/kubernetes.ts';
import { configChecksum } from '../../src/revision/checksum.ts';
import { hookChecksum, referenceHashOf } from '../../src/revision/reference-hash.ts';
import vectors from './reference-vectors.json' with { type: 'json' };

for (const { name, goType, hash, input } of vectors.vectors) {
  test(`hashes ${name} as the reference does`, () => {
    assert.equal(referenceHashOf(goType, input), hash);
  });
}

test('fields that the reference’s version of Kubernetes does not have are not hashed', () => {
  const spec = { containers: [{ name: 'a' }] };
  const newer = { spec: { containers: [{ name: 'a', brandNew: {} }], brandNew: true }, other: 1 };
  assert.equal(
    referenceHashOf('v1.PodTemplateSpec', newer),
    referenceHashOf('v1.PodTemplateSpec', { spec }),
  );
});

for (const { trackedConfigs, lastAppliedSpec, checksum } of vectors.webhookChecksumVectors) {
  test(`tells hooks ${checksum} of revision "${lastAppliedSpec}"`, () => {
    const tracked = trackedConfigs === null ? {} : { trackedConfigs };
    assert.equal(hookChecksum({ ...tracked, lastAppliedSpec }), checksum);
  });
}

for (const vector of vectors.configChecksumVectors) {
  test(`checksum ${vector.checksum} of configuration`, () => {
    const data = 'secretData' in vector ? vector.secretData : vector.data;
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'any' }, data };
    assert.equal(configChecksum(object as ConfigMap), vector.checksum);
  });
}
