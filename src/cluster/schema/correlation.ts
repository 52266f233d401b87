/**
 * Which item of a list as it was is the same thing as an item of the list as it shall be.
 * Rules: k8s.io/apiserver, `cel/common/equality.go`: only items with keys have an identity.
 */
import type { Json } from '../../api/kubernetes.ts';
import { isEqual, isRecord } from '../json.ts';
import type { Schema } from './schema.ts';

/** Undefined where there was none, or where items have no identity. */
export function correlatedItem(item: Json, list: Schema, before: unknown): unknown {
  if (before === undefined || list['x-kubernetes-list-type'] !== 'map') return undefined;
  const keys = list['x-kubernetes-list-map-keys'] ?? [];
  if (!Array.isArray(before) || !isRecord(item)) return undefined;
  return before.find(
    (other) =>
      other === item || (isRecord(other) && keys.every((key) => isEqual(other[key], item[key]))),
  );
}
