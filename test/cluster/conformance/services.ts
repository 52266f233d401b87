/** Services find their pods; leases are held by one; events are kept as they were told. */
import assert from 'node:assert/strict';
import { assertLike, at, itemsOf, textAt } from './match.ts';
import {
  deployment,
  deployments,
  endpointSlices,
  events,
  leases,
  service,
  services as servicesIn,
} from './paths.ts';
import type { Chapter, Ground } from './site.ts';

const namespace = 'default';

interface Endpoint {
  readonly addresses: readonly string[];
  readonly conditions: { readonly ready: boolean };
  readonly targetRef: { readonly kind: string; readonly name: string };
}

async function slicesOf({ calls }: Ground, name: string): Promise<readonly unknown[]> {
  const query = { labelSelector: `kubernetes.io/service-name=${name}` };
  return itemsOf((await calls.get(endpointSlices(namespace), query)).body);
}

const endpointsOf = (slice: unknown): readonly Endpoint[] =>
  (at(slice, 'endpoints') ?? []) as readonly Endpoint[];

/** The ready endpoints, when there are so many of them. */
async function ready(ground: Ground, name: string, count: number): Promise<readonly Endpoint[]> {
  return ground.until(`${name} has ${count} ready endpoints`, async () => {
    const found = (await slicesOf(ground, name)).flatMap(endpointsOf);
    const isReady = found.filter(({ conditions }) => conditions.ready);
    return isReady.length === count && isReady;
  });
}

