/**
 * The question that a webhook is asked, and what its answer means: an AdmissionReview of
 * admission.k8s.io/v1, both ways.
 * Rules and wording: k8s.io/apiserver, `admission/plugin/webhook/request` and `errors`.
 */
import type { Json } from '../api/kubernetes.ts';
import { isRecord } from './json.ts';
import { applyJsonPatch } from './patch/json-patch.ts';
import type { ResourceType, StoredObject } from './resource-type.ts';
import { apiVersionOf } from './resource-type.ts';
import { readScale } from './scale.ts';
import { badRequest, StatusError } from './status-error.ts';
import type { AdmissionRequest } from './writing.ts';
import { isNamespace } from './writing.ts';

type JsonObject = Readonly<Record<string, Json>>;

export interface AdmissionReview {
  readonly apiVersion: 'admission.k8s.io/v1';
  readonly kind: 'AdmissionReview';
  readonly request: JsonObject & { readonly uid: string };
}

/** The call of a webhook did not come to a good end: its failure policy decides. */
export class CallFailure extends Error {
  override readonly name = 'CallFailure';
}

/** The question without `uid`, `object` and `oldObject`: what match conditions see, too. */
export function describe(request: AdmissionRequest, wanted: ResourceType): JsonObject {
  const { type, subresource, operation, user, dryRun, options } = request;
  const name = request.name === '' ? {} : { name: request.name };
  const namespace = isNamespace(type) ? request.name : request.namespace;
  return {
    kind: kindOf(wanted, subresource),
    resource: { group: wanted.group, version: wanted.version, resource: wanted.plural },
    ...(subresource !== '' && { subResource: subresource }),
    requestKind: kindOf(type, subresource),
    requestResource: { group: type.group, version: type.version, resource: type.plural },
    ...(subresource !== '' && { requestSubResource: subresource }),
    ...name,
    ...(namespace !== '' && { namespace }),
    operation,
    userInfo: { username: user.username, groups: user.groups },
    dryRun,
    options,
  };
}

function kindOf({ group, version, kind }: ResourceType, subresource: string): JsonObject {
  return subresource === 'scale'
    ? { group: 'autoscaling', version: 'v1', kind: 'Scale' }
    : { group, version, kind };
}

/** The object as the webhook sees it: in the version that it wants, or its scale. */
export function shownObject(
  object: StoredObject | undefined,
  wanted: ResourceType,
  subresource: string,
): JsonObject | null {
  if (object === undefined) return null;
  const shown = subresource === 'scale' ? readScale(wanted, object) : object;
  const apiVersion = subresource === 'scale' ? shown.apiVersion : apiVersionOf(wanted);
  const json = shown as unknown as JsonObject;
  return json['apiVersion'] === apiVersion ? json : { ...json, apiVersion };
}

export interface Verdict {
  /** A JSON Patch; undefined where nothing is to change. */
  readonly patch: string | undefined;
  readonly warnings: readonly string[];
  /** Undefined where the request is allowed. */
  readonly denial: StatusError | undefined;
}

/** Throws a `CallFailure` where the answer is none. */
export function verdictOf(
  answer: unknown,
  { name, uid, isMutating }: Readonly<{ name: string; uid: string; isMutating: boolean }>,
): Verdict {
  const response = responseOf(answer, uid);
  const warnings = Array.isArray(response['warnings']) ? response['warnings'].map(String) : [];
  const patch = patchOf(response, isMutating);
  const denial = response['allowed'] === true ? undefined : denialOf(name, response['status']);
  return { patch, warnings, denial };
}

const invalidResponse = (why: string): CallFailure =>
  new CallFailure(`received invalid webhook response: ${why}`);

