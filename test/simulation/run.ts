/**
 * Runs a story: the program's own controller on an embedded cluster in virtual time. Every write is
 * held against the laws; when nothing goes wrong any more, everything must come to rest; and at rest
 * nothing may be asked of the API server.
 */
import { isDeepStrictEqual } from 'node:util';
import { approveAnnotation, rejectAnnotation } from '../../src/api/annotations.ts';
import type { Canary, CanarySpec } from '../../src/api/canary.ts';
import type { ConfigMap, HorizontalPodAutoscaler, KubeObject } from '../../src/api/kubernetes.ts';
import type { Change, ControllerApi } from '../../src/cluster/controller-api.ts';
import { openType } from '../../src/cluster/open-type.ts';
import { faulty } from '../../src/cluster/faults.ts';
import { createRandom } from '../../src/cluster/random.ts';
import type { Post } from '../../src/hooks/post.ts';
import { pods } from '../../src/cluster/workloads/kinds.ts';
import { quietLog } from '../../src/kube/quiet-log.ts';
import type { Resource } from '../../src/kube/resources.ts';
import {
  alertProviders,
  canaries,
  configMaps,
  destinationRules,
  horizontalPodAutoscalers,
  knativeRevisions,
  knativeServices,
  metricTemplates,
  services,
  virtualServices,
} from '../../src/kube/resources.ts';
import type { Transport } from '../../src/kube/transport.ts';
import type { ControllerProcess } from '../../src/rehearsal/controller-process.ts';
import type { World } from '../../src/rehearsal/world.ts';
import { createWorld } from '../../src/rehearsal/world.ts';
import { startGateway } from '../../src/rehearsal/gateway.ts';
import { ingresses } from '../../src/routing/ingress.ts';
import { providerFor } from '../../src/routing/registry.ts';
import { userObjects } from '../routing/sources.ts';
import { playKnative } from '../support/knative.ts';
import { playAutoscalers } from './autoscaler.ts';
import type { Freezer } from './freezable.ts';
import { createFreezer } from './freezable.ts';
import type { Law, Write } from './invariants.ts';
import { laws, unsettled } from './invariants.ts';
import type { Scene } from './scene.ts';
import {
  companionName,
  availablePods,
  imageOf,
  namespace,
  qualityOf,
  revisionQuality,
  routesOf,
  sceneOf,
  targetName,
  wantedPods,
} from './scene.ts';
import type { Side, SimulatedKind } from './sides.ts';
import { kindOf, simulatedKinds } from './sides.ts';
import type { Act, MachineAct, Quality, Story, UserAct } from './story.ts';
import { hasOwnGate, metrics } from './story.ts';
import { createTogether } from './together.ts';
import type { Trace } from './trace.ts';
import { createTrace } from './trace.ts';

export interface Outcome {
  /** What was broken first; undefined where all held. */
  readonly breach: string | undefined;
  readonly trace: readonly string[];
  /** Rollouts that came to an end. */
  readonly rollouts: number;
}

/** Within it, everything comes to rest once nothing goes wrong: deadlines, back-offs, intervals. */
const restMsMax = 40 * 60_000;
/** For so long nothing must happen, for it to be at rest. */
const stillMs = 45_000;
const idleMs = 3 * 60_000;
/** Within it, a process has seen what there is, however late its watches are. */
const seenMs = 60_000;
const restartMs = 5_000;
const evictionMs = 4_000;

const firstImage = 'web:0-good';
/** How often somebody looks, in the end, whether a gate waits. */
const approverMs = 15_000;

class Broken extends Error {}

export async function runStory(story: Story): Promise<Outcome> {
  const stage = await createStage(story);
  const { world, trace } = stage;
  try {
    raise(stage);
    for (const { atMs, act } of story.acts) {
      world.clock.after(atMs, () => perform(stage, act));
    }
    await run(stage, () => false, story.calmAtMs + 1_000);
    stage.doomed.clear();
    if (hasOwnGate(story.spec)) approve(stage);
    await comeToRest(stage);
    await stayIdle(stage);
    if (story.spec.revertOnDeletion === true) await undo(stage);
    return { breach: undefined, trace: trace.lines, rollouts: stage.rollouts };
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    trace.add('BROKEN', error.message);
    return { breach: error.message, trace: trace.lines, rollouts: stage.rollouts };
  } finally {
    for (const { process } of stage.slots) process.kill();
    world.cluster.stop();
  }
}

