/**
 * What must hold whatever happens: the design's invariants, each on the cluster before and after one
 * write. A law answers what broke it, for people; undefined where it holds.
 */
import type { Scene } from './scene.ts';
import {
  availablePods,
  canaryWeight,
  imageOf,
  openWeight,
  qualityOf,
  wantedPods,
} from './scene.ts';

export interface Write {
  readonly before: Scene;
  readonly after: Scene;
  /** Whether it was one of the controller's. */
  readonly isOurs: boolean;
  /** For how long the canary has been suspended; 0 where it is not. */
  readonly suspendedMs: number;
  /** For how long each side has been without the pods that it wants; 0 where it has some. */
  readonly bereftMs: { readonly target: number; readonly primary: number };
  /** There is no primary any more, and the process that acts has seen what it was, and that was good. */
  readonly isLossKnown: boolean;
}

export interface Law {
  /** Of the design. */
  readonly number: number;
  readonly sentence: string;
  readonly breach: (write: Write) => string | undefined;
}

/** What a watch may take to tell of a change, under faults. */
export const heardMs = 10_000;

const isFresh = (canary: Scene['canary']): boolean =>
  ['', 'Initializing'].includes(canary?.status?.phase ?? '');

const terminal = ['Initialized', 'Succeeded', 'Failed'];

export const laws: readonly Law[] = [
  {
    number: 1,
    sentence: 'weights sum to 100',
    breach: (write) => {
      if (!write.isOurs) return undefined;
      const wrong = write.after.weights.find((it) => it.primary + it.canary !== 100);
      return wrong && `weights are ${wrong.primary} and ${wrong.canary}`;
    },
  },
  {
    number: 1,
    sentence: 'no backend gets traffic without a ready pod',
    breach: (write) => {
      if (!write.isOurs) return undefined;
      const { before, after } = write;
      if (after.weights.length === 0) return undefined;
      const lacks = (side: 'target' | 'primary'): boolean =>
        availablePods(after[side]) === 0 && write.bereftMs[side] > heardMs;
      if (canaryWeight(after) > canaryWeight(before) && lacks('target')) {
        return 'the canary gets more traffic and has no ready pod';
      }
      const primary = 100 - openWeight(after);
      const was = before.weights.length === 0 ? 0 : 100 - openWeight(before);
      // A route that somebody deleted is put back as it was; until the primary takes over, there is none.
      const share = after.canary?.status?.canaryWeight ?? 0;
      const isRepair = before.weights.length === 0 && !isFresh(after.canary);
      if (isRepair && openWeight(after) === share) return undefined;
      // Back to the primary is the way out, whatever it is like: the canary has failed by then.
      const isWayOut = availablePods(after.target) === 0 || isFailing(after);
      return primary > was && lacks('primary') && !isWayOut
        ? 'the primary gets more traffic and has no ready pod'
        : undefined;
    },
  },
  {
    number: 2,
    sentence: 'what is halted, failed or waiting gets no more traffic than it has',
    breach: (write) => {
      if (!write.isOurs) return undefined;
      const { before, after } = write;
      const [was, is] = [canaryWeight(before), canaryWeight(after)];
      const phase = after.canary?.status?.phase ?? '';
      if (is <= was) return undefined;
      if (write.suspendedMs > heardMs) return 'a suspended canary gets more traffic';
      // A route that somebody deleted is put back as it was.
      const isRepair = before.weights.length === 0 && phase === 'Promoting';
      const mayGrow = phase === 'Progressing' || phase === 'WaitingPromotion' || isRepair;
      const isEmergency = is === 100 && availablePods(after.primary) === 0;
      return mayGrow || isEmergency ? undefined : `it gets more traffic in phase ${phase}`;
    },
  },
  {
    number: 3,
    sentence: 'at a terminal phase all traffic is on the primary, which serves',
    breach: ({ before, after }) => {
      const phase = after.canary?.status?.phase ?? '';
      const came = phase !== (before.canary?.status?.phase ?? '');
      if (!came || !terminal.includes(phase)) return undefined;
      const weight = canaryWeight(after);
      const isStuck = phase === 'Failed' && availablePods(after.primary) === 0;
      return weight > 0 && !isStuck ? `the canary has weight ${weight} in ${phase}` : undefined;
    },
  },
  {
    number: 3,
    sentence: 'the side that is scaled down takes no traffic',
    breach: ({ before, after, isOurs }) => {
      if (!isOurs || before.target === undefined || after.target === undefined) return undefined;
      if (wantedPods(after.target) > 0 || wantedPods(before.target) === 0) return undefined;
      const weight = canaryWeight(after);
      return weight > 0 ? `the target is scaled down and has weight ${weight}` : undefined;
    },
  },
  {
    number: 4,
    sentence: 'the primary only ever runs what passed its analysis',
    breach: ({ before, after, isLossKnown }) => {
      if (after.canary?.spec.skipAnalysis === true) return undefined;
      if (before.primary === undefined) {
        // Where nobody has seen what was deleted, there is only the target to make it of again.
        const isBad = after.primary !== undefined && qualityOf(imageOf(after.primary)) !== 'good';
        return isLossKnown && isBad
          ? `the primary that was deleted comes back as ${imageOf(after.primary)}`
          : undefined;
      }
      // Until it has taken over, the newest revision is the first; traffic is on the target still.
      if (isFresh(after.canary)) return undefined;
      const image = imageOf(after.primary);
      if (image !== imageOf(before.primary) && qualityOf(image) !== 'good') {
        return `the primary runs ${image}`;
      }
      const quality = after.primaryConfig?.data?.['quality'];
      const changed = quality !== before.primaryConfig?.data?.['quality'];
      return changed && quality === 'bad' ? 'the primary reads a bad configuration' : undefined;
    },
  },
];

