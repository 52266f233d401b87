/**
 * Whole rollouts on the embedded cluster, with the real CRD of HTTPRoute and a stand-in for the
 * gateway's controller that is late, refuses, or is not there.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parse } from 'yaml';
import type { Canary, CanaryAnalysis } from '../../src/api/canary.ts';
import type { KubeObject } from '../../src/api/kubernetes.ts';
import type { OpaqueObject } from '../../src/kube/resources.ts';
import {
  canaries,
  customResourceDefinitions,
  deployments,
  resource,
} from '../../src/kube/resources.ts';
import type { GatewayAnswer } from '../../src/rehearsal/gateway.ts';
import { startGateway } from '../../src/rehearsal/gateway.ts';
import type { Stage } from '../support/stage.ts';
import { canaryOf, createStage, setImage, target } from '../support/stage.ts';

const httpRoutes = resource<OpaqueObject>(
  'gateway.networking.k8s.io/v1',
  'HTTPRoute',
  'httproutes',
);
const definition = parse(
  readFileSync(
    join(
      import.meta.dirname,
      '../crds/gateway-api/standard.httproutes.gateway.networking.k8s.io.yaml',
    ),
    'utf8',
  ),
) as OpaqueObject;

const behindGateway = (analysis: CanaryAnalysis = {}): Canary =>
  canaryOf(analysis, {
    provider: 'gatewayapi:v1',
    service: { port: 80, gatewayRefs: [{ name: 'public' }] },
  });

interface Backend {
  readonly weight: number;
}

/** The weight of the canary in the live route. */
function weightOf(stage: Stage): number | undefined {
  const { spec } = stage.live(httpRoutes) as unknown as {
    readonly spec: { readonly rules: readonly { readonly backendRefs: readonly Backend[] }[] };
  };
  return spec.rules[0]?.backendRefs[1]?.weight;
}

const weightIn = (route: KubeObject): number =>
  (route as unknown as { spec: { rules: [{ backendRefs: [Backend, Backend] }] } }).spec.rules[0]
    .backendRefs[1].weight;

interface Gateway {
  readonly reportMs?: number;
  readonly answer?: (route: KubeObject) => GatewayAnswer | undefined;
}

async function staged(
  gateway: Gateway,
  tells: (stage: Stage) => Promise<void>,
  analysis: CanaryAnalysis = {},
): Promise<void> {
  const stage = await createStage({
    before: (api) => api.create(customResourceDefinitions, definition),
  });
  const { api, world } = stage;
  const stop = startGateway({
    api,
    clock: world.clock,
    resources: [httpRoutes],
    reportMs: 100,
    ...gateway,
  });
  try {
    await stage.apply(deployments, target);
    await stage.apply(canaries, behindGateway(analysis));
    await tells(stage);
  } finally {
    stop();
    stage.end();
  }
}

const secondsOf = (stage: Stage): number => stage.world.clock.monotonic() / 1000;
/** The last texts, once they have reached the API server. */
async function lastSaid(stage: Stage, count: number): Promise<readonly string[]> {
  await stage.world.clock.advance(1_000);
  return stage.said().slice(-count);
}

const phaseOf = (stage: Stage): string => stage.live(canaries).status?.phase ?? '';

async function started(stage: Stage): Promise<void> {
  await stage.until('Initialized');
  await stage.world.clock.advance(20_000);
  await setImage(stage, 'web:2');
}

/** Until the live route has this weight. */
async function routed(stage: Stage, weight: number): Promise<void> {
  const reached = await stage.world.clock.advanceUntil(() => weightOf(stage) === weight, 60_000);
  assert.ok(reached, `never at weight ${weight}`);
}

test('a gateway that reports at once costs no time', async () => {
  await staged({}, async (stage) => {
    await started(stage);
    await routed(stage, 50);
    const from = secondsOf(stage);
    await stage.until('Promoting');
    assert.ok(secondsOf(stage) - from <= 11, 'the cadence is kept');
    await stage.until('Succeeded');
    assert.equal(weightOf(stage), 0);
    assert.deepEqual(await lastSaid(stage, 5), [
      'Starting canary analysis for web.default',
      'Advance web.default canary weight 50',
      'Copying web.default template spec to web-primary.default',
      'Routing all traffic to primary',
      'Promotion completed! Scaling down web.default',
    ]);
  });
});

test('a gateway that is late holds the verdict, and the watch ends the wait', async () => {
  await staged({ reportMs: 8_000 }, async (stage) => {
    await started(stage);
    await routed(stage, 50);
    const from = secondsOf(stage);
    await stage.until('Promoting');
    const waited = secondsOf(stage) - from;
    assert.ok(waited >= 17 && waited < 19, `a verdict after ${waited} s`);
    await stage.until('Succeeded');
  });
});

test('a canary is not initialized over a route that the gateway refuses', async () => {
  let isOpen = false;
  const closed: GatewayAnswer = {
    accepted: 'False',
    reason: 'NotAllowedByListeners',
    message: 'namespace default may not attach',
  };
  const open: GatewayAnswer = { accepted: 'True', reason: 'Accepted', message: '' };
  await staged({ answer: () => (isOpen ? open : closed) }, async (stage) => {
    await stage.world.clock.advance(120_000);
    assert.equal(phaseOf(stage), 'Initializing');
    const refusal =
      'HTTPRoute web refused by Gateway public: Accepted NotAllowedByListeners: ' +
      'namespace default may not attach';
    assert.equal(stage.said().filter((message) => message === refusal).length, 1);
    isOpen = true;
    await stage.edit(httpRoutes, (route) => ({
      ...route,
      spec: { ...(route.spec as object), hostnames: ['by.hand'] },
    }));
    await stage.until('Initialized');
    assert.deepEqual(await lastSaid(stage, 1), ['Initialization done! web.default']);
  });
});

