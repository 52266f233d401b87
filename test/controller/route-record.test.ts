/** What gateways report, look by look, and since when it counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Confirmation } from '../../src/canary/observation.ts';
import { confirmationOf, createRouteRecord } from '../../src/controller/route-record.ts';
import type { Confirmation as Reported } from '../../src/routing/provider.ts';

const confirmed: Reported = { state: 'confirmed' };
const pending: Reported = { state: 'pending', why: 'waits' };
const refused = { state: 'refused', message: 'no' } as const;
const silent: Reported = { state: 'unreported', route: 'HTTPRoute web' };
const waiting = (untilMs: number): Confirmation => ({
  state: 'pending',
  why: 'HTTPRoute web waits for a gateway that reports',
  sinceMs: untilMs - 10_000,
  untilMs,
});

const stories: Record<string, readonly (readonly [number, Reported, Confirmation])[]> = {
  'confirmed when the process came, and ever after': [
    [0, confirmed, confirmed],
    [500, confirmed, confirmed],
  ],
  'taken in after a while': [
    [0, confirmed, confirmed],
    [100, pending, { state: 'pending', why: 'waits', sinceMs: 100 }],
    [200, pending, { state: 'pending', why: 'waits', sinceMs: 100 }],
    [300, confirmed, { state: 'confirmed', sinceMs: 300 }],
    [400, confirmed, { state: 'confirmed', sinceMs: 300 }],
  ],
  'refused, then mended': [
    [0, refused, refused],
    [100, confirmed, { state: 'confirmed', sinceMs: 100 }],
  ],
  'a gateway that comes late': [
    [0, silent, waiting(10_000)],
    [4000, silent, waiting(10_000)],
    [5000, confirmed, { state: 'confirmed', sinceMs: 5000 }],
  ],
  'a gateway that never comes': [
    [0, silent, waiting(10_000)],
    [10_000, silent, { state: 'confirmed', sinceMs: 10_000, unreported: 'HTTPRoute web' }],
    [70_000, silent, { state: 'confirmed', sinceMs: 10_000, unreported: 'HTTPRoute web' }],
  ],
};

for (const [name, looks] of Object.entries(stories)) {
  test(name, () => {
    const record = createRouteRecord();
    for (const [atMs, reported, expected] of looks) {
      assert.deepEqual(confirmationOf(reported, record, atMs), expected, `at ${atMs} ms`);
    }
  });
}