export const services: Chapter = {
  title: 'services, leases and events',
  needsKubectl: false,
  tests: {
    'a Service has an address of its own, which stays': async (ground) => {
      const { calls } = ground;
      const name = ground.name('svc');
      const created = await calls.create(servicesIn(namespace), service(name));
      assertLike(created, {
        code: 201,
        body: {
          spec: {
            type: 'ClusterIP',
            sessionAffinity: 'None',
            ipFamilies: ['IPv4'],
            ipFamilyPolicy: 'SingleStack',
            internalTrafficPolicy: 'Cluster',
            ports: [{ protocol: 'TCP', port: 80, targetPort: 9898 }],
          },
          status: { loadBalancer: {} },
        },
      });
      const address = textAt(created.body, 'spec.clusterIP');
      assert.match(address, /^10\.\d+\.\d+\.\d+$/);
      assert.deepEqual(at(created.body, 'spec.clusterIPs'), [address]);
      const path = `${servicesIn(namespace)}/${name}`;
      const replaced = await calls.replace(path, service(name, { ports: [{ port: 8080 }] }));
      assertLike(replaced, {
        code: 200,
        body: { spec: { clusterIP: address, ports: [{ port: 8080, targetPort: 8080 }] } },
      });
      const patch = { spec: { clusterIP: '10.0.0.77', clusterIPs: ['10.0.0.77'] } };
      const refused = await calls.patch('merge', path, patch);
      assertLike(refused, { code: 422, body: { reason: 'Invalid' } });
      assert.match(textAt(refused.body, 'message'), /may not change once set/);
      assert.equal((await calls.delete(path)).code, 200);
    },
    'a headless one has none': async (ground) => {
      const name = ground.name('svc');
      const body = service(name, { clusterIP: 'None' });
      const created = await ground.calls.create(servicesIn(namespace), body);
      assertLike(created, {
        code: 201,
        body: { spec: { clusterIP: 'None', clusterIPs: ['None'] } },
      });
    },
    'one without ports is refused': async (ground) => {
      const name = ground.name('svc');
      const refused = await ground.calls.create(
        servicesIn(namespace),
        service(name, { ports: [] }),
      );
      assertLike(refused, {
        code: 422,
        body: { message: `Service "${name}" is invalid: spec.ports: Required value` },
      });
    },
    'its endpoints are the ready pods that it selects': async (ground) => {
      const { calls } = ground;
      const name = ground.name('app');
      const labels = { tier: 'front' };
      const labelled = { ...service(name), metadata: { name, labels } };
      await calls.create(servicesIn(namespace), labelled);
      await calls.create(deployments(namespace), deployment(name, { replicas: 2 }));
      const found = await ready(ground, name, 2);
      assert.ok(found.every(({ targetRef }) => targetRef.kind === 'Pod'));
      assert.equal(new Set(found.map(({ addresses }) => addresses[0])).size, 2);
      const [slice, ...more] = await slicesOf(ground, name);
      assert.deepEqual(more, []);
      assertLike(slice, {
        addressType: 'IPv4',
        ports: [{ name: '', port: 9898, protocol: 'TCP' }],
        metadata: {
          labels: {
            ...labels,
            'kubernetes.io/service-name': name,
            'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
          },
          ownerReferences: [{ kind: 'Service', name, controller: true }],
        },
      });
      await calls.patch('merge', `${deployments(namespace)}/${name}/scale`, {
        spec: { replicas: 1 },
      });
      await ready(ground, name, 1);
    },
    'a Service that selects others follows at once': async (ground) => {
      const { calls } = ground;
      const name = ground.name('app');
      await calls.create(deployments(namespace), deployment(name));
      await calls.create(servicesIn(namespace), service(name, { selector: { app: 'nobody' } }));
      await ground.until('it has a slice', async () => (await slicesOf(ground, name)).length === 1);
      assert.deepEqual((await slicesOf(ground, name)).flatMap(endpointsOf), []);
      await calls.patch('merge', `${servicesIn(namespace)}/${name}`, {
        spec: { selector: { app: name } },
      });
      await ready(ground, name, 1);
      await calls.delete(`${servicesIn(namespace)}/${name}`);
      await ground.until(
        'its slices go with it',
        async () => (await slicesOf(ground, name)).length === 0,
      );
    },
    'of two who take a lease at once, one gets it': async (ground) => {
      const { calls } = ground;
      const path = leases(await ground.namespace());
      const spec = {
        holderIdentity: 'nobody',
        leaseDurationSeconds: 15,
        renewTime: '2026-11-23T12:00:00.123456Z',
      };
      const { body } = await calls.create(path, { metadata: { name: 'a' }, spec });
      assertLike(body, { spec });
      const take = (holderIdentity: string) =>
        calls.replace(`${path}/a`, { ...(body as object), spec: { ...spec, holderIdentity } });
      const answers = await Promise.all([take('one'), take('two'), take('three')]);
      const codes = answers.map(({ code }) => code).toSorted((one, two) => one - two);
      assert.deepEqual(codes, [200, 409, 409]);
      const winner = answers.find(({ code }) => code === 200);
      const { body: live } = await calls.get(`${path}/a`);
      assert.equal(at(live, 'spec.holderIdentity'), at(winner?.body, 'spec.holderIdentity'));
    },
    'times in a lease have microseconds, and nothing else is a time': async (ground) => {
      const path = leases(await ground.namespace());
      const leaseOf = (renewTime: string) =>
        ground.calls.create(path, { metadata: { generateName: 'a-' }, spec: { renewTime } });
      const renewTime = '2026-11-23T12:00:00.000001Z';
      assertLike(await leaseOf(renewTime), { code: 201, body: { spec: { renewTime } } });
      for (const time of ['2026-11-23T12:00:00Z', 'yesterday']) {
        assertLike(await leaseOf(time), { code: 400, body: { reason: 'BadRequest' } }, time);
      }
    },
    'an event is kept as it was told': async (ground) => {
      const { calls } = ground;
      const namespace = await ground.namespace();
      const event = {
        metadata: { name: 'a.1' },
        involvedObject: { kind: 'Canary', namespace, name: 'a', apiVersion: 'flagger.app/v1beta1' },
        reason: 'Synced',
        message: 'Advance a canary weight 10',
        type: 'Normal',
        source: { component: 'aviary' },
        firstTimestamp: '2026-11-23T12:00:00Z',
        lastTimestamp: '2026-11-23T12:00:00Z',
        count: 1,
      };
      const created = await calls.create(events(namespace), event);
      assertLike(created, { code: 201, body: { ...event, kind: 'Event', apiVersion: 'v1' } });
      const elsewhere = { ...event.involvedObject, namespace: 'kube-system' };
      const refused = await calls.create(events(namespace), {
        ...event,
        metadata: { name: 'a.2' },
        involvedObject: elsewhere,
      });
      assertLike(refused, { code: 422, body: { reason: 'Invalid' } });
      assert.match(textAt(refused.body, 'message'), /involvedObject\.namespace: Invalid value/);
      const modern = `/apis/events.k8s.io/v1/namespaces/${namespace}/events/a.1`;
      assertLike(await calls.get(modern), {
        code: 200,
        body: { apiVersion: 'events.k8s.io/v1', regarding: { name: 'a' }, note: event.message },
      });
    },
  },
};
