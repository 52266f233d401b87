/**
 * Kubernetes events of our decisions: one object for each, never folded together, in order for each
 * object that they are about (`spec/01`, 4.1). Recording never waits and never fails; what cannot
 * be delivered is counted and dropped.
 */
import type { KubeObject } from '../api/kubernetes.ts';
import { onAbort } from './abort.ts';
import { ApiError, isAlreadyExists } from './api-error.ts';
import type { KubeClient } from './client.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import { events, nameOf } from './resources.ts';
import type { OpenObject } from './resources.ts';
import { keyOf } from './store.ts';

/** As the reference has it: dashboards and alerts of its users select by it. */
const component = 'flagger';
/** Two events for each of 5,000 canaries; some 10 MB. */
const queueMax = 10_000;
/** Calls at once: the rate limit, not the round trip, shall be what events wait for. */
const sendersMax = 8;
/** An API server that is away is waited for; one upgrade of a control plane fits in. */
const ageMsMax = 15 * 60_000;
const backOffMsFirst = 500;
const backOffMsMax = 10_000;
/** Names have at most 253 characters, of which the dot and the digits take 17. */
const objectNameMax = 236;

export interface EventRecorder {
  record(object: KubeObject, event: RecordedEvent): void;
  /** Resolves when all events are delivered or dropped; drops the rest once the signal aborts. */
  flush(signal: AbortSignal): Promise<void>;
  /** Events that wait. */
  readonly pending: number;
}

export interface RecordedEvent {
  readonly type: 'Normal' | 'Warning';
  readonly message: string;
  /** `Synced`, as the reference has it for all, where absent. */
  readonly reason?: string;
}

export interface EventRecorderOptions {
  readonly client: Pick<KubeClient, 'create'>;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** So many hexadecimal digits, never the same twice. */
  readonly randomHex: (digits: number) => string;
  readonly log: Log;
  /** Told of each event that is lost, and why: `full`, `refused`, `undeliverable`, `shutdown`. */
  readonly onDrop: (reason: string) => void;
}

interface Entry {
  readonly event: OpenObject;
  readonly recordedAtMs: number;
  readonly tries: number;
}

type Delivery = 'Delivered' | 'Later' | 'Refused';

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  return new QueuedRecorder(options);
}

class QueuedRecorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #life = new AbortController();
  /** By the object that they are about. The first of a line is the one in hand. */
  readonly #lines = new Map<string, Entry[]>();
  /** Lines whose first event may be sent now. */
  readonly #ready: string[] = [];
  readonly #retries = new Set<() => void>();
  readonly #flushing = new Set<() => void>();
  #pending = 0;
  #senders = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  get pending(): number {
    return this.#pending;
  }

  record(object: KubeObject, recorded: RecordedEvent): void {
    const { clock, randomHex, onDrop } = this.#options;
    if (this.#life.signal.aborted) return onDrop('shutdown');
    if (this.#pending >= queueMax) return onDrop('full');

    const event = eventOf(object, recorded, { atMs: clock.now(), hex: randomHex(16) });
    const entry = { event, recordedAtMs: clock.monotonic(), tries: 0 };
    const key = `${object.kind} ${keyOf(nameOf(object))}`;
    this.#pending += 1;
    const line = this.#lines.get(key);
    if (line !== undefined) {
      line.push(entry);
      return undefined;
    }
    this.#lines.set(key, [entry]);
    this.#ready.push(key);
    this.#send();
    return undefined;
  }

  flush(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      let unlisten = (): void => undefined;
      this.#flushing.add(() => {
        unlisten();
        resolve();
      });
      unlisten = onAbort(signal, () => this.#close());
      this.#settle();
    });
  }

  #send(): void {
    while (this.#senders < sendersMax) {
      const key = this.#ready.shift();
      if (key === undefined) return;
      this.#senders += 1;
      void this.#sendFirst(key);
    }
  }

  async #sendFirst(key: string): Promise<void> {
    const line = this.#lines.get(key);
    const [entry] = line ?? [];
    const delivery = entry === undefined ? 'Delivered' : await this.#deliver(entry);
    this.#senders -= 1;
    if (this.#life.signal.aborted || line === undefined || entry === undefined) return;

    const ageMs = this.#options.clock.monotonic() - entry.recordedAtMs;
    if (delivery === 'Later' && ageMs < ageMsMax) {
      line[0] = { ...entry, tries: entry.tries + 1 };
      this.#retry(key, entry.tries);
    } else {
      if (delivery === 'Refused') this.#options.onDrop('refused');
      if (delivery === 'Later') this.#options.onDrop('undeliverable');
      line.shift();
      this.#pending -= 1;
      if (line.length === 0) this.#lines.delete(key);
      // At the end of the others: a talkative object must not starve the quiet ones.
      else this.#ready.push(key);
    }
    this.#send();
    this.#settle();
  }

  async #deliver({ event }: Entry): Promise<Delivery> {
    const { client, log } = this.#options;
    try {
      await client.create(events, event, { signal: this.#life.signal });
      return 'Delivered';
    } catch (error) {
      // An earlier try got through after all: no two events have the same name.
      if (isAlreadyExists(error)) return 'Delivered';
      if (this.#life.signal.aborted) return 'Later';
      const isPassing =
        error instanceof ApiError && (error.code === 0 || error.code === 429 || error.code >= 500);
      const text = error instanceof Error ? error.message : String(error);
      log.warn({ event: event.metadata.name, error: text }, 'event not delivered');
      return isPassing ? 'Later' : 'Refused';
    }
  }

  #retry(key: string, tries: number): void {
    const waitMs = this.#options.random() * Math.min(backOffMsMax, backOffMsFirst * 2 ** tries);
    const cancel = this.#options.clock.after(waitMs, () => {
      this.#retries.delete(cancel);
      this.#ready.push(key);
      this.#send();
    });
    this.#retries.add(cancel);
  }

  #close(): void {
    if (this.#life.signal.aborted) return;
    this.#life.abort();
    for (const cancel of this.#retries) cancel();
    for (let left = this.#pending; left > 0; left -= 1) this.#options.onDrop('shutdown');
    this.#lines.clear();
    this.#ready.length = 0;
    this.#pending = 0;
    this.#settle();
  }

  #settle(): void {
    if (this.#pending > 0) return;
    for (const done of this.#flushing) done();
    this.#flushing.clear();
  }
}

function eventOf(
  { apiVersion, kind, metadata }: KubeObject,
  { type, message, reason = 'Synced' }: RecordedEvent,
  stamp: { readonly atMs: number; readonly hex: string },
): OpenObject {
  const { name, namespace, uid, resourceVersion } = metadata;
  // metav1.Time has whole seconds.
  const timestamp = new Date(stamp.atMs).toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: `${name.slice(0, objectNameMax)}.${stamp.hex}`,
      namespace: namespace ?? 'default',
    },
    involvedObject: { apiVersion, kind, name, namespace, uid, resourceVersion },
    type,
    reason,
    message,
    count: 1,
    firstTimestamp: timestamp,
    lastTimestamp: timestamp,
    source: { component },
    reportingComponent: component,
    reportingInstance: '',
  };
}
