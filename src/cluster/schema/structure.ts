/**
 * Whether a value is what its schema says: types, bounds, patterns, formats, combinations.
 * Rules and wording: k8s.io/kube-openapi, `validation/validate`; what did not change may stay
 * wrong, as in k8s.io/apiextensions-apiserver, `validation/ratcheting.go`.
 */
import type { Json } from '../../api/kubernetes.ts';
import { isEqual, isRecord } from '../json.ts';
import type { FieldError } from '../status-error.ts';
import type { Attempt } from './combinations.ts';
import { checkCombinations } from './combinations.ts';
import type { CompiledSchema } from './compiled.ts';
import { correlatedItem } from './correlation.ts';
import {
  goFloat,
  invalid,
  isInt64,
  noPath,
  notSupported,
  required,
  tooLong,
  tooMany,
  typeInvalid,
} from './field-errors.ts';
import type { Walk } from './walk.ts';
import { here, report } from './walk.ts';

/** The value as it was stored; undefined where there was none, or none to compare with. */
type Before = unknown;

export function check(value: Json, schema: CompiledSchema, before: Before, walk: Walk): void {
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

/** As `check`, but what is wrong is told whether it is new or not. */
function checkValue(value: Json, schema: CompiledSchema, before: Before, walk: Walk): void {
  if (value === null) {
    checkNull(schema, walk);
    return;
  }
  checkType(value, schema, walk);
  if (schema.hasCombinations) {
    checkCombinations(schema, walk, (part) => attempted(value, part, before, walk));
  }
  walk.matches += 2;
  if (typeof value === 'string') checkString(value, schema, walk);
  else if (typeof value === 'number') checkNumber(value, schema, walk);
  else if (isList(value)) checkItems(value, schema, before, walk);
  if (schema.enum !== undefined) checkEnum(value, schema.enum, walk);
  walk.matches += 1;
  if (typeof value === 'object' && !isList(value)) checkFields(value, schema, before, walk);
  walk.matches += 1;
}

function attempted(value: Json, schema: CompiledSchema, before: Before, walk: Walk): Attempt {
  const { errors, matches } = walk;
  walk.errors = [];
  walk.matches = 0;
  checkValue(value, schema, before, walk);
  const made = { errors: walk.errors, matches: walk.matches };
  walk.errors = errors;
  walk.matches = matches;
  return made;
}

function checkNull({ types, isNullable, enum: values }: CompiledSchema, walk: Walk): void {
  if (types !== undefined && !isNullable) {
    const path = here(walk);
    const message = `${path} in body must be of type ${types}: "null"`;
    report(walk, typeInvalid(path, 'null', message));
  } else {
    walk.matches += 1;
  }
  if (values !== undefined) checkEnum(null, values, walk);
}

/** Go's name of the type, and of the format in which it holds the value. */
function goTypeOf(value: Json): readonly [type: string, format: string] {
  if (typeof value === 'string') return ['string', ''];
  if (typeof value === 'boolean') return ['boolean', ''];
  if (typeof value !== 'number') return [isList(value) ? 'array' : 'object', ''];
  return isInt64(value) ? ['integer', 'int64'] : ['number', 'float64'];
}

function isOfType(value: Json, { type, isIntOrString }: CompiledSchema): boolean {
  if (isIntOrString) return typeof value === 'string' || isInt64(value);
  switch (type) {
    case 'string':
    case 'boolean':
    case 'number':
      return typeof value === type;
    case 'integer':
      return isInt64(value) || isNearlyInteger(value);
    case 'array':
      return isList(value);
    case 'object':
      return typeof value === 'object' && !isList(value);
    case undefined:
    default:
      return true;
  }
}

function checkType(value: Json, schema: CompiledSchema, walk: Walk): void {
  const { types, format: wanted } = schema;
  if (types === undefined) return;
  if (isOfType(value, schema)) {
    walk.matches += 2;
    return;
  }
  walk.matches += 1;
  const [type, format] = goTypeOf(value);
  const path = here(walk);
  if (wanted !== undefined && type !== 'string' && type !== 'array') {
    const message = `${path} in body must be of type ${wanted}: ${JSON.stringify(format)}`;
    report(walk, typeInvalid(path, format, message));
    return;
  }
  // A list where a text with a format should be passes, as it does there.
  if (wanted !== undefined && schema.type === 'string') return;
  report(walk, typeInvalid(path, type, `${path} in body must be of type ${types}: "${type}"`));
}

function checkString(text: string, schema: CompiledSchema, walk: Walk): void {
  const wrong = stringProblem(text, schema, walk);
  if (wrong !== undefined) report(walk, wrong);
  walk.matches += 1;
  const { isOfFormat, format } = schema;
  if (isOfFormat === undefined) return;
  walk.matches += 1;
  if (isOfFormat(text)) return;
  const path = here(walk);
  const message = `${path} in body must be of type ${format}: ${JSON.stringify(text)}`;
  report(walk, typeInvalid(path, text, message));
}

/** The first of them. */
function stringProblem(
  text: string,
  { maxLength, minLength, pattern, source }: CompiledSchema,
  walk: Walk,
): FieldError | undefined {
  if (text.length > maxLength && lengthOf(text) > maxLength) return tooLong(here(walk), maxLength);
  if (minLength > 0 && lengthOf(text) < minLength) {
    const path = here(walk);
    return invalid(path, text, `${path} in body should be at least ${minLength} chars long`);
  }
  if (pattern === undefined || pattern.test(text)) return undefined;
  const path = here(walk);
  return invalid(path, text, `${path} in body should match '${source.pattern}'`);
}

const surrogates = /[\uD800-\uDFFF]/;

/** In code points. */
const lengthOf = (text: string): number =>
  surrogates.test(text) ? Array.from(text).length : text.length;

const int32Max = 2 ** 31 - 1;
const float32Max = 3.4028234663852886e38;

function isInRange(value: number, { type, format, isIntOrString }: CompiledSchema): boolean {
  if (isIntOrString) return true;
  if (type === 'number') return format !== 'float' || Math.abs(value) <= float32Max;
  if (type !== 'integer') return true;
  if (!isInt64(value)) return false;
  return format !== 'int32' || (value <= int32Max && value >= -int32Max - 1);
}

function checkNumber(value: number, schema: CompiledSchema, walk: Walk): void {
  if (!isInRange(value, schema)) {
    const { type, format } = schema;
    const kind =
      format === undefined ? `${type} (default format)` : `${type} with format ${format}`;
    const message = `Checked value must be of type ${kind} in ${here(walk)}`;
    report(walk, invalid(noPath, '', message));
  }
  if (schema.hasBounds) checkBounds(value, schema, walk);
  walk.matches += 2;
}

/** Of an integer, bounds are integers, too: Go cuts off what they have beyond. */
function checkBounds(value: number, { source }: CompiledSchema, walk: Walk): void {
  const { multipleOf, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = source;
  const isInteger = isInt64(value);
  const wrong = (rule: string, bound: number): void => {
    const path = here(walk);
    const text = isInteger ? String(bound) : goFloat(bound);
    report(walk, invalid(path, value, `${path} in body should be ${rule} ${text}`));
  };
  const bounded = (bound: number): number => (isInteger ? Math.trunc(bound) : bound);
  if (multipleOf !== undefined) checkFactor(value, bounded(multipleOf), walk);
  if (minimum !== undefined) {
    const least = bounded(minimum);
    if (exclusiveMinimum === true && value <= least) wrong('greater than', least);
    if (exclusiveMinimum !== true && value < least) wrong('greater than or equal to', least);
  }
  if (maximum === undefined) return;
  const most = bounded(maximum);
  if (exclusiveMaximum === true && value >= most) wrong('less than', most);
  if (exclusiveMaximum !== true && value > most) wrong('less than or equal to', most);
}

function checkFactor(value: number, factor: number, walk: Walk): void {
  const path = here(walk);
  if (factor <= 0) {
    const message = `factor MultipleOf declared for ${path} must be positive: ${factor}`;
    report(walk, invalid(path, factor, message));
    return;
  }
  const quotient = factor < 1 ? (1 / factor) * value : value / factor;
  const isMultiple = isInt64(value) ? value % factor === 0 : isNearlyInteger(quotient);
  if (isMultiple) return;
  const text = isInt64(value) ? String(factor) : goFloat(factor);
  report(walk, invalid(path, value, `${path} in body should be a multiple of ${text}`));
}

/** As github.com/go-openapi/swag says of a floating point number, within a billionth. */
function isNearlyInteger(value: Json): boolean {
  if (typeof value !== 'number' || Math.abs(value) > Number.MAX_SAFE_INTEGER) return false;
  if (Number.isInteger(value)) return true;
  const whole = Math.trunc(value);
  return whole > 0 && (value - whole) / (value + whole) < 1e-9;
}

function checkItems(
  list: readonly Json[],
  schema: CompiledSchema,
  before: Before,
  walk: Walk,
): void {
  const { items, minItems, maxItems, hasUniqueItems, source } = schema;
  if (items !== undefined) {
    const { steps } = walk;
    for (let at = 0; at < list.length; at += 1) {
      const item = list[at] ?? null;
      steps.push(at);
      check(item, items, correlatedItem(item, source, before), walk);
      steps.pop();
    }
  }
  if (list.length < minItems) {
    const path = here(walk);
    const message = `${path} in body should have at least ${minItems} items`;
    report(walk, invalid(path, list.length, message));
  }
  if (list.length > maxItems) report(walk, tooMany(here(walk), list.length, maxItems));
  if (hasUniqueItems && hasRepetition(list)) {
    const path = here(walk);
    report(walk, invalid(path, '', `${path} in body shouldn't contain duplicates`));
  }
  walk.matches += 2;
}

const hasRepetition = (list: readonly Json[]): boolean =>
  list.some((item, at) => list.slice(0, at).some((other) => isEqual(item, other)));

function checkEnum(value: Json, values: readonly Json[], walk: Walk): void {
  for (const it of values) if (it === value || isEqual(it, value)) return;
  report(walk, notSupported(here(walk), value, values));
}

type JsonObject = Readonly<Record<string, Json>>;

function checkFields(value: JsonObject, schema: CompiledSchema, before: Before, walk: Walk): void {
  const { properties, additionalProperties, required: names } = schema;
  const { steps } = walk;
  checkCount(value, schema, walk);
  const old = isRecord(before) ? before : undefined;
  for (const name in value) {
    const child = value[name];
    const field = properties.get(name) ?? additionalProperties;
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
  for (const name of names) {
    if (value[name] !== undefined) continue;
    steps.push(name);
    report(walk, required(here(walk)));
    steps.pop();
  }
}

function checkCount(value: JsonObject, schema: CompiledSchema, walk: Walk): void {
  const { minProperties, maxProperties } = schema;
  if (minProperties === 0 && maxProperties === Infinity) return;
  const count = Object.keys(value).length;
  if (count < minProperties) {
    const path = here(walk);
    const message = `${path} in body should have at least ${minProperties} properties`;
    report(walk, invalid(path, count, message));
  }
  if (count > maxProperties) report(walk, tooMany(here(walk), count, maxProperties));
}

const isList = (value: unknown): value is readonly Json[] => Array.isArray(value);
