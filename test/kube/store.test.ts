import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { KubeObject } from '../../src/api/kubernetes.ts';
import { compareVersions, createStore, keyOf } from '../../src/kube/store.ts';
import type { Change, WatchedStore } from '../../src/kube/store.ts';

function object(name: string, resourceVersion: number, namespace = 'shop'): KubeObject {
  const metadata = {
    namespace,
    name,
    uid: `${name}-uid`,
    resourceVersion: String(resourceVersion),
  };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata };
}

function recorded(store: WatchedStore<KubeObject>): string[] {
  const changes: string[] = [];
  store.subscribe((change: Change<KubeObject>) => {
    const after = change.kind === 'Applied' ? change.after.metadata.resourceVersion : 'gone';
    changes.push(`${change.key.name} ${change.before?.metadata.resourceVersion ?? 'new'} ${after}`);
  });
  return changes;
}

const shop = (name: string): { namespace: string; name: string } => ({ namespace: 'shop', name });
const versionOf = (store: WatchedStore<KubeObject>, name: string): string | undefined =>
  store.get(shop(name))?.metadata.resourceVersion;

// What is done to a store that has listed `a` at 5 and has come to 10; what its listeners are told.
const cases: Record<string, [(store: WatchedStore<KubeObject>) => void, string[]]> = {
  'announces a new object': [(store) => store.apply(object('b', 11)), ['b new 11']],
  'announces a change': [(store) => store.apply(object('a', 11)), ['a 5 11']],
  'announces a deletion': [(store) => store.delete(object('a', 11)), ['a 5 gone']],
  'leaves out an event that it is past': [(store) => store.apply(object('a', 9)), []],
  'leaves out a deletion that it is past': [(store) => store.delete(object('a', 9)), []],
  'leaves out a doubled event': [
    (store) => {
      store.apply(object('a', 11));
      store.apply(object('a', 11));
    },
    ['a 5 11'],
  ],
  'shows our own write at once': [(store) => store.wrote(object('a', 12)), ['a 5 12']],
  'does not announce the echo of our own write': [
    (store) => {
      store.wrote(object('a', 12));
      store.apply(object('a', 12));
    },
    ['a 5 12'],
  ],
  'does not put back what others wrote before us': [
    (store) => {
      store.wrote(object('a', 12));
      store.apply(object('a', 11));
    },
    ['a 5 12'],
  ],
  'leaves out an answer that the watch is past': [(store) => store.wrote(object('a', 10)), []],
  'does not revive what was deleted after our write': [
    (store) => {
      store.delete(object('a', 12));
      store.wrote(object('a', 11));
    },
    ['a 5 gone'],
  ],
  'keeps what we made again when its earlier deletion comes': [
    (store) => {
      store.wrote(object('a', 12));
      store.delete(object('a', 11));
    },
    ['a 5 12'],
  ],
  'lets go of a write that the watch has passed in silence': [
    (store) => {
      store.wrote(object('elsewhere', 12));
      store.advance('13');
    },
    ['elsewhere new 12', 'elsewhere 12 gone'],
  ],
  'keeps a write that is newer than a list': [
    (store) => {
      store.wrote(object('a', 12));
      store.reset([object('a', 5)], '11');
    },
    ['a 5 12'],
  ],
  'lets a list decide on a write that it knows': [
    (store) => {
      store.wrote(object('a', 12));
      store.reset([], '13');
    },
    ['a 5 12', 'a 12 gone'],
  ],
  'announces a deletion that no watch told with the next list (D28)': [
    (store) => store.reset([], '12'),
    ['a 5 gone'],
  ],
  'announces of a list only what differs': [
    (store) => store.reset([object('a', 5), object('b', 11)], '12'),
    ['b new 11'],
  ],
  'believes a server whose storage was put back': [
    (store) => {
      store.wrote(object('a', 12));
      store.reset([object('a', 3)], '4');
    },
    ['a 5 12', 'a 12 3'],
  ],
};
for (const [name, [act, expected]] of Object.entries(cases)) {
  test(name, () => {
    const store = createStore();
    store.reset([object('a', 5)], '10');
    const changes = recorded(store);
    act(store);
    assert.deepEqual(changes, expected);
  });
}

