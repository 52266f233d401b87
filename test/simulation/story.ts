/**
 * A story is all that a simulated run depends on, as plain data: a canary or two, what their users do, and
 * what goes wrong. The same seed tells the same story, and a story can be told again with less in it.
 */
import type { CanaryAnalysis, CanarySpec } from '../../src/api/canary.ts';
import { supportedProviders } from '../../src/api/providers.ts';
import type { FaultRates } from '../../src/cluster/faults.ts';
import type { Random } from '../../src/cluster/random.ts';
import { createRandom } from '../../src/cluster/random.ts';
import type { SimulatedKind } from './sides.ts';
import { simulatedKinds } from './sides.ts';

/** How a revision turns out: its metrics, or whether its pods ever serve. */
export type Quality = 'good' | 'bad' | 'unready';

/** What users do. */
export type UserAct =
  /** Somebody applies another image. */
  | { readonly kind: 'SetImage'; readonly quality: Quality }
  /** Somebody applies what the primary runs. */
  | { readonly kind: 'Revert' }
  /** Somebody changes the ConfigMap that the target reads. */
  | { readonly kind: 'EditConfig'; readonly quality: 'good' | 'bad' }
  /** A manifest is applied again, with other replicas. */
  | { readonly kind: 'SetReplicas'; readonly replicas: number }
  | { readonly kind: 'Suspend' }
  | { readonly kind: 'Resume' }
  /** Everything to the primary, by hand. */
  | { readonly kind: 'LowerWeight' }
  | { readonly kind: 'DeleteRoute' }
  | { readonly kind: 'DeletePrimary' }
  | { readonly kind: 'DeleteServices' }
  | { readonly kind: 'EditCanary' }
  /** Somebody approves or rejects whatever gate waits, if one does. */
  | { readonly kind: 'Approve' }
  | { readonly kind: 'Reject' }
  /** Somebody applies the first revision again, which was good. */
  | { readonly kind: 'Return' };

/** What happens to machines. */
export type MachineAct =
  /** A process dies at once, and another takes its place. */
  | { readonly kind: 'Kill'; readonly process: number; readonly backAfterMs: number }
  /** It dies at its n-th call from now on: before it is carried out, or before it is answered. */
  | {
      readonly kind: 'KillAtCall';
      readonly process: number;
      readonly call: number;
      readonly isCarriedOut: boolean;
    }
  /** All pods of a side are gone at once, so many times, some seconds apart. */
  | { readonly kind: 'EvictPods'; readonly of: 'target' | 'primary'; readonly times: number }
  /** A process stands still for a while and knows nothing of it. */
  | { readonly kind: 'Pause'; readonly process: number; readonly forMs: number }
  | { readonly kind: 'JumpClock'; readonly process: number; readonly byMs: number }
  /** The API server forgets its history: watches from before must list again. */
  | { readonly kind: 'ForgetHistory' };

export type Act = UserAct | MachineAct;

export interface TimedAct {
  readonly atMs: number;
  readonly act: Act;
}

/** Another canary in the same world, whose users do nothing but apply revisions. */
export interface Companion {
  readonly acts: readonly { readonly atMs: number; readonly quality: Quality }[];
  /** Whether the first one depends on it. */
  readonly isAwaited: boolean;
  /** Rollouts that may be in progress at once; 0 for any number. */
  readonly atOnceMax: 0 | 1;
}

export interface Story {
  readonly seed: number;
  readonly spec: CanarySpec;
  readonly replicas: number;
  readonly processes: number;
  readonly acts: readonly TimedAct[];
  readonly rates: FaultRates;
  readonly companion?: Companion;
  /** Until when gates are closed. */
  readonly gatesOpenAtMs: number;
  /** From then on, nothing goes wrong any more. */
  readonly calmAtMs: number;
}

const minute = 60_000;
/** When the first pods serve, and the first user acts. */
const beginMs = 20_000;

export function storyOf(seed: number): Story {
  const random = createRandom(seed, 'story');
  const calmAtMs = beginMs + between(random, 2, 8) * minute;
  const processes = random() < 0.4 ? 2 : 1;
  const more = createRandom(seed, 'more');
  const spec = elsewhere(seed, furnished(specOf(createRandom(seed, 'canary')), more));
  const acts = actsOf(createRandom(seed, 'acts'), { calmAtMs, processes });
  const companion = companionOf(seed, calmAtMs);
  return {
    seed,
    spec,
    ...(companion && { companion }),
    replicas: between(random, 1, 3),
    processes,
    acts: [...acts, ...furtherActs(spec, calmAtMs, more)].toSorted(byTime),
    rates: ratesOf(createRandom(seed, 'faults')),
    gatesOpenAtMs: random() < 0.5 ? 0 : random() * calmAtMs,
    calmAtMs,
  };
}