interface Slot {
  process: ControllerProcess;
  readonly freezer: Freezer;
}

interface Stage {
  readonly story: Story;
  readonly world: World;
  readonly api: ControllerApi;
  readonly trace: Trace;
  readonly slots: Slot[];
  /** Resource and verb of each call of the controllers. */
  readonly calls: string[];
  /** Processes that die at a call, by name. */
  readonly doomed: Map<string, { callsLeft: number; readonly isCarriedOut: boolean }>;
  breach: string | undefined;
  /** Whether the primary was made of something bad, because a user had deleted what was good. */
  isRemade: boolean;
  /** Since when no process died, came or stood still; in the future while one stands still. */
  calmSinceMs: number;
  serial: number;
  rollouts: number;
}

/** The companion is a Deployment. */
const kindIn = ({ spec }: Story, name: string): SimulatedKind =>
  name === targetName ? kindOf(spec) : simulatedKinds.deployment;

const sceneIn = ({ api, story }: Pick<Stage, 'api' | 'story'>, name = targetName): Scene =>
  sceneOf(api, name, kindIn(story, name));

async function createStage(story: Story): Promise<Stage> {
  const random = createRandom(story.seed, 'pods');
  const world = await createWorld({
    seed: story.seed,
    log: quietLog,
    types: [...kinds, ...routeKindsOf(story.spec)].map(openType),
    workloads: {
      isFurnished: false,
      isTold: false,
      plan: ({ spec }) => {
        const readyMs = 300 + Math.floor(random() * 3_000);
        const [container] = spec.containers;
        return qualityOf(container?.image ?? '') === 'unready' ? {} : { readyMs };
      },
    },
  });
  const trace = createTrace(() => world.clock.monotonic());
  const { api } = world.cluster;
  playGateway(story, world);
  playRevisions(story, world);
  playLoad(story, world);
  const stage: Stage = {
    story,
    world,
    api,
    trace,
    slots: [],
    calls: [],
    doomed: new Map(),
    breach: undefined,
    isRemade: false,
    calmSinceMs: 0,
    serial: 1,
    rollouts: 0,
  };
  watchLaws(stage);
  for (let slot = 0; slot < story.processes; slot += 1) {
    const freezer = createFreezer(world.clock);
    stage.slots.push({ freezer, process: startProcess(stage, slot, freezer) });
  }
  return stage;
}

const kinds = [canaries, metricTemplates, alertProviders, virtualServices, destinationRules];

/** Of the routes behind the story's provider, where they are none of those. */
function routeKindsOf(spec: CanarySpec): readonly Resource<KubeObject>[] {
  const provider = providerFor(spec.provider ?? 'istio');
  const canary = canaryWith(targetName, spec);
  const isKnative = kindOf(spec) === simulatedKinds.knativeService;
  if (isKnative) return [knativeServices, knativeRevisions];
  const needed = (provider?.routeKeys(canary) ?? []).map((it) => it.resource);
  const isBuiltIn = ({ group }: Resource<KubeObject>) => group === ingresses.group;
  return needed.filter((it) => !isBuiltIn(it) && !kinds.some(({ plural }) => plural === it.plural));
}

/** Behind the Gateway API somebody reports, sooner or later. */
function playGateway({ seed, spec }: Story, { cluster, clock }: World): void {
  if (spec.provider?.startsWith('gatewayapi') !== true) return;
  const reportMs = 100 + Math.floor(createRandom(seed, 'gateway')() * 6_000);
  startGateway({ api: cluster.api, clock, resources: routeKindsOf(spec), reportMs });
}

/** Behind Knative somebody makes revisions of templates; their pods come sooner or later. */
function playRevisions({ seed, spec }: Story, { cluster, clock }: World): void {
  if (kindOf(spec) !== simulatedKinds.knativeService) return;
  const random = createRandom(seed, 'knative');
  playKnative(cluster.api, {
    isReady: (template) => !template.includes('-unready'),
    starts: () => clock.sleep(300 + Math.floor(random() * 3_000), never),
  });
}

