import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { mutate } from '../../src/admission/mutate.ts';
import type { AdmissionRequest } from '../../src/admission/review.ts';
import type { Phase } from '../../src/api/canary.ts';
import type { ConfigMap, Deployment } from '../../src/api/kubernetes.ts';
import { configChecksum } from '../../src/revision/checksum.ts';
import { revisionOf } from '../../src/revision/hash.ts';
import type { CanaryParts, DeploymentParts, ReviewName } from './podinfo.ts';
import {
  after,
  before,
  changedHash,
  lookupOf,
  podinfoCanary,
  readRequest,
  stored,
  withParts,
} from './podinfo.ts';

const setImage = readRequest('set-image');
const lookup = lookupOf(podinfoCanary());

/** An update of podinfo by its parts. */
function update(old: DeploymentParts, now: DeploymentParts): AdmissionRequest {
  return { ...setImage, oldObject: withParts(before, old), object: withParts(before, now) };
}

function annotationsAfter(request: AdmissionRequest, found = lookup): Record<string, string> {
  const { answer } = mutate(request, found);
  const ours = Object.entries(stored(request, answer.wanted).metadata.annotations ?? {});
  return Object.fromEntries(ours.filter(([key]) => key.startsWith('aviary.dev/')));
}

suite('stamps', () => {
  test('of a new image: revision, user and cause', () => {
    assert.deepEqual(annotationsAfter(setImage), {
      'aviary.dev/canary': 'podinfo',
      'aviary.dev/revision': revisionOf(changedHash, {}),
      'aviary.dev/changed-by': 'alice@example.com',
      'aviary.dev/change-cause':
        'image podinfod: ghcr.io/stefanprodan/podinfo:6.9.0 -> ghcr.io/stefanprodan/podinfo:6.9.1',
    });
  });

  test('change nothing but annotations: above all not the pod template', () => {
    const { answer } = mutate(setImage, lookup);
    const now = stored(setImage, answer.wanted);
    const { annotations: _, ...metadata } = now.metadata;
    const { annotations: __, ...given } = after.metadata;
    assert.deepEqual({ ...now, metadata }, { ...after, metadata: given });
  });

  test('of a size alone leave those of the last change', () => {
    const old = { 'aviary.dev/revision': 'r1', 'aviary.dev/changed-by': 'bob' };
    const request = update({ annotations: old, replicas: 2 }, { annotations: old, replicas: 3 });
    const found = lookupOf(podinfoCanary({ status: { phase: 'Progressing' } }));
    assert.deepEqual(annotationsAfter(request, found), {
      'aviary.dev/canary': 'podinfo',
      'aviary.dev/replicas': '3',
      ...old,
    });
  });

  test('stay where a manifest without them takes the object’s place, as kubectl replace does', () => {
    const marks = { 'aviary.dev/changed-by': 'bob', 'aviary.dev/replicas': '4' };
    const { annotations: _, ...metadata } = after.metadata;
    const request = {
      ...setImage,
      oldObject: withParts(before, { annotations: marks }),
      object: { ...after, metadata },
    };
    const found = annotationsAfter(request);
    assert.equal(found['aviary.dev/canary'], 'podinfo');
    assert.equal(found['aviary.dev/replicas'], '4');
    assert.equal(found['aviary.dev/changed-by'], 'alice@example.com');
  });

  test('do not come back while the Canary lets the Deployment go', () => {
    const { annotations: _, ...metadata } = after.metadata;
    const found = lookupOf(podinfoCanary({ status: { phase: 'Terminating' } }));
    const now = annotationsAfter({ ...setImage, object: { ...after, metadata } }, found);
    assert.equal(now['aviary.dev/canary'], undefined);
  });

  test('follow an undo, which is an update like any other', () => {
    const marks = { 'aviary.dev/revision': 'stale', 'aviary.dev/changed-by': 'bob' };
    const old = withParts(after, { annotations: marks });
    const object = withParts(before, { annotations: marks });
    const found = annotationsAfter({ ...setImage, oldObject: old, object });
    assert.equal(found['aviary.dev/changed-by'], 'alice@example.com');
    assert.notEqual(found['aviary.dev/revision'], 'stale');
  });
});

