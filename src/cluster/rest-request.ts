/** A request to the API server, its answer, and what is read out of its query. */
import { parseBody } from './body.ts';
import type { ListQuery } from './list.ts';
import type { User } from './resource-type.ts';
import type { RestPath } from './rest-path.ts';
import type { StatusError } from './status-error.ts';
import { badRequest, invalid } from './status-error.ts';
import type { Precondition, Writing } from './writing.ts';

export interface RestRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string | undefined;
  readonly contentType: string | undefined;
  readonly userAgent: string | undefined;
  readonly body: string;
  readonly user: User;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

export type RestAnswer =
  | ({ readonly kind: 'Whole'; readonly code: number; readonly body: string } & AnswerHead)
  | ({ readonly kind: 'Stream'; readonly lines: AsyncIterable<string> } & AnswerHead);

interface AnswerHead {
  readonly contentType: string;
  readonly warnings: readonly string[];
  readonly retryAfterSeconds?: number;
}

/** As API servers read booleans in queries: whatever does not say no is a yes. */
export const isTrue = (text: string | null): boolean =>
  text !== null && text !== '0' && text.toLowerCase() !== 'false';

export function writingOf(
  { method, query, userAgent = '', contentType, body, user }: RestRequest,
  warnings: string[],
): Writing {
  const dryRun = [
    ...query.getAll('dryRun'),
    ...(method === 'DELETE' ? (deleteOptionsOf(contentType, body).dryRun ?? []) : []),
  ];
  if (dryRun.some((it) => it !== 'All')) {
    throw unsupported(method, 'dryRun', JSON.stringify(dryRun), '"All"');
  }
  const asked = query.get('fieldValidation') ?? 'Warn';
  if (!isFieldValidation(asked)) {
    const supported = '"Ignore", "Strict", "Warn"';
    throw unsupported(method, 'fieldValidation', JSON.stringify(asked), supported);
  }
  // Who applies says who they are.
  const isApply = contentType?.startsWith('application/apply-patch') === true;
  return {
    user,
    dryRun: dryRun.length > 0,
    fieldManager: query.get('fieldManager') ?? (isApply ? '' : (userAgent.split('/')[0] ?? '')),
    fieldValidation: asked,
    warn: (text) => void warnings.push(text),
  };
}

const isFieldValidation = (text: string): text is Writing['fieldValidation'] =>
  ['Ignore', 'Strict', 'Warn'].includes(text);

const optionKinds: Readonly<Record<string, string>> = {
  POST: 'CreateOptions',
  PUT: 'UpdateOptions',
  PATCH: 'PatchOptions',
  DELETE: 'DeleteOptions',
};

function unsupported(method: string, field: string, value: string, supported: string): StatusError {
  const kind = optionKinds[method] ?? 'ListOptions';
  const message = `Unsupported value: ${value}: supported values: ${supported}`;
  return invalid({ group: 'meta.k8s.io', plural: '', kind }, '', [
    { field, reason: 'FieldValueNotSupported', message },
  ]);
}

/** DeleteOptions come as the body, or as the query. */
export function conditionOf({ query, body, contentType }: RestRequest): Precondition {
  const given = deleteOptionsOf(contentType, body);
  const { preconditions = {}, gracePeriodSeconds, orphanDependents } = given;
  const seconds = gracePeriodSeconds ?? numberOf(query.get('gracePeriodSeconds'));
  const propagation = given.propagationPolicy ?? query.get('propagationPolicy') ?? undefined;
  const choice = orphanDependents === true ? 'Orphan' : propagation;
  if (choice !== undefined && !isPropagation(choice)) {
    throw badRequest(`invalid propagationPolicy ${JSON.stringify(choice)}`);
  }
  return {
    ...(preconditions.uid !== undefined && { uid: preconditions.uid }),
    ...(preconditions.resourceVersion !== undefined && {
      resourceVersion: preconditions.resourceVersion,
    }),
    ...(choice !== undefined && { propagation: choice }),
    ...(seconds !== undefined && { gracePeriodSeconds: seconds }),
  };
}

const deleteOptionsOf = (contentType: string | undefined, body: string): DeleteOptions =>
  body.trim() === '' ? {} : (parseBody(contentType, body) as DeleteOptions);

interface DeleteOptions {
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly propagationPolicy?: string;
  readonly orphanDependents?: boolean;
  readonly gracePeriodSeconds?: number;
  readonly dryRun?: readonly string[];
}

const isPropagation = (text: string): text is 'Foreground' | 'Background' | 'Orphan' =>
  ['Foreground', 'Background', 'Orphan'].includes(text);

/** Throws a `StatusError` (400) for what is no integer. */
export function numberOf(text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
}

export function listQueryOf({ query }: RestRequest, { namespace }: RestPath): ListQuery {
  return {
    namespace,
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    limit: numberOf(query.get('limit')) ?? 0,
    continueToken: query.get('continue') ?? '',
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    sendInitialEvents: query.get('sendInitialEvents') ?? '',
  };
}

export const includeObjectOf = ({ query }: RestRequest): string =>
  query.get('includeObject') ?? 'Metadata';
