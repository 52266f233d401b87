/**
 * Carries effects out: looks at what was seen, renders what must be, writes what differs. Every
 * effect can be carried out twice. A failure is thrown, and the look is tried again.
 */
import { canaryAnnotation, finalizer, targetAnnotations } from '../api/annotations.ts';
import { serviceNames } from '../api/defaults.ts';
import type { ConfigMap, NamespacedName, Secret, StringMap } from '../api/kubernetes.ts';
import type { Effect } from '../canary/decision.ts';
import * as say from '../canary/messages.ts';
import { ApiError } from '../kube/api-error.ts';
import { mergePatchBetween } from '../kube/merge-patch.ts';
import type { Resource } from '../kube/resources.ts';
import {
  canaries,
  configMaps,
  horizontalPodAutoscalers,
  secrets,
  services,
} from '../kube/resources.ts';
import type { RenderedRoute } from '../routing/provider.ts';
import { renderAutoscaler, renderAutoscalerUpdate } from '../targets/autoscaler.ts';
import { copyName, isUpToDate, renderCopy } from '../targets/configs.ts';
import type { ConfigObject } from '../targets/configs.ts';
import {
  pauseAnnotation,
  renderScaledObject,
  renderScaledObjectUpdate,
  scaledObjects,
} from '../targets/scaled-object.ts';
import { discoverPorts } from '../targets/selector.ts';
import type { ServiceRole } from '../targets/services.ts';
import { renderRevertedApex, renderService } from '../targets/services.ts';
import { announce } from './announce.ts';
import { createReader } from './caches.ts';
import { hasTakenOver } from './memory.ts';
import type { ObjectsSeen } from './observe-objects.ts';
import { seeWorkloads } from './observe-objects.ts';
import type { Snapshot } from './observe.ts';
import { primarySettings } from './observe.ts';
import { driftsOf, noteRoutes, planRepair } from './route-drift.ts';
import type { World } from './world.ts';

export async function act(effect: Effect, seen: Snapshot, world: World): Promise<void> {
  switch (effect.kind) {
    case 'EnsureFinalizer':
      return ensureFinalizer(seen, effect.present, world);
    case 'Annotate':
      return annotate(seen, effect.annotations, world);
    case 'EnsureSideServices':
      return ensureSideServices(seen, world);
    case 'EnsureApexService':
      return ensureService(seen, 'apex', world);
    case 'EnsurePrimary':
      return ensurePrimary(seen, world);
    case 'EnsureAutoscaler':
      return ensureAutoscaler(seen, effect.mode, world);
    case 'ClaimTarget':
      return claimTarget(seen, world);
    case 'ScaleTarget':
      return scaleTarget(seen, effect.replicas, world);
    case 'Route':
      return route(seen, effect, world);
    case 'Promote':
      return promote(seen, world);
    case 'ReleaseTarget':
      return releaseTarget(seen, world);
    case 'RevertService':
      return revertService(seen, world);
    case 'RevertRoute': {
      const { provider, live } = seen.routes;
      return writeRoutes(provider?.revert(seen.canary, live) ?? [], world);
    }
  }
}

async function ensureFinalizer(
  { canary }: Snapshot,
  present: boolean,
  world: World,
): Promise<void> {
  const { name, namespace = '', resourceVersion, finalizers = [] } = canary.metadata;
  const others = finalizers.filter((known) => known !== finalizer);
  const wanted = present ? [...others, finalizer] : others;
  if (wanted.length === finalizers.length) return;
  const body = { metadata: { resourceVersion, finalizers: wanted } };
  await world.writer.patch(canaries, { name, namespace }, { type: 'merge', body });
}

async function annotate({ canary }: Snapshot, annotations: StringMap, world: World): Promise<void> {
  const { name, namespace = '', resourceVersion } = canary.metadata;
  const difference = mergePatchBetween(canary.metadata.annotations ?? {}, annotations);
  if (difference === undefined) return;
  const body = { metadata: { resourceVersion, annotations: difference } };
  await world.writer.patch(canaries, { name, namespace }, { type: 'merge', body });
}

