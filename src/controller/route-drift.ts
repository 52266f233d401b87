/**
 * Routes that somebody else changed: what, who, and when to put them right. The first repair is made
 * at once; against somebody who writes his own state back again and again, each comes later than
 * the one before, and the routes count as refused meanwhile.
 */
import type { Json, KubeObject } from '../api/kubernetes.ts';
import type { Saying } from '../canary/observation.ts';
import { fieldManager } from '../kube/client.ts';
import { managersOf } from '../kube/managers.ts';
import { mergePatchBetween } from '../kube/merge-patch.ts';
import type { RenderedRoute } from '../routing/provider.ts';
import type { RouteRecord } from './route-record.ts';

/** The wait before the second repair; each further one waits twice as long. */
const repairMs = 10_000;
const repairMsMax = 600_000;

export interface Drift {
  /** What differs, and from whom, as the event says it. */
  readonly message: string;
}

/** Objects of the API are JSON by origin; their types only name fewer fields. */
export function differenceOf({ live, wanted }: RenderedRoute): Json | undefined {
  return mergePatchBetween((live ?? {}) as unknown as Json, wanted as unknown as Json);
}

/** Of routes that were as `intent` has it before; none where something else is intended now. */
export function driftsOf(
  routes: readonly RenderedRoute[],
  record: RouteRecord,
  intent: string,
): readonly Drift[] {
  if (record.intent !== intent) return [];
  return routes.flatMap((route) => {
    const known = record.versions.get(nameOf(route));
    // What it is made from has changed, and not the route: nobody did that.
    if (known === undefined || known === versionOf(route)) return [];
    const difference = differenceOf(route);
    return difference === undefined ? [] : [{ message: describe(route, difference) }];
  });
}

function describe(route: RenderedRoute, difference: Json): string {
  if (route.live === undefined) return `${nameOf(route)} was deleted by somebody else`;
  const parts = partsOf(difference);
  const [by = 'somebody else'] = strangersTo(route.live, parts);
  return `${nameOf(route)} was changed by ${by} (${parts.join(', ')})`;
}

/** Who but us set one of these parts; the last first. */
const strangersTo = (live: KubeObject, parts: readonly string[]): readonly string[] =>
  managersOf(live)
    .filter(({ name, parts: own }) => name !== fieldManager && own.some((it) => parts.includes(it)))
    .toSorted((one, other) => (one.time > other.time ? -1 : 1))
    .map(({ name }) => name);

/**
 * Whether what differs was set by somebody who is not Aviary. Another process of ours that leads, or
 * believes that it does, writes under our own name: its steps are earned as ours are.
 */
export function isStrangers(route: RenderedRoute): boolean {
  const difference = differenceOf(route);
  if (route.live === undefined || difference === undefined) return false;
  return strangersTo(route.live, partsOf(difference)).length > 0;
}

/** Two levels deep, as managers have it. */
function partsOf(difference: Json): readonly string[] {
  return entriesOf(difference).flatMap(([first, value]) => {
    const inner = entriesOf(value);
    return inner.length === 0 ? [first] : inner.map(([second]) => `${first}.${second}`);
  });
}

const entriesOf = (value: Json): readonly (readonly [string, Json])[] =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];

const nameOf = ({ wanted }: RenderedRoute): string => `${wanted.kind} ${wanted.metadata.name}`;

const versionOf = ({ live }: RenderedRoute): string | undefined => live?.metadata.resourceVersion;

/** The routes are as intended; `versions` as they are now, or '' where that is not known yet. */
export function noteRoutes(
  routes: readonly RenderedRoute[],
  record: RouteRecord,
  intent: string,
): void {
  record.intent = intent;
  record.versions = new Map(
    routes.map((route) => {
      const isSo = route.live !== undefined && differenceOf(route) === undefined;
      return [nameOf(route), isSo ? (versionOf(route) ?? '') : ''];
    }),
  );
}

export interface Repair {
  readonly isDue: boolean;
  readonly sayings: readonly Saying[];
  /** The record once the repair is made, or put off. */
  readonly after: Pick<RouteRecord, 'contest' | 'blockedBy'>;
}

/** Whether to write now, and what is said then. `drifts` is not empty. */
export function planRepair(drifts: readonly Drift[], record: RouteRecord, nowMs: number): Repair {
  const { contest } = record;
  const what = drifts.map(({ message }) => message).join('; ');
  const isContested = contest !== undefined && nowMs < contest.calmAtMs;
  if (isContested && nowMs < contest.nextAtMs)
    return putOff(what, record, contest.nextAtMs - nowMs);
  const waitMs = isContested ? Math.min(2 * contest.waitMs, repairMsMax) : repairMs;
  const next = { waitMs, nextAtMs: nowMs + waitMs, calmAtMs: nowMs + 3 * waitMs };
  const after = { contest: next, blockedBy: undefined };
  return { isDue: true, sayings: [warning(`${what}, put right`)], after };
}

function putOff(what: string, { contest, blockedBy }: RouteRecord, waitMs: number): Repair {
  const message = `${what}, again and again`;
  const seconds = Math.ceil(waitMs / 1000);
  // Said once between two repairs, whatever else is changed meanwhile.
  const sayings =
    blockedBy === undefined ? [warning(`${message}: the next repair is in ${seconds}s`)] : [];
  return { isDue: false, sayings, after: { contest, blockedBy: blockedBy ?? message } };
}

/** When a look is due that puts right what somebody else wrote; undefined where nothing waits. */
export const repairAtMs = ({ blockedBy, contest }: RouteRecord): number | undefined =>
  blockedBy === undefined ? undefined : contest?.nextAtMs;

const warning = (message: string): Saying => ({ type: 'Warning', message, kind: 'Decision' });
