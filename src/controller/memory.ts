/**
 * What the controller remembers of a canary between two looks. All of it may be lost at any time:
 * a process that starts afresh derives it from the status, and at worst asks or says something once
 * more.
 */
import type { Canary, CanaryStatus } from '../api/canary.ts';
import { analysisIntervalMs } from '../api/defaults.ts';
import type { KubeObject } from '../api/kubernetes.ts';
import type { Answer, Problem, Saying, Stage } from '../canary/observation.ts';
import type { Shortage } from '../targets/target-kind.ts';
import type { StandingStates } from './lasting-alerts.ts';
import type { RouteRecord } from './route-record.ts';
import { createRouteRecord } from './route-record.ts';

export interface Memory {
  readonly uid: string | undefined;
  /** `status.lastTransitionTime` that `transitionAtMs` belongs to. */
  transitionTime: string | undefined;
  /** By the steady clock. */
  transitionAtMs: number;
  beatAtMs: number | undefined;
  readonly answers: Partial<Record<Stage, Answer>>;
  /** Questions that are being asked: their ids. */
  readonly asking: Map<Stage, string>;
  /** What validation said of a generation of the spec. */
  validated: { readonly generation: number; readonly problem: Problem | undefined } | undefined;
  /** Workloads with fewer pods than they must have: since when, in both clocks. */
  readonly unavailable: Map<string, { readonly since: string; readonly sinceMs: number }>;
  /** Workloads that were seen without ready pods: since when they have some, by the steady clock. */
  readonly readySince: Map<string, number | undefined>;
  /** The primary as it was last seen, since it took over. */
  primary: KubeObject | undefined;
  readonly routes: RouteRecord;
  /** Looks in a row that failed, conflicts aside. */
  failedLooks: number;
  /** Whether somebody was alerted of that. */
  isFailureTold: boolean;
  /** States that are told by an alert if they last. */
  readonly states: StandingStates;
  /** What was said in this phase and need not be said again. */
  readonly said: Set<string>;
  /** Phase and revision that `said` belongs to. */
  saidIn: string;
}

export interface Times {
  /** Milliseconds since the epoch; may jump. */
  readonly wallMs: number;
  /** Milliseconds that never jump. */
  readonly steadyMs: number;
}

/** Texts remembered for each canary: more than there are in any phase that makes sense. */
const saidMax = 64;

/**
 * Memory of a canary that this process sees for the first time. Its last transition lies at most
 * one interval back: a clock that was set back must not make anybody wait for the old time.
 */
export function recall(canary: Canary, now: Times): Memory {
  const transitionTime = canary.status?.lastTransitionTime;
  return {
    uid: canary.metadata.uid,
    transitionTime,
    transitionAtMs: now.steadyMs - elapsedMs(canary, transitionTime, now),
    beatAtMs: undefined,
    answers: {},
    validated: undefined,
    asking: new Map(),
    unavailable: new Map(),
    readySince: new Map(),
    primary: undefined,
    routes: createRouteRecord(),
    failedLooks: 0,
    isFailureTold: false,
    states: new Map(),
    said: new Set(),
    saidIn: saidIn(canary.status),
  };
}

function elapsedMs(canary: Canary, transitionTime: string | undefined, now: Times): number {
  const intervalMs = analysisIntervalMs(canary);
  const transitionMs = transitionTime === undefined ? Number.NaN : Date.parse(transitionTime);
  if (Number.isNaN(transitionMs)) return 0;
  return Math.min(Math.max(now.wallMs - transitionMs, 0), intervalMs);
}

/**
 * For how long a workload has had too few pods in this phase of this revision. What was missing
 * before is not held against a revision that has just begun (seed 10010): Kubernetes keeps the time
 * of `Available` while a template that never got ready is replaced.
 *
 * `since` is another machine's time: where its clock and ours differ by hours, what has just begun
 * must not be over, nor what is over go on. So it is believed as far as this phase reaches back, and
 * from then on our steady clock counts.
 */
