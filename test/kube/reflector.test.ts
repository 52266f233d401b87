import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import * as fc from 'fast-check';
import type { ConfigMap } from '../../src/api/kubernetes.ts';
import { ApiError } from '../../src/kube/api-error.ts';
import { createInformers } from '../../src/kube/informers.ts';
import type { Informer, InformersOptions } from '../../src/kube/informers.ts';
import { firstPlan, nextPlan } from '../../src/kube/reflector.ts';
import type { Outcome, Plan, ReflectorState } from '../../src/kube/reflector.ts';
import { configMaps } from '../../src/kube/resources.ts';
import { until } from '../support/until.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import {
  clientFor,
  connectionTo,
  json,
  startScriptedServer,
  status,
  watchOf,
} from './scripted-server.ts';
import type { Answerer, ScriptedServer } from './scripted-server.ts';

// The decisions, as a table. `random` is 0.5 throughout, so a wait is half of its bound.

const watching: Plan = { ...firstPlan, step: 'Watch' };
const failed = (
  code: number,
  more: Partial<{ reason: string; retryAfterMs: number; lastedMs: number; tooNew: boolean }> = {},
): Outcome => ({
  kind: 'Failed',
  lastedMs: more.lastedMs ?? 0,
  error: new ApiError('', {
    code,
    reason: more.reason ?? '',
    retryAfterMs: more.retryAfterMs,
    details: more.tooNew === true ? { causes: [{ reason: 'ResourceVersionTooLarge' }] } : {},
  }),
});
const plans: Record<string, [Plan, Outcome, Partial<Plan>]> = {
  'watches after a list': [firstPlan, { kind: 'Listed' }, { step: 'Watch', waitMs: 0 }],
  'does not take a list for health': [
    { ...firstPlan, failures: 3 },
    { kind: 'Listed' },
    { failures: 3 },
  ],
  'watches again at once when a watch ended in order': [
    watching,
    { kind: 'Ended', lastedMs: 290_000 },
    { step: 'Watch', waitMs: 0 },
  ],
  'slows down when watches end as soon as they begin': [
    watching,
    { kind: 'Ended', lastedMs: 10 },
    { step: 'Watch', waitMs: 400, failures: 1 },
  ],
  'goes on from where a watch broke': [
    watching,
    failed(0),
    { step: 'Watch', waitMs: 400, failures: 1 },
  ],
  'doubles the back-off': [{ ...watching, failures: 3 }, failed(0), { waitMs: 3200, failures: 4 }],
  'bounds the back-off': [{ ...watching, failures: 30 }, failed(503), { waitMs: 15_000 }],
  'forgets failures after two minutes of health': [
    { ...watching, failures: 9 },
    failed(0, { lastedMs: 120_000 }),
    { waitMs: 400, failures: 1 },
  ],
  'forgets failures when a long watch ends in order': [
    { ...watching, failures: 9 },
    { kind: 'Ended', lastedMs: 120_000 },
    { waitMs: 0, failures: 0 },
  ],
  'lists at once when its version is too old': [
    watching,
    failed(410),
    { step: 'List', waitMs: 0, failures: 1 },
  ],
  'knows an old version by its reason': [
    watching,
    failed(0, { reason: 'Expired' }),
    { step: 'List', waitMs: 0 },
  ],
  'does not list at once again and again': [
    { ...watching, failures: 1 },
    failed(410),
    { step: 'List', waitMs: 800 },
  ],
  'lists anew when a continue token has expired': [
    firstPlan,
    failed(410),
    { step: 'List', waitMs: 0 },
  ],
  'lists when its version is from the future': [
    watching,
    failed(504, { tooNew: true }),
    { step: 'List', waitMs: 400 },
  ],
  'lists when its version is not understood': [
    watching,
    failed(400),
    { step: 'List', waitMs: 400 },
  ],
  'keeps its place through a timeout of the server': [watching, failed(504), { step: 'Watch' }],
  'keeps its place while a right is missing': [
    watching,
    failed(403),
    { step: 'Watch', waitMs: 400 },
  ],
  'waits for as long as the server asks': [
    watching,
    failed(429, { retryAfterMs: 7000 }),
    { step: 'Watch', waitMs: 7000 },
  ],
  'waits for an API that is missing': [
    firstPlan,
    failed(404),
    { step: 'List', waitMs: 10_000, isMissing: true },
  ],
  'waits longer for it the next time': [
    { ...firstPlan, isMissing: true, failures: 1 },
    failed(404),
    { step: 'List', waitMs: 40_000, isMissing: true },
  ],
  'waits a minute for it at most': [
    { ...firstPlan, isMissing: true, failures: 20 },
    failed(404),
    { waitMs: 60_000 },
  ],
  'finds an API that was missing': [
    { ...firstPlan, isMissing: true, failures: 5 },
    { kind: 'Listed' },
    { step: 'Watch', isMissing: false, failures: 0 },
  ],
  'notices that an API was removed': [watching, failed(404), { step: 'List', isMissing: true }],
  'asks for smaller pages where one was too large': [
    firstPlan,
    failed(0, { reason: 'TooLarge' }),
    { step: 'List', pageLimit: 100 },
  ],
  'asks for one object at least': [
    { ...firstPlan, pageLimit: 1 },
    failed(0, { reason: 'TooLarge' }),
    { pageLimit: 1 },
  ],
};
for (const [name, [plan, outcome, expected]] of Object.entries(plans)) {
  test(`the plan ${name}`, () => {
    const next = nextPlan(plan, outcome, 0.5);
    assert.deepEqual(next, { ...next, ...expected });
  });
}

