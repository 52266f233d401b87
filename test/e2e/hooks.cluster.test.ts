/**
 * Every type of hook over real HTTP, on a real API server: when each is called, with what, and what
 * its answer does (`spec/03`, 3.4). One namespace a story; they run side by side.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import type { Canary, CanaryWebhook } from '../../src/api/canary.ts';
import { controlPlaneOrSkip } from '../cluster/require.ts';
import { watchCanary } from '../support/canary-watch.ts';
import type { HttpServer } from '../support/http-server.ts';
import { startHttpServer } from '../support/http-server.ts';
import { until } from '../support/until.ts';
import { eventsOf, fixture, inNamespace, scaledTo, weightsOf } from './kubectl.ts';
import type { Site } from './site.ts';
import { startSite } from './site.ts';

const skip = await controlPlaneOrSkip();

type HookType = CanaryWebhook['type'];

interface Call {
  readonly type: string;
  readonly payload: {
    readonly name: string;
    readonly namespace: string;
    readonly phase: string;
    readonly checksum: string;
    readonly metadata?: Readonly<Record<string, string>>;
  };
}

const types: readonly NonNullable<HookType>[] = [
  'confirm-rollout',
  'pre-rollout',
  'rollout',
  'confirm-traffic-increase',
  'confirm-promotion',
  'post-rollout',
  'rollback',
  'event',
];

/** Hooks at `/NAMESPACE/TYPE`: what they were told, and what they answer. */
function createHooks() {
  const calls: { readonly namespace: string; readonly call: Call }[] = [];
  const refusing = new Set<string>();
  return {
    /** Status of the answer to one call. */
    answer: (path: string, body: string): number => {
      const [, namespace = '', type = ''] = path.split('/');
      calls.push({ namespace, call: { type, payload: JSON.parse(body) as Call['payload'] } });
      return refusing.has(`${namespace}/${type}`) ? 403 : 200;
    },
    of: (namespace: string): readonly Call[] =>
      calls.filter((it) => it.namespace === namespace).map(({ call }) => call),
    refuse: (namespace: string, type: HookType) => void refusing.add(`${namespace}/${type}`),
    allow: (namespace: string, type: HookType) => void refusing.delete(`${namespace}/${type}`),
  };
}

const gist = (calls: readonly Call[]): readonly string[] =>
  calls
    .filter(({ type }) => type !== 'event')
    .map(({ type, payload }) => `${type} ${payload.phase}`);

