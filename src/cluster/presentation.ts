/** How the cluster shows itself: tables, and documents about its API. */
import type { Clock } from '../kube/clock.ts';
import { discoveryAnswer } from './discovery.ts';
import type { ResourceRegistry } from './registry.ts';
import type { Presentation } from './rest.ts';
import { toTable } from './table.ts';

export const createPresentation = (clock: Clock, registry: ResourceRegistry): Presentation => ({
  toTable: (type, objects, includeObject) => toTable(type, objects, clock.now(), includeObject),
  document: (path, accept) => discoveryAnswer(path, accept, registry.all()),
});
