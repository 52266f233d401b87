/**
 * A built-in kind as a row of a table, and what the API server makes of it: decoded as Go decodes
 * it, completed by its defaults, validated.
 */
import type { Json } from '../../api/kubernetes.ts';
import type { Column, ResourceType, ScalePaths, StoredObject } from '../resource-type.ts';
import type { Decoders } from './decode.ts';
import type { Rule } from './defaulting.ts';
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
export function metadataRule({ decoders }: Kit): Rule {
  return inside({
    ...Object.fromEntries(
      userMetadata.map((field) => [field, remembered(decoders.ruleOf(objectMeta, field))]),
    ),
    // Neither null nor empty, and never the user's.
    creationTimestamp: (value) => value ?? undefined,
  });
}

export function resourceType(kind: Kind, kit: Kit): ResourceType {
  const { definition, prepare } = kind;
  const { namespaced = true, hasStatus = false, shortNames = [], categories = [] } = kind;
  const firstStatus = hasStatus ? firstStatusOf(kind, kit) : undefined;
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
    hasGeneration: kind.hasGeneration ?? hasStatus,
    get schema() {
      return kit.schemas.schemaOf(definition);
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

function firstStatusOf({ definition, firstStatus }: Kind, { decoders }: Kit): Json {
  return decoders.ruleOf(definition, 'status')(firstStatus, {}) ?? {};
}

function completing(
  { definition, defaults = {}, complete }: Kind,
  kit: Kit,
): (object: StoredObject) => StoredObject {
  const fields = Object.keys(definitionOf(definition).properties ?? {}).filter(
    (it) => it !== 'apiVersion' && it !== 'kind' && it !== 'metadata' && it !== 'status',
  );
  const rules = fields.map((field): readonly [string, Rule] => {
    const decode = kit.decoders.ruleOf(definition, field);
    const rule = defaults[field];
    return [field, remembered(rule === undefined ? decode : chain(decode, rule))];
  });
  const status = definitionOf(definition).properties?.['status'];
  const statusRule =
    status === undefined
      ? []
      : [['status', remembered(ifThere(kit.decoders.ruleOf(definition, 'status')))] as const];
  const all = inside({
    metadata: metadataRule(kit),
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
