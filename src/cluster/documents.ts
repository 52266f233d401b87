/** What is done to the documents that users send: which of their fields there are, and whose. */
import type { Json } from '../api/kubernetes.ts';
import { applyMergePatch } from '../kube/merge-patch.ts';
import { applyJsonPatch } from './patch/json-patch.ts';
import type { StoredObject } from './resource-type.ts';
import { StatusError } from './status-error.ts';
import type { Documents } from './writing.ts';

/**
 * Takes what it gets: no field is dropped, and nobody owns any. For worlds in which nobody looks at
 * that, because a simulation writes a million objects.
 */
export const leanDocuments: Documents = {
  prune: (_, object) => ({ object, unknown: [] }),
  track: ({ after }) => after,
  patch: ({ live, contentType, body }) => {
    const before = live as unknown as { readonly [key: string]: Json };
    if (contentType.startsWith('application/merge-patch')) {
      return objectOf(applyMergePatch(before, JSON.parse(body) as Json));
    }
    if (contentType.startsWith('application/json-patch')) {
      return objectOf(applyJsonPatch(before, body));
    }
    throw new StatusError(`${contentType} is not understood here`, {
      code: 415,
      reason: 'UnsupportedMediaType',
    });
  },
};

const objectOf = (value: Json): StoredObject => value as unknown as StoredObject;
