import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { StoredObject } from '../../src/cluster/resource-type.ts';
import { createObjectStore } from '../../src/cluster/object-store.ts';

const object = (name: string, value = ''): StoredObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'test' },
  data: { value },
});
const namesAt = (found: readonly StoredObject[] | undefined): readonly string[] | undefined =>
  found?.map(({ metadata, ['data']: data }) => `${metadata.name}=${JSON.stringify(data)}`);

test('every write has a version of its own, that grows', () => {
  const store = createObjectStore();
  const versions = ['a', 'b', 'a'].map((name) => store.put('configmaps', object(name)));
  const removed = store.remove('configmaps', { namespace: 'test', name: 'a' });
  const numbers = [...versions, removed].map((it) => Number(it?.metadata.resourceVersion));
  assert.deepEqual(numbers, [2, 3, 4, 5]);
  assert.equal(store.version(), 5);
});

test('history that was forgotten is not made up', () => {
  const store = createObjectStore();
  store.put('configmaps', object('a'));
  store.compact();
  store.put('configmaps', object('b'));
  assert.equal(store.since(1), undefined);
  assert.equal(store.listAt('configmaps', 1), undefined);
  assert.deepEqual(
    store.since(2)?.map(({ object: { metadata } }) => metadata.name),
    ['b'],
  );
});

const change = fc.record({
  name: fc.constantFrom('a', 'b', 'c'),
  plural: fc.constantFrom('configmaps', 'secrets'),
  isRemoval: fc.boolean(),
  value: fc.string({ maxLength: 2 }),
});

test('the past is listed as it was, whatever came after', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const store = createObjectStore();
      const seen = new Map<number, readonly string[] | undefined>();
      for (const { name, plural, isRemoval, value } of changes) {
        if (isRemoval) store.remove(plural, { namespace: 'test', name });
        else store.put(plural, object(name, value));
        seen.set(store.version(), namesAt(store.list('configmaps')));
      }
      for (const [version, names] of seen) {
        assert.deepEqual(namesAt(store.listAt('configmaps', version)), names);
      }
    }),
  );
});

test('whoever listens from a version on has what a list shows', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), fc.nat(30), (changes, cut) => {
      const store = createObjectStore();
      const write = ({ name, plural, isRemoval, value }: (typeof changes)[number]): void => {
        if (isRemoval) store.remove(plural, { namespace: 'test', name });
        else store.put(plural, object(name, value));
      };
      changes.slice(0, cut).forEach(write);
      const copy = new Map(store.list('configmaps').map((it) => [it.metadata.name, it]));
      const from = store.version();
      changes.slice(cut).forEach(write);
      for (const event of store.since(from) ?? assert.fail('forgotten')) {
        if (event.groupResource !== 'configmaps') continue;
        if (event.isDeletion) copy.delete(event.object.metadata.name);
        else copy.set(event.object.metadata.name, event.object);
      }
      const names = [...copy].sort(([a], [b]) => a.localeCompare(b)).map(([, it]) => it);
      assert.deepEqual(names, store.list('configmaps'));
    }),
  );
});