/** In every seventh story, and in none of the seeds that found something before there were any. */
function companionOf(seed: number, calmAtMs: number): Companion | undefined {
  if (seed % 7 !== 2) return undefined;
  const random = createRandom(seed, 'companion');
  const acts = Array.from({ length: between(random, 1, 4) }, () => ({
    atMs: beginMs + Math.floor(random() * (calmAtMs - beginMs)),
    quality: oneOf<Quality>(random, ['good', 'good', 'bad', 'unready']),
  }));
  // What waits for it could wait for ever if it ended badly.
  return {
    acts: [...acts, { atMs: calmAtMs, quality: 'good' }],
    isAwaited: random() < 0.5,
    atOnceMax: random() < 0.5 ? 1 : 0,
  };
}

/**
 * In three stories of eleven a target of another kind, in every third or so another provider than
 * Istio. Behind Knative's there is no way to tell users apart.
 */
function elsewhere(seed: number, spec: CanarySpec): CanarySpec {
  const kind = targetKinds[seed % 11] ?? simulatedKinds.deployment;
  const targetRef = { ...kind.reference, name: spec.targetRef.name };
  const given = { ...spec, targetRef, ...autoscaled(seed, kind) };
  if (kind === simulatedKinds.knativeService) return onKnative(given);
  const provider = providers[seed % 13];
  if (provider === undefined || spec.provider !== undefined) return given;
  const { match, ...analysis } = spec.analysis ?? {};
  const tellsUsersApart = supportedProviders[provider]?.match !== undefined;
  return {
    ...given,
    provider,
    analysis: { ...analysis, ...(tellsUsersApart && match !== undefined && { match }) },
    ...(provider === 'nginx' && {
      ingressRef: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'shop' },
    }),
    service: {
      ...(spec.service ?? { port: 80 }),
      ...(provider === 'gatewayapi:v1' && { gatewayRefs: [{ name: 'public' }] }),
    },
  };
}

/** In every seventeenth story, if that has a Deployment. */
const autoscaled = (seed: number, kind: SimulatedKind): Pick<CanarySpec, 'autoscalerRef'> =>
  seed % 17 === 7 && kind === simulatedKinds.deployment ? { autoscalerRef } : {};

export const autoscalerRef = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  name: 'web',
} as const;

function onKnative(given: CanarySpec): CanarySpec {
  const { service: _service, analysis = {}, ...spec } = given;
  const { match: _match, mirror: _mirror, sessionAffinity: _affinity, ...rest } = analysis;
  return { ...spec, provider: 'knative', analysis: rest };
}

/** By the rest of the seed, so that none of those that found something has one. */
const targetKinds: Readonly<Record<number, SimulatedKind>> = {
  3: simulatedKinds.daemonSet,
  5: simulatedKinds.service,
  8: simulatedKinds.knativeService,
};

/** By the rest of the seed, so that none of those that found something has one. */
const providers: Readonly<Record<number, string>> = {
  3: 'nginx',
  5: 'smi:v1alpha2',
  7: 'traefik',
  12: 'gatewayapi:v1',
};

const between = (random: Random, min: number, max: number): number =>
  min + Math.floor(random() * (max - min + 1));

const oneOf = <T>(random: Random, choices: readonly [T, ...T[]]): T =>
  choices[Math.floor(random() * choices.length)] ?? choices[0];

export const metrics = [
  { name: 'request-success-rate', thresholdRange: { min: 99 }, interval: '1m' },
];

function specOf(random: Random): CanarySpec {
  const hooks = (['confirm-rollout', 'pre-rollout', 'confirm-promotion'] as const).filter(
    () => random() < 0.15,
  );
  const gate = random() < 0.1 ? (['confirm-traffic-increase'] as const) : [];
  const analysis: CanaryAnalysis = {
    interval: '10s',
    threshold: between(random, 1, 3),
    metrics,
    ...strategyOf(random),
    ...(hooks.length + gate.length > 0 && {
      webhooks: [...hooks, ...gate].map((type) => ({
        name: type,
        type,
        url: `http://gate.test/${type}`,
      })),
    }),
  };
  return {
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    service: { port: 80, targetPort: 8080 },
    progressDeadlineSeconds: 60,
    analysis,
    ...(random() < 0.12 && { provider: 'kubernetes' }),
    ...(random() < 0.07 && { skipAnalysis: true }),
  };
}

function strategyOf(random: Random): CanaryAnalysis {
  const affinity =
    random() < 0.2 ? { sessionAffinity: { cookieName: 'sticky', maxAge: 60 } } : undefined;
  const weights: CanaryAnalysis = {
    stepWeight: oneOf(random, [10, 25, 50]),
    maxWeight: oneOf(random, [50, 60, 100]),
    ...affinity,
    ...(random() < 0.3 && { stepWeightPromotion: oneOf(random, [25, 50]) }),
    ...(random() < 0.2 && { mirror: true }),
  };
  const iterations = between(random, 2, 4);
  return oneOf<CanaryAnalysis>(random, [
    weights,
    weights,
    { stepWeights: [5, 20, 60], ...affinity },
    { iterations, match: [{ headers: { 'x-user': { exact: 'insider' } } }] },
    { iterations },
    { iterations, mirror: true },
  ]);
}

