/**
 * The Canary object (`flagger.app/v1beta1`): what users write and what the controller reports.
 *
 * The types follow the schema that `schema.ts` generates. Fields beyond the reference's are marked;
 * a Canary that uses none of them behaves as it did there.
 */
import type { Condition, KubeObject, StringMap } from './kubernetes.ts';

export const canaryGroup = 'flagger.app';
export const canaryVersion = 'v1beta1';
export const canaryApiVersion = `${canaryGroup}/${canaryVersion}`;

export interface CrossReference {
  readonly name: string;
  readonly namespace?: string;
}

export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

export interface AutoscalerReference extends ObjectReference {
  readonly primaryScalerQueries?: StringMap;
  readonly primaryScalerReplicas?: {
    readonly minReplicas?: number;
    readonly maxReplicas?: number;
  };
}

export interface StringMatch {
  readonly exact?: string;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly regex?: string;
}

/** Istio's HTTPMatchRequest, as far as the schema admits it. */
export interface HttpMatch {
  readonly name?: string;
  readonly uri?: StringMatch;
  readonly scheme?: StringMatch;
  readonly method?: StringMatch;
  readonly authority?: StringMatch;
  readonly headers?: Readonly<Record<string, StringMatch>>;
  readonly queryParams?: Readonly<Record<string, StringMatch>>;
  readonly withoutHeaders?: Readonly<Record<string, StringMatch>>;
  readonly port?: number;
  readonly sourceLabels?: StringMap;
  readonly sourceNamespace?: string;
  readonly gateways?: readonly string[];
  readonly ignoreUriCase?: boolean;
}

export interface HeaderOperations {
  readonly add?: StringMap;
  readonly set?: StringMap;
  readonly remove?: readonly string[];
}

export interface CorsPolicy {
  readonly allowOrigin?: readonly string[];
  readonly allowOrigins?: readonly StringMatch[];
  readonly allowMethods?: readonly string[];
  readonly allowHeaders?: readonly string[];
  readonly exposeHeaders?: readonly string[];
  readonly allowCredentials?: boolean;
  readonly maxAge?: string;
}

export interface CustomMetadata {
  readonly labels?: StringMap;
  readonly annotations?: StringMap;
}

export interface GatewayReference {
  readonly group?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
  readonly sectionName?: string;
  readonly port?: number;
}

export interface CanaryService {
  readonly name?: string;
  readonly port: number;
  readonly portName?: string;
  readonly targetPort?: number | string;
  readonly appProtocol?: string;
  readonly trafficDistribution?: string;
  readonly portDiscovery?: boolean;
  readonly headless?: boolean;
  readonly timeout?: string;
  readonly backendTimeout?: string;
  readonly gateways?: readonly string[];
  readonly gatewayRefs?: readonly GatewayReference[];
  readonly hosts?: readonly string[];
  readonly delegation?: boolean;
  /** Copied as it is into Istio's DestinationRules. */
  readonly trafficPolicy?: Readonly<Record<string, unknown>>;
  readonly match?: readonly HttpMatch[];
  readonly rewrite?: { readonly uri?: string; readonly authority?: string; readonly type?: string };
  readonly retries?: {
    readonly attempts?: number;
    readonly perTryTimeout?: string;
    readonly retryOn?: string;
  };
  readonly headers?: { readonly request?: HeaderOperations; readonly response?: HeaderOperations };
  readonly mirror?: readonly { readonly backendRef?: GatewayReference }[];
  readonly corsPolicy?: CorsPolicy;
  readonly meshName?: string;
  readonly backends?: readonly string[];
  readonly apex?: CustomMetadata;
  readonly primary?: CustomMetadata;
  readonly canary?: CustomMetadata;
  readonly unmanagedMetadata?: {
    readonly annotations?: readonly string[];
    readonly labels?: readonly string[];
  };
}

export interface ThresholdRange {
  readonly min?: number;
  readonly max?: number;
}

export interface CanaryMetric {
  readonly name: string;
  readonly interval?: string;
  /** A single bound: minimum for the success rate, maximum for everything else. */
  readonly threshold?: number;
  readonly thresholdRange?: ThresholdRange;
  readonly query?: string;
  readonly templateRef?: CrossReference;
  readonly templateVariables?: StringMap;
}

