/**
 * What the core answers: effects to carry out in order, then the status, then what is said.
 * Every effect says what must be so, not what to change; carrying it out twice changes nothing.
 */
import type { CanaryStatus } from '../api/canary.ts';
import type { StringMap } from '../api/kubernetes.ts';
import type { Saying, Split, Stage } from './observation.ts';

export type Effect =
  | { readonly kind: 'EnsureFinalizer'; readonly present: boolean }
  /** The Canary's annotations are these, on top of what was seen and nothing newer. */
  | { readonly kind: 'Annotate'; readonly annotations: StringMap }
  /** The Services of the two sides exist and select their pods. */
  | { readonly kind: 'EnsureSideServices' }
  /** The primary workload exists, and the copies of its configuration. It is never changed here. */
  | { readonly kind: 'EnsurePrimary' }
  /** The apex Service selects the primary's pods. */
  | { readonly kind: 'EnsureApexService' }
  | { readonly kind: 'EnsureAutoscaler'; readonly mode: 'init' | 'update' }
  /** The target carries the canary's name, so that admission sees its changes. */
  | { readonly kind: 'ClaimTarget' }
  /** The target has as many replicas as this. */
  | { readonly kind: 'ScaleTarget'; readonly replicas: number }
  | { readonly kind: 'Route'; readonly split: Split; readonly cookies: Cookies }
  /** The primary runs the target's template and configuration. */
  | { readonly kind: 'Promote' }
  /** The target no longer carries the canary's name. */
  | { readonly kind: 'ReleaseTarget' }
  | { readonly kind: 'RevertService' }
  | { readonly kind: 'RevertRoute' };

export interface Cookies {
  readonly canary?: string;
  readonly primary?: string;
  readonly previous?: string;
}

export interface Question {
  readonly stage: Stage;
  readonly id: string;
}

/** What keeps a canary from going on, as the condition `Waiting` names it. */
export type ObstacleReason =
  | 'Suspended'
  /** Pods of the primary or the canary. */
  | 'PodsNotReady'
  | 'CheckFailed'
  /** A gate of our own, which somebody may open. */
  | 'GateClosed'
  /** Somebody else's hook said no. */
  | 'HookRefused'
  /** Hooks or metric providers have been asked for longer than an interval. */
  | 'ChecksRunning'
  /** As many canaries progress as may at once. */
  | 'NoSlot'
  /** Another canary must be done first. */
  | 'DependencyNotReady'
  /** The gateway has not yet taken the route over. */
  | 'RouteUnconfirmed'
  /** A call of the API failed. */
  | 'CallFailed';

export interface Obstacle {
  readonly reason: ObstacleReason;
  /** For people: what exactly, how many, until when. */
  readonly message: string;
}

export type Outcome = 'completed' | 'skipped' | 'failed';

export interface Decision {
  readonly effects: readonly Effect[];
  /** Written where it differs from what is stored. */
  readonly status?: CanaryStatus;
  readonly sayings: readonly Saying[];
  /** What is waited for, where `conditions.ts` cannot tell by the rest of the decision. */
  readonly obstacle?: Obstacle;
  /** Everything else is in order: a slot is asked for, and the decision made with the answer. */
  readonly asksForSlot?: boolean;
  /** To be answered before the decision can be made; nothing else happens until then. */
  readonly question?: Question;
  /** The verdict that was due at this time has been given: the next is an interval later. */
  readonly beatAtMs?: number;
  /** No verdict was given now, but the last one counts as having been due at this time. */
  readonly lastBeatAtMs?: number;
  /** When to look again if nothing happens, by the steady clock. */
  readonly lookAgainAtMs?: number;
  /** A rollout has ended: post-rollout hooks are called, then `closing` is said. */
  readonly outcome?: Outcome;
  readonly closing?: readonly Saying[];
  /** Metric providers are to be probed and the result said; nothing waits for it. */
  readonly probesMetrics?: boolean;
}

export const nothing: Decision = { effects: [], sayings: [] };
