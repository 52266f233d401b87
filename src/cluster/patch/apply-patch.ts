/** The one door for patches, whatever their form. */
import type { DocumentOptions, SchemaOptions } from 'yaml';
import { parse as parseYaml } from 'yaml';
import type { Json } from '../../api/kubernetes.ts';
import type { ResourceType, StoredObject } from '../resource-type.ts';
import { apiVersionOf } from '../resource-type.ts';
import { badRequest, invalid, StatusError } from '../status-error.ts';
import type { PatchRequest } from '../writing.ts';
import { applyConfiguration } from './apply.ts';
import { goText } from './go-text.ts';
import { applyJsonPatch, applyMergePatchBody, parseJson } from './json-patch.ts';
import { resetFieldsOf } from './reset-fields.ts';
import type { JsonObject } from './shape.ts';
import { anything, isObject } from './shape.ts';
import { strategicMerge } from './strategic-merge.ts';
import { asJson, asStored } from './track.ts';

const jsonPatch = 'application/json-patch+json';
const mergePatch = 'application/merge-patch+json';
const strategicMergePatch = 'application/strategic-merge-patch+json';
const applyPatch = 'application/apply-patch+yaml';

/** Whether the patch is a server-side apply: its answer has its `managedFields` already. */
export const isApply = (contentType: string): boolean => formOf(contentType) === applyPatch;

const formOf = (contentType: string): string => contentType.split(';', 1)[0]?.trim() ?? '';

/**
 * What the patch makes of the live object, without defaults, neither pruned nor validated. The live
 * object is not changed. Throws a `StatusError`.
 */
export function patchObject(request: PatchRequest): StoredObject {
  const { type, live, contentType, body, subresource } = request;
  const form = formOf(contentType);
  if (form === applyPatch) return applied(request);
  if (live === undefined) throw new Error(`a patch of a ${type.kind} that is not there`);
  const before = asJson(live);
  switch (form) {
    case jsonPatch:
      return asObject(applyJsonPatch(before, body));
    case mergePatch:
      return asObject(applyMergePatchBody(before, body));
    case strategicMergePatch: {
      if (type.isCustom) throw unsupported([jsonPatch, mergePatch, applyPatch]);
      // A scale is no object of the type.
      const schema = subresource === 'scale' ? anything : type.schema;
      return asObject(strategicMerge(before, parseJson(body, ''), schema));
    }
    default:
      throw new StatusError('415: Unsupported Media Type', {
        code: 415,
        reason: 'UnsupportedMediaType',
        details: {},
      });
  }
}

const unsupported = (accepted: readonly string[]): StatusError =>
  new StatusError(
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
    { code: 415, reason: 'UnsupportedMediaType' },
  );

function asObject(patched: Json): StoredObject {
  if (isObject(patched) && isObject(patched['metadata'])) return asStored(patched);
  throw badRequest("Object 'Kind' is missing");
}

function applied(request: PatchRequest): StoredObject {
  const { type, live, body, manager, subresource, force, time } = request;
  if (manager === '') {
    throw invalid({ group: 'meta.k8s.io', plural: '', kind: 'PatchOptions' }, '', [
      {
        field: 'fieldManager',
        reason: 'FieldValueRequired',
        message: 'Required value: is required for apply patch',
      },
    ]);
  }
  const config = parseConfiguration(body);
  checkType(config, type);
  const isScale = subresource === 'scale';
  const { object } = applyConfiguration({
    live: live === undefined ? undefined : asJson(live),
    config,
    manager,
    force,
    time,
    subresource,
    apiVersion: apiVersionOf(type),
    schema: isScale ? anything : type.schema,
    reset: resetFieldsOf(type, subresource),
    empty: type.empty,
  });
  return asStored(object);
}

function parseConfiguration(body: string): JsonObject {
  const value = parsedYaml(body);
  if (value === null || value === undefined) return {};
  if (isObject(value)) return value;
  throw badRequest(
    `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value} into Go value of type map[string]interface {}`,
  );
}

/** Most clients send JSON, which is YAML too; JSON is read faster. */
function parsedYaml(body: string): Json | undefined {
  if (body.trimStart().startsWith('{')) {
    try {
      return JSON.parse(body) as Json;
    } catch {
      return parsedAsYaml(body);
    }
  }
  return parsedAsYaml(body);
}

/** As Go reads it: YAML 1.1, in which times are strings. */
const yaml11: DocumentOptions & SchemaOptions = {
  version: '1.1',
  customTags: (tags) =>
    tags.filter((it) => typeof it === 'string' || !it.tag.endsWith(':timestamp')),
};

function parsedAsYaml(body: string): Json | undefined {
  try {
    return parseYaml(body, yaml11) as Json | undefined;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw badRequest(`error decoding YAML: error converting YAML to JSON: yaml: ${text}`);
  }
}

function checkType(config: JsonObject, type: ResourceType): void {
  const { apiVersion = '', kind = '' } = config;
  if (apiVersion === apiVersionOf(type) && kind === type.kind) return;
  const version = typeof apiVersion === 'string' ? apiVersion : '';
  const shown = version.includes('/') ? version : `/${version}`;
  throw badRequest(`invalid object type: ${shown}, Kind=${goText(kind)}`);
}
