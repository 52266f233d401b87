/** The work queue: every name once, never by two workers, and again after a failure. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { createQueue } from '../../src/controller/queue.ts';
import type { QueueOptions } from '../../src/controller/queue.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

function start(work: (name: string) => Promise<void>, options: Partial<QueueOptions> = {}) {
  const clock = createVirtualClock();
  const failures: { name: string; retryMs: number }[] = [];
  const late: number[] = [];
  const queue = createQueue({
    clock,
    random: () => 0.5,
    workers: 2,
    failed: (name, _, retryMs) => failures.push({ name, retryMs }),
    late: (ms) => late.push(ms),
    ...options,
  });
  const stop = new AbortController();
  const ended = queue.run(work, stop.signal);
  return { clock, queue, failures, late, stop: () => (stop.abort(), ended) };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('the work queue', () => {
  test('takes a name once, however often it is added before', async () => {
    const worked: string[] = [];
    const { queue, stop } = start(async (name) => void worked.push(name));
    for (const name of ['a', 'b', 'a', 'a']) queue.add(name);
    await settle();
    assert.deepEqual(worked, ['a', 'b']);
    await stop();
  });

  test('works once more on a name that is added while it is in hand', async () => {
    let runs = 0;
    let release = (): void => undefined;
    const { queue, stop } = start(async () => {
      runs += 1;
      if (runs === 1) await new Promise<void>((resolve) => (release = resolve));
    });
    queue.add('a');
    await settle();
    queue.add('a');
    queue.add('a');
    await settle();
    assert.equal(runs, 1);
    release();
    await settle();
    assert.equal(runs, 2);
    await stop();
  });

  test('tries again after a failure, later each time, and forgets failures after a success', async () => {
    let fails = 3;
    const { queue, clock, failures, stop } = start(async () => {
      if (fails > 0) {
        fails -= 1;
        throw new Error('no');
      }
    });
    queue.add('a');
    for (let round = 0; round < 4; round += 1) {
      await settle();
      await clock.advance(1_000);
    }
    assert.deepEqual(
      failures.map(({ retryMs }) => retryMs),
      [38, 75, 150],
    );
    fails = 1;
    queue.add('a');
    await settle();
    assert.equal(failures.at(-1)?.retryMs, 38);
    await stop();
  });

  test('a name has one timer: the last one counts, and it can be taken away', async () => {
    const worked: number[] = [];
    const { queue, clock, late, stop } = start(async () => void worked.push(clock.monotonic()));
    const startedMs = clock.monotonic();
    queue.addAt('a', startedMs + 1_000);
    queue.addAt('a', startedMs + 3_000);
    await clock.advance(2_000);
    assert.deepEqual(worked, []);
    await clock.advance(1_000);
    await settle();
    assert.deepEqual(worked, [startedMs + 3_000]);
    assert.deepEqual(late, [0]);
    queue.addAt('a', startedMs + 9_000);
    queue.addAt('a', undefined);
    await clock.advance(10_000);
    assert.equal(worked.length, 1);
    await stop();
  });

  test('told to end, it finishes what is in hand and takes nothing new', async () => {
    let release = (): void => undefined;
    const worked: string[] = [];
    const { queue, stop } = start(
      async (name) => {
        await new Promise<void>((resolve) => (release = resolve));
        worked.push(name);
      },
      { workers: 1 },
    );
    queue.add('a');
    queue.add('b');
    await settle();
    const ended = stop();
    release();
    await ended;
    assert.deepEqual(worked, ['a']);
  });

  test('keeps nothing while nobody works: no name, no timer, no failure', async () => {
    let release = (): void => undefined;
    const { queue, clock, failures, stop } = start(async (name) => {
      await new Promise<void>((resolve) => (release = resolve));
      queue.addAt(name, clock.monotonic() + 1_000);
      if (name === 'b') throw new Error('cut off');
    });
    queue.add('a');
    await settle();
    const releaseFirst = release;
    queue.add('b');
    await settle();
    queue.add('b');
    const ended = stop();
    releaseFirst();
    release();
    await ended;
    queue.add('c');
    queue.addAt('d', clock.monotonic() + 1_000);
    assert.deepEqual([queue.depth, queue.oldestMs(), clock.timers(), failures], [0, 0, [], []]);
  });

  test('never two workers on one name, and no name that was added is left out', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.boolean()), { maxLength: 40 }),
        async (adds) => {
          const inHand = new Set<string>();
          const addedAfter = new Map<string, boolean>();
          const { queue, stop } = start(
            async (name) => {
              assert.ok(!inHand.has(name), 'one worker for a name');
              inHand.add(name);
              addedAfter.set(name, false);
              await settle();
              inHand.delete(name);
            },
            { workers: 3 },
          );
          for (const [name, waits] of adds) {
            addedAfter.set(name, true);
            queue.add(name);
            if (waits) await settle();
          }
          for (let rounds = 0; rounds < 20; rounds += 1) await settle();
          assert.ok(![...addedAfter.values()].includes(true), 'worked on after it was added last');
          await stop();
        },
      ),
      { numRuns: 100 },
    );
  });
});
