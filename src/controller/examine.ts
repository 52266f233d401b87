/**
 * Answers the core's questions: hooks and metrics are asked beside the queue, so that a slow one
 * holds up nobody, and the canary is looked at again when the answer is there.
 */
import { isBuiltInGate } from '../api/approval.ts';
import type { Canary, HookType, Phase } from '../api/canary.ts';
import { displayName, hooksOf } from '../api/defaults.ts';
import type { Question } from '../canary/decision.ts';
import { isApproved } from '../canary/gates.ts';
import type { Answer, Saying, Stage } from '../canary/observation.ts';
import { statusOf } from '../canary/status.ts';
import type { HookContext } from '../hooks/run-hooks.ts';
import { runHooks } from '../hooks/run-hooks.ts';
import { hookChecksum } from '../revision/reference-hash.ts';
import { announce } from './announce.ts';
import { hookRecords, metricRecord } from './check-records.ts';
import type { Memory } from './memory.ts';
import type { Snapshot } from './observe.ts';
import type { World } from './world.ts';

/** Asks, unless the same question is being asked already. */
export function examine(
  name: string,
  { stage, id }: Question,
  { canary, revisionId }: Snapshot,
  memory: Memory,
  world: World,
): void {
  if (memory.asking.get(stage) === id) return;
  memory.asking.set(stage, id);
  const settle = (answer: Omit<Answer, 'id'>): void => {
    // A newer question may have been asked meanwhile.
    if (memory.asking.get(stage) !== id) return;
    memory.asking.delete(stage);
    memory.answers[stage] = { id, ...answer };
    world.queue.add(name);
  };
  ask(canary, revisionId, stage, world).then(settle, (error: unknown) => {
    if (world.signal.aborted) return;
    world.log.error({ canary: displayName(canary), stage, error: String(error) }, 'check failed');
    settle({ passed: false, sayings: [warning(`${stage} check failed: ${String(error)}`)] });
  });
}

const hooksOfStage: Readonly<Record<Stage, Exclude<HookType, 'event'>>> = {
  ConfirmRollout: 'confirm-rollout',
  RollbackRequested: 'rollback',
  PreRollout: 'pre-rollout',
  Analysis: 'rollout',
  ConfirmTrafficIncrease: 'confirm-traffic-increase',
  ConfirmPromotion: 'confirm-promotion',
};

/** Hooks that are told where the rollout stands; the others are told that it progresses. */
const toldThePhase: readonly Stage[] = ['ConfirmRollout', 'RollbackRequested'];

async function ask(
  canary: Canary,
  revision: string,
  stage: Stage,
  world: World,
): Promise<Omit<Answer, 'id'>> {
  const phase = toldThePhase.includes(stage) ? statusOf(canary).phase : 'Progressing';
  const context = contextOf(canary, revision, phase, world);
  const hooks = await runHooks(canary, hooksOfStage[stage], context);
  const sayings = hooks.events.map(decided);
  const { passed, refusedBy } = hooks;
  const waitsForGate = refusedBy !== undefined && isBuiltInGate(refusedBy);
  const checks = hookRecords(canary, hooksOfStage[stage], hooks);
  if (stage !== 'Analysis' || !passed) return { passed, sayings, waitsForGate, checks };
  const metrics = await world.checks.analyse(canary, world.signal);
  return {
    passed: metrics.passed,
    sayings: [...sayings, ...metrics.events.map(decided)],
    checks: [...checks, ...(metrics.reports ?? []).map(metricRecord)],
  };
}

function contextOf(canary: Canary, revision: string, phase: Phase, world: World): HookContext {
  const { clock, signal, post } = world;
  const status = statusOf(canary);
  return {
    phase,
    checksum: hookChecksum(status),
    isApproved: (hook) => isApproved(status, hook, revision),
    signal,
    sleep: (ms, until) => clock.sleep(ms, until),
    post,
  };
}

const decided = (event: Omit<Saying, 'kind'>): Saying => ({
  ...event,
  kind: 'Decision',
});
const warning = (message: string): Saying => ({ type: 'Warning', message, kind: 'Decision' });

/** Says whether the canary's metric providers can be asked. Nothing waits for it. */
export function probeMetrics({ canary }: Snapshot, world: World): void {
  world.checks.probe(canary, world.signal).then(
    ({ events }) => announce(canary, statusOf(canary).phase, events, world),
    (error: unknown) => {
      if (world.signal.aborted) return;
      world.log.error({ canary: displayName(canary), error: String(error) }, 'probe failed');
    },
  );
}

/** Calls the post-rollout hooks of a rollout that has ended; then says the closing words. */
export function runClosingHooks(
  { canary, revisionId }: Snapshot,
  phase: Phase,
  say: (sayings: readonly Saying[]) => void,
  closing: readonly Saying[],
  world: World,
): void {
  if (hooksOf(canary, 'post-rollout').length === 0) {
    say(closing);
    return;
  }
  runHooks(canary, 'post-rollout', contextOf(canary, revisionId, phase, world)).then(
    ({ events }) => say([...events.map(decided), ...closing]),
    (error: unknown) => {
      world.log.error({ canary: displayName(canary), error: String(error) }, 'post-rollout failed');
      say(closing);
    },
  );
}
