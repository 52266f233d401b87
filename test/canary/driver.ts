/**
 * Plays the world around the core: carries decisions out on a model of the two workloads and the
 * routes, keeps the status, answers questions by a script, and moves time to the next event.
 *
 * Everything that changes wakes the core at once, as watches do; time passes only when nothing does.
 * The process may die after any write: what it remembered is lost, what it wrote is not.
 */
import { isDeepStrictEqual } from 'node:util';
import { isBuiltInGate } from '../../src/api/approval.ts';
import type { Canary, CanaryStatus, CanaryWebhook } from '../../src/api/canary.ts';
import { analysisIntervalMs, hooksOf } from '../../src/api/defaults.ts';
import { isApproved } from '../../src/canary/gates.ts';
import { account } from '../../src/canary/account.ts';
import type { Cookies, Decision, Effect } from '../../src/canary/decision.ts';
import type {
  Answer,
  Moment,
  Observation,
  Readiness,
  RoutingAbilities,
  Saying,
  Split,
  Stage,
  WorkloadView,
} from '../../src/canary/observation.ts';
import { statusOf } from '../../src/canary/status.ts';
import { isKnownGood } from '../../src/controller/known-good.ts';
import { compareRevision } from '../../src/revision/change.ts';
import { canaryOf, hashOf, idOf } from './builders.ts';

export type SideName = 'target' | 'primary';

export interface Side {
  /** What the object's template says. */
  revision: string;
  replicas: number;
  availablePods: number;
  /** A rollout or an outage that is under way. */
  rollout: { readonly sinceMs: number; readonly endsAtMs: number } | undefined;
}

export interface World {
  canary: Canary;
  target: Side;
  targetGeneration: number;
  primary: Side | undefined;
  split: Split | undefined;
  cookies: Cookies;
  claimed: boolean;
  deleted: boolean;
  nowMs: number;
}

export interface AskedNow {
  readonly stage: Stage;
  /** Revision of the target. */
  readonly revision: string;
  /** How often this stage has been asked before. */
  readonly before: number;
  readonly nowMs: number;
}

export type Write = Effect | { readonly kind: 'Status'; readonly status: CanaryStatus };

/** Something that was written, and the world just before. */
export interface Written {
  readonly write: Write;
  readonly before: World;
  readonly decision: Decision;
  /** What was answered since the last verdict; PreRollout: since the last status. */
  readonly answered: ReadonlyMap<Stage, boolean>;
}

export interface Setup {
  readonly canary?: Canary;
  readonly abilities?: RoutingAbilities;
  readonly answer?: (asked: AskedNow) => boolean;
  /** Milliseconds until a side is ready after a change; `Infinity` where it never is. */
  readonly readyInMs?: (side: SideName, revision: string) => number;
  /** Whether old pods serve while a rollout is under way; true where absent. */
  readonly keepsPods?: (side: SideName, revision: string) => boolean;
  readonly onWrite?: (written: Written, world: World) => void;
  /** Numbers of the writes after which the process dies, from 1. */
  readonly crashes?: ReadonlySet<number>;
  /** How long nobody acts after a crash. */
  readonly downMs?: number;
  /** The clock was set back meanwhile: the last transition counts as having been just now. */
  readonly clockSetBack?: boolean;
}

export interface Driver {
  readonly world: World;
  /** What was said, asked and reached, one line each, with the second it happened in. */
  readonly trace: readonly string[];
  readonly phases: readonly string[];
  readonly verdictsAtMs: readonly number[];
  writes(): number;
  looks(): number;
  asked(stage: Stage): number;
  /** Something happens to the world `afterMs` from now. */
  after(afterMs: number, event: (world: World) => void): void;
  setImage(revision: string): void;
  /** A side loses pods for a while. */
  flap(side: SideName, lastsMs: number, availablePods: number): void;
  /** Plays until nothing is left to happen, or `untilMs` is over. */
  run(options?: { readonly forMs?: number }): void;
}

/** What the status says for people only changes nothing. */
const withoutAccount = (status: CanaryStatus) => ({ ...status, conditions: [] });

class Crash extends Error {}

