/** What a rehearsal finds: what happened when, how it ended, and what it would have cost. */
import type { HookType, Phase } from '../api/canary.ts';
import type { Advice } from './advice/advice.ts';
import type { Requests } from './traffic.ts';

/** Times are milliseconds since the beginning of the scenario. */
export type TimelineEntry = { readonly atMs: number; /** Percent. */ readonly weight: number } & (
  | {
      readonly kind: 'Action';
      readonly text: string;
      /** What `kubectl` would print beside its answer. */
      readonly warnings: readonly string[];
    }
  /** Whether a side has a pod that is ready. */
  | { readonly kind: 'Pods'; readonly side: 'primary' | 'canary'; readonly areReady: boolean }
  | { readonly kind: 'Phase'; readonly phase: Phase }
  | { readonly kind: 'Weight'; readonly canary: number; readonly mirrored: boolean }
  | {
      readonly kind: 'Check';
      readonly metric: string;
      /** Undefined where there was none. */
      readonly value: number | undefined;
      readonly unit: '%' | 'ms' | '';
      /** What was accepted: `>= 99%`. */
      readonly wanted: string;
      readonly verdict: 'Passed' | 'Failed' | 'NoData' | 'Unmeasured';
    }
  | {
      readonly kind: 'Hook';
      readonly name: string;
      readonly type: HookType;
      readonly reply: 'Accepts' | 'Refuses' | 'Silent';
      readonly message: string;
    }
  | {
      readonly kind: 'Alert';
      readonly severity: 'info' | 'warn' | 'error';
      /** The AlertProvider, as `NAME.NAMESPACE`. */
      readonly to: string;
      readonly message: string;
    }
  | { readonly kind: 'Event'; readonly type: 'Normal' | 'Warning'; readonly message: string }
);

export type RolloutOutcome = 'Promoted' | 'RolledBack' | 'Replaced' | 'Unfinished';

/** One revision's way. */
export interface Rollout {
  readonly revision: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly outcome: RolloutOutcome;
  /** Percent. */
  readonly weightMax: number;
}

export type Verdict = 'promoted' | 'rolled-back' | 'unfinished';

export interface Rehearsal {
  readonly canary: { readonly namespace: string; readonly name: string };
  readonly scenario: { readonly name: string; readonly description: string };
  readonly seed: number;
  /** Of the last revision. */
  readonly verdict: Verdict;
  /** The event that says why, or where it stands. */
  readonly because: string;
  /** From the first revision of the scenario to the end of the last. */
  readonly durationMs: number;
  readonly rollouts: readonly Rollout[];
  readonly timeline: readonly TimelineEntry[];
  readonly requests: Requests;
  readonly advice: readonly Advice[];
  /** What `kubectl apply` of the Canary would print. */
  readonly admissionWarnings: readonly string[];
  /** What was not given, and what took its place. */
  readonly assumptions: readonly string[];
}
