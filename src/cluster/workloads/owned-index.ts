/** The objects of one kind, by the uid of the object that controls them. */
import type { KubeObject } from '../../api/kubernetes.ts';
import type { ControllerApi } from '../controller-api.ts';
import { controllerOf } from './kinds.ts';

/** In the order in which they came. */
export type OwnedIndex<T extends KubeObject> = (uid: string | undefined) => readonly T[];

/** Knows what changes from now on: start it before anything is stored. */
export function indexOwned<T extends KubeObject>(
  api: Pick<ControllerApi, 'onChange'>,
  groupResource: string,
): OwnedIndex<T> {
  const owned = new Map<string, Map<string, T>>();
  const forget = (owner: string, uid: string): void => {
    const known = owned.get(owner);
    known?.delete(uid);
    if (known?.size === 0) owned.delete(owner);
  };
  const note = (owner: string, object: T): void => {
    const known = owned.get(owner) ?? new Map<string, T>();
    if (known.size === 0) owned.set(owner, known);
    known.set(object.metadata.uid ?? '', object);
  };
  api.onChange(({ groupResource: changed, before, after }) => {
    if (changed !== groupResource) return;
    const old = before && controllerOf(before)?.uid;
    const owner = after && controllerOf(after)?.uid;
    if (old !== undefined && old !== owner) forget(old, before?.metadata.uid ?? '');
    if (owner !== undefined) note(owner, after as T);
  });
  return (uid) => (uid === undefined ? [] : [...(owned.get(uid)?.values() ?? [])]);
}