export type HookType =
  | 'confirm-rollout'
  | 'pre-rollout'
  | 'rollout'
  | 'confirm-traffic-increase'
  | 'confirm-promotion'
  | 'post-rollout'
  | 'rollback'
  | 'event';

export interface CanaryWebhook {
  readonly name: string;
  /** Empty and absent mean `rollout`. */
  readonly type?: HookType | '';
  /**
   * Not in the reference: a confirm or rollback hook without a URL is a gate that annotations open
   * (`approval.ts`).
   */
  readonly url?: string;
  readonly timeout?: string;
  readonly retries?: number;
  readonly disableTLS?: boolean;
  readonly muteAlert?: boolean;
  readonly metadata?: StringMap;
}

export interface CanaryAlert {
  readonly name: string;
  readonly severity?: '' | 'info' | 'warn' | 'error';
  readonly providerRef: CrossReference;
}

export interface SessionAffinity {
  readonly cookieName: string;
  readonly primaryCookieName?: string;
  readonly domain?: string;
  readonly httpOnly?: boolean;
  readonly maxAge?: number;
  readonly partitioned?: boolean;
  readonly path?: string;
  readonly sameSite?: 'Strict' | 'Lax' | 'None';
  readonly secure?: boolean;
}

export interface CanaryAnalysis {
  readonly interval?: string;
  readonly threshold?: number;
  readonly iterations?: number;
  readonly stepWeight?: number;
  readonly stepWeights?: readonly number[];
  readonly maxWeight?: number;
  readonly stepWeightPromotion?: number;
  readonly mirror?: boolean;
  readonly mirrorWeight?: number;
  /** Percent. */
  readonly primaryReadyThreshold?: number;
  /** Percent. */
  readonly canaryReadyThreshold?: number;
  readonly match?: readonly HttpMatch[];
  readonly metrics?: readonly CanaryMetric[];
  readonly alerts?: readonly CanaryAlert[];
  readonly webhooks?: readonly CanaryWebhook[];
  readonly sessionAffinity?: SessionAffinity;
  /** Not in the reference: a revision that served until lately is promoted without analysis. */
  readonly rollbackWindow?: string;
}

export interface CanarySpec {
  readonly provider?: string;
  readonly metricsServer?: string;
  readonly targetRef: ObjectReference;
  readonly autoscalerRef?: AutoscalerReference;
  readonly ingressRef?: ObjectReference;
  readonly routeRef?: ObjectReference;
  readonly upstreamRef?: ObjectReference & { readonly namespace?: string };
  readonly service?: CanaryService;
  readonly analysis?: CanaryAnalysis;
  readonly progressDeadlineSeconds?: number;
  readonly skipAnalysis?: boolean;
  readonly revertOnDeletion?: boolean;
  readonly suspend?: boolean;
  /** Not in the reference: rollouts start only when those are done with theirs. */
  readonly dependsOn?: readonly CrossReference[];
}

export type Phase =
  | ''
  | 'Initializing'
  | 'Initialized'
  | 'Waiting'
  | 'Progressing'
  | 'WaitingPromotion'
  | 'Promoting'
  | 'Finalising'
  | 'Succeeded'
  | 'Failed'
  | 'Terminating'
  | 'Terminated';

/**
 * The target as it was when the status was last written; not in the reference.
 * A hash that differs while uid and generation stand still was changed by nobody: the API server
 * began to store the same template differently (a new default), and it is adopted silently.
 */
export interface TrackedTarget {
  readonly uid: string;
  readonly generation: number;
}

/** A revision that the primary ran; not in the reference. */
export interface PromotedRevision {
  readonly revision: string;
  /** When it was promoted: RFC 3339, seconds. */
  readonly at: string;
  /** When the next one was; absent for the last. */
  readonly until?: string;
}

/** Hooks that may do without a URL. */
export type GateType =
  'confirm-rollout' | 'confirm-traffic-increase' | 'confirm-promotion' | 'rollback';

