/** Which labels and annotations generated objects inherit, and whose they are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OwnerReference, Service } from '../../src/api/kubernetes.ts';
import {
  isOwnedBy,
  ownerReferenceTo,
  withPrefixes,
  withoutForeignMarks,
} from '../../src/targets/metadata.ts';
import { canaryWith } from './podinfo.ts';

const labels = {
  app: 'podinfo',
  'app.kubernetes.io/name': 'podinfo',
  'app.kubernetes.io/part-of': 'shop',
  'kustomize.toolkit.fluxcd.io/name': 'apps',
  'aviary.dev/canary': 'podinfo',
};

const kept: Record<string, readonly string[]> = {
  '': [],
  ',': [],
  'app.kubernetes.io': ['app.kubernetes.io/name', 'app.kubernetes.io/part-of'],
  'app.kubernetes.io/p': ['app.kubernetes.io/part-of'],
  'nothing,app.kubernetes.io/n': ['app.kubernetes.io/name'],
  app: ['app', 'app.kubernetes.io/name', 'app.kubernetes.io/part-of'],
  '*': ['app', 'app.kubernetes.io/name', 'app.kubernetes.io/part-of'],
  'kustomize.toolkit.fluxcd.io,aviary.dev': [],
};
for (const [prefixes, expected] of Object.entries(kept)) {
  test(`prefixes "${prefixes}" keep ${expected.join(', ') || 'nothing'}`, () => {
    assert.deepEqual(Object.keys(withPrefixes(labels, prefixes)), expected);
  });
}

test('without prefixes everything is kept but Flux’ keys and our own', () => {
  assert.deepEqual(Object.keys(withoutForeignMarks(labels)), [
    'app',
    'app.kubernetes.io/name',
    'app.kubernetes.io/part-of',
  ]);
  assert.deepEqual(withoutForeignMarks(undefined), {});
});

const owned = (owner: Partial<OwnerReference>): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'a', ownerReferences: [{ ...ownerReferenceTo(canaryWith()), ...owner }] },
  spec: {},
});
const ownership: Record<string, [Service, boolean]> = {
  'what it controls is the canary’s': [owned({}), true],
  'what a former canary of its name controls is, too': [owned({ uid: 'former' }), true],
  'what it does not control is not': [owned({ controller: false }), false],
  'what another canary controls is not': [owned({ name: 'other' }), false],
  'what another kind controls is not': [owned({ kind: 'Deployment' }), false],
};
for (const [name, [object, expected]] of Object.entries(ownership)) {
  test(name, () => assert.equal(isOwnedBy(object, canaryWith()), expected));
}