function actsOf(
  random: Random,
  { calmAtMs, processes }: { readonly calmAtMs: number; readonly processes: number },
): readonly TimedAct[] {
  const count = between(random, 2, 9);
  const acts = Array.from({ length: count }, (): TimedAct => {
    const atMs = beginMs + Math.floor(random() * (calmAtMs - beginMs));
    return { atMs, act: actOf(random, processes) };
  });
  // Whatever was suspended goes on in the end, or nothing could be said of it.
  return [...acts, { atMs: calmAtMs, act: { kind: 'Resume' as const } }].toSorted(byTime);
}

const byTime = (one: TimedAct, other: TimedAct): number => one.atMs - other.atMs;

/** A gate that annotations open, the fast way back, a deletion that is undone: each in some stories. */
function furnished(spec: CanarySpec, random: Random): CanarySpec {
  const { analysis = {} } = spec;
  const { webhooks = [] } = analysis;
  const type = oneOf(random, [
    'confirm-rollout',
    'confirm-promotion',
    'confirm-traffic-increase',
    'rollback',
  ] as const);
  const isGated = random() < 0.15;
  const hasWindow = random() < 0.15;
  const isUndone = random() < 0.1;
  return {
    ...spec,
    ...(isUndone && { revertOnDeletion: true }),
    analysis: {
      ...analysis,
      ...(hasWindow && { rollbackWindow: '1h' }),
      ...(isGated && { webhooks: [...webhooks, { name: `own-${type}`, type }] }),
    },
  };
}

export const hasOwnGate = ({ analysis }: CanarySpec): boolean =>
  analysis?.webhooks?.some(({ url }) => url === undefined) === true;

/** What only those stories have a use for. */
function furtherActs(spec: CanarySpec, calmAtMs: number, random: Random): readonly TimedAct[] {
  const kinds = [
    ...(hasOwnGate(spec) ? (['Approve', 'Approve', 'Reject'] as const) : []),
    ...(spec.analysis?.rollbackWindow === undefined ? [] : (['Return', 'Return'] as const)),
  ];
  return kinds.map((kind) => {
    const atMs = beginMs + Math.floor(random() * (calmAtMs - beginMs));
    return { atMs, act: { kind } };
  });
}

function actOf(random: Random, processes: number): Act {
  const process = between(random, 0, processes - 1);
  const dice = random();
  if (dice < 0.4) {
    const quality = oneOf<Quality>(random, ['good', 'good', 'good', 'bad', 'bad', 'unready']);
    return { kind: 'SetImage', quality };
  }
  if (dice < 0.5) {
    return { kind: 'EditConfig', quality: random() < 0.7 ? 'good' : 'bad' };
  }
  if (dice < 0.56) return { kind: 'Kill', process, backAfterMs: between(random, 100, 20_000) };
  if (dice < 0.62) {
    const isCarriedOut = random() < 0.7;
    return { kind: 'KillAtCall', process, call: between(random, 1, 25), isCarriedOut };
  }
  if (dice < 0.65) {
    const of = oneOf(random, ['target', 'primary'] as const);
    return { kind: 'EvictPods', of, times: between(random, 1, 3) };
  }
  if (dice < 0.71) return { kind: 'Pause', process, forMs: between(random, 1_000, 40_000) };
  if (dice < 0.75) {
    return { kind: 'JumpClock', process, byMs: between(random, -7_200_000, 7_200_000) };
  }
  if (dice < 0.79) return { kind: 'SetReplicas', replicas: between(random, 1, 4) };
  const kind = oneOf(random, [
    'Revert',
    'Suspend',
    'Resume',
    'LowerWeight',
    'DeleteRoute',
    'DeletePrimary',
    'DeleteServices',
    'EditCanary',
    'ForgetHistory',
  ] as const);
  return { kind };
}

function ratesOf(random: Random): FaultRates {
  // A third of all stories has no fault at all, so that a defect without any is found as one.
  if (random() < 0.33) return {};
  const rate = (max: number): number => (random() < 0.5 ? 0 : random() * max);
  return {
    lostRequest: rate(0.05),
    lostAnswer: rate(0.08),
    lateAnswer: rate(0.2),
    conflict: rate(0.15),
    throttled: rate(0.05),
    serverError: rate(0.1),
    droppedWatch: rate(0.05),
    lateWatch: rate(0.2),
    goneWatch: rate(0.1),
  };
}