describe('hooks on a real API server', { skip, concurrency: 8, timeout: 600_000 }, () => {
  let site: Site;
  let server: HttpServer;
  const hooks = createHooks();

  before(async () => {
    server = await startHttpServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const status = hooks.answer(request.url ?? '', Buffer.concat(chunks).toString());
        response.writeHead(status).end(status === 403 ? 'not now' : '');
      });
    });
    site = await startSite();
  });
  after(async () => {
    await site?.stop();
    await server?.close();
  });

  /** A canary of two steps with a hook of every type; the rollback hook does not consent. */
  const initialized = async (namespace: string) => {
    hooks.refuse(namespace, 'rollback');
    const kubectl = await inNamespace(site.cluster, namespace);
    const canary = parse(await readFile(fixture('canary.yaml'), 'utf8')) as Canary;
    const webhooks = types.map((type) => ({
      name: `on-${type}`,
      type,
      url: `${server.url}/${namespace}/${type}`,
      metadata: { team: 'shop' },
    }));
    const analysis = { ...canary.spec.analysis, stepWeight: 25, maxWeight: 50, webhooks };
    await kubectl(['apply', '-f', fixture('podinfo.yaml')]);
    await kubectl(
      ['apply', '-f', '-'],
      stringify({ ...canary, spec: { ...canary.spec, analysis } }),
    );
    const watch = watchCanary(site.cluster, namespace, 'podinfo');
    await watch.sees('Initialized');
    await scaledTo(kubectl, 'podinfo', 0);
    return { kubectl, watch };
  };
  const setImage = ['set', 'image', 'deployment/podinfo', 'podinfod=podinfo:6.0.1'];

  test('a promotion asks each at its time, and tells what happens', async () => {
    const { kubectl, watch } = await initialized('promoted');
    await kubectl(setImage);
    await watch.sees('Succeeded', { timeoutMs: 120_000 });
    const events = await eventsOf(kubectl, 'podinfo', /Post-rollout check on-post-rollout passed/);
    watch.stop();
    assert.deepEqual(gist(hooks.of('promoted')), [
      'confirm-rollout Initialized',
      'rollback Progressing',
      'pre-rollout Progressing',
      'confirm-traffic-increase Progressing',
      'rollback Progressing',
      'rollout Progressing',
      'confirm-traffic-increase Progressing',
      'rollback Progressing',
      'rollout Progressing',
      'confirm-traffic-increase Progressing',
      'confirm-promotion Progressing',
      'post-rollout Succeeded',
    ]);
    for (const { type, payload } of hooks.of('promoted')) {
      assert.equal(payload.name, 'podinfo');
      assert.equal(payload.namespace, 'promoted');
      assert.match(payload.checksum, /^[0-9a-z]{8,10}$/);
      assert.equal(payload.metadata?.['team'], 'shop', type);
    }
    const told = hooks.of('promoted').filter(({ type }) => type === 'event');
    assert.deepEqual(
      told.map(
        ({ payload: { metadata } }) => `${metadata?.['eventType']} ${metadata?.['eventMessage']}`,
      ),
      events,
    );
  });

  test('a rollback hook that consents ends the rollout, and post-rollout hears of it', async () => {
    const { kubectl, watch } = await initialized('revoked');
    await kubectl(setImage);
    await watch.sees('Progressing', { weight: 25 });
    hooks.allow('revoked', 'rollback');
    await watch.sees('Failed');
    const events = await eventsOf(kubectl, 'podinfo', /Post-rollout check on-post-rollout passed/);
    watch.stop();
    assert.equal(gist(hooks.of('revoked')).at(-1), 'post-rollout Failed');
    assert.deepEqual(events.slice(-4), [
      'Warning Rollback check on-rollback passed',
      'Warning Rolling back podinfo.revoked manual webhook invoked',
      'Warning Canary failed! Scaling down podinfo.revoked',
      'Normal Post-rollout check on-post-rollout passed',
    ]);
    assert.deepEqual(await weightsOf(kubectl), [100, 0]);
  });

  test('a rollout hook that fails counts as a failed check, and its answer is in the event', async () => {
    const { kubectl, watch } = await initialized('untested');
    hooks.refuse('untested', 'rollout');
    await kubectl(setImage);
    await watch.sees('Failed', { timeoutMs: 90_000 });
    const events = await eventsOf(kubectl, 'podinfo', /Canary failed!/);
    watch.stop();
    const halts = events.filter((it) => it.includes('external check'));
    assert.deepEqual(
      halts,
      Array(2).fill(
        'Warning Halt podinfo.untested advancement external check on-rollout failed not now',
      ),
    );
    assert.ok(
      watch.sightings.every(({ weight }) => weight <= 25),
      'no step after a failed check',
    );
  });

  test('gates of traffic and promotion hold it where it is, and checks go on', async () => {
    const { kubectl, watch } = await initialized('gated');
    hooks.refuse('gated', 'confirm-traffic-increase');
    hooks.refuse('gated', 'confirm-promotion');
    await kubectl(setImage);
    const asked = (type: string) => hooks.of('gated').filter((it) => it.type === type).length;
    await until('the traffic gate is asked twice', () => asked('confirm-traffic-increase') >= 2, {
      timeoutMs: 60_000,
    });
    assert.deepEqual(await weightsOf(kubectl), [100, 0]);
    hooks.allow('gated', 'confirm-traffic-increase');
    await watch.sees('WaitingPromotion', { timeoutMs: 60_000 });
    const checked = asked('rollout');
    await until('a check while promotion waits', () => asked('rollout') > checked, {
      timeoutMs: 30_000,
    });
    assert.deepEqual(await weightsOf(kubectl), [50, 50]);
    hooks.allow('gated', 'confirm-promotion');
    await watch.sees('Succeeded', { timeoutMs: 60_000 });
    const events = await eventsOf(kubectl, 'podinfo', /Promotion completed/);
    watch.stop();
    assert.deepEqual(
      events.filter((it) => it.includes('approval')),
      [
        'Warning Halt podinfo.gated advancement waiting for traffic increase approval on-confirm-traffic-increase',
        'Warning Halt podinfo.gated advancement waiting for promotion approval on-confirm-promotion',
      ],
    );
  });
});