/** Effects that change nothing which the model has. */
const unmodelled = new Set<Write['kind']>([
  'EnsureSideServices',
  'EnsureApexService',
  'EnsureAutoscaler',
  'RevertService',
]);

/** Looks at one moment: more than any chain of events needs. */
const looksAtOnceMax = 60;
const deadlineMs = 60_000;
const epochMs = Date.UTC(2026, 0, 1);

interface Memory {
  transitionAtMs: number;
  beatAtMs: number | undefined;
  answers: Partial<Record<Stage, Answer>>;
  said: Set<string>;
  saidIn: string;
}

export function createDriver(setup: Setup = {}): Driver {
  const { answer = consenting, readyInMs = () => 2000, crashes = new Set() } = setup;
  const abilities = setup.abilities ?? { weights: true, mirroring: true };
  const canary = setup.canary ?? canaryOf();
  const world: World = {
    canary,
    target: { revision: 'v1', replicas: 2, availablePods: 2, rollout: undefined },
    targetGeneration: 1,
    primary: undefined,
    split: undefined,
    cookies: {},
    claimed: false,
    deleted: false,
    nowMs: 0,
  };
  const trace: string[] = [];
  const phases: string[] = [];
  const verdictsAtMs: number[] = [];
  const timesAsked = new Map<Stage, number>();
  const answered = new Map<Stage, boolean>();
  let events: { readonly atMs: number; readonly happen: (world: World) => void }[] = [];
  let memory: Memory = blankMemory(0);
  let writes = 0;
  let looks = 0;
  let wakeAtMs: number | undefined = 0;

  const tell = (line: string): void => void trace.push(`${world.nowMs / 1000}s ${line}`);
  const stored = (): CanaryStatus => statusOf(world.canary);

  const rollOut = (side: SideName): void => {
    const it = world[side];
    if (it === undefined) return;
    const endsAtMs = world.nowMs + readyInMs(side, it.revision);
    it.rollout = { sinceMs: world.nowMs, endsAtMs };
    if (setup.keepsPods?.(side, it.revision) === false) it.availablePods = 0;
  };

  const settle = (): void => {
    for (const side of [world.target, world.primary]) {
      if (side?.rollout === undefined || world.nowMs < side.rollout.endsAtMs) continue;
      side.rollout = undefined;
      side.availablePods = side.replicas;
    }
  };

  const apply = (effect: Effect): void => {
    switch (effect.kind) {
      case 'EnsurePrimary':
        if (world.primary !== undefined) return;
        world.primary = {
          revision: world.target.revision,
          replicas: 2,
          availablePods: 0,
          rollout: undefined,
        };
        return rollOut('primary');
      case 'Promote':
        if (world.primary === undefined || world.primary.revision === world.target.revision) return;
        world.primary.revision = world.target.revision;
        return rollOut('primary');
      case 'ScaleTarget':
        return scale(effect.replicas);
      case 'Route':
        world.split = effect.split;
        world.cookies = effect.cookies;
        return;
      case 'ClaimTarget':
      case 'ReleaseTarget':
        world.claimed = effect.kind === 'ClaimTarget';
        return;
      case 'RevertRoute':
        world.split = undefined;
        return;
      case 'EnsureFinalizer':
        return ensureFinalizer(effect.present);
      case 'Annotate': {
        const { metadata } = world.canary;
        world.canary = {
          ...world.canary,
          metadata: { ...metadata, annotations: effect.annotations },
        };
        return;
      }
      case 'EnsureSideServices':
      case 'EnsureApexService':
      case 'EnsureAutoscaler':
      case 'RevertService':
        return;
    }
  };

  const scale = (replicas: number): void => {
    const { target } = world;
    if (target.replicas === replicas) return;
    world.targetGeneration += 1;
    const grows = replicas > target.replicas;
    target.replicas = replicas;
    target.availablePods = Math.min(target.availablePods, replicas);
    if (grows) rollOut('target');
    else target.rollout = undefined;
  };

  const ensureFinalizer = (present: boolean): void => {
    const finalizers = present ? ['finalizer.flagger.app'] : [];
    world.canary = { ...world.canary, metadata: { ...world.canary.metadata, finalizers } };
    world.deleted = !present && world.canary.metadata.deletionTimestamp !== undefined;
  };

  /** Whether anything changed. Dies after the write if the script says so. */
  const write = (it: Write, decision: Decision): boolean => {
    if (unmodelled.has(it.kind)) return false;
    const before = structuredClone(world);
    if (it.kind === 'Status') world.canary = { ...world.canary, status: it.status };
    else apply(it);
    const changed = !isDeepStrictEqual(before, world);
    setup.onWrite?.({ write: it, before, decision, answered }, world);
    if (!changed) return false;
    writes += 1;
    if (crashes.has(writes)) throw new Crash();
    return true;
  };

  const observe = (): Observation => {
    const { target, primary } = world;
    const tracked = { uid: 't1', generation: world.targetGeneration };
    const hash = hashOf(target.revision);
    const primaryRevision = primary && idOf(primary.revision);
    const change = compareRevision({
      status: stored(),
      hash,
      tracked,
      configs: {},
      referenceConfigs: () => ({}),
      referenceHash: () => '',
      primaryAgrees: () => primary && primary.revision === target.revision,
      primaryRevision,
    });
    return {
      canary: world.canary,
      abilities,
      target: viewOf('canary deployment podinfo.default', target, world.nowMs),
      ...(primary && {
        primary: {
          ...viewOf('podinfo-primary.default', primary, world.nowMs),
          revision: idOf(primary.revision),
        },
      }),
      revision: { hash, id: idOf(target.revision), configs: {}, tracked, change },
      isKnownGood: isKnownGood(world.canary, idOf(target.revision), epochMs + world.nowMs),
      scaleUpReplicas: 2,
      ...(abilities.weights && world.split !== undefined ? { split: world.split } : {}),
      answers: memory.answers,
      transitionAtMs: memory.transitionAtMs,
      ...(memory.beatAtMs === undefined ? {} : { beatAtMs: memory.beatAtMs }),
      cookieValues: { canary: `c${looks}`, primary: `p${looks}` },
    };
  };

  const examine = ({ stage, id }: NonNullable<Decision['question']>): void => {
    const before = timesAsked.get(stage) ?? 0;
    timesAsked.set(stage, before + 1);
    const { revision } = world.target;
    const called = hooksOf(world.canary, hookOf[stage]);
    const isShut = (hook: CanaryWebhook): boolean =>
      isBuiltInGate(hook) && !isApproved(stored(), hook, idOf(revision));
    const shut = called.find(isShut);
    const waitsForGate = shut !== undefined && stage !== 'RollbackRequested';
    const passed = answer({ stage, revision, before, nowMs: world.nowMs }) && !waitsForGate;
    answered.set(stage, passed);
    if (called.length > 0) {
      const told = toldThePhase.has(stage) ? stored().phase : 'Progressing';
      tell(`H ${hookOf[stage]} ${told}${passed ? '' : ' ✗'}`);
    }
    const sayings = wordsOf(world.canary, stage, passed);
    memory.answers = { ...memory.answers, [stage]: { id, passed, sayings, waitsForGate } };
  };

  const say = (sayings: readonly Saying[], nowMs: number): void => {
    const lasts = nowMs - memory.transitionAtMs >= analysisIntervalMs(world.canary);
    for (const { type, message, kind } of sayings) {
      if (kind === 'Waiting' && !lasts) continue;
      if (kind !== 'Decision' && memory.said.has(message)) continue;
      if (kind !== 'Decision') memory.said.add(message);
      tell(`E ${type === 'Warning' ? '! ' : ''}${message}`);
    }
  };

  /** A target that this very decision resized is still the one that it acted on. */
  const retracked = (status: CanaryStatus, generationSeen: number): CanaryStatus => {
    if (status.trackedTarget?.generation !== generationSeen) return status;
    return { ...status, trackedTarget: { uid: 't1', generation: world.targetGeneration } };
  };

  const carryOut = (decision: Decision, { steadyMs, wallTime }: Moment): boolean => {
    const { beatAtMs, lastBeatAtMs, outcome, closing = [], question } = decision;
    const generationSeen = world.targetGeneration;
    let changed = false;
    for (const effect of decision.effects) changed = write(effect, decision) || changed;
    const before = stored();
    if (decision.status !== undefined) {
      const status = retracked(decision.status, generationSeen);
      if (!isDeepStrictEqual(status, world.canary.status)) {
        changed = write({ kind: 'Status', status }, decision) || changed;
        if (status.lastTransitionTime === wallTime) memory.transitionAtMs = steadyMs;
        memory.beatAtMs = beatAtMs;
        if (!isDeepStrictEqual(withoutAccount(status), withoutAccount(before))) answered.clear();
      }
    }
    memory.beatAtMs = lastBeatAtMs ?? memory.beatAtMs;
    if (beatAtMs !== undefined) {
      memory.beatAtMs = beatAtMs;
      verdictsAtMs.push(steadyMs);
      for (const stage of answered.keys()) if (stage !== 'PreRollout') answered.delete(stage);
    }
    const saidIn = `${stored().phase}/${stored().lastAppliedSpec ?? ''}`;
    if (saidIn !== memory.saidIn) memory.said.clear();
    memory.saidIn = saidIn;
    say(decision.sayings, steadyMs);
    if (outcome !== undefined && hooksOf(world.canary, 'post-rollout').length > 0) {
      tell(`H post-rollout ${stored().phase}`);
      tell('E Post-rollout check tell passed');
    }
    say(closing, steadyMs);
    if (stored().phase !== before.phase) phases.push(stored().phase);
    if (question !== undefined) examine(question);
    noteState();
    return changed || question !== undefined;
  };

  let state = '';
  const noteState = (): void => {
    const { phase, canaryWeight, iterations, failedChecks, draining } = stored();
    const routes = world.split ? `${world.split.primary}:${world.split.canary}` : '-';
    const marks = [
      world.split?.mirrored === true ? ' mirrored' : '',
      failedChecks > 0 ? ` failed=${failedChecks}` : '',
      draining === true ? ' draining' : '',
    ].join('');
    const line = `→ ${phase} ${canaryWeight} ${iterations} ${routes} pods=${world.target.replicas}`;
    if (line + marks === state) return;
    state = line + marks;
    tell(state);
  };

  const restart = (): void => {
    memory = blankMemory(world.nowMs);
    answered.clear();
    world.nowMs += setup.downMs ?? 0;
    const transitionMs = Date.parse(stored().lastTransitionTime ?? '') - epochMs;
    const elapsedMs = Number.isNaN(transitionMs) ? 0 : world.nowMs - transitionMs;
    const agoMs = Math.min(Math.max(elapsedMs, 0), analysisIntervalMs(world.canary));
    memory.transitionAtMs = world.nowMs - (setup.clockSetBack === true ? 0 : agoMs);
  };

  /** One look. Whether something changed, so that another is due at once. */
  const look = (): boolean => {
    looks += 1;
    settle();
    const wallTime = `${new Date(epochMs + world.nowMs).toISOString().slice(0, 19)}Z`;
    const now: Moment = { steadyMs: world.nowMs, wallTime };
    const decision = account(observe(), now);
    wakeAtMs = decision.lookAgainAtMs;
    try {
      return carryOut(decision, now);
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      restart();
      return true;
    }
  };

  const nextEventAtMs = (): number => {
    const ends = [world.target, world.primary].flatMap((side) =>
      side?.rollout === undefined
        ? []
        : [side.rollout.endsAtMs, side.rollout.sinceMs + deadlineMs].filter(Number.isFinite),
    );
    const times = [...ends, ...events.map(({ atMs }) => atMs)];
    return Math.min(...times.filter((atMs) => atMs > world.nowMs), wakeAtMs ?? Infinity);
  };

  const happenNow = (): void => {
    const due = events.filter(({ atMs }) => atMs <= world.nowMs);
    events = events.filter((event) => !due.includes(event));
    for (const { happen } of due) happen(world);
  };

  const run: Driver['run'] = ({ forMs = 3_600_000 } = {}) => {
    const untilMs = world.nowMs + forMs;
    for (;;) {
      happenNow();
      let atOnce = 0;
      while (!world.deleted && (look() || (wakeAtMs ?? Infinity) <= world.nowMs)) {
        atOnce += 1;
        if (atOnce > looksAtOnceMax)
          throw new Error(`never rests:\n${trace.slice(-20).join('\n')}`);
      }
      const nextMs = nextEventAtMs();
      if (world.deleted || nextMs > untilMs) break;
      world.nowMs = nextMs;
    }
    if (Number.isFinite(forMs) && forMs < 3_600_000) world.nowMs = untilMs;
  };

  return {
    world,
    trace,
    phases,
    verdictsAtMs,
    writes: () => writes,
    looks: () => looks,
    asked: (stage) => timesAsked.get(stage) ?? 0,
    after: (afterMs, happen) => void events.push({ atMs: world.nowMs + afterMs, happen }),
    setImage: (revision) => {
      if (world.target.revision === revision) return;
      world.target.revision = revision;
      world.targetGeneration += 1;
      if (world.target.replicas > 0) rollOut('target');
    },
    flap: (side, lastsMs, availablePods) => {
      const it = world[side];
      if (it === undefined || it.rollout !== undefined || it.replicas === 0) return;
      it.availablePods = Math.min(availablePods, it.replicas);
      it.rollout = { sinceMs: world.nowMs, endsAtMs: world.nowMs + lastsMs };
    },
    run,
  };
}

