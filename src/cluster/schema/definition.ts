/**
 * What is wrong with a CustomResourceDefinition.
 * Rules and wording: k8s.io/apiextensions-apiserver, `apis/apiextensions/validation` and
 * `apiserver/schema/validation.go`. Rules in CEL are parsed, not typed, and not costed.
 */
import { syntaxProblem } from '../cel.ts';
import type { CustomResourceDefinition, DefinedColumn, DefinedVersion } from '../crd.ts';
import { isEstablished } from '../crd.ts';
import { isEqual } from '../json.ts';
import type { FieldError } from '../status-error.ts';
import { forbidden, invalid, notSupported, required } from './field-errors.ts';
import { compilePattern } from './patterns.ts';
import type { Schema, ValidationRule } from './schema.ts';

type Errors = FieldError[];

/** `before` is what is stored, if anything. Defaults are filled in already. */
export function validateDefinition(
  definition: CustomResourceDefinition,
  before: CustomResourceDefinition | undefined,
): readonly FieldError[] {
  const errors: Errors = [];
  const { metadata, spec } = definition;
  const { names, group } = spec;
  if (before === undefined && metadata.name !== `${names.plural}.${group}`) {
    const why = 'must be spec.names.plural+"."+spec.group';
    errors.push(invalid('metadata.name', metadata.name, why));
  }
  checkSpec(spec, errors);
  if (before !== undefined) checkChange(definition, before, errors);
  checkStored(definition, errors);
  return errors;
}

type Spec = CustomResourceDefinition['spec'];

const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const subdomainHint =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const label = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const labelHint =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

function checkSpec(spec: Spec, errors: Errors): void {
  checkGroup(spec.group, errors);
  const scope = spec.scope as string;
  if (scope === '') errors.push(required('spec.scope'));
  else if (scope !== 'Namespaced' && scope !== 'Cluster') {
    errors.push(notSupported('spec.scope', scope, ['Cluster', 'Namespaced']));
  }
  checkVersions(spec, errors);
  checkNames(spec, errors);
}

function checkGroup(group: string, errors: Errors): void {
  if (group === '') errors.push(required('spec.group'));
  else if (!dnsSubdomain.test(group)) errors.push(invalid('spec.group', group, subdomainHint));
  else if (!group.includes('.')) {
    errors.push(invalid('spec.group', group, 'should be a domain with at least one dot'));
  }
}

/** What all versions have alike, the server checks once, and calls by a path of the whole. */
function checkVersions({ versions }: Spec, errors: Errors): void {
  const isAlike = (part: keyof DefinedVersion): boolean =>
    versions.every((it) => isEqual(it[part], versions[0]?.[part]));
  const sharesSchema = isAlike('schema');
  const sharesColumns = isAlike('additionalPrinterColumns');
  versions.forEach((version, at) => {
    if (version.schema?.openAPIV3Schema === undefined) {
      errors.push(required(`spec.versions[${at}].schema.openAPIV3Schema`));
    }
  });
  versions.forEach((version, at) => {
    const path = `spec.versions[${at}]`;
    checkLabel(`${path}.name`, version.name, errors);
    if (!sharesSchema) checkSchemaOf(version, `${path}.schema`, errors);
    if (!sharesColumns) checkColumns(version, path, errors);
  });
  if (new Set(versions.map(({ name }) => name)).size < versions.length) {
    errors.push(invalidVersions(versions, 'must contain unique version names'));
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    errors.push(
      invalidVersions(versions, 'must have exactly one version marked as storage version'),
    );
  }
  const [first] = versions;
  if (first === undefined) return;
  checkLabel('spec.version', first.name, errors);
  if (sharesSchema) checkSchemaOf(first, 'spec.validation', errors);
  if (sharesColumns) checkColumns(first, 'spec', errors);
}

/** Versions are shown as the server holds them, with what all of them share put elsewhere. */
function invalidVersions(versions: readonly DefinedVersion[], why: string): FieldError {
  const shown = versions.map(({ name, served, storage }) => ({
    Name: name,
    Served: served,
    Storage: storage,
    Deprecated: false,
    DeprecationWarning: null,
    Schema: null,
    Subresources: null,
    AdditionalPrinterColumns: null,
    SelectableFields: null,
  }));
  const message = `Invalid value: ${JSON.stringify(shown)}: ${why}`;
  return { field: 'spec.versions', reason: 'FieldValueInvalid', message };
}

