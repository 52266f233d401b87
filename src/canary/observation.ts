/**
 * What the core looks at: one plain value per canary, gathered from caches by the controller.
 * Nothing in it can be asked for more; what is not here was not seen.
 */
import type { Canary, CheckRecord, TrackedTarget } from '../api/canary.ts';
import type { StringMap } from '../api/kubernetes.ts';

export type Readiness =
  | { readonly kind: 'Ready' }
  | {
      readonly kind: 'NotReady';
      readonly message: string;
      /** False once a deadline has passed: waiting longer will not help. */
      readonly retriable: boolean;
    }
  /** Ready so lately that what carries traffic may not know it. Only the core says so. */
  | { readonly kind: 'Settling'; readonly retriable: true; readonly untilMs: number };

export interface WorkloadView {
  /** Replicas that the object asks for. */
  readonly replicas: number;
  readonly availablePods: number;
  /** `message` names the workload, as the event will. */
  readonly readiness: Readiness;
  /** When it was first seen ready with pods, by the steady clock; absent where it always was. */
  readonly readySinceMs?: number;
  /** The revision that the object says it runs; the primary's is stamped by the controller. */
  readonly revision?: string;
}

/** How the target differs from what the status remembers. */
export type Change =
  | 'Unchanged'
  | 'Changed'
  /** It is again what the primary runs, although the status remembers something else. */
  | 'Reverted'
  /** It differs, but nobody changed it: take the new hashes over and start nothing. */
  | 'Adopt';

export interface RevisionView {
  /** Hash of the pod template. */
  readonly hash: string;
  /** Identifies template and configuration together. */
  readonly id: string;
  /** Checksums by `configmap/NAME` and `secret/NAME`; absent where tracking is off. */
  readonly configs?: StringMap;
  readonly tracked: TrackedTarget;
  readonly change: Change;
  /** Who made the change, and one line on what it is, where admission saw it. */
  readonly changedBy?: string;
  readonly cause?: string;
}

export interface Split {
  readonly primary: number;
  readonly canary: number;
  readonly mirrored: boolean;
}

/** What the gateway itself says of the routes as they were last written. Times: steady clock. */
export type Confirmation =
  | {
      readonly state: 'confirmed';
      /** When it was first seen to be; absent where it was so from the beginning. */
      readonly sinceMs?: number;
      /** The route, where it counts as confirmed because nobody reports on it. */
      readonly unreported?: string;
    }
  | {
      readonly state: 'pending';
      /** What is waited for, as the event will say it; absent where there is nothing to say. */
      readonly why?: string;
      readonly sinceMs: number;
      /** When it counts as confirmed if nobody reports; absent where somebody has reported. */
      readonly untilMs?: number;
    }
  /** In the gateway's own words, which name the route. */
  | { readonly state: 'refused'; readonly message: string };

/** What the routing provider can do. */
export interface RoutingAbilities {
  readonly weights: boolean;
  readonly mirroring: boolean;
}

/** Checks outside of the process, asked for one group at a time. */
export type Stage =
  | 'ConfirmRollout'
  | 'RollbackRequested'
  | 'PreRollout'
  | 'Analysis'
  | 'ConfirmTrafficIncrease'
  | 'ConfirmPromotion';

/** What people are told beside the event, where they asked for it (`spec/03`, 4.4). */
export interface AlertText {
  readonly severity: 'info' | 'warn' | 'error';
  readonly message: string;
  /** Whether the settings of the analysis are shown, too. */
  readonly hasSettings: boolean;
  /** Of a state that is told once, if it is still said an interval later: which it is. */
  readonly state?: string;
}

/** Something that is said about a canary: a Kubernetes event. */
export interface Saying {
  readonly type: 'Normal' | 'Warning';
  readonly message: string;
  /**
   * `Decision`: always said. `Once`: said once in a phase. `Waiting`: said once in a phase, and only
   * if the phase has lasted for an interval; what passes sooner is not worth an event.
   */
  readonly kind: 'Decision' | 'Once' | 'Waiting';
  readonly alert?: AlertText;
}

export interface Answer {
  /** The question's identity: an answer to another question is not used. */
  readonly id: string;
  readonly passed: boolean;
  /** Refused by a gate of our own, which somebody may open by annotation. */
  readonly waitsForGate?: boolean;
  readonly sayings: readonly Saying[];
  /** What was asked and what it came to, for the journal. */
  readonly checks?: readonly CheckRecord[];
}

/** Time as the core needs it. */
export interface Moment {
  /** Milliseconds that never jump; comparable with the other `...AtMs` only. */
  readonly steadyMs: number;
  /** RFC 3339, for people: the status' timestamps. */
  readonly wallTime: string;
}

export interface Problem {
  /** UpperCamel, for machines. */
  readonly reason: string;
  readonly message: string;
}

/** Whether one more rollout may be in progress. */
export type Slot =
  | { readonly kind: 'Unasked' }
  | { readonly kind: 'Granted' }
  | {
      readonly kind: 'Refused';
      /** The limit; says the same for as long as the wait lasts. */
      readonly why: string;
      /** Who is in progress, and how many come first. */
      readonly details: string;
    };

export interface Observation {
  readonly canary: Canary;
  readonly abilities: RoutingAbilities;
  /** Keeps the canary from going on until somebody acts: bad spec, missing target. */
  readonly problem?: Problem;
  /** Absent where there is a problem that keeps it from being looked at. */
  readonly target?: WorkloadView;
  readonly primary?: WorkloadView;
  readonly revision?: RevisionView;
  /** Whether that revision was promoted before, and replaced within the rollback window. */
  readonly isKnownGood?: boolean;
  /** Why canaries that this one depends on are not done; absent where they are. */
  readonly dependency?: string;
  /** Absent where any number of rollouts may be in progress. */
  readonly slot?: Slot;
  /** Replicas for the target when it is brought up. */
  readonly scaleUpReplicas: number;
  /** The split as routes were last written; absent where there are none. */
  readonly split?: Split;
  /** Somebody else gave the canary more than we did. Absent also where that cannot be known. */
  readonly isRaisedByOthers?: boolean;
  /** Absent where the provider's objects have no status that tells. */
  readonly confirmation?: Confirmation;
  readonly answers: Readonly<Partial<Record<Stage, Answer>>>;
  /** When the status was last written, by the steady clock. */
  readonly transitionAtMs: number;
  /** When the last verdict of this run was due; absent before the first. */
  readonly beatAtMs?: number;
  /** Ten random letters each, for session cookies. */
  readonly cookieValues: { readonly canary: string; readonly primary: string };
}