/** Everything that may come of a step, and comes at once. */
const instantOutcomes = (step: Plan['step']): readonly Outcome[] => [
  step === 'List' ? { kind: 'Listed' } : { kind: 'Ended', lastedMs: 0 },
  ...[0, 400, 401, 403, 404, 410, 429, 500, 504].map((code) => failed(code)),
];

test('whatever the server does, requests come ever more seldom, and never stop', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 100, maxLength: 100 }), (picks) => {
      let plan = firstPlan;
      let waitedMs = 0;
      for (const pick of picks) {
        const outcomes = instantOutcomes(plan.step);
        plan = nextPlan(plan, outcomes[pick % outcomes.length] ?? { kind: 'Listed' }, 0.5);
        assert.ok(plan.waitMs >= 0 && plan.waitMs <= 60_000, `waits ${plan.waitMs} ms`);
        waitedMs += plan.waitMs;
      }
      // A failed watch may cost a list, so at least a third of the steps have waited.
      assert.ok(waitedMs > 120_000, `a hundred requests in ${waitedMs} ms`);
    }),
  );
});

// The reflector itself, over HTTP.

let api: ScriptedServer;
before(async () => {
  api = await startScriptedServer();
});
after(() => api.close());
let stop = new AbortController();
const runs: Promise<void>[] = [];
afterEach(async () => {
  stop.abort(new Error('the test has ended'));
  await Promise.all(runs.splice(0));
  stop = new AbortController();
  api.requests.length = 0;
  api.script.length = 0;
});

function map(name: string, resourceVersion: number): ConfigMap {
  const metadata = { namespace: 'shop', name, uid: name, resourceVersion: String(resourceVersion) };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata,
    data: { version: String(resourceVersion) },
  };
}
const page = (items: readonly unknown[], resourceVersion: number, token = ''): Answerer =>
  json({ items, metadata: { resourceVersion: String(resourceVersion), continue: token } });
const added = (name: string, version: number): unknown => ({
  type: 'ADDED',
  object: map(name, version),
});
const deleted = (name: string, version: number): unknown => ({
  type: 'DELETED',
  object: map(name, version),
});
const bookmark = (version: number): unknown => ({
  type: 'BOOKMARK',
  object: { metadata: { resourceVersion: String(version) } },
});
const staying = { stay: true };

function start(...script: readonly Answerer[]): {
  informer: Informer<ConfigMap>;
  clock: ReturnType<typeof createVirtualClock>;
  phases: string[];
  logged: string[];
  /** The store as text, once it is so. */
  readonly shows: (expected: string) => Promise<void>;
  run: Promise<void>;
} {
  return startWith({}, ...script);
}

