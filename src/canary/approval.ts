/**
 * Hearing what people decided about gates: it is recorded in the status first, and said; then the
 * phase goes on with it at once, by a verdict of its own.
 */
import { decisionsOf, hasCommands, isAbout, settleCommands } from '../api/approval.ts';
import type { GateStatus } from '../api/canary.ts';
import { analysisIntervalMs } from '../api/defaults.ts';
import type { Decision } from './decision.ts';
import { nothing } from './decision.ts';
import * as say from './messages.ts';
import type { Moment, Observation } from './observation.ts';
import { statusOf } from './status.ts';

/** Undefined where nobody has decided anything since. */
export function hear(seen: Observation, now: Moment): Decision | undefined {
  return settle(seen, now) ?? record(seen, now);
}

/** A command that admission did not see: who gave it is not known here. */
function settle({ canary }: Observation, now: Moment): Decision | undefined {
  const { annotations = {} } = canary.metadata;
  if (!hasCommands(annotations)) return undefined;
  const { gates = [] } = statusOf(canary);
  const known = decisionsOf(canary);
  const settled = settleCommands(annotations, gates, known, { at: now.wallTime });
  return {
    effects: [{ kind: 'Annotate', annotations: settled.annotations }],
    sayings: settled.unmatched.map((name) => say.nothingWaits(name)),
    lookAgainAtMs: now.steadyMs,
  };
}

function record(seen: Observation, now: Moment): Decision | undefined {
  const { canary, beatAtMs } = seen;
  const status = statusOf(canary);
  const { gates: before = [] } = status;
  const decisions = decisionsOf(canary);
  const heard: GateStatus[] = [];
  const gates = before.map((gate): GateStatus => {
    // It goes as soon as the gate is asked for the revision that is there now.
    if (gate.revision !== seen.revision?.id) return gate;
    const decision = decisions.findLast((it) => isAbout(it, gate));
    if (decision === undefined) return gate;
    const { verdict, by, at } = decision;
    if (gate.verdict === verdict && gate.at === at && gate.by === by) return gate;
    const { by: _, ...undecided } = gate;
    const next = { ...undecided, verdict, at, ...(by === undefined ? {} : { by }) };
    heard.push(next);
    return next;
  });
  if (heard.length === 0) return undefined;
  // As if the last verdict lay an interval back: what was let through does not wait for the next.
  const opens = heard.some(({ verdict }) => verdict === 'Approved');
  const lastBeatAtMs = opens ? now.steadyMs - analysisIntervalMs(canary) : beatAtMs;
  return {
    ...nothing,
    status: { ...status, gates },
    sayings: heard.map((gate) => say.decided(gate)),
    ...(lastBeatAtMs === undefined ? {} : { lastBeatAtMs }),
    lookAgainAtMs: now.steadyMs,
  };
}
