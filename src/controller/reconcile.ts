/**
 * One look at one canary: observe, decide, act; then the status, then what is said of it. Safe at
 * any moment and any number of times, by whoever holds the lease. Nothing is decided here.
 *
 * The order survives a crash: effects can be carried out twice, and a process that dies before the
 * status is written is followed by one that decides the same again.
 */
import type { Canary, CanaryStatus } from '../api/canary.ts';
import type { Json } from '../api/kubernetes.ts';
import { analysisIntervalMs, displayName, strategyOf } from '../api/defaults.ts';
import { account } from '../canary/account.ts';
import type { Decision } from '../canary/decision.ts';
import type { Moment, Saying } from '../canary/observation.ts';
import { mergePatchBetween } from '../kube/merge-patch.ts';
import { canaries } from '../kube/resources.ts';
import { act } from './act.ts';
import { examine, probeMetrics, runClosingHooks } from './examine.ts';
import { statusOfFailure } from './failures.ts';
import type { Memory } from './memory.ts';
import { lastingAlerts } from './lasting-alerts.ts';
import { note, recall, refresh, worthSaying } from './memory.ts';
import type { Snapshot } from './observe.ts';
import { observe } from './observe.ts';
import { announce } from './announce.ts';
import { repairAtMs } from './route-drift.ts';
import type { World } from './world.ts';
import { momentOf, timesOf } from './world.ts';

export async function reconcile(name: string, world: World): Promise<void> {
  const canary = world.caches.canaries.store.get(keyOf(name));
  if (canary === undefined) {
    forget(name, world);
    return;
  }
  try {
    await look(name, canary, world);
  } finally {
    world.slots.settle(canary);
  }
}

async function look(name: string, canary: Canary, world: World): Promise<void> {
  const memory = remember(name, canary, world);
  const seen = observe(canary, memory, world);
  world.interests.set(name, seen.paths);
  if (seen.kind === 'Reading') return;

  const now = momentOf(world.clock);
  const decision = inTurn(seen, now, world);
  if (decision.question !== undefined) examine(name, decision.question, seen, memory, world);
  if (decision.probesMetrics === true) probeMetrics(seen, world);
  const written = await carryOut(seen, decision, memory, now, world);
  const beatAtMs = decision.beatAtMs ?? decision.lastBeatAtMs;
  if (written !== undefined) note(memory, written, beatAtMs, now);
  else if (beatAtMs !== undefined) memory.beatAtMs = beatAtMs;

  tell(seen, decision, memory, now, world);
  const alertAtMs = alertLasting(seen, decision, memory, world);
  const times = [decision.lookAgainAtMs, repairAtMs(seen.routes.record), alertAtMs];
  world.queue.addAt(name, soonest(times));
}

/** The decision; where it needs a slot, that with the answer. */
function inTurn({ canary, observation }: Snapshot, now: Moment, { slots }: World): Decision {
  const decision = account(observation, now);
  if (decision.asksForSlot !== true) return decision;
  return account({ ...observation, slot: slots.request(canary, now.wallTime) }, now);
}

/** Effects, then the status. Where a call fails, the status says so, and the failure is thrown. */
async function carryOut(
  seen: Snapshot,
  decision: Decision,
  memory: Memory,
  now: Moment,
  world: World,
): Promise<CanaryStatus | undefined> {
  try {
    for (const effect of decision.effects) await act(effect, seen, world);
    const written = await writeStatus(seen, decision.status, world);
    memory.failedLooks = 0;
    memory.isFailureTold = false;
    return written;
  } catch (error) {
    const failed = statusOfFailure(seen.observation, error, memory, now);
    await writeStatus(seen, failed, world).catch((again: unknown) => {
      const fields = { canary: displayName(seen.canary), error: String(again) };
      world.log.debug(fields, 'the failure could not be noted on the canary');
    });
    throw error;
  }
}

