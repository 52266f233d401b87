/**
 * Canaries on one control plane: idle for a while, then all of them rolling out at once.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { NamespacedName } from '../../src/api/kubernetes.ts';
import type { Site } from '../e2e/site.ts';
import { startSite } from '../e2e/site.ts';
import { administrator } from './api.ts';
import type { AuditReader, CallCounts } from './calls.ts';
import { callsBetween, countedCalls, quiet, readAudit } from './calls.ts';
import type { Fleet } from './fleet.ts';
import { launchFleet } from './fleet.ts';
import type { CanaryLedger, Sighting } from './ledger.ts';
import { keepLedger } from './ledger.ts';
import type { Load, Memory, Processes } from './load.ts';
import { measureLoad, memoryOf } from './load.ts';

const idleMs = 20_000;

export interface Stretch {
  readonly counted: CallCounts;
  readonly audited: CallCounts;
  /** By verb and resource. */
  readonly objects: CallCounts;
  readonly load: Load;
  readonly memory: Memory;
}

export interface RolloutTimes {
  /** From the answer to the change, in milliseconds, one of each canary. */
  readonly toProgressing: readonly number[];
  readonly toSucceeded: readonly number[];
  /** From one weight to the next, two of each canary. */
  readonly betweenSteps: readonly number[];
  /** From each stage to the next, by the stage's name, in order. */
  readonly stages: Readonly<Record<string, readonly number[]>>;
  /** From the first change to the last. */
  readonly changingMs: number;
  /** Longest time for which the bench itself was not looking. */
  readonly benchBlindMs: number;
}

export interface FleetReport {
  readonly canaries: number;
  readonly idle: Stretch;
  readonly rollouts: Stretch & RolloutTimes;
}

export interface FleetOptions {
  readonly canaries: number;
  /** Flags of the controller, beside those that it needs. */
  readonly flags: readonly string[];
  readonly say: (line: string) => void;
}

export async function measureFleet({ canaries, flags, say }: FleetOptions): Promise<FleetReport> {
  const site = await startSite({ nodes: 4, flags });
  const watching = new AbortController();
  const kube = administrator(site.cluster);
  try {
    const { signal } = watching;
    const ledger = await keepLedger(kube, signal);
    say(`${canaries} canaries are created`);
    const fleet = await launchFleet(kube, canaries, ledger, signal);
    const { url } = site.aviary();
    await quiet(url);
    say(`idle for ${idleMs / 1000} s`);
    const audit = await readAudit(site.cluster.auditLogPath ?? '');
    const idle = await stretch(site, audit, () => pause(idleMs));
    say('all roll out');
    const times = { value: undefined as RolloutTimes | undefined };
    const rollouts = await stretch(site, audit, async () => {
      times.value = await rollOut(fleet, ledger);
      await fleet.scaledDown();
      await quiet(url);
    });
    if (times.value === undefined) throw new Error('no rollout was measured');
    return { canaries, idle, rollouts: { ...rollouts, ...times.value } };
  } catch (cause) {
    const log = site.aviary().log.slice(-20).join('\n');
    throw new Error(`${canaries} canaries were not measured. Aviary's last lines:\n${log}`, {
      cause,
    });
  } finally {
    watching.abort(new Error('the bench is over'));
    kube.close();
    await site.stop();
  }
}

const processesOf = (site: Site): Processes => ({
  aviary: site.aviary().pid,
  ...site.cluster.pids,
  bench: process.pid,
});

async function stretch(site: Site, audit: AuditReader, run: () => Promise<void>): Promise<Stretch> {
  const { url, pid } = site.aviary();
  await audit.next();
  const before = await countedCalls(url);
  const end = await measureLoad(processesOf(site));
  await run();
  const load = await end();
  const counted = callsBetween(before, await countedCalls(url));
  const { verbs: audited, objects } = await audit.next();
  return { counted, audited, objects, load, memory: await memoryOf(pid) };
}

async function rollOut(fleet: Fleet, ledger: CanaryLedger): Promise<RolloutTimes> {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const startedMs = performance.now();
  const changes: (readonly [NamespacedName, number])[] = [];
  await fleet.change('6.0.1', (name, atMs) => changes.push([name, atMs]));
  const changingMs = performance.now() - startedMs;
  await ledger.all('Succeeded', fleet.names, { sinceMs: startedMs, timeoutMs: 900_000 });
  delay.disable();

  const stories = changes.map<Story>(([name, changedMs]) => {
    const seen = ledger.of(name).filter(({ atMs }) => atMs >= startedMs);
    return { changedMs, seen };
  });
  const since = (phase: string): readonly number[] =>
    stories.map(({ changedMs, seen }) => at(seen, phase) - changedMs);
  return {
    toProgressing: since('Progressing'),
    toSucceeded: since('Succeeded'),
    betweenSteps: stories.flatMap(({ seen }) => [
      at(seen, 'Progressing', 20) - at(seen, 'Progressing', 10),
      at(seen, 'Progressing', 30) - at(seen, 'Progressing', 20),
    ]),
    stages: Object.fromEntries(stages.map((stage) => [stage.name, stage.of(stories)])),
    changingMs,
    benchBlindMs: delay.max / 1e6,
  };
}

interface Story {
  readonly changedMs: number;
  readonly seen: readonly Sighting[];
}

const marks = [
  ['Progressing'],
  ['Progressing', 10],
  ['Progressing', 20],
  ['Progressing', 30],
  ['Promoting'],
  ['Finalising'],
  ['Succeeded'],
] as const;

const stages = marks.map(([phase, weight], index) => ({
  name: weight === undefined ? phase : String(weight),
  of: (stories: readonly Story[]): readonly number[] =>
    stories.map(({ changedMs, seen }) => {
      const [before, weightBefore] = marks[index - 1] ?? [];
      const sinceMs = before === undefined ? changedMs : at(seen, before, weightBefore);
      return at(seen, phase, weight) - sinceMs;
    }),
}));

/** When it was first seen so; throws where it never was. */
function at(seen: readonly Sighting[], phase: string, weight?: number): number {
  const found = seen.find(
    (sighting) => sighting.phase === phase && (weight === undefined || sighting.weight === weight),
  );
  if (found === undefined) throw new Error(`${phase} ${weight ?? ''} was not seen`);
  return found.atMs;
}
