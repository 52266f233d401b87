/** Values as Go prints them with `%v`, for errors of the API server that show them. */
import type { Json } from '../../api/kubernetes.ts';
import { isList, isObject } from './shape.ts';

export function goText(value: Json | undefined): string {
  if (value === null || value === undefined) return '<nil>';
  if (isList(value)) return `[${value.map(goText).join(' ')}]`;
  if (!isObject(value)) return String(value);
  const keys = Object.keys(value).toSorted();
  return `map[${keys.map((key) => `${key}:${goText(value[key])}`).join(' ')}]`;
}
