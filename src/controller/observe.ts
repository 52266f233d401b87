/**
 * Gathers what the core looks at, from caches only, and notes what was read, so that a change of it
 * wakes the canary. Nothing is decided here.
 */
import {
  changeCauseAnnotation,
  changedByAnnotation,
  revisionAnnotation,
} from '../api/annotations.ts';
import type { Canary, CanaryStatus } from '../api/canary.ts';
import {
  canaryReadyThreshold,
  primaryReadyThreshold,
  progressDeadlineMs,
} from '../api/defaults.ts';
import type { KubeObject } from '../api/kubernetes.ts';
import { effectiveProvider, supportedProviders } from '../api/providers.ts';
import type { Change, Observation, RevisionView, WorkloadView } from '../canary/observation.ts';
import { statusOf } from '../canary/status.ts';
import { canaries } from '../kube/resources.ts';
import { compareRevision } from '../revision/change.ts';
import { referenceChecksums } from '../revision/checksum.ts';
import { revisionOf } from '../revision/hash.ts';
import type { PrimarySettings } from '../targets/primary.ts';
import type { Selector } from '../targets/selector.ts';
import type { WorkloadSeen } from '../targets/target-kind.ts';
import type { Reader } from './caches.ts';
import { createReader, pathOf } from './caches.ts';
import type { ObjectPath } from './interests.ts';
import { isKnownGood } from './known-good.ts';
import type { Memory } from './memory.ts';
import { notePrimary, readySinceMs, unavailableMs } from './memory.ts';
import type { ConfigsSeen } from './observe-configs.ts';
import { observeConfigs } from './observe-configs.ts';
import { observeDependencies } from './observe-dependencies.ts';
import type { ObjectsSeen } from './observe-objects.ts';
import { observeObjects, seeWorkloads } from './observe-objects.ts';
import type { RoutesSeen } from './observe-routes.ts';
import { observeRoutes } from './observe-routes.ts';
import { objectProblem, specProblem } from './problems.ts';
import type { World } from './world.ts';
import { timesOf } from './world.ts';

/** Objects as they were seen; effects are carried out on these and no others. */
export interface Snapshot {
  readonly kind: 'Seen';
  readonly canary: Canary;
  readonly paths: ReadonlySet<ObjectPath>;
  readonly observation: Observation;
  readonly objects: ObjectsSeen;
  readonly routes: RoutesSeen;
  readonly configs: ConfigsSeen;
  /** The primary as it was last seen, of which there may be none any more. */
  readonly lastPrimary: KubeObject | undefined;
  /** Identifies the target's revision; '' where there is no target. */
  readonly revisionId: string;
  /** The target as it is after effects, for the status; empty where its template has changed. */
  readonly trackedTarget: () => Pick<CanaryStatus, 'trackedTarget'>;
}

export type Seen =
  | Snapshot
  /** Something that the decision needs is being read; the canary is woken when it is there. */
  | { readonly kind: 'Reading'; readonly paths: ReadonlySet<ObjectPath> };

/** Throws where something that must be read could not be. */
export function observe(canary: Canary, memory: Memory, world: World): Seen {
  const reader = createReader();
  const objects = observeObjects(canary, reader, world);
  const configs = observeConfigs(canary, objects.target?.template, reader, world);
  const routes = observeRoutes(canary, memory.routes, reader, world);
  const { paths } = reader;
  // Who waits for another canary to give its target up is woken by whatever happens to that one.
  const { namespace = '', name } = canary.metadata;
  const [first] = world.targets.of(namespace, canary.spec.targetRef);
  if (first !== undefined && first.metadata.name !== name) {
    paths.add(pathOf(canaries, { namespace, name: first.metadata.name }));
  }
  if (configs.kind === 'Reading' || routes.kind === 'Reading' || objects.isReading) {
    return { kind: 'Reading', paths };
  }

  const revision = observeRevision(canary, objects, configs, world);
  const dependencies = observeDependencies(canary, reader, world, {
    starts: revision?.change === 'Changed',
    changeOf: (other) => observeChange(other, reader, world),
  });
  const problem =
    specProblem(canary, memory, world) ??
    objectProblem(canary, objects) ??
    routes.problem ??
    configs.problem ??
    dependencies.problem;
  const provider = effectiveProvider(canary.spec.provider, world.settings.meshProvider);
  const { target, primary, bounds } = objects;
  notePrimary(memory, canary, primary?.object);
  const observation: Observation = {
    canary,
    abilities: supportedProviders[provider] ?? { weights: false, mirroring: false },
    ...(problem === undefined ? {} : { problem }),
    ...(target && { target: viewOf(canary, target, canaryReadyThreshold(canary), memory, world) }),
    ...(primary && {
      primary: viewOf(canary, primary, primaryReadyThreshold(canary), memory, world),
    }),
    ...(revision === undefined ? {} : { revision }),
    isKnownGood: isKnownGood(canary, revision?.id ?? '', world.clock.now()),
    ...(dependencies.pending === undefined ? {} : { dependency: dependencies.pending }),
    ...(world.slots.isLimited ? { slot: { kind: 'Unasked' } as const } : {}),
    scaleUpReplicas: target?.scaleUpReplicas(bounds) ?? 1,
    ...(routes.split === undefined ? {} : { split: routes.split }),
    ...(routes.isRaisedByOthers === true ? { isRaisedByOthers: true } : {}),
    ...(routes.confirmation === undefined ? {} : { confirmation: routes.confirmation }),
    answers: memory.answers,
    transitionAtMs: memory.transitionAtMs,
    ...(memory.beatAtMs === undefined ? {} : { beatAtMs: memory.beatAtMs }),
    cookieValues: { canary: letters(world.random), primary: letters(world.random) },
  };
  return {
    kind: 'Seen',
    canary,
    paths,
    observation,
    objects,
    routes,
    configs,
    lastPrimary: memory.primary,
    revisionId: revision?.id ?? '',
    trackedTarget: () => trackedTarget(canary, revision, world),
  };
}

