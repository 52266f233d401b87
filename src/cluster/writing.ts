/** What a write is: who writes what where, and who is asked on its way. */
import type { Json, NamespacedName } from '../api/kubernetes.ts';
import type { Clock } from '../kube/clock.ts';
import type { DeleteChoice } from './controller-api.ts';
import type { ObjectStore } from './object-store.ts';
import type { ResourceType, StoredObject, User } from './resource-type.ts';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE';

/** Who writes, and how. */
export interface Writing {
  readonly user: User;
  /** Everything is done but the storing. */
  readonly dryRun: boolean;
  /** What `metadata.managedFields` calls the writer. */
  readonly fieldManager: string;
  /** What to do with fields that the kind does not have. */
  readonly fieldValidation: 'Strict' | 'Warn' | 'Ignore';
  /** Whether the object says already who owns its fields: of a server-side apply. */
  readonly isOwned?: boolean;
  /** Said to the writer beside the answer. */
  readonly warn: (text: string) => void;
}

export interface AdmissionRequest {
  readonly operation: Operation;
  readonly type: ResourceType;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly object: StoredObject | undefined;
  readonly oldObject: StoredObject | undefined;
  readonly user: User;
  readonly dryRun: boolean;
  /** CreateOptions, UpdateOptions, PatchOptions or DeleteOptions. */
  readonly options: Json;
}

/** The admission webhooks. Both throw a `StatusError` where the request is denied. */
export interface Admission {
  /** Whether anybody wants to be asked. Cheap: asked before every write. */
  concerns(type: ResourceType, operation: Operation, subresource: string): boolean;
  mutate(request: AdmissionRequest, warn: (text: string) => void): Promise<StoredObject>;
  validate(request: AdmissionRequest, warn: (text: string) => void): Promise<void>;
}

export interface FieldTracking {
  readonly type: ResourceType;
  readonly before: StoredObject | undefined;
  readonly after: StoredObject;
  readonly manager: string;
  readonly subresource: string;
  readonly time: string;
}

export interface PatchRequest {
  readonly type: ResourceType;
  /** Undefined where there is none yet: only an apply may find that. */
  readonly live: StoredObject | undefined;
  readonly contentType: string;
  readonly body: string;
  readonly manager: string;
  readonly force: boolean;
  readonly subresource: string;
  readonly time: string;
}

/** What to do with the documents that users send. */
export interface Documents {
  /** Drops fields that the kind does not have; names them. */
  prune(
    type: ResourceType,
    object: StoredObject,
  ): { readonly object: StoredObject; readonly unknown: readonly string[] };
  /** Keeps `metadata.managedFields`. */
  track(write: FieldTracking): StoredObject;
  patch(request: PatchRequest): StoredObject;
}

export interface Precondition extends DeleteChoice {
  readonly resourceVersion?: string;
}

export type Subresource = '' | 'status' | 'scale' | 'finalize';

export interface Target {
  readonly type: ResourceType;
  readonly key: NamespacedName;
  readonly subresource: Subresource;
}

export interface Deleted {
  /** As it was last, or as it is while finalizers hold it. */
  readonly object: StoredObject;
  readonly isGone: boolean;
}

/** What every write goes through. */
export interface WritePath {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly store: ObjectStore;
  readonly admission: Admission;
  readonly documents: Documents;
}

export function optionsOf(kind: string, { dryRun, fieldManager }: Writing): Json {
  return {
    kind,
    apiVersion: 'meta.k8s.io/v1',
    ...(dryRun && { dryRun: ['All'] }),
    ...(fieldManager !== '' && kind !== 'DeleteOptions' && { fieldManager }),
  };
}

export const isNamespace = ({ group, plural }: ResourceType): boolean =>
  group === '' && plural === 'namespaces';

export const isPod = ({ group, plural }: ResourceType): boolean =>
  group === '' && plural === 'pods';
