import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from './load.ts';
import { sharesOf } from './shares.ts';

/** One request every 10 ms, `canary` in a hundred of them answered by the canary. */
const requests = (fromMs: number, untilMs: number, canary: number): readonly Answer[] =>
  Array.from({ length: (untilMs - fromMs) / 10 }, (_, index) => ({
    atMs: fromMs + index * 10,
    tookMs: 1,
    user: index,
    status: 200,
    revision: '',
    pod: index % 100 < canary ? 'canary' : 'primary',
    said: '',
  }));

const isCanary = ({ pod }: Answer): boolean => pod === 'canary';
const weights = [
  { atMs: 0, weight: 0 },
  { atMs: 10_000, weight: 20 },
];

test('each weight has the share that users saw of it, and how far off that is', () => {
  const answers = [...requests(0, 10_000, 0), ...requests(10_000, 21_100, 24)];
  const shares = sharesOf(answers, weights, isCanary, 21_100);
  assert.deepEqual(
    shares.map(({ weight, requests: count, share, sigmas }) => [
      weight,
      count,
      share,
      sigmas.toFixed(2),
    ]),
    // 4 points off, of which the standard deviation with 1000 requests is 1.26.
    [
      [0, 890, 0, '0.00'],
      [20, 1000, 24, '3.16'],
    ],
  );
});

test('one request to a canary without weight is beyond every bound', () => {
  const [share] = sharesOf(requests(0, 5000, 1), [{ atMs: 0, weight: 0 }], isCanary, 5000);
  assert.equal(share?.sigmas, Infinity);
});

test('what a gateway does while it takes a weight in is not held against it', () => {
  const answers = [...requests(10_000, 11_000, 100), ...requests(11_000, 16_100, 20)];
  const [share] = sharesOf(answers, weights.slice(1), isCanary, 16_100);
  assert.equal(share?.share, 20);
});

test('a weight that was there too shortly to be measured is left out', () => {
  const seen = [...weights, { atMs: 10_500, weight: 40 }];
  const shares = sharesOf(requests(0, 15_000, 0), seen, isCanary, 15_000);
  assert.deepEqual(
    shares.map(({ weight }) => weight),
    [0, 40],
  );
});
