import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Lease } from '../../src/api/kubernetes.ts';
import { ApiError } from '../../src/kube/api-error.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { Clock } from '../../src/kube/clock.ts';
import { createElection, microTime } from '../../src/kube/lease.ts';
import type { Election, ElectionOptions } from '../../src/kube/lease.ts';
import type { Log } from '../../src/kube/log.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const key = { namespace: 'aviary-system', name: 'leader' };
const nothing = (): void => undefined;
const silent: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
type LeaseClient = ElectionOptions['client'];

/** What happens to one call: milliseconds until the server acts, and until its answer is here. */
interface Weather {
  readonly thereMs: number;
  readonly backMs: number;
  /** The answer gets lost, though the server acted. */
  readonly isLost?: boolean;
  /** The server never sees it, and no answer comes. */
  readonly hangs?: boolean;
  readonly code?: number;
}
const fine: Weather = { thereMs: 0, backMs: 0 };

/** One Lease on a server, with optimistic concurrency, as the API server has it. */
class LeaseServer {
  lease: Lease | undefined;
  readonly calls: string[] = [];
  #version = 0;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  clientOf(name: string, weather: (verb: string) => Weather): LeaseClient {
    const call = async <Answer>(
      verb: string,
      signal: AbortSignal,
      act: () => Answer,
    ): Promise<Answer> => {
      this.calls.push(`${name} ${verb}`);
      const { thereMs, backMs, isLost = false, hangs = false, code } = weather(verb);
      const gone = new AbortController().signal;
      const answer = (async () => {
        // A request under way reaches the server, whether or not somebody still waits for it.
        if (hangs) return new Promise<never>(nothing);
        if (thereMs > 0) await this.#clock.sleep(thereMs, gone);
        if (code !== undefined) throw new ApiError(verb, { code, reason: '' });
        const done = act();
        if (backMs > 0) await this.#clock.sleep(backMs, gone);
        return isLost ? new Promise<never>(nothing) : done;
      })();
      answer.catch(nothing);
      return Promise.race([answer, rejectedBy(signal)]);
    };
    const client = {
      get: async (_: unknown, __: unknown, { signal }: { signal: AbortSignal }) =>
        call('get', signal, () => this.#found()),
      create: async (_: unknown, lease: Lease, { signal }: { signal: AbortSignal }) =>
        call('create', signal, () => {
          if (this.lease !== undefined)
            throw new ApiError('', { code: 409, reason: 'AlreadyExists' });
          return this.#put(lease);
        }),
      patch: async (
        _: unknown,
        __: unknown,
        patch: { body: object },
        { signal }: { signal: AbortSignal },
      ) =>
        call('patch', signal, () => {
          const found = this.#found();
          const body = patch.body as Lease;
          if (body.metadata.resourceVersion !== found.metadata.resourceVersion) {
            throw new ApiError('', { code: 409, reason: 'Conflict' });
          }
          return this.#put({ ...found, spec: { ...found.spec, ...body.spec } });
        }),
    };
    return client as unknown as Pick<KubeClient, 'get' | 'create' | 'patch'>;
  }

  #found(): Lease {
    if (this.lease === undefined) throw new ApiError('', { code: 404, reason: 'NotFound' });
    return this.lease;
  }

  #put(lease: Lease): Lease {
    this.#version += 1;
    this.lease = {
      ...lease,
      metadata: { ...lease.metadata, resourceVersion: String(this.#version) },
    };
    return this.lease;
  }
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
  });
}

interface Contender {
  readonly election: Election;
  /** Ends it as SIGTERM does. */
  readonly stop: () => void;
  readonly outcome: () => string;
  readonly isWorking: () => boolean;
  weather: (verb: string) => Weather;
}

function contender(
  server: LeaseServer,
  clock: Clock,
  identity: string,
  more: Partial<ElectionOptions> & { readonly work?: (signal: AbortSignal) => Promise<void> } = {},
): Contender {
  const controller = new AbortController();
  let outcome = 'running';
  let isWorking = false;
  const self: Contender = {
    election: createElection({
      client: server.clientOf(identity, (verb) => self.weather(verb)),
      clock,
      random: () => 0,
      log: silent,
      key,
      identity,
      ...more,
    }),
    stop: () => controller.abort(new Error('SIGTERM')),
    outcome: () => outcome,
    isWorking: () => isWorking,
    weather: () => fine,
  };
  const work =
    more.work ??
    (async (signal) => {
      isWorking = true;
      signal.addEventListener('abort', () => {
        isWorking = false;
      });
      await rejectedBy(signal);
    });
  self.election.run(work, controller.signal).then(
    (ended) => {
      outcome = ended;
    },
    (error: unknown) => {
      outcome = String(error);
    },
  );
  return self;
}

const shown = ({ election, outcome, isWorking }: Contender): string =>
  `${outcome()} ${election.isHeld() ? 'held' : 'free'} ${isWorking() ? 'working' : 'idle'}`;

