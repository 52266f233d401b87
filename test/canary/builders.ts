/**
 * What the core looks at, with everything in order unless a test says otherwise: canary podinfo,
 * which runs v1 on both sides and is at rest.
 */
import { createHash } from 'node:crypto';
import type {
  Canary,
  CanaryAnalysis,
  CanarySpec,
  CanaryStatus,
  CanaryWebhook,
} from '../../src/api/canary.ts';
import type { Decision, Effect } from '../../src/canary/decision.ts';
import type {
  Moment,
  Observation,
  Readiness,
  RevisionView,
  Stage,
  WorkloadView,
} from '../../src/canary/observation.ts';
import { revisionOf } from '../../src/revision/hash.ts';

export const intervalMs = 10_000;

/** Hash of the pod template of a revision that tests call `v1`, `v2` and so on. */
export const hashOf = (revision: string): string =>
  `v1-${createHash('sha256').update(revision).digest('hex').slice(0, 16)}`;

export const idOf = (revision: string): string => revisionOf(hashOf(revision), {});

export const stepping: CanaryAnalysis = {
  interval: '10s',
  threshold: 2,
  stepWeight: 50,
  maxWeight: 50,
};

/** One hook of each type, named as people would. */
export const allHooks: readonly CanaryWebhook[] = [
  { type: 'confirm-rollout', name: 'start', url: 'http://hooks/' },
  { type: 'rollback', name: 'kill', url: 'http://hooks/' },
  { type: 'pre-rollout', name: 'smoke', url: 'http://hooks/' },
  { type: 'rollout', name: 'load', url: 'http://hooks/' },
  { type: 'confirm-traffic-increase', name: 'more', url: 'http://hooks/' },
  { type: 'confirm-promotion', name: 'ship', url: 'http://hooks/' },
  { type: 'post-rollout', name: 'tell', url: 'http://hooks/' },
];

export const hooks = (...types: readonly CanaryWebhook['type'][]): readonly CanaryWebhook[] =>
  allHooks.filter(({ type }) => types.includes(type));

export function canaryOf(
  analysis: CanaryAnalysis | undefined = stepping,
  spec: Partial<CanarySpec> = {},
): Canary {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'podinfo', namespace: 'default', uid: 'c1', generation: 1 },
    spec: {
      provider: 'istio',
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo' },
      service: { port: 80 },
      analysis: { interval: '10s', ...analysis },
      ...spec,
    },
  };
}

export const settled: CanaryStatus = {
  phase: 'Succeeded',
  failedChecks: 0,
  canaryWeight: 0,
  iterations: 0,
  lastAppliedSpec: hashOf('v1'),
  lastPromotedSpec: hashOf('v1'),
  trackedConfigs: {},
  trackedTarget: { uid: 't1', generation: 1 },
  lastTransitionTime: '2026-01-01T00:00:00Z',
  conditions: [],
};

export const ready: Readiness = { kind: 'Ready' };
export const rolling: Readiness = { kind: 'NotReady', message: 'rolling out', retriable: true };
export const stuck: Readiness = { kind: 'NotReady', message: 'past deadline', retriable: false };

export const running: WorkloadView = { replicas: 2, availablePods: 2, readiness: ready };
export const idle: WorkloadView = { replicas: 0, availablePods: 0, readiness: ready };

export const revisionView = (revision: string, change: RevisionView['change']): RevisionView => ({
  hash: hashOf(revision),
  id: idOf(revision),
  configs: {},
  tracked: { uid: 't1', generation: 1 },
  change,
});

export const split = (canary: number, mirrored = false) => ({
  primary: 100 - canary,
  canary,
  mirrored,
});

/** Time of every table test, and an interval after the last transition of its observation. */
export const now: Moment = { steadyMs: 100_000, wallTime: '2026-01-01T00:01:40Z' };

/** Ready for half a second: gateways may not know its pods. */
export const settling: WorkloadView = { ...running, readySinceMs: now.steadyMs - 500 };

