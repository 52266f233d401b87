/** Aviary's own kinds as an API server with our definitions has them, and what it refuses of them. */
import type { KubeObject } from '../api/kubernetes.ts';
import { customResourceDefinitions } from '../api/schema/crds.ts';
import type { CustomResourceDefinition } from '../cluster/crd.ts';
import { typesOf } from '../cluster/crd.ts';
import type { ResourceType, StoredObject } from '../cluster/resource-type.ts';
import { apiVersionOf } from '../cluster/resource-type.ts';
import { prune } from '../cluster/schema/prune.ts';

export const ownTypes = (): readonly ResourceType[] =>
  (customResourceDefinitions as unknown as readonly CustomResourceDefinition[]).flatMap(typesOf);

export interface SchemaProblem {
  readonly path: string;
  readonly message: string;
}

/** In the words of the API server; of kinds that are not our own, nothing. */
export function schemaProblems(
  object: KubeObject,
  types: readonly ResourceType[],
): readonly SchemaProblem[] {
  const type = types.find(
    (it) => it.kind === object.kind && apiVersionOf(it) === object.apiVersion,
  );
  if (type === undefined) return [];
  const { unknown } = prune(type.schema, object, { isStructural: true });
  const errors = type.validate(type.withDefaults(object as StoredObject), undefined);
  const atField = errors.filter(({ field }) => field !== nowhere);
  const wrong = atField.length > 0 ? atField : errors;
  return [
    ...unknown.map((path) => ({ path, message: 'unknown field' })),
    ...wrong.map(({ field, message }) => ({ path: field === nowhere ? '' : field, message })),
  ];
}

/** The path of what the API server says of an object as a whole, mostly that there are other errors. */
const nowhere = '<nil>';
