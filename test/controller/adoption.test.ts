/**
 * Coming over from the reference, at every phase: its objects are adopted as they are, no pod
 * restarts, no rollout starts by itself, and one that was under way goes on (docs/from-flagger.md).
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { CanaryWebhook } from '../../src/api/canary.ts';
import type { KubeObject } from '../../src/api/kubernetes.ts';
import {
  canaries,
  configMaps,
  deployments,
  resource,
  virtualServices,
} from '../../src/kube/resources.ts';
import type { Transport } from '../../src/kube/transport.ts';
import type { Left } from '../support/reference-site.ts';
import { leave } from '../support/reference-site.ts';
import type { Stage, StageOptions } from '../support/stage.ts';
import { canaryOf, createStage, key, setImage } from '../support/stage.ts';

const pods = resource<KubeObject>('v1', 'Pod', 'pods');
const replicaSets = resource<KubeObject>('apps/v1', 'ReplicaSet', 'replicasets');

const steps = canaryOf({ stepWeight: 20, maxWeight: 60 });
const gate = (type: CanaryWebhook['type']) =>
  canaryOf({
    stepWeight: 20,
    maxWeight: 60,
    webhooks: [{ name: 'ask', ...(type && { type }), url: 'http://gate.test/' }],
  });

const old = { target: 'web:1', primary: 'web:1' };
const fresh = { target: 'web:2', primary: 'web:1' };
const rolled = { target: 'web:2', primary: 'web:2' };
const onOld = { applied: 'web:1', promoted: 'web:1' };
const onNew = { applied: 'web:2', promoted: 'web:1' };

const resting = { canary: steps, replicas: 0, routed: 0 } as const;
const running = { canary: steps, replicas: 1 } as const;

interface Moved {
  readonly stage: Stage;
  /** `METHOD path` of every write since the controller started. */
  readonly writes: readonly string[];
  readonly uidsBefore: ReadonlySet<string>;
}

async function adopted(
  left: Left,
  options: StageOptions,
  shows: (moved: Moved) => Promise<void>,
): Promise<void> {
  const writes: string[] = [];
  const faults = (transport: Transport): Transport => ({
    ...transport,
    stream: (request) => transport.stream(request),
    close: () => transport.close(),
    call: (request) => {
      const isOurs = !/\/(leases|events)\b/.test(request.path);
      if (request.method !== 'GET' && isOurs) {
        writes.push(
          `${request.method} ${request.path.replace(/^.*\/namespaces\/[^/]+\/|\?.*$/g, '')}`,
        );
      }
      return transport.call(request);
    },
  });
  let uidsBefore: ReadonlySet<string> = new Set();
  const stage = await createStage({
    ...options,
    faults,
    before: async (api) => {
      await leave(api, left);
    },
    settled: (api) => {
      uidsBefore = uidsOf(api, pods);
    },
  });
  try {
    await shows({ stage, writes, uidsBefore });
  } finally {
    stage.end();
  }
}

const uidsOf = (api: Stage['api'], kind: typeof pods): ReadonlySet<string> =>
  new Set(api.list(kind, key.namespace).map(({ metadata }) => metadata.uid ?? ''));

const weightOf = (stage: Stage): number => {
  const { spec } = stage.live(virtualServices) as { spec?: unknown };
  const { http } = spec as { http: readonly { route: readonly { weight: number }[] }[] };
  return http[0]?.route[1]?.weight ?? -1;
};

const statusOf = (stage: Stage) => stage.live(canaries).status;

