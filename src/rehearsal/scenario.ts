/**
 * A scenario: how the world answers a rehearsal. Times count from the moment at which the Canary is
 * set up and its first revision serves; those of a revision count from its deployment.
 */
import type { Json } from '../api/kubernetes.ts';
import type { FaultRates } from '../cluster/faults.ts';
import type { Series } from './series.ts';

export interface Scenario {
  readonly name: string;
  readonly description: string;
  /** Of all users together. */
  readonly requestsPerSecond: Series<number>;
  /**
   * Of a load test to the canary, which no user notices. There is one where the Canary has a webhook
   * that could send it: of type rollout or pre-rollout.
   */
  readonly testRequestsPerSecond: number;
  /** Percent of the requests that meet the conditions of an A/B test. */
  readonly matchingShare: number;
  /** How often the metrics server looks. */
  readonly scrapeIntervalMs: number;
  /** By name; always has `stable`, which runs when the rehearsal begins. */
  readonly revisions: ReadonlyMap<string, RevisionBehaviour>;
  /** In order of time; at least one of them brings a revision. */
  readonly actions: readonly Action[];
  /** By the name of a hook, or by its type. */
  readonly hooks: ReadonlyMap<string, Series<HookReply>>;
  /** By the name of a metric, or of its template. */
  readonly metrics: ReadonlyMap<string, Series<MetricReply>>;
  /** What goes wrong between the controller and its API server, from the beginning on. */
  readonly faults: FaultRates;
}

export const stableRevision = 'stable';

export interface RevisionBehaviour {
  readonly name: string;
  /** Percent of the requests that it gets. */
  readonly errorRate: Series<number>;
  /** 99th percentile, in milliseconds. */
  readonly latencyMs: Series<number>;
  readonly pods: PodsOfRevision;
  /** What metrics say while this revision is judged; the scenario's own where it has none. */
  readonly metrics: ReadonlyMap<string, Series<MetricReply>>;
}

/** What each pod of a revision does after its start. */
export type PodsOfRevision =
  | { readonly kind: 'Ready'; readonly afterMs: number }
  | { readonly kind: 'Never' }
  /** Ready, then not ready for a while, again and again. */
  | {
      readonly kind: 'Flapping';
      readonly afterMs: number;
      readonly everyMs: number;
      readonly forMs: number;
    }
  /** Ends, and is started again, so long after its start. */
  | { readonly kind: 'Crashing'; readonly afterMs: number; readonly crashAfterMs: number };

export type HookReply =
  | { readonly kind: 'Accepts' }
  | { readonly kind: 'Refuses'; readonly message: string }
  /** No answer at all: the call runs into its timeout. */
  | { readonly kind: 'Silent' };

/** A value; that there is none; or that the server cannot be asked. */
export type MetricReply = number | 'none' | 'unavailable';

export type Action =
  | { readonly kind: 'Deploy'; readonly atMs: number; readonly revision: string }
  /** A change of a ConfigMap or Secret, which makes a revision. */
  | {
      readonly kind: 'ChangeConfig';
      readonly atMs: number;
      readonly revision: string;
      readonly config: 'ConfigMap' | 'Secret';
      /** Absent: the first that the Deployment refers to. */
      readonly name?: string;
      readonly set: Readonly<Record<string, string>>;
    }
  /** A merge patch of the Canary, as somebody may apply it in between. */
  | { readonly kind: 'PatchCanary'; readonly atMs: number; readonly patch: Json };

/** What a revision does of which the scenario says nothing. */
export const readyAfterMsDefault = 5_000;
export const errorRateDefault = 0;
export const latencyMsDefault = 100;
export const requestsPerSecondDefault = 50;
/** As many installations of Prometheus have it. */
export const scrapeIntervalMsDefault = 15_000;
export const matchingShareDefault = 10;
