/**
 * A small world for the core: it carries decisions out, lets time pass, and answers questions, so
 * that whole rollouts can be played without a cluster. What it refuses is what an invariant forbids.
 */
import assert from 'node:assert/strict';
import type {
  Canary,
  CanaryAnalysis,
  CanarySpec,
  CanaryStatus,
  Phase,
} from '../../src/api/canary.ts';
import { decide } from '../../src/canary/decide.ts';
import type { Decision, Effect } from '../../src/canary/decision.ts';
import type {
  Answer,
  Change,
  Observation,
  Readiness,
  Split,
  Stage,
} from '../../src/canary/observation.ts';
import { statusOf } from '../../src/canary/status.ts';

export const intervalMs = 10_000;
const ready: Readiness = { kind: 'Ready' };

export interface WorldOptions {
  readonly analysis?: CanaryAnalysis;
  readonly spec?: Partial<CanarySpec>;
  /** Whether the provider has routes. */
  readonly routed?: boolean;
  readonly mirroring?: boolean;
  /** The answer to a question; passed where absent. RollbackRequested: not asked for. */
  readonly answer?: (stage: Stage, world: World) => boolean;
}

export interface Workload {
  revision: string;
  replicas: number;
  available: number;
  readiness: Readiness;
}

/** A canary `podinfo.default` and all that belongs to it. */
export class World {
  readonly options: WorldOptions;
  canary: Canary;
  target: Workload = { revision: 'v1', replicas: 2, available: 2, readiness: ready };
  primary: Workload | undefined;
  split: Split | undefined;
  /** Weights that routes were given, in order, without repetition. */
  readonly splits: string[] = [];
  readonly events: string[] = [];
  /** What happened, by looks: events, then the phase and weight behind them. */
  readonly trace: string[] = [];
  readonly outcomes: string[] = [];
  /** Revisions that the primary was given. */
  readonly promoted: string[] = [];
  nowMs = 1_000_000;
  #transitionAtMs = this.nowMs;
  #beatAtMs: number | undefined;
  #answers: Partial<Record<Stage, Answer>> = {};
  #said = new Set<string>();
  #saidIn = '';
  /** Effects and status writes that are still carried out; then the process "dies". */
  budget = Number.POSITIVE_INFINITY;

  constructor(options: WorldOptions = {}) {
    this.options = options;
    const analysis: CanaryAnalysis = {
      interval: '10s',
      threshold: 2,
      stepWeight: 10,
      maxWeight: 30,
      ...options.analysis,
    };
    this.canary = {
      apiVersion: 'flagger.app/v1beta1',
      kind: 'Canary',
      metadata: { name: 'podinfo', namespace: 'default', uid: 'c' },
      spec: {
        provider: 'istio',
        targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo' },
        service: { port: 80 },
        ...options.spec,
        analysis,
      },
    };
  }

  get status(): CanaryStatus {
    return statusOf(this.canary);
  }

  get phase(): Phase {
    return this.status.phase;
  }

  /** A user changes the target. Its pods roll, and are ready at the next look. */
  apply(revision: string): void {
    this.target.revision = revision;
  }

  edit(change: Partial<CanarySpec>): void {
    this.canary = { ...this.canary, spec: { ...this.canary.spec, ...change } };
  }

  /** Another process takes over: it remembers nothing. */
  restart(): void {
    this.#beatAtMs = undefined;
    this.#answers = {};
    this.#said = new Set();
    this.#transitionAtMs = this.nowMs;
    this.budget = Number.POSITIVE_INFINITY;
  }

  observe(): Observation {
    const { canary, target, primary, split, options } = this;
    const view = (workload: Workload) => ({
      replicas: workload.replicas,
      availablePods: workload.available,
      readiness: workload.readiness,
      revision: workload.revision,
    });
    return {
      canary,
      abilities: {
        weights: options.routed ?? true,
        mirroring: options.mirroring ?? true,
      },
      target: view(target),
      ...(primary === undefined ? {} : { primary: view(primary) }),
      revision: {
        hash: target.revision,
        id: target.revision,
        tracked: { uid: 'd', generation: 1 },
        change: this.#change(),
      },
      scaleUpReplicas: 2,
      ...(split === undefined ? {} : { split }),
      answers: this.#answers,
      transitionAtMs: this.#transitionAtMs,
      ...(this.#beatAtMs === undefined ? {} : { beatAtMs: this.#beatAtMs }),
      cookieValues: { canary: 'AbCdEfGhIj', primary: 'KlMnOpQrSt' },
    };
  }

  #change(): Change {
    const { lastAppliedSpec, lastPromotedSpec } = this.status;
    if (lastAppliedSpec === undefined) return 'Changed';
    if (this.target.revision === lastAppliedSpec) return 'Unchanged';
    return this.target.revision === lastPromotedSpec ? 'Reverted' : 'Changed';
  }

