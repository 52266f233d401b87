/** Copies of ConfigMaps and Secrets for the primary (`spec/01`, 3.11: copy to primary). */
import type { Canary } from '../api/canary.ts';
import type { ConfigMap, KubeObject, OwnerReference, Secret } from '../api/kubernetes.ts';
import { configChecksum } from '../revision/checksum.ts';
import { ownerReferenceTo, withPrefixes } from './metadata.ts';

export type ConfigObject =
  | { readonly kind: 'ConfigMap'; readonly object: ConfigMap }
  | { readonly kind: 'Secret'; readonly object: Secret };

/**
 * On a copy: the checksum of the contents that it was given. Copies are watched by metadata only,
 * and this tells, without a read, whether one is up to date.
 */
export const copiedAnnotation = 'aviary.dev/copied-checksum';

/** Name of the primary's copy. */
export const copyName = (name: string): string => `${name}-primary`;

/**
 * The copy as it must be. `existing` is its metadata, where there is one; owners that it has beside
 * this canary stay, because several canaries may share it. An immutable source gives a mutable
 * copy: the copy has to follow the source's successor.
 */
export function renderCopy(
  canary: Canary,
  { kind, object }: ConfigObject,
  existing: KubeObject | undefined,
  includeLabelPrefix: string,
): ConfigMap | Secret {
  const { name, namespace = '', labels } = object.metadata;
  const checksum = configChecksum(object);
  const { data, binaryData, type } = object as ConfigMap & Secret;
  return {
    apiVersion: 'v1',
    kind,
    metadata: {
      name: copyName(name),
      namespace,
      labels: { ...existing?.metadata.labels, ...withPrefixes(labels, includeLabelPrefix) },
      annotations: { ...existing?.metadata.annotations, [copiedAnnotation]: checksum },
      ownerReferences: [ownerReferenceTo(canary), ...otherOwners(canary, existing)],
    },
    ...(data === undefined ? {} : { data }),
    ...(binaryData === undefined ? {} : { binaryData }),
    ...(kind === 'Secret' && type !== undefined ? { type } : {}),
  };
}

/** Whether an existing copy, of which only metadata is known, needs no write. */
export function isUpToDate(existing: KubeObject, wanted: KubeObject): boolean {
  const found = existing.metadata.annotations?.[copiedAnnotation];
  const owners = (existing.metadata.ownerReferences ?? []).map(({ uid }) => uid);
  const wantedOwners = (wanted.metadata.ownerReferences ?? []).map(({ uid }) => uid);
  return (
    found === wanted.metadata.annotations?.[copiedAnnotation] &&
    wantedOwners.every((uid) => owners.includes(uid))
  );
}

function otherOwners(canary: Canary, existing: KubeObject | undefined): readonly OwnerReference[] {
  return (existing?.metadata.ownerReferences ?? [])
    .filter(({ kind, name }) => !(kind === 'Canary' && name === canary.metadata.name))
    .map((owner) => ({ ...owner, controller: false }));
}
