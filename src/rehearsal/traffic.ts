/**
 * The traffic of a rehearsal: which share of the requests each side got, when, and what became of
 * them. What metrics see of it is what a scraping server would see: whole requests, counted at each
 * scrape, of which a window must hold two (Prometheus, `rate`).
 */
import { chance, successesOf } from './random-slots.ts';
import type { RevisionBehaviour, Scenario } from './scenario.ts';
import { stableRevision } from './scenario.ts';
import { integrate, turnsOf, valueAt } from './series.ts';

export interface Side {
  /** Name of the revision whose code answers. */
  readonly revision: string;
  /** When that revision was deployed. */
  readonly deployedAtMs: number;
  /** Whether there is a pod to answer: without one every request fails. */
  readonly hasPods: boolean;
}

/** Where requests go, from one change of it to the next. */
export interface Flow {
  readonly sinceMs: number;
  /** Of all requests, from 0 to 1; with the canary's share, 1. */
  readonly primaryShare: number;
  readonly canaryShare: number;
  /** Of all requests, the part that is copied to the canary, which no user notices. */
  readonly mirroredShare: number;
  /** Whether a load test is sent to the canary. */
  readonly isTested: boolean;
  readonly primary: Side;
  readonly canary: Side;
}

/** What was measured of one workload in a window. */
export interface Measured {
  /** Undefined where there is nothing to measure: fewer than two samples, or no request. */
  readonly requests: number;
  readonly successRate: number | undefined;
  readonly latencyMs: number | undefined;
}

export interface Requests {
  readonly all: number;
  /** Answered, or not, by a revision other than the stable one. */
  readonly byNew: number;
  readonly failed: number;
  readonly failedByNew: number;
  /** Failures of the same requests had each revision got all of them when it was deployed. */
  readonly failedAllAtOnce: number;
}

export interface Traffic {
  /** From now on; of the same moment the last word counts. */
  flows(flow: Flow): void;
  current(): Flow;
  /** What the metrics server knows of the canary's workload at that time. */
  measureCanary(windowMs: number, nowMs: number): Measured;
  count(fromMs: number, toMs: number): Requests;
}

export interface TrafficOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly first: Flow;
}

export function createTraffic({ scenario, seed, first }: TrafficOptions): Traffic {
  const flows: Flow[] = [first];
  const slots = createSlots(scenario, seed, flows);
  return {
    flows: (flow) => {
      if (flows.at(-1)?.sinceMs === flow.sinceMs) flows.pop();
      flows.push(flow);
    },
    current: () => flows.at(-1) ?? first,
    measureCanary: (windowMs, nowMs) => slots.measure(windowMs, nowMs),
    count: (fromMs, toMs) => countRequests(scenario, flows, fromMs, toMs),
  };
}

/** From one scrape to the next. */
interface Slot {
  readonly requests: number;
  readonly failed: number;
  readonly latencyMs: number;
}

function createSlots(scenario: Scenario, seed: number, flows: readonly Flow[]) {
  const { scrapeIntervalMs } = scenario;
  const known = new Map<number, Slot>();
  const slot = (index: number): Slot => {
    const counted = known.get(index) ?? countSlot(scenario, flows, seed, index);
    known.set(index, counted);
    return counted;
  };
  return {
    measure: (windowMs: number, nowMs: number): Measured => {
      const first = Math.ceil((nowMs - windowMs) / scrapeIntervalMs);
      const last = Math.floor(nowMs / scrapeIntervalMs);
      let [requests, failed, latency] = [0, 0, 0];
      for (let index = first; index < last; index += 1) {
        const counted = slot(index);
        requests += counted.requests;
        failed += counted.failed;
        latency += counted.latencyMs * counted.requests;
      }
      if (requests === 0) return { requests, successRate: undefined, latencyMs: undefined };
      const successRate = (100 * (requests - failed)) / requests;
      return { requests, successRate, latencyMs: latency / requests };
    },
  };
}