/** Load comes and goes, where somebody scales by it. */
function playLoad({ seed, spec, calmAtMs }: Story, { cluster, clock }: World): void {
  if (spec.autoscalerRef === undefined) return;
  playAutoscalers({ cluster, clock, calmAtMs, random: createRandom(seed, 'load') });
}

const autoscalerOf = ({ targetRef, autoscalerRef }: CanarySpec): HorizontalPodAutoscaler[] =>
  autoscalerRef === undefined
    ? []
    : [
        {
          apiVersion: 'autoscaling/v2',
          kind: 'HorizontalPodAutoscaler',
          metadata: { name: autoscalerRef.name, namespace },
          spec: { scaleTargetRef: targetRef, minReplicas: 2, maxReplicas: 5 },
        },
      ];

/** Every write is held against every law. */
function watchLaws(stage: Stage): void {
  const { api, trace, world, story } = stage;
  const { companion } = story;
  const together = companion && createTogether(companion, () => world.clock.monotonic());
  api.onChange((change) => {
    trace.change(change);
    if (isEnd(change)) stage.rollouts += 1;
    const breach = together?.(change);
    if (breach !== undefined)
      stage.breach ??= `invariant 2, what must wait does not begin: ${breach}`;
  });
  for (const name of namesOf(story)) watchCanary(stage, name);
}

const namesOf = ({ companion }: Story): readonly string[] =>
  companion === undefined ? [targetName] : [targetName, companionName];

function watchCanary(stage: Stage, canary: string): void {
  const { api, world, trace } = stage;
  let before: Scene = sceneIn(stage, canary);
  let suspendedAtMs: number | undefined;
  const bereftOf = { target: createBereft(), primary: createBereft() };
  let lostAtMs: number | undefined;
  api.onChange((change) => {
    const { name } = (change.after ?? change.before)?.metadata ?? { name: '' };
    if (name !== canary && !name.startsWith(`${canary}-`)) return;
    const after = sceneIn(stage, canary);
    const nowMs = world.clock.monotonic();
    if (after.canary?.spec.suspend !== true) suspendedAtMs = undefined;
    else suspendedAtMs ??= nowMs;
    const suspendedMs = nowMs - (suspendedAtMs ?? nowMs);
    const bereftMs = {
      target: bereftOf.target(before.target, after.target, nowMs),
      primary: bereftOf.primary(before.primary, after.primary, nowMs),
    };
    if (before.primary !== undefined && after.primary === undefined) {
      lostAtMs = isKnown(stage, before) ? nowMs : undefined;
    }
    const isLossKnown = lostAtMs !== undefined && stage.calmSinceMs <= lostAtMs;
    const isOurs = !isUsers;
    const write: Write = { before, after, isOurs, suspendedMs, bereftMs, isLossKnown };
    if (!isDeepStrictEqual(before.weights, after.weights)) trace.weights(canary, after.weights);
    if (canary === targetName && before.primary === undefined && after.primary !== undefined) {
      stage.isRemade ||= revisionQuality(after.primary, after.primaryConfig) !== 'good';
    }
    before = after;
    for (const law of laws) note(stage, law, write);
  });
}

/**
 * Whether the only process has had the time to see the primary, which has taken over and is good; of
 * two, who leads next has perhaps not.
 */
function isKnown({ story, world, calmSinceMs }: Stage, scene: Scene): boolean {
  const { canary, primary, primaryConfig } = scene;
  const hasTakenOver = !['', 'Initializing'].includes(canary?.status?.phase ?? '');
  const isGood = revisionQuality(primary, primaryConfig) === 'good';
  const calmMs = world.clock.monotonic() - calmSinceMs;
  return story.processes === 1 && calmMs > seenMs && hasTakenOver && isGood;
}

function disturb(stage: Stage, forMs = 0): void {
  const untilMs = stage.world.clock.monotonic() + forMs;
  stage.calmSinceMs = Math.max(stage.calmSinceMs, untilMs);
}

/**
 * For how long a workload has lost the pods that it wants: who took them a moment ago was not heard
 * of yet. Whose pods went because it was scaled down never lost them, and had none all along.
 */
