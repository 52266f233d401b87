/**
 * Keeps a store equal to one resource of the API server: list, then watch, for ever.
 *
 *            ┌────────── gone, or from the future ──────────┐
 *            v                                              │
 *   ───> List ── whole list ──> Watch ── ended in order ──> Watch
 *         │ ^                     │                         ^
 *         │ └── 10 to 60 s ──┐    └──── broke: back-off ────┘
 *         └── no such API ──> Missing
 *
 * `nextPlan` decides, and is pure; `createReflector` performs. The watch goes on from where it
 * broke, so an outage costs no list unless it outlasts the server's memory. The objects stay in
 * the store through every failure, a missing API included: a server that is just starting may
 * answer 404 for custom resources that exist.
 */
import type { KubeObject } from '../api/kubernetes.ts';
import { linkedAbort } from './abort.ts';
import { ApiError, isForbidden, isFromTheFuture, isGone, isNotFound } from './api-error.ts';
import type { KubeClient } from './client.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Resource } from './resources.ts';
import { compareVersions } from './store.ts';
import type { WatchedStore } from './store.ts';

/** Objects of a page, as client-go has it. */
const pageLimitMax = 500;
/** Pages that are too large for the transport are asked for in smaller numbers. */
const pageLimitDivisor = 5;
const backOffMsFirst = 800;
const backOffMsMax = 30_000;
/** A watch that lasted so long wipes out the failures before it. */
const healthyMsMin = 120_000;
/** A watch that ends sooner, though in order, counts as a failure: else we would spin. */
const watchMsMin = 1_000;
/** For somebody to install the API. */
const missingMsFirst = 10_000;
const missingMsMax = 60_000;
/** Below the five minutes after which common proxies cut a connection. */
const watchSeconds = 290;
const watchSecondsSpread = 10;
/** The server sends a bookmark each minute, give or take a quarter. Two may fail to come. */
const silentMsMax = 150_000;
/** Where the server sends no bookmarks: its own end of the watch may be so late. */
const endMsSlack = 15_000;

/** What to do, when, and what is remembered of failures. */
export interface Plan {
  readonly step: 'List' | 'Watch';
  /** Before the step. */
  readonly waitMs: number;
  readonly isMissing: boolean;
  /** In a row, without a healthy watch between. */
  readonly failures: number;
  readonly pageLimit: number;
}

export type Outcome =
  | { readonly kind: 'Listed' }
  /** The server ended the watch in good order. */
  | { readonly kind: 'Ended'; readonly lastedMs: number }
  | { readonly kind: 'Failed'; readonly error: ApiError; readonly lastedMs: number };

export const firstPlan: Plan = {
  step: 'List',
  waitMs: 0,
  isMissing: false,
  failures: 0,
  pageLimit: pageLimitMax,
};

/** `random` is from 0 to below 1. */
export function nextPlan(plan: Plan, outcome: Outcome, random: number): Plan {
  switch (outcome.kind) {
    case 'Listed':
      return {
        ...plan,
        step: 'Watch',
        waitMs: 0,
        isMissing: false,
        failures: plan.isMissing ? 0 : plan.failures,
      };
    case 'Ended': {
      const failures = outcome.lastedMs >= healthyMsMin ? 0 : plan.failures;
      if (outcome.lastedMs >= watchMsMin) return { ...plan, waitMs: 0, failures };
      return { ...plan, waitMs: backOffMs(failures, random), failures: failures + 1 };
    }
    case 'Failed':
      return afterFailure(plan, outcome, random);
  }
}

