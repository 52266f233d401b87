/** Pods by the uid of the object that manages them. */
import type { ControllerApi } from '../controller-api.ts';
import type { Pod } from './kinds.ts';
import { controllerOf } from './kinds.ts';

export type PodIndex = (uid: string) => readonly Pod[];

export function indexPods(api: Pick<ControllerApi, 'onChange'>): PodIndex {
  const owned = new Map<string, Map<string, Pod>>();
  api.onChange(({ groupResource, before, after }) => {
    if (groupResource !== 'pods') return;
    const object = after ?? before;
    const owner = object && controllerOf(object)?.uid;
    if (object === undefined || owner === undefined) return;
    const known = owned.get(owner) ?? new Map<string, Pod>();
    owned.set(owner, known);
    if (after === undefined) known.delete(object.metadata.uid ?? '');
    else known.set(object.metadata.uid ?? '', after as Pod);
    if (known.size === 0) owned.delete(owner);
  });
  return (uid) => [...(owned.get(uid)?.values() ?? [])];
}
