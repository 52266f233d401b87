/** Metadata of routing objects, the same for every provider (`spec/02`, 2.3 and 2.4). */
import { fluxAnnotations } from '../api/annotations.ts';
import { canaryApiVersion } from '../api/canary.ts';
import type { Canary } from '../api/canary.ts';
import type { ObjectMeta, StringMap } from '../api/kubernetes.ts';

/** Of an object that is to be made. */
export function owned(canary: Canary, name: string): ObjectMeta {
  const { metadata } = canary;
  return {
    name,
    namespace: metadata.namespace ?? '',
    ownerReferences: [
      {
        apiVersion: canaryApiVersion,
        kind: 'Canary',
        name: metadata.name,
        uid: metadata.uid ?? '',
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  };
}

/** The apex metadata of the spec on top of what is there; nothing of others is taken away. */
export function apexMetadata(canary: Canary, live: Partial<ObjectMeta>, kept: StringMap = {}) {
  const custom = canary.spec.service?.apex;
  const labels = { ...live.labels, ...custom?.labels };
  const annotations = { ...live.annotations, ...custom?.annotations, ...fluxAnnotations, ...kept };
  // The API server stores no empty map; one that is written again and again is never the same.
  return { annotations, ...(Object.keys(labels).length > 0 ? { labels } : {}) };
}
