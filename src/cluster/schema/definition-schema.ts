/**
 * What is wrong with the schema of a CustomResourceDefinition: that it says of each field what it
 * is, that what it says can be meant, that its own defaults are right.
 * Rules and wording: k8s.io/apiextensions-apiserver, `apis/apiextensions/validation` and
 * `apiserver/schema`. Rules in CEL are parsed, not typed, and not costed.
 */
import type { Json } from '../../api/kubernetes.ts';
import { syntaxProblem } from '../cel.ts';
import type { FieldError } from '../status-error.ts';
import { below, forbidden, invalid, notSupported, required } from './field-errors.ts';
import { compilePattern } from './patterns.ts';
import { prune } from './prune.ts';
import type { Schema, ValidationRule } from './schema.ts';
import { compileValidator } from './validate.ts';

type Errors = FieldError[];

export function checkDefinedSchema(root: Schema | undefined, path: string, errors: Errors): void {
  if (root === undefined) return;
  const at = `${path}.openAPIV3Schema`;
  if (root.nullable === true) {
    errors.push(forbidden(`${at}.nullable`, 'nullable cannot be true at the root'));
  }
  const structural: Errors = [];
  checkStructure(root, { path: at, level: 'root' }, structural);
  errors.push(...structural.toSorted((one, other) => (textOf(one) < textOf(other) ? -1 : 1)));
  // A default is held against the schema, so there must be one.
  if (structural.length === 0) checkDefaults(root, at, errors);
  checkMeaning(root, at, errors);
}

/** Defaults of maps' values are never filled in, and not looked at. */
function checkDefaults(schema: Schema, path: string, errors: Errors): void {
  const { default: value, items, properties } = schema;
  if (value !== undefined) checkDefault(value, schema, `${path}.default`, errors);
  if (items !== undefined) checkDefaults(items, `${path}.items`, errors);
  for (const [name, field] of Object.entries(properties ?? {})) {
    checkDefaults(field, `${path}.properties[${name}]`, errors);
  }
}

function checkDefault(value: Json, schema: Schema, path: string, errors: Errors): void {
  // Validation and pruning take values as well as objects; only whole objects have a status.
  const object = value as unknown as object;
  if (prune(schema, object, { isStructural: true }).unknown.length > 0) {
    errors.push(invalid(path, value, 'must not have unknown fields'));
  }
  const found = compileValidator(schema, { hasStatus: false })(object);
  errors.push(...found.map((error) => below(path, error)));
}

const textOf = ({ field, message }: FieldError): string => `${field}: ${message}`;

interface Place {
  readonly path: string;
  readonly level: 'root' | 'field' | 'item';
}

const untyped: Readonly<Record<Place['level'], string>> = {
  root: 'must not be empty at the root',
  field: 'must not be empty for specified object fields',
  item: 'must not be empty for specified array items',
};

/** That the schema says of each field what it is, so that unknown ones can be told. */
function checkStructure(schema: Schema, { path, level }: Place, errors: Errors): void {
  const { type, items, properties, additionalProperties, pattern } = schema;
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const isIntOrString = schema['x-kubernetes-int-or-string'] === true;
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  if (type === 'array' && items === undefined) {
    errors.push(required(`${path}.items`, 'must be specified'));
  }
  if (level === 'root' && additionalProperties !== undefined) {
    errors.push(forbidden(`${path}.additionalProperties`, 'must not be used at the root'));
  }
  if (isEmbedded && type !== 'object') {
    const why = 'must be object if x-kubernetes-embedded-resource is true';
    errors.push(
      type === undefined ? required(`${path}.type`, why) : invalid(`${path}.type`, type, why),
    );
  } else if (type === undefined && !isIntOrString && !isOpen) {
    errors.push(required(`${path}.type`, untyped[level]));
  }
  if (level === 'root' && type !== undefined && type !== 'object') {
    errors.push(invalid(`${path}.type`, type, 'must be object at the root'));
  }
  if (isEmbedded && !isOpen && Object.keys(properties ?? {}).length === 0) {
    const why =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
    errors.push(required(`${path}.properties`, why));
  }
  if (pattern !== undefined && compilePattern(pattern) === undefined) {
    const why = "must be a valid regular expression, but isn't: error parsing regexp";
    errors.push(invalid(`${path}.pattern`, pattern, why));
  }
  checkMetadata(schema, { path, level }, errors);
  if (items !== undefined) checkStructure(items, { path: `${path}.items`, level: 'item' }, errors);
  for (const [name, field] of Object.entries(properties ?? {})) {
    checkStructure(field, { path: `${path}.properties[${name}]`, level: 'field' }, errors);
  }
  if (typeof additionalProperties === 'object') {
    const place: Place = { path: `${path}.additionalProperties`, level: 'field' };
    checkStructure(additionalProperties, place, errors);
  }
}

/** A definition may restrict the names of its objects, and nothing else of their metadata. */
function checkMetadata({ properties }: Schema, { path, level }: Place, errors: Errors): void {
  if (level !== 'root' || properties === undefined) return;
  for (const name of ['kind', 'apiVersion'] as const) {
    const { type = '' } = properties[name] ?? { type: 'string' };
    if (type !== 'string') {
      errors.push(invalid(`${path}.properties[${name}].type`, type, 'must be string'));
    }
  }
  const { metadata } = properties;
  if (metadata === undefined) return;
  const { type = '', properties: fields, description: _, default: __, ...others } = metadata;
  const at = `${path}.properties[metadata]`;
  if (type !== 'object') errors.push(invalid(`${at}.type`, type, 'must be object'));
  const strangers = Object.keys(fields ?? {}).filter(
    (it) => it !== 'name' && it !== 'generateName',
  );
  if (strangers.length === 0 && Object.keys(others).length === 0) return;
  const why =
    'must not specify anything other than name and generateName, but metadata is implicitly specified';
  errors.push(forbidden(at, why));
}

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];

