/** What is wrong with a ConfigMap or a Secret. Rules: Kubernetes, `pkg/apis/core/validation`. */
import { isEqual } from '../json.ts';
import type { StoredObject } from '../resource-type.ts';
import { forbidden, required } from '../schema/field-errors.ts';
import { objectOf, textOf } from './defaulting.ts';
import type { Errors } from './field-errors.ts';
import { immutable, invalidValue, none, validConfigKey } from './field-errors.ts';

const bytesMax = 1024 * 1024;

interface Config extends StoredObject {
  readonly immutable?: boolean;
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

const sizeOf = (values: Readonly<Record<string, string>>, bytesPerLetter: number): number =>
  Object.values(values).reduce((sum, it) => sum + it.length * bytesPerLetter, 0);

function sizeErrors(field: string, bytes: number): Errors {
  const message = `Too long: may not be more than ${bytesMax} bytes`;
  return bytes > bytesMax ? [{ field, reason: 'FieldValueTooLong', message }] : none;
}

/** Of two versions of an object that was not to change. */
function changeErrors(
  after: Config,
  before: Config | undefined,
  fields: readonly string[],
): Errors {
  if (before?.immutable !== true) return none;
  const why = 'field is immutable when `immutable` is set';
  return [
    ...(after.immutable === true ? none : [forbidden('immutable', why)]),
    ...fields
      .filter((it) => !isEqual(objectOf(after[it]), objectOf(before[it])))
      .map((it) => forbidden(it, why)),
  ];
}

export function validateConfigMap(after: StoredObject, before: StoredObject | undefined): Errors {
  const { data = {}, binaryData = {} } = after as Config;
  if (before?.['data'] === after['data'] && before?.['binaryData'] === after['binaryData']) {
    return changeErrors(after, before, []);
  }
  return [
    ...Object.keys(data).flatMap((key) => [
      ...validConfigKey(`data[${key}]`, key),
      ...(key in binaryData
        ? [invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData')]
        : none),
    ]),
    ...Object.keys(binaryData).flatMap((key) => validConfigKey(`binaryData[${key}]`, key)),
    ...sizeErrors('', sizeOf(data, 1) + sizeOf(binaryData, 0.75)),
    ...changeErrors(after, before, ['data', 'binaryData']),
  ];
}

const keysByType: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
};

export function validateSecret(after: StoredObject, before: StoredObject | undefined): Errors {
  const { data = {}, type = '' } = after as Config;
  const isRetyped = before !== undefined && textOf(before['type']) !== type;
  const retyped = isRetyped ? [immutable('type', type)] : none;
  if (before !== undefined && before['data'] === after['data']) {
    return [...retyped, ...changeErrors(after, before, [])];
  }
  const keys = keysByType[type] ?? [];
  return [
    ...Object.keys(data).flatMap((key) => validConfigKey(`data[${key}]`, key)),
    ...sizeErrors('data', sizeOf(data, 0.75)),
    ...keys.filter((it) => !(it in data)).map((it) => required(`data[${it}]`)),
    ...retyped,
    ...changeErrors(after, before, ['data']),
  ];
}