async function ensureSideServices(seen: Snapshot, world: World): Promise<void> {
  const { target, services: found } = seen.objects;
  const copy = target?.renderCanaryService?.(found.canary);
  if (copy !== undefined) await world.writer.ensure(services, found.canary, copy);
  await ensureService(seen, 'canary', world);
  await ensureService(seen, 'primary', world);
}

/** Selector and ports come from the target's pods; without any there is nothing to select. */
function serviceOptions({ canary, objects }: Snapshot) {
  const { kind, target, selector } = objects;
  if (kind?.hasServices !== true || target?.template === undefined) return undefined;
  if (selector?.ok !== true) return undefined;
  const discovered = discoverPorts(canary, target.template);
  return { canary, selector: selector.selector, discovered };
}

async function ensureService(seen: Snapshot, role: ServiceRole, world: World): Promise<void> {
  const options = serviceOptions(seen);
  if (options === undefined) return;
  const live = seen.objects.services[role];
  await world.writer.ensure(services, live, renderService(role, options, live));
}

async function revertService(seen: Snapshot, world: World): Promise<void> {
  const options = serviceOptions(seen);
  const live = seen.objects.services.apex;
  if (options === undefined || live === undefined) return;
  const wanted = renderRevertedApex(options, live);
  if (wanted !== undefined) await world.writer.ensure(services, live, wanted);
}

function settingsOf(seen: Snapshot, world: World) {
  const { canary, objects, configs, revisionId: revision } = seen;
  const { selector } = objects;
  if (selector?.ok !== true) return undefined;
  const { copied } = configs;
  const found = { canary, selector: selector.selector, copied, revision };
  return primarySettings({ ...found, world, uuid: world.uuid() });
}

async function ensurePrimary(seen: Snapshot, world: World): Promise<void> {
  const { kind, target, primary } = seen.objects;
  const settings = settingsOf(seen, world);
  if (primary !== undefined || target === undefined || settings === undefined) return;
  await writeWhatPodsNeed(seen, world);
  const restored = seen.lastPrimary && kind?.restore(seen.canary, seen.lastPrimary);
  await copyConfigs(seen, world, restored === undefined ? 'All' : 'Missing');
  const write = restored ?? target.renderPrimary(settings);
  if (write === undefined) return;
  await world.writer.ensure(write.resource, write.live, write.wanted);
  if (!hasTakenOver(seen.canary)) return;
  const text = restored === undefined ? say.primaryMadeAnew : say.primaryRestored;
  announce(seen.canary, seen.canary.status?.phase ?? '', [text(seen.canary)], world);
}

/** Once for each revision: what the primary runs is written on it. */
async function promote(seen: Snapshot, world: World): Promise<void> {
  const { target, primary } = seen.objects;
  const settings = settingsOf(seen, world);
  if (settings === undefined || primary?.revision === seen.revisionId) return;
  const promotion = target?.renderPromotion(settings);
  if (promotion === undefined) return;
  await copyConfigs(seen, world);
  await world.writer.ensure(promotion.resource, promotion.live, promotion.wanted);
}

/** Of a primary that is as it was, so are the copies that there are. */
async function copyConfigs(
  seen: Snapshot,
  world: World,
  which: 'All' | 'Missing' = 'All',
): Promise<void> {
  for (const config of seen.configs.tracked) {
    if (which === 'Missing' && existingCopy(seen, config, world) !== undefined) continue;
    const copied = copyConfig(seen, config, world);
    await (config.kind === 'Secret' ? copied.catch(withoutContents(config)) : copied);
  }
}

