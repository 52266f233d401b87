/**
 * What the demo does by itself: releases, one after the other, each with the end that it must come
 * to. Whether it has come there is read from how things stand, never from the order of events.
 */
import type { Phase } from '../../api/canary.ts';
import { linkedAbort, onAbort } from '../../kube/abort.ts';
import type { Clock } from '../../kube/clock.ts';

export type ScriptName = 'tour' | 'promote' | 'rollback' | 'configmap';

export type Change =
  | { readonly kind: 'Release'; readonly tag: string }
  | { readonly kind: 'Configure'; readonly greeting: string };

export interface Act {
  readonly change: Change;
  readonly end: 'Promoted' | 'RolledBack';
  /** What is told while it happens. */
  readonly told: string;
}

/** How things stand with the Canary and its primary. */
export interface Standing {
  readonly phase: Phase;
  /** Differs between revisions, of code or configuration, that the controller acted on. */
  readonly revision: string;
  /** Whether that revision is the one that the primary was made to run. */
  readonly isPromoted: boolean;
  /** Percent of the traffic that the route sends to the canary. */
  readonly canaryWeight: number;
  /** Whether the side that is not needed is still to be scaled down. */
  readonly isDraining: boolean;
  readonly primary: { readonly tag: string; readonly greeting: string };
}

const good =
  'A good release: traffic moves to it step by step, each step is judged by its metrics, then it is promoted.';
const badRelease =
  'A bad release: 3 of 10 requests to it fail. Two failed checks, and all traffic is back on the primary.';
const configuration =
  'A changed ConfigMap is a new revision, too: it is analysed like one, and promoted with its code.';

export const scripts: Readonly<Record<ScriptName, readonly Act[]>> = {
  tour: [
    { change: { kind: 'Release', tag: '2.0.0' }, end: 'Promoted', told: good },
    { change: { kind: 'Release', tag: '3.0.0-bad' }, end: 'RolledBack', told: badRelease },
  ],
  promote: [{ change: { kind: 'Release', tag: '2.0.0' }, end: 'Promoted', told: good }],
  rollback: [
    { change: { kind: 'Release', tag: '2.0.0-bad' }, end: 'RolledBack', told: badRelease },
  ],
  configmap: [
    { change: { kind: 'Configure', greeting: 'good day' }, end: 'Promoted', told: configuration },
  ],
};

export const isScriptName = (text: string): text is ScriptName => Object.hasOwn(scripts, text);

export type Outcome =
  | { readonly kind: 'Pending' }
  | { readonly kind: 'Reached' }
  /** It came to another end, which it will not leave by itself. */
  | { readonly kind: 'Missed'; readonly reason: string };

/** How an act stands, given how things stood before it. Pure. */
export function outcomeOf(act: Act, before: Standing, now: Standing): Outcome {
  const isNew = now.revision !== before.revision;
  const isQuiet = now.canaryWeight === 0 && !now.isDraining;
  if (!isNew || !isQuiet) return { kind: 'Pending' };
  if (now.phase === 'Succeeded' && now.isPromoted) {
    if (act.end === 'RolledBack') return missed(`${named(act)} was promoted, not rolled back`);
    return runs(now, act.change) ? { kind: 'Reached' } : { kind: 'Pending' };
  }
  if (now.phase === 'Failed') {
    if (act.end === 'Promoted') return missed(`${named(act)} was rolled back, not promoted`);
    const isKept = sameCode(before, now);
    return isKept ? { kind: 'Reached' } : missed('the primary does not run what it ran before');
  }
  return { kind: 'Pending' };
}

const missed = (reason: string): Outcome => ({ kind: 'Missed', reason });

const sameCode = ({ primary: before }: Standing, { primary: after }: Standing): boolean =>
  before.tag === after.tag && before.greeting === after.greeting;

const runs = ({ primary }: Standing, change: Change): boolean =>
  change.kind === 'Release' ? primary.tag === change.tag : primary.greeting === change.greeting;

const named = ({ change }: Act): string =>
  change.kind === 'Release' ? `the release ${change.tag}` : 'the configuration';

/** Ready to be released to: nothing goes on that a release would meet. */
export const isAtRest = ({ phase, canaryWeight, isDraining }: Standing): boolean =>
  (phase === 'Initialized' || phase === 'Succeeded' || phase === 'Failed') &&
  canaryWeight === 0 &&
  !isDraining;

export interface Theatre {
  /** Undefined before the Canary has a status. */
  standing(): Standing | undefined;
  /** Calls back after every change of what `standing` is made of. Answers how to stop. */
  onChange(listener: () => void): () => void;
  make(change: Change, signal: AbortSignal): Promise<void>;
  tell(text: string): void;
  /** Between two acts, so that people see how the first one ended. */
  readonly pauseMs: number;
  readonly clock: Clock;
  /** For one act to come to its end, by that clock. */
  readonly actMsMax: number;
}

/** Plays all acts. Rejects with a reason where one does not come to its end. */
export async function play(
  acts: readonly Act[],
  theatre: Theatre,
  signal: AbortSignal,
): Promise<void> {
  for (const act of acts) {
    const before = await standsSo(theatre, 'the cluster to come to rest', isAtRest, signal);
    await theatre.clock.sleep(theatre.pauseMs, signal);
    theatre.tell(act.told);
    await theatre.make(act.change, signal);
    const isOver = (now: Standing): boolean => outcomeOf(act, before, now).kind !== 'Pending';
    const after = await standsSo(theatre, `${named(act)} to come to its end`, isOver, signal);
    const outcome = outcomeOf(act, before, after);
    if (outcome.kind === 'Missed') throw new Error(outcome.reason);
  }
}

/** Resolves with how things stand once they stand so; rejects when that takes too long. */
export async function standsSo(
  {
    standing,
    onChange,
    clock,
    actMsMax,
  }: Pick<Theatre, 'standing' | 'onChange' | 'clock' | 'actMsMax'>,
  what: string,
  holds: (now: Standing) => boolean,
  signal: AbortSignal,
): Promise<Standing> {
  const ended = linkedAbort(signal);
  try {
    return await new Promise((resolve, reject) => {
      const look = (): void => {
        const now = standing();
        if (now !== undefined && holds(now)) resolve(now);
      };
      const stop = onChange(look);
      onAbort(ended.signal, stop);
      const late = (): void => {
        const phase = standing()?.phase ?? 'no phase';
        reject(new Error(`waited ${Math.round(actMsMax / 1000)} s for ${what}: it is ${phase}`));
      };
      clock.sleep(actMsMax, ended.signal).then(late, reject);
      look();
    });
  } finally {
    ended.abort(new Error('no longer awaited'));
    ended.unlink();
  }
}
