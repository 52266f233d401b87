/** What the user is told when a change of a target is applied: one or two plain sentences. */
import { isBuiltInGate } from '../api/approval.ts';
import type { Canary } from '../api/canary.ts';
import { analysisIntervalMs, hooksOf, skipsAnalysis, strategyOf } from '../api/defaults.ts';
import { dependenciesOf } from '../api/dependencies.ts';
import { formatDuration } from '../api/duration.ts';
import type { HeldPart } from '../targets/target-kind.ts';

export interface Change {
  readonly canary: Canary;
  /** Whether what is released changes. */
  readonly changed: boolean;
  /** Of what is released. */
  readonly hash: string;
  /** Whether the revision served until lately, and is promoted without analysis. */
  readonly returns: boolean;
  /** Replicas that the manifest asks for, where these are others than there are. */
  readonly asked: number | undefined;
  /** What the canary keeps, whatever the manifest says. */
  readonly held: HeldPart | undefined;
}

export function warningsFor(change: Change): string[] {
  const { canary, changed, held } = change;
  const { name } = canary.spec.targetRef;
  const warnings: string[] = [];
  if (changed) warnings.push(`${name}: ${effectOf(change)}`);
  if (held !== undefined) warnings.push(`${name}: ${stays(held, change)}`);
  return warnings;
}

function stays(held: HeldPart, { asked = 0 }: Change): string {
  switch (held.kind) {
    case 'Idle':
      return 'stays without pods, the canary holds it until its next revision';
    case 'Traffic':
      return 'its latest revision gets no more traffic by this, the canary holds spec.traffic';
    case 'Replicas': {
      const { replicas } = held;
      const when = replicas === 0 ? 'when its next revision is brought up' : 'with the next change';
      const later = asked === 0 ? '' : `; ${asked} are used ${when}`;
      return `replicas stay at ${replicas}, the canary holds them${later}`;
    }
  }
}

function effectOf({ canary, hash, returns }: Change): string {
  const { phase = '', canaryWeight = 0, lastAppliedSpec, lastPromotedSpec } = canary.status ?? {};
  if (canary.spec.suspend === true)
    return 'its Canary is suspended, nothing happens until it is resumed';
  const promoted = hash === lastPromotedSpec;
  switch (phase) {
    case 'Initialized':
    case 'Succeeded':
    case 'Failed':
      if (promoted) return 'this is the revision that the primary runs, nothing is analysed';
      if (phase === 'Failed' && hash === lastAppliedSpec) {
        return 'this revision failed its analysis before, and is not analysed again unless it changes';
      }
      return returns ? returning(canary) : startOf(canary);
    case 'Waiting':
      return promoted
        ? 'the change that waits for approval is taken back'
        : 'the change that waits for approval is replaced by this one';
    case 'Progressing':
    case 'WaitingPromotion':
      return promoted
        ? `is mid-analysis at weight ${canaryWeight}; this takes the change back and ends the analysis`
        : `is mid-analysis at weight ${canaryWeight}; ${returns ? returning(canary) : 'this restarts it'}`;
    case 'Promoting':
    case 'Finalising':
      return 'another revision is being promoted; this one is analysed after that';
    case 'Terminating':
    case 'Terminated':
      return 'its Canary is being deleted, this is rolled out at once';
    case '':
    case 'Initializing':
      return 'its Canary is being initialized, this is part of the first revision';
  }
}

const returning = ({ spec }: Canary): string =>
  `this revision served within ${spec.analysis?.rollbackWindow ?? ''}, it is promoted without analysis`;

/** What starts, when, and how long it takes at the least. */
function startOf(canary: Canary): string {
  return [...conditionsOf(canary), analysisOf(canary)].join(' ');
}

/** What must be so before anything starts, as far as the spec says it. */
function conditionsOf(canary: Canary): readonly string[] {
  const others = dependenciesOf(canary).map(({ namespace, name }) => `${name}.${namespace}`);
  const gates = hooksOf(canary, 'confirm-rollout').filter(isBuiltInGate);
  const shown = (names: readonly string[]): string => names.slice(0, namesMax).join(', ');
  const after = [
    ...(others.length > 0 ? [`canary ${shown(others)} is done`] : []),
    ...(gates.length > 0 ? [`gate ${shown(gates.map(({ name }) => name))} is approved`] : []),
  ];
  return after.length > 0 ? [`once ${after.join(' and ')},`] : [];
}

const namesMax = 3;

function analysisOf(canary: Canary): string {
  if (skipsAnalysis(canary)) return 'this is promoted without analysis';
  const intervalMs = analysisIntervalMs(canary);
  const every = inWords(intervalMs);
  const {
    stepWeight = 0,
    stepWeights = [],
    maxWeight = 100,
    iterations = 0,
  } = canary.spec.analysis ?? {};
  if (strategyOf(canary) !== 'canary') {
    const kind = strategyOf(canary) === 'ab-testing' ? 'an A/B test' : 'a blue/green analysis';
    const least = inWords((iterations + 1) * intervalMs);
    return `this starts ${kind} of ${iterations} iterations every ${every}, at least ${least} to promotion`;
  }
  const weights = weightsOf(stepWeight, stepWeights, maxWeight);
  const least = inWords((weights.length + 1) * intervalMs);
  const shown =
    weights.length > 8
      ? `${weights.slice(0, 7).join(', ')} ... ${weights.at(-1)}`
      : weights.join(', ');
  return `this starts a canary analysis (weights ${shown} every ${every}, at least ${least} to promotion)`;
}

/** `6m` rather than the `6m0s` that durations are written as. */
const inWords = (ms: number): string =>
  formatDuration(ms).replace(/m0s$/, 'm').replace(/h0m$/, 'h');

function weightsOf(step: number, steps: readonly number[], max: number): readonly number[] {
  if (step <= 0) return steps;
  const count = Math.max(1, Math.ceil((max > 0 ? max : 100) / step));
  return Array.from({ length: count }, (_, index) => Math.min(100, (index + 1) * step));
}