function afterFailure(
  plan: Plan,
  { error, lastedMs }: { readonly error: ApiError; readonly lastedMs: number },
  random: number,
): Plan {
  if (isNotFound(error)) {
    const failures = plan.isMissing ? plan.failures + 1 : 0;
    const waitMs = Math.min(missingMsMax, missingMsFirst * 2 ** failures);
    return { ...plan, step: 'List', waitMs, isMissing: true, failures };
  }

  const failures = lastedMs >= healthyMsMin ? 0 : plan.failures;
  const failed = { ...plan, isMissing: false, failures: failures + 1 };
  // The first time at once: nothing is wrong with the server, only with our place in its history.
  if (isGone(error) && failures === 0) return { ...failed, step: 'List', waitMs: 0 };

  const waitMs = Math.max(backOffMs(failures, random), error.retryAfterMs ?? 0);
  const isLost = isGone(error) || isFromTheFuture(error) || error.code === 400;
  const step = isLost ? 'List' : plan.step;
  const isTooLarge = plan.step === 'List' && error.reason === 'TooLarge';
  const pageLimit = isTooLarge
    ? Math.max(1, Math.floor(plan.pageLimit / pageLimitDivisor))
    : plan.pageLimit;
  return { ...failed, step, waitMs, pageLimit };
}

/** Full jitter: clients that failed together come back apart. */
function backOffMs(failures: number, random: number): number {
  return random * Math.min(backOffMsMax, backOffMsFirst * 2 ** failures);
}

/** `Waiting` is for the next try after a failure; `Missing`, for the API to be installed. */
export type ReflectorPhase = 'Stopped' | 'Listing' | 'Watching' | 'Waiting' | 'Missing';

export interface ReflectorState {
  readonly phase: ReflectorPhase;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly lastError: string | undefined;
  /** The last list or watch was refused: this process may not read the kind. */
  readonly isForbidden: boolean;
  /** Up to where the store is known to be complete. */
  readonly resourceVersion: string | undefined;
  readonly objects: number;
}

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly resource: Resource<T>;
  readonly store: WatchedStore<T>;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly log: Log;
  /** All namespaces where absent. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly metadataOnly?: boolean | undefined;
  /** Shapes each object on its way into the store. */
  readonly transform: (object: T) => T;
  /** Told of every change of phase. Must not throw. */
  readonly onState: (state: ReflectorState) => void;
}

export interface Reflector {
  /**
   * Resolves once the signal has aborted; may then be called again. Rejects only for a defect of
   * ours, such as a listener of the store that throws.
   */
  run(signal: AbortSignal): Promise<void>;
  state(): ReflectorState;
}

