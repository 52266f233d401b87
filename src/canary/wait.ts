/** What a wait at a gate comes to: the gates of our own that stand in the way, and what is said. */
import type { CanaryStatus, GateStatus, GateType } from '../api/canary.ts';
import { rollbackGates, waitAt } from './gates.ts';
import * as say from './messages.ts';
import type { Moment, Observation, Saying } from './observation.ts';
import { statusOf } from './status.ts';

export interface Wait {
  /** Gates of the type that was asked for; none where somebody else's hook refused. */
  readonly gates: readonly GateStatus[];
  /** Whether one of them did not wait before. */
  readonly isNew: boolean;
  readonly sayings: readonly Saying[];
  /** To be written where no step and no phase changes; empty where it would say the same. */
  readonly status: { readonly status?: CanaryStatus };
}

interface Refusal {
  readonly waitsForGate: boolean;
  readonly sayings: readonly Saying[];
}

export function waitFor(
  seen: Observation,
  type: GateType,
  { waitsForGate, sayings }: Refusal,
  { wallTime }: Moment,
): Wait {
  const { canary, revision } = seen;
  const { gates: known = [], ...others } = statusOf(canary);
  const stand = { revision: revision?.id ?? '', wallTime };
  const gates = waitsForGate ? waitAt(canary, known, type, stand) : [];
  const isNew = gates.some((gate) => !known.includes(gate));
  const next = [...gates, ...rollbackGates(canary, known, others.phase, stand)];
  const stands = next.length === known.length && next.every((gate, index) => gate === known[index]);
  return {
    gates,
    isNew,
    sayings: isNew ? [...sayings, say.howToDecide(canary, gates)] : sayings,
    status: stands ? {} : { status: { ...others, ...(next.length > 0 ? { gates: next } : {}) } },
  };
}