function soonest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((it) => it !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** When the next alert of a state that lasts is due. */
function alertLasting(
  { canary }: Snapshot,
  { sayings }: Decision,
  memory: Memory,
  world: World,
): number | undefined {
  const { due, atMs } = lastingAlerts(memory.states, sayings, canary.status?.conditions ?? [], {
    intervalMs: analysisIntervalMs(canary),
    now: timesOf(world.clock),
  });
  for (const alert of due) world.alert(canary, alert);
  return atMs;
}

function keyOf(name: string) {
  const slash = name.indexOf('/');
  return { namespace: name.slice(0, slash), name: name.slice(slash + 1) };
}

function remember(name: string, canary: Canary, world: World): Memory {
  const times = timesOf(world.clock);
  const known = world.memories.get(name);
  if (known === undefined || known.uid !== canary.metadata.uid) {
    const memory = recall(canary, times);
    world.memories.set(name, memory);
    return memory;
  }
  refresh(known, canary, times);
  return known;
}

function forget(name: string, world: World): void {
  world.memories.delete(name);
  world.interests.forget(name);
  world.queue.forget(name);
  // Contents of Secrets are kept for as long as somebody looks at them, and no longer.
  world.configs.prune((path) => !world.interests.of(path)[Symbol.iterator]().next().done);
}

/** Writes what differs, if anything; a canary that somebody else wrote since is a conflict. */
async function writeStatus(
  seen: Snapshot,
  decided: CanaryStatus | undefined,
  world: World,
): Promise<CanaryStatus | undefined> {
  if (decided === undefined) return undefined;
  const { canary } = seen;
  const status = isActedOn(seen, decided) ? { ...decided, ...seen.trackedTarget() } : decided;
  const before = (canary.status ?? {}) as Json;
  const difference = mergePatchBetween(before, status as unknown as Json);
  if (difference === undefined) return undefined;
  const { name, namespace = '', resourceVersion } = canary.metadata;
  const body = { metadata: { resourceVersion }, status: difference };
  await world.writer.patch(canaries, { name, namespace }, { type: 'merge', body }, 'status');
  return status;
}

/**
 * Whether the status is about the target that was seen. Its generation is recorded then, as it is
 * after effects, which may have resized the target. The generation of a change that waits must not
 * be: the change would be taken for nobody's.
 */
function isActedOn({ observation: { revision } }: Snapshot, decided: CanaryStatus): boolean {
  if (decided.trackedTarget === undefined || revision === undefined) return false;
  const applied = decided.trackedTarget.generation === revision.tracked.generation;
  return applied || revision.change === 'Unchanged';
}

function tell(seen: Snapshot, decision: Decision, memory: Memory, now: Moment, world: World): void {
  const { canary } = seen;
  const status = decision.status ?? canary.status;
  const waitedAnInterval = now.steadyMs - memory.transitionAtMs >= analysisIntervalMs(canary);
  const say = (sayings: readonly Saying[]): void =>
    announce(canary, status?.phase ?? '', worthSaying(memory, sayings, waitedAnInterval), world);
  say(decision.sayings);
  record(seen, decision, status, world);

  const { outcome, closing = [] } = decision;
  if (outcome === undefined) return;
  runClosingHooks(seen, status?.phase ?? '', say, closing, world);
}

function record(
  { canary, observation }: Snapshot,
  { outcome, effects, beatAtMs }: Decision,
  status: CanaryStatus | undefined,
  world: World,
): void {
  const { telemetry, clock } = world;
  const { namespace = '' } = canary.metadata;
  const key = { namespace, target: canary.spec.targetRef.name };
  if (status !== undefined) telemetry.canaryPhase(key, status.phase);
  const routed = effects.find((effect) => effect.kind === 'Route');
  const split = routed?.split ?? observation.split;
  if (split !== undefined) telemetry.canaryWeights(key, split);
  if (beatAtMs !== undefined) {
    telemetry.canaryTick(key, Math.max(0, clock.monotonic() - beatAtMs) / 1000);
  }
  if (outcome === 'failed') telemetry.canaryFailed(key, strategyOf(canary));
  else if (outcome !== undefined) telemetry.canarySucceeded(key, strategyOf(canary), outcome);
}
