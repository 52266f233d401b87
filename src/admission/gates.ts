/**
 * What admission does to a Canary that somebody annotates with a decision about a gate: says who
 * decided and when, binds it to the gate that waits, and takes the command off. What a user writes
 * about decisions themselves is put back as it was: nobody speaks in another's name.
 *
 * The gates are those of the stored status; a command for which nothing waits is warned of.
 */
import { approveAnnotation, decisionsAnnotation, rejectAnnotation } from '../api/annotations.ts';
import { decisionsOf, hasCommands, settleCommands } from '../api/approval.ts';
import type { Canary } from '../api/canary.ts';
import { canaryApiVersion } from '../api/canary.ts';
import type { StringMap } from '../api/kubernetes.ts';
import type { AdmissionAnswer, AdmissionRequest } from './review.ts';

export interface Decided {
  readonly answer: AdmissionAnswer;
  /** Whether a gate was decided that waits. */
  readonly isDecided: boolean;
}

/** `wallTime`: RFC 3339, seconds. */
export function decideGates(request: AdmissionRequest, wallTime: string): Decided {
  const canary = request.object as Canary;
  const ignored = { answer: { warnings: [] }, isDecided: false };
  if (request.kind !== 'Canary' || canary.apiVersion !== canaryApiVersion) return ignored;
  const before = request.oldObject as Canary | undefined;
  const { status, metadata = { name: '' } } = before ?? {};
  const gates = status?.gates ?? [];
  const { annotations = {} } = canary.metadata;
  const given = commandsIn(annotations);
  // A command that stands there already is another's: the controller deals with it.
  const standing = Object.entries(commandsIn(metadata.annotations)).filter(
    ([key, value]) => given[key] === value,
  );
  const left = Object.fromEntries(standing);
  const own = Object.fromEntries(
    Object.entries(annotations).filter(([key]) => left[key] === undefined),
  );
  const stamp = request.user === '' ? { at: wallTime } : { by: request.user, at: wallTime };
  const settled = settleCommands(own, gates, decisionsOf({ metadata }), stamp);
  const wanted = {
    ...canary,
    metadata: { ...canary.metadata, annotations: { ...settled.annotations, ...left } },
  };
  const waiting = gates.map(({ name }) => name).join(', ') || 'none';
  return {
    answer: {
      warnings: settled.unmatched.map(
        (name) =>
          `${canary.metadata.name}: nothing waits for gate ${name}, the decision about it has no effect ` +
          `(gates that may be decided now: ${waiting})`,
      ),
      wanted,
    },
    isDecided: hasCommands(own) && settled.annotations[decisionsAnnotation] !== undefined,
  };
}

function commandsIn(annotations: StringMap = {}): StringMap {
  return Object.fromEntries(
    [approveAnnotation, rejectAnnotation].flatMap((key) => {
      const value = annotations[key];
      return value === undefined ? [] : [[key, value]];
    }),
  );
}