export function createReflector<T extends KubeObject>(options: ReflectorOptions<T>): Reflector {
  const { clock, store } = options;
  let phase: ReflectorPhase = 'Stopped';
  let since = clock.now();
  let lastError: string | undefined;
  let refused = false;

  const state = (): ReflectorState => ({
    phase,
    since,
    lastError,
    isForbidden: refused,
    resourceVersion: store.resourceVersion,
    objects: store.size,
  });
  const enter = (next: ReflectorPhase): void => {
    if (next === phase) return;
    phase = next;
    since = clock.now();
    options.onState(state());
  };
  const perform = async (plan: Plan, signal: AbortSignal): Promise<Outcome> => {
    const begunAtMs = clock.monotonic();
    const lastedMs = (): number => clock.monotonic() - begunAtMs;
    try {
      if (plan.step === 'List') {
        await list(options, plan.pageLimit, signal);
        return { kind: 'Listed' };
      }
      await watch(options, { signal, opened: () => enter('Watching') });
      return { kind: 'Ended', lastedMs: lastedMs() };
    } catch (error) {
      if (signal.aborted || !(error instanceof ApiError)) throw error;
      return { kind: 'Failed', error, lastedMs: lastedMs() };
    }
  };
  const loop = async (signal: AbortSignal): Promise<void> => {
    for (let plan = firstPlan; ;) {
      if (plan.step === 'List' && !plan.isMissing) enter('Listing');
      const outcome = await perform(plan, signal);
      const next = nextPlan(plan, outcome, options.random());
      refused = outcome.kind === 'Failed' && isForbidden(outcome.error);
      if (outcome.kind === 'Failed') {
        lastError = outcome.error.message;
        report(options, { plan, next, error: outcome.error });
      }
      if (next.isMissing) enter('Missing');
      else if (next.waitMs > 0) enter('Waiting');
      if (next.waitMs > 0) await clock.sleep(next.waitMs, signal);
      plan = next;
    }
  };

  return {
    state,
    run: async (signal) => {
      try {
        await loop(signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        enter('Stopped');
      }
    },
  };
}

async function list<T extends KubeObject>(
  options: ReflectorOptions<T>,
  limit: number,
  signal: AbortSignal,
): Promise<void> {
  const { client, resource, store, namespace, labelSelector, metadataOnly, transform } = options;
  const selection = { namespace, labelSelector, metadataOnly, limit, signal };
  const objects: T[] = [];
  let page = await client.list(resource, selection);
  for (;;) {
    for (const object of page.items) objects.push(transform(object));
    if (page.continueToken === undefined) break;
    page = await client.list(resource, { ...selection, continueToken: page.continueToken });
  }
  signal.throwIfAborted();
  store.reset(objects, page.resourceVersion);
}

async function watch<T extends KubeObject>(
  options: ReflectorOptions<T>,
  { signal, opened }: { readonly signal: AbortSignal; readonly opened: () => void },
): Promise<void> {
  const { client, resource, store, namespace, labelSelector, metadataOnly, transform } = options;
  const spread = Math.round((options.random() - 0.5) * watchSecondsSpread);
  const timeoutSeconds = watchSeconds + spread;
  const idle = createIdleLimit(options.clock, signal);
  try {
    const events = await client.watch(resource, {
      namespace,
      labelSelector,
      metadataOnly,
      timeoutSeconds,
      resourceVersion: store.resourceVersion ?? '',
      signal: idle.signal,
    });
    opened();
    let silentMs = timeoutSeconds * 1000 + endMsSlack;
    idle.restart(silentMs);
    for await (const event of events) {
      if (event.kind === 'Applied') store.apply(transform(event.object));
      else if (event.kind === 'Deleted') store.delete(event.object);
      else {
        advance(options, event.resourceVersion);
        silentMs = silentMsMax;
      }
      idle.restart(silentMs);
    }
  } finally {
    idle.end();
  }
}

function advance<T extends KubeObject>(
  { store, resource }: ReflectorOptions<T>,
  resourceVersion: string,
): void {
  const reached = store.resourceVersion ?? '';
  if (compareVersions(resourceVersion, reached) < 0) {
    // The server's storage was put back. It would send us nothing until it has caught up.
    const message = `watch ${resource.plural}: the server is at ${resourceVersion}, we at ${reached}`;
    throw new ApiError(message, { code: 410, reason: 'Expired' });
  }
  store.advance(resourceVersion);
}

/** Aborts what hangs on its signal when the outer signal does, or when nothing came for too long. */
function createIdleLimit(
  clock: Clock,
  outer: AbortSignal,
): { signal: AbortSignal; restart(ms: number): void; end(): void } {
  const inner = linkedAbort(outer);
  let cancel = (): void => undefined;
  return {
    signal: inner.signal,
    restart: (ms) => {
      cancel();
      cancel = clock.after(ms, () => {
        const message = `watch: silent for ${Math.round(ms / 1000)} s, taken for dead`;
        inner.abort(new ApiError(message, { code: 0, reason: 'Timeout' }));
      });
    },
    end: () => {
      cancel();
      inner.unlink();
    },
  };
}

function report<T extends KubeObject>(
  { log, resource }: ReflectorOptions<T>,
  { plan, next, error }: { readonly plan: Plan; readonly next: Plan; readonly error: ApiError },
): void {
  const fields = {
    resource: resource.plural,
    step: plan.step,
    error: error.message,
    retryMs: Math.round(next.waitMs),
  };
  if (next.isMissing) {
    if (!plan.isMissing) log.info(fields, 'the API is not installed; waiting for it');
  } else if (next.step === 'List' && plan.step === 'Watch') {
    log.info(fields, 'the watch lost its place; listing again');
  } else {
    log.warn(fields, 'list or watch failed');
  }
}
