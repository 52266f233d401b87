/**
 * Gates that Aviary keeps itself: hooks without a URL, opened or refused by an annotation.
 *
 *   kubectl annotate canary podinfo aviary.dev/approve=ship
 *
 * Such a command is for once. Who sees it first, admission or else the controller, turns it into a
 * decision about the gate that waits at that moment (`status.gates`: its revision, and since when),
 * and takes the command off the object: it can open nothing that waits later.
 */
import { approveAnnotation, decisionsAnnotation, rejectAnnotation } from './annotations.ts';
import type { Canary, CanaryWebhook, GateStatus, GateType, GateVerdict } from './canary.ts';
import type { StringMap } from './kubernetes.ts';

const gateTypes: readonly string[] = [
  'confirm-rollout',
  'confirm-traffic-increase',
  'confirm-promotion',
  'rollback',
] satisfies readonly GateType[];

export const isGateType = (type: string): type is GateType => gateTypes.includes(type);

/** Whether a hook is a gate of our own, which nobody is called for. */
export const isBuiltInGate = ({ url }: CanaryWebhook): boolean => url === undefined;

/** What somebody decided about one gate at one time. */
export interface GateDecision {
  readonly gate: string;
  readonly type: GateType;
  readonly revision: string;
  /** Since when the gate waited: tells one wait from another. */
  readonly since: string;
  readonly verdict: GateVerdict;
  /** User name as the API server knows it; absent where admission did not see the command. */
  readonly by?: string;
  /** RFC 3339, seconds. */
  readonly at: string;
}

export interface Settled {
  /** The object's annotations afterwards: without commands, with the decisions that stand. */
  readonly annotations: StringMap;
  /** Names in commands for which nothing waits. */
  readonly unmatched: readonly string[];
}

/** Names in one command: more help nobody. */
const namesMax = 32;

export function hasCommands(annotations: StringMap = {}): boolean {
  return (
    annotations[approveAnnotation] !== undefined || annotations[rejectAnnotation] !== undefined
  );
}

/**
 * Turns commands into decisions about the gates that wait. `known` are the decisions that were there
 * before; whatever else the object says about decisions was written by somebody who may not.
 * A gate that is approved and rejected at once is rejected.
 */
export function settleCommands(
  annotations: StringMap,
  gates: readonly GateStatus[],
  known: readonly GateDecision[],
  stamp: Pick<GateDecision, 'by' | 'at'>,
): Settled {
  const {
    [approveAnnotation]: approve,
    [rejectAnnotation]: reject,
    [decisionsAnnotation]: _,
    ...others
  } = annotations;
  const approved = namesIn(approve);
  const rejected = namesIn(reject);
  const fresh = gates.flatMap((gate): readonly GateDecision[] => {
    const isNamed = (name: string): boolean => names(name, gate);
    const verdict = rejected.some(isNamed)
      ? 'Rejected'
      : approved.some(isNamed)
        ? 'Approved'
        : undefined;
    if (verdict === undefined) return [];
    const { name, type, revision, since } = gate;
    return [{ gate: name, type, revision, since, verdict, ...stamp }];
  });
  const standing = known.filter(
    (decision) =>
      gates.some((gate) => isAbout(decision, gate)) &&
      !fresh.some((it) => it.gate === decision.gate && it.type === decision.type),
  );
  const decisions = [...standing, ...fresh];
  const unmatched = [...new Set([...approved, ...rejected])].filter(
    (name) => !gates.some((gate) => names(name, gate)),
  );
  return {
    annotations: {
      ...others,
      ...(decisions.length > 0 ? { [decisionsAnnotation]: JSON.stringify(decisions) } : {}),
    },
    unmatched,
  };
}

const namesIn = (command = ''): readonly string[] =>
  command
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .slice(0, namesMax);

/** `HOOK`, or `HOOK@REVISION` for who wants to be sure which revision is meant. */
const names = (text: string, { name, revision }: GateStatus): boolean =>
  text === name || text === `${name}@${revision}`;

export const isAbout = (decision: GateDecision, gate: GateStatus): boolean =>
  decision.gate === gate.name &&
  decision.type === gate.type &&
  decision.revision === gate.revision &&
  decision.since === gate.since;

/** The decisions on an object; what cannot be read is none. */
export function decisionsOf({ metadata }: Pick<Canary, 'metadata'>): readonly GateDecision[] {
  const text = metadata.annotations?.[decisionsAnnotation];
  if (text === undefined) return [];
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list.filter(isDecision) : [];
  } catch {
    return [];
  }
}

function isDecision(value: unknown): value is GateDecision {
  if (typeof value !== 'object' || value === null) return false;
  const fields: Readonly<Record<string, unknown>> = { ...value };
  const isText = (field: string): boolean => typeof fields[field] === 'string';
  const isVerdict = fields['verdict'] === 'Approved' || fields['verdict'] === 'Rejected';
  return (
    isVerdict &&
    ['gate', 'type', 'revision', 'since', 'at'].every(isText) &&
    (fields['by'] === undefined || isText('by'))
  );
}