/** That what it says can be meant, part by part. */
function checkMeaning(schema: Schema, path: string, errors: Errors): void {
  const { type, properties, additionalProperties, items } = schema;
  if (type !== undefined && !types.includes(type)) {
    errors.push(notSupported(`${path}.type`, type, types));
  }
  if (schema.uniqueItems === true) {
    const why = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
    errors.push(forbidden(`${path}.uniqueItems`, why));
  }
  const isMap = typeof additionalProperties === 'object' || additionalProperties === false;
  if (isMap && Object.keys(properties ?? {}).length > 0) {
    const why = 'additionalProperties and properties are mutual exclusive';
    errors.push(forbidden(`${path}.additionalProperties`, why));
  }
  if (typeof additionalProperties === 'object') {
    checkMeaning(additionalProperties, `${path}.additionalProperties`, errors);
  }
  for (const [name, field] of Object.entries(properties ?? {})) {
    checkMeaning(field, `${path}.properties[${name}]`, errors);
  }
  for (const keyword of ['allOf', 'oneOf', 'anyOf'] as const) {
    schema[keyword]?.forEach((it, at) => checkMeaning(it, `${path}.${keyword}[${at}]`, errors));
  }
  if (items !== undefined) checkMeaning(items, `${path}.items`, errors);
  checkLists(schema, path, errors);
  schema['x-kubernetes-validations']?.forEach((rule, at) =>
    checkRule(rule, `${path}.x-kubernetes-validations[${at}]`, errors),
  );
}

function checkLists(schema: Schema, path: string, errors: Errors): void {
  const { type, items } = schema;
  const listType: string | undefined = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  if (listType !== undefined && type !== 'array') {
    const why = 'must be array if x-kubernetes-list-type is specified';
    errors.push(
      type === undefined ? required(`${path}.type`, why) : invalid(`${path}.type`, type, why),
    );
  }
  const listTypes = ['atomic', 'map', 'set'];
  if (listType !== undefined && !listTypes.includes(listType)) {
    errors.push(notSupported(`${path}.x-kubernetes-list-type`, listType, ['atomic', 'set', 'map']));
  }
  if (keys.length > 0 && listType !== 'map') {
    const why = 'must be map if x-kubernetes-list-map-keys is non-empty';
    const at = `${path}.x-kubernetes-list-type`;
    errors.push(listType === undefined ? required(at, why) : invalid(at, listType, why));
  }
  if (listType !== 'map') return;
  const at = `${path}.x-kubernetes-list-map-keys`;
  if (keys.length === 0) {
    errors.push(required(at, 'must not be empty if x-kubernetes-list-type is map'));
  }
  if (items === undefined) {
    errors.push(required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map'));
    return;
  }
  if (items.type !== 'object') {
    const why = "must be object if parent array's x-kubernetes-list-type is map";
    errors.push(invalid(`${path}.items.type`, items.type ?? '', why));
    return;
  }
  checkKeys(keys, items, { path, at }, errors);
}

function checkKeys(
  keys: readonly string[],
  items: Schema,
  { path, at }: { readonly path: string; readonly at: string },
  errors: Errors,
): void {
  const missing = keys.filter((key) => items.properties?.[key] === undefined);
  for (const _ of missing)
    errors.push(invalid(at, keys, 'entries must all be names of item properties'));
  if (new Set(keys).size < keys.length) {
    errors.push(invalid(at, keys, 'must not contain duplicate entries'));
  }
  for (const key of keys) {
    const field = items.properties?.[key];
    if (field === undefined) continue;
    if (field.default !== undefined || items.required?.includes(key) === true) continue;
    const where = `${path}.items.properties[${key}].default`;
    const why =
      'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property';
    errors.push(required(where, why));
  }
}

function checkRule(rule: ValidationRule, path: string, errors: Errors): void {
  const { message = '', messageExpression = '' } = rule;
  const text = rule.rule.trim();
  if (text === '') {
    errors.push(required(`${path}.rule`, 'rule is not specified'));
    return;
  }
  if (message !== '' && message.trim() === '') {
    errors.push(invalid(`${path}.message`, message, 'must be non-empty if specified'));
  } else if (message.trim().includes('\n')) {
    errors.push(invalid(`${path}.message`, message, 'must not contain line breaks'));
  } else if (text.includes('\n') && message.trim() === '') {
    const why = 'message must be specified if rule contains line breaks';
    errors.push(required(`${path}.message`, why));
  }
  const problem = syntaxProblem(text);
  if (problem !== undefined) {
    errors.push(invalid(`${path}.rule`, rule.rule, `compilation failed: ${problem}`));
  }
  const other = messageExpression === '' ? undefined : syntaxProblem(messageExpression);
  if (other === undefined) return;
  const why = `messageExpression compilation failed: ${other}`;
  errors.push(invalid(`${path}.messageExpression`, messageExpression, why));
}
