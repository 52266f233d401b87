/** The routes of a canary: which provider writes them, the live objects, and the split they say. */
import type { Canary } from '../api/canary.ts';
import { effectiveProvider } from '../api/providers.ts';
import type { Problem, Split } from '../canary/observation.ts';
import { apiVersionOf } from '../kube/resources.ts';
import type { LiveRoutes, RoutingProvider } from '../routing/provider.ts';
import { providerFor } from '../routing/registry.ts';
import type { Reader } from './caches.ts';
import type { World } from './world.ts';

export interface RoutesSeen {
  readonly kind: 'Seen';
  /** Absent where this version does not have the canary's provider. */
  readonly provider: RoutingProvider | undefined;
  readonly live: LiveRoutes;
  readonly split: Split | undefined;
  readonly problem?: Problem;
}

const none: LiveRoutes = () => undefined;

export function observeRoutes(
  canary: Canary,
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
  return { kind: 'Seen', provider, live, split, ...refusal(canary, provider, live) };
}

/** What the provider cannot express is known before anything is done. */
function refusal(canary: Canary, provider: RoutingProvider, live: LiveRoutes) {
  const whole = { primary: 100, canary: 0, mirrored: false };
  const rendered = provider.render(canary, whole, {}, live);
  return rendered.ok ? {} : { problem: { reason: 'InvalidSpec', message: rendered.error } };
}