export interface Given {
  readonly canary?: Canary;
  readonly status?: Partial<CanaryStatus>;
  readonly target?: Partial<WorkloadView>;
  readonly primary?: Partial<WorkloadView>;
  readonly more?: Partial<Observation>;
}

/** At rest on v1 unless told otherwise. */
export function observationOf({ canary = canaryOf(), ...given }: Given = {}): Observation {
  return {
    canary: { ...canary, status: { ...settled, ...given.status } },
    abilities: { weights: true, mirroring: true },
    target: { ...idle, ...given.target },
    primary: { ...running, revision: idOf('v1'), ...given.primary },
    revision: revisionView('v1', 'Unchanged'),
    scaleUpReplicas: 2,
    split: split(0),
    answers: {},
    transitionAtMs: now.steadyMs - intervalMs,
    cookieValues: { canary: 'aaaaaaaaaa', primary: 'bbbbbbbbbb' },
    ...given.more,
  };
}

/** The canary runs v2 and is being analysed. */
export function analysing({ status, target, more, ...given }: Given = {}): Observation {
  const canaryWeight = status?.canaryWeight ?? 0;
  return observationOf({
    ...given,
    status: { phase: 'Progressing', lastAppliedSpec: hashOf('v2'), ...status },
    target: { ...running, ...target },
    more: { revision: revisionView('v2', 'Unchanged'), split: split(canaryWeight), ...more },
  });
}

/** Answers whatever `decide` asks, until it asks nothing more. */
export function answering(
  decide: (seen: Observation, moment: Moment) => Decision,
  seen: Observation,
  passes: (stage: Stage) => boolean,
): { readonly decision: Decision; readonly asked: readonly Stage[] } {
  const asked: Stage[] = [];
  let answers = seen.answers;
  for (;;) {
    const decision = decide({ ...seen, answers }, now);
    if (decision.question === undefined) return { decision, asked };
    const { stage, id } = decision.question;
    if (asked.includes(stage)) throw new Error(`${stage} is asked twice`);
    asked.push(stage);
    answers = { ...answers, [stage]: { id, passed: passes(stage), sayings: [] } };
  }
}

/** What goes with every decision and says nothing about it. */
const upkept = new Set<Effect['kind']>([
  'EnsureSideServices',
  'EnsurePrimary',
  'EnsureApexService',
  'EnsureAutoscaler',
  'ClaimTarget',
]);

/**
 * A decision in a few lines: effects other than upkeep, the status (phase, weight, iterations), what
 * is said, what is asked, and when the next look is due, in seconds from now.
 */
export function gist(decision: Decision): readonly string[] {
  const { effects, status, sayings, closing = [], question, lookAgainAtMs } = decision;
  const said = [...sayings, ...closing];
  return [
    ...effects.filter(({ kind }) => !upkept.has(kind)).map(textOf),
    ...(status === undefined ? [] : [statusText(status)]),
    ...said.map(({ type, message }) => (type === 'Warning' ? `! ${message}` : message)),
    ...(question === undefined ? [] : [`? ${question.stage}`]),
    ...(lookAgainAtMs === undefined ? [] : [`again +${(lookAgainAtMs - now.steadyMs) / 1000}s`]),
  ];
}

function textOf(effect: Effect): string {
  if (effect.kind === 'Route') {
    const { primary, canary, mirrored } = effect.split;
    return `Route ${primary}:${canary}${mirrored ? ' mirrored' : ''}`;
  }
  if (effect.kind === 'ScaleTarget') return `ScaleTarget ${effect.replicas}`;
  return effect.kind === 'EnsureFinalizer' ? `EnsureFinalizer ${effect.present}` : effect.kind;
}

function statusText({ phase, canaryWeight, iterations, failedChecks, draining }: CanaryStatus) {
  const failed = failedChecks > 0 ? ` failed=${failedChecks}` : '';
  return `→ ${phase} ${canaryWeight} ${iterations}${failed}${draining === true ? ' draining' : ''}`;
}
