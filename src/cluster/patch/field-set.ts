/**
 * Sets of fields of an object, in the form in which `metadata.managedFields` stores them (FieldsV1):
 * a tree whose keys are path elements. An element without children is a member of the set; one with
 * children is a member where it also holds `.`.
 *
 *   f:replicas   the field of that name
 *   k:{…}        the item of a list that has these keys
 *   v:…          the item of a list that is this value
 *
 * What is stored is what is computed with: nothing is parsed or printed on the way of a write, and
 * an operation that changes nothing answers its first argument. The empty set is `{}`.
 * Rules: sigs.k8s.io/structured-merge-diff, `fieldpath`.
 */
import { isRecord } from '../json.ts';

export interface FieldSet {
  readonly [element: string]: FieldSet;
}

type Growing = Record<string, FieldSet>;

/** Of an element: that it is a member, and has no children. Of a set: that it is empty. */
export const nothing: FieldSet = Object.freeze({});

/** The key that says that an element with children is a member itself. */
const self = '.';

export function isEmpty(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** The element of a field. */
export const fieldElement = (name: string): string => `f:${name}`;

/** An element with these children; undefined where there would be nothing of it. */
export function element(
  isMember: boolean,
  children: FieldSet | undefined = nothing,
): FieldSet | undefined {
  if (isEmpty(children)) return isMember ? nothing : undefined;
  return isMember ? { [self]: nothing, ...children } : children;
}

export function union(one: FieldSet, other: FieldSet): FieldSet {
  if (one === other || isEmpty(other)) return one;
  return isEmpty(one) ? other : unite(one, other);
}

function unite(one: FieldSet, other: FieldSet): FieldSet {
  if (one === other) return one;
  if (isEmpty(other)) return isEmpty(one) || self in one ? one : { [self]: nothing, ...one };
  if (isEmpty(one)) return self in other ? other : { [self]: nothing, ...other };
  let united: Growing | undefined;
  for (const key in other) {
    const mine = one[key];
    const theirs = other[key] ?? nothing;
    const both = mine === undefined ? theirs : key === self ? mine : unite(mine, theirs);
    if (both === mine) continue;
    united ??= { ...one };
    united[key] = both;
  }
  return united ?? one;
}

/** The members of one that are no members of the other. Children of a member that goes stay. */
export function difference(one: FieldSet, other: FieldSet): FieldSet {
  if (isEmpty(one) || isEmpty(other)) return one;
  return subtract(one, other, false) ?? nothing;
}

/** As `difference`, but what is under a member of the other goes with it. */
export function withoutBranches(one: FieldSet, other: FieldSet): FieldSet {
  if (isEmpty(one) || isEmpty(other)) return one;
  return subtract(one, other, true) ?? nothing;
}

function subtract(one: FieldSet, other: FieldSet, isDeep: boolean): FieldSet | undefined {
  const takesMember = isEmpty(other) || self in other;
  if (takesMember && (isDeep || isEmpty(one))) return undefined;
  if (isEmpty(one)) return one;
  let rest: Growing | undefined;
  const drop = (key: string): void => {
    rest ??= { ...one };
    delete rest[key];
  };
  if (takesMember && self in one) drop(self);
  for (const key in other) {
    const mine = one[key];
    if (mine === undefined || key === self) continue;
    const left = subtract(mine, other[key] ?? nothing, isDeep);
    if (left === undefined) drop(key);
    else if (left !== mine) {
      rest ??= { ...one };
      rest[key] = left;
    }
  }
  return rest === undefined ? one : normal(rest);
}

/** Members of both. */
export function intersection(one: FieldSet, other: FieldSet): FieldSet {
  if (one === other || isEmpty(one)) return one;
  if (isEmpty(other)) return other;
  return intersect(one, other) ?? nothing;
}

function intersect(one: FieldSet, other: FieldSet): FieldSet | undefined {
  if (one === other) return one;
  const isShared = (isEmpty(one) || self in one) && (isEmpty(other) || self in other);
  const shared: Growing = {};
  for (const key in one) {
    const [mine, theirs] = [one[key], other[key]];
    if (key === self || mine === undefined || theirs === undefined) continue;
    const both = intersect(mine, theirs);
    if (both !== undefined) shared[key] = both;
  }
  return element(isShared, shared);
}

/** The one form of an element: a member without children is `{}`, and nothing is not there. */
function normal(children: FieldSet): FieldSet | undefined {
  let count = 0;
  for (const key in children) {
    if (key !== self) return children;
    count += 1;
  }
  return count === 0 ? undefined : nothing;
}

export function has(set: FieldSet, path: readonly string[]): boolean {
  let at: FieldSet | undefined = set;
  for (const key of path) at = at?.[key];
  return at !== undefined && path.length > 0 && (isEmpty(at) || self in at);
}

/** All members, as paths, in the order in which the API server lists them. */
export function pathsOf(set: FieldSet): readonly (readonly string[])[] {
  const keys = Object.keys(set)
    .filter((key) => key !== self)
    .toSorted(compareElements);
  const isMember = (key: string): boolean => has(set, [key]);
  return [
    ...keys.filter(isMember).map((key) => [key]),
    ...keys.flatMap((key) => pathsOf(set[key] ?? nothing).map((path) => [key, ...path])),
  ];
}

/** `.spec.template.spec.containers[name="app"].image`. */
export const pathText = (path: readonly string[]): string => path.map(elementText).join('');

export function elementText(key: string): string {
  const text = key.slice(2);
  if (key.startsWith('f:')) return `.${text}`;
  if (key.startsWith('v:')) return `[=${text}]`;
  if (!key.startsWith('k:')) return `[${text}]`;
  const pairs = keysOf(key).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `[${pairs.join(',')}]`;
}

/** The element of an item with these keys, of which there is one at least. */
export function keyElement(keys: readonly (readonly [string, unknown])[]): string {
  const [first] = keys;
  const sorted =
    keys.length === 1 && first !== undefined
      ? keys
      : keys.toSorted(([one], [other]) => (one < other ? -1 : 1));
  const pairs = sorted.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return `k:{${pairs.join(',')}}`;
}

export const valueElement = (value: unknown): string => `v:${JSON.stringify(value)}`;

function keysOf(key: string): readonly (readonly [string, unknown])[] {
  return Object.entries(JSON.parse(key.slice(2)) as object);
}

/** Fields come before keys, keys before values, values before indices. */
const kinds = 'fkvi';

function compareElements(one: string, other: string): number {
  const kind = one.charAt(0);
  if (kind !== other.charAt(0)) return kinds.indexOf(kind) - kinds.indexOf(other.charAt(0));
  if (kind === 'i') return Number(one.slice(2)) - Number(other.slice(2));
  if (kind === 'v') return compareValues(JSON.parse(one.slice(2)), JSON.parse(other.slice(2)));
  return kind === 'k' ? compareKeys(keysOf(one), keysOf(other)) : compareValues(one, other);
}

type Keys = ReturnType<typeof keysOf>;

function compareKeys(one: Keys, other: Keys): number {
  for (const [at, [name, value]] of one.entries()) {
    const [otherName, otherValue] = other[at] ?? [];
    if (otherName === undefined) return 1;
    const order = compareValues(name, otherName) || compareValues(value, otherValue);
    if (order !== 0) return order;
  }
  return one.length - other.length;
}

/** Numbers come before strings, strings before booleans. */
const types = ['number', 'string', 'boolean'];

function compareValues(one: unknown, other: unknown): number {
  const order = types.indexOf(typeof one) - types.indexOf(typeof other);
  if (order !== 0 || one === other) return order;
  return (one as string) < (other as string) ? -1 : 1;
}

/** FieldsV1 that a user sent, without what is unknown in it; undefined where it is no such thing. */
export function parseFieldSet(value: unknown): FieldSet | undefined {
  return isRecord(value) ? parseChildren(value) : undefined;
}

function parseChildren(value: Readonly<Record<string, unknown>>): FieldSet | undefined {
  const parsed: Growing = {};
  for (const [key, child] of Object.entries(value)) {
    if (!isRecord(child)) return undefined;
    if (key === self) {
      parsed[self] = nothing;
      continue;
    }
    const known = parseElement(key);
    if (known === 'invalid') return undefined;
    if (known === 'unknown') continue;
    const children = parseChildren(child);
    if (children === undefined) return undefined;
    parsed[known.element] = normal(children) ?? nothing;
  }
  return parsed;
}

function parseElement(key: string): { readonly element: string } | 'unknown' | 'invalid' {
  if (key.charAt(1) !== ':') return 'invalid';
  const kind = key.charAt(0);
  if (kind === 'f' || kind === 'i') return { element: key };
  if (kind !== 'k' && kind !== 'v') return 'unknown';
  try {
    const value: unknown = JSON.parse(key.slice(2));
    if (kind === 'v') return { element: valueElement(value) };
    return isRecord(value) ? { element: keyElement(Object.entries(value)) } : 'invalid';
  } catch {
    return 'invalid';
  }
}
