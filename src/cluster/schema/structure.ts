/**
 * Whether a value is what its schema says: types, bounds, patterns, formats, combinations.
 * Rules and wording: k8s.io/kube-openapi, `validation/validate`; what did not change may stay
 * wrong, as in k8s.io/apiextensions-apiserver, `validation/ratcheting.go`.
 */
import type { Json } from '../../api/kubernetes.ts';
import { isEqual, isRecord } from '../json.ts';
import type { FieldError } from '../status-error.ts';
import { correlatedItem } from './correlation.ts';
import {
  invalid,
  noPath,
  notSupported,
  pathText,
  required,
  tooLong,
  tooMany,
  typeInvalid,
} from './field-errors.ts';
import type { Step } from './field-errors.ts';
import { formatCheck } from './formats.ts';
import { compilePattern } from './patterns.ts';
import type { Schema } from './schema.ts';

/** A walk through one object. It allocates nothing until something is wrong. */
export interface Walk {
  readonly steps: Step[];
  /** Without repetitions. */
  errors: FieldError[];
  /** How much was right: the alternative of which most is right explains best what is wrong. */
  matches: number;
  readonly patterns: Map<string, RegExp | undefined>;
  /** Parts of objects that were found right, by what. Only the largest: `spec`, `status`. */
  readonly right: WeakMap<object, Schema>;
}

/** The value as it was stored; undefined where there was none, or none to compare with. */
type Before = unknown;

export function check(value: Json, schema: Schema, before: Before, walk: Walk): void {
  const isLarge = walk.steps.length === 1 && typeof value === 'object' && value !== null;
  if (isLarge && walk.right.get(value) === schema) return;
  const known = walk.errors.length;
  checkValue(value, schema, before, walk);
  if (walk.errors.length === known) {
    if (isLarge) walk.right.set(value, schema);
  } else if (before !== undefined && isEqual(value, before)) {
    walk.errors.length = known;
  }
}

function checkValue(value: Json, schema: Schema, before: Before, walk: Walk): void {
  if (value === null) {
    checkNull(schema, walk);
    return;
  }
  checkType(value, schema, walk);
  checkCombinations(value, schema, before, walk);
  if (typeof value === 'string') checkString(value, schema, walk);
  else if (typeof value === 'number') checkNumber(value, schema, walk);
  else if (isList(value)) checkItems(value, schema, before, walk);
  if (schema.enum !== undefined) checkEnum(value, schema.enum, walk);
  walk.matches += 1;
  if (typeof value === 'object' && !isList(value)) checkFields(value, schema, before, walk);
  walk.matches += 1;
}

function report(walk: Walk, error: FieldError): void {
  const isKnown = walk.errors.some(
    (it) => it.field === error.field && it.message === error.message,
  );
  if (!isKnown) walk.errors.push(error);
}

const here = ({ steps }: Walk): string => pathText(steps);

const typesOf = (schema: Schema): string | undefined =>
  schema['x-kubernetes-int-or-string'] === true ? 'integer,string' : schema.type;

function checkNull(schema: Schema, walk: Walk): void {
  const types = typesOf(schema);
  if (types !== undefined && schema.nullable !== true) {
    const path = here(walk);
    const message = `${path} in body must be of type ${types}: "null"`;
    report(walk, typeInvalid(path, 'null', message));
  } else {
    walk.matches += 1;
  }
  if (schema.enum !== undefined && !schema.enum.includes(null)) checkEnum(null, schema.enum, walk);
}

/** Go's name of the type, and of the format in which it holds the value. */
function goTypeOf(value: Json): readonly [type: string, format: string] {
  if (typeof value === 'string') return ['string', ''];
  if (typeof value === 'boolean') return ['boolean', ''];
  if (typeof value !== 'number') return [isList(value) ? 'array' : 'object', ''];
  return Number.isInteger(value) ? ['integer', 'int64'] : ['number', 'float64'];
}

