/**
 * What is wrong with a field, in the API server's words.
 * Wording: k8s.io/apimachinery, `util/validation/field/errors.go`.
 */
import type { Json } from '../../api/kubernetes.ts';
import type { FieldError } from '../status-error.ts';

/** What the API server calls a path that it does not know, or that is the object itself. */
export const noPath = '<nil>';

const detailed = (text: string, detail: string): string =>
  detail === '' ? text : `${text}: ${detail}`;

export const required = (field: string, detail = ''): FieldError => ({
  field,
  reason: 'FieldValueRequired',
  message: detailed('Required value', detail),
});

/** The value is left out where it is undefined. */
export const invalid = (field: string, value: Json | undefined, detail: string): FieldError => ({
  field,
  reason: 'FieldValueInvalid',
  message: detailed(withValue('Invalid value', value), detail),
});

export const typeInvalid = (field: string, value: Json, detail: string): FieldError => ({
  field,
  reason: 'FieldValueTypeInvalid',
  message: detailed(withValue('Invalid value', value), detail),
});

export const notSupported = (
  field: string,
  value: Json,
  supported: readonly Json[],
): FieldError => {
  const values = supported.map((it) => JSON.stringify(typeof it === 'string' ? it : shown(it)));
  return {
    field,
    reason: 'FieldValueNotSupported',
    message: detailed(
      withValue('Unsupported value', value),
      `supported values: ${values.join(', ')}`,
    ),
  };
};

export const duplicate = (field: string, value: Json | undefined): FieldError => ({
  field,
  reason: 'FieldValueDuplicate',
  message: withValue('Duplicate value', value),
});

export const forbidden = (field: string, detail: string): FieldError => ({
  field,
  reason: 'FieldValueForbidden',
  message: detailed('Forbidden', detail),
});

/** Kubernetes counts characters, and calls them bytes. */
export const tooLong = (field: string, max: number): FieldError => ({
  field,
  reason: 'FieldValueTooLong',
  message: `Too long: may not be more than ${max} ${max === 1 ? 'byte' : 'bytes'}`,
});

export const tooMany = (field: string, actual: number, max: number): FieldError => ({
  field,
  reason: 'FieldValueTooMany',
  message: `Too many: ${actual}: must have at most ${max} ${max === 1 ? 'item' : 'items'}`,
});

const withValue = (text: string, value: Json | undefined): string =>
  value === undefined ? text : `${text}: ${shown(value)}`;

const int64Max = 2 ** 63;

/** Whether Go reads the number as an integer. */
export const isInt64 = (value: unknown): boolean =>
  Number.isInteger(value) && Math.abs(Number(value)) < int64Max;

/** A floating point number, as Go prints it: with an exponent from a million on. */
export function goFloat(value: number): string {
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  const size = String(Math.abs(power)).padStart(2, '0');
  return `${digits}e${power < 0 ? '-' : '+'}${size}`;
}

/** As Go prints it: keys in order, HTML's characters escaped. */
export function shown(value: Json): string {
  if (typeof value === 'number') return isInt64(value) ? String(value) : goFloat(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return JSON.stringify(value, (_, it: unknown) => sorted(it)).replaceAll(
    /[<>&\u2028\u2029]/g,
    (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A field, an item, or a key of a map. */
export type Step = string | number | { readonly key: string };

/** `spec.items[0].name`, and `spec.labels[app]` for keys that are told to be such. */
export function pathText(steps: readonly Step[]): string {
  let text = '';
  for (const step of steps) {
    if (typeof step === 'string') text += text === '' ? step : `.${step}`;
    else text += `[${typeof step === 'number' ? step : step.key}]`;
  }
  return text;
}

/** The error of a value that is somewhere else: the path is told from there. */
export function below(path: string, error: FieldError): FieldError {
  const { field } = error;
  return { ...error, field: field === '' || field === noPath ? path : `${path}.${field}` };
}
