/** Targets that are no Deployments, as they are applied. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { mutate } from '../../src/admission/mutate.ts';
import type { AdmissionRequest } from '../../src/admission/review.ts';
import { scaleToZeroLabel } from '../../src/api/annotations.ts';
import type { KnativeService, KnativeTraffic } from '../../src/api/knative.ts';
import type { DaemonSet, KubeObject, Service, StringMap } from '../../src/api/kubernetes.ts';
import { lookupOf, podinfoCanary } from './podinfo.ts';

const metadata = { namespace: 'test', name: 'podinfo' };

const daemonSet = (image: string, nodeSelector?: StringMap): DaemonSet => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata,
  spec: {
    selector: { matchLabels: { app: 'podinfo' } },
    template: {
      spec: { containers: [{ name: 'app', image }], ...(nodeSelector && { nodeSelector }) },
    },
  },
});

const service = (revision: string): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata,
  spec: { selector: { app: 'podinfo', revision }, ports: [{ port: 80 }] },
});

const knative = (image: string, traffic?: readonly KnativeTraffic[]): KnativeService => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata,
  spec: { template: { spec: { containers: [{ image }] } }, ...(traffic && { traffic }) },
});
const shares = (latest: number): readonly KnativeTraffic[] => [
  { latestRevision: true, percent: latest },
  { revisionName: 'podinfo-00001', percent: 100 - latest },
];

const update = (oldObject: KubeObject, object: KubeObject): AdmissionRequest => ({
  uid: '1',
  kind: object.kind,
  operation: 'UPDATE',
  ...metadata,
  user: 'jane',
  dryRun: false,
  object,
  oldObject,
});

const canaryOf = ({ apiVersion, kind }: KubeObject) =>
  podinfoCanary({ spec: { targetRef: { apiVersion, kind, name: 'podinfo' } } });
const idle = { [scaleToZeroLabel]: 'true' };

function admitted(oldObject: KubeObject, object: KubeObject) {
  const { answer, notice } = mutate(update(oldObject, object), lookupOf(canaryOf(object)));
  return { ...answer, marks: answer.wanted?.metadata.annotations ?? {}, isNoticed: !!notice };
}

suite('a DaemonSet', () => {
  test('is stamped, and its user told what comes', () => {
    const { marks, warnings, isNoticed } = admitted(
      daemonSet('app:1', idle),
      daemonSet('app:2', idle),
    );
    assert.equal(marks['aviary.dev/changed-by'], 'jane');
    assert.equal(marks['aviary.dev/change-cause'], 'image app: app:1 -> app:2');
    assert.match(marks['aviary.dev/revision'] ?? '', /^[0-9a-f]{10}$/);
    assert.match(warnings.join(), /^podinfo: this starts a canary analysis/);
    assert.ok(isNoticed);
  });

  test('that is idle stays so when a manifest does not know of it, and that is no revision', () => {
    const { wanted, warnings, isNoticed } = admitted(daemonSet('app:1', idle), daemonSet('app:1'));
    assert.deepEqual(wanted, {
      ...daemonSet('app:1', idle),
      metadata: { ...metadata, annotations: {} },
    });
    assert.deepEqual(warnings, [
      'podinfo: stays without pods, the canary holds it until its next revision',
    ]);
    assert.ok(!isNoticed);
  });

  test('that serves is left as it is', () => {
    const { wanted } = admitted(daemonSet('app:1'), daemonSet('app:1', { disk: 'ssd' }));
    assert.deepEqual((wanted as DaemonSet).spec, daemonSet('app:1', { disk: 'ssd' }).spec);
  });
});

suite('a Service', () => {
  test('is stamped when it leads elsewhere', () => {
    const { marks, warnings, wanted } = admitted(service('1'), service('2'));
    assert.equal(marks['aviary.dev/change-cause'], 'spec: selector');
    assert.match(warnings.join(), /^podinfo: this starts a canary analysis/);
    assert.deepEqual((wanted as Service).spec, service('2').spec);
  });

  test('with another address is the same revision', () => {
    const { spec, ...rest } = service('1');
    const moved = { ...rest, spec: { ...spec, clusterIP: '10.0.0.9' } };
    assert.deepEqual(admitted(service('1'), moved).warnings, []);
  });

  test('of Knative is another kind, and stamped for its template', () => {
    const { answer } = mutate(
      update(knative('app:1'), knative('app:2')),
      lookupOf(canaryOf(service('1'))),
    );
    assert.deepEqual(answer.warnings, []);
    const { marks, warnings } = admitted(knative('app:1'), knative('app:2'));
    assert.equal(marks['aviary.dev/change-cause'], 'spec: template');
    assert.match(warnings.join(), /^podinfo: this starts a canary analysis/);
  });
});

suite('a Knative Service', () => {
  const marked: KnativeService = {
    ...knative('app:1', shares(0)),
    metadata: { ...metadata, annotations: { 'flagger.app/primary-revision': 'podinfo-00001' } },
  };
  const leading = (traffic: readonly KnativeTraffic[]): KnativeService => ({
    ...marked,
    spec: { ...marked.spec, traffic },
  });
  const warning =
    'podinfo: its latest revision gets no more traffic by this, the canary holds spec.traffic';
  const trafficOf = (object: KubeObject | undefined) =>
    (object as KnativeService | undefined)?.spec.traffic;

  test('that a manifest takes the place of keeps its traffic, and who its primary is', () => {
    const { wanted, marks, warnings } = admitted(marked, knative('app:2'));
    assert.deepEqual(trafficOf(wanted), shares(0));
    assert.equal(marks['flagger.app/primary-revision'], 'podinfo-00001');
    assert.match(warnings[0] ?? '', /^podinfo: this starts a canary analysis/);
    assert.equal(warnings[1], warning);
  });

  test('gets no more traffic for its latest revision by hand', () => {
    const { wanted, warnings } = admitted(marked, leading(shares(50)));
    assert.deepEqual(trafficOf(wanted), shares(0));
    assert.deepEqual(warnings, [warning]);
  });

  test('may be lowered by hand, and told apart by tags', () => {
    const halfway = leading(shares(50));
    const lowered = [...shares(0), { revisionName: 'podinfo-00001', percent: 0, tag: 'stable' }];
    const { wanted, warnings } = admitted(halfway, leading(lowered));
    assert.deepEqual(trafficOf(wanted), lowered);
    assert.deepEqual(warnings, []);
  });

  test('of a suspended Canary is its owner’s', () => {
    const canary = canaryOf(marked);
    const suspended = { ...canary, spec: { ...canary.spec, suspend: true } };
    const { answer } = mutate(update(marked, knative('app:1')), lookupOf(suspended));
    assert.equal(trafficOf(answer.wanted), undefined);
  });
});
