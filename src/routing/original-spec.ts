/** What a routing object that was somebody else's looked like before it was taken over. */
import { lastAppliedAnnotation } from '../api/annotations.ts';
import type { Canary } from '../api/canary.ts';
import type { Json, KubeObject, StringMap } from '../api/kubernetes.ts';
import type { OpaqueObject } from '../kube/resources.ts';

const originalAnnotation = 'flagger.kubernetes.io/original-configuration';

/**
 * Written once, when the object of somebody else is taken over, and never again: later specs are
 * ours. Where kubectl keeps what its user applied, that is what is returned to. `isSplit` says that
 * it leads to the canary's Services: to return to those would be to return to what is gone by then.
 */
export function keptOriginal(canary: Canary, found: KubeObject, isSplit: boolean): StringMap {
  const { annotations = {}, ownerReferences = [] } = found.metadata;
  if (originalAnnotation in annotations || lastAppliedAnnotation in annotations) return {};
  const isOwned = ownerReferences.some(
    ({ kind, name }) => kind === 'Canary' && name === canary.metadata.name,
  );
  const { spec } = found as OpaqueObject;
  return isOwned || isSplit ? {} : { [originalAnnotation]: JSON.stringify(spec ?? {}) };
}

/** Undefined where it is not known. */
export function originalSpec({ metadata: { annotations = {} } }: KubeObject): Json | undefined {
  const applied = mapOf(parsed(annotations[lastAppliedAnnotation]));
  return mapOf(applied?.['spec']) ?? mapOf(parsed(annotations[originalAnnotation]));
}

export function withOriginal(found: KubeObject, spec: Json): KubeObject {
  const { [originalAnnotation]: _, ...annotations } = found.metadata.annotations ?? {};
  const restored: OpaqueObject = { ...found, metadata: { ...found.metadata, annotations }, spec };
  return restored;
}

/** Undefined where somebody edited what was kept: an object is left rather than emptied. */
function parsed(stored: string | undefined): Json | undefined {
  try {
    return stored === undefined ? undefined : (JSON.parse(stored) as Json);
  } catch {
    return undefined;
  }
}

function mapOf(value: Json | undefined): Readonly<Record<string, Json>> | undefined {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isMap ? (value as Readonly<Record<string, Json>>) : undefined;
}
