/** Versions that are kept as another one: what is written in one is read in the other. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { builtInTypes } from '../../../src/cluster/builtin/types.ts';
import type { ResourceType, StoredObject } from '../../../src/cluster/resource-type.ts';
import { apiVersionOf, groupResourceOf } from '../../../src/cluster/resource-type.ts';

const types = builtInTypes();

const typeOf = (apiVersion: string, kind: string): ResourceType => {
  const type = types.find((it) => apiVersionOf(it) === apiVersion && it.kind === kind);
  assert.ok(type);
  return type;
};

const event = typeOf('events.k8s.io/v1', 'Event');
const coreEvent = typeOf('v1', 'Event');
const autoscaler = typeOf('autoscaling/v1', 'HorizontalPodAutoscaler');
const autoscaler2 = typeOf('autoscaling/v2', 'HorizontalPodAutoscaler');

const target = { kind: 'Deployment', name: 'a', apiVersion: 'apps/v1' };
const memory = {
  type: 'Resource',
  resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } },
};

suite('storage', () => {
  test('events of both groups are kept in one place', () => {
    assert.equal(groupResourceOf(event), groupResourceOf(coreEvent));
  });

  test('an event of the newer group is kept in the words of the older', () => {
    const given = event.withDefaults({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'a', namespace: 'default' },
      eventTime: '2026-01-01T00:00:00.000000Z',
      note: 'Scaled up',
      regarding: { kind: 'Deployment', name: 'a', namespace: 'default' },
      reportingController: 'c',
      reportingInstance: 'c-1',
      action: 'Scaling',
      reason: 'ScaledUp',
      type: 'Normal',
    });
    assert.deepEqual(event.validate(given, undefined), []);
    const stored = event.storage?.toStored(given);
    assert.ok(stored);
    assert.equal(stored.apiVersion, 'v1');
    assert.equal(stored['message'], 'Scaled up');
    assert.deepEqual(stored['involvedObject'], given['regarding']);
    assert.equal(coreEvent.withDefaults(stored)['reportingComponent'], 'c');
    const back = event.storage?.fromStored(stored);
    assert.deepEqual(back && event.withDefaults(back), event.withDefaults(given));
  });

  test('an event of the newer group says when, who and what', () => {
    const given = { apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: { name: 'a' } };
    const errors = event.validate(event.withDefaults(given), undefined);
    assert.deepEqual(
      errors.map(({ field }) => field),
      ['involvedObject.namespace', 'eventTime', 'type'],
    );
  });

  const stored = (metrics: readonly object[], others: object = {}): StoredObject =>
    autoscaler2.withDefaults({
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'a', namespace: 'default' },
      spec: { maxReplicas: 3, scaleTargetRef: target, metrics, ...others } as never,
      status: { currentReplicas: 1, desiredReplicas: 1, currentMetrics: null },
    });

  test('an autoscaler of version 1 is one of version 2 with a CPU metric', () => {
    const given = autoscaler.withDefaults({
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'a', namespace: 'default' },
      spec: { maxReplicas: 3, scaleTargetRef: target, targetCPUUtilizationPercentage: 50 },
    });
    const found = autoscaler.storage?.toStored(given);
    assert.ok(found);
    assert.deepEqual((found.spec as { readonly metrics: unknown }).metrics, [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
      },
    ]);
  });

  test('what version 1 does not know survives a read and a write in it', () => {
    const cpu = {
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
    };
    const behavior = { scaleDown: { stabilizationWindowSeconds: 5 } };
    for (const object of [stored([cpu]), stored([cpu, memory]), stored([memory], { behavior })]) {
      const { storage } = autoscaler;
      assert.ok(storage);
      const back = storage.toStored(storage.fromStored(object));
      assert.deepEqual(autoscaler2.withDefaults(back), object);
    }
  });
});
