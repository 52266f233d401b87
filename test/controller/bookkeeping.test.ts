/** What the controller keeps between looks: memory, interests, targets, contents of configuration. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Canary } from '../../src/api/canary.ts';
import type { KubeObject } from '../../src/api/kubernetes.ts';
import { createInterests } from '../../src/controller/interests.ts';
import { note, recall, refresh, unavailableMs, worthSaying } from '../../src/controller/memory.ts';
import { createTargetIndex } from '../../src/controller/target-index.ts';
import { createTrackedConfigs } from '../../src/controller/tracked-configs.ts';

const canary = (
  name: string,
  over: Partial<Canary> = {},
  created = '2026-01-01T00:00:00Z',
): Canary => ({
  apiVersion: 'flagger.app/v1beta1',
  kind: 'Canary',
  metadata: { name, namespace: 'test', uid: name, creationTimestamp: created },
  spec: {
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo' },
    analysis: { interval: '30s' },
  },
  ...over,
});

const status = {
  phase: 'Progressing',
  failedChecks: 0,
  canaryWeight: 10,
  iterations: 0,
  lastTransitionTime: '2026-01-01T00:10:00Z',
} as const;

describe('memory', () => {
  const wallMs = Date.parse('2026-01-01T00:10:12Z');
  for (const [name, now, sinceMs] of [
    ['the last transition counts', wallMs, 12_000],
    ['one long ago is at most an interval back', wallMs + 3_600_000, 30_000],
    ['a clock that was set back makes nobody wait for the old time', wallMs - 3_600_000, 0],
  ] as const) {
    test(`after a restart, ${name}`, () => {
      const memory = recall(canary('a', { status }), { wallMs: now, steadyMs: 500_000 });
      assert.equal(500_000 - memory.transitionAtMs, sinceMs);
    });
  }

  test('how long pods have been missing is told by the steady clock, whatever the wall says', () => {
    const memory = recall(canary('a', { status }), { wallMs, steadyMs: 500_000 });
    const since = new Date(wallMs - 5_000).toISOString();
    const at = (wall: number, steadyMs: number): number =>
      unavailableMs(memory, 'podinfo', { since }, { wallMs: wall, steadyMs });
    assert.equal(at(wallMs, 500_000), 5_000);
    // The clock jumps; nothing else happens.
    assert.equal(at(wallMs + 7_200_000, 501_000), 6_000);
    assert.equal(at(wallMs - 7_200_000, 570_000), 75_000);
    assert.equal(unavailableMs(memory, 'podinfo', undefined, { wallMs, steadyMs: 571_000 }), 0);
  });

  test('D30: what does not say since when lacks pods from when it was first seen to', () => {
    const memory = recall(canary('a', { status }), { wallMs, steadyMs: 500_000 });
    const at = (generation: number, steadyMs: number): number =>
      unavailableMs(memory, 'agent', { generation }, { wallMs, steadyMs });
    assert.equal(at(1, 500_000), 0);
    assert.equal(at(1, 507_000), 7_000);
    // Another template is rolled out: it has the whole deadline before it.
    assert.equal(at(2, 510_000), 0);
    assert.equal(at(2, 511_000), 1_000);
  });

  test('a clock that is hours ahead does not end what has just begun', () => {
    const memory = recall(canary('a', { status }), { wallMs, steadyMs: 500_000 });
    const since = new Date(wallMs - 7_200_000).toISOString();
    assert.equal(
      unavailableMs(memory, 'podinfo', { since }, { wallMs, steadyMs: 500_000 }),
      12_000,
    );
  });

  test('a revision that replaces one without pods has its own deadline before it', () => {
    const memory = recall(canary('a', { status }), { wallMs, steadyMs: 500_000 });
    const since = new Date(wallMs).toISOString();
    const at = (steadyMs: number): number =>
      unavailableMs(
        memory,
        'podinfo',
        { since },
        { wallMs: wallMs + steadyMs - 500_000, steadyMs },
      );
    assert.equal(at(500_000), 0);
    assert.equal(at(558_000), 58_000);
    // Its condition Available has been False all the time: Kubernetes does not begin anew.
    const wallTime = new Date(wallMs + 58_000).toISOString();
    const restarted = { ...status, lastAppliedSpec: 'other', lastTransitionTime: wallTime };
    note(memory, restarted, undefined, { wallTime, steadyMs: 558_000 });
    assert.equal(at(561_000), 3_000);
    assert.equal(at(619_000), 61_000);
  });

  test('a status that another process wrote starts the wait anew and forgets the beat', () => {
    const memory = recall(canary('a', { status }), { wallMs, steadyMs: 500_000 });
    memory.beatAtMs = 499_000;
    const later = { ...status, lastTransitionTime: '2026-01-01T00:10:20Z' };
    const now = { wallMs: Date.parse('2026-01-01T00:10:21Z'), steadyMs: 509_000 };
    refresh(memory, canary('a', { status: later }), now);
    assert.equal(memory.transitionAtMs, 508_000);
    assert.equal(memory.beatAtMs, undefined);
  });

  test('says decisions always, states once in a phase, and waits only when they last', () => {
    const memory = recall(canary('a', { status }), { wallMs, steadyMs: 0 });
    const sayings = (['Decision', 'Once', 'Waiting'] as const).map((kind) => ({
      kind,
      type: 'Normal' as const,
      message: kind,
    }));
    const said = (waited: boolean) =>
      worthSaying(memory, sayings, waited).map(({ message }) => message);
    assert.deepEqual(said(false), ['Decision', 'Once']);
    assert.deepEqual(said(true), ['Decision', 'Waiting']);
    assert.deepEqual(said(true), ['Decision']);
    note(memory, { ...status, phase: 'Promoting' }, undefined, { wallTime: '', steadyMs: 0 });
    assert.deepEqual(said(true), ['Decision', 'Once', 'Waiting']);
  });
});

describe('interests', () => {
  test('wake who looked at an object last time, and nobody who no longer does', () => {
    const interests = createInterests();
    interests.set('test/a', new Set(['services./test/x', 'services./test/y']));
    interests.set('test/b', new Set(['services./test/x']));
    assert.deepEqual([...interests.of('services./test/x')], ['test/a', 'test/b']);
    interests.set('test/a', new Set(['services./test/y']));
    assert.deepEqual([...interests.of('services./test/x')], ['test/b']);
    interests.forget('test/b');
    assert.deepEqual([...interests.of('services./test/x')], []);
  });
});

describe('canaries of one target', () => {
  test('the oldest has the say; of one second, the first by name; a moved one gives way', () => {
    const index = createTargetIndex();
    const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo' };
    const names = () => index.of('test', target).map(({ metadata }) => metadata.name);
    index.applied(canary('young', {}, '2026-01-02T00:00:00Z'));
    index.applied(canary('b'));
    index.applied(canary('a'));
    assert.deepEqual(names(), ['a', 'b', 'young']);
    const elsewhere = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'other' };
    index.applied(canary('a', { spec: { targetRef: elsewhere } }));
    index.deleted(canary('b'));
    assert.deepEqual(names(), ['young']);
  });

  test('a Service of Knative is another target than a core Service of its name', () => {
    const index = createTargetIndex();
    const core = { apiVersion: 'v1', kind: 'Service', name: 'podinfo' };
    const knative = { ...core, apiVersion: 'serving.knative.dev/v1' };
    index.applied(canary('a', { spec: { targetRef: knative } }));
    assert.deepEqual(index.of('test', core), []);
    assert.equal(index.of('test', knative).length, 1);
  });
});

describe('contents of configuration', () => {
  const key = { namespace: 'test', name: 'config' };
  const metadata = (resourceVersion: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...key, resourceVersion },
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));

  function track(read: () => Promise<KubeObject>) {
    const world = { seen: undefined as KubeObject | undefined, reads: 0, changed: [] as string[] };
    const configs = createTrackedConfigs({
      metadata: () => world.seen,
      read: async () => {
        world.reads += 1;
        return { kind: 'ConfigMap', object: await read() };
      },
      changed: (path) => world.changed.push(path),
    });
    return { world, configs, lookup: () => configs.lookup('ConfigMap', key).kind };
  }

  test('are read once for each version that the watch shows, however often they are looked up', async () => {
    let version = '5';
    const { world, lookup } = track(async () => metadata(version));
    assert.equal(lookup(), 'Missing');
    world.seen = metadata('5');
    assert.deepEqual([lookup(), lookup()], ['Reading', 'Reading']);
    await settle();
    assert.deepEqual([lookup(), lookup(), world.reads], ['Known', 'Known', 1]);
    assert.deepEqual(world.changed, ['configmaps./test/config']);
    version = '7';
    world.seen = metadata('7');
    assert.equal(lookup(), 'Reading');
    await settle();
    assert.deepEqual([lookup(), world.reads], ['Known', 2]);
  });

  test('that were read ahead of the watch are not read again when it catches up', async () => {
    const { world, lookup } = track(async () => metadata('10'));
    world.seen = metadata('9');
    lookup();
    await settle();
    world.seen = metadata('10');
    assert.deepEqual([lookup(), world.reads], ['Known', 1]);
  });

  test('that cannot be read are tried again at the next lookup, and what is gone is forgotten', async () => {
    let broken = true;
    const { world, configs, lookup } = track(async () => {
      if (broken) throw new Error('forbidden');
      return metadata('5');
    });
    world.seen = metadata('5');
    lookup();
    await settle();
    assert.equal(lookup(), 'Failed');
    broken = false;
    assert.equal(lookup(), 'Reading');
    await settle();
    assert.equal(lookup(), 'Known');
    world.seen = undefined;
    assert.equal(lookup(), 'Missing');
    assert.equal(configs.peek('ConfigMap', key), undefined);
  });
});