function createBereft() {
  let sinceMs = -Infinity;
  return (before: Side | undefined, after: Side | undefined, nowMs: number): number => {
    if (availablePods(after) > 0) return 0;
    const isLost = availablePods(before) > 0 && after !== undefined && wantedPods(after) > 0;
    if (isLost) sinceMs = nowMs;
    else if (after !== undefined && wantedPods(after) === 0) sinceMs = -Infinity;
    return nowMs - sinceMs;
  };
}

function note(stage: Stage, law: Law, write: Write): void {
  const breach = law.breach(write);
  if (breach !== undefined) {
    stage.breach ??= `invariant ${law.number}, ${law.sentence}: ${breach}`;
  }
}

function isEnd({ groupResource, before, after }: Change): boolean {
  if (groupResource !== 'canaries.flagger.app') return false;
  const [was, is] = [(before as Canary | undefined)?.status, (after as Canary | undefined)?.status];
  return was?.phase !== is?.phase && (is?.phase === 'Succeeded' || is?.phase === 'Failed');
}

/** Set while a user writes: laws about our own writes leave theirs alone. */
let isUsers = false;

function startProcess(stage: Stage, slot: number, freezer: Freezer): ControllerProcess {
  const { story, world, trace } = stage;
  disturb(stage);
  stage.serial += 1;
  const name = `aviary-${slot}-${stage.serial}`;
  const counted = (transport: Transport): Transport => ({
    ...transport,
    call: async (request) => {
      stage.calls.push(`${request.verb} ${request.resource}`);
      const doom = stage.doomed.get(name);
      if (doom === undefined || (doom.callsLeft -= 1) > 0) return transport.call(request);
      stage.doomed.delete(name);
      if (doom.isCarriedOut) await transport.call(request).catch(() => undefined);
      trace.add('process', `${name} dies at ${request.verb} ${request.resource}`);
      process.kill();
      disturb(stage);
      world.clock.after(restartMs, () => restart(stage, slot, process));
      return new Promise(() => undefined);
    },
  });
  const process = world.start({
    name,
    clock: freezer.clock,
    faults: (transport) =>
      freezer.wire(
        faulty(counted(transport), {
          rates: story.rates,
          lateMsMax: 5_000,
          clock: world.clock,
          random: createRandom(story.seed, name),
          isCalm: () => world.clock.monotonic() >= story.calmAtMs,
          onFault: (fault, { verb, resource }) =>
            trace.add('fault', `${fault}: ${verb} ${resource}`),
        }),
      ),
    settings: { maxProgressing: story.companion?.atOnceMax ?? 0 },
    answers: {
      checks: {
        probe: async () => ({ passed: true, events: [] }),
        analyse: async ({ metadata }) => verdictOf(stage, metadata.name),
      },
      post: gate(stage),
    },
  });
  process.ended.then(
    (end) => {
      if (end !== 'Lost the lease') return;
      trace.add('process', `${name} ended: ${end}`);
      world.clock.after(restartMs, () => restart(stage, slot, process));
    },
    (error: unknown) => {
      stage.breach ??= `the process ended by a failure: ${String(error)}`;
    },
  );
  return process;
}

/** Pods come again; what counts is that for a while there are none. */
function evict(stage: Stage, of: 'target' | 'primary', times: number): void {
  const app = of === 'target' ? targetName : `${targetName}-primary`;
  byUser(() =>
    stage.api
      .list(pods, namespace)
      .filter(({ metadata }) => metadata.labels?.['app'] === app)
      .map(({ metadata }) => stage.api.delete(pods, { namespace, name: metadata.name })),
  );
  if (times > 1) stage.world.clock.after(evictionMs, () => evict(stage, of, times - 1));
}

function restart(stage: Stage, slot: number, ended: ControllerProcess): void {
  const held = stage.slots[slot];
  // Another may be there already.
  if (held === undefined || held.process !== ended) return;
  held.process = startProcess(stage, slot, held.freezer);
  stage.trace.add('process', `${held.process.name} starts`);
}

function verdictOf(stage: Stage, name: string) {
  const { target, config } = sceneIn(stage, name);
  const passed = revisionQuality(target, config) === 'good';
  const message = `success rate ${passed ? 100 : 60}%`;
  return { passed, events: passed ? [] : [{ type: 'Warning' as const, message }] };
}