const blankMemory = (transitionAtMs: number): Memory => ({
  transitionAtMs,
  beatAtMs: undefined,
  answers: {},
  said: new Set(),
  saidIn: '',
});

function viewOf(name: string, side: Side, nowMs: number): WorkloadView {
  const { replicas, availablePods, rollout } = side;
  return { replicas, availablePods, readiness: readinessOf(name, rollout, nowMs) };
}

function readinessOf(name: string, rollout: Side['rollout'], nowMs: number): Readiness {
  if (rollout === undefined) return { kind: 'Ready' };
  const retriable = nowMs < rollout.sinceMs + deadlineMs;
  const message = `${name} not ready: ${retriable ? 'rolling out' : 'past its deadline'}`;
  return { kind: 'NotReady', message, retriable };
}

const consenting = ({ stage }: AskedNow): boolean => stage !== 'RollbackRequested';

/** Refuses so many times before it consents. */
export const refusing =
  (refusals: Partial<Record<Stage, number>>): NonNullable<Setup['answer']> =>
  ({ stage, before }) =>
    before >= (refusals[stage] ?? (stage === 'RollbackRequested' ? Infinity : 0));

const hookOf = {
  ConfirmRollout: 'confirm-rollout',
  RollbackRequested: 'rollback',
  PreRollout: 'pre-rollout',
  Analysis: 'rollout',
  ConfirmTrafficIncrease: 'confirm-traffic-increase',
  ConfirmPromotion: 'confirm-promotion',
} as const;