export type GateVerdict = 'Approved' | 'Rejected';

/** A gate of our own that may be decided now; not in the reference. */
export interface GateStatus {
  readonly name: string;
  readonly type: GateType;
  /** The revision that waits. */
  readonly revision: string;
  /** RFC 3339, seconds. */
  readonly since: string;
  /** What was decided, if anything was, by whom and when. */
  readonly verdict?: GateVerdict;
  readonly by?: string;
  readonly at?: string;
}

/** A check that a verdict rests on; not in the reference. */
export interface CheckRecord {
  /** The metric's name, or the hook's. */
  readonly name: string;
  /** As people read it: `99.81%`, `98ms`, `1.5`. Absent for hooks, and where nothing was measured. */
  readonly value?: string;
  /** What would have been good: `>= 99%`. There where it was not. */
  readonly threshold?: string;
  readonly verdict: 'Passed' | 'Failed' | 'NoData' | 'Unmeasured' | 'Refused';
}

/** One step of a rollout, or what kept it from one; not in the reference. */
export interface StepRecord {
  /** RFC 3339, seconds. */
  readonly at: string;
  readonly event:
    | 'Started'
    | 'Waiting'
    | 'Approved'
    | 'Rejected'
    | 'Advanced'
    | 'Halted'
    | 'Lowered'
    | 'Promoting'
    | 'Finalising';
  /** Percent of traffic on the canary from then on. */
  readonly weight: number;
  readonly iteration?: number;
  readonly checks?: readonly CheckRecord[];
  /** In the words of the event. */
  readonly why?: string;
}

/** What became of one revision, in the order in which it happened; not in the reference. */
export interface RolloutRecord {
  readonly revision: string;
  /** Who made the change, where admission saw it. */
  readonly by?: string;
  /** One line on what changed. */
  readonly cause?: string;
  readonly startedAt: string;
  /** Absent while it lasts. */
  readonly endedAt?: string;
  readonly outcome?: 'Promoted' | 'PromotedUnanalysed' | 'Failed' | 'Canceled' | 'Replaced';
  /** Why it ended so, in the words of the events. */
  readonly why?: string;
  readonly steps?: readonly StepRecord[];
  /** Steps that were left out of the middle. */
  readonly folded?: number;
}

export interface CanaryStatus {
  readonly phase: Phase;
  readonly failedChecks: number;
  readonly canaryWeight: number;
  readonly iterations: number;
  readonly previousSessionAffinityCookie?: string;
  readonly sessionAffinityCookie?: string;
  readonly primarySessionAffinityCookie?: string;
  /** `configmap/NAME` or `secret/NAME` to checksum. Absent where tracking is off. */
  readonly trackedConfigs?: StringMap;
  /** Hash of the target's revision that the controller last acted on. */
  readonly lastAppliedSpec?: string;
  /** Hash of the revision that the primary runs. */
  readonly lastPromotedSpec?: string;
  /** The last revisions that were promoted, newest first. */
  readonly promoted?: readonly PromotedRevision[];
  /** This rollout is of one of those, and goes straight to promotion. */
  readonly returning?: boolean;
  /** RFC 3339, seconds. */
  readonly lastTransitionTime?: string;
  /** In phase Waiting: when the change that waits was first seen. Its place in line. */
  readonly waitingSince?: string;
  /** Not in the reference. */
  readonly trackedTarget?: TrackedTarget;
  /**
   * Traffic has left the target's pods, which are scaled down an interval after that. Not in the
   * reference, which scales down at once and cuts the connections that are still open.
   */
  readonly draining?: boolean;
  /** Gates of our own at which the rollout waits, and rollback gates while it lasts. */
  readonly gates?: readonly GateStatus[];
  /** The last rollouts, newest last; bounded (`canary/journal.ts`). Not in the reference. */
  readonly journal?: readonly RolloutRecord[];
  readonly conditions?: readonly Condition[];
}

export interface Canary extends KubeObject {
  readonly spec: CanarySpec;
  readonly status?: CanaryStatus;
}

export type Strategy = 'canary' | 'blue-green' | 'ab-testing';