suite('the revision', () => {
  const config: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'podinfo-config', namespace: 'test' },
    data: { color: 'blue' },
  };
  const [container] = after.spec.template.spec.containers;
  const withConfig = (annotations: Record<string, string> = {}): AdmissionRequest => {
    const envFrom = [{ configMapRef: { name: 'podinfo-config' } }];
    const containers = container === undefined ? [] : [{ ...container, envFrom }];
    const spec = { ...after.spec.template.spec, containers };
    const object = withParts(after, { annotations, template: { spec } });
    return { ...setImage, object };
  };

  test('holds the checksum of a configuration that the template refers to', () => {
    const blue = annotationsAfter(withConfig(), lookupOf(podinfoCanary(), [config]));
    const red = { ...config, data: { color: 'red' } };
    const other = annotationsAfter(withConfig(), lookupOf(podinfoCanary(), [red]));
    assert.ok(configChecksum(config) !== configChecksum(red));
    assert.match(blue['aviary.dev/revision'] ?? '', /^[0-9a-f]{10}$/);
    assert.notEqual(blue['aviary.dev/revision'], other['aviary.dev/revision']);
  });

  test('is not stamped, and a former one is removed, where a part of it is not in memory', () => {
    const found = annotationsAfter(withConfig({ 'aviary.dev/revision': 'stale' }));
    assert.equal(found['aviary.dev/revision'], undefined);
    assert.equal(found['aviary.dev/changed-by'], 'alice@example.com');
  });

  test('leaves out what opts out of tracking', () => {
    const annotations = { 'flagger.app/config-tracking': 'disabled' };
    const opted = { ...config, metadata: { ...config.metadata, annotations } };
    const red = { ...opted, data: { color: 'red' } };
    assert.deepEqual(
      annotationsAfter(withConfig(), lookupOf(podinfoCanary(), [opted])),
      annotationsAfter(withConfig(), lookupOf(podinfoCanary(), [red])),
    );
  });

  test('is of the template alone where nothing is tracked', () => {
    const untracked = { ...lookup, configTracking: false };
    const found = annotationsAfter(withConfig(), untracked);
    assert.match(found['aviary.dev/revision'] ?? '', /^[0-9a-f]{10}$/);
  });
});

suite('the cause', () => {
  const spec = before.spec.template.spec;
  const [container] = spec.containers;
  const [init] = spec.initContainers ?? [];
  const kubectl = 'kubernetes.io/change-cause';
  const cases: Record<string, [DeploymentParts, DeploymentParts, string]> = {
    'is in the user’s own words where there are new ones': [
      { annotations: { [kubectl]: 'old' } },
      {
        annotations: { [kubectl]: ' a fix\nof  #12 ' },
        template: { spec: { ...spec, hostname: 'x' } as never },
      },
      ' a fix of #12 ',
    ],
    'is the difference where the words are those of a former change': [
      { annotations: { [kubectl]: 'old' } },
      { annotations: { [kubectl]: 'old' }, template: { metadata: { labels: { app: 'b' } } } },
      'template: annotations labels',
    ],
    'names every image, of init containers too': [
      {},
      {
        template: {
          spec: {
            ...spec,
            initContainers: [{ ...init, name: 'wait', image: 'busybox:1.38' }],
            containers: [{ ...container, name: 'podinfod', image: 'podinfo:7' }],
          },
        },
      },
      'image wait: busybox:1.37 -> busybox:1.38, image podinfod: ghcr.io/stefanprodan/podinfo:6.9.0 -> podinfo:7',
    ],
    'says that a container was added': [
      {},
      {
        template: {
          spec: { ...spec, containers: [...spec.containers, { name: 'b', image: 'b' }] },
        },
      },
      'template: containers',
    ],
    'is cut at 256 characters': [
      {},
      {
        template: {
          spec: {
            ...spec,
            containers: [{ ...container, name: 'podinfod', image: 'i'.repeat(500) }],
          },
        },
      },
      `image podinfod: ghcr.io/stefanprodan/podinfo:6.9.0 -> ${'i'.repeat(500)}`.slice(0, 256),
    ],
  };
  for (const [sentence, [old, now, expected]] of Object.entries(cases)) {
    test(sentence, () => {
      assert.equal(annotationsAfter(update(old, now))['aviary.dev/change-cause'], expected);
    });
  }

  const recorded: Partial<Record<ReviewName, string>> = {
    'rollout-restart': 'template: annotations',
    create: 'created',
  };
  for (const [name, expected] of Object.entries(recorded)) {
    test(`of the recorded ${name} is: ${expected}`, () => {
      const found = annotationsAfter(readRequest(name as ReviewName));
      assert.equal(found['aviary.dev/change-cause'], expected);
    });
  }
});

