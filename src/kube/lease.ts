/**
 * Leader election over one Lease of `coordination.k8s.io`.
 *
 *   contend ── free, vacated or expired ──> hold ── work ended ──> vacate
 *      ^ │                                    │
 *      └─┘ every retryPeriod                  └── not renewed within renewDeadline: lost
 *
 * At no time do two holders work: others take the lease over only when they have seen it unchanged
 * for its whole duration, by their own steady clock; and the holder's work is told to stop when its
 * last successful renewal was sent renewDeadline ago, by its own. Clocks are never compared: the
 * times in the object are for people.
 */
import type { Lease, NamespacedName } from '../api/kubernetes.ts';
import { linkedAbort } from './abort.ts';
import { ApiError, isAlreadyExists, isConflict, isNotFound } from './api-error.ts';
import type { KubeClient, Patch } from './client.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import { leases } from './resources.ts';

export interface ElectionOptions {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'patch'>;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly key: NamespacedName;
  /** Unique among all processes, ever: after a restart it must not be taken for the one before. */
  readonly identity: string;
  /** For how long an unchanged lease is respected. 15 s where absent. */
  readonly leaseDurationMs?: number;
  /** For how long the holder goes on without a renewal. 10 s; must be below the duration. */
  readonly renewDeadlineMs?: number;
  /** Between two tries to take or renew it. 2 s; must be below the deadline. */
  readonly retryPeriodMs?: number;
  /** Told when the lease is taken, and when it is lost or vacated. */
  readonly onHeld?: (isHeld: boolean) => void;
  /** Told of the identity of each other holder that is seen; empty where nobody holds it. */
  readonly onHolder?: (identity: string) => void;
}

export interface Election {
  /**
   * Waits for the lease, then runs `work` under it, once. The work's signal aborts when the outer
   * one does, or before the lease can expire. Resolves when the work has ended and the lease is
   * vacated: `Stopped`, or `Lost` where the lease could not be kept. Rejects as the work does.
   */
  run(
    work: (signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<'Stopped' | 'Lost'>;
  /** For a last look before a write: right even where a timer is late. */
  isHeld(): boolean;
  /** The holder as last seen; empty where nobody is known to hold it. */
  holder(): string;
}

/** Conflicts of one renewal, each with somebody who does not hold the lease. */
const conflictsMax = 3;

const defaults = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 };

export function createElection(options: ElectionOptions): Election {
  const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = { ...defaults, ...options };
  if (!(retryPeriodMs < renewDeadlineMs && renewDeadlineMs < leaseDurationMs)) {
    throw new Error('a lease needs: retry period < renew deadline < lease duration');
  }
  return new LeaseElection({ ...options, leaseDurationMs, renewDeadlineMs, retryPeriodMs });
}

/** The lease as last seen, or its absence. */
interface Sighting {
  readonly lease: Lease | undefined;
  /** What a holder changes when it renews. */
  readonly spec: string;
  /** By the steady clock: when this spec was first seen. */
  readonly atMs: number;
}

type Settings = ElectionOptions & typeof defaults;

class LeaseElection implements Election {
  readonly #options: Settings;
  #seen: Sighting | undefined;
  /** By the steady clock: when our work must have stopped. */
  #heldUntilMs: number | undefined;

  constructor(options: Settings) {
    this.#options = options;
  }

  isHeld(): boolean {
    return this.#heldUntilMs !== undefined && this.#options.clock.monotonic() < this.#heldUntilMs;
  }

  holder(): string {
    return this.#seen?.lease?.spec?.holderIdentity ?? '';
  }

