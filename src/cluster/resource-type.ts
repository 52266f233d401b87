/**
 * What the API server knows of one version of a resource: where it lives, what its objects look
 * like, what is filled in and what is refused. Built-in kinds are written down in `builtin/`; custom
 * ones come from CustomResourceDefinitions (`crd.ts`).
 */
import type { Json, KubeObject } from '../api/kubernetes.ts';
import type { Schema } from './schema/schema.ts';
import type { FieldError } from './status-error.ts';

/** A column of `kubectl get`. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  readonly description?: string;
  /** 0 is always shown, 1 with `-o wide`. */
  readonly priority: number;
  /** The cell of an object; undefined where it has none. Dates are shown as ages. */
  readonly cell: (object: KubeObject, nowMs: number) => string | number | boolean | undefined;
}

/** Where a scale subresource reads and writes, as dotted paths: `.spec.replicas`. */
export interface ScalePaths {
  readonly specReplicas: string;
  readonly statusReplicas: string;
  readonly labelSelector?: string;
}

/** An object as it is written: before defaults and validation, its fields are not certain. */
export interface StoredObject extends KubeObject {
  readonly spec?: Json;
  readonly status?: Json;
  readonly [field: string]: unknown;
}

/** Of a version that is kept as another one, perhaps of another group: how to get there and back. */
export interface Storage {
  readonly groupResource: string;
  readonly toStored: (object: StoredObject) => StoredObject;
  readonly fromStored: (object: StoredObject) => StoredObject;
}

export interface ResourceType {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Written apart from the rest, and no part of the generation. */
  readonly hasStatus: boolean;
  readonly scale?: ScalePaths;
  /**
   * Whether `metadata.generation` counts changes of what is not metadata or status. Kinds like
   * ConfigMap have none.
   */
  readonly hasGeneration: boolean;
  /** Absent where objects are kept as they are. */
  readonly storage?: Storage;
  /** Describes the whole object, `metadata` included. */
  readonly schema: Schema;
  /**
   * What an object holds before anybody gave it anything, where that is more than nothing: Go writes
   * empty structs. Nobody comes to own it.
   */
  readonly empty?: { readonly [field: string]: Json };
  /** Custom resources know no strategic merge patch. */
  readonly isCustom: boolean;
  /** After NAME; AGE is a column like others. */
  readonly columns: readonly Column[];
  /** Fields by which lists may be selected, beside `metadata.name` and `metadata.namespace`. */
  readonly selectableFields?: readonly string[];
  /** Fills in what the user left out. Idempotent; the argument is not changed. */
  readonly withDefaults: (object: StoredObject) => StoredObject;
  /**
   * What the server sets by itself when an object is created (`before` is undefined) or updated:
   * a Service's cluster IP, a Deployment's first status. May throw a `StatusError`.
   */
  readonly prepare?: (object: StoredObject, before: StoredObject | undefined) => StoredObject;
  /** Of kinds that are asked by a create and never stored: SelfSubjectReview. */
  readonly answer?: (object: StoredObject, user: User) => StoredObject;
  /** All that is wrong with an object, in the order of its fields. */
  readonly validate: (
    object: StoredObject,
    before: StoredObject | undefined,
  ) => readonly FieldError[];
}

/** Who asks, as the API server knows them. */
export interface User {
  readonly username: string;
  readonly groups: readonly string[];
}

/** One name for all versions of a resource: `deployments.apps`, `services`. */
export const groupResourceOf = ({
  group,
  plural,
  storage,
}: Pick<ResourceType, 'group' | 'plural' | 'storage'>): string =>
  storage?.groupResource ?? (group === '' ? plural : `${plural}.${group}`);

export const apiVersionOf = ({
  group,
  version,
}: Pick<ResourceType, 'group' | 'version'>): string =>
  group === '' ? version : `${group}/${version}`;
