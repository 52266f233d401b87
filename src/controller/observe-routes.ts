/** The routes of a canary: which provider writes them, the live objects, and the split they say. */
import type { Canary } from '../api/canary.ts';
import type { KubeObject } from '../api/kubernetes.ts';
import { effectiveProvider } from '../api/providers.ts';
import type { Confirmation, Problem, Split } from '../canary/observation.ts';
import type { Informer } from '../kube/informers.ts';
import { apiVersionOf } from '../kube/resources.ts';
import type { LiveRoutes, RouteKey, RoutingProvider } from '../routing/provider.ts';
import { providerFor } from '../routing/registry.ts';
import type { Reader } from './caches.ts';
import { differenceOf, isStrangers } from './route-drift.ts';
import type { RouteRecord } from './route-record.ts';
import { confirmationOf } from './route-record.ts';
import type { World } from './world.ts';

export interface RoutesSeen {
  readonly kind: 'Seen';
  readonly record: RouteRecord;
  /** Absent where this version does not have the canary's provider. */
  readonly provider: RoutingProvider | undefined;
  readonly live: LiveRoutes;
  readonly split: Split | undefined;
  /** Somebody who is not Aviary gave the canary more than this process did. */
  readonly isRaisedByOthers?: boolean;
  /** What their gateway says of them; absent where it has no way to. */
  readonly confirmation?: Confirmation;
  readonly problem?: Problem;
}

const none: LiveRoutes = () => undefined;

export function observeRoutes(
  canary: Canary,
  record: RouteRecord,
  reader: Reader,
  world: World,
): RoutesSeen | { readonly kind: 'Reading' } {
  const name = effectiveProvider(canary.spec.provider, world.settings.meshProvider);
  const provider = providerFor(name, world.settings);
  const blind = {
    kind: 'Seen',
    record,
    provider,
    live: none,
    split: undefined,
  } as const;
  if (provider === undefined) return blind;

  const { namespace = '' } = canary.metadata;
  const sources = provider.sourceKeys?.(canary) ?? [];
  for (const { resource } of [...provider.routeKeys(canary), ...sources]) {
    const informer = world.caches.routes(resource);
    const problem = watchProblem(name, resource, informer);
    if (problem !== undefined) return { ...blind, problem };
    if (!informer.store.hasSynced) return { kind: 'Reading' };
  }
  const live: LiveRoutes = ({ resource, name: object, namespace: other = namespace }) => {
    const key = { namespace: resource.namespaced ? other : '', name: object };
    return reader.get(world.caches.routes(resource), resource, key);
  };
  const split = provider.read(canary, live);
  // What the provider cannot express is known before anything is done.
  const whole = { primary: 100, canary: 0, mirrored: false };
  const rendered = provider.render(canary, whole, {}, live);
  if (!rendered.ok) {
    return { ...blind, live, split, problem: { reason: 'InvalidSpec', message: rendered.error } };
  }
  const isRaisedByOthers = isRaised(split, record.split) && rendered.objects.some(isStrangers);
  const seen = { ...blind, live, split, isRaisedByOthers };
  const { blockedBy: message } = record;
  if (message !== undefined) return { ...seen, confirmation: { state: 'refused', message } };
  // What a gateway says before the canary has taken its routes over is not about these.
  const isOurs = hasBegun(canary) || rendered.objects.every((it) => differenceOf(it) === undefined);
  const reported = provider.confirm?.(canary, live);
  if (reported === undefined) return seen;
  const nowMs = world.clock.monotonic();
  const confirmation = confirmationOf(isOurs ? reported : unwritten, record, nowMs);
  return { ...seen, confirmation };
}

const isRaised = (live: Split | undefined, ours: Split | undefined): boolean =>
  live !== undefined && ours !== undefined && live.canary > ours.canary;

function watchProblem(
  provider: string,
  resource: RouteKey['resource'],
  informer: Informer<KubeObject>,
): Problem | undefined {
  const { phase, isForbidden, lastError = '' } = informer.state();
  if (phase === 'Missing') {
    const message =
      `provider ${provider} needs ${resource.kind} of ${apiVersionOf(resource)}, which this cluster ` +
      `does not have: install it, or set spec.provider to another one`;
    return { reason: 'RoutingApiMissing', message };
  }
  if (informer.store.hasSynced || !isForbidden) return undefined;
  const message = `${lastError}; provider ${provider} needs it: let the controller's role list and watch it`;
  return { reason: 'RoutingApiForbidden', message };
}

const hasBegun = ({ status }: Canary): boolean =>
  !['', 'Initializing'].includes(status?.phase ?? '');

const unwritten = { state: 'pending' } as const;
