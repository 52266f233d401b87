/**
 * Who set which part of an object last, as `metadata.managedFields` has it. It is kept beside the
 * object's fields, under a symbol: whoever compares or writes the object does not see it.
 */
import type { KubeObject } from '../api/kubernetes.ts';

export interface Manager {
  /** As `kubectl --show-managed-fields` names it: `kubectl-edit`, `argocd-controller`. */
  readonly name: string;
  /** RFC 3339; empty where the API server does not say. */
  readonly time: string;
  /** Two levels deep: `spec.rules`, `metadata.labels`. */
  readonly parts: readonly string[];
}

const managers = Symbol('managers');

interface ManagedFields {
  readonly manager?: string;
  readonly time?: string;
  readonly subresource?: string;
  readonly fieldsV1?: Readonly<Record<string, unknown>>;
}

interface WithManagedFields extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly managedFields?: readonly ManagedFields[] };
  readonly [managers]?: readonly Manager[];
}

/** The object without `managedFields`, and with what `managersOf` finds. */
export function withManagers<T extends KubeObject>(object: T): T {
  const known: WithManagedFields = object;
  const { managedFields = [], ...metadata } = known.metadata;
  // An answer of our own write that went through the cache before has none left.
  const found = managedFields.length === 0 ? managersOf(object) : managedFields.flatMap(managerOf);
  return { ...object, metadata, [managers]: found };
}

/** Of an object that came through `withManagers`; status and other subresources do not count. */
export const managersOf = (object: KubeObject): readonly Manager[] =>
  (object as WithManagedFields)[managers] ?? [];

function managerOf({
  manager = '',
  time = '',
  subresource,
  fieldsV1,
}: ManagedFields): readonly Manager[] {
  if (subresource !== undefined && subresource !== '') return [];
  const parts = keysOf(fieldsV1).flatMap((first) =>
    keysOf(fieldsV1?.[`f:${first}`]).map((second) => `${first}.${second}`),
  );
  return [{ name: manager, time, parts }];
}

/** `f:NAME` is the field NAME; what else there is says nothing of fields. */
function keysOf(fields: unknown): readonly string[] {
  if (typeof fields !== 'object' || fields === null) return [];
  return Object.keys(fields).flatMap((key) => (key.startsWith('f:') ? [key.slice(2)] : []));
}
