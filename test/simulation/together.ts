/** Laws about several canaries in one world: how many roll out at once, and who waits for whom. */
import type { Canary } from '../../src/api/canary.ts';
import type { Change } from '../../src/cluster/controller-api.ts';
import { heardMs } from './invariants.ts';
import { targetName } from './scene.ts';
import type { Companion } from './story.ts';

const inFlight = ['Progressing', 'WaitingPromotion', 'Promoting', 'Finalising'];

const flies = (object: Change['after']): boolean =>
  inFlight.includes((object as Canary | undefined)?.status?.phase ?? '');

/**
 * What a rollout that begins breaks, for people. What another one began a moment ago counts for
 * nothing yet: a watch may be late, and two processes may believe that they lead.
 */
export function createTogether({ isAwaited, atOnceMax }: Companion, nowMs: () => number) {
  const sinceMs = new Map<string, number>();
  return ({ groupResource, before, after }: Change): string | undefined => {
    if (groupResource !== 'canaries.flagger.app') return undefined;
    const { name } = (after ?? before)?.metadata ?? { name: '' };
    const begins = flies(after) && !flies(before);
    if (!flies(after)) sinceMs.delete(name);
    if (!begins) return undefined;
    const others = [...sinceMs].filter(([, beganMs]) => nowMs() - beganMs > heardMs);
    sinceMs.set(name, nowMs());
    if (others.length === 0) return undefined;
    if (atOnceMax === 1) return `${name} begins while another one rolls out, and one may`;
    const waits = isAwaited && name === targetName;
    return waits ? `${name} begins in the middle of what it depends on` : undefined;
  };
}