function checkLabel(path: string, name: string, errors: Errors, hint = labelHint): void {
  if (name.length > 63) errors.push(invalid(path, name, 'must be no more than 63 bytes'));
  if (!label.test(name)) errors.push(invalid(path, name, hint));
}

function checkNames({ names }: Spec, errors: Errors): void {
  const { plural, singular = '', kind, listKind = '', shortNames = [], categories = [] } = names;
  const path = 'spec.names';
  for (const [field, value] of Object.entries({ plural, singular, kind, listKind })) {
    if (value === '') errors.push(required(`${path}.${field}`));
  }
  const kindHint = `may have mixed case, but should otherwise match: ${labelHint}`;
  if (plural !== '') checkLabel(`${path}.plural`, plural, errors);
  if (singular !== '') checkLabel(`${path}.singular`, singular, errors);
  if (kind !== '' && !label.test(kind.toLowerCase())) {
    errors.push(invalid(`${path}.kind`, kind, kindHint));
  }
  if (listKind !== '' && !label.test(listKind.toLowerCase())) {
    errors.push(invalid(`${path}.listKind`, listKind, kindHint));
  }
  shortNames.forEach((name, at) => checkLabel(`${path}.shortNames[${at}]`, name, errors));
  if (kind !== '' && kind === listKind) {
    errors.push(invalid(`${path}.listKind`, listKind, 'kind and listKind may not be the same'));
  }
  categories.forEach((name, at) => checkLabel(`${path}.categories[${at}]`, name, errors));
}

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];
const columnFormats = [
  'byte',
  'date',
  'date-time',
  'double',
  'float',
  'int32',
  'int64',
  'password',
];

function checkColumns(
  { additionalPrinterColumns = [] }: DefinedVersion,
  path: string,
  errors: Errors,
): void {
  additionalPrinterColumns.forEach((column, at) =>
    checkColumn(column, `${path}.additionalPrinterColumns[${at}]`, errors),
  );
}

function checkColumn(column: DefinedColumn, path: string, errors: Errors): void {
  const { name = '', type = '', format = '', jsonPath = '' } = column as Partial<DefinedColumn>;
  const types = `must be one of ${columnTypes.join(',')}`;
  if (name === '') errors.push(required(`${path}.name`));
  if (type === '') errors.push(required(`${path}.type`, types));
  else if (!columnTypes.includes(type)) errors.push(invalid(`${path}.type`, type, types));
  if (format !== '' && !columnFormats.includes(format)) {
    errors.push(invalid(`${path}.format`, format, `must be one of ${columnFormats.join(',')}`));
  }
  if (jsonPath === '') errors.push(required(`${path}.JSONPath`));
  else if (!jsonPath.startsWith('.')) {
    const why = 'must be a simple json path starting with .';
    errors.push(invalid(`${path}.JSONPath`, jsonPath, why));
  }
}

function checkSchemaOf({ schema }: DefinedVersion, path: string, errors: Errors): void {
  const root = schema?.openAPIV3Schema;
  if (root === undefined) return;
  const at = `${path}.openAPIV3Schema`;
  if (root.nullable === true) {
    errors.push(forbidden(`${at}.nullable`, 'nullable cannot be true at the root'));
  }
  const structural: Errors = [];
  checkStructure(root, { path: at, level: 'root' }, structural);
  errors.push(...structural.toSorted((one, other) => (textOf(one) < textOf(other) ? -1 : 1)));
  checkMeaning(root, at, errors);
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

function checkChange(
  { spec }: CustomResourceDefinition,
  before: CustomResourceDefinition,
  errors: Errors,
): void {
  const keep = (path: string, value: string, was: string): void => {
    if (value !== was) errors.push(invalid(path, value, 'field is immutable'));
  };
  if (isEstablished(before)) {
    keep('spec.scope', spec.scope, before.spec.scope);
    keep('spec.names.kind', spec.names.kind, before.spec.names.kind);
  }
  keep('spec.group', spec.group, before.spec.group);
  keep('spec.names.plural', spec.names.plural, before.spec.names.plural);
}

function checkStored({ spec, status }: CustomResourceDefinition, errors: Errors): void {
  const stored = status?.storedVersions ?? [];
  const names = spec.versions.map(({ name }) => name);
  const isStored = stored.length > 0 || spec.versions.some(({ storage }) => storage);
  if (!isStored) {
    const why = 'must have at least one stored version';
    errors.push(invalid('status.storedVersions', null, why));
  }
  stored.forEach((name, at) => {
    if (names.includes(name)) return;
    const why = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    errors.push(invalid(`status.storedVersions[${at}]`, name, why));
  });
}
