/** What is done to the documents that users send: which of their fields there are, and whose. */
import { patchObject } from './patch/apply-patch.ts';
import { track } from './patch/track.ts';
import { prune } from './schema/prune.ts';
import type { Documents } from './writing.ts';

export const documents: Documents = {
  prune: ({ schema, isCustom }, object) => prune(schema, object, { isStructural: isCustom }),
  track,
  patch: patchObject,
};

/**
 * Takes what it gets: no field is dropped, and nobody owns any. For worlds in which nobody looks at
 * that, because a simulation writes a million objects.
 */
export const leanDocuments: Documents = {
  prune: (_, object) => ({ object, unknown: [] }),
  track: ({ after }) => after,
  patch: patchObject,
};