export function unavailableMs(
  memory: Memory,
  workload: string,
  shortage: Shortage | undefined,
  { wallMs, steadyMs }: Times,
): number {
  const sinceWallMs = startOf(shortage, wallMs);
  // A condition without a time cannot be late.
  if (shortage === undefined || Number.isNaN(sinceWallMs)) {
    memory.unavailable.delete(workload);
    return 0;
  }
  const since = 'since' in shortage ? shortage.since : `generation ${shortage.generation}`;
  const inPhaseMs = steadyMs - memory.transitionAtMs;
  const known = memory.unavailable.get(workload);
  if (known?.since === since) return Math.min(steadyMs - known.sinceMs, inPhaseMs);
  const sinceMs = steadyMs - Math.min(Math.max(wallMs - sinceWallMs, 0), inPhaseMs);
  memory.unavailable.set(workload, { since, sinceMs });
  return steadyMs - sinceMs;
}

/** Until the primary has taken over, what it runs is nothing to hold on to. */
export function notePrimary(memory: Memory, canary: Canary, primary: KubeObject | undefined): void {
  if (!hasTakenOver(canary)) memory.primary = undefined;
  else if (primary !== undefined) memory.primary = primary;
}

export const hasTakenOver = ({ status }: Canary): boolean =>
  !['', 'Initializing'].includes(status?.phase ?? '');

/** When a workload was first seen with ready pods; undefined where it was never seen without. */
export function readySinceMs(
  { readySince }: Memory,
  workload: string,
  isReady: boolean,
  { steadyMs }: Times,
): number | undefined {
  const isAnew = readySince.has(workload) && readySince.get(workload) === undefined;
  if (!isReady) readySince.set(workload, undefined);
  else if (isAnew) readySince.set(workload, steadyMs);
  return readySince.get(workload);
}

/** A shortage that says nothing of its beginning begins when it is first seen. */
const startOf = (shortage: Shortage | undefined, wallMs: number): number =>
  shortage !== undefined && 'since' in shortage ? Date.parse(shortage.since) : wallMs;

/** Brings memory up to a status that somebody else wrote: another replica, or a former life. */
export function refresh(memory: Memory, canary: Canary, now: Times): void {
  const transitionTime = canary.status?.lastTransitionTime;
  if (transitionTime === memory.transitionTime) return;
  memory.transitionTime = transitionTime;
  memory.transitionAtMs = now.steadyMs - elapsedMs(canary, transitionTime, now);
  memory.beatAtMs = undefined;
  turnPage(memory, canary.status);
}

/** Notes a status that this process wrote; `wallTime` is that of the decision behind it. */
export function note(
  memory: Memory,
  status: CanaryStatus,
  beatAtMs: number | undefined,
  decided: { readonly wallTime: string; readonly steadyMs: number },
): void {
  if (status.lastTransitionTime === decided.wallTime) memory.transitionAtMs = decided.steadyMs;
  memory.transitionTime = status.lastTransitionTime;
  memory.beatAtMs = beatAtMs;
  turnPage(memory, status);
}

/** What was said in one phase of one revision may be said again in the next. */
function turnPage(memory: Memory, status: CanaryStatus | undefined): void {
  if (saidIn(status) === memory.saidIn) return;
  memory.saidIn = saidIn(status);
  memory.said.clear();
}

const saidIn = (status: CanaryStatus | undefined): string =>
  `${status?.phase ?? ''}/${status?.lastAppliedSpec ?? ''}`;

/** Those of the sayings that are to be said now; they count as said from here on. */
export function worthSaying(
  memory: Memory,
  sayings: readonly Saying[],
  waitedAnInterval: boolean,
): readonly Saying[] {
  return sayings.filter((saying) => {
    if (saying.kind === 'Decision') return true;
    if (saying.kind === 'Waiting' && !waitedAnInterval) return false;
    if (memory.said.has(saying.message) || memory.said.size >= saidMax) return false;
    memory.said.add(saying.message);
    return true;
  });
}
