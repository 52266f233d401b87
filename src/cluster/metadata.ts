/**
 * The metadata that the API server itself writes, and the rules for the rest of it.
 * Rules: k8s.io/apimachinery, `api/validation/objectmeta.go`; Kubernetes docs, "Object Names and IDs".
 */
import type { ObjectMeta, OwnerReference } from '../api/kubernetes.ts';
import { isEqual } from './json.ts';
import type { ResourceType, StoredObject } from './resource-type.ts';
import type { FieldError } from './status-error.ts';

/** What objects of this house do not read, and the API server keeps. */
export interface FullMeta extends ObjectMeta {
  readonly deletionGracePeriodSeconds?: number;
  readonly managedFields?: readonly unknown[];
}

/** Without vowels and look-alikes, as Kubernetes makes them. */
const suffixLetters = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
/** Of a name that gets a suffix. */
const baseLengthMax = 63 - suffixLength;

export function generatedName(base: string, random: () => number): string {
  const letters = Array.from(
    { length: suffixLength },
    () => suffixLetters[Math.floor(random() * suffixLetters.length)] ?? 'b',
  );
  return base.slice(0, baseLengthMax) + letters.join('');
}

/** A version 4 UUID out of 122 random bits. */
export function uuid(random: () => number): string {
  const digits = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16));
  digits[12] = '4';
  digits[16] = '89ab'[Math.floor(random() * 4)] ?? '8';
  const text = digits.join('');
  return [
    text.slice(0, 8),
    text.slice(8, 12),
    text.slice(12, 16),
    text.slice(16, 20),
    text.slice(20),
  ].join('-');
}

/** RFC 3339 in whole seconds. */
export const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

export const metaOf = (object: StoredObject): FullMeta => object.metadata;

type MetaChanges = { readonly [Field in keyof FullMeta]?: FullMeta[Field] | undefined };

export function withMeta(object: StoredObject, changes: MetaChanges): StoredObject {
  const entries = Object.entries({ ...object.metadata, ...changes });
  const metadata = Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  return { ...object, metadata: metadata as unknown as FullMeta };
}

/** Everything but metadata and status: what a generation counts. */
export function hasSameSpec(before: StoredObject, after: StoredObject): boolean {
  const strip = ({ metadata: _m, status: _s, ...others }: StoredObject): object => others;
  return isEqual(strip(before), strip(after));
}

const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const labelName = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const subdomainHint =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const labelHint =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const serviceHint =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const nameHint =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const valueHint =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const annotationBytesMax = 256 * 1024;

const invalidValue = (field: string, value: unknown, why: string): FieldError => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
});

/** Names of RBAC objects may hold what a path segment may. */
const isFreelyNamed = ({ group }: ResourceType): boolean => group === 'rbac.authorization.k8s.io';

export function validateMeta(
  type: ResourceType,
  object: StoredObject,
  before: StoredObject | undefined,
): readonly FieldError[] {
  if (before?.metadata === object.metadata) return [];
  const { labels, annotations, finalizers, ownerReferences, name } = object.metadata;
  const meta = before?.metadata;
  return [
    ...(meta?.name === name ? [] : nameErrors(type, name)),
    ...(meta?.labels === labels ? [] : labelErrors('metadata.labels', labels ?? {})),
    ...(meta?.annotations === annotations ? [] : annotationErrors(annotations ?? {})),
    ...(meta?.ownerReferences === ownerReferences ? [] : ownerErrors(ownerReferences ?? [])),
    ...(meta?.finalizers === finalizers ? [] : finalizerErrors(type, object, before)),
  ];
}

function nameErrors(type: ResourceType, name: string): readonly FieldError[] {
  const field = 'metadata.name';
  if (name === '') {
    const message = 'Required value: name or generateName is required';
    return [{ field, reason: 'FieldValueRequired', message }];
  }
  if (isFreelyNamed(type)) return [];
  const { group, plural } = type;
  if (group === '' && plural === 'services') {
    return name.includes('.') ? labelNameErrors(field, name) : formErrors(field, name, serviceName);
  }
  if (group === '' && plural === 'namespaces') return labelNameErrors(field, name);
  return subdomainErrors(field, name);
}

interface NameForm {
  readonly pattern: RegExp;
  readonly lengthMax: number;
  readonly hint: string;
}

const serviceName: NameForm = {
  pattern: /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
  lengthMax: 63,
  hint: serviceHint,
};

const formErrors = (
  field: string,
  text: string,
  { pattern, lengthMax, hint }: NameForm,
): readonly FieldError[] => [
  ...(text.length > lengthMax
    ? [invalidValue(field, text, `must be no more than ${lengthMax} bytes`)]
    : []),
  ...(pattern.test(text) ? [] : [invalidValue(field, text, hint)]),
];

