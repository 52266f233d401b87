/** Hashes of templates: what counts, what does not, and that they can be told from others'. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { PodTemplateSpec } from '../../src/api/kubernetes.ts';
import { canonicalJson } from '../../src/revision/canonical-json.ts';
import { hashTemplate, isForeignHash, revisionOf } from '../../src/revision/hash.ts';
import { referenceHash } from '../../src/revision/reference-hash.ts';

const template: PodTemplateSpec = {
  metadata: { labels: { app: 'podinfo', tier: 'web' } },
  spec: { containers: [{ name: 'podinfod', image: 'podinfo:6.0.0' }] },
};

test('the form of a hash is fixed: statuses in clusters hold it', () => {
  // SHA-256 over {"metadata":{"labels":{"app":"podinfo","tier":"web"}},
  // "spec":{"containers":[{"image":"podinfo:6.0.0","name":"podinfod"}]}}, by another program.
  assert.equal(hashTemplate(template), 'v1-207f3424b11cc4f6');
});

const same: Record<string, unknown> = {
  'keys in another order': {
    spec: { containers: [{ image: 'podinfo:6.0.0', name: 'podinfod' }] },
    metadata: { labels: { tier: 'web', app: 'podinfo' } },
  },
  'the empty creation time of older API servers': {
    ...template,
    metadata: { ...template.metadata, creationTimestamp: null },
  },
  'a field that is null': { ...template, spec: { ...template.spec, volumes: null } },
};
for (const [name, other] of Object.entries(same)) {
  test(`${name}: no difference`, () => {
    assert.equal(hashTemplate(other as PodTemplateSpec), hashTemplate(template));
  });
}

const different: Record<string, unknown> = {
  'another image': { ...template, spec: { containers: [{ name: 'podinfod', image: 'x:1' }] } },
  'an annotation': { ...template, metadata: { ...template.metadata, annotations: { a: 'b' } } },
  'a field that this version does not know': {
    ...template,
    spec: { ...template.spec, brandNew: 1 },
  },
  'containers in another order': {
    ...template,
    spec: { containers: [...template.spec.containers, { name: 'sidecar' }].toReversed() },
  },
};
for (const [name, other] of Object.entries(different)) {
  test(`${name}: a difference`, () => {
    assert.notEqual(hashTemplate(other as PodTemplateSpec), hashTemplate(template));
  });
}

test('labels are hashed, and having none is like having no metadata', () => {
  const { metadata: _, ...bare } = template;
  assert.equal(hashTemplate({ ...bare, metadata: {} }), hashTemplate(bare));
  assert.notEqual(hashTemplate(bare), hashTemplate(template));
});

test('our hashes are told from the reference’s', () => {
  assert.equal(isForeignHash(hashTemplate(template)), false);
  assert.equal(isForeignHash(referenceHash(template)), true);
  assert.equal(isForeignHash('v2-0123456789abcdef'), true);
});

test('a revision is template and configuration together', () => {
  const [one, other] = [hashTemplate(template), hashTemplate({ ...template, metadata: {} })];
  const revisions = [
    revisionOf(one, { 'configmap/a': '1' }),
    revisionOf(one, { 'configmap/a': '2' }),
    revisionOf(one, { 'secret/a': '1' }),
    revisionOf(other, { 'configmap/a': '1' }),
    revisionOf(one, undefined),
  ];
  assert.equal(new Set(revisions).size, revisions.length);
  for (const revision of revisions) assert.match(revision, /^[0-9a-f]{10}$/);
  assert.equal(
    revisionOf(one, { 'configmap/a': '1', 'secret/b': '2' }),
    revisionOf(one, { 'secret/b': '2', 'configmap/a': '1' }),
  );
});

test('canonical JSON reads back as what it was made of, without the nulls', () => {
  const withoutNulls = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(withoutNulls);
    if (typeof value !== 'object' || value === null) return value;
    const fields = Object.entries(value).filter(([, field]) => field !== null);
    return Object.fromEntries(fields.map(([key, field]) => [key, withoutNulls(field)]));
  };
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const plain: unknown = JSON.parse(JSON.stringify(value));
      assert.deepEqual(JSON.parse(canonicalJson(plain)), withoutNulls(plain));
    }),
  );
});