function gate({ story, world }: Stage): Post {
  return async ({ pathname }) => {
    await world.clock.sleep(5, never);
    // A test that fails ends a rollout; a gate that is closed only holds it.
    const isGate = pathname.startsWith('/confirm-');
    const isOpen = !isGate || world.clock.monotonic() >= story.gatesOpenAtMs;
    const status = isOpen ? 200 : 403;
    return { status, reason: isOpen ? 'OK' : 'Forbidden', body: '', headers: {} };
  };
}

const never = new AbortController().signal;

function raise(stage: Stage): void {
  const { story, world } = stage;
  const { companion } = story;
  const dependsOn = companion?.isAwaited === true ? { dependsOn: [{ name: companionName }] } : {};
  create(stage, targetName, { ...story.spec, ...dependsOn });
  if (companion === undefined) return;
  create(stage, companionName, {
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: companionName },
    service: { port: 80, targetPort: 8080 },
    progressDeadlineSeconds: 60,
    analysis: { interval: '10s', threshold: 2, stepWeight: 25, maxWeight: 50, metrics },
  });
  for (const { atMs, quality } of companion.acts) {
    world.clock.after(atMs, () => applyCompanion(stage, quality));
  }
}

function applyCompanion(stage: Stage, quality: Quality): void {
  const { api, trace, world } = stage;
  stage.serial += 1;
  const image = `${companionName}:${stage.serial}-${quality}`;
  trace.add('act', JSON.stringify({ kind: 'SetImage', image }));
  const { target } = sceneIn(stage, companionName);
  if (target === undefined) return;
  // The first one waits for what is applied last: it must not be lost to a write of ours beside it.
  const again = (): void => {
    world.clock.after(1_000, () => applyCompanion(stage, quality));
  };
  byUser(() => [api.update(target.resource, target.withImage(image)).catch(again)]);
}

const canaryWith = (name: string, spec: CanarySpec): Canary => ({
  apiVersion: 'flagger.app/v1beta1',
  kind: 'Canary',
  metadata: { name, namespace },
  spec,
});

/** The first revision, and the canary. */
function create({ api, story }: Stage, name: string, spec: CanarySpec): void {
  const kind = kindOf(spec);
  const image = name === targetName ? firstImage : `${name}:0-good`;
  const target = kind.first(name, image, story.replicas);
  const canary = canaryWith(name, spec);
  const configKey = { name: `${name}-config`, namespace };
  const data = { quality: 'good', serial: '0' };
  byUser(() => [
    api.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: configKey, data }),
    api.create(kind.resource, { ...target, metadata: { name, namespace } }),
    ...userObjects(canary).flatMap((it) => (isNeeded(spec, it) ? [api.create(ingresses, it)] : [])),
    ...autoscalerOf(spec).map((it) => api.create(horizontalPodAutoscalers, it)),
    api.create(canaries, canary),
  ]);
}

const isNeeded = ({ ingressRef }: CanarySpec, { kind, metadata }: KubeObject): boolean =>
  ingressRef?.kind === kind && ingressRef.name === metadata.name;

/** Users do not wait for answers, and try no second time. */
function byUser(writes: () => readonly Promise<unknown>[]): void {
  isUsers = true;
  try {
    for (const write of writes()) write.catch(() => undefined);
  } finally {
    isUsers = false;
  }
}

function perform(stage: Stage, act: Act): void {
  const { trace } = stage;
  trace.add('act', JSON.stringify(act));
  switch (act.kind) {
    case 'Kill':
    case 'KillAtCall':
    case 'EvictPods':
    case 'Pause':
    case 'JumpClock':
    case 'ForgetHistory':
      befall(stage, act);
      return;
    case 'Revert':
    case 'SetImage':
    case 'EditConfig':
    case 'SetReplicas':
    case 'Suspend':
    case 'Resume':
    case 'LowerWeight':
    case 'DeleteRoute':
    case 'DeletePrimary':
    case 'DeleteServices':
    case 'EditCanary':
    case 'Approve':
    case 'Reject':
    case 'Return':
      byUser(() => userWrites(stage, stage.api, act));
  }
}

