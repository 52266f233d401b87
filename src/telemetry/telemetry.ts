/**
 * What the process can record of itself: the contract between those who know a fact and the
 * series that show it. No method throws, whatever it is given.
 */
import type { Phase, Strategy } from '../api/canary.ts';

/** What the `name` and `namespace` labels say: the target of the canary, not the canary. */
export interface CanaryKey {
  readonly namespace: string;
  readonly target: string;
}

/** How a webhook call ended, for the person who was at the other end of it. */
export type AdmissionOutcome =
  /** Allowed as it came. */
  | 'allowed'
  /** Allowed with a patch. */
  | 'patched'
  /** Refused with a reason: only objects of `flagger.app` are. */
  | 'denied'
  /** Not an AdmissionReview: answered with a 4xx. */
  | 'malformed'
  /** Our own failure: answered so that the user is not refused. */
  | 'failed';

export interface AdmissionRecord {
  readonly webhook: string;
  readonly kind: string;
  readonly outcome: AdmissionOutcome;
  readonly seconds: number;
}

export interface QueueReading {
  readonly depth: number;
  /** Seconds that the oldest item has been due; 0 where nothing waits. */
  readonly oldestSeconds: number;
}

/** Everything that can be recorded. */
export interface Telemetry {
  readonly contentType: string;
  /** All series in Prometheus' text format. */
  readonly expose: () => Promise<string>;

  /** Sets the status gauge (Progressing 0, Failed 2, else 1) and the phase gauge. */
  readonly canaryPhase: (key: CanaryKey, phase: Phase) => void;
  /** Weights of 0 to 100 as the routes have them. */
  readonly canaryWeights: (key: CanaryKey, split: { primary: number; canary: number }) => void;
  /** Wall time of one tick that ran the analysis. */
  readonly canaryTick: (key: CanaryKey, seconds: number) => void;
  /** The last value of one metric; `request-duration` in seconds. */
  readonly canaryMetric: (key: CanaryKey, metric: string, value: number) => void;
  readonly canarySucceeded: (
    key: CanaryKey,
    strategy: Strategy,
    status: 'completed' | 'skipped',
  ) => void;
  readonly canaryFailed: (key: CanaryKey, strategy: Strategy) => void;
  /** Number of canaries of one namespace; 0 removes its series. */
  readonly canaryTotal: (namespace: string, count: number) => void;
  /** Removes every series of a canary that is gone. */
  readonly canaryForgotten: (key: CanaryKey) => void;

  readonly admission: (record: AdmissionRecord) => void;
  /** Seconds since the epoch at which a certificate (`serving`, `ca`) ends. */
  readonly certificateExpiry: (certificate: string, epochSeconds: number) => void;
  /** Is called at each scrape. */
  readonly watchQueue: (read: () => QueueReading) => void;
  /** How long after it was due a tick began. */
  readonly tickLateness: (seconds: number) => void;
  /** `code` is the HTTP status, or a word where there was none. Fits `CallListener` of kube/. */
  readonly apiCall: (
    verb: string,
    resource: string,
    code: number | string,
    seconds: number,
  ) => void;
  /** The state that the watch of one resource is in now, such as `watching`. */
  readonly watchState: (resource: string, state: string) => void;
  readonly eventDropped: (reason: string) => void;
  /** `receiver` is the AlertProvider, `name.namespace`. */
  readonly alert: (receiver: string, outcome: 'sent' | 'lost') => void;
  readonly leader: (isLeader: boolean) => void;
}

/** Makes a recording that cannot fail its caller. */
export type Guard = <Values extends readonly unknown[]>(
  record: (...values: Values) => void,
) => (...values: Values) => void;
