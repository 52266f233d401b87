/** Who may start, and who comes next: the limits hold, the order is fair, and nobody is stuck. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import type { Canary, CanarySpec, CanaryStatus, Phase } from '../../src/api/canary.ts';
import type { SlotLimits, Slots } from '../../src/controller/slots.ts';
import { createSlots } from '../../src/controller/slots.ts';
import { canaryOf, settled, stepping } from '../canary/builders.ts';

const at = (second: number): string => `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`;

function named(
  name: string,
  status: Partial<CanaryStatus> = {},
  spec: Partial<CanarySpec> = {},
): Canary {
  const canary = canaryOf(stepping, spec);
  const [namespace = '', own = ''] = name.split('/');
  const metadata = { ...canary.metadata, namespace, name: own };
  return { ...canary, metadata, status: { ...settled, ...status } };
}

const inPhase = (name: string, phase: Phase, since?: number): Canary =>
  named(name, { phase, ...(since === undefined ? {} : { waitingSince: at(since) }) });

function tableOf(limits: Partial<SlotLimits>): { readonly slots: Slots; readonly woken: string[] } {
  const woken: string[] = [];
  const slots = createSlots({ cluster: 0, namespace: 0, ...limits }, (name) => woken.push(name));
  return { slots, woken };
}

/** One look of somebody who would start: the answer, and the status that follows from it. */
function look(slots: Slots, name: string, since: number, waits = false): boolean {
  const canary = waits ? inPhase(name, 'Waiting', since) : inPhase(name, 'Succeeded');
  const granted = slots.request(canary, at(since)).kind === 'Granted';
  if (granted) slots.applied(inPhase(name, 'Progressing'));
  else slots.applied(inPhase(name, 'Waiting', since));
  slots.settle(canary);
  return granted;
}

suite('a slot', () => {
  test('is for as many as the cluster may have in progress', () => {
    const { slots } = tableOf({ cluster: 2 });
    assert.deepEqual(
      ['x/a', 'y/b', 'z/c'].map((name) => look(slots, name, 1)),
      [true, true, false],
    );
  });

  test('is for as many as each namespace may have in progress', () => {
    const { slots } = tableOf({ namespace: 1 });
    assert.deepEqual(
      ['x/a', 'x/b', 'y/c'].map((name) => look(slots, name, 1)),
      [true, false, true],
    );
  });

  test('goes to who has waited longest, when one is free', () => {
    const { slots, woken } = tableOf({ cluster: 1 });
    look(slots, 'x/a', 1);
    look(slots, 'x/a-late', 3);
    look(slots, 'x/z-early', 2);
    slots.applied(inPhase('x/a', 'Succeeded'));
    assert.deepEqual(woken, ['x/z-early']);
    assert.equal(look(slots, 'x/0-new', 4), false, 'nobody overtakes');
    assert.equal(look(slots, 'x/a-late', 3, true), false);
    assert.equal(look(slots, 'x/z-early', 2, true), true);
  });

  test('of a full namespace does not hold up the others', () => {
    const { slots, woken } = tableOf({ cluster: 3, namespace: 1 });
    look(slots, 'x/a', 1);
    look(slots, 'x/b', 2);
    assert.equal(look(slots, 'y/c', 3), true);
    slots.applied(inPhase('y/c', 'Failed'));
    assert.deepEqual(woken, []);
    slots.applied(inPhase('x/a', 'Succeeded'));
    assert.deepEqual(woken, ['x/b']);
  });

  test('is not given twice while the first has not yet been written', () => {
    const { slots } = tableOf({ cluster: 1 });
    const a = inPhase('x/a', 'Succeeded');
    assert.equal(slots.request(a, at(1)).kind, 'Granted');
    assert.equal(slots.request(inPhase('x/b', 'Succeeded'), at(1)).kind, 'Refused');
    slots.settle(inPhase('x/b', 'Succeeded'));
    slots.settle(a);
  });

  test('that was given and not used is free again, and the next hears of it', () => {
    const { slots, woken } = tableOf({ cluster: 1 });
    const a = inPhase('x/a', 'Succeeded');
    slots.request(a, at(1));
    look(slots, 'x/b', 2);
    // The write of its status failed.
    slots.settle(a);
    assert.deepEqual(woken, ['x/b']);
  });

  test('stays with a rollout in flight, even beyond the limit', () => {
    const { slots, woken } = tableOf({ cluster: 1 });
    for (const name of ['x/a', 'x/b', 'x/c']) slots.applied(inPhase(name, 'Progressing'));
    look(slots, 'x/d', 1);
    slots.applied(inPhase('x/a', 'Succeeded'));
    slots.applied(inPhase('x/b', 'Promoting'));
    slots.applied(inPhase('x/b', 'Succeeded'));
    assert.deepEqual(woken, []);
    slots.applied(inPhase('x/c', 'Failed'));
    assert.deepEqual(woken, ['x/d']);
  });

  const exempt: Record<string, Canary> = {
    'is promoted without analysis': named('x/a', { phase: 'Progressing' }, { skipAnalysis: true }),
    'is of a revision that served lately': named('x/a', { phase: 'Progressing', returning: true }),
    'is suspended': named('x/a', { phase: 'Progressing' }, { suspend: true }),
    'cannot go on until somebody acts': named('x/a', {
      phase: 'Progressing',
      conditions: [{ type: 'Stalled', status: 'True', reason: 'InvalidSpec', message: '' }],
    }),
    'waits at a gate': inPhase('x/a', 'Waiting', 1),
    'is being initialized': inPhase('x/a', 'Initializing'),
  };
  for (const [name, canary] of Object.entries(exempt)) {
    test(`is not taken by what ${name}`, () => {
      const { slots } = tableOf({ cluster: 1 });
      slots.applied(canary);
      slots.settle(canary);
      assert.equal(look(slots, 'x/b', 2), true);
    });
  }
});

