import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../src/api/kubernetes.ts';
import { onAbort } from '../../src/kube/abort.ts';
import { ApiError } from '../../src/kube/api-error.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createEventRecorder } from '../../src/kube/events.ts';
import type { EventRecorder } from '../../src/kube/events.ts';
import type { OpenObject } from '../../src/kube/resources.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import type { VirtualClock } from '../support/virtual-clock.ts';

const nothing = (): void => undefined;
const never = new AbortController().signal;

function canary(name: string): KubeObject {
  const metadata = {
    name,
    namespace: 'shop',
    uid: `${name}-uid`,
    resourceVersion: '7',
    labels: { a: 'b' },
  };
  return { apiVersion: 'flagger.app/v1beta1', kind: 'Canary', metadata };
}

interface World {
  readonly recorder: EventRecorder;
  readonly clock: VirtualClock;
  /** What the server took, in order: object and message. */
  readonly taken: string[];
  readonly created: OpenObject[];
  readonly drops: string[];
  /** Answers each creation; throws to refuse. */
  answer: (message: string) => void | Promise<void>;
}

function world(): World {
  const clock = createVirtualClock(Date.UTC(2026, 0, 2, 3, 4, 5, 678));
  const taken: string[] = [];
  const created: OpenObject[] = [];
  const drops: string[] = [];
  let hex = 0;
  const self: World = {
    clock,
    taken,
    created,
    drops,
    answer: nothing,
    recorder: createEventRecorder({
      clock,
      random: () => 1,
      randomHex: (digits) => (hex += 1).toString(16).padStart(digits, '0'),
      log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
      onDrop: (reason) => void drops.push(reason),
      client: {
        create: async (_: unknown, event: OpenObject, { signal }: { signal: AbortSignal }) => {
          await Promise.race([
            self.answer(String(event['message'])),
            new Promise((__, reject) => {
              onAbort(signal, () => reject(signal.reason));
            }),
          ]);
          created.push(event);
          const { name } = event['involvedObject'] as { name: string };
          taken.push(`${name} ${String(event['message'])}`);
          return event;
        },
      } as unknown as Pick<KubeClient, 'create'>,
    }),
  };
  return self;
}

const failure = (code: number, reason = ''): ApiError => new ApiError('', { code, reason });
const record = ({ recorder }: World, name: string, message: string): void =>
  recorder.record(canary(name), { type: 'Normal', message });

test('an event is as the reference writes it', async () => {
  const it = world();
  it.recorder.record(canary('podinfo'), { type: 'Warning', message: 'Halt advancement' });
  await it.recorder.flush(never);
  assert.deepEqual(it.created, [
    {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'podinfo.0000000000000001', namespace: 'shop' },
      involvedObject: {
        apiVersion: 'flagger.app/v1beta1',
        kind: 'Canary',
        name: 'podinfo',
        namespace: 'shop',
        uid: 'podinfo-uid',
        resourceVersion: '7',
      },
      type: 'Warning',
      reason: 'Synced',
      message: 'Halt advancement',
      count: 1,
      firstTimestamp: '2026-01-02T03:04:05Z',
      lastTimestamp: '2026-01-02T03:04:05Z',
      source: { component: 'flagger' },
      reportingComponent: 'flagger',
      reportingInstance: '',
    },
  ]);
});

test('every decision has its own event, in order for each object', async () => {
  const it = world();
  const expected: string[] = [];
  for (let step = 0; step < 30; step += 1) {
    for (const name of ['a', 'b', 'c']) record(it, name, `step ${step}`);
    expected.push(`step ${step}`);
  }
  await it.recorder.flush(never);
  for (const name of ['a', 'b', 'c']) {
    const messages = it.taken
      .filter((line) => line.startsWith(`${name} `))
      .map((line) => line.slice(2));
    assert.deepEqual(messages, expected);
  }
  assert.equal(new Set(it.created.map(({ metadata }) => metadata.name)).size, 90);
  assert.equal(it.recorder.pending, 0);
});

test('a failure is tried again, keeps its place, and holds up nobody else', async () => {
  const it = world();
  let failures = 3;
  it.answer = (message) => {
    if (message === 'first' && failures > 0) {
      failures -= 1;
      throw failure(503);
    }
  };
  record(it, 'a', 'first');
  record(it, 'a', 'second');
  record(it, 'b', 'other');
  await it.clock.settle();
  assert.deepEqual(it.taken, ['b other']);
  await it.clock.advance(500 + 1000 + 2000);
  assert.deepEqual(it.taken, ['b other', 'a first', 'a second']);
  assert.deepEqual(it.drops, []);
});

test('an event that got through after all is not an error', async () => {
  const it = world();
  it.answer = () => {
    throw failure(409, 'AlreadyExists');
  };
  record(it, 'a', 'first');
  await it.recorder.flush(never);
  assert.deepEqual(it.drops, []);
});

test('an event that is refused is dropped, and the next one is sent', async () => {
  const it = world();
  it.answer = (message) => {
    if (message === 'first') throw failure(403);
  };
  record(it, 'a', 'first');
  record(it, 'a', 'second');
  await it.recorder.flush(never);
  assert.deepEqual(it.taken, ['a second']);
  assert.deepEqual(it.drops, ['refused']);
});

test('an API server that is away for a while is waited for, one that stays away is not', async () => {
  const it = world();
  it.answer = () => {
    throw failure(0, 'ConnectionFailed');
  };
  record(it, 'a', 'first');
  await it.clock.advance(14 * 60_000);
  assert.equal(it.recorder.pending, 1);
  await it.clock.advance(2 * 60_000);
  assert.deepEqual(it.drops, ['undeliverable']);
  assert.equal(it.recorder.pending, 0);
});

test('sends a few at a time', async () => {
  const it = world();
  let sending = 0;
  it.answer = async () => {
    sending += 1;
    await new Promise(nothing);
  };
  for (let object = 0; object < 50; object += 1) record(it, `canary-${object}`, 'x');
  await it.clock.settle();
  assert.equal(sending, 8);
});

test('a full queue drops what comes, and counts it', async () => {
  const it = world();
  it.answer = () => new Promise(nothing);
  for (let event = 0; event < 10_003; event += 1) record(it, 'a', `${event}`);
  assert.deepEqual(it.drops, ['full', 'full', 'full']);
  assert.equal(it.recorder.pending, 10_000);
});

test('a flush ends when its signal says so, and counts what is left', async () => {
  const it = world();
  it.answer = (message) => {
    if (message === 'fails') throw failure(503);
    return new Promise(nothing);
  };
  record(it, 'a', 'hangs');
  record(it, 'a', 'waits its turn');
  record(it, 'b', 'fails');
  const controller = new AbortController();
  const flushed = it.recorder.flush(controller.signal);
  await it.clock.settle();
  assert.equal(it.clock.timers().length, 1);
  controller.abort(new Error('out of time'));
  await flushed;
  assert.deepEqual(it.drops, ['shutdown', 'shutdown', 'shutdown']);
  record(it, 'a', 'too late');
  assert.equal(it.drops.length, 4);
  assert.deepEqual(it.clock.timers(), []);
});

test('an object without a namespace has its events in default, one with a long name a valid name', async () => {
  const it = world();
  const name = 'n'.repeat(253);
  it.recorder.record(
    { apiVersion: 'v1', kind: 'Node', metadata: { name } },
    { type: 'Normal', message: 'x' },
  );
  await it.recorder.flush(never);
  assert.equal(it.created[0]?.metadata.namespace, 'default');
  assert.equal(it.created[0]?.metadata.name.length, 253);
});