test('takes a lease that does not exist, and renews it every two seconds', async () => {
  const clock = createVirtualClock(Date.UTC(2026, 0, 2, 3, 4, 5, 678));
  const server = new LeaseServer(clock);
  const held: boolean[] = [];
  const a = contender(server, clock, 'a', { onHeld: (it) => void held.push(it) });
  await clock.settle();
  assert.equal(shown(a), 'running held working');
  assert.deepEqual(server.lease, {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { ...key, resourceVersion: '1' },
    spec: {
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      acquireTime: '2026-01-02T03:04:05.678000Z',
      renewTime: '2026-01-02T03:04:05.678000Z',
    },
  });
  await clock.advance(20_000);
  assert.equal(server.lease?.spec?.renewTime, '2026-01-02T03:04:25.678000Z');
  assert.equal(server.lease?.spec?.acquireTime, '2026-01-02T03:04:05.678000Z');
  assert.deepEqual(server.calls, [
    'a get',
    'a create',
    ...Array.from({ length: 10 }, () => 'a patch'),
  ]);
  assert.deepEqual(held, [true]);
});

test('vacates it in order: work first, then the lease, so that another has it at once', async () => {
  const clock = createVirtualClock();
  const server = new LeaseServer(clock);
  const order: string[] = [];
  const a = contender(server, clock, 'a', {
    onHeld: (isHeld) => void order.push(`held ${isHeld}`),
    work: async (signal) => {
      await rejectedBy(signal).catch(nothing);
      order.push('told to stop');
      await clock.sleep(12_000, new AbortController().signal);
      order.push(`done, as ${server.lease?.spec?.holderIdentity}`);
    },
  });
  const holders: string[] = [];
  const b = contender(server, clock, 'b', { onHolder: (holder) => void holders.push(holder) });
  await clock.advance(5000);
  a.stop();
  // Longer than the renew deadline: it must go on renewing for as long as the work needs.
  await clock.advance(11_999);
  assert.equal(shown(b), 'running free idle');
  await clock.advance(1);
  assert.equal(a.outcome(), 'Stopped');
  assert.deepEqual(order, ['held true', 'told to stop', 'done, as a', 'held false']);
  assert.deepEqual(
    [server.lease?.spec?.holderIdentity, server.lease?.spec?.leaseDurationSeconds],
    ['', 1],
  );
  await clock.advance(2000);
  assert.equal(shown(b), 'running held working');
  assert.equal(server.lease?.spec?.leaseTransitions, 1);
  assert.deepEqual(holders, ['a', '']);
});

test('vacates it, too, while a renewal is under way that the server has carried out', async () => {
  const clock = createVirtualClock();
  const server = new LeaseServer(clock);
  const a = contender(server, clock, 'a');
  await clock.settle();
  a.weather = () => ({ thereMs: 0, backMs: 1000 });
  await clock.advance(2500);
  a.weather = () => fine;
  a.stop();
  await clock.settle();
  assert.equal(a.outcome(), 'Stopped');
  assert.equal(server.lease?.spec?.holderIdentity, '');
});

test('stops its work before others may take it, when renewals hang', async () => {
  const clock = createVirtualClock();
  const server = new LeaseServer(clock);
  const a = contender(server, clock, 'a');
  const b = contender(server, clock, 'b');
  await clock.advance(6000);
  assert.equal(shown(a), 'running held working');
  a.weather = () => ({ ...fine, hangs: true });
  // The last renewal was sent at 6 s.
  await clock.advance(9999);
  assert.equal(shown(a), 'running held working');
  await clock.advance(1);
  assert.equal(shown(a), 'running free idle');
  assert.equal(shown(b), 'running free idle');
  // Seen by the other two seconds later at most, whose next look is two more after its expiry.
  await clock.advance(2000 + 5000 + 2000);
  assert.equal(shown(b), 'running held working');
  assert.equal(a.outcome(), 'Lost');
});

test('one renewal that hangs or fails does no harm', async () => {
  const clock = createVirtualClock();
  const server = new LeaseServer(clock);
  const a = contender(server, clock, 'a');
  await clock.settle();
  for (const weather of [{ hangs: true }, { code: 500 }, { isLost: true }]) {
    let isFirst = true;
    a.weather = () => {
      const now = isFirst ? { ...fine, ...weather } : fine;
      isFirst = false;
      return now;
    };
    await clock.advance(12_000);
    assert.equal(shown(a), 'running held working');
  }
});

test('respects a lease that it finds for the whole of its duration, whatever its times say', async () => {
  const clock = createVirtualClock();
  const server = new LeaseServer(clock);
  server.lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { ...key, resourceVersion: '1' },
    spec: {
      holderIdentity: 'x',
      leaseDurationSeconds: 30,
      renewTime: '1999-01-01T00:00:00.000000Z',
    },
  };
  const a = contender(server, clock, 'a');
  await clock.advance(29_999);
  assert.equal(shown(a), 'running free idle');
  await clock.advance(2000);
  assert.equal(shown(a), 'running held working');
});

test('takes up again at once what it held under the same name', async () => {
  const clock = createVirtualClock();
  const server = new LeaseServer(clock);
  server.lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { ...key, resourceVersion: '1' },
    spec: { holderIdentity: 'a', leaseDurationSeconds: 15 },
  };
  const a = contender(server, clock, 'a');
  await clock.settle();
  assert.equal(shown(a), 'running held working');
});