suite('at rest', () => {
  const cases: Readonly<Record<string, Left>> = {
    Initialized: { ...resting, phase: 'Initialized', images: old, ...onOld },
    Succeeded: { ...resting, phase: 'Succeeded', images: old, ...onOld },
    'Succeeded, hashed by another version of its library': {
      ...resting,
      phase: 'Succeeded',
      images: old,
      ...onOld,
      isOtherVersion: true,
    },
    Failed: { ...resting, phase: 'Failed', images: fresh, ...onNew },
    'Failed, hashed by another version of its library': {
      ...resting,
      phase: 'Failed',
      images: fresh,
      ...onNew,
      isOtherVersion: true,
    },
    'with a Service that was there before': {
      ...resting,
      phase: 'Succeeded',
      images: old,
      ...onOld,
      hasOwnService: true,
    },
    'with configuration': {
      ...resting,
      phase: 'Succeeded',
      images: old,
      ...onOld,
      configured: true,
    },
    'without config tracking': {
      ...resting,
      phase: 'Succeeded',
      images: old,
      ...onOld,
      status: { trackedConfigs: undefined } as never,
    },
  };
  for (const [name, left] of Object.entries(cases)) {
    test(`${name}: the status and a mark on the target are written, and nothing else`, () =>
      adopted(left, {}, async ({ stage, writes, uidsBefore }) => {
        await stage.world.clock.advance(600_000);
        assert.deepEqual([...new Set(writes)].toSorted(), [
          'PATCH canaries/web/status',
          'PATCH deployments/web',
        ]);
        assert.ok(writes.length <= 3, writes.join('\n'));
        assert.deepEqual(stage.said(), []);
        assert.equal(statusOf(stage)?.phase, left.phase);
        assert.deepEqual(uidsOf(stage.api, pods), uidsBefore);
        assert.equal(stage.live(deployments).spec.replicas, 0);
        assert.equal(weightOf(stage), 0);
      }));

    test(`${name}: the next change is released as any other`, () =>
      adopted(left, {}, async ({ stage }) => {
        await stage.world.clock.advance(30_000);
        await setImage(stage, 'web:3');
        await stage.until('Progressing');
        await stage.until('Succeeded');
        const { template } = stage.live(deployments, 'web-primary').spec;
        assert.equal(template.spec.containers[0]?.image, 'web:3');
      }));
  }

  test('with configuration: a change of it is a revision, and reaches the primary', () =>
    adopted(
      { ...resting, phase: 'Succeeded', images: old, ...onOld, configured: true },
      {},
      async ({ stage }) => {
        await stage.world.clock.advance(30_000);
        await stage.edit(configMaps, (it) => ({ ...it, data: { color: 'blue' } }), 'settings');
        await stage.until('Progressing');
        await stage.until('Succeeded');
        assert.deepEqual(stage.live(configMaps, 'settings-primary').data, { color: 'blue' });
      },
    ));

  test('Failed: to take the bad revision back is no rollout', () =>
    adopted(
      { ...resting, phase: 'Failed', images: fresh, ...onNew },
      {},
      async ({ stage, uidsBefore }) => {
        await stage.world.clock.advance(30_000);
        await setImage(stage, 'web:1');
        await stage.world.clock.advance(60_000);
        assert.equal(statusOf(stage)?.phase, 'Failed');
        assert.deepEqual(uidsOf(stage.api, pods), uidsBefore);
        assert.deepEqual(stage.said(), []);
      },
    ));

  test('Failed in a promotion: the canary serves on until the primary can', () => {
    const left: Left = {
      ...running,
      phase: 'Failed',
      routed: 100,
      images: rolled,
      ...onNew,
      status: { canaryWeight: 100 },
    };
    let isBroken = true;
    const isReady = (_: string, pod: string) => !isBroken || !pod.startsWith('web-primary');
    return adopted(left, { isReady }, async ({ stage }) => {
      await stage.world.clock.advance(120_000);
      assert.equal(weightOf(stage), 100);
      assert.equal(stage.live(deployments).spec.replicas, 1);
      isBroken = false;
      for (const { metadata } of stage.api.list(pods, key.namespace)) {
        if (metadata.name.startsWith('web-primary')) await stage.remove(pods, metadata.name);
      }
      await stage.world.clock.advance(60_000);
      assert.equal(weightOf(stage), 0);
      assert.equal(stage.live(deployments).spec.replicas, 0);
    });
  });
});