function responseOf(answer: unknown, uid: string): Readonly<Record<string, unknown>> {
  const review = isRecord(answer) ? answer : {};
  const { apiVersion, kind, response } = review;
  if (apiVersion !== 'admission.k8s.io/v1' || kind !== 'AdmissionReview') {
    const [version, found] = [JSON.stringify(apiVersion ?? ''), JSON.stringify(kind ?? '')];
    throw new CallFailure(
      `failed to call webhook: no kind ${found} is registered for version ${version} in scheme "pkg/runtime/scheme.go:111"`,
    );
  }
  if (!isRecord(response)) throw invalidResponse('webhook response was absent');
  const { uid: answered = '' } = response;
  if (answered !== uid) {
    const got = JSON.stringify(answered);
    throw invalidResponse(`expected response.uid=${JSON.stringify(uid)}, got ${got}`);
  }
  return response;
}

function patchOf(
  { patch = '', patchType }: Readonly<Record<string, unknown>>,
  isMutating: boolean,
): string | undefined {
  const hasPatch = typeof patch === 'string' && patch !== '';
  const hasType = patchType !== undefined && patchType !== null;
  if (!isMutating) {
    if (hasPatch) throw invalidResponse('validating webhook may not return response.patch');
    if (hasType) throw invalidResponse('validating webhook may not return response.patchType');
    return undefined;
  }
  if (hasPatch && !hasType) {
    throw invalidResponse('webhook returned response.patch but not response.patchType');
  }
  if (!hasPatch && hasType) {
    throw invalidResponse('webhook returned response.patchType but not response.patch');
  }
  if (!hasPatch) return undefined;
  if (patchType !== 'JSONPatch') {
    throw new CallFailure(`unsupported patch type ${JSON.stringify(patchType)}`);
  }
  const text = Buffer.from(patch, 'base64').toString('utf8');
  checkPatch(text);
  return text;
}

/** What it says is seen when it is applied; here, that it says anything. */
function checkPatch(text: string): void {
  const undecodable = 'received undecodable patch in webhook response';
  try {
    if (Array.isArray(JSON.parse(text))) return;
  } catch (cause) {
    throw new CallFailure(`${undecodable}: it is not JSON`, { cause });
  }
  throw new CallFailure(`${undecodable}: it is not a list`);
}

function denialOf(name: string, given: unknown): StatusError {
  const status = isRecord(given) ? given : {};
  const { message = '', reason = '', code = 0, details } = status;
  const by = `admission webhook ${JSON.stringify(name)} denied the request`;
  const why = message !== '' ? message : reason;
  return new StatusError(
    typeof why === 'string' && why !== '' ? `${by}: ${why}` : `${by} without explanation`,
    {
      code: typeof code === 'number' && code >= 400 ? code : 400,
      reason: typeof reason === 'string' ? reason : '',
      ...(isRecord(details) && { details }),
    },
  );
}

/** Throws a `StatusError` (500) that names the operation that does not apply. */
export function patchedBy(patch: string, object: JsonObject): Json {
  try {
    return applyJsonPatch(object, patch);
  } catch (error) {
    throw internalError(wrongOperation(patch, object) ?? String(error));
  }
}

function wrongOperation(patch: string, object: JsonObject): string | undefined {
  const operations: unknown = JSON.parse(patch);
  let current = object;
  for (const operation of Array.isArray(operations) ? operations : []) {
    try {
      current = applyJsonPatch(current, JSON.stringify([operation])) as JsonObject;
    } catch {
      return problemWith(operation as Operation);
    }
  }
  return undefined;
}

interface Operation {
  readonly op?: string;
  readonly path?: string;
}

/** In the words of gopkg.in/evanphx/json-patch.v4. */
function problemWith({ op = '', path = '' }: Operation): string {
  const key = path.replace(/^.*\//, '');
  switch (op) {
    case 'remove':
      return `error in remove for path: '${path}': Unable to remove nonexistent key: ${key}: missing value`;
    case 'test':
      return `testing value ${path} failed: test failed`;
    default:
      return `${op} operation does not apply: doc is missing path: ${JSON.stringify(path)}: missing value`;
  }
}

export const dryRunUnsupported = (name: string): StatusError =>
  badRequest(`admission webhook ${JSON.stringify(name)} does not support dry run`);

/** 500, in the API server's words. */
export function internalError(message: string): StatusError {
  return new StatusError(`Internal error occurred: ${message}`, {
    code: 500,
    reason: 'InternalError',
    details: { causes: [{ message }] },
  });
}