const toldThePhase = new Set<Stage>(['ConfirmRollout', 'RollbackRequested']);

/** What hooks lead to being said (`spec/03`, 3.4). */
function wordsOf(canary: Canary, stage: Stage, passed: boolean): readonly Saying[] {
  const hook = hooksOf(canary, hookOf[stage])[0]?.name;
  const say = (type: Saying['type'], message: string): readonly Saying[] => [
    { type, message, kind: 'Decision' },
  ];
  const halt = 'Halt podinfo.default advancement';
  switch (stage) {
    case 'ConfirmRollout':
      return passed
        ? say('Normal', `Confirm-rollout check ${hook} passed`)
        : say('Warning', `${halt} waiting for approval ${hook}`);
    case 'RollbackRequested':
      return passed
        ? say('Warning', `Rollback check ${hook} passed`)
        : say('Normal', `Rollback hook ${hook} not signaling a rollback`);
    case 'PreRollout':
      return passed
        ? say('Normal', `Pre-rollout check ${hook} passed`)
        : say('Warning', `${halt} pre-rollout check ${hook} failed nope`);
    case 'Analysis':
      return passed ? [] : say('Warning', `${halt} external check ${hook} failed nope`);
    case 'ConfirmTrafficIncrease':
      return passed
        ? say('Normal', `Confirm-traffic-increase check ${hook} passed`)
        : say('Warning', `${halt} waiting for traffic increase approval ${hook}`);
    case 'ConfirmPromotion':
      return passed
        ? say('Normal', `Confirm-promotion check ${hook} passed`)
        : say('Warning', `${halt} waiting for promotion approval ${hook}`);
  }
}
