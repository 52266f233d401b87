/**
 * Stories of defects, told again with nothing in them but what they need. A seed's story changes
 * with every call that the controller makes more or less; these do not.
 */
import type { Story, TimedAct } from './story.ts';
import { metrics } from './story.ts';

const interval = '10s';

const plain: Omit<Story, 'acts'> = {
  seed: 1,
  spec: {
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    service: { port: 80, targetPort: 8080 },
    progressDeadlineSeconds: 60,
    analysis: { interval, threshold: 2, stepWeight: 25, maxWeight: 50, metrics },
  },
  replicas: 3,
  processes: 1,
  rates: {},
  gatesOpenAtMs: 0,
  calmAtMs: 400_000,
};

const story = (acts: readonly TimedAct[], over: Partial<Story> = {}): Story => ({
  ...plain,
  ...over,
  acts,
});

/** By what happened. */
export const retold: Readonly<Record<string, Story>> = {
  'a revision that never gets ready is mended seconds before its deadline (seeds 10010, 11815)':
    story([
      { atMs: 30_000, act: { kind: 'SetImage', quality: 'unready' } },
      { atMs: 88_000, act: { kind: 'SetImage', quality: 'good' } },
    ]),
  'a wall clock jumps ahead in the middle of a rollout (seed 34)': story([
    { atMs: 30_000, act: { kind: 'SetImage', quality: 'good' } },
    { atMs: 30_500, act: { kind: 'JumpClock', process: 0, byMs: 7_000_000 } },
  ]),
  'a wall clock jumps back while pods are missing (seed 131)': story([
    { atMs: 30_000, act: { kind: 'SetImage', quality: 'unready' } },
    { atMs: 40_000, act: { kind: 'JumpClock', process: 0, byMs: -7_000_000 } },
  ]),
  'pods of a failed canary go, and nobody hears that it has failed (seed 12426)': story(
    [{ atMs: 30_000, act: { kind: 'SetImage', quality: 'bad' } }],
    {
      seed: 2,
      replicas: 1,
      calmAtMs: 90_000,
      rates: { lostAnswer: 0.25, lateWatch: 0.6 },
      spec: { ...plain.spec, analysis: { interval, threshold: 1, iterations: 4, metrics } },
    },
  ),
};
