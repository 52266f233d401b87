/** The whole controller in virtual time, on a cluster in memory: what its users can rely on. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import type { Canary } from '../../src/api/canary.ts';
import type { Deployment } from '../../src/api/kubernetes.ts';
import type { ChecksOutcome } from '../../src/controller/checks.ts';
import { ApiError } from '../../src/kube/api-error.ts';
import {
  canaries,
  configMaps,
  deployments,
  destinationRules,
  metricTemplates,
  secrets,
  virtualServices,
} from '../../src/kube/resources.ts';
import type { Faults } from '../support/fake-cluster.ts';
import { startProcess } from './process.ts';
import type { ProcessOptions } from './process.ts';
import {
  advanceUntil,
  apply,
  canary,
  configMap,
  configured,
  createSite,
  deployment,
  editConfig,
  eventsOf,
  guard,
  imageOf,
  isChange,
  isRead,
  lowerWeight,
  phaseOf,
  reached,
  setImage,
  weightStory,
  weightTimes,
} from './site.ts';
import type { Site } from './site.ts';

/** Of a good revision (`spec/01`, 4.2). */
const rolloutEvents = [
  'New revision detected! Scaling up podinfo.test',
  'Starting canary analysis for podinfo.test',
  'Advance podinfo.test canary weight 10',
  'Advance podinfo.test canary weight 20',
  'Advance podinfo.test canary weight 30',
  'Copying podinfo.test template spec to podinfo-primary.test',
  'Routing all traffic to primary',
  'Promotion completed! Scaling down podinfo.test',
];

const allWeights = [0, 10, 20, 30, 0];

/** A canary at rest, with a process that looks after it and laws that are watched. */
async function settled(options: ProcessOptions = {}, spec: Partial<Canary['spec']> = {}) {
  const site = createSite();
  const laws = guard(site);
  apply(site, 'podinfo', spec);
  const process = startProcess(site.cluster, site.clock, options);
  await reached(site, 'podinfo', 'Initialized');
  await site.clock.advance(60_000);
  const before = { writes: site.cluster.writes.length, calls: site.cluster.calls.length };
  const since = {
    writes: () => site.cluster.writes.slice(before.writes).filter(isChange),
    calls: () => site.cluster.calls.slice(before.calls),
    events: () => eventsOf(site, 'podinfo').slice(1),
  };
  return { site, process, laws, since };
}

const notice = { namespace: 'test', canary: 'podinfo' };

/** Those of the watches are longer. */
const isTimerOfLook = (ms: number): boolean => ms < 60_000;

/** Promoted, with nothing left of the canary, and nothing under way. */
async function promoted(site: Site, image: string): Promise<void> {
  await advanceUntil(site, `${image} is promoted`, () => {
    const { replicas } = site.cluster.read(deployments, 'podinfo')?.spec ?? {};
    const isDone = phaseOf(site, 'podinfo') === 'Succeeded' && replicas === 0;
    return isDone && imageOf(site, 'podinfo-primary') === image;
  });
  await site.clock.advance(60_000);
}