  /** One look. Returns the decision; what it asks is answered before the next look. */
  look(): Decision {
    const moment = { steadyMs: this.nowMs, wallTime: new Date(this.nowMs).toISOString() };
    const decision = decide(this.observe(), moment);
    const said: string[] = [];
    for (const effect of decision.effects) if (this.#spend()) this.#act(effect);
    if (decision.status !== undefined && this.#spend()) this.#write(decision.status, decision);
    else if (decision.beatAtMs !== undefined) this.#beatAtMs = decision.beatAtMs;
    if (this.budget <= 0) return decision;
    for (const { kind, type, message } of [...decision.sayings, ...(decision.closing ?? [])]) {
      const waited = this.nowMs - this.#transitionAtMs >= intervalMs;
      if (kind === 'Waiting' && !waited) continue;
      if (kind !== 'Decision' && this.#said.has(message)) continue;
      if (kind !== 'Decision') this.#said.add(message);
      said.push(type === 'Normal' ? message : `! ${message}`);
    }
    this.events.push(...said);
    if (decision.outcome !== undefined) this.outcomes.push(decision.outcome);
    const { phase, canaryWeight, iterations } = this.status;
    if (said.length > 0 || decision.status !== undefined) {
      this.trace.push(`${said.join(' | ')} -> ${phase} ${canaryWeight} ${iterations}`);
    }
    if (decision.question !== undefined) this.#reply(decision.question.stage, decision.question.id);
    return decision;
  }

  #spend(): boolean {
    this.budget -= 1;
    return this.budget >= 0;
  }

  #reply(stage: Stage, id: string): void {
    const passed = this.options.answer?.(stage, this) ?? stage !== 'RollbackRequested';
    const type = passed ? 'Normal' : 'Warning';
    const quiet = stage === 'Analysis' && passed;
    const sayings = quiet
      ? []
      : ([{ type, message: `${stage} ${passed}`, kind: 'Decision' }] as const);
    this.#answers = { ...this.#answers, [stage]: { id, passed, sayings } };
  }

  #write(status: CanaryStatus, decision: Decision): void {
    if (status.lastTransitionTime !== this.canary.status?.lastTransitionTime) {
      this.#transitionAtMs = this.nowMs;
    }
    this.#beatAtMs = decision.beatAtMs;
    this.canary = { ...this.canary, status };
    const page = `${status.phase}/${status.lastAppliedSpec}`;
    if (page !== this.#saidIn) this.#said.clear();
    this.#saidIn = page;
  }

  #act(effect: Effect): void {
    switch (effect.kind) {
      case 'EnsurePrimary':
        this.primary ??= { ...this.target, replicas: 2, available: 2, readiness: ready };
        return;
      case 'ScaleTarget':
        this.#scale(effect.replicas);
        return;
      case 'Promote':
        assert.ok(this.primary, 'there is a primary to promote to');
        if (this.primary.revision !== this.target.revision)
          this.promoted.push(this.target.revision);
        this.primary.revision = this.target.revision;
        return;
      case 'Route':
        if (this.options.routed ?? true) this.#route(effect.split);
        return;
      case 'EnsureFinalizer':
        this.canary = {
          ...this.canary,
          metadata: {
            ...this.canary.metadata,
            finalizers: effect.present ? ['finalizer.flagger.app'] : [],
          },
        };
        return;
      case 'EnsureSideServices':
      case 'EnsureApexService':
      case 'EnsureAutoscaler':
      case 'ClaimTarget':
      case 'ReleaseTarget':
      case 'RevertService':
      case 'RevertRoute':
    }
  }

  #scale(replicas: number): void {
    const draining = this.split !== undefined && this.split.canary > 0;
    assert.ok(replicas > 0 || !draining, 'pods that have traffic are not taken away');
    this.target.replicas = replicas;
    this.target.available = replicas;
  }

  #route(split: Split): void {
    assert.equal(split.primary + split.canary, 100, 'weights sum to 100');
    const before = this.split ?? { primary: 100, canary: 0, mirrored: false };
    const gains = (side: 'primary' | 'canary'): boolean => split[side] > before[side];
    assert.ok(!gains('canary') || this.target.available > 0, 'no traffic to a canary without pods');
    assert.ok(!gains('primary') || (this.primary?.available ?? 0) > 0, 'nor to a primary without');
    this.split = split;
    const text = `${split.primary}:${split.canary}${split.mirrored ? ' mirrored' : ''}`;
    if (this.splits.at(-1) !== text) this.splits.push(text);
  }

  /** Looks, letting time pass as decisions ask, until `done`; fails after too many looks. */
  run(done: (world: World) => boolean, looksMax = 1_500): void {
    for (let looks = 0; !done(this); looks += 1) {
      if (looks === looksMax) {
        throw new Error(`never came to an end:\n${this.trace.slice(-12).join('\n')}`);
      }
      const before = this.#shape();
      const decision = this.look();
      // A change of what was looked at wakes the canary at once.
      const waits = decision.question === undefined && before === this.#shape();
      const atMs = decision.lookAgainAtMs;
      if (waits) this.nowMs = Math.max(atMs ?? this.nowMs + intervalMs, this.nowMs + 1);
    }
  }

  #shape(): string {
    return JSON.stringify([this.canary, this.target, this.primary, this.split]);
  }

  /** Initialized, its idle pods gone, and the record of that forgotten. */
  initialize(): this {
    this.run(({ phase, target }) => phase === 'Initialized' && target.replicas === 0);
    this.look();
    this.events.length = 0;
    this.trace.length = 0;
    this.splits.length = 0;
    return this;
  }
}

export const isPhase =
  (...phases: readonly Phase[]) =>
  ({ phase }: World): boolean =>
    phases.includes(phase);

/** At rest, and with no pods on the side that has no traffic. */
export const isSettled = (world: World): boolean =>
  isPhase('Succeeded', 'Failed', 'Initialized')(world) && world.status.draining !== true;