function isOfType(value: Json, schema: Schema): boolean {
  if (schema['x-kubernetes-int-or-string'] === true) {
    return typeof value === 'string' || Number.isInteger(value);
  }
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'number':
      return typeof value === schema.type;
    case 'integer':
      return Number.isInteger(value);
    case 'array':
      return isList(value);
    case 'object':
      return isRecord(value);
    case undefined:
    default:
      return true;
  }
}

function checkType(value: Json, schema: Schema, walk: Walk): void {
  const types = typesOf(schema);
  if (types === undefined) return;
  if (isOfType(value, schema)) {
    walk.matches += 2;
    return;
  }
  walk.matches += 1;
  const [type, format] = goTypeOf(value);
  const wanted = checkedFormat(schema);
  const isScalar = type !== 'string' && type !== 'array';
  const path = here(walk);
  if (wanted !== undefined && isScalar) {
    const message = `${path} in body must be of type ${wanted}: ${JSON.stringify(format)}`;
    report(walk, typeInvalid(path, format, message));
    return;
  }
  if (wanted !== undefined && schema.type === 'string') return;
  report(walk, typeInvalid(path, type, `${path} in body must be of type ${types}: "${type}"`));
}

const numberFormats: Readonly<Record<string, readonly string[]>> = {
  integer: ['int32', 'int64'],
  number: ['float', 'double'],
};

/** The format, where the API server knows it. */
function checkedFormat({ type, format, ...schema }: Schema): string | undefined {
  if (format === undefined || format === '') return undefined;
  if (schema['x-kubernetes-int-or-string'] === true) return undefined;
  if (type === undefined || type === 'string') {
    return formatCheck(format) === undefined ? undefined : format;
  }
  return numberFormats[type]?.includes(format) === true ? format : undefined;
}

function checkString(text: string, schema: Schema, walk: Walk): void {
  const wrong = stringProblem(text, schema, walk);
  if (wrong !== undefined) report(walk, wrong);
  walk.matches += 1;
  const { format, type } = schema;
  if (format === undefined || format === '' || (type !== undefined && type !== 'string')) return;
  const isRight = formatCheck(format);
  if (isRight === undefined) return;
  walk.matches += 1;
  if (isRight(text)) return;
  const path = here(walk);
  const message = `${path} in body must be of type ${format}: ${JSON.stringify(text)}`;
  report(walk, typeInvalid(path, text, message));
}

function stringProblem(text: string, schema: Schema, walk: Walk): FieldError | undefined {
  const { maxLength, minLength, pattern } = schema;
  if (maxLength !== undefined && text.length > maxLength && lengthOf(text) > maxLength) {
    return tooLong(here(walk), maxLength);
  }
  if (minLength !== undefined && lengthOf(text) < minLength) {
    const path = here(walk);
    return invalid(path, text, `${path} in body should be at least ${minLength} chars long`);
  }
  if (pattern === undefined || pattern === '' || matches(text, pattern, walk)) return undefined;
  const path = here(walk);
  return invalid(path, text, `${path} in body should match '${pattern}'`);
}

const surrogates = /[\uD800-\uDFFF]/;

/** In code points. */
const lengthOf = (text: string): number =>
  surrogates.test(text) ? Array.from(text).length : text.length;

function matches(text: string, pattern: string, { patterns }: Walk): boolean {
  let compiled = patterns.get(pattern);
  if (compiled === undefined && !patterns.has(pattern)) {
    compiled = compilePattern(pattern);
    patterns.set(pattern, compiled);
  }
  return compiled?.test(text) ?? true;
}

const int32Max = 2 ** 31 - 1;
const int64Max = 2 ** 63;
const float32Max = 3.4028234663852886e38;