function befall(stage: Stage, act: MachineAct): void {
  if (act.kind === 'ForgetHistory') {
    stage.world.cluster.store.compact();
    return;
  }
  if (act.kind === 'EvictPods') {
    evict(stage, act.of, act.times);
    return;
  }
  const slot = stage.slots[act.process];
  if (slot === undefined) return;
  switch (act.kind) {
    case 'Kill': {
      const { process } = slot;
      process.kill();
      disturb(stage);
      stage.world.clock.after(act.backAfterMs, () => restart(stage, act.process, process));
      return;
    }
    case 'KillAtCall':
      stage.doomed.set(slot.process.name, { callsLeft: act.call, isCarriedOut: act.isCarriedOut });
      return;
    case 'Pause':
      slot.freezer.freeze(act.forMs);
      disturb(stage, act.forMs);
      return;
    case 'JumpClock':
      slot.freezer.jump(act.byMs);
  }
}

function userWrites(stage: Stage, api: ControllerApi, act: UserAct): readonly Promise<unknown>[] {
  const { canary, target, primary, config } = sceneIn(stage);
  const apply = (image: string) =>
    target === undefined ? [] : [api.update(target.resource, target.withImage(image))];
  const edit = <T extends KubeObject>(resource: Resource<T>, object: T | undefined) =>
    object === undefined ? [] : [api.update(resource, object)];
  const remove = (resource: Resource<KubeObject>, name: string) => [
    api.delete(resource, { namespace, name }),
  ];
  switch (act.kind) {
    case 'SetImage':
      stage.serial += 1;
      return apply(`web:${stage.serial}-${act.quality}`);
    case 'Revert':
      return apply(imageOf(primary) || imageOf(target));
    case 'Return':
      return apply(firstImage);
    case 'Approve':
    case 'Reject':
      return edit(canaries, canary && withDecision(canary, act.kind));
    case 'EditConfig': {
      stage.serial += 1;
      const data = { quality: act.quality, serial: String(stage.serial) };
      const changed: ConfigMap | undefined = config && { ...config, data };
      return edit(configMaps, changed);
    }
    case 'SetReplicas':
      return target === undefined ? [] : edit(target.resource, target.withReplicas?.(act.replicas));
    case 'Suspend':
    case 'Resume': {
      const suspend = act.kind === 'Suspend';
      return edit(canaries, canary && { ...canary, spec: { ...canary.spec, suspend } });
    }
    case 'EditCanary': {
      const analysis = canary && { ...canary.spec.analysis, threshold: 4 };
      return edit(
        canaries,
        canary && { ...canary, spec: { ...canary.spec, ...(analysis && { analysis }) } },
      );
    }
    case 'LowerWeight':
      return canary === undefined ? [] : lowered(api, canary);
    case 'DeleteRoute': {
      const route = canary && routesOf(api, canary);
      // Where the target is the route, too, it stays.
      return route === undefined || route.resource === target?.resource
        ? []
        : remove(route.resource, route.name);
    }
    case 'DeletePrimary':
      // Of a copy that nobody knows, nobody could bring it back. People are not that cruel.
      if (primary === undefined) return [];
      if (isOnlyCopy(stage) && !isKnown(stage, sceneIn(stage))) return [];
      return primary.object === target?.object
        ? edit(primary.resource, withoutAnnotations(primary.object))
        : remove(primary.resource, primary.object.metadata.name);
    case 'DeleteServices': {
      // A Service that is the target is no copy of anything.
      const made = target?.resource === services ? ['-canary'] : ['', '-primary', '-canary'];
      return made.flatMap((it) => remove(services, `${targetName}${it}`));
    }
  }
}

