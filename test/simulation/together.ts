/**
 * Laws about several canaries in one world: how many roll out at once, and who waits for whom.
 * What needs no slot, and what gives its own up, is as docs/gates.md has it.
 */
import type { Canary } from '../../src/api/canary.ts';
import type { Change } from '../../src/cluster/controller-api.ts';
import { heardMs } from './invariants.ts';
import { targetName } from './scene.ts';
import type { Companion } from './story.ts';

const inFlight = ['Progressing', 'WaitingPromotion', 'Promoting', 'Finalising'];

const isInFlight = (canary: Canary | undefined): boolean =>
  inFlight.includes(canary?.status?.phase ?? '');

/** Whether a rollout in flight takes one of the slots. */
const takesSlot = (canary: Canary | undefined): boolean =>
  isInFlight(canary) &&
  canary?.spec.skipAnalysis !== true &&
  canary?.spec.suspend !== true &&
  canary?.status?.returning !== true;

/**
 * What a rollout that begins breaks, for people. What another one began a moment ago counts for
 * nothing yet: a watch may be late, and two processes may believe that they lead.
 */
export function createTogether({ isAwaited, atOnceMax }: Companion, nowMs: () => number) {
  const flightMs = new Map<string, number>();
  const slotMs = new Map<string, number>();
  return (change: Change): string | undefined => {
    if (change.groupResource !== 'canaries.flagger.app') return undefined;
    const [before, after] = [change.before, change.after] as (Canary | undefined)[];
    const { name } = (after ?? before)?.metadata ?? { name: '' };
    note(flightMs, name, isInFlight(after));
    note(slotMs, name, takesSlot(after));
    // The fix of a canary that serves alone, and what served lately, wait for nobody.
    const isUrgent = (before?.status?.canaryWeight ?? 0) > 0 || after?.status?.returning === true;
    if (isInFlight(before) || !isInFlight(after) || isUrgent) return undefined;
    if (atOnceMax === 1 && takesSlot(after) && isHeard(slotMs, name)) {
      return `${name} begins while another one rolls out, and one may`;
    }
    return isAwaited && name === targetName && isHeard(flightMs, name)
      ? `${name} begins in the middle of what it depends on`
      : undefined;
  };

  function note(sinceMs: Map<string, number>, name: string, holds: boolean): void {
    if (!holds) sinceMs.delete(name);
    else if (!sinceMs.has(name)) sinceMs.set(name, nowMs());
  }

  /** Whether somebody else has been at it for long enough to be known. */
  function isHeard(sinceMs: ReadonlyMap<string, number>, name: string): boolean {
    return [...sinceMs].some(([other, ms]) => other !== name && nowMs() - ms > heardMs);
  }
}