/** What the server, or an admission webhook, says of a Secret may quote it; failures become events. */
const withoutContents =
  ({ object }: ConfigObject) =>
  (error: unknown): never => {
    if (!(error instanceof ApiError) || error.code === 0) throw error;
    const { code, reason, retryAfterMs } = error;
    const message = `copy of secret ${object.metadata.name} refused: ${reason}`;
    throw new ApiError(message, { code, reason, retryAfterMs });
  };

const copyKey = ({ canary }: Snapshot, { object }: ConfigObject): NamespacedName => ({
  namespace: canary.metadata.namespace ?? '',
  name: copyName(object.metadata.name),
});

function existingCopy(seen: Snapshot, config: ConfigObject, { caches }: World) {
  const informer = config.kind === 'ConfigMap' ? caches.configMaps : caches.secrets;
  return informer.store.get(copyKey(seen, config));
}

async function copyConfig(seen: Snapshot, config: ConfigObject, world: World): Promise<void> {
  const { canary } = seen;
  const resource: Resource<ConfigMap & Secret> = config.kind === 'ConfigMap' ? configMaps : secrets;
  const key = copyKey(seen, config);
  const existing = existingCopy(seen, config, world);
  const wanted = renderCopy(canary, config, existing, world.settings.includeLabelPrefix);
  if (existing === undefined) {
    await world.writer.create(resource, wanted);
    return;
  }
  if (isUpToDate(existing, wanted)) return;
  // Contents are not cached, so there is no difference to compute: they are replaced whole.
  const { labels, annotations, ownerReferences } = wanted.metadata;
  const { data, binaryData } = wanted as ConfigMap;
  const body = [
    { op: 'test', path: '/metadata/uid', value: existing.metadata.uid },
    { op: 'add', path: '/metadata/labels', value: labels },
    { op: 'add', path: '/metadata/annotations', value: annotations },
    { op: 'add', path: '/metadata/ownerReferences', value: ownerReferences },
    { op: 'add', path: '/data', value: data ?? {} },
    ...(config.kind === 'ConfigMap'
      ? [{ op: 'add', path: '/binaryData', value: binaryData ?? {} } as const]
      : []),
  ] as const;
  await world.writer.patch(resource, key, { type: 'json', body });
}

async function ensureAutoscaler(
  { canary, objects }: Snapshot,
  mode: 'init' | 'update',
  world: World,
): Promise<void> {
  await ensureScaler({ canary, objects }, mode, world);
  const { autoscaler, autoscalerCopy: copy } = objects;
  if (autoscaler === undefined) return;
  const resource = horizontalPodAutoscalers;
  if (copy === undefined) await world.writer.create(resource, renderAutoscaler(canary, autoscaler));
  else if (mode === 'update') {
    const { includeLabelPrefix } = world.settings;
    const wanted = renderAutoscalerUpdate(canary, autoscaler, copy, includeLabelPrefix);
    await world.writer.ensure(resource, copy, wanted);
  }
}

async function ensureScaler(
  { canary, objects }: Pick<Snapshot, 'canary' | 'objects'>,
  mode: 'init' | 'update',
  world: World,
): Promise<void> {
  const { source, copy } = objects.scaler ?? {};
  if (source === undefined) return;
  if (copy === undefined) {
    await world.writer.create(scaledObjects, renderScaledObject(canary, source));
  } else if (mode === 'update') {
    const { includeLabelPrefix } = world.settings;
    const wanted = renderScaledObjectUpdate(canary, source, copy, includeLabelPrefix);
    await world.writer.ensure(scaledObjects, copy, wanted);
  }
}

/** KEDA would scale the idle target as it scales the busy one: it pauses while there is nothing to scale. */
async function pauseScaler({ objects }: Snapshot, isIdle: boolean, world: World): Promise<void> {
  const source = objects.scaler?.source;
  const wanted = isIdle ? '0' : undefined;
  if (source === undefined || source.metadata.annotations?.[pauseAnnotation] === wanted) return;
  const { name, namespace = '' } = source.metadata;
  const body = { metadata: { annotations: { [pauseAnnotation]: wanted ?? null } } };
  await world.writer.patch(scaledObjects, { name, namespace }, { type: 'merge', body });
}

