/**
 * The status after a transition: phase, counters, hashes and the `Promoted` condition
 * (`spec/01`, 1.8 and 1.9). A status that would say the same is returned as it is.
 */
import type { Canary, CanaryStatus, GateStatus, Phase } from '../api/canary.ts';
import type { Condition } from '../api/kubernetes.ts';
import { hooksOf } from '../api/defaults.ts';
import { rollbackGates } from './gates.ts';
import type { Moment, Observation, Problem, RevisionView } from './observation.ts';

const blank: CanaryStatus = { phase: '', failedChecks: 0, canaryWeight: 0, iterations: 0 };

export const statusOf = (canary: Canary): CanaryStatus => ({ ...blank, ...canary.status });

/** What a transition changes; everything else stays. */
export type StatusChange = Partial<
  Pick<
    CanaryStatus,
    | 'phase'
    | 'canaryWeight'
    | 'iterations'
    | 'failedChecks'
    | 'lastPromotedSpec'
    | 'promoted'
    | 'sessionAffinityCookie'
    | 'primarySessionAffinityCookie'
    | 'previousSessionAffinityCookie'
  >
> & {
  readonly draining?: boolean;
  /** Whether the rollout that begins is promoted without analysis. */
  readonly returning?: boolean;
  /** Gates of our own that wait from here on; those that waited before are gone. */
  readonly gates?: readonly GateStatus[];
  /** Remember the target's present revision as the one that was acted on. */
  readonly applies?: RevisionView;
};

export const zeroed = { canaryWeight: 0, iterations: 0, failedChecks: 0 } as const;

/** Phases of one rollout. */
const underway: readonly Phase[] = ['Progressing', 'WaitingPromotion', 'Promoting', 'Finalising'];

/** The next status; a phase brings its condition along. */
export function transition(seen: Observation, change: StatusChange, now: Moment): CanaryStatus {
  const { applies, draining, returning, gates: _, ...fields } = change;
  const {
    draining: wasDraining,
    returning: wasReturning,
    gates: __,
    waitingSince,
    ...before
  } = statusOf(seen.canary);
  const phase = fields.phase ?? before.phase;
  const isUnderway = underway.includes(phase);
  const gates = gatesAfter(seen, change, now);
  const next = {
    ...before,
    ...((draining ?? wasDraining) ? { draining: true } : {}),
    ...(gates.length > 0 ? { gates } : {}),
    ...(phase === 'Waiting' ? { waitingSince: waitingSince ?? now.wallTime } : {}),
    ...(isUnderway && (returning ?? wasReturning) ? { returning: true } : {}),
    ...fields,
    ...(applies === undefined ? {} : applied(applies)),
    lastTransitionTime: now.wallTime,
  };
  return { ...next, conditions: conditionsOf(seen.canary, next, undefined, now) };
}

/** A step, another phase or another revision ends the wait at a gate. */
function gatesAfter(
  seen: Observation,
  change: StatusChange,
  { wallTime }: Moment,
): readonly GateStatus[] {
  const { gates: known = [], phase } = statusOf(seen.canary);
  const isStep = ['phase', 'canaryWeight', 'iterations', 'applies'].some((it) => it in change);
  if (!isStep && change.gates === undefined) return known;
  const stand = { revision: seen.revision?.id ?? '', wallTime };
  const rollbacks = rollbackGates(seen.canary, known, change.phase ?? phase, stand);
  return [...(change.gates ?? []), ...rollbacks];
}

/** The status of a canary that cannot go on: nothing but its conditions differ. */
export function stalled(seen: Observation, problem: Problem, now: Moment): CanaryStatus {
  const before = statusOf(seen.canary);
  return { ...before, conditions: conditionsOf(seen.canary, before, problem, now) };
}

/** Whether the status says that the canary cannot go on. */
export function isStalled(status: CanaryStatus): boolean {
  return status.conditions?.some(({ type }) => type === 'Stalled') === true;
}

function applied(revision: RevisionView) {
  return {
    lastAppliedSpec: revision.hash,
    trackedTarget: revision.tracked,
    ...(revision.configs === undefined ? {} : { trackedConfigs: revision.configs }),
  };
}

/**
 * `Promoted` as the reference has it, and `Stalled` (kstatus) while somebody must act.
 * A condition whose status and reason stand is left alone, its times included.
 */
function conditionsOf(
  canary: Canary,
  next: CanaryStatus,
  problem: Problem | undefined,
  now: Moment,
): readonly Condition[] {
  const known = canary.status?.conditions ?? [];
  const isGated = hooksOf(canary, 'confirm-rollout').length > 0;
  const promoted = { type: 'Promoted', ...verdictOf(next, canary.spec.targetRef.kind, isGated) };
  const stalledNow = problem && { type: 'Stalled', status: 'True' as const, ...problem };
  const wanted: readonly Condition[] =
    stalledNow === undefined ? [promoted] : [promoted, stalledNow];
  return wanted.map((condition) => {
    const before = known.find(({ type }) => type === condition.type);
    const stands =
      before?.status === condition.status &&
      before.reason === condition.reason &&
      (condition.type === 'Promoted' || before.message === condition.message);
    if (before !== undefined && stands) return before;
    const lastTransitionTime =
      (before?.status === condition.status ? before.lastTransitionTime : undefined) ?? now.wallTime;
    return { ...condition, lastUpdateTime: now.wallTime, lastTransitionTime };
  });
}

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>;

function verdictOf({ phase, canaryWeight }: CanaryStatus, kind: string, isGated: boolean): Verdict {
  const unknown = (message: string) => ({ status: 'Unknown' as const, reason: phase, message });
  switch (phase) {
    case 'Initialized':
      return { status: 'True', reason: phase, message: `${kind} initialization completed.` };
    case 'Waiting':
      return unknown(isGated ? 'Waiting for approval.' : 'Waiting for its turn.');
    case 'WaitingPromotion':
      return unknown('Waiting for approval.');
    case 'Progressing':
      return unknown('New revision detected, progressing canary analysis.');
    case 'Promoting':
      return unknown('Canary analysis completed, starting primary rolling update.');
    case 'Finalising':
      return unknown('Canary analysis completed, routing all traffic to primary.');
    case 'Succeeded':
      return {
        status: 'True',
        reason: phase,
        message: 'Canary analysis completed successfully, promotion finished.',
      };
    case 'Failed':
      return {
        status: 'False',
        reason: phase,
        message:
          canaryWeight > 0
            ? `Canary failed, ${kind} keeps ${canaryWeight}% of the traffic: the primary is not ready.`
            : `Canary analysis failed, ${kind} scaled to zero.`,
      };
    case '':
    case 'Initializing':
      return {
        status: 'Unknown',
        reason: 'Initializing',
        message: `New ${kind} detected, starting initialization.`,
      };
    case 'Terminating':
    case 'Terminated':
      return unknown(`Canary deleted, giving ${kind}, Service and routes back.`);
  }
}
