import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Canary, CanaryWebhook } from '../../src/api/canary.ts';
import { runHooks } from '../../src/hooks/run-hooks.ts';
import type { HookCall } from '../../src/rehearsal/hook-answers.ts';
import { createHookAnswers, withMarkedHooks } from '../../src/rehearsal/hook-answers.ts';
import { readScenario } from '../../src/rehearsal/read-scenario.ts';

const url = 'http://gate.test/check';

async function ask(
  hooks: string,
  webhooks: readonly CanaryWebhook[],
  type: 'rollout' | 'confirm-promotion' | 'rollback',
  atMs = 0,
) {
  const read = readScenario('s', `actions: [{ at: 0s, deploy: stable }]\nhooks: ${hooks}`, 's');
  assert.ok(read.ok);
  const canary: Canary = withMarkedHooks({
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'a', namespace: 'b' },
    spec: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' },
      analysis: { webhooks },
    },
  });
  const calls: HookCall[] = [];
  const post = createHookAnswers({
    scenario: read.scenario,
    canary: () => canary,
    scenarioMs: () => atMs,
    called: (call) => calls.push(call),
  });
  const outcome = await runHooks(canary, type, {
    phase: 'Progressing',
    checksum: '1',
    isApproved: () => false,
    signal: new AbortController().signal,
    sleep: async () => undefined,
    post,
  });
  return { ...outcome, calls: calls.map(({ hook, reply }) => `${hook.name} ${reply.kind}`) };
}

suite('a hook', () => {
  test('of which nothing is said accepts', async () => {
    const { passed } = await ask('{}', [{ name: 'test', url }], 'rollout');
    assert.equal(passed, true);
  });

  test('that may roll back does not ask for it', async () => {
    const hook = { name: 'panic', type: 'rollback', url } as const;
    assert.equal((await ask('{}', [hook], 'rollback')).passed, false);
    assert.equal((await ask('{ panic: accepts }', [hook], 'rollback')).passed, true);
  });

  test('is answered by its name before its type, as it is at that time', async () => {
    const hook = { name: 'gate', type: 'confirm-promotion', url } as const;
    const series = '[{ at: 0s, value: refuses }, { at: 5m, value: accepts }]';
    const hooks = `{ confirm-promotion: refuses, gate: ${series} }`;
    assert.equal((await ask(hooks, [hook], 'confirm-promotion', 299_999)).passed, false);
    assert.equal((await ask(hooks, [hook], 'confirm-promotion', 300_000)).passed, true);
  });

  test('says why it refuses', async () => {
    const hooks = '{ test: { refuses: the cart is broken } }';
    const { events } = await ask(hooks, [{ name: 'test', url }], 'rollout');
    assert.deepEqual(
      events.map(({ message }) => message),
      ['Halt a.b advancement external check test failed the cart is broken'],
    );
  });

  test('that is silent runs into its timeout', async () => {
    const hook = { name: 'test', url, timeout: '3s' };
    const { events } = await ask('{ test: silent }', [hook], 'rollout');
    assert.match(events[0]?.message ?? '', /giving up after 1 attempt\(s\): no answer within 3s/);
  });

  test('without a URL, a gate of our own, is answered by the scenario: nobody annotates', async () => {
    const hook = { name: 'ship', type: 'confirm-promotion' } as const;
    const series = '[{ at: 0s, value: refuses }, { at: 5m, value: accepts }]';
    assert.equal((await ask(`{ ship: ${series} }`, [hook], 'confirm-promotion', 0)).passed, false);
    assert.equal(
      (await ask(`{ ship: ${series} }`, [hook], 'confirm-promotion', 300_000)).passed,
      true,
    );
  });

  test('is told from another at the same address', async () => {
    const webhooks = [
      { name: 'first', url },
      { name: 'second', url },
    ];
    const { calls } = await ask('{ first: accepts, second: refuses }', webhooks, 'rollout');
    assert.deepEqual(calls, ['first Accepts', 'second Refuses']);
  });
});