suite('whoever leads next', () => {
  test('keeps the line: who has not been looked at yet is believed to stand there', () => {
    const { slots } = tableOf({ cluster: 1 });
    slots.applied(inPhase('x/z-first', 'Waiting', 1));
    slots.applied(inPhase('x/a-second', 'Waiting', 2));
    slots.begin();
    assert.equal(look(slots, 'x/a-second', 2, true), false);
    assert.equal(look(slots, 'x/z-first', 1, true), true);
  });

  test('lets the next one pass where the first has to wait for something else', () => {
    const { slots, woken } = tableOf({ cluster: 1 });
    const gated = inPhase('x/gated', 'Waiting', 1);
    slots.applied(gated);
    slots.applied(inPhase('x/a-second', 'Waiting', 2));
    slots.begin();
    assert.equal(look(slots, 'x/a-second', 2, true), false);
    // Its gate is shut: it did not ask.
    slots.settle(gated);
    assert.deepEqual(woken, ['x/a-second']);
    assert.equal(look(slots, 'x/a-second', 2, true), true);
  });
});

test('a refusal names the limit, who is in progress, and how many come first', () => {
  const { slots } = tableOf({ cluster: 1 });
  look(slots, 'x/a', 1);
  look(slots, 'x/b', 2);
  assert.deepEqual(slots.request(inPhase('y/c', 'Succeeded'), at(3)), {
    kind: 'Refused',
    why: 'no more than 1 rollout may be in progress at once in the cluster',
    details: 'a.x is; 1 waits before this one',
  });
});

test('without limits nobody is asked', () => {
  assert.equal(tableOf({}).slots.isLimited, false);
});

/**
 * Canaries come, are looked at whenever they are woken, may be held up by something else for a
 * while, and end. Virtual time is the number of the step.
 */
test('whatever happens, limits hold, nobody starves, and the line is fair', () => {
  const action = fc.record({
    kind: fc.constantFrom('change', 'end', 'hold', 'release'),
    canary: fc.integer({ min: 0, max: 7 }),
  });
  const limits = fc.record({
    cluster: fc.integer({ min: 0, max: 3 }),
    namespace: fc.integer({ min: 0, max: 2 }),
  });
  fc.assert(
    fc.property(limits, fc.array(action, { maxLength: 40 }), (limit, actions) => {
      if (limit.cluster === 0 && limit.namespace === 0) return;
      const queue: string[] = [];
      const slots = createSlots(limit, (name) => queue.push(name));
      const world = new Map<string, { phase: Phase; since: number; held: boolean }>();
      for (let index = 0; index < 8; index += 1) {
        world.set(`${'xyz'[index % 3] ?? ''}/${index}`, {
          phase: 'Succeeded',
          since: 0,
          held: false,
        });
      }
      const stored = (name: string): Canary => {
        const { phase = 'Succeeded', since = 0 } = world.get(name) ?? {};
        return inPhase(name, phase, phase === 'Waiting' ? since : undefined);
      };
      const set = (name: string, phase: Phase): void => {
        const it = world.get(name) ?? assert.fail();
        it.phase = phase;
        slots.applied(stored(name));
      };
      const inFlight = (): string[] =>
        [...world].filter(([, { phase }]) => phase === 'Progressing').map(([name]) => name);
      const wants = new Set<string>();
      const drain = (): void => {
        for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
          const it = world.get(name) ?? assert.fail();
          const before = stored(name);
          if (wants.has(name) && !it.held) {
            if (slots.request(before, at(it.since % 60)).kind === 'Granted') {
              wants.delete(name);
              set(name, 'Progressing');
            } else if (it.phase !== 'Waiting') set(name, 'Waiting');
          }
          slots.settle(before);
        }
      };
      const checkLimits = (): void => {
        const flying = inFlight();
        if (limit.cluster > 0) assert.ok(flying.length <= limit.cluster);
        for (const namespace of ['x', 'y', 'z']) {
          const own = flying.filter((name) => name.startsWith(namespace)).length;
          if (limit.namespace > 0) assert.ok(own <= limit.namespace);
        }
      };
      for (const [step, { kind, canary }] of actions.entries()) {
        const name = [...world.keys()][canary] ?? assert.fail();
        const it = world.get(name) ?? assert.fail();
        if (kind === 'change' && it.phase === 'Succeeded' && !wants.has(name)) {
          wants.add(name);
          it.since = step;
          queue.push(name);
        } else if (kind === 'end' && it.phase === 'Progressing') set(name, 'Succeeded');
        else if (kind === 'hold' || kind === 'release') {
          it.held = kind === 'hold';
          queue.push(name);
        }
        drain();
        checkLimits();
      }
      for (const [name, it] of world) {
        it.held = false;
        queue.push(name);
      }
      drain();
      // Each that ends lets somebody else start, until nobody is left.
      for (let ends = 0; inFlight().length > 0; ends += 1) {
        assert.ok(ends < 20, 'never ends');
        set(inFlight()[0] ?? assert.fail(), 'Succeeded');
        drain();
        checkLimits();
      }
      assert.deepEqual([...wants], [], 'somebody waits for ever');
    }),
    { numRuns: 300 },
  );
});