suite('replicas', () => {
  const resting: readonly Phase[] = ['Initialized', 'Waiting', 'Succeeded', 'Failed'];
  const busy: readonly Phase[] = ['Progressing', 'WaitingPromotion', 'Promoting', 'Finalising'];
  const leaving: readonly Phase[] = ['', 'Initializing', 'Terminating', 'Terminated'];
  const autoscalerRef = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    name: 'a',
  };
  const scaled: CanaryParts['spec'] = { autoscalerRef };

  interface Row {
    readonly phases: readonly Phase[];
    readonly spec?: CanaryParts['spec'];
    readonly present: number;
    readonly asked: number;
    /** What is stored. */
    readonly stored: number;
    /** The annotation. */
    readonly remembered?: number;
  }
  const cases: Record<string, Row> = {
    'do not come up at rest, and are remembered': {
      phases: resting,
      present: 0,
      asked: 3,
      stored: 0,
      remembered: 3,
    },
    'that traffic has not left are not taken away': {
      phases: [...resting, ...busy],
      present: 3,
      asked: 1,
      stored: 3,
      remembered: 1,
    },
    'that traffic has not left are not scaled to zero': {
      phases: [...resting, ...busy],
      present: 3,
      asked: 0,
      stored: 3,
      remembered: 0,
    },
    'grow while pods serve, since more of them harm nobody': {
      phases: [...resting, ...busy],
      present: 2,
      asked: 4,
      stored: 4,
      remembered: 4,
    },
    'do not grow where an autoscaler has the say': {
      phases: busy,
      spec: scaled,
      present: 2,
      asked: 4,
      stored: 2,
      remembered: 4,
    },
    'of an autoscaler are not overruled by a manifest': {
      phases: busy,
      spec: scaled,
      present: 5,
      asked: 2,
      stored: 5,
      remembered: 2,
    },
    'are the user’s before the take-over and after it': {
      phases: leaving,
      present: 2,
      asked: 0,
      stored: 0,
    },
    'come up before the take-over and after it': {
      phases: leaving,
      present: 0,
      asked: 2,
      stored: 2,
    },
    'of a suspended canary stay: nothing happens until it is resumed': {
      phases: ['Succeeded', 'Progressing'],
      spec: { suspend: true },
      present: 2,
      asked: 1,
      stored: 2,
      remembered: 1,
    },
    'that do not change are not remembered': { phases: busy, present: 2, asked: 2, stored: 2 },
  };
  for (const [
    sentence,
    { phases, spec = {}, present, asked, stored: expected, remembered },
  ] of Object.entries(cases)) {
    for (const phase of phases) {
      test(`${sentence}: ${phase || 'no phase yet'}`, () => {
        const request = update({ replicas: present }, { replicas: asked });
        const { answer, notice } = mutate(
          request,
          lookupOf(podinfoCanary({ spec, status: { phase } })),
        );
        const now = stored(request, answer.wanted);
        assert.equal(now.spec.replicas, expected);
        assert.equal(now.metadata.annotations?.['aviary.dev/replicas'], remembered?.toString());
        assert.equal(answer.warnings.length, asked === expected ? 0 : 1);
        assert.equal(notice, undefined, 'the revision is the same');
      });
    }
  }

  test('that a manifest asks for again and again are the same to the last byte: no loop', () => {
    const first = readRequest('apply-replicas');
    let live = stored(first, mutate(first, lookup).answer.wanted);
    assert.equal(live.spec.replicas, 0);
    for (let round = 0; round < 3; round += 1) {
      const again = { ...first, oldObject: live, object: withParts(live, { replicas: 3 }) };
      const next = stored(again, mutate(again, lookup).answer.wanted);
      assert.deepEqual(next, live);
      live = next;
    }
  });

  test('that are not in the manifest are 1, as the API server stores them', () => {
    const { replicas: _, ...spec } = before.spec;
    const object: Deployment = { ...before, spec };
    const { answer } = mutate({ ...setImage, object }, lookup);
    assert.equal(stored({ ...setImage, object }, answer.wanted).spec.replicas, 0);
  });

  test('of a Deployment that is created are those of the manifest', () => {
    const request = readRequest('create');
    assert.equal(stored(request, mutate(request, lookup).answer.wanted).spec.replicas, 2);
  });
});

suite('notices', () => {
  test('tell of a change', () => {
    assert.deepEqual(mutate(setImage, lookup).notice, { namespace: 'test', canary: 'podinfo' });
  });

  test('tell of no dry run, which is patched and warned of all the same', () => {
    const dry = readRequest('set-image-dry-run');
    const { notice, answer } = mutate(dry, lookup);
    assert.equal(notice, undefined);
    const wet = mutate({ ...dry, dryRun: false }, lookup);
    assert.notEqual(wet.notice, undefined);
    assert.deepEqual(answer, wet.answer);
  });
});

test('asked a second time, because another webhook changed something, it has nothing to add', () => {
  const requests = [setImage, readRequest('apply-replicas'), readRequest('create')];
  for (const request of requests) {
    const object = stored(request, mutate(request, lookup).answer.wanted);
    const again = mutate({ ...request, object }, lookup).answer;
    assert.deepEqual(stored({ ...request, object }, again.wanted), object);
  }
});

test('a Deployment whose Canary is gone is freed of all that was written on it, and of nothing else', () => {
  const marks = ['canary', 'revision', 'changed-by', 'change-cause', 'replicas'];
  const annotations = Object.fromEntries(marks.map((mark) => [`aviary.dev/${mark}`, '1']));
  const object = withParts(after, { annotations: { ...annotations, mine: 'stays' }, replicas: 3 });
  const { answer, notice } = mutate({ ...setImage, object }, lookupOf(undefined));
  const now = stored({ ...setImage, object }, answer.wanted);
  assert.deepEqual(now.metadata.annotations, {
    'deployment.kubernetes.io/revision': '3',
    mine: 'stays',
  });
  assert.equal(now.spec.replicas, 3);
  assert.deepEqual([answer.warnings, notice], [[], undefined]);
});

test('other kinds, and Deployments without containers, stay as they are', () => {
  const object = { ...after, spec: { replicas: 1 } } as unknown as Deployment;
  for (const request of [
    { ...setImage, kind: 'ReplicaSet' },
    { ...setImage, object },
  ]) {
    assert.deepEqual(mutate(request, lookup), { answer: { warnings: [] } });
  }
});
