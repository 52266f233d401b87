/** The hooks of each type: whom they stop, and what is said (`spec/03`, 3.2, 3.4 and 3.5). */
import assert from 'node:assert/strict';
import { afterEach, suite, test } from 'node:test';
import type { Canary, CanaryWebhook, HookType } from '../../src/api/canary.ts';
import type { HookContext, HookEvent } from '../../src/hooks/run-hooks.ts';
import { runHooks, sendEvent } from '../../src/hooks/run-hooks.ts';
import { createPost } from '../../src/hooks/post.ts';
import type { HttpServer } from '../support/http-server.ts';
import { startHttpServer } from '../support/http-server.ts';

const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** Paths that begin with `/no` are refused. */
async function receive(): Promise<{ readonly url: string; readonly calls: string[] }> {
  const calls: string[] = [];
  const server = await startHttpServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('utf8');
    });
    request.on('end', () => {
      calls.push(`${request.url ?? ''} ${body}`);
      if (request.url?.startsWith('/no') === true) response.writeHead(403).end('denied');
      else response.end();
    });
  });
  servers.push(server);
  return { url: server.url, calls };
}

function canaryOf(webhooks: readonly CanaryWebhook[]): Canary {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'podinfo', namespace: 'test' },
    spec: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'app' },
      analysis: { webhooks },
    },
  };
}

const context: HookContext = {
  phase: 'Progressing',
  checksum: '85d557f47b',
  isApproved: () => false,
  signal: new AbortController().signal,
  sleep: () => new Promise(() => undefined),
  post: createPost(),
};

const warning = (message: string): HookEvent => ({ type: 'Warning', message });
const normal = (message: string): HookEvent => ({ type: 'Normal', message });

suite('hooks of one type', () => {
  /** What is said of the hook `a` when it consents, and of the hook `b` when it refuses. */
  const said: Record<Exclude<HookType, 'event' | 'rollback'>, [HookEvent[], HookEvent]> = {
    'confirm-rollout': [
      [normal('Confirm-rollout check a passed')],
      warning('Halt podinfo.test advancement waiting for approval b'),
    ],
    'pre-rollout': [
      [normal('Pre-rollout check a passed')],
      warning('Halt podinfo.test advancement pre-rollout check b failed denied'),
    ],
    rollout: [[], warning('Halt podinfo.test advancement external check b failed denied')],
    'confirm-traffic-increase': [
      [normal('Confirm-traffic-increase check a passed')],
      warning('Halt podinfo.test advancement waiting for traffic increase approval b'),
    ],
    'confirm-promotion': [
      [normal('Confirm-promotion check a passed')],
      warning('Halt podinfo.test advancement waiting for promotion approval b'),
    ],
    'post-rollout': [
      [normal('Post-rollout check a passed')],
      warning('Post-rollout hook b failed denied'),
    ],
  };
  const types = Object.entries(said) as [keyof typeof said, [HookEvent[], HookEvent]][];
  for (const [type, [consents, refusal]] of types) {
    test(`${type}: the first refusal ends the list`, async () => {
      const { url, calls } = await receive();
      const refusing: CanaryWebhook = { name: 'b', type, url: `${url}/no`, muteAlert: true };
      const canary = canaryOf([
        { name: 'other', type: 'event', url: `${url}/other` },
        { name: 'a', type, url: `${url}/a` },
        refusing,
        { name: 'c', type, url: `${url}/c` },
      ]);
      assert.deepEqual(await runHooks(canary, type, context), {
        passed: false,
        events: [...consents, refusal],
        refusedBy: refusing,
      });
      assert.deepEqual(
        calls.map((call) => call.split(' ')[0]),
        ['/a', '/no'],
      );
    });
  }

  test('pass when none refuses, in list order', async () => {
    const { url, calls } = await receive();
    const canary = canaryOf([
      { name: 'a', url: `${url}/a` },
      { name: 'b', type: '', url: `${url}/b` },
      { name: 'c', type: 'rollout', url: `${url}/c` },
    ]);
    assert.deepEqual(await runHooks(canary, 'rollout', context), { passed: true, events: [] });
    assert.deepEqual(
      calls.map((call) => call.split(' ')[0]),
      ['/a', '/b', '/c'],
    );
  });

  test('pass where there are none, but for rollbacks, which nobody asked for', async () => {
    const none = { events: [] };
    assert.deepEqual(await runHooks(canaryOf([]), 'confirm-rollout', context), {
      passed: true,
      ...none,
    });
    assert.deepEqual(await runHooks(canaryOf([]), 'rollback', context), { passed: false, ...none });
  });

  test('are told the canary, its phase, its checksum, and their metadata by key', async () => {
    const { url, calls } = await receive();
    const canary = canaryOf([
      { name: 'a', url: `${url}/a`, metadata: { type: 'cmd', cmd: 'hey' } },
    ]);
    await runHooks(canary, 'rollout', context);
    assert.deepEqual(calls, [
      '/a {"name":"podinfo","namespace":"test","phase":"Progressing","checksum":"85d557f47b",' +
        '"metadata":{"cmd":"hey","type":"cmd"}}',
    ]);
  });
});

