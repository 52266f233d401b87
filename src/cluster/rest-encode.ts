/** Objects and refusals as the text of an answer. */
import type { Json } from '../api/kubernetes.ts';
import type { Form } from './accept.ts';
import { inVersion } from './decode.ts';
import type { ResourceType, StoredObject } from './resource-type.ts';
import { apiVersionOf } from './resource-type.ts';
import type { RestAnswer } from './rest-request.ts';
import { StatusError } from './status-error.ts';

/** How objects and the API itself are shown. */
export interface Presentation {
  /** A `Table` of meta.k8s.io/v1. `includeObject`: None, Metadata or Object. */
  toTable(type: ResourceType, objects: readonly StoredObject[], includeObject: string): Json;
  /** Documents about the API: discovery, OpenAPI, version, health. Undefined where there is none. */
  document(path: string, accept: string | undefined): Document | undefined;
}

export interface Document {
  readonly contentType: string;
  readonly body: string;
}

/** Lists of built-in kinds leave the kind of their items out; it is the list's. */
export type Shape = Form | 'Item';

export type Encode = (
  type: ResourceType,
  object: StoredObject,
  form: Shape,
  includeObject: string,
) => string;

/** Text of objects is kept as long as they live: lists and every watch send the same. */
export function createEncoder(presentation: Presentation): Encode {
  const texts = new WeakMap<StoredObject, string>();
  const partials = new WeakMap<StoredObject, string>();
  const items = new WeakMap<StoredObject, string>();
  const kept = (
    known: WeakMap<StoredObject, string>,
    object: StoredObject,
    shape: () => unknown,
  ): string => {
    const text = known.get(object) ?? JSON.stringify(shape());
    known.set(object, text);
    return text;
  };
  return (type, object, form, includeObject) => {
    switch (form) {
      case 'Object': {
        const apiVersion = apiVersionOf(type);
        if (object.apiVersion !== apiVersion && object.kind === type.kind) {
          return JSON.stringify(inVersion(type, object));
        }
        return kept(texts, object, () => object);
      }
      case 'Item': {
        const shown = inVersion(type, object);
        const { apiVersion: _, kind: __, ...item } = shown;
        return shown === object ? kept(items, object, () => item) : JSON.stringify(item);
      }
      case 'PartialObjectMetadata':
        return kept(partials, object, () => ({
          kind: 'PartialObjectMetadata',
          apiVersion: 'meta.k8s.io/v1',
          metadata: object.metadata,
        }));
      case 'Table':
        return JSON.stringify(presentation.toTable(type, [object], includeObject));
    }
  };
}

export const json = (code: number, body: string, warnings: readonly string[]): RestAnswer => ({
  kind: 'Whole',
  code,
  contentType: 'application/json',
  body,
  warnings,
});

export function refusal(error: unknown, warnings: readonly string[]): RestAnswer {
  const status =
    error instanceof StatusError
      ? error
      : new StatusError(`Internal error occurred: ${String(error)}`, {
          code: 500,
          reason: 'InternalError',
        });
  const { retryAfterSeconds } = status;
  return {
    kind: 'Whole',
    code: status.code,
    contentType: 'application/json',
    warnings,
    body: JSON.stringify(status.toStatus()),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  };
}
