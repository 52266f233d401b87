/**
 * The journal: what became of the last rollouts, for whoever asks after the events have expired.
 *
 * It is a part of the status, and rides on writes of it. It is bounded in every direction: rollouts,
 * steps, checks, the length of texts, and bytes. What does not fit is folded, the oldest first; how
 * a rollout began and how it ended is kept the longest.
 */
import type {
  CanaryStatus,
  CheckRecord,
  GateStatus,
  RolloutRecord,
  StepRecord,
} from '../api/canary.ts';
import type { Decision } from './decision.ts';
import type { Moment, Observation, RevisionView, Saying, Stage } from './observation.ts';
import { ask } from './question.ts';
import { statusOf } from './status.ts';

/** A working day of a team that releases often. */
export const rolloutsMax = 10;
/** A rollout of five steps with as many halts fits three times over. */
export const stepsMax = 40;
/** Steps at the beginning that are kept when the middle goes. */
const firstStepsKept = 10;
const checksMax = 8;
/** Characters. */
const nameMax = 63;
const valueMax = 32;
const causeMax = 256;
/** JSON in UTF-8. Statuses are kept in memory, of thousands of canaries. */
export const bytesMax = 8 * 1024;

/** The decision, with what it means for the journal in its status. */
export function journalize(seen: Observation, decision: Decision, now: Moment): Decision {
  const { status } = decision;
  const before = statusOf(seen.canary);
  const isAdopted = seen.revision?.change === 'Adopt';
  if (status === undefined || isAdopted || !isTransition(before, status)) return decision;
  const { journal: known = [] } = before;
  const journal = bounded(record(known, { seen, decision, status, before, now }));
  if (journal === known || journal.length === 0) return decision;
  return { ...decision, status: { ...status, journal } };
}

/** What is worth a line: not a resize, a gate that begins to wait, or a condition. */
const isTransition = (before: CanaryStatus, after: CanaryStatus): boolean =>
  before.phase !== after.phase ||
  before.canaryWeight !== after.canaryWeight ||
  before.iterations !== after.iterations ||
  before.failedChecks < after.failedChecks ||
  before.lastAppliedSpec !== after.lastAppliedSpec ||
  decidedOf(before, after) !== undefined;

/** A gate of our own about which somebody decided: who did is gone from the status with the step. */
function decidedOf(before: CanaryStatus, after: CanaryStatus): GateStatus | undefined {
  if (before.gates === undefined || before.gates === after.gates) return undefined;
  const known = new Map(before.gates.map((gate) => [`${gate.type}/${gate.name}`, gate]));
  return after.gates?.find((gate) => {
    const { since, at } = known.get(`${gate.type}/${gate.name}`) ?? {};
    return gate.verdict !== undefined && gate.since === since && gate.at !== at;
  });
}

interface Turn {
  readonly seen: Observation;
  readonly decision: Decision;
  readonly status: CanaryStatus;
  readonly before: CanaryStatus;
  readonly now: Moment;
}

const underway: ReadonlySet<string> = new Set([
  'Waiting',
  'Progressing',
  'WaitingPromotion',
  'Promoting',
  'Finalising',
]);

function record(known: readonly RolloutRecord[], turn: Turn): readonly RolloutRecord[] {
  const { before, status } = turn;
  const isRun = underway.has(status.phase);
  const wasRun = underway.has(before.phase);
  if (!isRun && !wasRun) return known;
  const open = known.at(-1);
  const current = open?.endedAt === undefined ? open : undefined;
  const past = current === undefined ? known : known.slice(0, -1);
  if (!isRun) return [...past, ended(current ?? begun(turn), turn)];
  if (current === undefined) return [...past, continued(begun(turn), turn)];
  const { revision } = turn.seen;
  const isReplaced =
    revision !== undefined &&
    revision.id !== current.revision &&
    status.lastAppliedSpec === revision.hash;
  if (!isReplaced) return [...past, continued(current, turn)];
  const replaced = { ...current, endedAt: turn.now.wallTime, outcome: 'Replaced' } as const;
  return [...past, replaced, continued(begun(turn), turn)];
}

/** Where a rollout was under way before there was a journal, it begins in the middle. */
function begun({ seen, before, now }: Turn): RolloutRecord {
  const { revision } = seen;
  const cause = revision && causeOf(revision, before);
  const wasRun = underway.has(before.phase) && before.lastAppliedSpec === revision?.hash;
  return {
    revision: revision?.id ?? '',
    ...(revision?.changedBy === undefined ? {} : { by: clip(revision.changedBy, causeMax) }),
    ...(cause === undefined ? {} : { cause: clip(cause, causeMax) }),
    startedAt: (wasRun ? before.lastTransitionTime : undefined) ?? now.wallTime,
  };
}

/** What admission saw; else which configuration changed under the same template. */
function causeOf(revision: RevisionView, before: CanaryStatus): string | undefined {
  if (revision.cause !== undefined) return revision.cause;
  const { trackedConfigs = {}, lastAppliedSpec } = before;
  const { configs = {}, hash } = revision;
  if (hash !== lastAppliedSpec) return undefined;
  const keys = [...new Set([...Object.keys(trackedConfigs), ...Object.keys(configs)])];
  const changed = keys.filter((key) => trackedConfigs[key] !== configs[key]);
  return changed.length > 0 ? `configuration: ${changed.toSorted().join(', ')}` : undefined;
}

function continued(rollout: RolloutRecord, turn: Turn): RolloutRecord {
  const { steps = [], ...others } = rollout;
  return folded({ ...others, steps: [...steps, stepOf(turn)] }, stepsMax);
}

