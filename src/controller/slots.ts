/**
 * How many rollouts may be in progress at once, in the cluster and in each namespace. Who comes first
 * is served first, by when its revision was seen; the place is in the status, so that it survives
 * whoever leads.
 *
 * - A rollout in flight has its slot until it ends, whatever the limits are by then.
 * - Only who would start at its last look stands in line: one that has to wait for something else
 *   lets the next one pass. One that this process has not looked at yet is believed to stand there.
 * - One that cannot move (suspended, or stalled until somebody acts) holds up nobody.
 */
import type { Canary, Phase } from '../api/canary.ts';
import { skipsAnalysis } from '../api/defaults.ts';
import type { Slot } from '../canary/observation.ts';
import { isStalled, statusOf } from '../canary/status.ts';

export interface SlotLimits {
  /** Rollouts in progress at once; 0 for any number. */
  readonly cluster: number;
  /** The same for each namespace. */
  readonly namespace: number;
}

export interface Slots {
  /** Whether there is any limit. */
  readonly isLimited: boolean;
  /** A canary as it is stored now. */
  applied(canary: Canary): void;
  deleted(canary: Canary): void;
  /** This process leads from now on: what it thought of those in line may be old. */
  begin(): void;
  /** Asks for a slot, which is held until `settle`. `wallTime`: RFC 3339, now. */
  request(canary: Canary, wallTime: string): Slot;
  /** The look at a canary is over: a slot that it was given and did not use is free again. */
  settle(canary: Canary): void;
}

interface Place {
  readonly namespace: string;
  /** RFC 3339. */
  readonly since: string;
}

/** Phases of a rollout in flight. */
const inFlight: readonly Phase[] = ['Progressing', 'WaitingPromotion', 'Promoting', 'Finalising'];

/** Names in a message. */
const namesMax = 3;

/** `wake`: one of those in line may start now. */
export const createSlots = (limits: SlotLimits, wake: (name: string) => void): Slots =>
  new SlotTable(limits, wake);

class SlotTable implements Slots {
  readonly isLimited: boolean;
  readonly #limits: SlotLimits;
  readonly #wake: (name: string) => void;
  /** In flight, or granted a slot in a look that is not over: name to namespace. */
  readonly #holders = new Map<string, string>();
  readonly #granted = new Map<string, string>();
  readonly #line = new Map<string, Place>();
  /** Looked at since this process leads. */
  readonly #known = new Set<string>();
  /** Asked for a slot in the look that is under way. */
  readonly #asked = new Set<string>();

  constructor(limits: SlotLimits, wake: (name: string) => void) {
    this.#limits = limits;
    this.#wake = wake;
    this.isLimited = limits.cluster > 0 || limits.namespace > 0;
  }

  applied(canary: Canary): void {
    if (!this.isLimited) return;
    const name = keyOf(canary);
    const { namespace = '' } = canary.metadata;
    const held = this.#holders.has(name);
    const holds = isHolder(canary);
    if (holds) this.#holders.set(name, namespace);
    else this.#holders.delete(name);
    const { phase, waitingSince } = statusOf(canary);
    if (phase !== 'Waiting') this.#line.delete(name);
    else if (!this.#known.has(name)) {
      this.#line.set(name, { namespace, since: waitingSince ?? '' });
    }
    if (held && !holds) this.#wakeNext();
  }

