/**
 * The annotation of client-side apply, which counts as ownership when kubectl moves on to
 * server-side apply, and is kept for those who go back.
 * Rules: k8s.io/apimachinery, `util/managedfields/internal/lastapplied*.go`.
 */
import type { Json } from '../../api/kubernetes.ts';
import type { Schema } from '../schema/schema.ts';
import { compare, fieldsOf } from './compare.ts';
import type { FieldSet } from './field-set.ts';
import { difference, nothing } from './field-set.ts';
import type { JsonObject } from './shape.ts';
import { isList, isObject } from './shape.ts';

const annotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** The fields that client-side apply set, and that are still as it set them. */
export function ownedByLastApply(
  live: JsonObject,
  { schema, apiVersion }: { readonly schema: Schema; readonly apiVersion: string },
): FieldSet {
  const applied = parse(lastApplied(live));
  if (applied === undefined || applied['apiVersion'] !== apiVersion) return nothing;
  const { changed, removed } = compare(applied, live, schema);
  return difference(difference(fieldsOf(applied, schema), changed), removed);
}

/** With the configuration in the annotation, where the object has one. */
export function withLastApplied(object: JsonObject, config: JsonObject): JsonObject {
  const metadata = object['metadata'];
  if (lastApplied(object) === undefined || !isObject(metadata)) return object;
  const found = isObject(metadata['annotations']) ? metadata['annotations'] : {};
  const annotations = { ...found, [annotation]: `${JSON.stringify(sorted(bare(config)))}\n` };
  return { ...object, metadata: { ...metadata, annotations } };
}

function lastApplied({ metadata }: JsonObject): string | undefined {
  const annotations = isObject(metadata) ? metadata['annotations'] : undefined;
  const text = isObject(annotations) ? annotations[annotation] : undefined;
  return typeof text === 'string' && text !== '' ? text : undefined;
}

function parse(text: string | undefined): JsonObject | undefined {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Json;
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Without the annotation itself. */
function bare(config: JsonObject): JsonObject {
  const metadata = config['metadata'];
  const annotations = isObject(metadata) ? metadata['annotations'] : undefined;
  if (!isObject(metadata) || !isObject(annotations)) return config;
  const { [annotation]: _, ...others } = annotations;
  return { ...config, metadata: { ...metadata, annotations: others } };
}

/** With the keys of all objects in order, as Go writes them. */
function sorted(value: Json): Json {
  if (isList(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([key, it]) => [key, sorted(it)]));
}
