/** How the cluster shows itself: tables, and documents about its API. */
import type { Clock } from '../kube/clock.ts';
import { discoveryAnswer } from './discovery.ts';
import { createOpenapi } from './openapi.ts';
import type { ResourceRegistry } from './registry.ts';
import type { Presentation } from './rest-encode.ts';
import { toTable } from './table.ts';

export function createPresentation(clock: Clock, registry: ResourceRegistry): Presentation {
  const openapi = createOpenapi();
  return {
    toTable: (type, objects, includeObject) => toTable(type, objects, clock.now(), includeObject),
    document: (path, accept) =>
      path.startsWith('/openapi/')
        ? openapi(path, accept, registry.all())
        : discoveryAnswer(path, accept, registry.all()),
  };
}