suite('under way', () => {
  const cases: Readonly<Record<string, { readonly left: Left; readonly weights: number[] }>> = {
    'Progressing, before the first step': {
      left: { ...running, phase: 'Progressing', routed: 0, images: fresh, ...onNew },
      weights: [0, 20, 40, 60, 0],
    },
    'Progressing, at 40 %': {
      left: {
        ...running,
        phase: 'Progressing',
        routed: 40,
        images: fresh,
        ...onNew,
        status: { canaryWeight: 40 },
      },
      weights: [40, 60, 0],
    },
    'Progressing, a step in the route and not in the status': {
      left: {
        ...running,
        phase: 'Progressing',
        routed: 40,
        images: fresh,
        ...onNew,
        status: { canaryWeight: 20 },
      },
      weights: [40, 60, 0],
    },
    'WaitingPromotion, whose status has lost its weight': {
      left: {
        ...running,
        canary: gate('confirm-promotion'),
        phase: 'WaitingPromotion',
        routed: 60,
        images: fresh,
        ...onNew,
      },
      weights: [60, 0],
    },
    'Promoting, the primary is up to date': {
      left: {
        ...running,
        phase: 'Promoting',
        routed: 60,
        images: rolled,
        ...onNew,
        status: { canaryWeight: 60 },
      },
      weights: [60, 0],
    },
    Finalising: {
      left: { ...running, phase: 'Finalising', routed: 0, images: rolled, ...onNew },
      weights: [0],
    },
  };
  for (const [name, { left, weights }] of Object.entries(cases)) {
    test(`${name}: goes on where it was`, () =>
      adopted(left, accepting, async ({ stage, uidsBefore }) => {
        const seen: number[] = [];
        const before = uidsOf(stage.api, replicaSets);
        await stage.world.clock.advanceUntil(() => {
          const weight = weightOf(stage);
          if (seen.at(-1) !== weight) seen.push(weight);
          const alive = uidsOf(stage.api, pods);
          const isWhole = [...uidsBefore].every((uid) => alive.has(uid));
          const phase = statusOf(stage)?.phase ?? '';
          const replaces = ['Promoting', 'Finalising', 'Succeeded'].includes(phase);
          assert.ok(isWhole || replaces, `a pod restarted in ${phase}`);
          return phase === 'Succeeded';
        }, 300_000);
        assert.equal(statusOf(stage)?.phase, 'Succeeded');
        assert.deepEqual(seen, weights);
        const { template } = stage.live(deployments, 'web-primary').spec;
        assert.equal(template.spec.containers[0]?.image, 'web:2');
        const isPromotedBefore = left.images.primary === 'web:2';
        if (isPromotedBefore) assert.deepEqual(uidsOf(stage.api, replicaSets), before);
        const [rollout, ...others] = statusOf(stage)?.journal ?? [];
        assert.equal(rollout?.outcome, 'Promoted');
        assert.ok(!rollout.steps?.some(({ event }) => event === 'Started'), 'it began before');
        assert.deepEqual(others, []);
        const texts = stage.said().filter((text) => text.startsWith('New revision detected'));
        assert.deepEqual(texts, [], 'it is no new rollout');
      }));
  }

  const abTest = canaryOf({
    iterations: 3,
    match: [{ headers: { 'x-canary': { exact: 'insider' } } }],
  });
  const blueGreen = canaryOf({ iterations: 3 });
  const iterating: Readonly<Record<string, Left>> = {
    'A/B testing, after one iteration': {
      ...running,
      canary: abTest,
      phase: 'Progressing',
      routed: 100,
      matched: true,
      images: fresh,
      ...onNew,
      status: { iterations: 1 },
    },
    'blue/green, after one iteration': {
      ...running,
      canary: blueGreen,
      phase: 'Progressing',
      routed: 0,
      images: fresh,
      ...onNew,
      status: { iterations: 1 },
    },
    'blue/green, switched': {
      ...running,
      canary: blueGreen,
      phase: 'Progressing',
      routed: 100,
      images: fresh,
      ...onNew,
      status: { iterations: 4 },
    },
    'blue/green, WaitingPromotion, whose status is one iteration behind': {
      ...running,
      canary: canaryOf({
        iterations: 3,
        webhooks: [{ name: 'ask', type: 'confirm-promotion', url: 'http://gate.test/' }],
      }),
      phase: 'WaitingPromotion',
      routed: 0,
      images: fresh,
      ...onNew,
      status: { iterations: 2 },
    },
  };
  for (const [name, left] of Object.entries(iterating)) {
    test(`${name}: goes on, and no pod restarts before it is promoted`, () =>
      adopted(left, accepting, async ({ stage, uidsBefore }) => {
        const routed = weightOf(stage);
        await stage.world.clock.advance(5_000);
        assert.equal(weightOf(stage), routed, 'traffic stays where it is');
        await stage.world.clock.advanceUntil(() => {
          const alive = uidsOf(stage.api, pods);
          const phase = statusOf(stage)?.phase ?? '';
          const isWhole = [...uidsBefore].every((uid) => alive.has(uid));
          assert.ok(isWhole || ['Promoting', 'Finalising', 'Succeeded'].includes(phase), phase);
          return phase === 'Succeeded';
        }, 300_000);
        assert.equal(statusOf(stage)?.phase, 'Succeeded');
        const { template } = stage.live(deployments, 'web-primary').spec;
        assert.equal(template.spec.containers[0]?.image, 'web:2');
        assert.ok(!stage.said().some((text) => text.startsWith('New revision detected')));
      }));
  }

  const promoted: Readonly<Record<string, Left>> = {
    Promoting: {
      ...running,
      phase: 'Promoting',
      routed: 60,
      images: rolled,
      ...onNew,
      status: { canaryWeight: 60 },
    },
    Finalising: { ...running, phase: 'Finalising', routed: 0, images: rolled, ...onNew },
  };
  for (const [name, left] of Object.entries(promoted)) {
    test(`${name}: to go back afterwards is a rollout of its own`, () =>
      adopted(left, {}, async ({ stage }) => {
        await stage.until('Succeeded');
        await stage.world.clock.advance(30_000);
        await setImage(stage, 'web:1');
        await stage.until('Progressing');
        await stage.until('Succeeded');
        const { template } = stage.live(deployments, 'web-primary').spec;
        assert.equal(template.spec.containers[0]?.image, 'web:1');
      }));
  }

  test('Waiting: nothing starts before the gate opens, and then the change is released', () => {
    let isOpen = false;
    const left: Left = {
      ...resting,
      canary: gate('confirm-rollout'),
      phase: 'Waiting',
      images: fresh,
      ...onOld,
    };
    return adopted(
      left,
      answering(() => isOpen),
      async ({ stage }) => {
        await stage.world.clock.advance(120_000);
        assert.equal(statusOf(stage)?.phase, 'Waiting');
        assert.equal(stage.live(deployments).spec.replicas, 0);
        isOpen = true;
        await stage.until('Progressing');
        await stage.until('Succeeded');
      },
    );
  });

  test('Initializing: the primary that is there takes over, and no other is made', () => {
    const left: Left = {
      ...running,
      phase: 'Initializing',
      routed: 0,
      images: old,
      applied: '',
      promoted: '',
    };
    return adopted(left, {}, async ({ stage, uidsBefore }) => {
      await stage.until('Initialized');
      await stage.world.clock.advance(1_000);
      const alive = uidsOf(stage.api, pods);
      assert.ok([...uidsBefore].every((uid) => alive.has(uid)));
      assert.deepEqual(stage.said().at(-1), 'Initialization done! web.default');
    });
  });

  test('Progressing, with failed checks: they count on', () => {
    const left: Left = {
      ...running,
      phase: 'Progressing',
      routed: 40,
      images: fresh,
      ...onNew,
      status: { canaryWeight: 40, failedChecks: 1 },
    };
    return adopted(left, { passes: () => false }, async ({ stage }) => {
      await stage.until('Failed');
      await stage.world.clock.advance(1_000);
      assert.ok(
        stage.said().includes('Rolling back web.default failed checks threshold reached 2'),
      );
      assert.equal(weightOf(stage), 0);
    });
  });

  test('suspended: nothing is touched, whatever the phase', () => {
    const left: Left = {
      ...running,
      canary: canaryOf({}, { suspend: true }),
      phase: 'Progressing',
      routed: 40,
      images: fresh,
      ...onNew,
      status: { canaryWeight: 40 },
    };
    return adopted(left, {}, async ({ stage, writes }) => {
      await stage.world.clock.advance(300_000);
      assert.deepEqual(writes, ['PATCH canaries/web/status']);
      assert.equal(weightOf(stage), 40);
    });
  });
});

const answering = (isOpen: () => boolean): StageOptions => ({
  answers: {
    checks: {
      probe: async () => ({ passed: true, events: [] }),
      analyse: async () => ({ passed: true, events: [] }),
    },
    post: async () => ({ status: isOpen() ? 200 : 403, reason: '', body: '', headers: {} }),
  },
});

const accepting = answering(() => true);
