/**
 * Hooks that are slow, silent or late, beside the real controller: they cost their own canary what
 * they take, at most their timeout, and nobody else anything.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { CanaryWebhook } from '../../src/api/canary.ts';
import type { Post } from '../../src/hooks/post.ts';
import { canaries } from '../../src/kube/resources.ts';
import type { Stage } from '../support/stage.ts';
import { canaryOf, createStage, initialized, setImage } from '../support/stage.ts';
import { deployFleet, phaseOf, setImageOf } from './fleet.ts';

const good = { passed: true, events: [] };
const checks = { probe: async () => good, analyse: async () => good };
const ok = { status: 200, reason: 'OK', body: '', headers: {} };

/** Never answers; ends when it is given up. */
const silent: Post = (_, __, { signal }) =>
  new Promise((_resolve, reject) => {
    const end = (): void => reject(signal.reason as Error);
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
  });

const load: CanaryWebhook = {
  name: 'test',
  type: 'rollout',
  url: 'http://silent/',
  timeout: '25s',
};
const analysisWith = (...webhooks: readonly CanaryWebhook[]) => ({
  analysis: { interval: '10s', threshold: 3, stepWeight: 50, maxWeight: 50, webhooks },
});

const secondsUntil = async (stage: Stage, reached: () => boolean): Promise<number> => {
  const { clock } = stage.world;
  const startMs = clock.monotonic();
  assert.ok(await clock.advanceUntil(reached, 600_000), 'never reached');
  return (clock.monotonic() - startMs) / 1000;
};

suite('a hook that never answers', () => {
  test('is given up after its timeout, and counts as a failed check', async () => {
    const stage = await createStage({ answers: { checks, post: silent } });
    await initialized(stage, canaryOf({ webhooks: [load] }));
    await setImage(stage, 'web:2');
    const failed = (): boolean => (stage.live(canaries).status?.failedChecks ?? 0) > 0;
    const seconds = await secondsUntil(stage, failed);
    // The first step needs no verdict of it; an interval later it is asked.
    assert.ok(seconds > 25 && seconds < 40, `${seconds}`);
    await stage.world.clock.advance(1_000);
    assert.ok(
      stage.said().some((it) => it.endsWith('no answer within 25s')),
      stage.said().join('\n'),
    );
    stage.end();
  });

  test('holds up no other canary, however many there are of it', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `slow${index}`);
    const stage = await createStage({ answers: { checks, post: silent } });
    await deployFleet(stage, [...names, 'quick'], (name) =>
      name === 'quick' ? analysisWith() : analysisWith({ ...load, timeout: '5m' }),
    );
    for (const name of names) await setImageOf(stage, name, 'web:2');
    await setImageOf(stage, 'quick', 'web:2');
    const done = (): boolean => phaseOf(stage, 'quick') === 'Succeeded';
    assert.ok((await secondsUntil(stage, done)) < 40);
    assert.ok(names.every((name) => phaseOf(stage, name) === 'Progressing'));
    stage.end();
  });

  test('does not decide about a revision that came meanwhile', async () => {
    const stage = await createStage({ answers: { checks, post: silent } });
    await initialized(stage, canaryOf({ threshold: 1, webhooks: [load] }));
    await setImage(stage, 'web:2');
    const advanced = (): boolean => stage.live(canaries).status?.canaryWeight === 50;
    await secondsUntil(stage, advanced);
    await stage.world.clock.advance(15_000);
    // It is being asked about the first one.
    await setImage(stage, 'web:3');
    await stage.world.clock.advance(21_000);
    assert.equal(phaseOf(stage, 'web'), 'Progressing', 'nobody has answered about this one yet');
    stage.end();
  });
});

suite('event hooks', () => {
  const receiver = (name: string): CanaryWebhook => ({
    name,
    type: 'event',
    url: `http://${name}/`,
    timeout: '20s',
  });

  test('are told side by side: one that is silent holds up no other', async () => {
    const heard: string[] = [];
    const post: Post = (url, body, options) => {
      if (url.hostname === 'silent') return silent(url, body, options);
      heard.push(
        (JSON.parse(body) as { metadata: { eventMessage: string } }).metadata.eventMessage,
      );
      return Promise.resolve(ok);
    };
    const stage = await createStage({ answers: { checks, post } });
    await initialized(stage, canaryOf({ webhooks: [receiver('silent'), receiver('quick')] }));
    assert.ok(heard.includes('Initialization done! web.default'), heard.join('\n'));
    stage.end();
  });

  test('hear what happened in the order in which it did, however slow they are', async () => {
    const heard: string[] = [];
    let calls = 0;
    const post: Post = async (_, body, { signal }) => {
      calls += 1;
      // The earlier, the slower.
      await stage.world.clock.sleep(Math.max(0, 4_000 - calls * 500), signal);
      heard.push(
        (JSON.parse(body) as { metadata: { eventMessage: string } }).metadata.eventMessage,
      );
      return ok;
    };
    const stage = await createStage({ answers: { checks, post } });
    await initialized(stage, canaryOf({ webhooks: [receiver('slow')] }));
    await setImage(stage, 'web:2');
    await stage.until('Succeeded');
    await stage.world.clock.advance(60_000);
    assert.deepEqual(heard, stage.said());
    stage.end();
  });
});

suite('a stage with several hooks', () => {
  test('asks them in the order of the list, and none after one that refuses (spec/03, 3.4)', async () => {
    const called: string[] = [];
    const post: Post = (url) => {
      called.push(url.hostname);
      return Promise.resolve(url.hostname === 'second' ? { ...ok, status: 403 } : ok);
    };
    const hook = (name: string): CanaryWebhook => ({
      name,
      type: 'pre-rollout',
      url: `http://${name}/`,
    });
    const stage = await createStage({ answers: { checks, post } });
    await initialized(stage, canaryOf({ webhooks: ['first', 'second', 'third'].map(hook) }));
    await setImage(stage, 'web:2');
    await stage.world.clock.advance(5_000);
    assert.deepEqual(called, ['first', 'second']);
    stage.end();
  });
});