describe('a rollout', () => {
  test('goes to its end with the events of the reference, few writes, and no read', async () => {
    const { site, process, laws, since } = await settled();
    const looks = process.looks();
    assert.deepEqual(eventsOf(site, 'podinfo'), ['Initialization done! podinfo.test']);
    setImage(site, 'podinfo', 'podinfo:2');
    await site.clock.advance(50);
    assert.equal(phaseOf(site, 'podinfo'), 'Progressing', 'the change is seen at once');
    await promoted(site, 'podinfo:2');
    assert.deepEqual(since.events(), rolloutEvents);
    assert.deepEqual(weightStory(site, 'podinfo'), allWeights);
    assert.equal(since.writes().length, 14, 'two writes a step');
    assert.deepEqual(since.calls().filter(isRead), []);
    assert.ok(process.looks() - looks <= 22, 'few looks');
    laws.check();
    assert.deepEqual(process.errors, []);
    await process.stop();
  });

  test('an idle canary is left alone: no look, no call', async () => {
    const { site, process, since } = await settled();
    const looks = process.looks();
    await site.clock.advance(3_600_000);
    assert.equal(process.looks(), looks);
    site.cluster.breakWatches();
    await site.clock.advance(60_000);
    assert.equal(process.looks(), looks, 'that a watch goes on is no news');
    const others = since.calls().filter(({ verb }) => verb !== 'watch');
    assert.deepEqual(others, []);
    await process.stop();
  });

  const delays: Record<string, (plural: string) => number> = {
    'all come after two seconds': () => 2_000,
    'those of canaries come long after the others': (plural) =>
      plural === canaries.plural ? 4_000 : 1,
    'those of the target come long after the others': (plural) =>
      plural === deployments.plural ? 4_000 : 1,
    'those of routes come long after the others': (plural) =>
      plural === virtualServices.plural ? 25_000 : 1,
  };
  for (const [name, delay] of Object.entries(delays)) {
    test(`writes nothing twice where events of the watch are late: ${name}`, async () => {
      const { site, process, laws, since } = await settled();
      site.cluster.watchMs = delay;
      setImage(site, 'podinfo', 'podinfo:2');
      await promoted(site, 'podinfo:2');
      assert.deepEqual(since.events(), rolloutEvents);
      assert.equal(since.writes().length, 14);
      assert.deepEqual(weightStory(site, 'podinfo'), allWeights);
      laws.check();
      assert.deepEqual(process.errors, []);
      await process.stop();
    });
  }

  test('survives watches that break and history that is forgotten', async () => {
    const { site, process, laws, since } = await settled();
    site.cluster.breakWatches();
    setImage(site, 'podinfo', 'podinfo:2');
    site.cluster.compact();
    await advanceUntil(site, 'Progressing', () => phaseOf(site, 'podinfo') === 'Progressing');
    await site.clock.advance(15_000);
    site.cluster.breakWatches();
    site.cluster.compact();
    await promoted(site, 'podinfo:2');
    assert.deepEqual(since.events(), rolloutEvents);
    assert.equal(since.writes().length, 14);
    laws.check();
    assert.deepEqual(process.errors, []);
    await process.stop();
  });

  test('a notice of admission that comes before the watch, or for nothing, does no harm', async () => {
    const { site, process, since } = await settled();
    process.controller.noticed(notice);
    await site.clock.advance(1_000);
    assert.deepEqual(since.writes(), []);
    setImage(site, 'podinfo', 'podinfo:2');
    process.controller.noticed(notice);
    await promoted(site, 'podinfo:2');
    assert.deepEqual(since.events(), rolloutEvents);
    await process.stop();
  });

  test('ends right whatever is late, breaks, or dies', async () => {
    const ms = fc.integer({ min: 0, max: 12_000 });
    const worlds = fc.record({
      watch: fc.array(ms, { minLength: 4, maxLength: 4 }),
      podMs: ms,
      breaks: fc.array(fc.integer({ min: 0, max: 90_000 }), { maxLength: 3 }),
      compacts: fc.boolean(),
      killAtMs: fc.option(fc.integer({ min: 0, max: 90_000 }), { nil: undefined }),
      deadMs: fc.integer({ min: 0, max: 30_000 }),
    });
    await fc.assert(
      fc.asyncProperty(worlds, async ({ watch, podMs, breaks, compacts, killAtMs, deadMs }) => {
        const { site, process, laws } = await settled();
        const { cluster, clock } = site;
        cluster.watchMs = (plural) => watch[plural.length % watch.length] ?? 0;
        cluster.podMs = () => podMs;
        for (const atMs of breaks) {
          clock.after(atMs, () => {
            cluster.breakWatches();
            if (compacts) cluster.compact();
          });
        }
        let second = process;
        if (killAtMs !== undefined) {
          clock.after(killAtMs, () => process.kill());
          clock.after(killAtMs + deadMs, () => {
            second = startProcess(cluster, clock, { name: 'second' });
          });
        }
        setImage(site, 'podinfo', 'podinfo:2');
        await promoted(site, 'podinfo:2');
        assert.deepEqual(weightStory(site, 'podinfo'), allWeights);
        laws.check();
        await clock.advance(200_000);
        await second.stop();
      }),
      { numRuns: 25 },
    );
  });
});

