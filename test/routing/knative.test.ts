/** Knative: the target is its own route (`spec/02`, 8), so the laws of other providers are not its. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { KnativeService, KnativeTraffic } from '../../src/api/knative.ts';
import { knative } from '../../src/routing/knative.ts';
import { canaryOf, liveOf, namespace, splitAt } from './canaries.ts';

const canary = {
  ...canaryOf(),
  spec: {
    ...canaryOf().spec,
    targetRef: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'podinfo' },
  },
};
const primary = 'podinfo-00001';

interface Given {
  readonly traffic?: readonly KnativeTraffic[];
  readonly marked?: boolean;
  readonly status?: KnativeService['status'];
}

const serviceOf = ({ traffic, marked = true, status }: Given): KnativeService => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: {
    name: 'podinfo',
    namespace,
    generation: 3,
    annotations: { owner: 'shop', ...(marked && { 'flagger.app/primary-revision': primary }) },
  },
  spec: { template: { spec: {} }, ...(traffic && { traffic }) },
  ...(status && { status }),
});

const pinned = (latest: number, name = primary): readonly KnativeTraffic[] => [
  { latestRevision: true, percent: latest },
  { revisionName: name, percent: 100 - latest },
];

function trafficAt(weight: number, given: Given): unknown {
  const live = liveOf([serviceOf(given)]);
  const rendered = knative.render(canary, splitAt(weight), {}, live);
  assert.ok(rendered.ok);
  const [route] = rendered.objects;
  return (route?.wanted as KnativeService | undefined)?.spec.traffic;
}

suite('Knative', () => {
  test('reads back each weight that it writes', () => {
    for (const weight of [0, 1, 30, 50, 99, 100]) {
      assert.deepEqual(trafficAt(weight, {}), pinned(weight));
      const live = liveOf([serviceOf({ traffic: pinned(weight) })]);
      assert.deepEqual(knative.read(canary, live), splitAt(weight));
    }
  });

  test('finds no split in traffic that nobody has shared out', () => {
    for (const traffic of [undefined, [{ latestRevision: true, percent: 100 }]]) {
      const live = liveOf([serviceOf({ ...(traffic && { traffic }) })]);
      assert.equal(knative.read(canary, live), undefined);
    }
    assert.equal(knative.read(canary, liveOf([])), undefined);
  });

  test('takes what Knative writes out for no difference', () => {
    const [latest = {}, other = {}] = pinned(30);
    const traffic = [latest, { ...other, latestRevision: false }];
    const service = serviceOf({ traffic });
    const rendered = knative.render(canary, splitAt(30), {}, liveOf([service]));
    assert.ok(rendered.ok);
    assert.deepEqual(rendered.objects[0]?.wanted, service);
  });

  test('writes nothing before there is a primary', () => {
    assert.equal(trafficAt(0, { marked: false }), undefined);
    assert.equal(trafficAt(0, { marked: false, status: { traffic: [] } }), undefined);
  });

  test('D26: an annotation that is lost does not lose the primary', () => {
    assert.deepEqual(trafficAt(40, { marked: false, traffic: pinned(30) }), pinned(40));
    // The whole spec was replaced: what Knative acts on still says it.
    assert.deepEqual(trafficAt(0, { marked: false, status: { traffic: pinned(30) } }), pinned(0));
  });

  test('weights of a promotion in steps sum to 100, though both sides are one revision', () => {
    const traffic = pinned(60);
    const status = { latestCreatedRevisionName: primary, traffic };
    assert.deepEqual(trafficAt(40, { traffic, status }), pinned(40));
  });

  test('refuses an A/B test, by its field', () => {
    const analysis = { iterations: 2, match: [{ headers: { 'x-user': { exact: 'a' } } }] };
    const wanted = { ...canary, spec: { ...canary.spec, analysis } };
    const rendered = knative.render(wanted, splitAt(0), {}, liveOf([serviceOf({})]));
    assert.ok(!rendered.ok);
    assert.match(rendered.error, /^spec\.analysis\.match: /);
  });

  test('D26: gives traffic back to the latest revision, without a mark', () => {
    const tagged = { revisionName: primary, percent: 0, tag: 'stable' };
    const live = liveOf([serviceOf({ traffic: [...pinned(0), tagged] })]);
    const [{ wanted } = { wanted: undefined }] = knative.revert(canary, live);
    assert.deepEqual((wanted as KnativeService | undefined)?.spec.traffic, [
      tagged,
      { latestRevision: true, percent: 100 },
    ]);
    assert.deepEqual(wanted?.metadata.annotations, { owner: 'shop' });
    assert.deepEqual(knative.revert(canary, liveOf([])), []);
  });

  const says = (status: string, observedGeneration = 3): Given => ({
    status: { observedGeneration, conditions: [{ type: 'RoutesReady', status }] },
  });
  const reports: Readonly<Record<string, readonly [Given, string]>> = {
    'has taken it in': [says('True'), 'confirmed'],
    'is at it': [says('Unknown'), 'pending'],
    'has not seen it': [says('True', 2), 'pending'],
    refuses: [says('False'), 'refused'],
    'says nothing': [{}, 'unreported'],
  };
  for (const [what, [given, state]] of Object.entries(reports)) {
    test(`that ${what} is ${state}`, () => {
      assert.equal(knative.confirm?.(canary, liveOf([serviceOf(given)])).state, state);
    });
  }
});
