/** The primary of a Deployment: as it is made, as promotion leaves it, and how many pods it gets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment, Json } from '../../src/api/kubernetes.ts';
import { mergePatchBetween } from '../../src/kube/merge-patch.ts';
import {
  primaryAgrees,
  renderPrimary,
  renderPromotion,
  scaleUpReplicas,
} from '../../src/targets/deployment.ts';
import { canaryWith, golden, primaryOptions, resized, target } from './podinfo.ts';

const created = golden('primary-created') as Deployment;
const { found, wanted } = golden('primary-promotion') as { found: Deployment; wanted: Deployment };
const autoscalerRef = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  name: 'podinfo',
};
const scaled = canaryWith({ autoscalerRef });

const annotated = (annotations: Record<string, string>, replicas = 0): Deployment => ({
  ...resized(target, replicas),
  metadata: { ...target.metadata, annotations },
});

test('the primary is made of the target', () => {
  assert.deepEqual(renderPrimary(primaryOptions), created);
});

test('promotion makes the primary like the target, and keeps what others wrote on it', () => {
  const { template } = created.spec;
  const expected = { ...wanted, spec: { ...wanted.spec, template } };
  assert.deepEqual(renderPromotion(primaryOptions, found), expected);
});

test('promotion is one small write', () => {
  const promoted = renderPromotion(primaryOptions, found);
  const patch = mergePatchBetween(found as unknown as Json, promoted as unknown as Json);
  assert.deepEqual(Object.keys(patch as object).toSorted(), ['metadata', 'spec']);
  assert.equal(
    mergePatchBetween(promoted as unknown as Json, promoted as unknown as Json),
    undefined,
  );
});

test('promotion leaves the replicas to an autoscaler', () => {
  const promoted = renderPromotion({ ...primaryOptions, canary: scaled }, found);
  assert.equal(promoted.spec.replicas, 5);
});

test('promotion of a target without pods leaves the primary its own', () => {
  const promoted = renderPromotion({ ...primaryOptions, target: resized(target, 0) }, found);
  assert.equal(promoted.spec.replicas, 5);
});

test('by default the primary inherits no labels, and at promotion no annotations', () => {
  const options = { ...primaryOptions, includeLabelPrefix: '' };
  assert.deepEqual(renderPrimary(options).metadata.labels, { app: 'podinfo-primary' });
  assert.deepEqual(renderPromotion(options, found).metadata.annotations, {
    'aviary.dev/revision': '0123456789',
    'deployment.kubernetes.io/revision': '2',
    'reloader.example.com/seen': 'yes',
  });
});

const first: Record<string, [Deployment, number]> = {
  'as many as the target': [target, 2],
  'one where the target has none': [annotated({}), 1],
  'what a manifest asked for where the target has none': [
    annotated({ 'aviary.dev/replicas': '3' }),
    3,
  ],
};
for (const [name, [given, replicas]] of Object.entries(first)) {
  test(`a new primary gets ${name}`, () => {
    assert.equal(renderPrimary({ ...primaryOptions, target: given }).spec.replicas, replicas);
  });
}

const primary = resized(created, 5);
const plain = canaryWith();

const brought: Record<string, [Parameters<typeof scaleUpReplicas>, number]> = {
  'to what it has': [[plain, target, primary, {}], 2],
  'to what the primary has': [[plain, resized(target, 0), primary, {}], 5],
  'to one if the primary has none': [[plain, annotated({}), resized(primary, 0), {}], 1],
  'to one if there is no primary': [[plain, resized(target, 0), undefined, {}], 1],
  'to the minimum of its autoscaler': [[scaled, resized(target, 0), primary, { min: 3 }], 3],
  'to one if its autoscaler may go to zero': [[scaled, resized(target, 0), primary, { min: 0 }], 1],
  'to one if its autoscaler names no minimum, or is missing': [
    [scaled, resized(target, 0), primary, {}],
    1,
  ],
  'to what a manifest asked for': [
    [plain, annotated({ 'aviary.dev/replicas': '7' }), primary, {}],
    7,
  ],
  'to what a manifest asked for, even if it has pods': [
    [plain, annotated({ 'aviary.dev/replicas': '7' }, 2), primary, {}],
    7,
  ],
  'not to what makes no sense': [
    [plain, annotated({ 'aviary.dev/replicas': 'many' }), primary, {}],
    5,
  ],
  'not to zero, even if a manifest asked for it': [
    [plain, annotated({ 'aviary.dev/replicas': '0' }), primary, {}],
    5,
  ],
  'to no less than its autoscaler would': [
    [scaled, annotated({ 'aviary.dev/replicas': '1' }), primary, { min: 3, max: 9 }],
    3,
  ],
  'to no more than its autoscaler would': [
    [scaled, annotated({ 'aviary.dev/replicas': '12' }), primary, { min: 3, max: 9 }],
    9,
  ],
};
for (const [name, [given, replicas]] of Object.entries(brought)) {
  test(`the target is brought up ${name}`, () => {
    assert.equal(scaleUpReplicas(...given), replicas);
  });
}

test('the primary agrees with the target that it was made of, whatever its rollout mark', () => {
  assert.equal(primaryAgrees({ ...primaryOptions, uuid: 'another' }, created), true);
});

test('the primary agrees as the API server stores it', () => {
  const { template } = created.spec;
  const metadata = { creationTimestamp: null, ...template.metadata };
  const stored = { ...created, spec: { ...created.spec, template: { ...template, metadata } } };
  assert.equal(primaryAgrees(primaryOptions, stored), true);
});

test('a primary of another revision does not agree', () => {
  assert.equal(primaryAgrees(primaryOptions, found), false);
});

test('a primary that uses the target’s own configuration does not agree', () => {
  const untracked = renderPrimary({ ...primaryOptions, copied: [] });
  assert.equal(primaryAgrees(primaryOptions, untracked), false);
});
