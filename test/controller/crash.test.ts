/**
 * A process that dies after any of its writes is followed by one that ends where it would have
 * ended: invariants 1 to 3, 5 and 6 of the design, after every write of a whole life.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canaries, deployments, virtualServices } from '../../src/kube/resources.ts';
import type { Process } from './process.ts';
import { startProcess } from './process.ts';
import type { Site } from './site.ts';
import {
  advanceUntil,
  apply,
  createSite,
  eventsOf,
  guard,
  imageOf,
  phaseOf,
  reached,
  setImage,
  weightStory,
  weightsOf,
} from './site.ts';

/** Until another replica has the lease. */
const takeoverMs = 1_700;

interface Life {
  /** Writes of the first process. */
  readonly writes: number;
  readonly events: readonly string[];
  readonly weights: readonly number[];
  /** Steps in the journal. */
  readonly steps: readonly string[];
  readonly end: unknown;
}

interface Scenario {
  /** What users do, and for what they wait. */
  readonly run: (site: Site) => Promise<void>;
  readonly verdict?: (site: Site) => boolean;
}

const scenarios: Record<string, Scenario> = {
  'from nothing to a promoted revision': {
    run: async (site) => {
      apply(site, 'podinfo');
      await reached(site, 'podinfo', 'Initialized');
      setImage(site, 'podinfo', 'podinfo:2');
      await ended(site, 'Succeeded');
    },
  },
  'a revision that is bad from weight 20 on': {
    run: async (site) => {
      apply(site, 'podinfo');
      await reached(site, 'podinfo', 'Initialized');
      setImage(site, 'podinfo', 'podinfo:2');
      await ended(site, 'Failed');
    },
    verdict: (site) => (weightsOf(routeOf(site))?.[1] ?? 0) < 20,
  },
  'a revision that a newer one replaces': {
    run: async (site) => {
      apply(site, 'podinfo');
      await reached(site, 'podinfo', 'Initialized');
      setImage(site, 'podinfo', 'podinfo:2');
      await advanceUntil(site, 'weight 20', () => weightsOf(routeOf(site))?.[1] === 20);
      setImage(site, 'podinfo', 'podinfo:3');
      await ended(site, 'Succeeded', 'podinfo:3');
    },
  },
};

const routeOf = ({ cluster }: Site) => cluster.read(virtualServices, 'podinfo');

/** The phase, and that no pod of the canary is left. */
const ended = (site: Site, phase: string, image?: string): Promise<void> =>
  advanceUntil(site, phase, () => {
    const isDone = phaseOf(site, 'podinfo') === phase;
    const isPromoted = image === undefined || imageOf(site, 'podinfo-primary') === image;
    const { replicas } = site.cluster.read(deployments, 'podinfo')?.spec ?? {};
    return isDone && isPromoted && replicas === 0;
  });

async function live({ run, verdict }: Scenario, killAfter = Infinity): Promise<Life> {
  const site = createSite();
  const laws = guard(site);
  const { cluster, clock } = site;
  const judge = () => {
    const passed = verdict?.(site) ?? true;
    const message = 'Halt podinfo.test advancement success rate 69.17% < 99%';
    return { passed, events: passed ? [] : [{ type: 'Warning', message } as const] };
  };
  let second: Process | undefined;
  const after = (): void => {
    if (cluster.writes.filter(({ by }) => by === 'first').length !== killAfter) return;
    first.kill();
    clock.after(takeoverMs, () => {
      second = startProcess(cluster, clock, { name: 'second', verdict: judge });
    });
  };
  const first = startProcess(cluster, clock, { name: 'first', faults: { after }, verdict: judge });
  await run(site);
  await clock.advance(60_000);
  await first.stop();
  await second?.stop();
  laws.check();
  return {
    writes: cluster.writes.filter(({ by }) => by === 'first').length,
    events: eventsOf(site, 'podinfo'),
    weights: weightStory(site, 'podinfo'),
    steps: stepsOf(site),
    end: endOf(site),
  };
}

const stepsOf = ({ cluster }: Site): readonly string[] =>
  (cluster.read(canaries, 'podinfo')?.status?.journal ?? []).flatMap(({ revision, steps = [] }) =>
    steps.map(({ event, weight }) => `${revision} ${event} ${weight}`),
  );

/** What must be the same at the end, whoever came there. */
function endOf(site: Site) {
  const { cluster } = site;
  const {
    lastTransitionTime: _,
    conditions,
    promoted,
    ...status
  } = cluster.read(canaries, 'podinfo')?.status ?? ({} as never);
  const { trackedTarget: __, journal = [], ...settled } = status;
  return {
    status: settled,
    journal: journal.map(({ revision, outcome }) => [revision, outcome]),
    promoted: promoted?.map(({ revision }) => revision),
    conditions: conditions?.map(({ type, status: is, reason }) => ({ type, is, reason })),
    weights: weightsOf(routeOf(site)),
    // One that was made to roll twice has a higher one.
    primaryGeneration: cluster.read(deployments, 'podinfo-primary')?.metadata.generation,
    images: [imageOf(site, 'podinfo'), imageOf(site, 'podinfo-primary')],
    replicas: ['podinfo', 'podinfo-primary'].map(
      (name) => cluster.read(deployments, name)?.spec.replicas,
    ),
  };
}

/** Those of the wanted texts that are missing, each as often as it is. */
function missing(wanted: readonly string[], found: readonly string[]): readonly string[] {
  const left = [...found];
  return wanted.filter((text) => {
    const at = left.indexOf(text);
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
}

/** What is said of one step goes with it: a verdict, and what follows from it. */
const sayingsOfOneStep = 3;

for (const [name, scenario] of Object.entries(scenarios)) {
  describe(name, () => {
    test('ends as it does undisturbed, wherever the process dies', async () => {
      const whole = await live(scenario);
      for (let writes = 1; writes <= whole.writes; writes += 1) {
        const cut = await live(scenario, writes);
        const where = `killed after write ${writes} of ${whole.writes}`;
        assert.deepEqual(cut.end, whole.end, where);
        assert.deepEqual(cut.weights, whole.weights, where);
        // A route that was written, and that a newer revision took back before anybody saw it.
        assert.ok(missing(whole.steps, cut.steps).length <= 1, `${where}: ${cut.steps.join('; ')}`);
        assert.deepEqual(missing(cut.steps, whole.steps), [], where);
        const lost = missing(whole.events, cut.events);
        assert.ok(lost.length <= sayingsOfOneStep, `${where}: lost ${lost.join('; ')}`);
        const at = lost.map((text) => whole.events.indexOf(text));
        assert.ok((at.at(-1) ?? 0) - (at[0] ?? 0) < sayingsOfOneStep, `${where}: ${lost.join()}`);
      }
    });
  });
}
