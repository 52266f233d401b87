/** What an API server refuses of an object, before anything is asked of it: fields, types, values. */
import type { KubeObject } from '../api/kubernetes.ts';
import { builtInTypes } from '../cluster/builtin/types.ts';
import type { ResourceType, StoredObject } from '../cluster/resource-type.ts';
import { apiVersionOf } from '../cluster/resource-type.ts';
import { prune } from '../cluster/schema/prune.ts';
import { StatusError } from '../cluster/status-error.ts';
import { ownTypes } from './own-kinds.ts';

export interface SchemaProblem {
  /** '' where it is about the object as a whole. */
  readonly path: string;
  readonly message: string;
}

/** The kinds that a rehearsal makes use of; what else is given is not looked at. */
const usedKinds: ReadonlySet<string> = new Set([
  'Canary',
  'MetricTemplate',
  'Deployment',
  'ConfigMap',
  'Secret',
  'HorizontalPodAutoscaler',
]);

/** In the words of the API server. */
export function createSchemaCheck(): (object: KubeObject) => readonly SchemaProblem[] {
  const types = [...ownTypes(), ...builtInTypes()].filter(({ kind }) => usedKinds.has(kind));
  return (object) => {
    const type = types.find(
      (it) => it.kind === object.kind && apiVersionOf(it) === object.apiVersion,
    );
    if (type !== undefined) return problemsOf(object as StoredObject, type);
    if (!usedKinds.has(object.kind)) return [];
    const known = types.filter(({ kind }) => kind === object.kind).map(apiVersionOf);
    const message = `no ${object.kind} of ${object.apiVersion}: use ${known.join(' or ')}`;
    return [{ path: 'apiVersion', message }];
  };
}

/** Go tells where a field of the wrong type is, but for the indices of lists. */
const goPathOf = (message: string): string =>
  /Go struct field \w+\.([\w.]+) of type/.exec(message)?.[1] ?? '';

/** The path of what the API server says of an object as a whole, mostly that there are other errors. */
const nowhere = '<nil>';

function problemsOf(object: StoredObject, type: ResourceType): readonly SchemaProblem[] {
  const { schema, isCustom } = type;
  const { unknown } = prune(schema, object, { isStructural: isCustom });
  const problems = unknown.map((path) => ({ path, message: 'unknown field' }));
  let complete: StoredObject;
  try {
    complete = type.withDefaults(object);
  } catch (error) {
    // A field of another type than the kind's.
    if (!(error instanceof StatusError)) throw error;
    return [...problems, { path: goPathOf(error.message), message: error.message }];
  }
  const errors = type.validate(complete, undefined);
  const atField = errors.filter(({ field }) => field !== nowhere);
  const wrong = atField.length > 0 ? atField : errors;
  return [
    ...problems,
    ...wrong.map(({ field, message }) => ({ path: field === nowhere ? '' : field, message })),
  ];
}
