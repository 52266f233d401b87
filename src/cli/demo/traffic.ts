/**
 * Synthetic traffic to the sample app: so many requests a second, split as the route says, answered
 * by each side as its code and configuration do. A side without a ready pod answers nothing: what
 * is sent there fails. It keeps what a mesh's proxies would report, for as long as queries look back.
 */

/** How a revision answers. */
export interface Behaviour {
  /** Of its requests. */
  readonly failureRatio: number;
  /** Of the requests that it answers: the median, in milliseconds. */
  readonly latencyMs: number;
}

/** One side as the cluster has it now. */
export interface Destination {
  readonly workload: string;
  /** Percent. */
  readonly weight: number;
  readonly hasReadyPod: boolean;
  readonly behaviour: Behaviour;
}

export interface TrafficOptions {
  /** By the clock of the analysis, in milliseconds. */
  readonly steadyMs: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly requestsPerSecond: number;
}

export interface Traffic {
  /** Sends what is due since the last call. */
  flow(destinations: readonly Destination[]): void;
  /** Of the last so many milliseconds. */
  measured(workload: string, windowMs: number): Measured;
  /** Since the beginning. */
  readonly totals: { readonly answered: number; readonly failed: number };
}

export interface Measured {
  readonly requests: number;
  readonly perSecond: number;
  /** Percent; undefined without requests. */
  readonly successRate: number | undefined;
  /** The 99th percentile, as Prometheus finds it in a histogram; undefined without requests. */
  readonly latencyMs: number | undefined;
}

interface Slice {
  readonly workload: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly requests: number;
  readonly failed: number;
  /** By bucket, not cumulated. */
  readonly counts: readonly number[];
}

/** Upper bounds of the buckets in milliseconds: those of Istio's proxies. */
const boundsMs = [0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, Infinity];
/** Longer windows see this much. */
const keptMs = 60_000;
/** After a pause of the process, the requests of so long are sent, and no more. */
const gapMsMax = 2_000;

export function createTraffic({ steadyMs, random, requestsPerSecond }: TrafficOptions): Traffic {
  const totals = { answered: 0, failed: 0 };
  let slices: readonly Slice[] = [];
  let flowedMs = steadyMs();
  let owed = 0;

  return {
    totals,
    flow: (destinations) => {
      const nowMs = steadyMs();
      const fromMs = Math.max(flowedMs, nowMs - gapMsMax);
      flowedMs = nowMs;
      owed += ((nowMs - fromMs) / 1000) * requestsPerSecond;
      const due = Math.floor(owed);
      owed -= due;
      const sent = shared(due, destinations, random).map(({ destination, requests }) =>
        sliceOf(destination, requests, { fromMs, toMs: nowMs, random }),
      );
      for (const { requests, failed } of sent) {
        totals.answered += requests - failed;
        totals.failed += failed;
      }
      slices = [...slices.filter(({ toMs }) => toMs > nowMs - keptMs), ...sent];
    },
    measured: (workload, windowMs) => {
      const sinceMs = steadyMs() - windowMs;
      return measure(
        slices.filter((slice) => slice.workload === workload && slice.toMs > sinceMs),
        windowMs,
      );
    },
  };
}

/** Each request goes one way; whole requests cannot be split evenly, so chance decides. */
function shared(due: number, destinations: readonly Destination[], random: () => number) {
  const sum = destinations.reduce((total, { weight }) => total + weight, 0);
  const counts = destinations.map(() => 0);
  for (let request = 0; request < (sum > 0 ? due : 0); request += 1) {
    let point = random() * sum;
    const way = destinations.findIndex(({ weight }) => (point -= weight) < 0);
    counts[way] = (counts[way] ?? 0) + 1;
  }
  return destinations.map((destination, at) => ({ destination, requests: counts[at] ?? 0 }));
}

function sliceOf(
  { workload, hasReadyPod, behaviour }: Destination,
  requests: number,
  { fromMs, toMs, random }: { fromMs: number; toMs: number; random: () => number },
): Slice {
  const counts = boundsMs.map(() => 0);
  let failed = 0;
  for (let request = 0; request < requests; request += 1) {
    if (!hasReadyPod || random() < behaviour.failureRatio) failed += 1;
    const latencyMs = latencyOf(behaviour, random);
    const bucket = boundsMs.findIndex((bound) => latencyMs <= bound);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return { workload, fromMs, toMs, requests, failed, counts };
}

/** Most near the median, few much slower: the logarithm is about normal. */
function latencyOf({ latencyMs }: Behaviour, random: () => number): number {
  const normal = random() + random() + random() + random() - 2;
  return latencyMs * Math.exp(normal);
}

function measure(slices: readonly Slice[], windowMs: number): Measured {
  const requests = slices.reduce((total, slice) => total + slice.requests, 0);
  const failed = slices.reduce((total, slice) => total + slice.failed, 0);
  const counts = boundsMs.map((_, at) =>
    slices.reduce((total, slice) => total + (slice.counts[at] ?? 0), 0),
  );
  return {
    requests,
    perSecond: requests / (windowMs / 1000),
    successRate: requests === 0 ? undefined : ((requests - failed) / requests) * 100,
    latencyMs: requests === 0 ? undefined : quantile(0.99, counts),
  };
}

/** `histogram_quantile`: linear between the bounds of the bucket that the rank falls into. */
function quantile(share: number, counts: readonly number[]): number {
  const rank = share * counts.reduce((total, count) => total + count, 0);
  let below = 0;
  for (const [at, count] of counts.entries()) {
    const upper = boundsMs[at] ?? Infinity;
    const lower = boundsMs[at - 1] ?? 0;
    if (below + count >= rank && count > 0) {
      return upper === Infinity ? lower : lower + (upper - lower) * ((rank - below) / count);
    }
    below += count;
  }
  return 0;
}
