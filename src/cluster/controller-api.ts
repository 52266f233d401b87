/**
 * How controllers that live in the cluster see it: caches that are never late, and writes that go
 * through the same door as everybody's (defaults, validation, admission, garbage collection).
 */
import type { KubeObject, NamespacedName } from '../api/kubernetes.ts';
import type { Resource } from '../kube/resources.ts';

export interface Change {
  /** `deployments.apps`, `services`. */
  readonly groupResource: string;
  readonly before: KubeObject | undefined;
  /** Undefined where the object was deleted. */
  readonly after: KubeObject | undefined;
}

export interface DeleteChoice {
  /** Refuse (409) where the object of that name is another one by now. */
  readonly uid?: string;
  readonly propagation?: 'Foreground' | 'Background' | 'Orphan';
  /** Of Pods: 0 takes one away at once. */
  readonly gracePeriodSeconds?: number;
}

/** Writes reject with a `StatusError`. */
export interface ControllerApi {
  get<T extends KubeObject>(resource: Resource<T>, key: NamespacedName): T | undefined;
  /** By namespace and name. */
  list<T extends KubeObject>(resource: Resource<T>, namespace?: string): readonly T[];
  create<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T>;
  /**
   * Replaces the object (with `status`, only its status). Refused with 409 where the resource
   * version is not the live one; nothing is written where nothing differs.
   */
  update<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    subresource?: 'status',
  ): Promise<T>;
  delete(resource: Resource<KubeObject>, key: NamespacedName, choice?: DeleteChoice): Promise<void>;
  /** Told of every change, in order, as soon as it is stored. Answers how to stop. */
  onChange(listener: (change: Change) => void): () => void;
}
