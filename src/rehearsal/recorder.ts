/**
 * Watches a rehearsal from outside: what the cluster stores of the canary, its routes, its workloads
 * and its events becomes a timeline, and the flow of traffic that metrics are made of.
 */
import type { Canary, Phase } from '../api/canary.ts';
import { hooksOf, primaryName } from '../api/defaults.ts';
import type { Deployment, KubeObject } from '../api/kubernetes.ts';
import type { CheckReport } from '../analysis/threshold.ts';
import type { Change, ControllerApi } from '../cluster/controller-api.ts';
import { groupResourceOf } from '../cluster/resource-type.ts';
import { canaries, deployments } from '../kube/resources.ts';
import type { OpenObject } from '../kube/resources.ts';
import type { HookCall } from './hook-answers.ts';
import type { RehearsalInput } from './input.ts';
import { createRollouts } from './rollouts.ts';
import type { Rollouts } from './rollouts.ts';
import type { Shares } from './routes.ts';
import { routeResources, sharesOf, unsplit } from './routes.ts';
import type { Action, Scenario } from './scenario.ts';
import { stableRevision } from './scenario.ts';
import type { TimelineEntry } from './timeline.ts';
import type { Flow, Side, Traffic } from './traffic.ts';
import { createTraffic } from './traffic.ts';

export interface RecorderOptions {
  readonly input: RehearsalInput;
  readonly scenario: Scenario;
  readonly seed: number;
  readonly meshProvider: string;
  readonly api: ControllerApi;
  readonly nowMs: () => number;
}

/** An entry without what the recorder adds by itself. */
type Told<T = TimelineEntry> = T extends TimelineEntry ? Omit<T, 'atMs' | 'weight'> : never;

export interface Recorder {
  readonly traffic: Traffic;
  readonly rollouts: Rollouts;
  readonly timeline: readonly TimelineEntry[];
  /** The last event, also of the time before the beginning. */
  readonly lastSaid: () => string | undefined;
  /** Milliseconds since the beginning of the scenario; before it, below 0. */
  readonly scenarioMs: () => number;
  phase(): Phase;
  /** Whether the last word on the canary is that it is at rest. */
  isAtRest(): boolean;
  /** The revision of the pods that start now. */
  revisionOf(side: 'primary' | 'canary'): string;
  /** From now on things are kept. */
  begin(): void;
  /** To be called before an action takes place. */
  acting(action: Action): void;
  tell(entry: Told): void;
  checked(reports: readonly CheckReport[]): void;
  readonly called: (call: HookCall) => void;
}

const resting: readonly Phase[] = ['Initialized', 'Succeeded', 'Failed'];

export function createRecorder(options: RecorderOptions): Recorder {
  const { input, scenario, seed, meshProvider, api, nowMs } = options;
  const timeline: TimelineEntry[] = [];
  const rollouts = createRollouts();
  const sides = createSides();
  let beganAtMs: number | undefined;
  let phase: Phase = '';
  let said: string | undefined;
  const scenarioMs = (): number => nowMs() - (beganAtMs ?? Number.POSITIVE_INFINITY);
  const traffic = createTraffic({
    scenario,
    seed,
    first: flowAt(-1, unsplit, sides.current(), false),
  });
  const weight = (): number => Math.round(traffic.current().canaryShare * 100);
  const tell = (entry: Told): void => {
    if (entry.kind === 'Event') said = entry.message;
    if (beganAtMs === undefined) return;
    timeline.push({ ...entry, atMs: scenarioMs(), weight: weight() });
  };
  const look = (): void => {
    if (beganAtMs === undefined) return;
    const before = traffic.current();
    const canary = liveCanary(options) ?? input.canary;
    const shares = sharesOf(canary, { ...options, matchingShare: scenario.matchingShare });
    const { hasPods } = sides.current().canary;
    const isTested = phase === 'Progressing' && hasPods && canBeTested(input.canary);
    const next = flowAt(scenarioMs(), shares, sides.current(), isTested);
    if (isSame(before, next)) return;
    traffic.flows(next);
    rollouts.reached(weight());
    const mirrored = next.mirroredShare > 0;
    if (before.canaryShare === next.canaryShare && before.mirroredShare > 0 === mirrored) return;
    tell({ kind: 'Weight', canary: weight(), mirrored });
  };
  const turned = (canary: Canary): void => {
    const next = canary.status?.phase ?? '';
    if (next === phase) return;
    phase = next;
    tell({ kind: 'Phase', phase });
    if (phase === 'Succeeded') rollouts.close('Promoted', scenarioMs());
    else if (phase === 'Failed') rollouts.close('RolledBack', scenarioMs());
  };
  const routes = new Set(routeResources(input.canary, meshProvider).map(groupResourceOf));
  const changed = createListener(input, { routes, turned, sides, look, tell });
  api.onChange(changed);
  return {
    traffic,
    rollouts,
    timeline,
    lastSaid: () => said,
    scenarioMs,
    phase: () => phase,
    isAtRest: () => resting.includes(phase) && statusOf(options)?.draining !== true,
    revisionOf: (side) => sides.current()[side].revision,
    begin: () => {
      beganAtMs = nowMs();
      look();
    },
    acting: (action) => {
      if (action.kind === 'PatchCanary') return;
      sides.deployed(action.revision, scenarioMs());
      rollouts.open(action.revision, scenarioMs());
    },
    ...reporters(tell),
  };
}

