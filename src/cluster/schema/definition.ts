/**
 * What is wrong with a CustomResourceDefinition.
 * Rules and wording: k8s.io/apiextensions-apiserver, `apis/apiextensions/validation`.
 */
import type { CustomResourceDefinition, DefinedColumn, DefinedVersion } from '../crd.ts';
import { isEstablished } from '../crd.ts';
import { isEqual } from '../json.ts';
import type { FieldError } from '../status-error.ts';
import { checkDefinedSchema } from './definition-schema.ts';
import { invalid, notSupported, required } from './field-errors.ts';

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
    if (!sharesSchema)
      checkDefinedSchema(version.schema?.openAPIV3Schema, `${path}.schema`, errors);
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
  if (sharesSchema) checkDefinedSchema(first.schema?.openAPIV3Schema, 'spec.validation', errors);
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
