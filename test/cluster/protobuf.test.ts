import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment } from '../../src/api/kubernetes.ts';
import { parseProtobuf } from '../../src/cluster/protobuf.ts';

/**
 * What kubectl 1.36 sent for `kubectl create deployment web --image=nginx --port=80 --replicas=2`,
 * byte for byte.
 */
const recorded = [
  'azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50ErgBCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2Vi',
  'EoYBCAISDAoKCgNhcHASA3dlYhpsChwKABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEkwSLgoFbmdpbngS',
  'BW5naW54KgAyCgoAEAAYUCIAKgBCAGoAcgCAAQCIAQCQAQCiAQAaADIAQgBKAFIAWABgAGgAggEAigEAmgEA',
  'wgEAIgIKACgAOAAaDAgAEAAYACAAKAA4ABoAIgA=',
].join('');

test('a body that kubectl sent is the object that it shows', () => {
  const deployment = parseProtobuf(Buffer.from(recorded, 'base64')) as unknown as Deployment;
  const { apiVersion, kind, metadata, spec } = deployment;
  const [container] = spec.template.spec.containers;
  assert.deepEqual([apiVersion, kind], ['apps/v1', 'Deployment']);
  assert.deepEqual(metadata, { creationTimestamp: null, name: 'web', labels: { app: 'web' } });
  assert.equal(spec.replicas, 2);
  assert.deepEqual(spec.selector, { matchLabels: { app: 'web' } });
  assert.deepEqual(spec.template.metadata?.labels, { app: 'web' });
  assert.deepEqual([container?.name, container?.image], ['nginx', 'nginx']);
  assert.deepEqual(
    container?.ports?.map((it) => it.containerPort),
    [80],
  );
});

test('what is in no such form, of no such kind, or cut off is refused', () => {
  const body = Buffer.from(recorded, 'base64');
  const cases = [Buffer.from('{}'), body.subarray(0, body.length - 9), Buffer.from('k8s\0')];
  for (const bad of cases) assert.throws(() => parseProtobuf(bad), { code: 400 });
});