/** Changes of the image and of what it reads, a death, and watches that are late and break. */
const lives = fc.record({
  watchMs: fc.array(fc.integer({ min: 0, max: 8_000 }), { minLength: 5, maxLength: 5 }),
  podMs: fc.integer({ min: 0, max: 20_000 }),
  changes: fc.array(
    fc.record({
      atMs: fc.integer({ min: 0, max: 90_000 }),
      image: fc.constantFrom('podinfo:1', 'podinfo:2', 'podinfo:3'),
      color: fc.constantFrom('blue', 'green'),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  breaksAtMs: fc.integer({ min: 0, max: 90_000 }),
  killAtMs: fc.integer({ min: 0, max: 120_000 }),
  deadMs: fc.integer({ min: 0, max: 20_000 }),
});

/** No good at any weight. */
const badImage = 'podinfo:3';

test('whatever is changed, late, or dead for a while, the last good revision serves', async () => {
  await fc.assert(
    fc.asyncProperty(lives, async ({ watchMs, podMs, changes, breaksAtMs, killAtMs, deadMs }) => {
      const site = createSite();
      const { cluster, clock } = site;
      const laws = guard(site);
      const verdict = (): ChecksOutcome => {
        const passed = imageOf(site, 'podinfo') !== badImage;
        return { passed, events: [] };
      };
      cluster.put(configMaps, configMap('colors'));
      const source = { configMapRef: { name: 'colors' } };
      apply(site, 'podinfo', {}, configured(deployment('podinfo'), source));
      const first = startProcess(cluster, clock, { name: 'first', verdict });
      await reached(site, 'podinfo', 'Initialized');
      cluster.watchMs = (plural) => watchMs[plural.length % watchMs.length] ?? 0;
      cluster.podMs = () => podMs;
      for (const { atMs, image, color } of changes) {
        clock.after(atMs, () => {
          setImage(site, 'podinfo', image);
          editConfig(site, 'colors', { color });
        });
      }
      clock.after(breaksAtMs, () => cluster.breakWatches());
      clock.after(killAtMs, () => first.kill());
      await clock.advance(killAtMs + deadMs);
      const second = startProcess(cluster, clock, { name: 'second', verdict });
      await clock.advance(120_000);
      const last = changes.toSorted((one, other) => one.atMs - other.atMs).at(-1);
      const isBad = last?.image === badImage;
      await advanceUntil(site, `${last?.image} with ${last?.color} is done with`, () => {
        const isAtRest = ['Initialized', 'Succeeded', 'Failed'].includes(phaseOf(site, 'podinfo'));
        if (!isAtRest || cluster.read(deployments, 'podinfo')?.spec.replicas !== 0) return false;
        if (isBad) return phaseOf(site, 'podinfo') === 'Failed';
        const { color } = cluster.read(configMaps, 'colors-primary')?.data ?? {};
        return imageOf(site, 'podinfo-primary') === last?.image && color === last?.color;
      });
      const promotedBad = cluster.writes.filter(({ after }) => {
        const isPrimary = after.kind === 'Deployment' && after.metadata.name === 'podinfo-primary';
        return (
          isPrimary && (after as Deployment).spec.template.spec.containers[0]?.image === badImage
        );
      });
      assert.deepEqual(promotedBad, [], 'what failed is never promoted');
      laws.check();
      await second.stop();
    }),
    { numRuns: 30 },
  );
});

describe('what goes wrong on the way', () => {
  test('R14: a status that somebody else wrote meanwhile is decided anew, and nothing is said of it', async () => {
    let conflicts = 0;
    const site: { now?: Site } = {};
    const before: Faults['before'] = ({ plural, subresource }) => {
      if (plural !== canaries.plural || subresource !== 'status' || conflicts >= 3) return;
      conflicts += 1;
      const labels = { edited: String(conflicts) };
      site.now?.cluster.edit(canaries, 'podinfo', (live) => ({
        ...live,
        metadata: { ...live.metadata, labels },
      }));
    };
    const begun = await settled({ faults: { before } });
    site.now = begun.site;
    conflicts = 0;
    setImage(begun.site, 'podinfo', 'podinfo:2');
    await promoted(begun.site, 'podinfo:2');
    assert.equal(conflicts, 3);
    assert.deepEqual(begun.since.events(), rolloutEvents);
    const tries = begun.since.calls().filter(({ plural }) => plural === canaries.plural);
    assert.equal(tries.length, 7 + 3, 'what was decided on a former state is not written');
    assert.deepEqual(begun.process.errors, []);
    begun.laws.check();
    await begun.process.stop();
  });

  test('traffic that somebody takes away at the moment of a step stays away', async () => {
    const site: { now?: Site } = {};
    let isTaken = false;
    const before: Faults['before'] = ({ plural, verb }) => {
      if (site.now === undefined || plural !== virtualServices.plural || verb !== 'patch') return;
      if (isTaken || !weightStory(site.now, 'podinfo').includes(20)) return;
      isTaken = true;
      lowerWeight(site.now, 'podinfo');
    };
    const begun = await settled({ faults: { before } });
    site.now = begun.site;
    setImage(begun.site, 'podinfo', 'podinfo:2');
    await promoted(begun.site, 'podinfo:2');
    assert.deepEqual(weightStory(begun.site, 'podinfo'), [0, 10, 20, 10, 20, 30, 0]);
    assert.match(begun.since.events().join('\n'), /was lowered to 0 by hand/);
    begun.laws.check();
    await begun.process.stop();
  });

  test('a slow check is asked once, and does not slow the steps down', async () => {
    const asked: number[] = [];
    const site: { now?: Site } = {};
    const verdict = async (): Promise<ChecksOutcome> => {
      asked.push(site.now?.clock.monotonic() ?? 0);
      await site.now?.clock.sleep(3_000, new AbortController().signal);
      return { passed: true, events: [] };
    };
    const begun = await settled({ verdict });
    site.now = begun.site;
    const { clock } = begun.site;
    setImage(begun.site, 'podinfo', 'podinfo:2');
    for (let seconds = 0; seconds < 60; seconds += 1) {
      begun.process.controller.noticed(notice);
      await clock.advance(1_000);
    }
    await promoted(begun.site, 'podinfo:2');
    assert.equal(asked.length, 3);
    const times = weightTimes(begun.site, 'podinfo');
    assert.equal((times.get(30) ?? 0) - (times.get(20) ?? 0), 10_000);
    await begun.process.stop();
  });

  test('a verdict on a revision that was replaced meanwhile counts for nothing', async () => {
    const asked: string[] = [];
    const site: { now?: Site } = {};
    const verdict = async (): Promise<ChecksOutcome> => {
      const image = site.now && imageOf(site.now, 'podinfo');
      asked.push(image ?? '');
      await site.now?.clock.sleep(
        image === 'podinfo:2' ? 15_000 : 9_000,
        new AbortController().signal,
      );
      const passed = image !== 'podinfo:2';
      return { passed, events: passed ? [] : [{ type: 'Warning', message: 'Halt it is bad' }] };
    };
    const begun = await settled({ verdict });
    site.now = begun.site;
    setImage(begun.site, 'podinfo', 'podinfo:2');
    await advanceUntil(begun.site, 'a question', () => asked.length > 0);
    setImage(begun.site, 'podinfo', 'podinfo:3');
    await promoted(begun.site, 'podinfo:3');
    assert.deepEqual(asked, ['podinfo:2', 'podinfo:3', 'podinfo:3', 'podinfo:3']);
    assert.doesNotMatch(begun.since.events().join('\n'), /it is bad/);
    assert.deepEqual(weightStory(begun.site, 'podinfo'), [0, 10, 0, 10, 20, 30, 0]);
    begun.laws.check();
    await begun.process.stop();
  });

  test('an effect that fails is tried again, later each time, and said once', async () => {
    const failedAtMs: number[] = [];
    let fails = 0;
    const before: Faults['before'] = ({ plural, verb, atMs }) => {
      if (plural !== virtualServices.plural || verb !== 'patch' || fails === 0) return;
      fails -= 1;
      failedAtMs.push(atMs);
      throw new ApiError('patch virtualservices: internal error', {
        code: 500,
        reason: 'InternalError',
      });
    };
    const { site, process, since, laws } = await settled({ faults: { before } });
    fails = 5;
    setImage(site, 'podinfo', 'podinfo:2');
    await promoted(site, 'podinfo:2');
    const [said, ...others] = since.events().filter((text) => !rolloutEvents.includes(text));
    assert.match(said ?? '', /internal error/);
    assert.deepEqual(others, []);
    assert.deepEqual(
      since.events().filter((text) => text !== said),
      rolloutEvents,
    );
    const waits = failedAtMs.slice(1).map((atMs, at) => atMs - (failedAtMs[at] ?? 0));
    assert.ok(
      waits.every((waitMs, at) => waitMs > (waits[at - 1] ?? 20)),
      `each wait is longer: ${waits.join()}`,
    );
    assert.equal(process.errors.length, 5);
    laws.check();
    await process.stop();
  });

  test('two that both think they lead get to one end, and say nothing of each other', async () => {
    const site = createSite();
    const laws = guard(site);
    apply(site, 'podinfo');
    const rivals = ['one', 'other'].map((name) => startProcess(site.cluster, site.clock, { name }));
    await reached(site, 'podinfo', 'Initialized');
    setImage(site, 'podinfo', 'podinfo:2');
    await promoted(site, 'podinfo:2');
    assert.deepEqual(weightStory(site, 'podinfo'), allWeights);
    const said = ['Initialization done! podinfo.test', ...rolloutEvents];
    assert.deepEqual([...new Set(eventsOf(site, 'podinfo'))], said);
    assert.deepEqual(
      rivals.flatMap(({ errors }) => errors),
      [],
    );
    laws.check();
    for (const rival of rivals) await rival.stop();
  });

  test('one that is told to end finishes its step, and the next goes on: no event is lost', async () => {
    for (let stopAtMs = 100; stopAtMs < 45_000; stopAtMs += 1_371) {
      const { site, process, laws, since } = await settled();
      setImage(site, 'podinfo', 'podinfo:2');
      await site.clock.advance(stopAtMs);
      await process.stop();
      assert.deepEqual(site.clock.timers().filter(isTimerOfLook), []);
      const next = startProcess(site.cluster, site.clock, { name: 'next' });
      await promoted(site, 'podinfo:2');
      assert.deepEqual(weightStory(site, 'podinfo'), allWeights);
      assert.deepEqual(since.events(), rolloutEvents, `told to end at ${stopAtMs}`);
      assert.deepEqual([...process.errors, ...next.errors], []);
      laws.check();
      await next.stop();
    }
  });

  test('one that waits for the lease keeps no names, so that its queue looks idle', async () => {
    const site = createSite();
    const standby = startProcess(site.cluster, site.clock, { name: 'standby', leads: false });
    const leader = startProcess(site.cluster, site.clock);
    apply(site, 'podinfo');
    await reached(site, 'podinfo', 'Initialized');
    assert.deepEqual([standby.controller.queue.depth, standby.controller.queue.oldestMs()], [0, 0]);
    await standby.stop();
    await leader.stop();
  });

  test('a bad canary is told what is wrong and holds up nobody', async () => {
    const { site, process, laws } = await settled();
    apply(site, 'bad', { analysis: { interval: 'soon', stepWeight: 10 } });
    apply(site, 'lost');
    site.cluster.remove(deployments, 'lost');
    setImage(site, 'podinfo', 'podinfo:2');
    await promoted(site, 'podinfo:2');
    assert.deepEqual(weightStory(site, 'podinfo'), allWeights);
    for (const [name, text] of [
      ['bad', /invalid canary spec: .*interval/],
      ['lost', /deployment lost.test .* not found; create it/],
    ] as const) {
      const said = eventsOf(site, name);
      assert.equal(said.length, 1, said.join('\n'));
      assert.match(said[0] ?? '', text);
      const [stalled] =
        site.cluster
          .read(canaries, name)
          ?.status?.conditions?.filter(({ type }) => type === 'Stalled') ?? [];
      assert.match(stalled?.message ?? '', text);
    }
    site.cluster.put(deployments, deployment('lost'));
    await site.clock.advance(1_000);
    assert.equal(
      site.cluster
        .read(canaries, 'lost')
        ?.status?.conditions?.some(({ type }) => type === 'Stalled'),
      false,
      'it goes on when its target is there',
    );
    laws.check();
    await process.stop();
  });

  test('a provider that the cluster does not have is named, and used once it is installed', async () => {
    const site = createSite();
    const { cluster } = site;
    cluster.missing.add(virtualServices.plural);
    cluster.missing.add(destinationRules.plural);
    cluster.missing.add(metricTemplates.plural);
    apply(site, 'podinfo');
    const process = startProcess(cluster, site.clock);
    await site.clock.advance(30_000);
    assert.match(eventsOf(site, 'podinfo').join('\n'), /provider istio needs \w+ .* install it/);
    assert.equal(eventsOf(site, 'podinfo').length, 1);
    const made = cluster.writes.filter(({ plural }) => plural === deployments.plural);
    assert.deepEqual(made, [], 'nothing is done by halves');
    assert.deepEqual(process.controller.unsynced(), [], 'others are answered meanwhile');
    cluster.missing.clear();
    await reached(site, 'podinfo', 'Initialized');
    assert.deepEqual(process.errors, []);
    await process.stop();
  });
});

describe('a Secret', () => {
  test('that cannot be copied is named, and nothing of it is shown', async () => {
    const password = 'c2VzYW1l';
    const before: Faults['before'] = ({ verb, plural }) => {
      if (plural !== secrets.plural || verb !== 'create') return;
      const message = `create secrets: admission webhook "nosy" denied: ${password} is too short`;
      throw new ApiError(message, { code: 403, reason: 'Forbidden' });
    };
    const site = createSite();
    const { cluster } = site;
    cluster.put(secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'password', namespace: 'test' },
      data: { password },
    });
    const target = configured(deployment('podinfo'), { secretRef: { name: 'password' } });
    apply(site, 'podinfo', {}, target);
    const process = startProcess(cluster, site.clock, { faults: { before } });
    await site.clock.advance(60_000);
    assert.deepEqual(eventsOf(site, 'podinfo'), ['copy of secret password refused: Forbidden']);
    assert.doesNotMatch(process.errors.join(), new RegExp(password));
    await process.stop();
  });
});

describe('permission', () => {
  test('that lacks for the routes of a provider is asked for, and used once it is there', async () => {
    let isRefused = true;
    const before: Faults['before'] = ({ verb, plural }) => {
      if (verb !== 'list' || plural !== destinationRules.plural || !isRefused) return;
      const message = 'list destinationrules: forbidden: User "aviary" cannot list';
      throw new ApiError(message, { code: 403, reason: 'Forbidden' });
    };
    const site = createSite();
    apply(site, 'podinfo');
    const process = startProcess(site.cluster, site.clock, { faults: { before } });
    await site.clock.advance(120_000);
    const [said, ...others] = eventsOf(site, 'podinfo');
    assert.match(said ?? '', /cannot list; provider istio needs it: let the controller's role/);
    assert.deepEqual(others, []);
    isRefused = false;
    await reached(site, 'podinfo', 'Initialized');
    await process.stop();
  });
});

describe('canaries of one target', () => {
  test('the younger waits, says for whom, and goes on when the elder gives way', async () => {
    const { site, process } = await settled();
    const { cluster, clock } = site;
    const target = { targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo' } };
    cluster.put(canaries, canary('younger', target));
    await clock.advance(1_000);
    assert.match(eventsOf(site, 'younger').join(), /is the target of canary podinfo.test already/);
    assert.equal(phaseOf(site, 'younger'), '');

    cluster.put(deployments, deployment('elsewhere'));
    const targetRef = { ...target.targetRef, name: 'elsewhere' };
    cluster.edit(canaries, 'podinfo', (live) => ({ ...live, spec: { ...live.spec, targetRef } }));
    await reached(site, 'younger', 'Initialized');
    assert.deepEqual(process.errors, []);
    await process.stop();
  });
});

describe('a canary that goes', () => {
  test('in the middle of a rollout is let go: nothing is written any more', async () => {
    const { site, process } = await settled();
    const { cluster } = site;
    setImage(site, 'podinfo', 'podinfo:2');
    await advanceUntil(site, 'weight 20', () => weightStory(site, 'podinfo').includes(20));
    cluster.remove(canaries, 'podinfo');
    const { length } = cluster.writes;
    await site.clock.advance(100);
    assert.deepEqual(site.clock.timers().filter(isTimerOfLook), []);
    await site.clock.advance(120_000);
    assert.deepEqual(cluster.writes.slice(length).filter(isChange), []);
    assert.deepEqual(process.errors, []);
    await process.stop();
  });

  test('and comes back by the same name starts anew', async () => {
    const { site, process } = await settled();
    setImage(site, 'podinfo', 'podinfo:2');
    await advanceUntil(site, 'weight 20', () => weightStory(site, 'podinfo').includes(20));
    site.cluster.remove(canaries, 'podinfo');
    apply(site, 'podinfo', {}, deployment('podinfo', 'podinfo:2'));
    await reached(site, 'podinfo', 'Initialized');
    assert.equal(imageOf(site, 'podinfo-primary'), 'podinfo:2');
    await process.stop();
  });

  test('and is another one when the watch is back is judged by what it is now', async () => {
    const { site, process } = await settled();
    const { cluster } = site;
    apply(site, 'late', { analysis: { interval: 'soon', stepWeight: 10 } });
    await site.clock.advance(1_000);
    assert.match(eventsOf(site, 'late').join(), /invalid canary spec/);
    cluster.breakWatches();
    cluster.remove(canaries, 'late');
    apply(site, 'late');
    cluster.compact();
    await reached(site, 'late', 'Initialized');
    await process.stop();
  });

  test('and asks to be undone leaves its target serving', async () => {
    const { site, process, laws } = await settled({}, { revertOnDeletion: true });
    const { cluster } = site;
    setImage(site, 'podinfo', 'podinfo:2');
    await advanceUntil(site, 'weight 20', () => weightStory(site, 'podinfo').includes(20));
    cluster.remove(canaries, 'podinfo');
    await advanceUntil(site, 'it is gone', () => cluster.read(canaries, 'podinfo') === undefined);
    assert.equal(cluster.read(deployments, 'podinfo')?.spec.replicas, 2);
    assert.deepEqual(cluster.read(deployments, 'podinfo')?.metadata.annotations, {});
    assert.match(eventsOf(site, 'podinfo').at(-1) ?? '', /Terminated canary podinfo.test/);
    await site.clock.advance(60_000);
    assert.deepEqual(process.errors, []);
    laws.check();
    await process.stop();
  });
});

describe('configuration', () => {
  async function withConfig() {
    const site = createSite();
    const laws = guard(site);
    site.cluster.put(configMaps, configMap('colors'));
    apply(
      site,
      'podinfo',
      {},
      configured(deployment('podinfo'), { configMapRef: { name: 'colors' } }),
    );
    const process = startProcess(site.cluster, site.clock);
    await reached(site, 'podinfo', 'Initialized');
    const primaryRefers = () =>
      site.cluster.read(deployments, 'podinfo-primary')?.spec.template.spec.containers[0]
        ?.envFrom?.[0]?.configMapRef?.name;
    const copied = () => site.cluster.read(configMaps, 'colors-primary')?.data;
    return { site, laws, process, primaryRefers, copied };
  }

  test('that changes is a revision: analysed, and copied to the primary at promotion', async () => {
    const { site, laws, process, primaryRefers, copied } = await withConfig();
    assert.equal(primaryRefers(), 'colors-primary');
    const { length } = site.cluster.calls;
    editConfig(site, 'colors', { color: 'green' });
    await reached(site, 'podinfo', 'Progressing');
    assert.deepEqual(copied(), { color: 'blue' });
    await promoted(site, 'podinfo:1');
    assert.deepEqual(copied(), { color: 'green' });
    assert.deepEqual(weightStory(site, 'podinfo'), allWeights);
    assert.equal(site.cluster.calls.slice(length).filter(isRead).length, 1, 'it is read once');
    laws.check();
    assert.deepEqual(process.errors, []);
    await process.stop();
  });

  test('that changes in the middle of a rollout restarts it', async () => {
    const { site, laws, process, copied } = await withConfig();
    setImage(site, 'podinfo', 'podinfo:2');
    await advanceUntil(site, 'weight 20', () => weightStory(site, 'podinfo').includes(20));
    editConfig(site, 'colors', { color: 'green' });
    await promoted(site, 'podinfo:2');
    assert.deepEqual(weightStory(site, 'podinfo'), [0, 10, 20, 0, 10, 20, 30, 0]);
    assert.deepEqual(copied(), { color: 'green' });
    laws.check();
    await process.stop();
  });

  test('that vanishes in the middle of a rollout does not break the primary', async () => {
    const { site, laws, process, primaryRefers, copied } = await withConfig();
    setImage(site, 'podinfo', 'podinfo:2');
    await advanceUntil(site, 'weight 20', () => weightStory(site, 'podinfo').includes(20));
    site.cluster.remove(configMaps, 'colors');
    await advanceUntil(site, 'promotion', () => phaseOf(site, 'podinfo') === 'Finalising');
    assert.equal(primaryRefers(), 'colors-primary');
    assert.deepEqual(copied(), { color: 'blue' });
    assert.equal(imageOf(site, 'podinfo-primary'), 'podinfo:2');
    laws.check();
    await process.stop();
  });
});
