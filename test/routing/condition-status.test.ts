/** Statuses with conditions, and what they mean for a step. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { confirmByConditions } from '../../src/routing/condition-status.ts';
import type { Confirmation } from '../../src/routing/provider.ts';

const route = 'ApisixRoute podinfo-canary';
const of = { route, controller: 'APISIX', types: ['Accepted', 'ResourcesAvailable'] };
const condition = (status: string, observedGeneration?: number) => ({
  type: 'Accepted',
  status,
  reason: status === 'False' ? 'SyncFailed' : 'Accepted',
  message: status === 'False' ? 'no such upstream' : '',
  ...(observedGeneration !== undefined && { observedGeneration }),
});
/** An object of generation 3. */
const withStatus = (status?: object) => ({
  apiVersion: 'apisix.apache.org/v2',
  kind: 'ApisixRoute',
  metadata: { name: 'podinfo-canary', generation: 3 },
  ...(status !== undefined && { status }),
});
const waits = { state: 'pending', why: `${route} waits for APISIX: not taken in yet` } as const;

const cases: Record<string, readonly [ReturnType<typeof withStatus> | undefined, Confirmation]> = {
  'no object': [undefined, { state: 'pending', why: `${route} is not there yet` }],
  'no status': [withStatus(), { state: 'unreported', route }],
  'conditions of another sort': [
    withStatus({ conditions: [{ type: 'Ready', status: 'False' }] }),
    { state: 'unreported', route },
  ],
  'taken in': [withStatus({ conditions: [condition('True', 3)] }), { state: 'confirmed' }],
  'taken in, of no generation': [
    withStatus({ conditions: [condition('True')] }),
    { state: 'confirmed' },
  ],
  'an older generation': [withStatus({ conditions: [condition('True', 2)] }), waits],
  'an older generation, said once for all': [
    withStatus({ observedGeneration: 2, conditions: [condition('False')] }),
    waits,
  ],
  undecided: [withStatus({ conditions: [condition('Unknown', 3)] }), waits],
  refused: [
    withStatus({ conditions: [condition('False', 3)] }),
    {
      state: 'refused',
      message: `${route} refused by APISIX: Accepted SyncFailed: no such upstream`,
    },
  ],
};
for (const [name, [found, expected]] of Object.entries(cases)) {
  test(name, () => assert.deepEqual(confirmByConditions(found, of), expected));
}