suite('rollback hooks', () => {
  test('roll back by the first consent, and what refused is said plainly', async () => {
    const { url, calls } = await receive();
    const canary = canaryOf([
      { name: 'a', type: 'rollback', url: `${url}/no` },
      { name: 'b', type: 'rollback', url: `${url}/b` },
      { name: 'c', type: 'rollback', url: `${url}/c` },
    ]);
    assert.deepEqual(await runHooks(canary, 'rollback', context), {
      passed: true,
      events: [
        normal('Rollback hook a not signaling a rollback'),
        warning('Rollback check b passed'),
      ],
    });
    assert.equal(calls.length, 2);
  });

  test('do not roll back when all refuse', async () => {
    const { url } = await receive();
    const canary = canaryOf([{ name: 'a', type: 'rollback', url: `${url}/no` }]);
    assert.deepEqual(await runHooks(canary, 'rollback', context), {
      passed: false,
      events: [normal('Rollback hook a not signaling a rollback')],
    });
  });
});

suite('event hooks', () => {
  const event = normal('Advance podinfo.test canary weight 10');
  const told = { ...context, timestampMs: 1_578_607_635_167 };
  const body = (metadata: string): string =>
    '{"name":"podinfo","namespace":"test","phase":"Progressing","checksum":"85d557f47b",' +
    `"metadata":${metadata}}`;

  test('are all told, whoever refuses; the failures are for the log', async () => {
    const { url, calls } = await receive();
    const canary = canaryOf([
      { name: 'a', type: 'event', url: `${url}/no` },
      { name: 'b', type: 'event', url: `${url}/b` },
    ]);
    const failures = await sendEvent(canary, event, { ...told, globalUrl: `${url}/global` });
    assert.deepEqual(failures, ['denied']);
    const metadata =
      '{"eventMessage":"Advance podinfo.test canary weight 10","eventType":"Normal",' +
      '"timestamp":"1578607635167"}';
    assert.deepEqual(calls, [`/no ${body(metadata)}`, `/b ${body(metadata)}`]);
  });

  test('are told their metadata, which cannot take the place of the event’s', async () => {
    const { url, calls } = await receive();
    const metadata = { eventType: 'Mine', timestamp: '0', channel: 'ops' };
    const canary = canaryOf([{ name: 'a', type: 'event', url: `${url}/a`, metadata }]);
    await sendEvent(canary, warning('x'), { ...told, globalUrl: '' });
    assert.deepEqual(calls, [
      `/a ${body('{"channel":"ops","eventMessage":"x","eventType":"Warning","timestamp":"1578607635167"}')}`,
    ]);
  });

  test('are the global one where the canary has none', async () => {
    const { url, calls } = await receive();
    const canary = canaryOf([{ name: 'a', type: 'rollout', url: `${url}/a` }]);
    const failures = await sendEvent(canary, event, { ...told, globalUrl: `${url}/global` });
    assert.deepEqual(failures, []);
    assert.deepEqual(
      calls.map((call) => call.split(' ')[0]),
      ['/global'],
    );
  });

  test('are nobody where there is no global one either', async () => {
    assert.deepEqual(await sendEvent(canaryOf([]), event, { ...told, globalUrl: '' }), []);
  });
});
