/** Which labels and annotations generated objects take over, and who owns them (`spec/01`, 3.1, 3.9). */
import type { Canary } from '../api/canary.ts';
import { canaryApiVersion } from '../api/canary.ts';
import type { KubeObject, OwnerReference, StringMap } from '../api/kubernetes.ts';

const fluxDomain = 'toolkit.fluxcd.io';
const ownDomain = 'aviary.dev/';

const pick = (map: StringMap | undefined, wants: (key: string) => boolean): StringMap =>
  Object.fromEntries(Object.entries(map ?? {}).filter(([key]) => wants(key)));

/** All but the keys by which Flux finds its objects, and our own marks on the target. */
export function withoutForeignMarks(map: StringMap | undefined): StringMap {
  return pick(map, (key) => !key.includes(fluxDomain) && !key.startsWith(ownDomain));
}

/** Keys that start with one of the comma-separated prefixes; `*` is every key. */
export function withPrefixes(map: StringMap | undefined, prefixes: string): StringMap {
  const wanted = prefixes.split(',').filter((prefix) => prefix !== '');
  const matches = (key: string): boolean =>
    wanted.some((prefix) => prefix === '*' || key.startsWith(prefix));
  return withoutForeignMarks(pick(map, matches));
}

export function ownerReferenceTo(canary: Canary): OwnerReference {
  return {
    apiVersion: canaryApiVersion,
    kind: 'Canary',
    name: canary.metadata.name,
    uid: canary.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** Whether the canary controls the object; its uid is not compared, as a re-created one counts. */
export function isOwnedBy(object: KubeObject, canary: Canary): boolean {
  return (object.metadata.ownerReferences ?? []).some(
    ({ kind, name, controller }) =>
      kind === 'Canary' && name === canary.metadata.name && controller === true,
  );
}
