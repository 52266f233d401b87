/** The whole controller in virtual time, on a cluster in memory: what its users can rely on. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deployments } from '../../src/kube/resources.ts';
import { startProcess } from './process.ts';
import {
  apply,
  createSite,
  eventsOf,
  guard,
  imageOf,
  isChange,
  isRead,
  phaseOf,
  reached,
  setImage,
  weightStory,
} from './site.ts';

/** Of a good revision (`spec/01`, 4.2). */
const rolloutEvents = [
  'New revision detected! Scaling up podinfo.test',
  'Starting canary analysis for podinfo.test',
  'Advance podinfo.test canary weight 10',
  'Advance podinfo.test canary weight 20',
  'Advance podinfo.test canary weight 30',
  'Copying podinfo.test template spec to podinfo-primary.test',
  'Routing all traffic to primary',
  'Promotion completed! Scaling down podinfo.test',
];

describe('a rollout', () => {
  test('goes to its end with the events of the reference, few writes, and no read', async () => {
    const site = createSite();
    const laws = guard(site);
    apply(site, 'podinfo');
    const process = startProcess(site.cluster, site.clock);
    await reached(site, 'podinfo', 'Initialized');
    await site.clock.advance(60_000);
    const { calls, writes } = site.cluster;
    const before = { calls: calls.length, writes: writes.length, looks: process.looks() };
    assert.deepEqual(eventsOf(site, 'podinfo'), ['Initialization done! podinfo.test']);

    setImage(site, 'podinfo', 'podinfo:2');
    await site.clock.advance(50);
    assert.equal(phaseOf(site, 'podinfo'), 'Progressing', 'the change is seen at once');
    await reached(site, 'podinfo', 'Succeeded');
    await site.clock.advance(60_000);
    assert.deepEqual(eventsOf(site, 'podinfo').slice(1), rolloutEvents);
    assert.deepEqual(weightStory(site, 'podinfo'), [0, 10, 20, 30, 0]);
    assert.equal(site.cluster.read(deployments, 'podinfo')?.spec.replicas, 0);
    const changes = writes.slice(before.writes).filter(isChange);
    assert.equal(changes.length, 14, 'two writes a step');
    assert.equal(calls.slice(before.calls).filter(isRead).length, 0);
    assert.ok(process.looks() - before.looks <= 20, 'few looks');
    assert.equal(imageOf(site, 'podinfo-primary'), 'podinfo:2');
    laws.check();
    assert.deepEqual(process.errors, []);
    await process.stop();
  });
});
