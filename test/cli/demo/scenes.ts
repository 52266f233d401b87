/** Moments of a demo. */
import type { Rollout, Scene, Side } from '../../../src/cli/demo/scene.ts';

export const sideOf = (name: Side['name'], side: Partial<Side> = {}): Side => ({
  name,
  tag: '1.0.0',
  ready: 2,
  wanted: 2,
  weight: name === 'primary' ? 100 : 0,
  perSecond: 200,
  successRate: 100,
  latencyMs: 98.4,
  ...side,
});

const idle = { ready: 0, wanted: 0, perSecond: 0, successRate: undefined, latencyMs: undefined };

export const rolloutOf = (rollout: Partial<Rollout> = {}): Rollout => ({
  name: 'sample.demo',
  phase: 'Initialized',
  steps: [10, 20, 30, 40, 50],
  weight: 0,
  failedChecks: 0,
  threshold: 2,
  ...rollout,
});

const checksOf = (successRate?: number, latencyMs?: number): Scene['checks'] => [
  { name: 'request-success-rate', value: successRate, unit: '%', min: 99, max: undefined },
  { name: 'request-duration', value: latencyMs, unit: 'ms', min: undefined, max: 500 },
];

export const starting: Scene = {
  elapsedMs: 900,
  speed: 5,
  rollout: undefined,
  sides: [],
  checks: [],
  requests: { answered: 0, failed: 0 },
  feed: [],
  narration: 'Starting a cluster in this process.',
  commands: [],
  isYours: false,
};

export const commands: readonly string[] = [
  'export KUBECONFIG=/tmp/aviary-demo-k3uXYz/kubeconfig',
  'kubectl set image deployment/sample app=aviary/sample:3.0.0',
  'kubectl describe canary sample; kubectl get canaries --watch',
];

export const advancing: Scene = {
  elapsedMs: 13_200,
  speed: 5,
  rollout: rolloutOf({ phase: 'Progressing', weight: 30 }),
  sides: [
    sideOf('primary', { weight: 70, perSecond: 141 }),
    sideOf('canary', { tag: '2.0.0', weight: 30, perSecond: 59, latencyMs: 95.2 }),
  ],
  checks: checksOf(100, 95.23),
  requests: { answered: 12_345, failed: 0 },
  feed: [
    { atMs: 3_100, kind: 'Note', text: 'Aviary runs: its controller, and its admission webhook' },
    { atMs: 5_000, kind: 'Event', text: 'Initialization done! sample.demo' },
    {
      atMs: 7_000,
      kind: 'Command',
      text: 'kubectl set image deployment/sample app=aviary/sample:2.0.0',
    },
    {
      atMs: 7_020,
      kind: 'Answer',
      text: 'Warning: sample: this starts a canary analysis (weights 10, 20, 30, 40, 50 every 10s, at least 1m to promotion)',
    },
    { atMs: 7_200, kind: 'Event', text: 'New revision detected! Scaling up sample.demo' },
    { atMs: 9_200, kind: 'Event', text: 'Advance sample.demo canary weight 20' },
    { atMs: 11_200, kind: 'Event', text: 'Advance sample.demo canary weight 30' },
  ],
  narration:
    'A good release: traffic moves to it step by step, each step is judged by its metrics, then it is promoted.',
  commands,
  isYours: false,
};

export const halted: Scene = {
  ...advancing,
  elapsedMs: 65_000,
  rollout: rolloutOf({ phase: 'Progressing', weight: 10, failedChecks: 1 }),
  sides: [
    sideOf('primary', { tag: '2.0.0', weight: 90, perSecond: 180 }),
    sideOf('canary', { tag: '3.0.0-bad', weight: 10, perSecond: 20, successRate: 69.17 }),
  ],
  checks: checksOf(69.17, 98.4),
  requests: { answered: 1_234_567, failed: 61 },
  feed: [
    {
      atMs: 64_000,
      kind: 'Warning',
      text: 'Halt sample.demo advancement success rate 69.17% < 99%',
    },
  ],
};

export const rolledBack: Scene = {
  ...halted,
  rollout: rolloutOf({ phase: 'Failed' }),
  sides: [sideOf('primary', { tag: '2.0.0' }), sideOf('canary', { tag: '3.0.0-bad', ...idle })],
  checks: checksOf(),
  narration: 'Your turn: change something, and watch what becomes of it.',
  isYours: true,
};