function isInRange(value: number, { type, format, ...schema }: Schema): boolean {
  if (schema['x-kubernetes-int-or-string'] === true) return true;
  if (type === 'number') return format !== 'float' || Math.abs(value) <= float32Max;
  if (type !== 'integer') return true;
  if (!Number.isInteger(value)) return false;
  return format === 'int32'
    ? value <= int32Max && value >= -int32Max - 1
    : value < int64Max && value >= -int64Max;
}

function checkNumber(value: number, schema: Schema, walk: Walk): void {
  const { multipleOf, minimum, maximum, exclusiveMinimum, exclusiveMaximum, type, format } = schema;
  if (!isInRange(value, schema)) {
    const kind =
      format === undefined ? `${type} (default format)` : `${type} with format ${format}`;
    const message = `Checked value must be of type ${kind} in ${here(walk)}`;
    report(walk, invalid(noPath, '', message));
  }
  const wrong = (rule: string): void => {
    const path = here(walk);
    report(walk, invalid(path, value, `${path} in body should be ${rule}`));
  };
  if (multipleOf !== undefined && !isMultiple(value, multipleOf)) {
    wrong(`a multiple of ${multipleOf}`);
  }
  if (minimum !== undefined) {
    if (exclusiveMinimum === true && value <= minimum) wrong(`greater than ${minimum}`);
    if (exclusiveMinimum !== true && value < minimum) {
      wrong(`greater than or equal to ${minimum}`);
    }
  }
  if (maximum !== undefined) {
    if (exclusiveMaximum === true && value >= maximum) wrong(`less than ${maximum}`);
    if (exclusiveMaximum !== true && value > maximum) wrong(`less than or equal to ${maximum}`);
  }
  walk.matches += 2;
}

function isMultiple(value: number, factor: number): boolean {
  const quotient = factor < 1 ? (1 / factor) * value : value / factor;
  return Math.abs(quotient - Math.round(quotient)) <= 1e-9 * Math.max(1, Math.abs(quotient));
}

function checkItems(list: readonly Json[], schema: Schema, before: Before, walk: Walk): void {
  const { items, minItems, maxItems, uniqueItems } = schema;
  if (items !== undefined) {
    const { steps } = walk;
    for (let at = 0; at < list.length; at += 1) {
      const item = list[at] ?? null;
      steps.push(at);
      check(item, items, correlatedItem(item, schema, before), walk);
      steps.pop();
    }
  }
  if (minItems !== undefined && list.length < minItems) {
    const path = here(walk);
    const message = `${path} in body should have at least ${minItems} items`;
    report(walk, invalid(path, list.length, message));
  }
  if (maxItems !== undefined && list.length > maxItems) {
    report(walk, tooMany(here(walk), list.length, maxItems));
  }
  if (uniqueItems === true && hasRepetition(list)) {
    const path = here(walk);
    report(walk, invalid(path, '', `${path} in body shouldn't contain duplicates`));
  }
  walk.matches += 2;
}

const hasRepetition = (list: readonly Json[]): boolean =>
  list.some((item, at) => list.slice(0, at).some((other) => isEqual(item, other)));

function checkEnum(value: Json, values: readonly Json[], walk: Walk): void {
  for (const it of values) if (it === value || isEqual(it, value)) return;
  report(walk, notSupported(here(walk), value ?? '', values));
}

type JsonObject = Readonly<Record<string, Json>>;

function checkFields(value: JsonObject, schema: Schema, before: Before, walk: Walk): void {
  const { properties, additionalProperties, required: names } = schema;
  const { steps } = walk;
  checkCount(value, schema, walk);
  const old = isRecord(before) ? before : undefined;
  for (const name in value) {
    const child = value[name];
    const field =
      properties !== undefined && Object.hasOwn(properties, name)
        ? properties[name]
        : additionalProperties;
    if (child === undefined || field === undefined || field === true) continue;
    steps.push(name);
    if (field === false) {
      const path = here(walk);
      report(walk, invalid(path, name, `${path} in body is a forbidden property`));
    } else {
      check(child, field, old?.[name], walk);
    }
    steps.pop();
  }
  if (names === undefined) return;
  for (const name of names) {
    if (value[name] !== undefined) continue;
    steps.push(name);
    report(walk, required(here(walk)));
    steps.pop();
  }
}

