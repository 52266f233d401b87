/** The primary's ScaledObject. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { AutoscalerReference } from '../../src/api/canary.ts';
import type { ScaledObject } from '../../src/api/kubernetes.ts';
import {
  pauseAnnotation,
  renderScaledObject,
  renderScaledObjectUpdate,
} from '../../src/targets/scaled-object.ts';
import { canaryWith, golden } from './podinfo.ts';

const { source, created, found, updated } = golden('scaled-object') as Record<
  'source' | 'created' | 'found' | 'updated',
  ScaledObject
>;
const canary = canaryWith();
const prefixes = 'app.kubernetes.io';

const withQuery = (query: string, name = 'requests'): ScaledObject => ({
  ...source,
  spec: { ...source.spec, triggers: [{ type: 'prometheus', name, metadata: { query } }] },
});

const referring = (more: Partial<AutoscalerReference>) =>
  canaryWith({
    autoscalerRef: {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      name: 'podinfo-so',
      ...more,
    },
  });

const queryOf = (copy: ScaledObject) => copy.spec.triggers[0]?.metadata['query'];

test('the copy is made of the source', () => {
  assert.deepEqual(renderScaledObject(canary, source), created);
});

test('a promotion brings the copy up to date', () => {
  assert.deepEqual(renderScaledObjectUpdate(canary, source, found, prefixes), updated);
});

test('a copy that is up to date stays as it is', () => {
  assert.deepEqual(renderScaledObjectUpdate(canary, source, updated, prefixes), updated);
});

test('D8: a pause of the source reaches the copy neither at first nor at a promotion', () => {
  const copies = [
    renderScaledObject(canary, source),
    renderScaledObjectUpdate(canary, source, found, '*'),
  ];
  for (const { metadata } of copies) {
    assert.equal(metadata.annotations?.[pauseAnnotation], undefined);
  }
});

test('the configuration of the autoscaler is always present in the copy', () => {
  const { advanced: _, ...spec } = source.spec;
  const copy = renderScaledObject(canary, { ...source, spec });
  assert.deepEqual(copy.spec.advanced, { horizontalPodAutoscalerConfig: {} });
});

test('the canary may give the primary other bounds', () => {
  const bounded = referring({ primaryScalerReplicas: { minReplicas: 10, maxReplicas: 20 } });
  for (const { spec } of [
    renderScaledObject(bounded, source),
    renderScaledObjectUpdate(bounded, source, found, prefixes),
  ]) {
    assert.deepEqual([spec.minReplicaCount, spec.maxReplicaCount], [10, 20]);
  }
});

const rewritten = {
  'the target is the primary': ['sum(podinfo)', 'sum(podinfo-primary)'],
  'the canary is the primary': ['sum(podinfo-canary)', 'sum(podinfo-primary)'],
  'what is the primary already is one more': [
    'sum(podinfo-primary)',
    'sum(podinfo-primary-primary)',
  ],
  'nothing else is touched': ['sum(pod-info)', 'sum(pod-info)'],
} as const;

for (const [sentence, [query, wanted]] of Object.entries(rewritten)) {
  test(`in a query, ${sentence}`, () => {
    assert.equal(queryOf(renderScaledObject(canary, withQuery(query))), wanted);
  });
}

test('queries that the canary gives are used by trigger, and the others stay as they are', () => {
  const given = referring({ primaryScalerQueries: { requests: 'up{job="shop"}' } });
  assert.equal(queryOf(renderScaledObject(given, withQuery('sum(podinfo)'))), 'up{job="shop"}');
  const other = withQuery('sum(podinfo)', 'other');
  assert.equal(queryOf(renderScaledObject(given, other)), 'sum(podinfo)');
});

test('a trigger without a query gets none', () => {
  const given = referring({ primaryScalerQueries: { cpu: 'up' } });
  const triggers = [{ type: 'cpu', name: 'cpu', metadata: { value: '70' } }];
  const copy = renderScaledObject(given, { ...source, spec: { ...source.spec, triggers } });
  assert.deepEqual(copy.spec.triggers, triggers);
});

test('a rewritten query names the target only as part of the primary', () => {
  const part = fc.constantFrom('podinfo', 'podinfo-canary', 'x', '$&', '-', '{', '} ');
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const query = parts.join('') + ' ';
      const asked = queryOf(renderScaledObject(canary, withQuery(query))) ?? '';
      assert.equal(asked.replaceAll('podinfo-primary', '').includes('podinfo'), false);
    }),
  );
});
