/**
 * Plain Kubernetes: no object routes, all users stay on the primary until it is updated
 * (`spec/02`, 5). The canary is reached by its own Service only.
 */
import type { RoutingProvider } from './provider.ts';

export const kubernetes: RoutingProvider = {
  name: 'kubernetes',
  routeKeys: () => [],
  render: () => ({ ok: true, objects: [] }),
  read: () => undefined,
  revert: () => [],
};