const reporters = (tell: (entry: Told) => void): Pick<Recorder, 'tell' | 'checked' | 'called'> => ({
  tell,
  checked: (reports) => reports.map(checkEntry).forEach(tell),
  called: (call) => tell(hookEntry(call)),
});

function checkEntry({ metric, value, unit, threshold, verdict }: CheckReport): Told {
  return { kind: 'Check', metric, value, unit, wanted: threshold, verdict: verdict.kind };
}

function hookEntry({ hook: { name }, type, reply }: HookCall): Told {
  const message = reply.kind === 'Refuses' ? reply.message : '';
  return { kind: 'Hook', name, type, reply: reply.kind, message };
}

/** Which revision each side runs, and whether it has pods. */
interface Sides {
  current(): { readonly primary: Side; readonly canary: Side };
  deployed(revision: string, atMs: number): void;
  /** The primary got what the target runs. */
  promoted(): void;
  served(side: 'primary' | 'canary', hasPods: boolean): void;
}

function createSides(): Sides {
  const stable: Side = { revision: stableRevision, deployedAtMs: 0, hasPods: true };
  let [primary, canary] = [stable, { ...stable, hasPods: false }];
  return {
    current: () => ({ primary, canary }),
    deployed: (revision, deployedAtMs) => {
      canary = { ...canary, revision, deployedAtMs };
    },
    promoted: () => {
      primary = { ...canary, hasPods: primary.hasPods };
    },
    served: (side, hasPods) => {
      if (side === 'primary') primary = { ...primary, hasPods };
      else canary = { ...canary, hasPods };
    },
  };
}

const flowAt = (
  sinceMs: number,
  shares: Shares,
  sides: ReturnType<Sides['current']>,
  isTested: boolean,
): Flow => ({
  isTested,
  sinceMs,
  primaryShare: 1 - shares.canary,
  canaryShare: shares.canary,
  mirroredShare: shares.mirrored,
  ...sides,
});

/** Whether there is a webhook that may send a load test. */
const canBeTested = (canary: Canary): boolean =>
  hooksOf(canary, 'rollout').length + hooksOf(canary, 'pre-rollout').length > 0;

const isSame = (one: Flow, other: Flow): boolean =>
  JSON.stringify({ ...one, sinceMs: 0 }) === JSON.stringify({ ...other, sinceMs: 0 });

const statusOf = ({ api, input }: RecorderOptions) => liveCanary({ api, input })?.status;

const keyOf = ({ metadata: { name, namespace = '' } }: KubeObject) => ({ name, namespace });

export const liveCanary = ({
  api,
  input,
}: Pick<RecorderOptions, 'api' | 'input'>): Canary | undefined =>
  api.get(canaries, keyOf(input.canary));

interface Hearers {
  /** `virtualservices.networking.istio.io`. */
  readonly routes: ReadonlySet<string>;
  readonly turned: (canary: Canary) => void;
  readonly sides: Sides;
  readonly look: () => void;
  readonly tell: (entry: Told) => void;
}

const deploymentsName = `${deployments.plural}.${deployments.group}`;

function createListener({ canary, deployment }: RehearsalInput, hearers: Hearers) {
  const { routes, turned, sides, look, tell } = hearers;
  const target = deployment.metadata.name;
  return ({ groupResource, before, after }: Change): void => {
    const object = after ?? before;
    if (object === undefined || object.metadata.namespace !== canary.metadata.namespace) return;
    const { name } = object.metadata;
    if (groupResource === 'canaries.flagger.app') {
      if (name !== canary.metadata.name || after === undefined) return;
      look();
      turned(after as Canary);
      look();
    } else if (groupResource === deploymentsName) {
      const side = name === target ? 'canary' : 'primary';
      if (side === 'primary' && name !== primaryName(canary)) return;
      const [old, now] = [before, after] as readonly (Deployment | undefined)[];
      if (side === 'primary' && old !== undefined && isRetemplated(old, now)) sides.promoted();
      const areReady = (now?.status?.availableReplicas ?? 0) > 0;
      const isWanted = (now?.spec.replicas ?? 0) > 0;
      if (isWanted && areReady !== sides.current()[side].hasPods) {
        tell({ kind: 'Pods', side, areReady });
      }
      sides.served(side, areReady);
      look();
    } else if (groupResource === 'events' && before === undefined) {
      const { involvedObject, type, message } = object as OpenObject;
      const about = involvedObject as { readonly kind?: string; readonly name?: string };
      if (about.kind !== 'Canary' || about.name !== canary.metadata.name) return;
      const kind = type === 'Warning' ? 'Warning' : 'Normal';
      tell({ kind: 'Event', type: kind, message: String(message) });
    } else if (routes.has(groupResource)) look();
  };
}

const isRetemplated = (before: Deployment, after: Deployment | undefined): boolean =>
  JSON.stringify(before.spec.template) !== JSON.stringify(after?.spec.template);
