/** Tables and ages, as `kubectl get` shows them. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { humanDuration } from '../../src/cluster/builtin/duration.ts';
import { builtInTypes } from '../../src/cluster/builtin/types.ts';
import type { ResourceType, StoredObject } from '../../src/cluster/resource-type.ts';
import { ageOf, toTable } from '../../src/cluster/table.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

/** What `HumanDuration` of k8s.io/apimachinery says, by its own tests and by its rules. */
const durations: Record<string, number> = {
  '0s': 0,
  '<invalid>': -2 * second,
  '1s': second,
  '70s': 70 * second,
  '119s': 119 * second,
  '2m': 2 * minute,
  '3m10s': 190 * second,
  '9m59s': 10 * minute - second,
  '10m': 10 * minute,
  '179m': 3 * hour - second,
  '3h': 3 * hour,
  '3h1m': 3 * hour + minute,
  '7h59m': 8 * hour - second,
  '47h': 2 * day - second,
  '2d': 2 * day,
  '2d1h': 2 * day + hour,
  '7d23h': 8 * day - second,
  '729d': 2 * year - second,
  '2y': 2 * year,
  '2y1d': 2 * year + day,
  '7y364d': 8 * year - second,
  '8y': 8 * year + day,
};

const nowMs = Date.parse('2026-11-23T12:00:00Z');
const pods = builtInTypes().find(({ plural }) => plural === 'pods') as ResourceType;
const events = builtInTypes().find(({ plural }) => plural === 'events') as ResourceType;

const pod: StoredObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', resourceVersion: '7', creationTimestamp: '2026-11-23T11:58:30Z' },
  spec: { containers: [{ name: 'c' }] },
  status: { phase: 'Pending' },
};

interface Table {
  readonly metadata: object;
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[];
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly object: unknown }[];
}

const tableOf = (type: ResourceType, objects: readonly StoredObject[], include = 'None'): Table =>
  toTable(type, objects, nowMs, include) as unknown as Table;

suite('durations', () => {
  for (const [text, ms] of Object.entries(durations)) {
    test(`${ms} ms is ${text}`, () => assert.equal(humanDuration(ms), text));
  }

  test('no duration is shown longer than it is, nor in more than two units', () => {
    fc.assert(
      fc.property(fc.nat({ max: 20 * year }), (ms) => {
        const units = { s: second, m: minute, h: hour, d: day, y: year };
        const parts = [...humanDuration(ms).matchAll(/(\d+)([smhdy])/g)];
        const shown = parts.reduce(
          (sum, [, count, unit]) => sum + Number(count) * units[unit as keyof typeof units],
          0,
        );
        assert.ok(parts.length <= 2 && shown <= ms && shown > ms * 0.88 - second);
      }),
    );
  });

  test('what has no time has no age', () => {
    assert.equal(ageOf(undefined, nowMs), '<unknown>');
    assert.equal(ageOf(null, nowMs), '<unknown>');
    assert.equal(ageOf('2026-11-23T11:59:59Z', nowMs), '1s');
  });
});

suite('tables', () => {
  test('begin with the name, and show an age', () => {
    const { columnDefinitions, rows } = tableOf(pods, [pod]);
    assert.deepEqual(
      columnDefinitions.filter(({ priority }) => priority === 0).map(({ name }) => name),
      ['Name', 'Ready', 'Status', 'Restarts', 'Age'],
    );
    assert.deepEqual(rows[0]?.cells.slice(0, 5), ['a', '0/1', 'Pending', '0', '90s']);
  });

  test('of events begin with when they were seen, and have their name at the end', () => {
    const { columnDefinitions } = tableOf(events, []);
    const names = columnDefinitions.map(({ name }) => name);
    assert.deepEqual([names[0], names.at(-1)], ['Last Seen', 'Name']);
    assert.equal(names.filter((it) => it === 'Name').length, 1);
  });

  test('carry as much of each object as was asked for', () => {
    const shown = (include: string): unknown => tableOf(pods, [pod], include).rows[0]?.object;
    assert.equal(shown('None'), null);
    assert.equal(shown('Object'), pod);
    assert.deepEqual(shown('Metadata'), {
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: pod.metadata,
    });
  });

  test('of one object have its version', () => {
    assert.deepEqual(tableOf(pods, [pod]).metadata, { resourceVersion: '7' });
    assert.deepEqual(tableOf(pods, []).metadata, {});
  });

  test('show dates of custom resources as ages, and nothing as nothing', () => {
    const custom: ResourceType = {
      ...pods,
      isCustom: true,
      columns: [
        { name: 'Since', type: 'date', priority: 0, cell: () => '2026-11-23T11:00:00Z' },
        { name: 'Phase', type: 'string', priority: 0, cell: () => undefined },
      ],
    };
    assert.deepEqual(tableOf(custom, [pod]).rows[0]?.cells, ['a', '60m', null]);
  });
});
