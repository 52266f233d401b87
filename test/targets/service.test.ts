/** Services as targets (`spec/01`, 3.5): copies for both sides, and whole rollouts. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Service } from '../../src/api/kubernetes.ts';
import { canaries, services, virtualServices } from '../../src/kube/resources.ts';
import {
  renderCanaryService,
  renderPrimaryService,
  renderServicePromotion,
} from '../../src/targets/service.ts';
import type { PrimaryOptions } from '../../src/targets/primary.ts';
import type { Stage, StageOptions } from '../support/stage.ts';
import { canaryOf, createStage, key } from '../support/stage.ts';
import { primaryOptions } from './podinfo.ts';

const stored: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    ...key,
    labels: { team: 'a' },
    annotations: {
      'kubectl.kubernetes.io/last-applied-configuration': '{}',
      'aviary.dev/canary': 'web',
      owner: 'shop',
    },
  },
  spec: {
    type: 'NodePort',
    clusterIP: '10.0.0.7',
    clusterIPs: ['10.0.0.7'],
    selector: { app: 'web', revision: '1' },
    ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 8080, nodePort: 30080 }],
  },
};
const ref = { targetRef: { apiVersion: 'v1', kind: 'Service', name: 'web' } } as const;
const canary = canaryOf({}, ref);
const options: PrimaryOptions<Service> = { ...primaryOptions, canary, target: stored };
const port = { name: 'http', port: 80, protocol: 'TCP', targetPort: 8080 };

suite('copies of a Service', () => {
  test('D7: have no address and no node port of the target', () => {
    const expected = {
      type: 'NodePort',
      selector: { app: 'web', revision: '1' },
      ports: [port],
    };
    assert.deepEqual(renderPrimaryService(options).spec, expected);
    assert.deepEqual(renderCanaryService(canary, stored, undefined).spec, expected);
  });

  test('D7: keep those of their own', () => {
    const live = renderPrimaryService(options);
    const own = {
      ...live,
      spec: {
        ...live.spec,
        clusterIP: '10.0.0.8',
        clusterIPs: ['10.0.0.8'],
        ports: [{ ...port, nodePort: 30081 }],
      },
    };
    const target = { ...stored, spec: { ...stored.spec, selector: { app: 'web', revision: '2' } } };
    const expected = { ...own.spec, selector: { app: 'web', revision: '2' } };
    assert.deepEqual(renderServicePromotion({ ...options, target }, own).spec, expected);
    assert.deepEqual(renderCanaryService(canary, target, own).spec, expected);
  });

  test('give node ports up with the type that has them', () => {
    const target = { ...stored, spec: { ...stored.spec, type: 'ClusterIP' } };
    assert.deepEqual(renderServicePromotion({ ...options, target }, stored).spec.ports, [port]);
  });

  test('stay headless where the target is', () => {
    const spec = { ...stored.spec, type: 'ClusterIP', clusterIP: 'None', clusterIPs: ['None'] };
    assert.equal(
      renderPrimaryService({ ...options, target: { ...stored, spec } }).spec.clusterIP,
      'None',
    );
  });

  test('are owned, and take over what is not about the target alone', () => {
    const { metadata } = renderCanaryService(canary, stored, undefined);
    assert.equal(metadata.name, 'web-canary');
    assert.equal(metadata.ownerReferences?.[0]?.kind, 'Canary');
    assert.deepEqual(metadata.labels, { team: 'a' });
    assert.deepEqual(metadata.annotations, {
      owner: 'shop',
      'kustomize.toolkit.fluxcd.io/reconcile': 'disabled',
      'helm.toolkit.fluxcd.io/driftDetection': 'disabled',
    });
  });

  test('that are as they must be render to themselves', () => {
    const primary = renderPrimaryService(options);
    assert.deepEqual(renderServicePromotion(options, primary).spec, primary.spec);
    const side = renderCanaryService(canary, stored, undefined);
    assert.deepEqual(renderCanaryService(canary, stored, side), side);
  });
});

const target: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: key,
  spec: { selector: { app: 'web', revision: '1' }, ports: [{ name: 'http', port: 80 }] },
};
const revision = ({ spec }: Service) => spec.selector?.['revision'];
const leadTo = (number: string) => (live: Service) => ({
  ...live,
  spec: { ...live.spec, selector: { app: 'web', revision: number } },
});

async function initialized(given: StageOptions = {}): Promise<Stage> {
  const stage = await createStage(given);
  await stage.apply(services, target);
  await stage.apply(canaries, canaryOf({}, { ...ref, provider: 'istio' }));
  await stage.until('Initialized');
  await stage.world.clock.advance(15_000);
  return stage;
}

suite('a rollout of a Service', () => {
  test('D7: begins with a copy for each side, and leaves the target as it is', async () => {
    const stage = await initialized();
    assert.equal(revision(stage.live(services, 'web-primary')), '1');
    assert.equal(revision(stage.live(services, 'web-canary')), '1');
    assert.deepEqual(stage.live(services).spec.selector, target.spec.selector);
    const addresses = ['web', 'web-primary', 'web-canary'].map(
      (name) => stage.live(services, name).spec.clusterIP,
    );
    assert.equal(new Set(addresses).size, 3);
    assert.ok(stage.find(virtualServices) !== undefined);
    stage.end();
  });

  test('promotes: the primary leads where the target does', async () => {
    const stage = await initialized();
    await stage.edit(services, leadTo('2'));
    assert.equal(revision(stage.live(services, 'web-canary')), '2');
    assert.equal(revision(stage.live(services, 'web-primary')), '1');
    await stage.until('Succeeded');
    assert.equal(revision(stage.live(services, 'web-primary')), '2');
    assert.ok(stage.said().includes('Advance web.default canary weight 50'));
    stage.end();
  });

  test('rolls back: the primary leads where it led', async () => {
    const stage = await initialized({ passes: () => false });
    await stage.edit(services, leadTo('2'));
    await stage.until('Failed');
    assert.equal(revision(stage.live(services, 'web-primary')), '1');
    stage.end();
  });
});