/** Of what must be a label of DNS (RFC 1123). */
export const labelNameErrors = (field: string, text: string): readonly FieldError[] =>
  text.includes('.')
    ? [invalidValue(field, text, 'must not contain dots')]
    : formErrors(field, text, { pattern: dnsLabel, lengthMax: 63, hint: labelHint });

/** Of what must be a name of DNS (RFC 1123). */
export const subdomainErrors = (field: string, text: string): readonly FieldError[] =>
  formErrors(field, text, { pattern: dnsSubdomain, lengthMax: 253, hint: subdomainHint });

/** Of what must be a name, perhaps with the domain of whoever gave it: `example.com/app`. */
export function qualifiedNameErrors(field: string, key: string): readonly FieldError[] {
  const parts = key.split('/');
  const name = parts.at(-1) ?? '';
  if (parts.length > 2) return [invalidValue(field, key, slashesHint)];
  const problems = parts.length === 2 ? prefixProblems(parts[0] ?? '') : [];
  if (name === '') problems.push('name part must be non-empty');
  if (name.length > 63) problems.push('name part must be no more than 63 bytes');
  if (!labelName.test(name)) problems.push(nameHint);
  return problems.map((why) => invalidValue(field, key, why));
}

const slashesHint =
  "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";

function prefixProblems(prefix: string): string[] {
  if (prefix === '') return ['prefix part must be non-empty'];
  return dnsSubdomain.test(prefix) ? [] : [`prefix part ${subdomainHint}`];
}

export function labelErrors(
  field: string,
  labels: Readonly<Record<string, unknown>>,
): readonly FieldError[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...qualifiedNameErrors(field, key),
    ...labelValueErrors(field, value),
  ]);
}

export function labelValueErrors(field: string, value: unknown): readonly FieldError[] {
  if (typeof value !== 'string' || value === '') return [];
  return formErrors(field, value, { pattern: labelName, lengthMax: 63, hint: valueHint });
}

function annotationErrors(annotations: Readonly<Record<string, string>>): readonly FieldError[] {
  const field = 'metadata.annotations';
  let bytes = 0;
  const errors = Object.entries(annotations).flatMap(([key, value]) => {
    bytes += key.length + value.length;
    return qualifiedNameErrors(field, key.toLowerCase());
  });
  if (bytes <= annotationBytesMax) return errors;
  const message = `Too long: may not be more than ${annotationBytesMax} bytes`;
  return [...errors, { field, reason: 'FieldValueTooLong', message }];
}

function ownerErrors(owners: readonly OwnerReference[]): readonly FieldError[] {
  const field = 'metadata.ownerReferences';
  return owners.flatMap(({ apiVersion, kind, name, uid }) => [
    ...(apiVersion
      ? []
      : [invalidValue(`${field}.apiVersion`, apiVersion, 'version must not be empty')]),
    ...Object.entries({ kind, name, uid }).flatMap(([part, value]) =>
      value ? [] : [invalidValue(`${field}.${part}`, value, 'must not be empty')],
    ),
  ]);
}

/** Groups whose objects may have finalizers by any name. */
const loose = ['apiextensions.k8s.io', 'admissionregistration.k8s.io'];
const standardFinalizers = ['kubernetes', 'orphan', 'foregroundDeletion'];

function unknownFinalizers(
  { isCustom, group }: ResourceType,
  finalizers: readonly string[],
): readonly FieldError[] {
  if (isCustom || loose.includes(group)) return [];
  const why = 'name is neither a standard finalizer name nor is it fully qualified';
  return finalizers.flatMap((it, index) =>
    it.includes('/') || standardFinalizers.includes(it)
      ? []
      : [invalidValue(`metadata.finalizers[${index}]`, it, why)],
  );
}

function finalizerErrors(
  type: ResourceType,
  object: StoredObject,
  before: StoredObject | undefined,
): readonly FieldError[] {
  const { finalizers = [] } = object.metadata;
  const field = 'metadata.finalizers';
  const isBoth = finalizers.includes('orphan') && finalizers.includes('foregroundDeletion');
  const why = 'finalizer orphan and foregroundDeletion cannot be both set';
  const errors = [
    ...finalizers.flatMap((it) => qualifiedNameErrors(field, it)),
    ...(isBoth ? [invalidValue(field, finalizers, why)] : []),
    ...unknownFinalizers(type, finalizers),
  ];
  if (before?.metadata.deletionTimestamp === undefined) return errors;
  const added = finalizers.filter((it) => before.metadata.finalizers?.includes(it) !== true);
  if (added.length === 0) return errors;
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((it) => JSON.stringify(it)).join(', ')}}`;
  return [...errors, { field, reason: 'FieldValueForbidden', message }];
}
