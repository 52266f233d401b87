/** When a Deployment has rolled out, and what is said while it has not (`spec/01`, 3.3). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Condition, Deployment } from '../../src/api/kubernetes.ts';
import type { Readiness, ReadinessOptions } from '../../src/targets/readiness.ts';
import { readinessOf, unavailableSince } from '../../src/targets/readiness.ts';
import { resized, target } from './podinfo.ts';

const nowMs = Date.parse('2026-11-23T10:10:00Z');
const optionsFor = (deployment: Deployment): ReadinessOptions => {
  const shortage = unavailableSince(deployment);
  const since = shortage !== undefined && 'since' in shortage ? shortage.since : '';
  const unavailableMs = since === '' ? 0 : nowMs - Date.parse(since);
  return { deadlineMs: 60_000, thresholdPercent: 100, unavailableMs };
};

type Status = NonNullable<Deployment['status']>;
const done: Status = {
  observedGeneration: 7,
  replicas: 2,
  updatedReplicas: 2,
  readyReplicas: 2,
  availableReplicas: 2,
};
const progressing: Condition = { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated' };
const exceeded: Condition = {
  type: 'Progressing',
  status: 'False',
  reason: 'ProgressDeadlineExceeded',
};
const unavailableFrom = (lastUpdateTime: string): Condition => ({
  type: 'Available',
  status: 'False',
  reason: 'MinimumReplicasUnavailable',
  lastUpdateTime,
});
const inTime = unavailableFrom('2026-11-23T10:09:00Z');
const late = unavailableFrom('2026-11-23T10:08:59Z');

const ready: Readiness = { kind: 'Ready' };
const waits = (text: string, retriable = true): Readiness => ({
  kind: 'NotReady',
  message: `waiting for rollout to finish: ${text}`,
  retriable,
});

interface Given {
  readonly status?: Partial<Status>;
  readonly replicas?: number;
  readonly generation?: number;
  readonly threshold?: number;
}

const cases: Record<string, [Given, Readiness]> = {
  'all pods are new and available': [{}, ready],
  'the controller has not seen the change': [
    { generation: 8 },
    waits('observed deployment generation less than desired generation'),
  ],
  'not all pods are new': [
    { status: { updatedReplicas: 1, replicas: 3 } },
    waits('1 out of 2 new replicas have been updated'),
  ],
  'old pods are left': [
    { status: { replicas: 5 } },
    waits('3 old replicas are pending termination'),
  ],
  'new pods are not available': [
    { status: { availableReplicas: 1 } },
    waits('1 of 2 (readyThreshold 100%) updated replicas are available'),
  ],
  'enough of them are': [{ status: { availableReplicas: 1 }, threshold: 50 }, ready],
  'the threshold is rounded down': [{ status: { availableReplicas: 1 }, threshold: 99 }, ready],
  'one of seven per cent of a hundred is missing': [
    {
      replicas: 100,
      status: { replicas: 100, updatedReplicas: 100, availableReplicas: 6 },
      threshold: 7,
    },
    waits('6 of 7 (readyThreshold 7%) updated replicas are available'),
  ],
  'nothing is wanted and nothing is there': [
    { replicas: 0, status: { replicas: 0, updatedReplicas: 0, availableReplicas: 0 } },
    ready,
  ],
  'Kubernetes has given up': [
    { status: { conditions: [exceeded], updatedReplicas: 1 } },
    {
      kind: 'NotReady',
      message: 'deployment "podinfo" exceeded its progress deadline',
      retriable: false,
    },
  ],
  'Kubernetes has given up, and the change is newer than that': [
    { generation: 8, status: { conditions: [exceeded] } },
    waits('observed deployment generation less than desired generation'),
  ],
  'pods are unavailable, up to the canary’s deadline': [
    { status: { conditions: [progressing, inTime], availableReplicas: 0 } },
    waits('0 of 2 (readyThreshold 100%) updated replicas are available'),
  ],
  'pods are unavailable for longer than the canary’s deadline': [
    { status: { conditions: [progressing, late], availableReplicas: 0 } },
    waits('0 of 2 (readyThreshold 100%) updated replicas are available', false),
  ],
  'pods are not new after the canary’s deadline': [
    { status: { conditions: [progressing, late], updatedReplicas: 0 } },
    waits('0 out of 2 new replicas have been updated', false),
  ],
  'old pods are left after the canary’s deadline': [
    { status: { conditions: [progressing, late], replicas: 3 } },
    waits('1 old replicas are pending termination', false),
  ],
  'the deadline does not count without progress being watched': [
    { status: { conditions: [late], availableReplicas: 0 } },
    waits('0 of 2 (readyThreshold 100%) updated replicas are available'),
  ],
  'a condition without a time is not late': [
    { status: { conditions: [progressing, unavailableFrom('')], availableReplicas: 0 } },
    waits('0 of 2 (readyThreshold 100%) updated replicas are available'),
  ],
  'it is late, but all is well': [{ status: { conditions: [progressing, late] } }, ready],
};
for (const [name, [given, expected]] of Object.entries(cases)) {
  test(name, () => {
    const { status, replicas = 2, generation = 7, threshold = 100 } = given;
    const deployment = {
      ...resized(target, replicas),
      metadata: { ...target.metadata, generation },
      status: { ...done, ...status },
    };
    const found = readinessOf(deployment, {
      ...optionsFor(deployment),
      thresholdPercent: threshold,
    });
    assert.deepEqual(found, expected);
  });
}

test('a Deployment that no controller has seen is not ready', () => {
  const { status: _, ...unseen } = target;
  assert.equal(readinessOf(unseen, optionsFor(unseen)).kind, 'NotReady');
});

test('one more available pod never makes a Deployment less ready', () => {
  const counts = fc.nat({ max: 50 });
  const threshold = fc.integer({ min: 0, max: 100 });
  fc.assert(
    fc.property(counts, counts, threshold, (replicas, available, thresholdPercent) => {
      const at = (availableReplicas: number): Readiness['kind'] => {
        const status = { ...done, replicas, updatedReplicas: replicas, availableReplicas };
        const deployment = { ...resized(target, replicas), status };
        return readinessOf(deployment, { ...optionsFor(deployment), thresholdPercent }).kind;
      };
      if (at(available) === 'Ready') assert.equal(at(available + 1), 'Ready');
      assert.equal(at(replicas), 'Ready');
    }),
  );
});