/** As `kubectl replace` of a manifest does, which has none of those that a controller set. */
function withoutAnnotations(object: KubeObject): KubeObject {
  const { annotations: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** Whether the primary runs what nothing else in the cluster says. */
function isOnlyCopy(stage: Stage): boolean {
  const { target, primary, config, primaryConfig } = sceneIn(stage);
  const serial = config?.data?.['serial'];
  return imageOf(target) !== imageOf(primary) || serial !== primaryConfig?.data?.['serial'];
}

/** As `kubectl annotate` says it, of whatever gates wait but those that ask for a rollback. */
function withDecision(canary: Canary, kind: 'Approve' | 'Reject'): Canary | undefined {
  const names = waitingGates(canary);
  if (names.length === 0) return undefined;
  const key = kind === 'Approve' ? approveAnnotation : rejectAnnotation;
  const annotations = { ...canary.metadata.annotations, [key]: names.join() };
  return { ...canary, metadata: { ...canary.metadata, annotations } };
}

const waitingGates = ({ status }: Canary): readonly string[] =>
  (status?.gates ?? []).filter(({ type }) => type !== 'rollback').map(({ name }) => name);

/** Somebody who opens each gate that waits, until the end of the story; at first he says no. */
function approve(stage: Stage, kind: 'Approve' | 'Reject' = 'Reject'): void {
  const { canary } = sceneIn(stage);
  const decided = canary && withDecision(canary, kind);
  if (decided !== undefined) {
    stage.trace.add('act', JSON.stringify({ kind }));
    byUser(() => [stage.api.update(canaries, decided)]);
  }
  stage.world.clock.after(approverMs, () =>
    approve(stage, decided === undefined ? kind : 'Approve'),
  );
}

/** As people do in need: everything to the primary, where there are routes already. */
function lowered(api: ControllerApi, canary: Canary): readonly Promise<unknown>[] {
  const routes = routesOf(api, canary);
  const live = routes?.live(routes);
  if (routes === undefined || live === undefined) return [];
  const rendered = routes.provider.render(
    canary,
    { primary: 100, canary: 0, mirrored: false },
    {},
    routes.live,
  );
  const wanted = rendered.ok ? rendered.objects.at(-1)?.wanted : undefined;
  return wanted === undefined ? [] : [api.update(routes.resource, wanted)];
}

/** Advances until the condition holds; throws where a law was broken. */
async function run(stage: Stage, holds: () => boolean, ms: number): Promise<boolean> {
  const reached = await stage.world.clock.advanceUntil(
    () => stage.breach !== undefined || holds(),
    ms,
  );
  if (stage.breach !== undefined) throw new Broken(stage.breach);
  return reached;
}

/** Everything that was applied has ended, and stays so. */
async function comeToRest(stage: Stage): Promise<void> {
  const { world, story } = stage;
  const endsAtMs = world.clock.monotonic() + restMsMax;
  const isResized = story.acts.some(({ act }) => act.kind === 'SetReplicas');
  const problem = (): string | undefined =>
    unsettled(sceneIn(stage), { isRemade: stage.isRemade, isResized }) ??
    (story.companion && unsettled(sceneIn(stage, companionName), whole));
  while (world.clock.monotonic() < endsAtMs) {
    const came = await run(
      stage,
      () => problem() === undefined,
      endsAtMs - world.clock.monotonic(),
    );
    if (!came) break;
    const left = await run(stage, () => problem() !== undefined, stillMs);
    if (!left) return;
  }
  throw new Broken(`invariant 5, every revision ends: ${problem() ?? 'it never came to rest'}`);
}

/** The Canary is deleted: the target serves again before anything is taken from it. */
async function undo(stage: Stage): Promise<void> {
  const { api } = stage;
  const { target, config } = sceneIn(stage);
  // A target that never gets ready keeps its Canary until somebody gives up.
  if (revisionQuality(target, config) === 'unready') return;
  stage.trace.add('act', '{"kind":"DeleteCanary"}');
  byUser(() => [api.delete(canaries, { namespace, name: targetName })]);
  const gone = await run(stage, () => sceneIn(stage).canary === undefined, restMsMax);
  const after = sceneIn(stage).target;
  const wanted = wantedPods(after);
  const isBack = gone && wanted > 0 && availablePods(after) >= wanted;
  if (!isBack) {
    throw new Broken(`revertOnDeletion: ${gone ? 'nothing serves' : 'the Canary stays'}`);
  }
}

const whole = { isRemade: false, isResized: false };

const isIdleCall = (call: string): boolean =>
  call.endsWith(' leases') || /^(watch|list) /.test(call);

async function stayIdle(stage: Stage): Promise<void> {
  const before = stage.calls.length;
  await run(stage, () => false, idleMs);
  const made = stage.calls.slice(before).filter((call) => !isIdleCall(call));
  if (made.length > 0) {
    throw new Broken(`invariant 7, an idle canary makes no call: ${made.slice(0, 5).join(', ')}`);
  }
}
