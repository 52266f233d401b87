/** The label that tells the sides apart, and the ports beside the main one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { CanaryService } from '../../src/api/canary.ts';
import type { Container, ContainerPort, Deployment, StringMap } from '../../src/api/kubernetes.ts';
import { discoverPorts, mainPort, selectorOf } from '../../src/targets/selector.ts';
import { canaryWith, target } from './podinfo.ts';

const labels = ['app', 'name', 'app.kubernetes.io/name'];
const selecting = (matchLabels: StringMap): Deployment => ({
  ...target,
  spec: { ...target.spec, selector: { matchLabels } },
});

const found: Record<string, [StringMap, string, string]> = {
  'takes the only label': [{ name: 'a' }, 'name', 'a'],
  'takes the first of the list, not of the target': [{ name: 'a', app: 'b' }, 'app', 'b'],
  'ignores labels that are not in the list': [
    { tier: 'web', 'app.kubernetes.io/name': 'a' },
    'app.kubernetes.io/name',
    'a',
  ],
};
for (const [name, [matchLabels, label, value]] of Object.entries(found)) {
  test(name, () => {
    const selector = { label, value };
    assert.deepEqual(selectorOf(selecting(matchLabels), labels), { ok: true, selector });
  });
}

test('a target without any of the labels is refused in the reference’s words', () => {
  assert.deepEqual(selectorOf(selecting({ tier: 'web' }), labels), {
    ok: false,
    error:
      'getSelectorLabel failed: deployment podinfo.test spec.selector.matchLabels ' +
      'must contain one of [app name app.kubernetes.io/name]',
  });
});

const listening = (...containers: readonly Container[]): Deployment => ({
  ...target,
  spec: { ...target.spec, template: { spec: { containers } } },
});
const container = (name: string, ...ports: readonly ContainerPort[]): Container => ({
  name,
  ports,
});
const http: ContainerPort = { name: 'http', containerPort: 9898, protocol: 'TCP' };
const metrics: ContainerPort = { name: 'http-metrics', containerPort: 8080 };
const nameless: ContainerPort = { containerPort: 8888 };

/** `NAME PROTOCOL PORT` of each discovered port. */
const ports: Record<string, [Partial<CanaryService>, readonly Container[], readonly string[]]> = {
  'the example of spec/01, 3.8': [
    { port: 80, targetPort: 9898 },
    [container('podinfo', http, metrics, nameless)],
    ['http-metrics TCP 8080', 'tcp-podinfo-2 TCP 8888'],
  ],
  'the main port by the name of the container’s': [
    { port: 80, targetPort: 'http-metrics', portName: 'web' },
    [container('podinfo', http, metrics)],
    ['http TCP 9898'],
  ],
  'the main port by its number alone': [
    { port: 8080 },
    [container('podinfo', http, metrics)],
    ['tcp-podinfo-0 TCP 9898'],
  ],
  'nothing of the sidecars of meshes': [
    { port: 9898 },
    [container('podinfo', http), container('istio-proxy', metrics), container('envoy', nameless)],
    [],
  ],
  'one port where two have a name, the last': [
    { port: 9898 },
    [container('a', metrics), container('b', { ...metrics, containerPort: 8081 })],
    ['http-metrics TCP 8081'],
  ],
  'no second port with the number of the Service’s (the reference’s Service is refused)': [
    { port: 80, targetPort: 9898 },
    [container('podinfo', http, { name: 'plain', containerPort: 80 })],
    [],
  ],
  'R9: one port where two containers name the same number': [
    { port: 9898 },
    [container('a', metrics), container('b', { ...metrics, name: 'stats' })],
    ['http-metrics TCP 8080'],
  ],
  'R9: the protocol that the container speaks': [
    { port: 53, targetPort: 5353, portName: 'dns-tcp' },
    [
      container(
        'dns',
        { name: 'dns', containerPort: 5353, protocol: 'UDP' },
        { name: 'dns-tcp', containerPort: 5353, protocol: 'TCP' },
      ),
    ],
    ['dns UDP 5353'],
  ],
  'the same number in another protocol': [
    { port: 53, portName: 'dns-tcp' },
    [container('dns', { containerPort: 53 }, { containerPort: 53, protocol: 'UDP' })],
    ['tcp-dns-1 UDP 53'],
  ],
};
for (const [name, [service, containers, expected]] of Object.entries(ports)) {
  test(`discovers ${name}`, () => {
    const canary = canaryWith({ service: { port: 80, portDiscovery: true, ...service } });
    const discovered = discoverPorts(canary, listening(...containers).spec.template);
    const described = discovered.map((it) => `${it.name} ${it.protocol} ${it.port}`);
    assert.deepEqual(described, expected);
    for (const port of discovered) assert.equal(port.targetPort, port.port);
  });
}

test('discovers nothing unless it is asked to', () => {
  const canary = canaryWith({ service: { port: 80 } });
  assert.deepEqual(
    discoverPorts(canary, listening(container('a', http, metrics)).spec.template),
    [],
  );
});

test('whatever containers declare, the API server can take the ports', () => {
  const port: fc.Arbitrary<ContainerPort> = fc.record(
    {
      name: fc.constantFrom('http', 'metrics', 'grpc'),
      containerPort: fc.integer({ min: 80, max: 84 }),
      protocol: fc.constantFrom('TCP', 'UDP'),
    },
    { requiredKeys: ['containerPort'] },
  );
  const service = fc.record(
    {
      port: fc.integer({ min: 80, max: 84 }),
      portName: fc.constantFrom('http', 'grpc', ''),
      targetPort: fc.constantFrom(80, 82, 'http', 'metrics', 0),
    },
    { requiredKeys: ['port'] },
  );
  const containers = fc.array(fc.array(port, { maxLength: 4 }), { maxLength: 3 });
  fc.assert(
    fc.property(service, containers, (given, declared) => {
      const canary = canaryWith({ service: { ...given, portDiscovery: true } });
      const deployment = listening(...declared.map((it, index) => container(`c${index}`, ...it)));
      const all = [mainPort(canary), ...discoverPorts(canary, deployment.spec.template)];
      assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
      assert.equal(new Set(all.map((it) => `${it.protocol}/${it.port}`)).size, all.length);
    }),
  );
});
