/** Copies of configuration for the primary. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigMap, KubeObject, Secret } from '../../src/api/kubernetes.ts';
import type { ConfigObject } from '../../src/targets/configs.ts';
import { copiedAnnotation, copyName, isUpToDate, renderCopy } from '../../src/targets/configs.ts';
import { canaryWith, golden } from './podinfo.ts';

interface Case {
  readonly name: string;
  readonly source: ConfigMap | Secret;
  readonly existing?: KubeObject;
  readonly wanted: ConfigMap | Secret;
}

const canary = canaryWith();
const prefixes = 'app.kubernetes.io';
const configOf = (object: ConfigMap | Secret): ConfigObject =>
  object.kind === 'Secret' ? { kind: 'Secret', object } : { kind: 'ConfigMap', object };

for (const { name, source, existing, wanted } of golden('config-copies') as Case[]) {
  test(`the copy of ${name}`, () => {
    const copy = renderCopy(canary, configOf(source), existing, prefixes);
    const { [copiedAnnotation]: checksum, ...annotations } = copy.metadata.annotations ?? {};
    assert.match(checksum ?? '', /^[0-9a-f]{16}$/);
    assert.deepEqual(annotations, wanted.metadata.annotations ?? {});
    const { annotations: _, ...metadata } = copy.metadata;
    const { annotations: __, ...expected } = wanted.metadata;
    assert.deepEqual({ ...copy, metadata }, { ...wanted, metadata: expected });
    assert.equal(copyName(source.metadata.name), wanted.metadata.name);
  });
}

const source: ConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'test' },
  data: { color: 'red' },
};
const render = (object: ConfigMap, existing?: KubeObject) =>
  renderCopy(canary, configOf(object), existing, prefixes);
const metadataOf = ({ apiVersion, kind, metadata }: KubeObject): KubeObject => ({
  apiVersion,
  kind,
  metadata,
});

test('a copy that was written needs no second write', () => {
  const existing = metadataOf(render(source));
  assert.equal(isUpToDate(existing, render(source, existing)), true);
});

const outdated: Record<string, [ConfigMap, KubeObject]> = {
  'data that changed': [{ ...source, data: { color: 'blue' } }, render(source)],
  'binary data that was added': [{ ...source, binaryData: { logo: 'AQ==' } }, render(source)],
  'a copy that the reference made': [
    source,
    { ...source, metadata: { ...render(source).metadata, annotations: {} } },
  ],
  'a copy that this canary does not own': [
    source,
    { ...source, metadata: { ...render(source).metadata, ownerReferences: [] } },
  ],
};
for (const [name, [object, existing]] of Object.entries(outdated)) {
  test(`${name}: the copy is written`, () => {
    assert.equal(isUpToDate(metadataOf(existing), render(object, existing)), false);
  });
}
