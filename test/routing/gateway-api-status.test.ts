/** What gateways say of a route, as conditions of `status.parents`, and what it means for a step. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { gatewayApi } from '../../src/routing/gateway-api.ts';
import type { Confirmation } from '../../src/routing/provider.ts';
import { canaryOf, liveOf } from './canaries.ts';

const gateway = gatewayApi('v1');
const canary = canaryOf({ gatewayRefs: [{ name: 'public', namespace: 'gateways' }] });

const parentRef = {
  group: 'gateway.networking.k8s.io',
  kind: 'Gateway',
  name: 'public',
  namespace: 'gateways',
};
const condition = (type: string, status: string, observedGeneration?: number) => ({
  type,
  status,
  reason: status === 'True' ? type : 'BackendNotFound',
  message: status === 'True' ? '' : 'service "podinfo-canary" is not there',
  ...(observedGeneration !== undefined && { observedGeneration }),
});
const report = (conditions: readonly object[], ref: object = parentRef) => ({
  parentRef: ref,
  controllerName: 'example.com/gateway',
  conditions,
});
const good = [condition('Accepted', 'True', 3), condition('ResolvedRefs', 'True', 3)];

/** A route of generation 3. */
const routeWith = (parents?: readonly object[], parentRefs: readonly object[] = [parentRef]) => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'podinfo', namespace: 'test', generation: 3 },
  spec: { parentRefs, rules: [] },
  ...(parents !== undefined && { status: { parents } }),
});

const internal = { ...parentRef, name: 'internal' };
const confirmed: Confirmation = { state: 'confirmed' };
const unreported: Confirmation = { state: 'unreported', route: 'HTTPRoute podinfo' };
const pending: Confirmation = {
  state: 'pending',
  why: 'HTTPRoute podinfo waits for Gateway public: example.com/gateway has not taken it in yet',
};
const refused = (type: string): Confirmation => ({
  state: 'refused',
  message:
    `HTTPRoute podinfo refused by Gateway public: ${type} ` +
    'BackendNotFound: service "podinfo-canary" is not there',
});

suite('the status of an HTTPRoute', () => {
  const cases: Record<string, readonly [object | undefined, Confirmation]> = {
    'a route that is not there': [
      undefined,
      { state: 'pending', why: 'HTTPRoute podinfo is not there yet' },
    ],
    'no status at all': [routeWith(), unreported],
    'a status without parents': [routeWith([]), unreported],
    'accepted and resolved': [routeWith([report(good)]), confirmed],
    'accepted, of an older generation': [
      routeWith([report([condition('Accepted', 'True', 2), condition('ResolvedRefs', 'True', 2)])]),
      pending,
    ],
    'accepted now, resolved of an older generation': [
      routeWith([report([condition('Accepted', 'True', 3), condition('ResolvedRefs', 'True', 2)])]),
      pending,
    ],
    'refused, of an older generation': [
      routeWith([report([condition('Accepted', 'False', 2)])]),
      pending,
    ],
    undecided: [routeWith([report([condition('Accepted', 'Unknown', 3)])]), pending],
    'not accepted': [routeWith([report([condition('Accepted', 'False', 3)])]), refused('Accepted')],
    'a backend that is not resolved': [
      routeWith([
        report([condition('Accepted', 'True', 3), condition('ResolvedRefs', 'False', 3)]),
      ]),
      refused('ResolvedRefs'),
    ],
    'rules left out': [
      routeWith([report([...good, { ...condition('PartiallyInvalid', 'True', 3), reason: 'No' }])]),
      {
        state: 'refused',
        message: 'HTTPRoute podinfo refused by Gateway public: PartiallyInvalid No',
      },
    ],
    'no rules left out': [
      routeWith([report([...good, condition('PartiallyInvalid', 'False', 3)])]),
      confirmed,
    ],
    'a controller that does not say which generation': [
      routeWith([report([condition('Accepted', 'True'), condition('ResolvedRefs', 'True')])]),
      confirmed,
    ],
    'conditions of which none says whether it is accepted': [
      routeWith([report([condition('ResolvedRefs', 'True', 3)])]),
      unreported,
    ],
    'a report of another parent only': [routeWith([report(good, internal)]), unreported],
    'the parent with what the API fills in left out': [
      routeWith([report(good, { name: 'public', namespace: 'gateways' })]),
      confirmed,
    ],
    'one of two parents accepts': [routeWith([report(good)], [parentRef, internal]), unreported],
    'one of two parents refuses': [
      routeWith(
        [report([condition('Accepted', 'False', 3)]), report(good, internal)],
        [parentRef, internal],
      ),
      refused('Accepted'),
    ],
    'two controllers of one parent, one of them gone': [
      routeWith([report(good), report([condition('Accepted', 'False', 2)])]),
      confirmed,
    ],
  };
  for (const [name, [route, expected]] of Object.entries(cases)) {
    test(name, () => {
      const live = liveOf(route === undefined ? [] : [route as ReturnType<typeof routeWith>]);
      assert.deepEqual(gateway.confirm?.(canary, live), expected);
    });
  }
});