function stepOf({ seen, decision, status, before, now }: Turn): StepRecord {
  const event = eventOf(before, status);
  const { canaryWeight: weight, iterations } = status;
  if (event === 'Approved' || event === 'Rejected') {
    const said = decision.sayings.map(({ message }) => message).join('; ');
    return { at: now.wallTime, event, weight, why: clip(said, causeMax) };
  }
  const checks = event === 'Promoting' || event === 'Finalising' ? [] : checksOf(seen);
  const why = event === 'Advanced' || event === 'Started' ? '' : warningsOf(decision.sayings);
  return {
    at: now.wallTime,
    event,
    weight,
    ...(iterations > 0 ? { iteration: iterations } : {}),
    ...(checks.length > 0 ? { checks } : {}),
    ...(why === '' ? {} : { why }),
  };
}

function eventOf(before: CanaryStatus, after: CanaryStatus): StepRecord['event'] {
  const { phase } = after;
  const isSameStep = phase === before.phase && after.lastAppliedSpec === before.lastAppliedSpec;
  const decided = isSameStep ? decidedOf(before, after)?.verdict : undefined;
  if (decided !== undefined) return decided;
  if (phase === 'Promoting' || phase === 'Finalising') return phase;
  if (phase !== 'Progressing' && phase !== before.phase) return 'Waiting';
  if (before.lastAppliedSpec !== after.lastAppliedSpec || !isRunning(before)) return 'Started';
  if (after.failedChecks > before.failedChecks) return 'Halted';
  return after.canaryWeight < before.canaryWeight ? 'Lowered' : 'Advanced';
}

const isRunning = ({ phase }: CanaryStatus): boolean => underway.has(phase) && phase !== 'Waiting';

const stages = [
  'ConfirmRollout',
  'PreRollout',
  'Analysis',
  'ConfirmTrafficIncrease',
  'ConfirmPromotion',
] as const satisfies readonly Stage[];

/** Checks that were asked for this very decision. */
function checksOf(seen: Observation): readonly CheckRecord[] {
  return stages
    .flatMap((stage) => (ask(seen, stage).given ? (seen.answers[stage]?.checks ?? []) : []))
    .slice(0, checksMax)
    .map(({ name, value, ...check }) => ({
      ...check,
      name: clip(name, nameMax),
      ...(value === undefined ? {} : { value: clip(value, valueMax) }),
    }));
}

function ended(rollout: RolloutRecord, { seen, decision, status, before, now }: Turn) {
  const outcome = outcomeOf(decision, before, status);
  const why = warningsOf(decision.sayings);
  const checks = outcome === 'Failed' ? checksOf(seen) : [];
  const { steps = [], ...others } = rollout;
  const last: readonly StepRecord[] =
    checks.length === 0
      ? []
      : [{ at: now.wallTime, event: 'Halted', weight: before.canaryWeight, checks }];
  return {
    ...others,
    endedAt: now.wallTime,
    outcome,
    ...(outcome === 'Failed' && why !== '' ? { why } : {}),
    steps: [...steps, ...last],
  };
}

function outcomeOf(
  { outcome }: Decision,
  before: CanaryStatus,
  after: CanaryStatus,
): NonNullable<RolloutRecord['outcome']> {
  if (outcome === 'skipped') return 'PromotedUnanalysed';
  if (outcome === 'completed') return 'Promoted';
  return outcome === 'failed' || (after.phase === 'Failed' && before.phase !== 'Waiting')
    ? 'Failed'
    : 'Canceled';
}

const warningsOf = (sayings: readonly Saying[]): string =>
  clip(
    sayings
      .filter(({ type }) => type === 'Warning')
      .map(({ message }) => message)
      .join('; '),
    causeMax,
  );

/** One line, and no half of a character at its end. */
function clip(text: string, charactersMax: number): string {
  const characters = Array.from(text.replace(/\p{Cc}+/gu, ' '));
  if (characters.length <= charactersMax) return characters.join('');
  return `${characters.slice(0, charactersMax - 1).join('')}…`;
}

/** At most `countMax` steps: the first ones and the last ones. */
function folded(rollout: RolloutRecord, countMax: number): RolloutRecord {
  const { steps = [], folded: before = 0 } = rollout;
  const surplus = steps.length - countMax;
  if (surplus <= 0) return rollout;
  const first = Math.min(firstStepsKept, Math.floor(countMax / 2));
  const kept = [...steps.slice(0, first), ...steps.slice(first + surplus)];
  return { ...rollout, steps: kept, folded: before + surplus };
}

/** The oldest lose their steps first, then go; the newest loses its middle. */
function bounded(journal: readonly RolloutRecord[]): readonly RolloutRecord[] {
  let kept = journal.slice(-rolloutsMax);
  while (bytesOf(kept) > bytesMax) {
    const [oldest] = kept;
    const newest = kept.at(-1);
    const index = kept.findIndex((it) => it !== newest && (it.steps?.length ?? 0) > 0);
    if (index >= 0) kept = kept.map((it, at) => (at === index ? folded(it, 0) : it));
    else if (kept.length > 1) kept = kept.slice(1);
    else if (oldest?.steps === undefined || oldest.steps.length === 0) break;
    else kept = [folded(oldest, Math.floor(oldest.steps.length / 2))];
  }
  return kept.length === journal.length && kept.every((it, at) => it === journal[at])
    ? journal
    : kept;
}

/** Of JSON in UTF-8. */
const bytesOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length;
