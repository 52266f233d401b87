/**
 * Checksums of configuration (`spec/01`, 3.11): those of the reference, so that a status that it
 * wrote still tells what has changed. Binary data, which it leaves out, is part of ours (D9).
 */
import { createHash } from 'node:crypto';
import type { ConfigMap, KubeObject, Secret, StringMap } from '../api/kubernetes.ts';

/** Key of a configuration object in `status.trackedConfigs`. */
export function configKey(kind: 'ConfigMap' | 'Secret', name: string): string {
  return `${kind.toLowerCase()}/${name}`;
}

/** Types of Secrets whose contents belong to the application. */
const trackedSecretTypes: ReadonlySet<string> = new Set([
  'Opaque',
  'kubernetes.io/basic-auth',
  'kubernetes.io/ssh-auth',
  'kubernetes.io/tls',
]);

const optOutAnnotation = 'flagger.app/config-tracking';

/** Whether the object's contents are part of the revision; its metadata and type decide. */
export function isTracked(object: KubeObject & { readonly type?: string }): boolean {
  if (object.metadata.annotations?.[optOutAnnotation]?.startsWith('disable') === true) return false;
  return object.kind !== 'Secret' || trackedSecretTypes.has(object.type || 'Opaque');
}

/** 16 hexadecimal digits over the contents: the reference's, unless there is binary data. */
export function configChecksum(object: ConfigMap | Secret): string {
  const { data, binaryData }: Pick<ConfigMap, 'data' | 'binaryData'> = object;
  if (binaryData === undefined || Object.keys(binaryData).length === 0) return digest(goJson(data));
  return digest(`${goJson(data)}${goJson(binaryData)}`);
}

/** What the reference has recorded of the same objects: it sees no binary data. */
export function referenceChecksums(
  configs: readonly {
    readonly kind: 'ConfigMap' | 'Secret';
    readonly object: ConfigMap | Secret;
  }[],
): StringMap {
  return Object.fromEntries(
    configs.map(({ kind, object }) => [
      configKey(kind, object.metadata.name),
      digest(goJson(object.data)),
    ]),
  );
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** A map as Go's encoder writes it: keys sorted by bytes, and HTML's characters escaped. */
function goJson(data: StringMap | undefined): string {
  if (data === undefined || data === null) return 'null';
  const entries = Object.keys(data)
    .toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
    .map((key) => `${goString(key)}:${goString(data[key] ?? '')}`);
  return `{${entries.join(',')}}`;
}

const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

function goString(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(
    /[<>&\u2028\u2029]/g,
    (it) => escapes[it] ?? it,
  );
}
