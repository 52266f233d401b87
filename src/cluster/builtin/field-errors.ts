/**
 * What is wrong with a field, in the words of the API server.
 * Wording: k8s.io/apimachinery, `util/validation/field/errors.go` and `util/validation/validation.go`.
 */
import type { Json } from '../../api/kubernetes.ts';
import type { FieldError } from '../status-error.ts';

export type Errors = readonly FieldError[];

export const none: Errors = [];

/** Values are shown as the API server holds them: the fields of a struct in their own order. */
export const invalidValue = (field: string, value: Json | undefined, why: string): FieldError => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value ?? null)}: ${why}`,
});

export const duplicate = (field: string, value: Json): FieldError => ({
  field,
  reason: 'FieldValueDuplicate',
  message: `Duplicate value: ${JSON.stringify(value)}`,
});

export const notFoundValue = (field: string, value: Json): FieldError => ({
  field,
  reason: 'FieldValueNotFound',
  message: `Not found: ${JSON.stringify(value)}`,
});

/** Of another value than these. */
export function unsupported(
  field: string,
  value: Json | undefined,
  supported: readonly string[],
): FieldError {
  const list = supported.map((it) => JSON.stringify(it)).join(', ');
  return {
    field,
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${JSON.stringify(value ?? '')}: supported values: ${list}`,
  };
}

/** Nothing where the value is one of these. */
export const oneOf = (
  field: string,
  value: Json | undefined,
  supported: readonly string[],
): Errors =>
  typeof value === 'string' && supported.includes(value)
    ? none
    : [unsupported(field, value, supported)];

export const notNegative = (field: string, value: Json | undefined): Errors =>
  typeof value === 'number' && value < 0
    ? [invalidValue(field, value, 'must be greater than or equal to 0')]
    : none;

export const portNumber = (field: string, value: Json | undefined): Errors =>
  typeof value === 'number' && value >= 1 && value <= 65_535
    ? none
    : [invalidValue(field, value ?? 0, 'must be between 1 and 65535, inclusive')];

const portNameLengthMax = 15;

/** A name of a port as IANA knows them, with a letter in it. */
export function portName(field: string, value: string): Errors {
  if (value.length > portNameLengthMax) {
    return [invalidValue(field, value, `must be no more than ${portNameLengthMax} characters`)];
  }
  const problems = [
    /^[-a-z0-9]+$/.test(value)
      ? ''
      : 'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
    /[a-z]/.test(value) ? '' : 'must contain at least one letter (a-z)',
    value.includes('--') ? 'must not contain consecutive hyphens' : '',
    /^-|-$/.test(value) ? 'must not begin or end with a hyphen' : '',
  ];
  return problems.filter((it) => it !== '').map((why) => invalidValue(field, value, why));
}

export const portOrName = (field: string, value: Json | undefined): Errors =>
  typeof value === 'string' ? portName(field, value) : portNumber(field, value);

const percentWhy =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

export function countOrPercent(field: string, value: Json | undefined): Errors {
  if (typeof value !== 'string') return notNegative(field, value);
  return /^[0-9]+%$/.test(value) ? none : [invalidValue(field, value, percentWhy)];
}

export function atMostAll(field: string, value: Json | undefined): Errors {
  const percent = typeof value === 'string' ? /^([0-9]+)%$/.exec(value)?.[1] : undefined;
  if (percent === undefined || Number(percent) <= 100) return none;
  return [invalidValue(field, value, 'must not be greater than 100%')];
}

/** The number in `25%` or `1`; 0 where there is none. */
export function amountOf(value: Json | undefined): number {
  if (typeof value === 'number') return value;
  return Number(/^([0-9]+)%$/.exec(typeof value === 'string' ? value : '')?.[1] ?? 0);
}

const configKey = /^[-._a-zA-Z0-9]+$/;
const configKeyLengthMax = 253;
const configKeyWhy =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

export function validConfigKey(field: string, key: string): Errors {
  if (key.length > configKeyLengthMax) {
    return [invalidValue(field, key, `must be no more than ${configKeyLengthMax} bytes`)];
  }
  if (!configKey.test(key)) return [invalidValue(field, key, configKeyWhy)];
  if (key === '.') return [invalidValue(field, key, "must not be '.'")];
  return key.startsWith('..') ? [invalidValue(field, key, "must not start with '..'")] : none;
}

export const immutable = (field: string, value: Json | undefined): FieldError =>
  invalidValue(field, value, 'field is immutable');
