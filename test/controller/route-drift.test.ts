/** Routes that somebody else changes, on the embedded cluster: repaired by watch, and never a fight. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../src/api/kubernetes.ts';
import { managersOf, withManagers } from '../../src/kube/managers.ts';
import type { OpaqueObject } from '../../src/kube/resources.ts';
import { canaries, virtualServices } from '../../src/kube/resources.ts';
import type { Stage, StageOptions } from '../support/stage.ts';
import { canaryOf, createStage, initialized, setImage } from '../support/stage.ts';

async function staged(tells: (stage: Stage) => Promise<void>, options?: StageOptions) {
  const stage = await createStage(options);
  try {
    await tells(stage);
  } finally {
    stage.end();
  }
}

type Spec = Readonly<Record<string, Json>>;
const specOf = (stage: Stage): Spec => stage.live(virtualServices).spec as Spec;
const withSpec = (change: Spec) => (live: OpaqueObject) => ({
  ...live,
  spec: { ...(live.spec as Spec), ...change },
});
const changes = (stage: Stage): readonly string[] =>
  stage.said().filter((message) => message.startsWith('VirtualService web '));

test('what somebody changed is put right at once, and said; what is not ours stays', async () => {
  await staged(async (stage) => {
    await initialized(stage);
    const { http = null } = specOf(stage);
    await stage.edit(virtualServices, withSpec({ http: [], exportTo: ['.'] }));
    assert.deepEqual(specOf(stage)['http'], http);
    assert.deepEqual(specOf(stage)['exportTo'], ['.']);
    await stage.world.clock.advance(1_000);
    const [said = '', ...more] = changes(stage);
    assert.match(said, /^VirtualService web was changed by .* \(spec\.http\), put right$/);
    assert.deepEqual(more, []);
  });
});

test('a label of somebody is not ours, and nothing is said of it', async () => {
  await staged(async (stage) => {
    await initialized(stage);
    await stage.edit(virtualServices, (live) => ({
      ...live,
      metadata: { ...live.metadata, labels: { team: 'shop' } },
    }));
    await stage.world.clock.advance(2_000);
    assert.equal(stage.live(virtualServices).metadata.labels?.['team'], 'shop');
    assert.deepEqual(changes(stage), []);
  });
});

test('a route that was deleted is made again', async () => {
  await staged(async (stage) => {
    await initialized(stage);
    await stage.remove(virtualServices);
    await stage.world.clock.advance(2_000);
    assert.ok(stage.find(virtualServices));
    assert.deepEqual(changes(stage), [
      'VirtualService web was deleted by somebody else, put right',
    ]);
  });
});

test('changes of ours are nobody else’s: steps, promotion, and a new spec', async () => {
  await staged(async (stage) => {
    await initialized(stage);
    await setImage(stage, 'web:2');
    await stage.until('Succeeded');
    await stage.edit(canaries, (live) => ({
      ...live,
      spec: { ...live.spec, service: { port: 80, hosts: ['web.example.com'] } },
    }));
    await stage.world.clock.advance(2_000);
    assert.deepEqual(specOf(stage)['hosts'], ['web.example.com', 'web']);
    assert.deepEqual(changes(stage), []);
  });
});

test('a weight that somebody raises to that of the next step is no step', async () => {
  const options = { passes: () => false, keepsManagers: true };
  await staged(async (stage) => {
    await initialized(stage, canaryOf({ stepWeight: 20, maxWeight: 60, threshold: 5 }));
    await setImage(stage, 'web:2');
    await stage.world.clock.advanceUntil(() => weightOf(stage) === 20, 60_000);
    await stage.edit(virtualServices, (live) => {
      const text = JSON.stringify(live.spec);
      const raised = text
        .replace('"weight":80', '"weight":60')
        .replace('"weight":20', '"weight":40');
      assert.notEqual(raised, text);
      return { ...live, spec: JSON.parse(raised) as Spec };
    });
    await stage.world.clock.advance(1_000);
    assert.equal(weightOf(stage), 20);
    assert.ok(!stage.said().includes('Advance web.default canary weight 40'));
    assert.match(changes(stage)[0] ?? '', /put right$/);
  }, options);
});

/** The canary's weight in the live route. */
function weightOf(stage: Stage): number {
  const weights = JSON.stringify(specOf(stage)['http']).matchAll(/"weight":(\d+)/g);
  return Number([...weights].at(-1)?.[1]);
}

/** Somebody writes his own state back whenever it was put right. */
function fight(stage: Stage): () => number {
  let writes = 0;
  stage.api.onChange(({ groupResource, after }) => {
    if (groupResource !== 'virtualservices.networking.istio.io' || after === undefined) return;
    const { spec } = after as OpaqueObject;
    if (((spec as Spec)['http'] as readonly Json[]).length === 0) return;
    writes += 1;
    void stage.api
      .update(virtualServices, withSpec({ http: [] })(after as OpaqueObject))
      .catch(() => undefined);
  });
  return () => writes;
}

test('a fight is bounded, and says with whom', async () => {
  await staged(async (stage) => {
    await initialized(stage);
    const writes = fight(stage);
    await stage.edit(virtualServices, withSpec({ http: [] }));
    await stage.world.clock.advance(3_000_000);
    assert.ok(writes() >= 5 && writes() <= 14, `${writes()} repairs in fifty minutes`);
    const repeated = changes(stage).filter((message) => message.includes('again and again'));
    assert.ok(repeated.length >= 3);
    assert.match(repeated[0] ?? '', /again and again: the next repair is in 10s$/);
  });
});

test('no step is taken on routes that somebody keeps changing', async () => {
  await staged(async (stage) => {
    await initialized(stage);
    fight(stage);
    await setImage(stage, 'web:2');
    await stage.edit(virtualServices, withSpec({ http: [] }));
    await stage.until('Failed');
    await stage.world.clock.advance(1_000);
    const halts = stage.said().filter((message) => message.startsWith('Halt '));
    assert.match(
      halts[0] ?? '',
      /^Halt web\.default advancement VirtualService web was changed by /,
    );
    assert.ok(!stage.said().some((message) => message.startsWith('Copying ')));
  });
});

test('managers are known by the parts that they set, and nobody sees them', () => {
  const object = {
    apiVersion: 'v1',
    kind: 'Route',
    metadata: {
      name: 'web',
      managedFields: [
        {
          manager: 'kubectl-edit',
          time: '2026-11-23T08:00:00Z',
          fieldsV1: { 'f:spec': { 'f:rules': {}, '.': {} }, 'f:metadata': { 'f:labels': {} } },
        },
        {
          manager: 'gateway',
          subresource: 'status',
          fieldsV1: { 'f:status': { 'f:parents': {} } },
        },
      ],
    },
  };
  const seen = withManagers(object);
  const expected = [
    {
      name: 'kubectl-edit',
      time: '2026-11-23T08:00:00Z',
      parts: ['spec.rules', 'metadata.labels'],
    },
  ];
  assert.deepEqual(managersOf(seen), expected);
  assert.deepEqual(managersOf(withManagers({ ...seen })), expected);
  assert.equal(
    JSON.stringify(seen),
    '{"apiVersion":"v1","kind":"Route","metadata":{"name":"web"}}',
  );
});
