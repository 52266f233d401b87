/**
 * Everything that is wrong with an object, by its schema: in structure, in lists without
 * repetitions, in embedded objects, and by the rules that the schema has in CEL.
 *
 * A part that was found right is remembered, as objects share with their predecessors what did not
 * change. Order of the checks: k8s.io/apiextensions-apiserver, `registry/customresource/strategy.go`.
 */
import type { Json } from '../../api/kubernetes.ts';
import { isRecord } from '../json.ts';
import type { FieldError } from '../status-error.ts';
import type { CompiledSchema } from './compiled.ts';
import { compileSchema } from './compiled.ts';
import type { Descent } from './descend.ts';
import { compileDescent } from './descend.ts';
import { embeddedResources } from './embedded.ts';
import { below, invalid, noPath } from './field-errors.ts';
import { listTypes } from './list-types.ts';
import { createRules } from './rules.ts';
import type { Schema } from './schema.ts';
import { check } from './structure.ts';
import type { Walk } from './walk.ts';

/** `before` is what is stored, if anything: what was wrong before and did not change may stay. */
export type Validator = (object: object, before?: object) => readonly FieldError[];

export interface ValidatorOptions {
  /** Whether the status is written apart from the rest, and then judged alone. */
  readonly hasStatus: boolean;
}

/** Costs next to nothing until the validator is first called. */
export function compileValidator(schema: Schema, options: ValidatorOptions): Validator {
  let validate: Validator | undefined;
  return (object, before) => (validate ??= compile(schema, options))(object, before);
}

const nothing: readonly FieldError[] = [];

/** Until these are mended, rules would only stumble over them. */
const blocking: ReadonlySet<FieldError['reason']> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);

const unchecked =
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';

function compile(schema: Schema, options: ValidatorOptions): Validator {
  const structure = compileStructure(schema, options);
  const embedded = compileDescent(schema, embeddedResources);
  const lists = compileDescent(schema, listTypes);
  const rules = compileDescent(schema, createRules(schema));
  return (object, before) => {
    const json = object as unknown as Json;
    const errors = structure(json, before);
    embedded?.(json, undefined, errors);
    if (lists !== undefined && !hadErrors(lists, before)) lists(json, undefined, errors);
    if (rules !== undefined) {
      const isBlocked = errors.some(({ reason }) => blocking.has(reason));
      if (isBlocked) errors.push(invalid(noPath, null, unchecked));
      else rules(json, before, errors);
    }
    return errors.length === 0 ? nothing : errors;
  };
}

/** Lists that were wrong already may stay so. */
function hadErrors(lists: Descent, before: object | undefined): boolean {
  if (before === undefined) return false;
  const errors: FieldError[] = [];
  lists(before as unknown as Json, undefined, errors);
  return errors.length > 0;
}

function compileStructure(
  schema: Schema,
  { hasStatus }: ValidatorOptions,
): (object: Json, before: unknown) => FieldError[] {
  const compiled = compileSchema(schema);
  const right = new WeakMap<object, CompiledSchema>();
  const judge = (value: Json, by: CompiledSchema, before: unknown): FieldError[] => {
    const walk: Walk = { steps: [], errors: [], matches: 0, right };
    check(value, by, before, walk);
    return walk.errors;
  };
  const statusSchema = hasStatus ? compiled.properties.get('status') : undefined;
  return (object, before) => {
    if (statusSchema === undefined || !isRecord(object) || !isRecord(before)) {
      return judge(object, compiled, before);
    }
    const { status } = object;
    if (status === before['status']) return judge(object, compiled, before);
    if (status === undefined) return [];
    return judge(status, statusSchema, before['status']).map((error) =>
      // The message, as in the original, knows only the status.
      below('status', error),
    );
  };
}
