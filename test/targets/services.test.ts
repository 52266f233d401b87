/** The three Services: made, taken over, repaired, given back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CanaryService } from '../../src/api/canary.ts';
import { serviceNames } from '../../src/api/defaults.ts';
import type { Service, ServicePort, StringMap } from '../../src/api/kubernetes.ts';
import { ownerReferenceTo } from '../../src/targets/metadata.ts';
import { discoverPorts } from '../../src/targets/selector.ts';
import type { ServiceOptions, ServiceRole } from '../../src/targets/services.ts';
import { renderRevertedApex, renderService } from '../../src/targets/services.ts';
import { canaryWith, golden, selector, target } from './podinfo.ts';

interface Expectation {
  readonly owned: boolean;
  readonly labels: StringMap;
  readonly annotations: StringMap;
  readonly spec: Service['spec'];
}

interface Case {
  readonly name: string;
  readonly service: CanaryService;
  readonly found?: Expectation;
  readonly wanted: readonly (Expectation & {
    readonly role: ServiceRole;
    readonly name: string;
  })[];
}

const optionsFor = (service: CanaryService): ServiceOptions => {
  const canary = canaryWith({ service });
  return { canary, selector, discovered: discoverPorts(canary, target.spec.template) };
};

function serviceOf(name: string, { owned, labels, annotations, spec }: Expectation): Service {
  const owners = owned ? { ownerReferences: [ownerReferenceTo(canaryWith())] } : {};
  const metadata = { name, namespace: 'test', labels, annotations, ...owners };
  return { apiVersion: 'v1', kind: 'Service', metadata, spec };
}

for (const { name, service, found, wanted } of golden('services') as Case[]) {
  test(name, () => {
    const options = optionsFor(service);
    for (const expected of wanted) {
      const live = found && serviceOf(serviceNames(options.canary)[expected.role], found);
      const rendered = renderService(expected.role, options, live);
      assert.deepEqual(rendered, serviceOf(expected.name, expected));
      // What was written is what is wanted: nothing is written again.
      assert.deepEqual(renderService(expected.role, options, rendered), rendered);
    }
  });
}

const taken: Case | undefined = (golden('services') as Case[]).find(
  ({ found }) => found?.owned === false,
);
assert.ok(taken?.found);
const users = serviceOf('podinfo', taken.found);
const options = optionsFor({ port: 80, targetPort: 9898, portDiscovery: true });
const ours = renderService('apex', options, undefined);

test('a Service in order is returned as it is, whatever the order of its ports', () => {
  const adopted = renderService('apex', options, users);
  const ports = adopted.spec.ports?.toReversed() ?? [];
  const live = { ...adopted, spec: { ...adopted.spec, ports } };
  assert.deepEqual(renderService('apex', options, live), live);
});

test('ports that the API server has filled in are no drift', () => {
  const ports: ServicePort[] = [{ name: 'http', port: 80 }];
  const stored = { ...users, spec: { ...users.spec, selector: { app: 'podinfo-primary' }, ports } };
  assert.deepEqual(renderService('apex', optionsFor({ port: 80 }), stored), stored);
});

test('a Service in order that is not ours is not marked', () => {
  const spec = { ...users.spec, selector: { app: 'podinfo-primary' } };
  const live = { ...users, spec };
  assert.deepEqual(renderService('apex', optionsFor({ port: 80, targetPort: 9898 }), live), live);
});

test('type, address and the rest of a live Service are nobody’s to repair', () => {
  const spec = { ...ours.spec, clusterIP: '10.96.0.9', sessionAffinity: 'ClientIP' };
  const live = { ...ours, spec };
  const headless = { port: 80, targetPort: 9898, portDiscovery: true, headless: true };
  assert.deepEqual(renderService('apex', optionsFor(headless), live), live);
});

const applied = (text: string): Service => ({
  ...renderService('apex', options, users),
  metadata: {
    ...users.metadata,
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': text },
  },
});
const reverted: Record<string, [Service, StringMap]> = {
  'the selector that was applied': [
    applied(JSON.stringify({ spec: { selector: { app: 'podinfo', extra: 'label' } } })),
    { app: 'podinfo', extra: 'label' },
  ],
  'the target’s label where no kubectl applied it': [
    renderService('apex', options, users),
    { app: 'podinfo' },
  ],
  'the target’s label where what was applied cannot be read': [
    applied('not JSON'),
    { app: 'podinfo' },
  ],
  'the target’s label where what was applied is no Service': [applied('null'), { app: 'podinfo' }],
  'the target’s label where what was applied selects nothing': [
    applied('{"spec":{}}'),
    { app: 'podinfo' },
  ],
};
for (const [name, [live, expected]] of Object.entries(reverted)) {
  test(`a Service of the user's gets back ${name}`, () => {
    const given = renderRevertedApex(options, live);
    assert.deepEqual(given, { ...live, spec: { ...live.spec, selector: expected } });
  });
}

test('a Service of ours is not given back: it goes with the canary', () => {
  assert.equal(renderRevertedApex(options, ours), undefined);
});