test('lists by namespace', () => {
  const store = createStore();
  store.reset([object('a', 1), object('b', 2, 'bank'), object('c', 3)], '3');
  const names = (namespace?: string): string[] =>
    store.list(namespace).map((it) => it.metadata.name);
  assert.deepEqual(names('shop'), ['a', 'c']);
  assert.deepEqual(names('bank'), ['b']);
  assert.deepEqual(names('nowhere'), []);
  assert.equal(names().length, 3);
  assert.equal(store.size, 3);
  store.delete(object('b', 4, 'bank'));
  assert.deepEqual(names('bank'), []);
  assert.equal(store.size, 2);
});

test('has synced once it has a list, and not before', () => {
  const store = createStore();
  store.wrote(object('a', 1));
  assert.equal(store.hasSynced, false);
  store.reset([], '1');
  assert.equal(store.hasSynced, true);
  assert.equal(store.size, 0);
});

test('objects are frozen, and our own writes are shaped as watched objects are', () => {
  const store = createStore<KubeObject & { data?: unknown }>(({ apiVersion, kind, metadata }) => ({
    apiVersion,
    kind,
    metadata,
  }));
  store.wrote({ ...object('a', 1), data: { key: 'secret' } });
  const found = store.get(shop('a'));
  assert.ok(Object.isFrozen(found));
  assert.equal(found?.data, undefined);
});

test('ends a subscription', () => {
  const store = createStore();
  const changes: unknown[] = [];
  const end = store.subscribe((change) => changes.push(change));
  store.apply(object('a', 1));
  end();
  store.apply(object('a', 2));
  assert.equal(changes.length, 1);
});

test('compares versions as numbers of any size', () => {
  assert.ok(compareVersions('9', '10') < 0);
  assert.ok(compareVersions('18446744073709551616', '18446744073709551615') > 0);
  assert.equal(compareVersions('7', '7'), 0);
  assert.ok(compareVersions('', '1') < 0);
});

// The laws, for any interleaving of a server's history with what a client sees of it.

interface Write {
  readonly version: number;
  readonly name: string;
  readonly isDeletion: boolean;
}

/** A server with one history, its reflector, and writers whose answers may be late. */
class World {
  readonly store = createStore();
  readonly #history: Write[] = [];
  readonly #answers: Write[] = [];
  #list: { readonly objects: KubeObject[]; readonly version: number } | undefined;
  #watchedUpTo = 0;
  /** The newest state that was seen of each name. */
  readonly #newest = new Map<string, number>();

  constructor() {
    this.startList();
    this.finishList();
  }

