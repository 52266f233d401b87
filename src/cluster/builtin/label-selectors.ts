/** Label selectors in objects: what is wrong with them, and what they select. */
import { labelErrors, qualifiedNameErrors } from '../metadata.ts';
import { forbidden, required } from '../schema/field-errors.ts';
import type { JsonObject } from './defaulting.ts';
import { isJsonObject, isList } from './defaulting.ts';
import type { Errors } from './field-errors.ts';
import { invalidValue } from './field-errors.ts';

const needsValues = ['In', 'NotIn'];
const needsNone = ['Exists', 'DoesNotExist'];

interface Expression {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}

function expressionsOf(selector: JsonObject): readonly Expression[] {
  const { matchExpressions } = selector;
  if (!isList(matchExpressions)) return [];
  return matchExpressions.filter(isJsonObject).map(({ key, operator, values }) => ({
    key: typeof key === 'string' ? key : '',
    operator: typeof operator === 'string' ? operator : '',
    values: isList(values) ? values.map(String) : [],
  }));
}

const labelsOf = (selector: JsonObject): JsonObject =>
  isJsonObject(selector['matchLabels']) ? selector['matchLabels'] : {};

export const isEmptySelector = (selector: JsonObject): boolean =>
  Object.keys(labelsOf(selector)).length === 0 && expressionsOf(selector).length === 0;

export function selectorErrors(field: string, selector: JsonObject): Errors {
  const expressions = expressionsOf(selector).flatMap((it, index) =>
    expressionErrors(`${field}.matchExpressions[${index}]`, it),
  );
  return [...labelErrors(`${field}.matchLabels`, labelsOf(selector)), ...expressions];
}

function expressionErrors(field: string, { key, operator, values }: Expression): Errors {
  const keyErrors = qualifiedNameErrors(`${field}.key`, key);
  if (needsValues.includes(operator)) {
    const why = "must be specified when `operator` is 'In' or 'NotIn'";
    return values.length > 0 ? keyErrors : [required(`${field}.values`, why), ...keyErrors];
  }
  if (needsNone.includes(operator)) {
    const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
    return values.length === 0 ? keyErrors : [forbidden(`${field}.values`, why), ...keyErrors];
  }
  const why = 'not a valid selector operator';
  return [invalidValue(`${field}.operator`, operator, why), ...keyErrors];
}

/** Whether it can be asked at all. */
export const isUsableSelector = (selector: JsonObject): boolean =>
  expressionsOf(selector).every(
    ({ operator, values }) =>
      (needsValues.includes(operator) && values.length > 0) ||
      (needsNone.includes(operator) && values.length === 0),
  );

export function selects(selector: JsonObject, labels: JsonObject): boolean {
  const hasLabels = Object.entries(labelsOf(selector)).every(
    ([key, value]) => labels[key] === value,
  );
  return hasLabels && expressionsOf(selector).every((it) => holds(it, labels));
}

function holds({ key, operator, values }: Expression, labels: JsonObject): boolean {
  const value = labels[key];
  const isIn = typeof value === 'string' && values.includes(value);
  switch (operator) {
    case 'In':
      return isIn;
    case 'NotIn':
      return !isIn;
    case 'Exists':
      return value !== undefined;
    default:
      return value === undefined;
  }
}