async function claimTarget({ canary, objects }: Snapshot, world: World): Promise<void> {
  const { name } = canary.metadata;
  if (objects.target?.object.metadata.annotations?.[canaryAnnotation] === name) return;
  await patchTarget(objects, { metadata: { annotations: { [canaryAnnotation]: name } } }, world);
}

async function releaseTarget({ objects }: Snapshot, world: World): Promise<void> {
  const { annotations: marks } = objects.target?.object.metadata ?? {};
  const found = targetAnnotations.filter((mark) => marks?.[mark] !== undefined);
  if (found.length === 0) return;
  const annotations = Object.fromEntries(found.map((mark) => [mark, null]));
  await patchTarget(objects, { metadata: { annotations } }, world);
}

async function scaleTarget(seen: Snapshot, replicas: number, world: World): Promise<void> {
  await pauseScaler(seen, replicas === 0, world);
  const { canary, objects } = seen;
  const body = objects.target?.scaling(replicas);
  if (body === undefined) return;
  await patchTarget(objects, body, world);
  const { target: now } = seeWorkloads(canary, createReader(), world);
  if (now?.scaling(replicas) === undefined) return;
  const { kind, metadata } = now.object;
  const { name, namespace = '' } = metadata;
  const found = `an admission webhook keeps ${kind.toLowerCase()} ${name}.${namespace} at ${now.replicas}`;
  throw new Error(`scaling ${name}.${namespace} to ${replicas} failed: ${found}`);
}

/** Without a resource version: what is patched is ours alone, whatever else has changed. */
async function patchTarget(
  { kind, target }: Pick<ObjectsSeen, 'kind' | 'target'>,
  body: object,
  world: World,
): Promise<void> {
  if (kind === undefined || target === undefined) return;
  const { name, namespace = '' } = target.object.metadata;
  await world.writer.patch(kind.resource, { name, namespace }, { type: 'merge', body });
}

async function route(
  { canary, routes }: Snapshot,
  { split, cookies }: Extract<Effect, { kind: 'Route' }>,
  world: World,
): Promise<void> {
  const rendered = routes.provider?.render(canary, split, cookies, routes.live);
  if (rendered === undefined) return;
  if (!rendered.ok) throw new Error(`route ${serviceNames(canary).apex}: ${rendered.error}`);
  const { record } = routes;
  const intent = JSON.stringify([canary.metadata.generation, split, cookies]);
  const drifts = driftsOf(rendered.objects, record, intent);
  const isDrifted = drifts.length > 0;
  const repair = isDrifted ? planRepair(drifts, record, world.clock.monotonic()) : undefined;
  if (repair?.isDue !== false) {
    await writeRoutes(rendered.objects, world);
    noteRoutes(rendered.objects, record, intent);
    record.split = split;
  }
  Object.assign(record, repair?.after ?? { blockedBy: undefined });
  announce(canary, canary.status?.phase ?? '', repair?.sayings ?? [], world);
}

/** A mesh gives pods their proxies as they start: what it knows them by comes first. */
async function writeWhatPodsNeed({ canary, routes }: Snapshot, world: World): Promise<void> {
  const whole = { primary: 100, canary: 0, mirrored: false };
  const rendered = routes.provider?.render(canary, whole, {}, routes.live);
  if (rendered?.ok !== true) return;
  await writeRoutes(
    rendered.objects.filter(({ beforePods }) => beforePods === true),
    world,
  );
}

async function writeRoutes(objects: readonly RenderedRoute[], world: World): Promise<void> {
  for (const { resource, live, wanted } of objects) {
    await world.routeWriter.ensure(resource, live, wanted);
  }
}
