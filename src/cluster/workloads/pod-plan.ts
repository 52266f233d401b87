/**
 * How a pod fares, and what of it shows at any age. Pure: the age decides, nothing is remembered.
 *
 *   start ── readyMs ──> ready ── crashMs ──> crashed ── back-off ──> start
 *                          └──── crashMs ──> not ready for unreadyMs ──> ready
 */

export interface PodPlan {
  /** After its start, milliseconds until it is ready; never where absent. */
  readonly readyMs?: number;
  /** Why its containers do not start before they are ready: `ImagePullBackOff`. They run else. */
  readonly waitingReason?: string;
  /** For how long it stays ready before it crashes, each time; if it never is, after its start. */
  readonly crashMs?: number;
  /** It does not crash then: for so long its readiness probe fails, each time. */
  readonly unreadyMs?: number;
  /** How long it takes to go, at most its grace period; no time where absent. */
  readonly stopMs?: number;
}

export interface PodState {
  readonly kind: 'Waiting' | 'Running' | 'Ready' | 'BackOff';
  readonly restarts: number;
  /** Age at which its containers started for the last time. */
  readonly startedMs: number;
  /** Age at which they crashed for the last time, and where they had started then. */
  readonly crash?: { readonly startedMs: number; readonly atMs: number };
  /** Age at which this ends; undefined for never. */
  readonly untilMs: number | undefined;
}

/** As kubelets do: the first restart is at once, then after 10 s, twice as long each time. */
const backOffMsFirst = 10_000;
export const backOffMsMax = 300_000;

export const backOffMs = (crashes: number): number =>
  crashes < 2 ? 0 : Math.min(backOffMsFirst * 2 ** Math.min(crashes - 2, 10), backOffMsMax);

export function stateAt(plan: PodPlan, ageMs: number): PodState {
  const { readyMs, crashMs, unreadyMs } = plan;
  if (crashMs !== undefined && unreadyMs === undefined) return crashing(plan, crashMs, ageMs);
  const base = { restarts: 0, startedMs: 0 };
  // Ready for no time is never ready.
  if (readyMs === undefined || (crashMs === 0 && unreadyMs !== 0 && unreadyMs !== undefined)) {
    return { ...base, kind: unready(plan), untilMs: undefined };
  }
  if (ageMs < readyMs) return { ...base, kind: unready(plan), untilMs: readyMs };
  if (crashMs === undefined || unreadyMs === undefined || unreadyMs === 0) {
    return { ...base, kind: 'Ready', untilMs: undefined };
  }
  const periodMs = crashMs + unreadyMs;
  const turnMs = readyMs + Math.floor((ageMs - readyMs) / periodMs) * periodMs;
  const isReady = ageMs < turnMs + crashMs;
  const untilMs = turnMs + (isReady ? crashMs : periodMs);
  return { ...base, kind: isReady ? 'Ready' : 'Running', untilMs };
}

const unready = ({ waitingReason }: PodPlan): 'Waiting' | 'Running' =>
  waitingReason === undefined ? 'Running' : 'Waiting';

function crashing(plan: PodPlan, crashMs: number, ageMs: number): PodState {
  // A pod that crashes at once would crash for ever in no time.
  const lifeMs = Math.max(1, (plan.readyMs ?? 0) + crashMs);
  let startedMs = 0;
  let restarts = 0;
  let crash: PodState['crash'];
  for (;;) {
    const dated = crash === undefined ? {} : { crash };
    const readyAtMs = plan.readyMs === undefined ? undefined : startedMs + plan.readyMs;
    const crashAtMs = startedMs + lifeMs;
    if (ageMs < crashAtMs) {
      const isReady = readyAtMs !== undefined && ageMs >= readyAtMs;
      const untilMs = isReady || readyAtMs === undefined ? crashAtMs : readyAtMs;
      return { kind: isReady ? 'Ready' : 'Running', restarts, startedMs, ...dated, untilMs };
    }
    crash = { startedMs, atMs: crashAtMs };
    const againMs = crashAtMs + backOffMs(restarts + 1);
    if (ageMs < againMs) {
      return { kind: 'BackOff', restarts, startedMs, crash, untilMs: againMs };
    }
    startedMs = againMs;
    restarts += 1;
  }
}
