/**
 * What a revision is: the pod template, and the contents of the ConfigMaps and Secrets that it
 * refers to. Hashes are over JSON as the API server stores it, so that neither an upgrade of Aviary
 * nor a field that this version does not know changes or hides anything.
 */
import { createHash } from 'node:crypto';
import type { PodTemplateSpec, StringMap } from '../api/kubernetes.ts';
import { canonicalJson } from './canonical-json.ts';

/** Names the form of the hash, so that another form could be told from this one. */
const version = 'v1-';
const hexDigits = 16;

/** Hash of a pod template: `v1-` and 16 hexadecimal digits. */
export function hashTemplate(template: PodTemplateSpec): string {
  const { creationTimestamp: _, ...metadata } = template.metadata ?? {};
  return version + digest(canonicalJson({ ...template, metadata }));
}

/** Hash of what is released by a target that has no pods of its own. */
export const hashValue = (value: unknown): string => version + digest(canonicalJson(value));

/** A hash as a whole number, where a generation is asked for: as many of its digits as a number holds. */
export const hashNumber = (hash: string): number => Number.parseInt(hash.slice(-12), 16);

/** Whether a hash was made by another program, or another version of this one. */
export function isForeignHash(hash: string): boolean {
  return !(hash.startsWith(version) && hash.length === version.length + hexDigits);
}

/** Names template and configuration together, as annotations and messages do. */
export function revisionOf(templateHash: string, configs: StringMap | undefined): string {
  return digest(canonicalJson([templateHash, configs ?? {}])).slice(0, 10);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, hexDigits);
}
