/** What becomes of a primary that somebody deletes: users get back what they had, and nothing newer. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { ConfigMap, DaemonSet, Deployment, Service } from '../../src/api/kubernetes.ts';
import {
  canaries,
  configMaps,
  daemonSets,
  deployments,
  services,
} from '../../src/kube/resources.ts';
import type { Stage } from '../support/stage.ts';
import { canaryOf, initialized, key, onStage, setImage, target } from '../support/stage.ts';

const restored = 'web-primary.default was deleted: it is restored as it was';
const madeAnew = 'web-primary.default was missing: it is made of what web.default is now';

const imageOf = ({ spec }: Deployment | DaemonSet): string | undefined =>
  spec.template.spec.containers[0]?.image;

const primaryImage = (stage: Stage) => imageOf(stage.live(deployments, 'web-primary'));

suite('a primary that is deleted', () => {
  test('comes back as it was in the middle of an analysis, which goes on', () =>
    onStage(async (stage) => {
      await initialized(stage);
      await setImage(stage, 'web:2');
      await stage.until('Progressing');
      await stage.world.clock.advance(4_000);
      const before = stage.live(deployments, 'web-primary');
      await stage.remove(deployments, 'web-primary');
      const { metadata, spec } = stage.live(deployments, 'web-primary');
      assert.notEqual(metadata.uid, before.metadata.uid);
      assert.deepEqual(metadata.ownerReferences, before.metadata.ownerReferences);
      assert.deepEqual(metadata.labels, before.metadata.labels);
      assert.deepEqual(spec, before.spec);
      assert.equal(primaryImage(stage), 'web:1');
      assert.equal(stage.said().filter((it) => it === restored).length, 1);
      await stage.until('Succeeded');
      assert.equal(primaryImage(stage), 'web:2');
    }));

  test('comes back as it was beside a revision that has failed', () =>
    onStage(
      async (stage) => {
        await initialized(stage);
        await setImage(stage, 'web:2');
        await stage.until('Failed');
        await stage.world.clock.advance(20_000);
        await stage.remove(deployments, 'web-primary');
        await stage.world.clock.advance(20_000);
        assert.equal(primaryImage(stage), 'web:1');
        assert.equal(stage.live(deployments, 'web-primary').status?.availableReplicas, 1);
        assert.equal(stage.live(canaries).status?.phase, 'Failed');
      },
      { passes: () => false },
    ));

  test('reads the configuration that it read', () =>
    onStage(
      async (stage) => {
        const config = (serial: string): ConfigMap => ({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { ...key, name: 'settings' },
          data: { serial },
        });
        const { template } = target.spec;
        const [container] = template.spec.containers;
        assert.ok(container);
        const reading = { ...container, envFrom: [{ configMapRef: { name: 'settings' } }] };
        await stage.apply(configMaps, config('1'));
        await stage.apply(deployments, {
          ...target,
          spec: { ...target.spec, template: { ...template, spec: { containers: [reading] } } },
        });
        await stage.apply(canaries, canaryOf());
        await stage.until('Initialized');
        await stage.world.clock.advance(20_000);
        await stage.edit(configMaps, (live) => ({ ...live, data: { serial: '2' } }), 'settings');
        await stage.until('Failed');
        await stage.remove(deployments, 'web-primary');
        assert.ok(stage.said().includes(restored));
        const copy = stage.live(configMaps, 'settings-primary');
        assert.deepEqual(copy.data, { serial: '1' });
      },
      { passes: () => false },
    ));

  test('of a DaemonSet comes back as it was', () =>
    onStage(
      async (stage) => {
        const { selector, template } = target.spec;
        const daemonSet: DaemonSet = {
          apiVersion: 'apps/v1',
          kind: 'DaemonSet',
          metadata: key,
          spec: { selector, template },
        };
        const targetRef = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'web' };
        await stage.apply(daemonSets, daemonSet);
        await stage.apply(canaries, canaryOf({}, { targetRef }));
        await stage.until('Initialized');
        await stage.world.clock.advance(20_000);
        await stage.edit(daemonSets, (live) => {
          const containers = [{ name: 'app', image: 'web:2' }];
          const changed = { ...live.spec.template, spec: { containers } };
          return { ...live, spec: { ...live.spec, template: changed } };
        });
        await stage.until('Failed');
        await stage.remove(daemonSets, 'web-primary');
        assert.equal(imageOf(stage.live(daemonSets, 'web-primary')), 'web:1');
      },
      { passes: () => false },
    ));

  test('of a Service leads where it led, with an address of its own', () =>
    onStage(
      async (stage) => {
        const release = (it: string) => ({ app: 'web', release: it });
        const service: Service = {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: key,
          spec: { ports: [{ port: 80 }], selector: release('1') },
        };
        const targetRef = { apiVersion: 'v1', kind: 'Service', name: 'web' };
        await stage.apply(services, service);
        await stage.apply(canaries, canaryOf({}, { targetRef }));
        await stage.until('Initialized');
        await stage.world.clock.advance(20_000);
        await stage.edit(services, (live) => ({
          ...live,
          spec: { ...live.spec, selector: release('2') },
        }));
        await stage.until('Failed');
        await stage.remove(services, 'web-primary');
        const { spec } = stage.live(services, 'web-primary');
        assert.deepEqual(spec.selector, release('1'));
        assert.ok(stage.said().includes(restored));
      },
      { passes: () => false },
    ));

  test('is made of the target where no process has known it, and that is said', () =>
    onStage(async (stage) => {
      await initialized(stage);
      stage.process.kill();
      await stage.remove(deployments, 'web-primary');
      const other = stage.world.start({ name: 'other', isAlone: true });
      await stage.world.clock.advance(20_000);
      assert.equal(primaryImage(stage), 'web:1');
      assert.ok(stage.said().includes(madeAnew));
      other.kill();
    }));

  test('is made of the target while nothing was taken over yet', () =>
    onStage(
      async (stage) => {
        await stage.apply(deployments, target);
        await stage.apply(canaries, canaryOf());
        await setImage(stage, 'web:2');
        await stage.remove(deployments, 'web-primary');
        assert.equal(primaryImage(stage), 'web:2');
        assert.ok(stage.said().every((it) => it !== restored && it !== madeAnew));
      },
      { isReady: () => false },
    ));
});