function checkCount(value: JsonObject, schema: Schema, walk: Walk): void {
  const { minProperties, maxProperties } = schema;
  if (minProperties === undefined && maxProperties === undefined) return;
  const count = Object.keys(value).length;
  if (minProperties !== undefined && count < minProperties) {
    const path = here(walk);
    const message = `${path} in body should have at least ${minProperties} properties`;
    report(walk, invalid(path, count, message));
  }
  if (maxProperties !== undefined && count > maxProperties) {
    report(walk, tooMany(here(walk), count, maxProperties));
  }
}

interface Attempt {
  readonly errors: readonly FieldError[];
  readonly matches: number;
}

function attempt(value: Json, schema: Schema, before: Before, walk: Walk): Attempt {
  const { errors, matches: matched } = walk;
  walk.errors = [];
  walk.matches = 0;
  checkValue(value, schema, before, walk);
  const made = { errors: walk.errors, matches: walk.matches };
  walk.errors = errors;
  walk.matches = matched;
  return made;
}

function take(walk: Walk, { errors, matches: matched }: Attempt): void {
  for (const error of errors) report(walk, error);
  walk.matches += matched;
}

/** Errors of combinations have no path of their own. */
function wrongCombination(walk: Walk, what: string): void {
  report(walk, invalid(noPath, '', `${JSON.stringify(here(walk))} ${what}`));
}

function checkCombinations(value: Json, schema: Schema, before: Before, walk: Walk): void {
  const { anyOf, oneOf, allOf, not } = schema;
  if (anyOf !== undefined && anyOf.length > 0) checkAnyOf(value, anyOf, before, walk);
  if (oneOf !== undefined && oneOf.length > 0) checkOneOf(value, oneOf, before, walk);
  if (allOf !== undefined && allOf.length > 0) {
    const attempts = allOf.map((it) => attempt(value, it, before, walk));
    const right = attempts.filter(({ errors }) => errors.length === 0).length;
    for (const it of attempts) take(walk, it);
    if (right < attempts.length) {
      wrongCombination(
        walk,
        `must validate all the schemas (allOf)${right === 0 ? '. None validated' : ''}`,
      );
    }
  }
  if (not !== undefined && attempt(value, not, before, walk).errors.length === 0) {
    wrongCombination(walk, 'must not validate the schema (not)');
  }
  walk.matches += 2;
}

function checkAnyOf(value: Json, anyOf: readonly Schema[], before: Before, walk: Walk): void {
  let best: Attempt | undefined;
  for (const alternative of anyOf) {
    const made = attempt(value, alternative, before, walk);
    if (made.errors.length === 0) {
      take(walk, made);
      return;
    }
    if (best === undefined || made.matches > best.matches) best = made;
  }
  wrongCombination(walk, 'must validate at least one schema (anyOf)');
  if (best !== undefined) take(walk, best);
}

function checkOneOf(value: Json, oneOf: readonly Schema[], before: Before, walk: Walk): void {
  let best: Attempt | undefined;
  const right: Attempt[] = [];
  for (const alternative of oneOf) {
    const made = attempt(value, alternative, before, walk);
    if (made.errors.length === 0) right.push(made);
    else if (best === undefined || made.matches > best.matches) best = made;
  }
  const [only] = right;
  if (right.length === 1 && only !== undefined) {
    take(walk, only);
    return;
  }
  const found =
    right.length === 0 ? 'Found none valid' : `Found ${right.length} valid alternatives`;
  wrongCombination(walk, `must validate one and only one schema (oneOf). ${found}`);
  if (right.length === 0 && best !== undefined) take(walk, best);
}

const isList = (value: unknown): value is readonly Json[] => Array.isArray(value);
