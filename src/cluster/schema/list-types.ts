/**
 * Lists that are sets or maps hold nothing twice.
 * Rules: k8s.io/apiextensions-apiserver, `apiserver/schema/listtype`.
 */
import type { Json } from '../../api/kubernetes.ts';
import { isRecord } from '../json.ts';
import type { Inspection } from './descend.ts';
import { duplicate, invalid, shown } from './field-errors.ts';

export const listTypes: Inspection = {
  concerns: (schema) => {
    const type = schema['x-kubernetes-list-type'];
    return type === 'set' || type === 'map';
  },
  visit: (value, schema, visit) => {
    if (!Array.isArray(value)) return;
    const list = value as readonly Json[];
    const isSet = schema['x-kubernetes-list-type'] === 'set';
    const stranger = isSet ? -1 : list.findIndex((it) => it !== null && !isRecord(it));
    if (stranger !== -1) {
      const message = 'must be an object for an array of list-type map';
      visit.report(invalid(visit.path(stranger), list[stranger], message));
      return;
    }
    if (list.length <= 1) return;
    const names = schema['x-kubernetes-list-map-keys'] ?? [];
    const keys = isSet ? list : list.map((item) => keyOf(item, names));
    for (const at of repeated(keys)) visit.report(duplicate(visit.path(at), keys[at]));
  },
};

function keyOf(item: Json, names: readonly string[]): Json {
  const key: Record<string, Json> = {};
  if (!isRecord(item)) return key;
  for (const name of names) {
    const value = item[name];
    if (value !== undefined) key[name] = value;
  }
  return key;
}

/** The second appearances. */
function repeated(values: readonly Json[]): readonly number[] {
  const times = new Map<string, number>();
  return values.flatMap((value, at) => {
    const text = shown(value);
    const time = (times.get(text) ?? 0) + 1;
    times.set(text, time);
    return time === 2 ? [at] : [];
  });
}