/** Whether the canary's own revision is known not to serve. */
const isFailing = ({ target }: Scene): boolean => qualityOf(imageOf(target)) !== 'good';

/** The end of the story: what must be so when nothing goes wrong any more. */
export interface Exemptions {
  /** The primary was made of something bad, because a user had deleted what was good. */
  readonly isRemade: boolean;
  /** A user asked for replicas; where no webhook was there to hold them, pods idle. */
  readonly isResized: boolean;
}

export function unsettled(scene: Scene, { isRemade, isResized }: Exemptions): string | undefined {
  const { canary, target, primary, config, primaryConfig } = scene;
  const phase = canary?.status?.phase ?? '';
  // A first revision that never gets ready waits for somebody who mends it.
  if (phase === 'Initializing' && qualityOf(imageOf(target)) === 'unready') return undefined;
  if (!terminal.includes(phase)) return `the phase is ${phase || 'none'}`;
  if (canary?.status?.draining === true) return 'pods still drain';
  if (target === undefined || primary === undefined) return 'a workload is missing';
  // Made of what never serves, it leaves users with the only pods that there are (seed 50056).
  if (isRemade && phase === 'Failed' && availablePods(primary) === 0) return undefined;
  if (canaryWeight(scene) > 0) return `the canary has weight ${canaryWeight(scene)}`;
  if (target.isScaled && target.wantedPods > 0 && !isResized)
    return 'the target is not scaled down';
  const isServing = availablePods(primary) >= wantedPods(primary);
  // Until its deadline has passed it has not failed.
  if (isRemade) return isServing || phase === 'Failed' ? undefined : 'the primary does not serve';
  if (!isServing) return 'the primary does not serve';
  const wanted = [imageOf(target), config?.data?.['serial']].join(' ');
  const runs = [imageOf(primary), primaryConfig?.data?.['serial']].join(' ');
  const isGood = qualityOf(imageOf(target)) === 'good' && config?.data?.['quality'] !== 'bad';
  if (canary?.spec.skipAnalysis === true) return undefined;
  if (isGood && wanted !== runs) return `the primary runs ${runs}, wanted is ${wanted} (${phase})`;
  if (!isGood && wanted === runs) return `the primary runs ${runs}, which is bad`;
  if (!isGood && phase !== 'Failed') return `a bad revision ended ${phase}`;
  return undefined;
}
