/** What the demo shows at one moment, as plain values: the view makes lines of it, and no more. */
import type { Phase } from '../../api/canary.ts';

export interface Scene {
  /** Since the demo was started, in milliseconds of the wall. */
  readonly elapsedMs: number;
  /** How much faster than the wall the analysis goes. */
  readonly speed: number;
  /** Undefined until the Canary has a status. */
  readonly rollout: Rollout | undefined;
  readonly sides: readonly Side[];
  readonly checks: readonly Check[];
  readonly requests: { readonly answered: number; readonly failed: number };
  /** Oldest first. */
  readonly feed: readonly FeedEntry[];
  /** What happens, or what may be done, in a sentence or two. */
  readonly narration: string;
  /** Commands for another terminal; none before the cluster is up, or where nobody is to type. */
  readonly commands: readonly string[];
  /** Whether the script is over, and what happens is up to who watches. */
  readonly isYours: boolean;
}

export interface Rollout {
  /** `sample.demo`. */
  readonly name: string;
  readonly phase: Phase;
  /** The weights that the analysis goes through, in percent. */
  readonly steps: readonly number[];
  readonly weight: number;
  readonly failedChecks: number;
  /** Failed checks that end it. */
  readonly threshold: number;
}

export interface Side {
  readonly name: 'primary' | 'canary';
  /** Of its image; empty where there is no workload yet. */
  readonly tag: string;
  readonly ready: number;
  readonly wanted: number;
  /** Percent, as the route has it. */
  readonly weight: number;
  readonly perSecond: number;
  /** Percent; undefined where it had no request of late. */
  readonly successRate: number | undefined;
  /** The 99th percentile in milliseconds. */
  readonly latencyMs: number | undefined;
}

export interface Check {
  readonly name: string;
  /** As Prometheus would answer now. */
  readonly value: number | undefined;
  readonly unit: '%' | 'ms';
  readonly min: number | undefined;
  readonly max: number | undefined;
}

export interface FeedEntry {
  /** Since the demo was started, in milliseconds. */
  readonly atMs: number;
  /** What somebody typed, what was answered to it, an event of the Canary, or what is told. */
  readonly kind: 'Command' | 'Answer' | 'Event' | 'Warning' | 'Note';
  readonly text: string;
}
