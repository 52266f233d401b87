/** The primary's HorizontalPodAutoscaler. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HorizontalPodAutoscaler } from '../../src/api/kubernetes.ts';
import { renderAutoscaler, renderAutoscalerUpdate } from '../../src/targets/autoscaler.ts';
import { canaryWith, golden } from './podinfo.ts';

const { source, created, found, updated } = golden('autoscaler') as Record<
  'source' | 'created' | 'found' | 'updated',
  HorizontalPodAutoscaler
>;
const canary = canaryWith();
const prefixes = 'app.kubernetes.io';

test('the copy is made of the source', () => {
  assert.deepEqual(renderAutoscaler(canary, source), created);
});

test('a promotion brings the copy up to date', () => {
  assert.deepEqual(renderAutoscalerUpdate(canary, source, found, prefixes), updated);
});

test('a copy that is up to date stays as it is', () => {
  assert.deepEqual(renderAutoscalerUpdate(canary, source, updated, prefixes), updated);
});

test('a copy without labels or annotations gets no empty ones', () => {
  const { labels: _, annotations: __, ...bare } = source.metadata;
  const plain = { ...source, metadata: bare };
  const { labels: ___, ...metadata } = renderAutoscaler(canary, plain).metadata;
  const copy = { ...renderAutoscaler(canary, plain), metadata };
  assert.deepEqual(renderAutoscalerUpdate(canary, plain, copy, prefixes), copy);
});

test('the canary may give the primary other bounds', () => {
  const autoscalerRef = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    name: 'podinfo',
    primaryScalerReplicas: { minReplicas: 10, maxReplicas: 20 },
  };
  for (const copy of [
    renderAutoscaler(canaryWith({ autoscalerRef }), source),
    renderAutoscalerUpdate(canaryWith({ autoscalerRef }), source, found, prefixes),
  ]) {
    assert.equal(copy.spec.minReplicas, 10);
    assert.equal(copy.spec.maxReplicas, 20);
  }
});