  async run(
    work: (signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<'Stopped' | 'Lost'> {
    try {
      await this.#contend(signal);
    } catch (error) {
      if (signal.aborted) return 'Stopped';
      throw error;
    }
    return this.#hold(work, signal);
  }

  async #contend(signal: AbortSignal): Promise<void> {
    const { clock, random, retryPeriodMs } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      if (await this.#survives('take the lease', () => this.#take(signal), signal)) return;
      // A fifth of jitter, so that contenders who started together do not collide for ever.
      await clock.sleep(retryPeriodMs * (1 + random() / 5), signal);
    }
  }

  async #hold(
    work: (signal: AbortSignal) => Promise<void>,
    outer: AbortSignal,
  ): Promise<'Stopped' | 'Lost'> {
    const working = linkedAbort(outer);
    const renewing = new AbortController();
    let isLost = false;
    const lose = (why: string): void => {
      if (isLost) return;
      isLost = true;
      this.#heldUntilMs = undefined;
      this.#options.log.error({ lease: this.#options.key, why }, 'lease lost');
      working.abort(new Error(`the lease was lost: ${why}`));
      renewing.abort();
      this.#options.onHeld?.(false);
    };
    this.#options.onHeld?.(true);
    const renewed = this.#keepRenewing(lose, renewing.signal);
    try {
      await work(working.signal);
    } catch (error) {
      if (!working.signal.aborted || error !== working.signal.reason) throw error;
    } finally {
      working.unlink();
      renewing.abort();
      await renewed;
      // Only now: whoever takes the lease over must find nobody at work.
      this.#heldUntilMs = undefined;
      await this.#vacate();
      if (!isLost) this.#options.onHeld?.(false);
    }
    return isLost ? 'Lost' : 'Stopped';
  }

