/**
 * `make bench-embedded`: what the embedded cluster costs, in one run: writes, rollouts in virtual
 * time, a rehearsal of an hour, stories of the simulator. Each figure is the median of several runs.
 */
import process from 'node:process';
import { createCluster } from '../../src/cluster/cluster.ts';
import { createRandom } from '../../src/cluster/random.ts';
import { createVirtualClock } from '../../src/cluster/virtual-clock.ts';
import { deployments } from '../../src/kube/resources.ts';
import { quietLog } from '../../src/kube/quiet-log.ts';
import { runStory } from '../simulation/run.ts';
import { storyOf } from '../simulation/story.ts';

interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
}

const rounds = 5;
const writes = 2_000;
const stories = 20;

async function medianMs(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const beganMs = performance.now();
    await run();
    times.push(performance.now() - beganMs);
  }
  return times.toSorted((one, other) => one - other)[Math.floor(rounds / 2)] ?? 0;
}

async function writeCost(isLean: boolean): Promise<number> {
  const clock = createVirtualClock();
  const cluster = createCluster({ clock, random: createRandom(1), log: quietLog, isLean });
  const { api } = cluster;
  const metadata = { name: 'web', namespace: 'default' };
  const labels = { app: 'web' };
  let live = await api.create(deployments, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'app', image: 'web:1' }] },
      },
    },
  });
  let replicas = 0;
  const ms = await medianMs(async () => {
    for (let count = 0; count < writes; count += 1) {
      replicas += 1;
      live = await api.update(deployments, { ...live, spec: { ...live.spec, replicas } });
    }
  });
  cluster.stop();
  return (ms * 1000) / writes;
}

async function storyCost(): Promise<{ readonly storyMs: number; readonly rolloutMs: number }> {
  let seed = 1;
  let rollouts = 0;
  const ms = await medianMs(async () => {
    for (let count = 0; count < stories; count += 1) {
      rollouts += (await runStory(storyOf(seed))).rollouts;
      seed += 1;
    }
  });
  return { storyMs: ms / stories, rolloutMs: (ms * rounds) / Math.max(1, rollouts) };
}

const { storyMs, rolloutMs } = await storyCost();
const figures: readonly Figure[] = [
  { what: 'a write of a Deployment, lean', value: await writeCost(true), unit: 'µs' },
  { what: 'the same, with owners of its fields', value: await writeCost(false), unit: 'µs' },
  { what: 'a story of the simulator, laws checked at each write', value: storyMs, unit: 'ms' },
  { what: 'a rollout in such stories', value: rolloutMs, unit: 'ms' },
];
for (const { what, value, unit } of figures) {
  process.stdout.write(`${what.padEnd(56)} ${value.toFixed(1).padStart(8)} ${unit}\n`);
}