/** How the target of a canary that another one depends on differs; undefined while it is read. */
function observeChange(canary: Canary, reader: Reader, world: World): Change | undefined {
  const objects = observeObjects(canary, reader, world);
  const configs = observeConfigs(canary, objects.target?.template, reader, world);
  if (configs.kind === 'Reading') return undefined;
  // Without a target there is nothing to begin.
  return observeRevision(canary, objects, configs, world)?.change ?? 'Unchanged';
}

function viewOf(
  canary: Canary,
  workload: WorkloadSeen,
  thresholdPercent: number,
  memory: Memory,
  { clock }: World,
): WorkloadView {
  const { object, replicas, availablePods, revision, shortage } = workload;
  const times = timesOf(clock);
  const readiness = workload.readiness({
    deadlineMs: progressDeadlineMs(canary),
    thresholdPercent,
    unavailableMs: unavailableMs(memory, object.metadata.name, shortage, times),
  });
  const isReady = readiness.kind === 'Ready' && replicas > 0 && availablePods > 0;
  const sinceMs = readySinceMs(memory, object.metadata.name, isReady, times);
  return {
    replicas,
    availablePods,
    readiness,
    ...(sinceMs === undefined ? {} : { readySinceMs: sinceMs }),
    ...(revision === undefined ? {} : { revision }),
  };
}

function observeRevision(
  canary: Canary,
  objects: ObjectsSeen,
  { checksums, tracked: configs, copied }: ConfigsSeen,
  world: World,
): RevisionView | undefined {
  const { target, primary, selector } = objects;
  if (target === undefined || selector?.ok !== true) return undefined;
  const hash = target.hash();
  const tracked = target.tracked();
  const settings = () => primarySettings({ canary, selector: selector.selector, copied, world });
  const change = compareRevision({
    status: statusOf(canary),
    hash,
    tracked,
    configs: checksums,
    referenceConfigs: () => checksums && { ...checksums, ...referenceChecksums(configs) },
    referenceHash: target.referenceHash,
    primaryAgrees: () => target.primaryAgrees(settings()),
    primaryRevision: primary?.revision,
  });
  const id = revisionOf(hash, checksums);
  return {
    hash,
    id,
    ...(checksums === undefined ? {} : { configs: checksums }),
    tracked,
    change,
    ...attributionOf(target.object, target.stamp ?? id),
  };
}

/** What admission stamped, if it is about this revision: configuration changes without a stamp. */
function attributionOf(
  { metadata }: KubeObject,
  stamp: string,
): Pick<RevisionView, 'changedBy' | 'cause'> {
  const { annotations = {} } = metadata;
  if (annotations[revisionAnnotation] !== stamp) return {};
  const { [changedByAnnotation]: changedBy, [changeCauseAnnotation]: cause } = annotations;
  return {
    ...(changedBy === undefined ? {} : { changedBy }),
    ...(cause === undefined ? {} : { cause }),
  };
}

/** What a primary is rendered from, beside the target. */
export function primarySettings(given: {
  readonly canary: Canary;
  readonly selector: Selector;
  readonly copied: ConfigsSeen['copied'];
  readonly world: World;
  readonly uuid?: string;
  readonly revision?: string;
}): PrimarySettings {
  const { canary, selector, copied, world, uuid = '', revision = '' } = given;
  const { selectorLabels, includeLabelPrefix } = world.settings;
  return { canary, selector, copied, selectorLabels, includeLabelPrefix, uuid, revision };
}

function trackedTarget(
  canary: Canary,
  revision: RevisionView | undefined,
  world: World,
): Pick<CanaryStatus, 'trackedTarget'> {
  const { target } = seeWorkloads(canary, createReader(), world);
  if (target === undefined || target.hash() !== revision?.hash) return {};
  return { trackedTarget: target.tracked() };
}

const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Ten letters, as the reference makes cookie values. */
const letters = (random: () => number): string =>
  Array.from({ length: 10 }, () => alphabet[Math.floor(random() * alphabet.length)]).join('');
