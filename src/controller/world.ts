/** Everything that the controller works with: handed in, never reached for. */
import type { Moment } from '../canary/observation.ts';
import type { Post } from '../hooks/post.ts';
import type { Clock } from '../kube/clock.ts';
import type { EventRecorder } from '../kube/events.ts';
import type { Log } from '../kube/log.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { SendAlert } from './alerting.ts';
import type { Caches } from './caches.ts';
import type { Interests } from './interests.ts';
import type { Memory, Times } from './memory.ts';
import type { Queue } from './queue.ts';
import type { Settings } from './settings.ts';
import type { Slots } from './slots.ts';
import type { TargetIndex } from './target-index.ts';
import type { TrackedConfigs } from './tracked-configs.ts';
import type { Writer } from './writer.ts';
import type { Checks } from './checks.ts';

export interface EventHooks {
  /** Of all canaries. */
  waiting: number;
  /** By the canary's name in the queue; those for whom nothing waits have none. */
  readonly lines: Map<string, { waiting: number; last: Promise<void> }>;
}

/** What there is whether or not this process leads. */
export interface Standing {
  readonly settings: Settings;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly uuid: () => string;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly caches: Caches;
  readonly configs: TrackedConfigs;
  readonly targets: TargetIndex;
  readonly interests: Interests;
  readonly queue: Queue;
  readonly slots: Slots;
  readonly memories: Map<string, Memory>;
  readonly recorder: EventRecorder;
  readonly checks: Checks;
  readonly alert: SendAlert;
  /** Calls users' webhooks. */
  readonly post: Post;
  /** Events on their way to event hooks: counted, because they are bounded. */
  readonly eventHooks: EventHooks;
  /** Aborts when the process ends. */
  readonly signal: AbortSignal;
}

/** What the leader works with. */
export interface World extends Standing {
  readonly writer: Writer;
  /** Writes routing objects, which may lie in another cluster. */
  readonly routeWriter: Writer;
}

export const timesOf = (clock: Clock): Times => ({
  wallMs: clock.now(),
  steadyMs: clock.monotonic(),
});

export const momentOf = (clock: Clock): Moment => ({
  steadyMs: clock.monotonic(),
  wallTime: `${new Date(clock.now()).toISOString().slice(0, 19)}Z`,
});
