/** The routes of a canary: which provider writes them, the live objects, and the split they say. */
import type { Canary } from '../api/canary.ts';
import type { Json } from '../api/kubernetes.ts';
import { effectiveProvider } from '../api/providers.ts';
import type { Confirmation, Problem, Split } from '../canary/observation.ts';
import { mergePatchBetween } from '../kube/merge-patch.ts';
import { apiVersionOf } from '../kube/resources.ts';
import type { LiveRoutes, RenderedRoute, RoutingProvider } from '../routing/provider.ts';
import { providerFor } from '../routing/registry.ts';
import type { Reader } from './caches.ts';
import type { RouteRecord } from './route-record.ts';
import { confirmationOf } from './route-record.ts';
import type { World } from './world.ts';

export interface RoutesSeen {
  readonly kind: 'Seen';
  /** Absent where this version does not have the canary's provider. */
  readonly provider: RoutingProvider | undefined;
  readonly live: LiveRoutes;
  readonly split: Split | undefined;
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
  const provider = providerFor(name);
  if (provider === undefined) return { kind: 'Seen', provider, live: none, split: undefined };

  const { namespace = '' } = canary.metadata;
  for (const { resource } of provider.routeKeys(canary)) {
    const informer = world.caches.routes(resource);
    if (informer.state().phase === 'Missing') {
      const message =
        `provider ${name} needs ${resource.kind} of ${apiVersionOf(resource)}, which this cluster ` +
        `does not have: install it, or set spec.provider to another one`;
      const problem = { reason: 'RoutingApiMissing', message };
      return { kind: 'Seen', provider, live: none, split: undefined, problem };
    }
    if (!informer.store.hasSynced) {
      const { isForbidden, lastError = '' } = informer.state();
      if (!isForbidden) return { kind: 'Reading' };
      const message = `${lastError}; provider ${name} needs it: let the controller's role list and watch it`;
      const problem = { reason: 'RoutingApiForbidden', message };
      return { kind: 'Seen', provider, live: none, split: undefined, problem };
    }
  }
  const live: LiveRoutes = ({ resource, name: object }) =>
    reader.get(world.caches.routes(resource), resource, { namespace, name: object });
  const split = provider.read(canary, live);
  // What the provider cannot express is known before anything is done.
  const whole = { primary: 100, canary: 0, mirrored: false };
  const rendered = provider.render(canary, whole, {}, live);
  if (!rendered.ok) {
    const problem = { reason: 'InvalidSpec', message: rendered.error };
    return { kind: 'Seen', provider, live, split, problem };
  }
  const isOurs = !hasBegun(canary) && rendered.objects.every(isAsWanted);
  const reported = hasBegun(canary) || isOurs ? provider.confirm?.(canary, live) : unwritten;
  if (provider.confirm === undefined || reported === undefined) {
    return { kind: 'Seen', provider, live, split };
  }
  const confirmation = confirmationOf(reported, record, world.clock.monotonic());
  return { kind: 'Seen', provider, live, split, confirmation };
}

/** Whether the canary has taken its routes over; what a gateway says before is not about ours. */
const hasBegun = ({ status }: Canary): boolean =>
  !['', 'Initializing'].includes(status?.phase ?? '');

const unwritten = { state: 'pending' } as const;

/** Objects of the API are JSON by origin; their types only name fewer fields. */
const isAsWanted = ({ live, wanted }: RenderedRoute): boolean =>
  live !== undefined &&
  mergePatchBetween(live as unknown as Json, wanted as unknown as Json) === undefined;
