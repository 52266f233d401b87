/**
 * What applying a configuration makes of a live value, before anything is taken away: what the
 * configuration says, and what the live value has besides. Parts that stay the same are shared.
 * Rules: sigs.k8s.io/structured-merge-diff, `typed/merge.go`.
 */
import type { Json } from '../../api/kubernetes.ts';
import { isEqual } from '../json.ts';
import type { Schema } from '../schema/schema.ts';
import type { Indexed, JsonList, JsonObject } from './shape.ts';
import {
  fieldSchema,
  indexed,
  isList,
  isObject,
  itemElement,
  itemSchema,
  listKeysOf,
  shapeOf,
} from './shape.ts';

export function mergeObjects(live: JsonObject, config: JsonObject, schema: Schema): JsonObject {
  let merged: Record<string, Json> | undefined;
  for (const [name, wanted] of Object.entries(config)) {
    const found = live[name];
    const value = found === undefined ? wanted : merge(found, wanted, fieldSchema(schema, name));
    if (value === found) continue;
    merged ??= { ...live };
    merged[name] = value;
  }
  return merged ?? live;
}

function merge(live: Json, config: Json, schema: Schema): Json {
  if (live === config) return live;
  if (config === null) return shapeOf(live, schema) === 'leaf' || isBare(live) ? null : live;
  switch (shapeOf(config, schema)) {
    case 'map':
      if (isObject(live) && isObject(config)) return mergeObjects(live, config, schema);
      break;
    case 'list':
      if (isList(live) && isList(config)) return mergeLists(live, config, schema);
      break;
    case 'leaf':
      break;
  }
  return isEqual(live, config) ? live : config;
}

const isBare = (value: Json): boolean =>
  isList(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;

/**
 * Items of the configuration keep its order, live ones theirs; where an item is in both, what is
 * before it in either comes before it.
 */
function mergeLists(live: JsonList, config: JsonList, schema: Schema): JsonList {
  if (live.length === 0) return config.length === 0 ? live : config;
  const keys = listKeysOf(schema) ?? [];
  const elementOf = (item: Json): string => itemElement(item, keys, itemSchema(schema)) ?? '';
  const merged = interleaved({
    live,
    liveKeys: live.map(elementOf),
    liveItems: indexed(live, schema),
    config,
    configKeys: config.map(elementOf),
    schema: itemSchema(schema),
  });
  const isSame = merged.length === live.length && merged.every((it, at) => it === live[at]);
  return isSame ? live : merged;
}

interface Lists {
  readonly live: JsonList;
  readonly liveKeys: readonly string[];
  readonly liveItems: Indexed;
  readonly config: JsonList;
  readonly configKeys: readonly string[];
  /** Of the items. */
  readonly schema: Schema;
}

function interleaved({ live, liveKeys, liveItems, config, configKeys, schema }: Lists): JsonList {
  const wanted = new Set(configKeys);
  const shared = configKeys.filter((key) => liveItems.items.has(key));
  const taken = new Set<string>();
  const merged: Json[] = [];
  let nextShared = 0;
  let at = 0;
  let from = 0;
  /** The item of the configuration, on top of the live one; of duplicates none is meant. */
  const take = (): void => {
    const key = configKeys[from] ?? '';
    const item = config[from] ?? null;
    from += 1;
    taken.add(key);
    const isOne = liveItems.duplicates?.has(key) !== true;
    const found = isOne ? liveItems.items.get(key) : undefined;
    merged.push(found === undefined ? item : merge(found, item, schema));
    if (shared[nextShared] === key) nextShared += 1;
  };
  while (at < live.length || from < config.length) {
    const key = liveKeys[at] ?? '';
    if (at < live.length && from < config.length) {
      if (key === configKeys[from]) {
        at += 1;
        take();
        continue;
      }
      if (wanted.has(key) && nextShared < shared.length && shared[nextShared] !== key) {
        at += 1;
        continue;
      }
    }
    if (at < live.length) {
      if (!wanted.has(key)) {
        merged.push(live[at] ?? null);
        at += 1;
        continue;
      }
      if (taken.has(key)) at += 1;
    }
    if (from < config.length) take();
  }
  return merged;
}