  deleted(canary: Canary): void {
    const name = keyOf(canary);
    this.#known.delete(name);
    const left = [this.#holders.delete(name), this.#line.delete(name)];
    if (left.includes(true)) this.#wakeNext();
  }

  begin(): void {
    this.#known.clear();
    this.#granted.clear();
    this.#asked.clear();
  }

  request(canary: Canary, wallTime: string): Slot {
    const name = keyOf(canary);
    const { namespace = '' } = canary.metadata;
    const place = { namespace, since: statusOf(canary).waitingSince ?? wallTime };
    this.#asked.add(name);
    this.#line.set(name, place);
    const { cluster } = this.#limits;
    // Most who ask in a rush find nothing, and need not be put in order for that.
    const isFull = cluster > 0 && this.#taken().size >= cluster;
    if (!isFull && this.#admitted().has(name)) {
      this.#line.delete(name);
      this.#granted.set(name, namespace);
      return { kind: 'Granted' };
    }
    return this.#refusal(name, place);
  }

  settle(canary: Canary): void {
    if (!this.isLimited) return;
    const name = keyOf(canary);
    this.#known.add(name);
    const unused = this.#granted.delete(name) && !this.#holders.has(name);
    const steppedOut = !this.#asked.delete(name) && this.#line.delete(name);
    if (unused || steppedOut) this.#wakeNext();
  }

  /** Those in line for whom there is a slot, each counting those before it. */
  #admitted(): ReadonlySet<string> {
    const used = new Map<string, number>();
    let all = 0;
    const take = (namespace: string): void => {
      all += 1;
      used.set(namespace, (used.get(namespace) ?? 0) + 1);
    };
    const { cluster, namespace: each } = this.#limits;
    for (const namespace of this.#taken().values()) take(namespace);
    const admitted = new Set<string>();
    for (const [name, { namespace }] of [...this.#line].toSorted(byPlace)) {
      if (cluster > 0 && all >= cluster) break;
      if (each > 0 && (used.get(namespace) ?? 0) >= each) continue;
      take(namespace);
      admitted.add(name);
    }
    return admitted;
  }

  #taken(): ReadonlyMap<string, string> {
    return new Map([...this.#holders, ...this.#granted]);
  }

  #refusal(name: string, place: Place): Slot {
    const { cluster, namespace: each } = this.#limits;
    const taken = [...this.#taken()];
    const inNamespace = taken.filter(([, namespace]) => namespace === place.namespace);
    const isByNamespace = each > 0 && inNamespace.length >= each;
    const limit = isByNamespace ? each : cluster > 0 ? cluster : each;
    const where = isByNamespace || cluster === 0 ? `namespace ${place.namespace}` : 'the cluster';
    const rollouts = limit === 1 ? 'rollout' : 'rollouts';
    const why = `no more than ${limit} ${rollouts} may be in progress at once in ${where}`;
    const holders = (isByNamespace ? inNamespace : taken).map(([key]) => shownKey(key));
    const ahead = [...this.#line].filter((it) => byPlace(it, [name, place]) < 0).length;
    const shown = holders.toSorted().slice(0, namesMax).join(', ');
    const more = holders.length > namesMax ? ' and others' : '';
    const are = holders.length === 1 ? 'is' : 'are';
    const details = [
      ...(holders.length > 0 ? [`${shown}${more} ${are}`] : []),
      ...(ahead > 0 ? [`${ahead} ${ahead === 1 ? 'waits' : 'wait'} before this one`] : []),
    ];
    return { kind: 'Refused', why, details: details.join('; ') };
  }

  #wakeNext(): void {
    for (const name of this.#admitted()) this.#wake(name);
  }
}

type Entry = readonly [string, Place];

const byPlace = ([left, one]: Entry, [right, other]: Entry): number =>
  compare(one.since, other.since) || compare(left, right);

const compare = (left: string, right: string): number =>
  left === right ? 0 : left < right ? -1 : 1;

/** As the queue names canaries. */
const keyOf = ({ metadata }: Canary): string => `${metadata.namespace ?? ''}/${metadata.name}`;

const shownKey = (key: string): string => {
  const [namespace = '', name = ''] = key.split('/');
  return `${name}.${namespace}`;
};

/** Whether a rollout takes one of the slots. */
function isHolder(canary: Canary): boolean {
  const { metadata, spec } = canary;
  const status = statusOf(canary);
  const isExempt = skipsAnalysis(canary) || status.returning === true;
  const cannotMove = spec.suspend === true || isStalled(status);
  const isLeaving = metadata.deletionTimestamp !== undefined;
  return inFlight.includes(status.phase) && !isExempt && !cannotMove && !isLeaving;
}
