/** What every controller relies on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change } from '../../../src/cluster/controller-api.ts';
import { conflict } from '../../../src/cluster/status-error.ts';
import { createVirtualClock } from '../../../src/cluster/virtual-clock.ts';
import { runController } from '../../../src/cluster/workloads/work-queue.ts';

const subject = { group: '', plural: 'things', kind: 'Thing' };

function run(reconcile: (key: string) => Promise<number | undefined>) {
  const clock = createVirtualClock();
  const warnings: string[] = [];
  const listeners = new Set<(change: Change) => void>();
  const looks: string[] = [];
  const running = runController(
    {
      name: 'things',
      keysOf: ({ groupResource }) => groupResource.split(','),
      reconcile: async (key) => {
        looks.push(`${clock.monotonic()} ${key}`);
        return reconcile(key);
      },
    },
    {
      clock,
      api: {
        onChange: (listener) => {
          listeners.add(listener);
          return () => void listeners.delete(listener);
        },
      },
      log: {
        debug: () => undefined,
        info: () => undefined,
        warn: (fields) => void warnings.push(String(fields['error'])),
        error: () => undefined,
      },
    },
  );
  const changed = (keys: string): void => {
    for (const listener of listeners) {
      listener({ groupResource: keys, before: undefined, after: undefined });
    }
  };
  return { clock, running, looks, warnings, changed, listeners };
}

test('keys are looked at in the order in which they came, each once for all its changes', async () => {
  const { clock, looks, changed } = run(async () => undefined);
  changed('b,a');
  changed('b,c');
  await clock.settle();
  assert.deepEqual(looks, ['0 b', '0 a', '0 c']);
});

test('the last look says when to look again', async () => {
  const answers = [5_000, 1_000, undefined];
  const { clock, looks, changed } = run(async () => answers.shift());
  changed('a');
  await clock.advance(2_000);
  changed('a');
  await clock.advance(60_000);
  assert.deepEqual(looks, ['0 a', '2000 a', '3000 a']);
});

test('what fails is tried again later each time, and told', async () => {
  let failures = 4;
  const { clock, looks, warnings, changed } = run(async () => {
    failures -= 1;
    if (failures >= 0) throw new Error('no');
    return undefined;
  });
  changed('a');
  await clock.advance(60_000);
  assert.deepEqual(looks, ['0 a', '100 a', '300 a', '700 a', '1500 a']);
  assert.deepEqual(
    warnings,
    Array.from({ length: 4 }, () => 'Error: no'),
  );
});

test('one that fails does not hold up others', async () => {
  const { clock, looks, changed } = run(async (key) => {
    if (key === 'a') throw new Error('no');
    return undefined;
  });
  changed('a,b');
  await clock.settle();
  assert.deepEqual(looks, ['0 a', '0 b']);
});

test('a conflict is tried again at once and is no news; one that stays is', async () => {
  let conflicts = 2;
  const { clock, looks, warnings, changed } = run(async (key) => {
    conflicts -= 1;
    if (key === 'stuck' || conflicts >= 0) throw conflict(subject, key);
    return undefined;
  });
  changed('a');
  await clock.advance(1_000);
  assert.deepEqual(looks, ['0 a', '0 a', '0 a']);
  assert.deepEqual(warnings, []);
  changed('stuck');
  await clock.advance(5_000);
  assert.ok(warnings.length > 0);
  assert.ok(looks.length < 30, `${looks.length} looks`);
});

test('after stop nothing is looked at, and no timer is left', async () => {
  const { clock, running, looks, changed, listeners } = run(async () => 1_000);
  changed('a');
  await clock.settle();
  changed('b');
  running.stop();
  running.add('c');
  await clock.advance(10_000);
  assert.deepEqual(looks, ['0 a']);
  assert.deepEqual([clock.timers(), listeners.size], [[], 0]);
});
