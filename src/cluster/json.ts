/** Equality of plain JSON, quick where structure is shared. A field that is undefined is absent. */
export function isEqual(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (!isCompound(one) || !isCompound(other)) return false;
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
    return one.every((it, at) => isEqual(it, other[at]));
  }
  for (const key in other) if (other[key] !== undefined && one[key] === undefined) return false;
  for (const key in one) if (!isEqual(one[key], other[key])) return false;
  return true;
}

function isCompound(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  isCompound(value) && !Array.isArray(value);
