/** What Contour, APISIX and Gloo report of their objects, and what it means for a step. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { CanarySpec } from '../../src/api/canary.ts';
import type { KubeObject } from '../../src/api/kubernetes.ts';
import type { Confirmation } from '../../src/routing/provider.ts';
import { providerFor } from '../../src/routing/registry.ts';
import { canaryOf, liveOf } from './canaries.ts';

interface Reporter {
  readonly provider: string;
  readonly kind: string;
  readonly name: string;
  readonly spec?: Partial<CanarySpec>;
  readonly cases: Readonly<Record<string, readonly [object | undefined, Confirmation]>>;
}

const valid = (observedGeneration: number, errors: readonly object[] = []) => ({
  conditions: [{ type: 'Valid', status: 'True', observedGeneration, errors }],
});
const unreported = (route: string): Confirmation => ({ state: 'unreported', route });
const confirmed: Confirmation = { state: 'confirmed' };

const reporters: readonly Reporter[] = [
  {
    provider: 'contour',
    kind: 'HTTPProxy',
    name: 'podinfo',
    cases: {
      'what the API server fills in': [
        { currentStatus: 'NotReconciled', description: 'Waiting for controller' },
        unreported('HTTPProxy podinfo'),
      ],
      valid: [{ currentStatus: 'valid', description: 'Valid HTTPProxy', ...valid(3) }, confirmed],
      'valid, of an older generation': [
        { currentStatus: 'valid', ...valid(2) },
        {
          state: 'pending',
          why: 'HTTPProxy podinfo waits for Contour: it has not taken it in yet',
        },
      ],
      'included by no root yet': [{ currentStatus: 'orphaned', ...valid(3) }, confirmed],
      invalid: [
        {
          currentStatus: 'invalid',
          description: 'At least one error present, see Errors for details',
          ...valid(3, [
            { reason: 'ServiceUnresolvedReference', message: 'no Service podinfo-canary' },
          ]),
        },
        {
          state: 'refused',
          message:
            'HTTPProxy podinfo refused by Contour: invalid ' +
            'At least one error present, see Errors for details: no Service podinfo-canary',
        },
      ],
    },
  },
  {
    provider: 'apisix',
    kind: 'ApisixRoute',
    name: 'shop-podinfo-canary',
    spec: { routeRef: { apiVersion: 'apisix.apache.org/v2', kind: 'ApisixRoute', name: 'shop' } },
    cases: {
      'no status': [undefined, unreported('ApisixRoute shop-podinfo-canary')],
      'version 1 of its controller': [
        {
          conditions: [
            {
              type: 'ResourcesAvailable',
              status: 'False',
              reason: 'ResourceSyncAborted',
              message: 'no',
            },
          ],
        },
        {
          state: 'refused',
          message:
            'ApisixRoute shop-podinfo-canary refused by APISIX: ' +
            'ResourcesAvailable ResourceSyncAborted: no',
        },
      ],
      'version 2': [
        { conditions: [{ type: 'Accepted', status: 'True', observedGeneration: 3 }] },
        confirmed,
      ],
    },
  },
  {
    provider: 'gloo',
    kind: 'RouteTable',
    name: 'podinfo',
    cases: {
      'no status': [undefined, confirmed],
      accepted: [{ statuses: { 'gloo-system': { state: 'Accepted' } } }, confirmed],
      rejected: [
        { statuses: { 'gloo-system': { state: 'Rejected', reason: 'no such upstream' } } },
        { state: 'refused', message: 'RouteTable podinfo refused by Gloo: no such upstream' },
      ],
      'rejected, by number': [
        { statuses: { 'gloo-system': { state: 2 } } },
        { state: 'refused', message: 'RouteTable podinfo refused by Gloo: no reason given' },
      ],
    },
  },
];

for (const { provider, kind, name, spec, cases } of reporters) {
  const given = canaryOf();
  const canary = { ...given, spec: { ...given.spec, ...spec } };
  const confirm = (objects: readonly KubeObject[]) =>
    providerFor(provider)?.confirm?.(canary, liveOf(objects));
  suite(`the status of ${provider}`, () => {
    test('no object', () => {
      assert.deepEqual(confirm([]), { state: 'pending', why: `${kind} ${name} is not there yet` });
    });
    for (const [sentence, [status, expected]] of Object.entries(cases)) {
      test(sentence, () => {
        const metadata = { name, generation: 3 };
        const object = {
          apiVersion: 'v1',
          kind,
          metadata,
          ...(status !== undefined && { status }),
        };
        assert.deepEqual(confirm([object]), expected);
      });
    }
  });
}
