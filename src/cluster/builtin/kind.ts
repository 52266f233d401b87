/**
 * A built-in kind as a row of a table, and what the API server makes of it: decoded as Go decodes
 * it, completed by its defaults, validated.
 */
import type { Json } from '../../api/kubernetes.ts';
import type { Column, ResourceType, ScalePaths, Storage, StoredObject } from '../resource-type.ts';
import type { Decoders, Subject } from './decode.ts';
import type { JsonObject, Rule } from './defaulting.ts';
import { chain, inside, isJsonObject, remembered } from './defaulting.ts';
import type { SchemaSet } from './schemas.ts';
import { definitionOf } from './schemas.ts';

export interface Kind {
  /** Of the definition: `io.k8s.api.apps.v1.Deployment`. */
  readonly definition: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  /** Default: true. */
  readonly namespaced?: boolean;
  /** Default: false. */
  readonly hasStatus?: boolean;
  /** Default: whether it has a status. */
  readonly hasGeneration?: boolean;
  readonly scale?: ScalePaths;
  readonly selectableFields?: readonly string[];
  readonly columns: readonly Column[];
  /** By field of the object. They see it decoded. */
  readonly defaults?: Readonly<Record<string, Rule>>;
  /** What fields other than their own decide. After `defaults`; idempotent. */
  readonly complete?: (object: StoredObject) => StoredObject;
  /** The status of an object that was just created. Default: nothing, as Go writes it. */
  readonly firstStatus?: Json;
  readonly storage?: Storage;
  readonly prepare?: ResourceType['prepare'];
  readonly answer?: ResourceType['answer'];
  readonly validate?: ResourceType['validate'];
}

export interface Kit {
  readonly schemas: SchemaSet;
  readonly decoders: Decoders;
}

const objectMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** Fields of the metadata that users write. The rest is the server's own. */
const userMetadata = ['labels', 'annotations', 'finalizers', 'ownerReferences'];

/** They do not change from write to write, and what was decoded once is not decoded again. */
function metadataRule({ kind, version }: Kind, { decoders }: Kit): Rule {
  const subject = { kind, version, path: ['metadata'] };
  return inside({
    ...Object.fromEntries(
      userMetadata.map((field) => [field, remembered(decoders.ruleOf(objectMeta, field, subject))]),
    ),
    // Neither null nor empty, and never the user's.
    creationTimestamp: (value) => value ?? undefined,
  });
}

export function resourceType(kind: Kind, kit: Kit): ResourceType {
  const { definition, prepare } = kind;
  const { namespaced = true, hasStatus = false, shortNames = [], categories = [] } = kind;
  const firstStatus = hasStatus ? firstStatusOf(kind, kit) : undefined;
  let empty: JsonObject | undefined;
  return {
    group: kind.group,
    version: kind.version,
    kind: kind.kind,
    listKind: `${kind.kind}List`,
    plural: kind.plural,
    singular: kind.kind.toLowerCase(),
    shortNames,
    categories,
    namespaced,
    hasStatus,
    ...(kind.scale !== undefined && { scale: kind.scale }),
    ...(kind.storage !== undefined && { storage: kind.storage }),
    hasGeneration: kind.hasGeneration ?? hasStatus,
    get schema() {
      return kit.schemas.schemaOf(definition);
    },
    get empty() {
      return (empty ??= emptyObject(kind, kit));
    },
    isCustom: false,
    columns: kind.columns,
    ...(kind.selectableFields !== undefined && { selectableFields: kind.selectableFields }),
    withDefaults: completing(kind, kit),
    prepare: (object, before) => {
      const prepared = prepare?.(object, before) ?? object;
      return before !== undefined || firstStatus === undefined || prepared.status !== undefined
        ? prepared
        : { ...prepared, status: firstStatus };
    },
    ...(kind.answer !== undefined && { answer: kind.answer }),
    validate: kind.validate ?? (() => []),
  };
}

const subjectOf = ({ kind, version }: Kind): Subject => ({ kind, version, path: [] });

function firstStatusOf(kind: Kind, { decoders }: Kit): Json {
  const rule = decoders.ruleOf(kind.definition, 'status', subjectOf(kind));
  return rule(kind.firstStatus, {}) ?? {};
}

/** What Go writes of the kind with nothing in it. */
function emptyObject(kind: Kind, { decoders }: Kit): JsonObject {
  const { definition } = kind;
  const empty: Record<string, Json> = { metadata: {} };
  for (const field of Object.keys(definitionOf(definition).properties ?? {})) {
    if (['apiVersion', 'kind', 'metadata'].includes(field)) continue;
    const value = decoders.ruleOf(definition, field, subjectOf(kind))(undefined, {});
    if (value !== undefined) empty[field] = value;
  }
  return empty;
}

/** Fields with rules of their own, and what the API server itself writes. */
const otherFields = new Set(['apiVersion', 'kind', 'metadata', 'status']);

function completing(kind: Kind, kit: Kit): (object: StoredObject) => StoredObject {
  const { definition, defaults = {}, complete } = kind;
  const subject = subjectOf(kind);
  const { properties = {} } = definitionOf(definition);
  const fields = Object.keys(properties).filter((it) => !otherFields.has(it));
  const rules = fields.map((field): readonly [string, Rule] => {
    const decode = kit.decoders.ruleOf(definition, field, subject);
    const rule = defaults[field];
    return [field, remembered(rule === undefined ? decode : chain(decode, rule))];
  });
  const statusRule =
    properties['status'] === undefined
      ? []
      : [
          [
            'status',
            remembered(ifThere(kit.decoders.ruleOf(definition, 'status', subject))),
          ] as const,
        ];
  const all = inside({
    metadata: metadataRule(kind, kit),
    ...Object.fromEntries([...rules, ...statusRule]),
  });
  return (object) => {
    const found = all(object as unknown as Json, {});
    const completed = isJsonObject(found) ? (found as unknown as StoredObject) : object;
    return complete?.(completed) ?? completed;
  };
}

/** A status appears when the object is stored, not before. */
const ifThere =
  (rule: Rule): Rule =>
  (value, parent) =>
    value === undefined ? undefined : rule(value, parent);