test('a step that the gateway refuses is rolled back in its own words', async () => {
  const refusal: GatewayAnswer = {
    accepted: 'False',
    reason: 'UnsupportedValue',
    message: 'weights are not for free',
  };
  const answer = (route: KubeObject): GatewayAnswer =>
    weightIn(route) > 0 ? refusal : { accepted: 'True', reason: 'Accepted', message: '' };
  await staged({ answer }, async (stage) => {
    await started(stage);
    await stage.until('Failed');
    const words =
      'HTTPRoute web refused by Gateway public: Accepted UnsupportedValue: ' +
      'weights are not for free';
    assert.deepEqual(await lastSaid(stage, 6), [
      'Advance web.default canary weight 50',
      words,
      `Halt web.default advancement ${words}`,
      `Halt web.default advancement ${words}`,
      'Rolling back web.default failed checks threshold reached 2',
      'Canary failed! Scaling down web.default',
    ]);
    assert.equal(weightOf(stage), 0);
    await stage.world.clock.advance(30_000);
    assert.equal(stage.live(deployments).spec.replicas, 0);
  });
});

test('pods stay while the gateway refuses to take traffic off them', async () => {
  let steps = 0;
  const answer = (route: KubeObject): GatewayAnswer => {
    steps += weightIn(route) > 0 ? 1 : 0;
    const accepted = steps > 0 && weightIn(route) === 0 ? 'False' : 'True';
    return { accepted, reason: 'Overloaded', message: '' };
  };
  await staged({ answer }, async (stage) => {
    await started(stage);
    await stage.until('Finalising');
    await stage.world.clock.advance(300_000);
    assert.equal(phaseOf(stage), 'Finalising');
    assert.equal(stage.live(deployments).spec.replicas, 1);
    assert.equal(
      stage.said().at(-1),
      'HTTPRoute web refused by Gateway public: Accepted Overloaded',
    );
  });
});

test('a gateway that never reports is waited for once, and said', async () => {
  await staged({ answer: () => undefined }, async (stage) => {
    const from = secondsOf(stage);
    await stage.until('Initialized');
    assert.ok(secondsOf(stage) - from >= 9);
    assert.deepEqual(await lastSaid(stage, 2), [
      'No gateway reports on HTTPRoute web, going on without its confirmation',
      'Initialization done! web.default',
    ]);
    await stage.world.clock.advance(20_000);
    await setImage(stage, 'web:2');
    await routed(stage, 50);
    const stepped = secondsOf(stage);
    await stage.until('Promoting');
    assert.ok(secondsOf(stage) - stepped <= 11, 'the cadence is kept');
    await stage.until('Succeeded');
  });
});

/** Never more traffic on a canary whose last step nobody has confirmed. */
function watchSteps(stage: Stage): readonly string[] {
  const breaches: string[] = [];
  stage.api.onChange(({ groupResource, before, after }) => {
    if (groupResource !== 'httproutes.gateway.networking.k8s.io') return;
    if (before === undefined || after === undefined) return;
    if (weightIn(after) <= weightIn(before) || isConfirmed(before)) return;
    breaches.push(`${weightIn(before)} to ${weightIn(after)} at ${secondsOf(stage)} s`);
  });
  return breaches;
}

function isConfirmed({ metadata, ...route }: KubeObject): boolean {
  interface Status {
    readonly parents?: readonly {
      readonly conditions: readonly { readonly observedGeneration: number }[];
    }[];
  }
  const { parents = [] } = (route as { readonly status?: Status }).status ?? {};
  return parents.some(({ conditions }) =>
    conditions.every(({ observedGeneration }) => observedGeneration === metadata.generation),
  );
}

const answers = {
  checks: {
    probe: async () => ({ passed: true, events: [] }),
    analyse: async () => ({ passed: true, events: [] }),
  },
};

test('whenever the gateway reports and the controller dies, steps follow what is confirmed', async () => {
  const anyTimes = fc.record({
    reportMs: fc.integer({ min: 0, max: 25_000 }),
    crashes: fc.array(fc.integer({ min: 100, max: 60_000 }), { maxLength: 3 }),
  });
  const holds = async ({ reportMs, crashes }: { reportMs: number; crashes: readonly number[] }) => {
    const inThree = { stepWeight: 20, maxWeight: 60, stepWeightPromotion: 30 };
    const rollout = async (stage: Stage): Promise<void> => {
      const { clock } = stage.world;
      await stage.until('Initialized');
      await clock.advance(40_000);
      const breaches = watchSteps(stage);
      await setImage(stage, 'web:2');
      let { process } = stage;
      for (const [at, afterMs] of crashes.entries()) {
        await clock.advance(afterMs);
        process.kill();
        process = stage.world.start({ name: `successor-${at}`, isAlone: true, answers });
      }
      await stage.until('Succeeded');
      process.kill();
      assert.deepEqual(breaches, []);
    };
    await staged({ reportMs }, rollout, inThree);
  };
  await fc.assert(fc.asyncProperty(anyTimes, holds), { numRuns: 25 });
});
