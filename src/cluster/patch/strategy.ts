/**
 * How the schema says that lists are merged by a strategic merge patch, and in which order the items
 * of a merged list stand.
 * Rules: k8s.io/apimachinery, `util/strategicpatch`; Kubernetes enhancement "Preserve Order in
 * Strategic Merge Patch".
 */
import type { Json } from '../../api/kubernetes.ts';
import type { Schema } from '../schema/schema.ts';
import { StatusError } from '../status-error.ts';
import { goText } from './go-text.ts';
import type { JsonList } from './shape.ts';
import { isObject } from './shape.ts';

/** A strategy beside `retainKeys`, which concerns the keys of the map alone. */
const strategiesOf = (schema: Schema): readonly string[] =>
  schema['x-kubernetes-patch-strategy']?.split(',') ?? [];

export const mergesByStrategy = (schema: Schema): boolean => strategiesOf(schema).includes('merge');

export const replacesByStrategy = (schema: Schema): boolean =>
  strategiesOf(schema).includes('replace');

export function mergeKeyOf(schema: Schema): string {
  const key = schema['x-kubernetes-patch-merge-key'];
  if (key !== undefined) return key;
  const message = 'cannot merge lists without merge key for struct';
  throw new StatusError(message, { code: 500, reason: '' });
}

export function keyOf(item: Json, mergeKey: string): Json {
  const key = isObject(item) ? item[mergeKey] : undefined;
  if (key !== undefined) return key;
  const message = `map: ${goText(item)} does not contain declared merge key: ${mergeKey}`;
  throw new StatusError(message, { code: 500, reason: '' });
}

/** The values of both lists, each once. */
export const joined = (one: JsonList, other: JsonList): JsonList => [
  ...new Set([...one, ...other]),
];

export interface Order {
  /** Of the items that are in it. */
  readonly first: JsonList;
  /** Of the others; and where it has both, it says which of them comes first. */
  readonly live: JsonList;
  /** Of lists of maps. */
  readonly mergeKey: string | undefined;
}

/**
 * Items that the patch knows stand in the patch's order, those that only the server knows in its
 * own; these are put between those before the first that the server has after them.
 */
export function inOrder(items: JsonList, { first, live, mergeKey }: Order): JsonList {
  const valueOf = (item: Json): Json => (mergeKey === undefined ? item : keyOf(item, mergeKey));
  const [wantedAt, liveAt] = [positions(first, valueOf), positions(live, valueOf)];
  const at = (places: ReadonlyMap<Json, number>, item: Json): number =>
    places.get(valueOf(item)) ?? Number.POSITIVE_INFINITY;
  const isWanted = (item: Json): boolean => wantedAt.has(valueOf(item));
  const by = (places: ReadonlyMap<Json, number>) => (one: Json, other: Json) =>
    compare(at(places, one), at(places, other));
  const wanted = items.filter(isWanted).toSorted(by(wantedAt));
  const others = items.filter((it) => !isWanted(it)).toSorted(by(liveAt));
  const ordered: Json[] = [];
  for (const item of wanted) {
    const place = at(liveAt, item);
    while (others[0] !== undefined && at(liveAt, others[0]) < place && Number.isFinite(place)) {
      ordered.push(others[0]);
      others.shift();
    }
    ordered.push(item);
  }
  ordered.push(...others);
  return isSame(items, ordered) ? items : ordered;
}

const compare = (one: number, other: number): number => (one === other ? 0 : one < other ? -1 : 1);

const isSame = (one: JsonList, other: JsonList): boolean =>
  one.every((item, at) => item === other[at]);

/** Of each value the first place. */
function positions(list: JsonList, valueOf: (item: Json) => Json): ReadonlyMap<Json, number> {
  const places = new Map<Json, number>();
  for (const [at, item] of list.entries()) {
    const value = valueOf(item);
    if (!places.has(value)) places.set(value, at);
  }
  return places;
}