function startWith(
  options: Partial<InformersOptions> & { metadataOnly?: boolean },
  ...script: readonly Answerer[]
): ReturnType<typeof start> {
  api.script.push(...script);
  const clock = createVirtualClock();
  const { client } = clientFor(connectionTo(api.url), clock);
  const phases: string[] = [];
  const logged: string[] = [];
  const log = (level: string) => (_: unknown, message: string) =>
    void logged.push(`${level}: ${message}`);
  const { metadataOnly = false, ...others } = options;
  const informer = createInformers({
    client,
    clock,
    random: () => 0.5,
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    onState: (resource, state: ReflectorState) => void phases.push(`${resource} ${state.phase}`),
    ...others,
  }).informer(configMaps, { metadataOnly });
  const run = informer.start(stop.signal).finally(() => client.close());
  runs.push(run.catch(() => undefined));
  const shown = (): string =>
    informer.store
      .list()
      .map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`)
      .sort()
      .join(' ');
  const shows = (expected: string): Promise<void> =>
    until(`the store shows ${expected}`, () => shown() === expected || undefined, {
      timeoutMs: 3000,
      everyMs: 1,
      describe: () => `It shows ${shown()}; ${logged.join('; ')}.`,
    }).then(() => undefined);
  return { informer, clock, phases, logged, shows, run };
}

/** Waits for the back-off to begin, then lets it pass. */
async function passBackOff({
  clock,
  informer,
}: Pick<ReturnType<typeof start>, 'clock' | 'informer'>): Promise<void> {
  await until(
    'it waits',
    () => ['Waiting', 'Missing'].includes(informer.state().phase) && clock.timers().length === 1,
  );
  await clock.advance(clock.timers()[0] ?? 0);
}

const versionsAsked = (): (string | null)[] =>
  api.requests.map(({ query }) => query.get('resourceVersion'));

test('lists by pages, then watches from the version of the list', async () => {
  const { informer, shows, phases } = start(
    page([map('a', 1)], 9, 'more'),
    page([map('b', 2)], 9),
    watchOf([added('c', 10), deleted('a', 11)], staying),
  );
  await informer.synced();
  await shows('b@2 c@10');
  assert.deepEqual(
    api.requests.map(({ query }) => query.get('limit')),
    ['500', '500', null],
  );
  assert.deepEqual(
    api.requests.map(({ query }) => query.get('continue')),
    [null, 'more', null],
  );
  assert.deepEqual(versionsAsked(), [null, null, '9']);
  assert.equal(api.requests[2]?.query.get('allowWatchBookmarks'), 'true');
  assert.deepEqual(phases, ['configmaps Listing', 'configmaps Watching']);
  const { phase, resourceVersion, objects, lastError } = informer.state();
  assert.deepEqual([phase, resourceVersion, objects, lastError], ['Watching', '11', 2, undefined]);
});

test('shows no part of a list', async () => {
  const { informer, clock } = start(
    page([map('a', 1)], 9, 'more'),
    json({}, 500),
    page([map('a', 1)], 9),
    watchOf([], staying),
  );
  await until('the second page failed', () => informer.state().phase === 'Waiting');
  assert.equal(informer.store.hasSynced, false);
  assert.equal(informer.store.size, 0);
  await passBackOff({ clock, informer });
  await informer.synced();
});

test('goes on from the last bookmark when the server ends the watch', async () => {
  const seen = start(
    page([], 1),
    watchOf([added('a', 2), bookmark(70)]),
    watchOf([added('b', 71)], staying),
  );
  await passBackOff(seen);
  await seen.shows('a@2 b@71');
  assert.deepEqual(versionsAsked(), [null, '1', '70']);
});

test('does not spin when the server ends each watch at once', async () => {
  const { clock } = start(page([], 1), ...Array.from({ length: 100 }, () => watchOf([])));
  for (let elapsedMs = 0; elapsedMs < 60_000; elapsedMs += 500) {
    await clock.advance(500);
    await until('nothing is under way', () => clock.timers().length === 1);
  }
  assert.ok(api.requests.length > 4, `${api.requests.length} requests are too few`);
  assert.ok(api.requests.length < 15, `${api.requests.length} requests in a minute`);
});

test('lists again when the watch says that its version is too old', async () => {
  const { shows, logged } = start(
    page([map('a', 1), map('b', 2)], 3),
    watchOf([{ type: 'ERROR', object: status(410, 'Expired') }], staying),
    page([map('b', 2), map('c', 9)], 10),
    watchOf([], staying),
  );
  await shows('b@2 c@9');
  assert.deepEqual(logged, ['info: the watch lost its place; listing again']);
});

test('lists again when the server has gone back to an earlier state', async () => {
  const { shows } = start(
    page([map('a', 7)], 9),
    watchOf([bookmark(5)], staying),
    page([map('a', 3)], 5),
    watchOf([], staying),
  );
  await shows('a@3');
});

test('lists again when the watch is refused as too old', async () => {
  const { shows } = start(
    page([map('a', 1)], 3),
    json(status(410, 'Gone'), 410),
    page([], 10),
    watchOf([], staying),
  );
  await until('it watches again', () => api.requests.length === 4);
  await shows('');
});

// What goes wrong after the first list; the reflector then sees `b` nevertheless.
const mishaps: Record<string, Answerer> = {
  'half a line': (response) => void response.writeHead(200).end('{"type":"ADDED","object":{"metad'),
  'a cut connection': (response) => {
    response.writeHead(200).write('\n', () => response.socket?.destroy());
  },
  'no answer at all': (response) => void response.socket?.destroy(),
  nonsense: (response) => void response.writeHead(200).end('<html>\n'),
  'a failure of the server': json({}, 500),
  'a missing right': json(status(403, 'Forbidden'), 403),
};
for (const [name, mishap] of Object.entries(mishaps)) {
  test(`goes on after ${name}`, async () => {
    const seen = start(page([map('a', 1)], 3), mishap, watchOf([added('b', 4)], staying));
    await passBackOff(seen);
    await seen.shows('a@1 b@4');
    assert.deepEqual(versionsAsked(), [null, '3', '3']);
    assert.deepEqual(seen.logged, ['warn: list or watch failed']);
    assert.equal(seen.informer.state().phase, 'Watching');
  });
}

test('waits as long as a busy server asks', async () => {
  const seen = start(
    page([], 3),
    json(status(429, 'TooManyRequests'), 429, { 'retry-after': '40' }),
    watchOf([added('b', 4)], staying),
  );
  await until(
    'it waits',
    () => seen.informer.state().phase === 'Waiting' && seen.clock.timers().length === 1,
  );
  assert.deepEqual(seen.clock.timers(), [40_000]);
  await passBackOff(seen);
  await seen.shows('b@4');
});

test('takes a doubled event once', async () => {
  const { informer, shows } = start(
    page([], 3),
    watchOf([added('a', 4), added('a', 4), deleted('a', 5), added('a', 4), added('b', 6)], staying),
  );
  let changes = 0;
  informer.store.subscribe(() => {
    changes += 1;
  });
  await shows('b@6');
  assert.equal(changes, 3);
});

test('takes a silent watch for dead: after its time where there are no bookmarks', async () => {
  const seen = start(page([], 3), watchOf([], staying), watchOf([added('a', 4)], staying));
  await until('it watches', () => seen.informer.state().phase === 'Watching');
  await seen.clock.advance(290_000 + 14_999);
  assert.equal(api.requests.length, 2);
  await seen.clock.advance(1);
  await passBackOff(seen);
  await seen.shows('a@4');
});

test('takes a silent watch for dead: sooner where there were bookmarks', async () => {
  const seen = start(
    page([], 3),
    watchOf([bookmark(5)], staying),
    watchOf([added('a', 6)], staying),
  );
  await until('the bookmark is there', () => seen.informer.state().resourceVersion === '5');
  await seen.clock.advance(150_000);
  await passBackOff(seen);
  await seen.shows('a@6');
  assert.deepEqual(versionsAsked(), [null, '3', '5']);
});

test('waits patiently for an API that is not installed, and says so once', async () => {
  const missing: Answerer = (response) => void response.writeHead(404).end('404 page not found\n');
  const seen = start(missing, missing, missing, page([map('a', 1)], 1), watchOf([], staying));
  await seen.informer.synced();
  assert.equal(seen.informer.state().phase, 'Missing');
  assert.equal(seen.informer.store.hasSynced, false);
  for (const waitMs of [10_000, 20_000, 40_000]) {
    await until('it waits', () => seen.clock.timers().length === 1);
    assert.deepEqual(seen.clock.timers(), [waitMs]);
    await passBackOff(seen);
  }
  await seen.shows('a@1');
  await until('it watches', () => seen.informer.state().phase === 'Watching');
  assert.deepEqual(
    seen.phases,
    ['configmaps Missing', 'configmaps Watching'].toSpliced(0, 0, 'configmaps Listing'),
  );
  assert.deepEqual(seen.logged, ['info: the API is not installed; waiting for it']);
});

test('keeps its objects when the API seems to be gone', async () => {
  const seen = start(page([map('a', 1)], 1), json(status(404, 'NotFound'), 404));
  await until('it is missing', () => seen.informer.state().phase === 'Missing');
  await seen.shows('a@1');
});

test('drops managedFields and nothing else', async () => {
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}' };
  const full = {
    ...map('a', 1),
    metadata: { ...map('a', 1).metadata, annotations, managedFields: [{ manager: 'kubectl' }] },
  };
  const { informer, shows } = start(
    page([full], 1),
    watchOf(
      [
        {
          type: 'ADDED',
          object: { ...full, metadata: { ...full.metadata, name: 'b', resourceVersion: '2' } },
        },
      ],
      staying,
    ),
  );
  await shows('a@1 b@2');
  const { managedFields: _, ...metadata } = full.metadata;
  assert.deepEqual(informer.store.get({ namespace: 'shop', name: 'a' }), { ...full, metadata });
  assert.equal(
    'managedFields' in (informer.store.get({ namespace: 'shop', name: 'b' })?.metadata ?? {}),
    false,
  );
});

test('metadata only keeps metadata only, also of our own writes', async () => {
  const { informer, shows } = startWith(
    { metadataOnly: true, namespace: 'shop' },
    page([map('a', 1)], 1),
    watchOf([], staying),
  );
  await shows('a@1');
  informer.store.wrote(map('b', 2));
  for (const name of ['a', 'b'])
    assert.equal(informer.store.get({ namespace: 'shop', name })?.data, undefined);
  assert.equal(api.requests[0]?.path, '/api/v1/namespaces/shop/configmaps');
  assert.match(String(api.requests[0]?.headers.accept), /PartialObjectMetadataList/);
});

test('stops in whatever phase it is, and can be started again', async () => {
  const { informer, shows, run, clock } = start(page([map('a', 1)], 1), watchOf([], staying));
  await shows('a@1');
  await until('it watches', () => informer.state().phase === 'Watching');
  stop.abort(new Error('enough'));
  await run;
  await until('no timer is left', () => clock.timers().length === 0);
  assert.equal(informer.state().phase, 'Stopped');
  stop = new AbortController();
  api.script.push(page([map('b', 2)], 2), watchOf([], staying));
  runs.push(informer.start(stop.signal));
  await shows('b@2');
});

test('stops while it lists', async () => {
  const { run } = start(() => undefined);
  await until('it lists', () => api.requests.length === 1);
  stop.abort(new Error('enough'));
  await run;
});

test('a listener that throws is a defect, and ends the run', async () => {
  const { informer, run } = start(page([map('a', 1)], 1));
  informer.store.subscribe(() => {
    throw new TypeError('a defect');
  });
  await assert.rejects(run, TypeError);
});

test('who asks twice gets the same informer', () => {
  const clock = createVirtualClock();
  const { client } = clientFor(connectionTo(api.url), clock);
  const nothing = (): void => undefined;
  const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
  const informers = createInformers({ client, clock, random: () => 0, log });
  const informer = informers.informer(configMaps);
  assert.equal(informers.informer(configMaps), informer);
  assert.notEqual(informers.informer(configMaps, { metadataOnly: true }), informer);
  assert.deepEqual(Object.keys(informers.states()), ['v1/configmaps', 'v1/configmaps (metadata)']);
});
