/**
 * JSON Merge Patch (RFC 7386): the patch between two values, and what a patch makes of a value.
 *
 * A merge patch cannot set a field to null, for null means "remove": `after` must hold none.
 */
import type { Json } from '../api/kubernetes.ts';

type JsonObject = { readonly [key: string]: Json };

/** The smallest merge patch that makes `after` of `before`; undefined where nothing differs. */
export function mergePatchBetween(before: Json, after: Json): Json | undefined {
  if (!isObject(before) || !isObject(after)) return isEqual(before, after) ? undefined : after;

  const patch: [string, Json][] = [];
  for (const key of Object.keys(before)) {
    if (!Object.hasOwn(after, key)) patch.push([key, null]);
  }
  for (const [key, wanted] of Object.entries(after)) {
    const change = Object.hasOwn(before, key)
      ? mergePatchBetween(before[key] ?? null, wanted)
      : wanted;
    if (change !== undefined) patch.push([key, change]);
  }
  // `fromEntries` defines its keys, where an assignment to `__proto__` would lose one.
  return patch.length === 0 ? undefined : Object.fromEntries(patch);
}

/** MergePatch of RFC 7386, section 2. Neither argument is changed. */
export function applyMergePatch(target: Json, patch: Json): Json {
  if (!isObject(patch)) return patch;

  const merged = new Map<string, Json>(isObject(target) ? Object.entries(target) : []);
  for (const [key, change] of Object.entries(patch)) {
    if (change === null) merged.delete(key);
    else merged.set(key, applyMergePatch(merged.get(key) ?? null, change));
  }
  return Object.fromEntries(merged);
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEqual(one: Json, other: Json): boolean {
  if (one === other) return true;
  if (isArray(one) && isArray(other)) {
    return one.length === other.length && one.every((it, at) => isEqual(it, other[at] ?? null));
  }
  if (!isObject(one) || !isObject(other)) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isEqual(one[key] ?? null, other[key] ?? null))
  );
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
