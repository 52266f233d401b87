/** AdmissionReview of admission.k8s.io/v1: read from whatever was sent, and answered. */
import jsonpatch from 'fast-json-patch';
import type { KubeObject } from '../api/kubernetes.ts';

export interface AdmissionRequest {
  readonly uid: string;
  readonly kind: string;
  readonly operation: string;
  readonly namespace: string;
  readonly name: string;
  /** Who made the request, as the API server knows them. */
  readonly user: string;
  readonly dryRun: boolean;
  /** What is deleted, in a deletion. */
  readonly object: KubeObject;
  readonly oldObject?: KubeObject;
}

export type ParsedReview =
  | { readonly ok: true; readonly request: AdmissionRequest }
  /** `uid` is known where the request had one: an answer is possible then. */
  | { readonly ok: false; readonly error: string; readonly uid?: string };

/** Parses a body that is JSON already. Never throws. */
export function parseReview(body: unknown): ParsedReview {
  const review = fieldsOf(body);
  if (review['kind'] !== 'AdmissionReview') return refuse('kind is not AdmissionReview');
  if (review['apiVersion'] !== 'admission.k8s.io/v1') {
    return refuse('apiVersion is not admission.k8s.io/v1, the one that is registered for');
  }
  const request = fieldsOf(review['request']);
  const uid = textOf(request['uid']);
  if (uid === '') return refuse('request.uid is missing');
  const operation = textOf(request['operation']);
  const oldObject = objectOf(request['oldObject']);
  const object = operation === 'DELETE' ? oldObject : objectOf(request['object']);
  if (object === undefined) {
    return { ok: false, error: 'request.object is no Kubernetes object', uid };
  }
  return {
    ok: true,
    request: {
      uid,
      kind: textOf(fieldsOf(request['kind'])['kind']),
      operation,
      namespace: textOf(request['namespace']),
      name: textOf(request['name']),
      user: textOf(fieldsOf(request['userInfo'])['username']),
      dryRun: request['dryRun'] === true,
      object,
      ...(oldObject === undefined ? {} : { oldObject }),
    },
  };
}

const refuse = (error: string): ParsedReview => ({ ok: false, error });

/** Warnings longer than this are cut by clients; many of them are not read. */
const warningCharactersMax = 256;
const warningsMax = 16;

export interface AdmissionAnswer {
  readonly warnings: readonly string[];
  /** The object as it should be stored; absent where it stays as it is. */
  readonly wanted?: KubeObject;
  /** Why the object is refused; absent where it is allowed. */
  readonly denied?: string;
}

/** The AdmissionReview that answers a request. A refusal changes nothing. */
export function answerReview(uid: string, object: KubeObject | undefined, answer: AdmissionAnswer) {
  const { warnings, wanted, denied } = answer;
  const patch =
    denied === undefined && wanted !== undefined && object !== undefined
      ? jsonpatch.compare(object, wanted)
      : [];
  const cut = warnings.slice(0, warningsMax).map(shorten);
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed: denied === undefined,
      ...(denied === undefined
        ? {}
        : { status: { code: 403, reason: 'Forbidden', message: denied } }),
      ...(cut.length > 0 ? { warnings: cut } : {}),
      ...(patch.length > 0
        ? { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }
        : {}),
    },
  };
}

/** One line without control characters: API servers drop a warning that has any, without a word. */
function shorten(text: string): string {
  const line = text.replace(/\p{Cc}+/gu, ' ').toWellFormed();
  if (line.length <= warningCharactersMax) return line;
  return `${line.slice(0, warningCharactersMax - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function objectOf(value: unknown): KubeObject | undefined {
  const { metadata, kind } = fieldsOf(value);
  if (typeof kind !== 'string' || Object.keys(fieldsOf(metadata)).length === 0) return undefined;
  return value as KubeObject;
}