  /** Renews until the signal aborts. Loses the lease on time, whatever a renewal is doing. */
  async #keepRenewing(lose: (why: string) => void, signal: AbortSignal): Promise<void> {
    const { clock, retryPeriodMs } = this.#options;
    let triedAtMs = clock.monotonic();
    let cancel = (): void => undefined;
    const watchExpiry = (): void => {
      cancel();
      const leftMs = (this.#heldUntilMs ?? 0) - clock.monotonic();
      cancel = clock.after(Math.max(0, leftMs), () => lose('it could not be renewed in time'));
    };
    try {
      for (;;) {
        watchExpiry();
        // In step with the last try: one that hung has used up its pause.
        const restMs = triedAtMs + retryPeriodMs - clock.monotonic();
        if (restMs > 0) await clock.sleep(restMs, signal);
        triedAtMs = clock.monotonic();
        await this.#survives('renew the lease', () => this.#renew(signal), signal);
        const holder = this.holder();
        if (holder !== this.#options.identity && holder !== '') lose(`${holder} holds it`);
        signal.throwIfAborted();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      cancel();
    }
  }

  /** Whether it is ours now. */
  async #take(signal: AbortSignal): Promise<boolean> {
    await this.#look(signal);
    if (!this.#isFree()) return false;
    return this.#write(signal);
  }

  async #renew(signal: AbortSignal): Promise<boolean> {
    for (let conflicts = 0; conflicts < conflictsMax; conflicts += 1) {
      if (await this.#write(signal)) return true;
      await this.#look(signal);
      const holder = this.holder();
      if (holder !== this.#options.identity && holder !== '') return false;
    }
    return false;
  }

  /** Nobody's, ours from before, or not renewed for as long as its holder asked for. */
  #isFree(): boolean {
    const { clock, identity, leaseDurationMs } = this.#options;
    const seen = this.#seen;
    if (seen === undefined) return false;
    const { holderIdentity = '', leaseDurationSeconds } = (JSON.parse(seen.spec) ??
      {}) as NonNullable<Lease['spec']>;
    if (holderIdentity === '' || holderIdentity === identity) return true;
    const durationMs =
      leaseDurationSeconds === undefined ? leaseDurationMs : leaseDurationSeconds * 1000;
    return clock.monotonic() - seen.atMs >= durationMs;
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { client, key } = this.#options;
    const lease = await this.#inTime(signal, async (signal) => {
      try {
        return await client.get(leases, key, { signal });
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    });
    this.#note(lease);
  }

  /**
   * A lease that was deleted under its holder is respected as long as one that is not renewed, for
   * its holder may not know yet.
   */
  #note(lease: Lease | undefined): void {
    const { clock, identity, onHolder } = this.#options;
    const before = this.holder();
    const spec =
      lease === undefined ? (this.#seen?.spec ?? '{}') : JSON.stringify(lease.spec ?? {});
    const atMs = this.#seen?.spec === spec ? this.#seen.atMs : clock.monotonic();
    this.#seen = { lease, spec, atMs };
    const holder = this.holder();
    if (holder !== before && holder !== identity) onHolder?.(holder);
  }

  /** Writes that we hold it now, on the version last seen. False where somebody else wrote first. */
  async #write(signal: AbortSignal): Promise<boolean> {
    const { client, clock, key, identity, leaseDurationMs, renewDeadlineMs } = this.#options;
    const lease = this.#seen?.lease;
    const now = microTime(clock.now());
    const isNew = lease?.spec?.holderIdentity !== identity;
    const spec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
      renewTime: now,
      acquireTime: isNew ? now : (lease.spec.acquireTime ?? now),
      leaseTransitions:
        (lease?.spec?.leaseTransitions ?? 0) + (isNew && lease !== undefined ? 1 : 0),
    };
    // From the sending: the server may have written it, and others seen it, from then on.
    const sentAtMs = clock.monotonic();
    try {
      const written = await this.#inTime(signal, (signal) =>
        lease === undefined
          ? client.create(leases, { ...newLease(key), spec }, { signal })
          : client.patch(leases, key, mergePatch(lease, spec), { signal }),
      );
      signal.throwIfAborted();
      this.#note(written);
    } catch (error) {
      if (isConflict(error) || isAlreadyExists(error)) return false;
      if (isNotFound(error) && lease !== undefined) return false;
      throw error;
    }
    this.#heldUntilMs = sentAtMs + renewDeadlineMs;
    return true;
  }

  /** Lets others have it at once. Does nothing where it is no longer ours. */
  async #vacate(): Promise<void> {
    const never = new AbortController().signal;
    await this.#survives(
      'vacate the lease',
      async () => {
        for (let conflicts = 0; conflicts < conflictsMax; conflicts += 1) {
          if (await this.#writeVacant(never)) return true;
          // A renewal that we gave up waiting for may have been carried out.
          await this.#look(never);
        }
        return false;
      },
      never,
    );
  }

  /** False on a conflict. */
  async #writeVacant(signal: AbortSignal): Promise<boolean> {
    const { client, clock, key, identity } = this.#options;
    const lease = this.#seen?.lease;
    if (lease?.spec?.holderIdentity !== identity) return true;
    const now = microTime(clock.now());
    const spec = { holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
    const patch = mergePatch(lease, spec);
    try {
      this.#note(
        await this.#inTime(signal, (inner) => client.patch(leases, key, patch, { signal: inner })),
      );
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
  }

  /** False where the API failed: then there is another try, or nothing to be done. */
  async #survives(
    what: string,
    attempt: () => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted || !(error instanceof ApiError)) throw error;
      this.#options.log.warn({ lease: this.#options.key, error: error.message }, `cannot ${what}`);
      return false;
    }
  }

  /** A call that hangs ends early enough for another before the deadline. */
  async #inTime<Answer>(
    outer: AbortSignal,
    call: (signal: AbortSignal) => Promise<Answer>,
  ): Promise<Answer> {
    const { clock, renewDeadlineMs, retryPeriodMs } = this.#options;
    const inner = linkedAbort(outer);
    const cancel = clock.after((renewDeadlineMs - retryPeriodMs) / 2, () => {
      inner.abort(new ApiError('lease: no answer in time', { code: 0, reason: 'Timeout' }));
    });
    try {
      return await call(inner.signal);
    } finally {
      cancel();
      inner.unlink();
    }
  }
}

function newLease({ namespace, name }: NamespacedName): Lease {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { namespace, name },
  };
}

function mergePatch(lease: Lease, spec: NonNullable<Lease['spec']>): Patch {
  const { resourceVersion } = lease.metadata;
  return { type: 'merge', body: { metadata: { resourceVersion }, spec } };
}

/** `V1MicroTime`: RFC 3339 with exactly six decimals. */
export function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/(\.\d{3})Z$/, '$1000Z');
}
