/**
 * The controller itself, started on a cluster with its hands tied: what it would write and say in
 * its first moments is what taking over would change. Time stands still for it, hooks and metric
 * providers are not called, and no alert is sent.
 */
import type { Canary, CanaryStatus } from '../../api/canary.ts';
import type { KubeObject } from '../../api/kubernetes.ts';
import type { Controller } from '../../controller/controller.ts';
import { createController } from '../../controller/controller.ts';
import type { Settings } from '../../controller/settings.ts';
import { onAbort } from '../../kube/abort.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Clock } from '../../kube/clock.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { Informers } from '../../kube/informers.ts';
import { createInformers } from '../../kube/informers.ts';
import { quietLog } from '../../kube/quiet-log.ts';
import { createTelemetry } from '../../telemetry/metrics.ts';
import type { Write } from './tied-client.ts';
import { createTiedClient } from './tied-client.ts';

export interface TiedOptions {
  readonly kube: KubeClient;
  readonly settings: Settings;
  /** The one namespace to look at; all where empty. */
  readonly namespace: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly uuid: () => string;
  readonly signal: AbortSignal;
}

export interface Attempt {
  readonly writes: readonly Write[];
  /** What would be said of each canary, by `NAMESPACE/NAME`. */
  readonly said: ReadonlyMap<string, readonly string[]>;
  /** Kinds that could not be read, and why. */
  readonly unread: readonly string[];
}

/** Nothing has happened for so long: nothing more is to come. */
const quietMs = 400;
const pollMs = 50;

/** Rejects with the signal's reason where the cluster could not be read until then. */
export async function attempt(options: TiedOptions): Promise<Attempt> {
  const { clock, signal } = options;
  const end = new AbortController();
  const until = AbortSignal.any([signal, end.signal]);
  const writes: Write[] = [];
  const said = new Map<string, string[]>();
  const kube = createTiedClient(options.kube, (write) => writes.push(write));
  const informers = createInformers({
    ...options,
    client: kube,
    log: quietLog,
    onState: (plural, state) => controller.watchChanged(plural, state),
  });
  const controller: Controller = createTied({ ...options, signal: until }, kube, informers, said);
  const tasks = [controller.watch(until), controller.lead(until, until)];
  try {
    const seen = await quiet(
      () => [writes.length, ...[...said.values()].map(({ length }) => length)].join(),
      () =>
        controller.queue.depth === 0 &&
        unread(informers, ['Stopped', 'Listing', 'Waiting']).length === 0,
      { clock, signal },
    );
    if (!seen) signal.throwIfAborted();
    return { writes, said, unread: unread(informers, ['Forbidden']) };
  } finally {
    end.abort(new Error('looked at'));
    await Promise.allSettled(tasks);
  }
}

function createTied(
  options: TiedOptions,
  kube: KubeClient,
  informers: Informers,
  said: Map<string, string[]>,
) {
  const { settings, clock, random, uuid, signal } = options;
  const never = () => new Promise<never>(() => undefined);
  const recorder: EventRecorder = {
    pending: 0,
    flush: async () => undefined,
    record: ({ metadata }: KubeObject, { message }) => {
      const name = `${metadata.namespace ?? ''}/${metadata.name}`;
      said.set(name, [...(said.get(name) ?? []), message]);
    },
  };
  return createController({
    settings: { ...settings, eventWebhook: '' },
    kube,
    informers,
    recorder,
    checks: { analyse: never, probe: never },
    post: never,
    telemetry: createTelemetry({ version: '', meshProvider: settings.meshProvider }),
    clock: stopped(clock),
    random,
    uuid,
    log: quietLog,
    workers: 16,
    signal,
  });
}

/** No timer fires: what comes later than the first moments is not looked at. */
function stopped(clock: Clock): Clock {
  const [wallMs, steadyMs] = [clock.now(), clock.monotonic()];
  return {
    now: () => wallMs,
    monotonic: () => steadyMs,
    sleep: (_, signal) =>
      new Promise((_resolve, reject) => {
        onAbort(signal, () => reject(signal.reason as Error));
      }),
    after: () => () => undefined,
  };
}

/** Watches that stand like this. */
function unread(informers: Informers, standings: readonly string[]): readonly string[] {
  return Object.entries(informers.states()).flatMap(
    ([resource, { phase, isForbidden, lastError }]) => {
      const standing = isForbidden ? 'Forbidden' : phase;
      return standings.includes(standing) ? [`${resource}: ${lastError ?? standing}`] : [];
    },
  );
}

/** Resolves when `state` has stood still for a while and `isCalm`; false where the signal aborts. */
async function quiet(
  state: () => string,
  isCalm: () => boolean,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<boolean> {
  let [known, sinceMs] = [state(), clock.monotonic()];
  while (!signal.aborted) {
    await clock.sleep(pollMs, signal).catch(() => undefined);
    const now = state();
    if (now !== known || !isCalm()) [known, sinceMs] = [now, clock.monotonic()];
    else if (clock.monotonic() - sinceMs >= quietMs) return true;
  }
  return false;
}

/** The status that the controller would have given a canary; undefined where it would leave it. */
export function statusAfter(canary: Canary, writes: readonly Write[]): CanaryStatus | undefined {
  const { namespace = '', name } = canary.metadata;
  const write = writes.findLast(
    (it) => it.resource.plural === 'canaries' && it.namespace === namespace && it.name === name,
  );
  return (write?.after as Canary | undefined)?.status;
}
