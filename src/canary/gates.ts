/**
 * Gates of our own: hooks without a URL that people open by annotation (`api/approval.ts`).
 *
 * The status lists those that may be decided now. A gate in it stands for one wait: it goes when the
 * step is taken, the revision replaced or the run over, and what was decided about it goes along.
 * Rollback gates may be opened at any time of a rollout.
 */
import { isBuiltInGate } from '../api/approval.ts';
import type {
  Canary,
  CanaryStatus,
  CanaryWebhook,
  GateStatus,
  GateType,
  Phase,
} from '../api/canary.ts';
import { hooksOf } from '../api/defaults.ts';

/** Phases in which a rollback gate means something. */
const abortable: readonly Phase[] = ['Waiting', 'Progressing', 'WaitingPromotion'];

const isOf =
  (hook: Pick<CanaryWebhook, 'name' | 'type'>) =>
  ({ name, type }: GateStatus): boolean =>
    name === hook.name && type === hook.type;

/** Whether somebody let this revision through: what was said of another one does not count. */
export function isApproved(
  { gates = [] }: CanaryStatus,
  hook: CanaryWebhook,
  revision: string,
): boolean {
  const gate = gates.find(isOf(hook));
  return gate?.verdict === 'Approved' && gate.revision === revision;
}

/** Whether a gate of a type waits for a revision that another one has replaced. */
export const waitsForAnother = (
  { gates = [] }: CanaryStatus,
  type: GateType,
  revision: string,
): boolean => gates.some((gate) => gate.type === type && gate.revision !== revision);

/** A rollback gate that somebody opened for this revision. */
export const openedRollback = (
  { gates = [] }: CanaryStatus,
  revision: string | undefined,
): GateStatus | undefined =>
  gates.find(
    (gate) => gate.type === 'rollback' && gate.verdict === 'Approved' && gate.revision === revision,
  );

/** Whether somebody let through what no verdict has used yet, as far as the status can tell. */
export const hasApproval = ({ gates = [] }: CanaryStatus): boolean =>
  gates.some(({ type, verdict }) => type !== 'rollback' && verdict === 'Approved');

interface Stand {
  readonly revision: string;
  /** RFC 3339, seconds. */
  readonly wallTime: string;
}

/** The gates of one type, which now wait for `revision`; those that do already are left as they are. */
export function waitAt(
  canary: Canary,
  known: readonly GateStatus[],
  type: GateType,
  { revision, wallTime }: Stand,
): readonly GateStatus[] {
  return hooksOf(canary, type)
    .filter(isBuiltInGate)
    .map(
      ({ name }) =>
        known.find((gate) => isOf({ name, type })(gate) && gate.revision === revision) ?? {
          name,
          type,
          revision,
          since: wallTime,
        },
    );
}

/** The rollback gates of a phase: they stand from the beginning of a rollout to its end. */
export function rollbackGates(
  canary: Canary,
  known: readonly GateStatus[],
  phase: Phase,
  stand: Stand,
): readonly GateStatus[] {
  return abortable.includes(phase) ? waitAt(canary, known, 'rollback', stand) : [];
}