function countSlot(scenario: Scenario, flows: readonly Flow[], seed: number, index: number): Slot {
  const fromMs = index * scenario.scrapeIntervalMs;
  const toMs = fromMs + scenario.scrapeIntervalMs;
  let [expected, failing, latency] = [0, 0, 0];
  for (const { flow, startMs, endMs } of between(flows, fromMs, toMs)) {
    const behaviour = behaviourOf(scenario, flow.canary.revision);
    const turns = turnsIn(scenario, flow.canary);
    const share = flow.canaryShare + flow.mirroredShare;
    const tests = flow.isTested ? scenario.testRequestsPerSecond : 0;
    const rate = (ms: number): number => valueAt(scenario.requestsPerSecond, ms) * share + tests;
    const total = integrate(rate, turns, startMs, endMs);
    expected += total;
    const failed = (ms: number): number => rate(ms) * failureRatio(scenario, flow.canary, ms);
    failing += integrate(failed, turns, startMs, endMs);
    const middleMs = (startMs + endMs) / 2 - flow.canary.deployedAtMs;
    latency += total * valueAt(behaviour.latencyMs, middleMs);
  }
  if (expected === 0) return { requests: 0, failed: 0, latencyMs: 0 };
  const requests = Math.floor(expected + chance(seed, index, 0));
  const draw = (each: number): number => chance(seed, index, 1 + each);
  const failed = successesOf(requests, failing / expected, draw);
  return { requests, failed, latencyMs: latency / expected };
}

/** The flows of a time, cut to it. */
function* between(flows: readonly Flow[], fromMs: number, toMs: number) {
  for (const [index, flow] of flows.entries()) {
    // The first flow has always been.
    const startMs = Math.max(fromMs, index === 0 ? fromMs : flow.sinceMs);
    const endMs = Math.min(toMs, flows[index + 1]?.sinceMs ?? toMs);
    if (endMs > startMs) yield { flow, startMs, endMs };
  }
}

/** From 0 to 1. */
function failureRatio(scenario: Scenario, side: Side, ms: number): number {
  if (!side.hasPods) return 1;
  const { errorRate } = behaviourOf(scenario, side.revision);
  return valueAt(errorRate, ms - side.deployedAtMs) / 100;
}

function behaviourOf({ revisions }: Scenario, revision: string): RevisionBehaviour {
  const found = revisions.get(revision);
  if (found === undefined) throw new Error(`the scenario has no revision ${revision}`);
  return found;
}

function turnsIn(scenario: Scenario, { revision, deployedAtMs }: Side): readonly number[] {
  const { errorRate, latencyMs } = behaviourOf(scenario, revision);
  const own = [...turnsOf(errorRate), ...turnsOf(latencyMs)].map((turn) => turn + deployedAtMs);
  return [...turnsOf(scenario.requestsPerSecond), ...own];
}

function countRequests(
  scenario: Scenario,
  flows: readonly Flow[],
  fromMs: number,
  toMs: number,
): Requests {
  const sum = { all: 0, byNew: 0, failed: 0, failedByNew: 0, failedAllAtOnce: 0 };
  for (const { flow, startMs, endMs } of between(flows, fromMs, toMs)) {
    const turns = [...turnsIn(scenario, flow.primary), ...turnsIn(scenario, flow.canary)];
    const total = (of: (ms: number) => number): number =>
      integrate((ms) => valueAt(scenario.requestsPerSecond, ms) * of(ms), turns, startMs, endMs);
    sum.all += total(() => 1);
    const sides = [
      { side: flow.primary, share: flow.primaryShare },
      { side: flow.canary, share: flow.canaryShare },
    ];
    for (const { side, share } of sides) {
      if (share === 0) continue;
      const failed = total((ms) => share * failureRatio(scenario, side, ms));
      sum.failed += failed;
      if (side.revision === stableRevision) continue;
      sum.byNew += total(() => share);
      sum.failedByNew += failed;
    }
    // Pods that were never ready would never have replaced the old ones.
    const hasPods = flow.canary.hasPods || flow.canaryShare === 0;
    const newest = { ...flow.canary, hasPods };
    sum.failedAllAtOnce += total((ms) => failureRatio(scenario, newest, ms));
  }
  return sum;
}