  get #version(): number {
    return this.#history.at(-1)?.version ?? 1;
  }

  /** The version of what stands, or undefined. */
  #standing(name: string, upTo = Infinity): number | undefined {
    const last = this.#history.findLast((it) => it.name === name && it.version <= upTo);
    return last === undefined || last.isDeletion ? undefined : last.version;
  }

  write(name: string, isOurs: boolean): void {
    const write = { version: this.#version + 1, name, isDeletion: false };
    this.#history.push(write);
    if (isOurs) this.#answers.push(write);
  }

  delete(name: string): void {
    if (this.#standing(name) === undefined) return;
    this.#history.push({ version: this.#version + 1, name, isDeletion: true });
  }

  /** Any answer under way may be the next to come. */
  answer(pick: number): void {
    const [answer] = this.#answers.splice(pick % Math.max(1, this.#answers.length), 1);
    if (answer !== undefined) this.store.wrote(object(answer.name, answer.version));
  }

  watch(): void {
    if (this.#list !== undefined) return;
    const event = this.#history.find(({ version }) => version > this.#watchedUpTo);
    if (event === undefined) return;
    this.#watchedUpTo = event.version;
    if (event.isDeletion) this.store.delete(object(event.name, event.version));
    else this.store.apply(object(event.name, event.version));
  }

  /** After a reconnection the server may send again what was sent. */
  repeat(): void {
    const event = this.#history.findLast(({ version }) => version <= this.#watchedUpTo);
    if (event === undefined || this.#list !== undefined) return;
    if (event.isDeletion) this.store.delete(object(event.name, event.version));
    else this.store.apply(object(event.name, event.version));
  }

  bookmark(): void {
    if (this.#list === undefined) this.store.advance(String(this.#watchedUpTo));
  }

  startList(): void {
    const objects = names.flatMap((name) => {
      const version = this.#standing(name);
      return version === undefined ? [] : [object(name, version)];
    });
    this.#list ??= { objects, version: this.#version };
  }

  finishList(): void {
    if (this.#list === undefined) return;
    this.store.reset(this.#list.objects, String(this.#list.version));
    this.#watchedUpTo = this.#list.version;
    this.#list = undefined;
  }

  settle(): void {
    this.finishList();
    while (this.#answers.length > 0) this.answer(0);
    while (this.#watchedUpTo < this.#version) this.watch();
  }

  /** What is shown of each name is a state that it had, and never one before another shown. */
  check(): void {
    for (const name of names) {
      const shown = Number(versionOf(this.store, name) ?? NaN);
      const newest = this.#newest.get(name) ?? 0;
      if (Number.isNaN(shown)) {
        // Absent: there must be a time, not before what was seen, at which it was so.
        const since = this.#history.filter(
          (it) => it.name === name && it.isDeletion && it.version > newest,
        );
        assert.ok(newest === 0 || this.#standing(name, newest) === undefined || since.length > 0);
        const reached = Number(this.store.resourceVersion);
        if (newest > 0) this.#newest.set(name, Math.max(newest, this.#deletionBy(name, reached)));
      } else {
        assert.ok(shown >= newest, `${name} went back from ${newest} to ${shown}`);
        this.#newest.set(name, shown);
      }
    }
  }

  #deletionBy(name: string, upTo: number): number {
    return (
      this.#history.findLast((it) => it.name === name && it.isDeletion && it.version <= upTo)
        ?.version ?? 0
    );
  }

  checkEqual(): void {
    for (const name of names) {
      assert.equal(Number(versionOf(this.store, name) ?? NaN), this.#standing(name) ?? NaN, name);
    }
  }
}

const names = ['a', 'b', 'c'];
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(
      fc.constantFrom('others write', 'we write', 'delete'),
      fc.constantFrom(...names),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(
      fc.constantFrom('watch', 'bookmark', 'list', 'listed', 'repeat'),
      fc.constant(''),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom('answer 0', 'answer 1', 'answer 2'), fc.constant('')),
  },
);

function perform(world: World, [what, name]: readonly [string, string]): void {
  if (what === 'others write') world.write(name, false);
  else if (what === 'we write') world.write(name, true);
  else if (what === 'delete') world.delete(name);
  else if (what === 'watch') world.watch();
  else if (what === 'repeat') world.repeat();
  else if (what === 'bookmark') world.bookmark();
  else if (what === 'list') world.startList();
  else if (what === 'listed') world.finishList();
  else world.answer(Number(what.at(-1)));
}

test('no key goes back in time, and all ends as the server has it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const world = new World();
      for (const it of steps) {
        perform(world, it);
        world.check();
      }
      world.settle();
      world.checkEqual();
    }),
    { numRuns: 3000 },
  );
});

test('listeners can follow the store by its changes alone', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const world = new World();
      const followed = new Map<string, KubeObject>();
      world.store.subscribe((change) => {
        assert.equal(change.before, followed.get(keyOf(change.key)), 'before is what was there');
        if (change.kind === 'Applied') followed.set(keyOf(change.key), change.after);
        else followed.delete(keyOf(change.key));
      });
      for (const it of steps) perform(world, it);
      const versions = (objects: Iterable<KubeObject>): string[] =>
        [...objects].map((it) => `${it.metadata.name} ${it.metadata.resourceVersion}`).sort();
      assert.deepEqual(versions(followed.values()), versions(world.store.list()));
    }),
    { numRuns: 500 },
  );
});