test('a conflict with somebody who does not hold it is no loss', async () => {
  const clock = createVirtualClock();
  const server = new LeaseServer(clock);
  const a = contender(server, clock, 'a');
  await clock.settle();
  assert.ok(server.lease);
  server.lease = { ...server.lease, metadata: { ...server.lease.metadata, resourceVersion: '99' } };
  await clock.advance(2000);
  assert.equal(shown(a), 'running held working');
  assert.deepEqual(server.calls.slice(-3), ['a patch', 'a get', 'a patch']);
});

test('stops at once when it sees another holder', async () => {
  const clock = createVirtualClock();
  const server = new LeaseServer(clock);
  const a = contender(server, clock, 'a');
  await clock.settle();
  assert.ok(server.lease);
  server.lease = {
    ...server.lease,
    metadata: { ...server.lease.metadata, resourceVersion: '99' },
    spec: { ...server.lease.spec, holderIdentity: 'usurper' },
  };
  await clock.advance(2000);
  assert.equal(shown(a), 'Lost free idle');
  assert.equal(server.lease.spec?.holderIdentity, 'usurper');
});

test('a lease that is deleted is made again by its holder, and not taken by others', async () => {
  const clock = createVirtualClock();
  const server = new LeaseServer(clock);
  const a = contender(server, clock, 'a');
  const b = contender(server, clock, 'b');
  await clock.advance(3000);
  a.weather = () => ({ ...fine, hangs: true });
  server.lease = undefined;
  await clock.advance(2500);
  assert.deepEqual([shown(a), shown(b)], ['running held working', 'running free idle']);
  a.weather = () => fine;
  await clock.advance(4000);
  assert.deepEqual([shown(a), shown(b)], ['running held working', 'running free idle']);
  assert.equal(server.lease === undefined, false);
});

test('stops while it contends', async () => {
  const clock = createVirtualClock();
  const server = new LeaseServer(clock);
  contender(server, clock, 'a');
  await clock.settle();
  const b = contender(server, clock, 'b');
  await clock.advance(1000);
  b.stop();
  await clock.settle();
  assert.equal(b.outcome(), 'Stopped');
});

test('work that fails vacates the lease, and its error is passed on', async () => {
  const clock = createVirtualClock();
  const server = new LeaseServer(clock);
  const a = contender(server, clock, 'a', {
    work: async () => {
      throw new TypeError('a defect');
    },
  });
  await clock.settle();
  assert.equal(a.outcome(), 'TypeError: a defect');
  assert.equal(server.lease?.spec?.holderIdentity, '');
});

test('refuses durations that cannot be kept', () => {
  const clock = createVirtualClock();
  const options = {
    client: new LeaseServer(clock).clientOf('a', () => fine),
    clock,
    random: () => 0,
    log: silent,
    key,
    identity: 'a',
  };
  assert.throws(
    () => createElection({ ...options, renewDeadlineMs: 15_000 }),
    /renew deadline < lease duration/,
  );
  assert.throws(
    () => createElection({ ...options, retryPeriodMs: 10_000 }),
    /retry period < renew deadline/,
  );
});

test('writes microseconds with six decimals', () => {
  assert.equal(microTime(Date.UTC(2026, 0, 1)), '2026-01-01T00:00:00.000000Z');
});

test('never do two work at a time, whatever the network does', async () => {
  const weather = fc.oneof(
    { weight: 4, arbitrary: fc.constant(fine) },
    { weight: 2, arbitrary: fc.record({ thereMs: fc.nat(9000), backMs: fc.nat(9000) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        thereMs: fc.nat(20_000),
        backMs: fc.constant(0),
        isLost: fc.constant(true),
      }),
    },
    { weight: 1, arbitrary: fc.constant<Weather>({ ...fine, hangs: true }) },
    { weight: 1, arbitrary: fc.constant<Weather>({ ...fine, code: 500 }) },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(weather, { minLength: 30, maxLength: 30 }),
      fc.array(fc.tuple(fc.integer({ min: 100, max: 20_000 }), fc.constantFrom('a', 'b')), {
        maxLength: 4,
      }),
      async (skies, stops) => {
        const clock = createVirtualClock();
        const server = new LeaseServer(clock);
        const working = new Set<string>();
        let clash = '';
        let call = 0;
        const join = (identity: string): Contender => {
          const self = contender(server, clock, identity, {
            work: async (signal) => {
              if (working.size > 0) clash = `${identity} began while ${[...working].join()} worked`;
              working.add(identity);
              await rejectedBy(signal).catch(nothing);
              working.delete(identity);
            },
          });
          self.weather = () => skies[(call += 1) % skies.length] ?? fine;
          return self;
        };
        const members = new Map(['a', 'b'].map((name) => [name, join(name)]));
        let generation = 0;
        for (const [waitMs, name] of stops) {
          await clock.advance(waitMs);
          members.get(name)?.stop();
          members.set(name, join(`${name}${(generation += 1)}`));
        }
        await clock.advance(60_000);
        assert.equal(clash, '');
      },
    ),
    { numRuns: 60 },
  );
});
